"""The drawing loop: a picture becomes an object, the object a drawing from the next angle, the drawing a picture again.

A `Plotter` draws, a `PageCamera` looks at the drawing, and a `Reconstructor` makes an object of a picture.
`maquette.drawing_loop.simulation` has a plotter and camera that need no hardware, `maquette.drawing_loop.hardware`
those that do. Files are written by `maquette.outputs.loop`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
import trimesh
from jaxtyping import Bool, Float32, UInt8

from maquette.drawing_loop.memory import fine, remembered
from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.overlap import iou
from maquette.geometry.paper import SIZES_MM
from maquette.geometry.shape import Shape
from maquette.geometry.size import check_side
from maquette.geometry.strokes import Strokes
from maquette.intake.line_art import resize
from maquette.intake.page_capture import LOW_PX, rectify_page
from maquette.intake.pickup import frame_object
from maquette.intake.sources import Frame
from maquette.plotting.drawing import mesh_strokes
from maquette.plotting.ordering import shortest_travel
from maquette.plotting.settings import Paper, ViewOptions
from maquette.ways.outline import SIDE_PX

MAX_ROUNDS = 999
"""The most rounds of a loop."""
HATCHING = 0.035
"""Spacing of hatching, as a share of the room for a drawing.

Closer lines run together in what a model sees of a page, as little as 96 pixels, and shade becomes black.
"""
DECIMALS = 3
"""Decimals of a stroke's coordinates in millimetres: those of a G-code file, so that it gives back what was drawn."""


@dataclass(frozen=True)
class LoopSettings:
    """How a loop goes.

    Raises:
        UserError: If a value is out of its range.
    """

    rounds: int = 20
    """Number of rounds, 1 to 999."""
    turn_deg: float = 30.0
    """How far the object turns from one drawing to the next, -360 to 360."""
    look: ViewOptions = ViewOptions(azimuth_deg=35.0)
    """The view of the first drawing; everything is drawn with one pen."""
    sheet: Paper = Paper(148.0, 210.0, 12.0, 0.5)
    """The paper."""
    low: int | None = None
    """Pixels a side that are used of a picture; None: as many as the model sees."""
    size_mm: float = 100.0
    """Longest side of the meshes, 1 to 2000."""
    memory: float = 0.97
    """How much of each object is kept in the next: 0 nothing, and it drifts; 1 all."""

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= MAX_ROUNDS:
            raise UserError(f"rounds must be 1 to {MAX_ROUNDS}", self.rounds)
        if not -360 <= self.turn_deg <= 360:
            raise UserError("turn_deg must be -360 to 360", self.turn_deg)
        if self.low is not None and not LOW_PX[0] <= self.low <= LOW_PX[1]:
            raise UserError(f"a picture of low resolution has {LOW_PX[0]} to {LOW_PX[1]} pixels a side", self.low)
        if not 0 <= self.memory <= 1:
            raise UserError("memory must be from 0 to 1", self.memory)
        check_side(self.size_mm)

    def view_of(self, number: int) -> ViewOptions:
        """How the object is seen in the drawing of a round, counted from 1."""
        return replace(self.look, azimuth_deg=(self.look.azimuth_deg + (number - 1) * self.turn_deg) % 360)

    @property
    def paper(self) -> str:
        """The name of the sheet's size for `rectify_page`."""
        size = sorted((self.sheet.width, self.sheet.height))
        return next((name for name, sides in SIZES_MM.items() if sorted(sides) == size), "as seen")


@dataclass(frozen=True)
class Reconstructor:
    """What makes an object of a picture.

    Attributes:
        size_px: Side S of the picture that it sees, in pixels.
        channels: C of that picture: 1 grey or 3 RGB.
        shape_of: The object in such a picture, float32 `[C, S, S]` in [0, 1]; it may raise UserError.
        azimuth_of: From which side it believes to see that object, in degrees; None: it does not say.
    """

    size_px: int
    channels: int
    shape_of: Callable[[np.ndarray], Shape]
    azimuth_of: Callable[[np.ndarray], float | None] = lambda picture: None


@dataclass(frozen=True)
class Waiting:
    """A person has to do something.

    Attributes:
        number: The round.
        line: What is to be done.
        ask: The loop goes on when the person says that it is done.
    """

    number: int
    line: str
    ask: bool = False


@runtime_checkable
class Plotter(Protocol):
    """What draws."""

    def wants(self, number: int) -> Waiting | None:
        """What a person must do before the drawing of this round can be drawn."""

    def draw(self, number: int, strokes: Strokes) -> Iterator[Progress]:
        """Draw the strokes of a round, in millimetres; raises UserError if that fails."""


@runtime_checkable
class PageCamera(Protocol):
    """What looks at the drawing of the round before."""

    def wants(self, number: int) -> Waiting | None:
        """What a person must do before the picture for this round can be taken."""

    def look(self, number: int) -> Frame | None:
        """A picture of the page for this round; None if there will be none; raises UserError if that fails."""


class Measures(TypedDict):
    """The numbers of one round, as they stand in a loop's table; see `Round`."""

    round: int
    azimuth_deg: float
    iou_first: float
    iou_previous: float | None
    voxels: int
    strokes: int
    drawn_mm: float
    travel_mm: float
    seconds: float
    notes: list[str]
    extents_mm: NotRequired[list[float]]


@dataclass(frozen=True, eq=False)
class Round:
    """One round, when its drawing is ready to be drawn.

    Attributes:
        number: Counted from 1.
        picture: What the camera saw, or the start.
        seen: The picture as the loop uses it, dark on bright, in [0, 1].
        shape: The object.
        mesh: The object, in millimetres.
        strokes: In millimetres on the page, in the order in which they are drawn.
        azimuth_deg: The side from which the object is drawn.
        iou_first: Overlap of the object with that of the first round.
        iou_previous: Overlap with that of the round before; None in the first round.
        seconds: Time for computing, without waiting and drawing.
        notes: What was done that a user may want to know.
    """

    number: int
    picture: UInt8[np.ndarray, "h w 3"]
    seen: Float32[np.ndarray, "c s s"]
    shape: Shape
    mesh: trimesh.Trimesh
    strokes: Strokes
    azimuth_deg: float
    iou_first: float
    iou_previous: float | None
    seconds: float
    notes: tuple[str, ...] = ()

    def measures(self) -> Measures:
        """Plain numbers for a table."""
        return {
            "round": self.number,
            "azimuth_deg": round(self.azimuth_deg, 3),
            "iou_first": round(self.iou_first, 4),
            "iou_previous": None if self.iou_previous is None else round(self.iou_previous, 4),
            "voxels": int(self.shape.voxels.sum()),
            "strokes": len(self.strokes),
            "drawn_mm": round(self.strokes.length, 1),
            "travel_mm": round(self.strokes.travel((0.0, self.strokes.height)), 1),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "extents_mm": np.round(self.mesh.extents, 2).tolist(),
        }


@dataclass(frozen=True)
class Drawn:
    """The drawing of a round is on its page: the round is complete."""

    number: int


@dataclass(frozen=True)
class Ended:
    """The loop cannot go on with this round.

    Attributes:
        number: The round.
        reason: Why; empty if there is just no further picture.
    """

    number: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Resume:
    """The complete rounds of a loop that goes on.

    Attributes:
        number: The last of them.
        first: Filled voxels of the first round.
        last: The object of the last round.
    """

    number: int
    first: Bool[np.ndarray, "_ _ _"]
    last: Shape


def run_loop(
    start: Frame | None,
    reconstructor: Reconstructor,
    plotter: Plotter,
    camera: PageCamera,
    settings: LoopSettings,
    resume: Resume | None = None,
) -> Iterator[Progress | Waiting | Round | Drawn | Ended]:
    """Go through the rounds.

    Args:
        start: The first picture, of any kind; not used if the loop is resumed. In later rounds the camera sees a page
            with the drawing on it.
        reconstructor: Makes an object of each picture.
        plotter: Draws each object.
        camera: Looks at each drawing.
        settings: How many rounds, and how each is drawn.
        resume: The rounds of a loop that goes on.

    Yields:
        Each Round when its drawing is ready, and Drawn when the plotter is done with it; Waiting and Progress between.
        What fails after the first round yields one Ended, the last event.

    Raises:
        UserError: If the first round fails.
    """
    if start is None and resume is None:
        raise UserError("a loop needs a picture to start from")
    first, last = (resume.first, resume.last) if resume else (None, None)
    frame = start
    for number in range(resume.number + 1 if resume else 1, settings.rounds + 1):
        try:
            if number > 1:
                wish = camera.wants(number)
                if wish is not None:
                    yield wish
                frame = camera.look(number)
            if frame is None:
                yield Ended(number)
                return
            made = _round(number, frame, reconstructor, settings, first, last)
            first, last = made.shape.voxels if first is None else first, made.shape
            yield made
            wish = plotter.wants(number)
            if wish is not None:
                yield wish
            yield from plotter.draw(number, made.strokes)
        except UserError as error:
            if number == 1:
                raise
            yield Ended(number, str(error))
            return
        yield Drawn(number)


def _round(
    number: int,
    frame: Frame,
    reconstructor: Reconstructor,
    settings: LoopSettings,
    first: Bool[np.ndarray, "_ _ _"] | None,
    last: Shape | None,
) -> Round:
    """From a picture to the strokes of the next drawing.

    Args:
        first: Filled voxels of the first round, None in the first.
        last: The object of the round before.
    """
    began = time.perf_counter()
    size = settings.low or reconstructor.size_px
    if number == 1:
        found = frame_object(frame.pixels, size, reconstructor.channels, frame.name)
        seen, notes = found.image, found.notes
    else:
        page = rectify_page(frame.pixels, low=size, paper=settings.paper, name=frame.name)
        seen = np.repeat(page.picture[None].astype(np.float32) / 255, reconstructor.channels, axis=0)
        notes = page.notes
    picture = _sized(seen, reconstructor.size_px)
    shape = reconstructor.shape_of(picture)
    if settings.memory:
        shape = fine(shape)
    known = last is not None and last.occupancy.shape == shape.occupancy.shape
    if last is not None and known and settings.memory and shape.voxels.any():
        drawn = rectify_page(frame.pixels, low=settings.low or SIDE_PX, paper=settings.paper, name=frame.name).picture
        lines = _sized(drawn[None].astype(np.float32) / 255, SIDE_PX)[0]
        shape = remembered(shape, last, lines, settings.view_of(number - 1), reconstructor.azimuth_of(picture),
                           settings.memory)
    mesh, dropped = shape.printable(settings.size_mm)
    look = settings.view_of(number)
    strokes = draw_mesh(mesh, look, settings.sheet)
    voxels = shape.voxels
    before = None if last is None else last.voxels
    if first is not None and before is not None and not first.shape == before.shape == voxels.shape:
        sides = f"{len(first)} and {len(before)} voxels a side"
        raise UserError("the rounds before hold grids of another size", sides, f"the model's have {len(voxels)}")
    same = 1.0 if first is None else float(iou(voxels, first))
    previous = None if before is None else float(iou(voxels, before))
    notes = tuple(note for note in (*frame.notes, *notes, dropped.line()) if note)
    return Round(number, frame.pixels, seen, shape, mesh, strokes, look.azimuth_deg, same, previous,
                 time.perf_counter() - began, notes)


def _sized(seen: Float32[np.ndarray, "c _ _"], size_px: int) -> Float32[np.ndarray, "c s s"]:
    """A picture in [0, 1] with another number of pixels a side."""
    return np.stack([np.clip(resize(channel, size_px, size_px), 0, 1) for channel in seen]).astype(np.float32)


def draw_mesh(mesh: trimesh.Trimesh, look: ViewOptions, sheet: Paper) -> Strokes:
    """A mesh as strokes of one pen, in the order of least travel, with coordinates in whole micrometres.

    Args:
        mesh: Of any size.
        look: The viewpoint and the hatching.
        sheet: The paper, which the drawing fills up to its margins.

    Raises:
        UserError: If nothing of it is seen.
    """
    strokes = on_paper(mesh_strokes(mesh, look, sheet), sheet)
    if not len(strokes):
        raise UserError("the drawing is empty: no line of the object is seen")
    return shortest_travel(strokes, (0.0, sheet.height))


def hatching_mm(sheet: Paper) -> float:
    """The closest spacing of hatching that a model can still see, in millimetres, with two decimals."""
    return round(HATCHING * (min(sheet.width, sheet.height) - 2 * sheet.margin), 2)


def on_paper(strokes: Strokes, sheet: Paper) -> Strokes:
    """Strokes in millimetres on this sheet, all with pen 1, with coordinates in whole micrometres."""
    rounded = [np.round(line, DECIMALS) for line in strokes.lines]
    kept = [line[np.append(True, (np.diff(line, axis=0) != 0).any(axis=1))] for line in rounded]
    return Strokes(tuple(line for line in kept if len(line) > 1), sheet.width, sheet.height)
