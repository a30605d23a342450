"""The drawing loop: a picture becomes an object, the object a drawing from the next angle, the drawing a picture again.

What draws is a `Plotter`, what looks at the drawing is an `PageCamera`, what makes an object of a picture is an
`Reconstructor`. `maquette.drawing_loop.simulation` has a pen and an eye that need no hardware,
`maquette.drawing_loop.hardware` those that do. Files are written by `maquette.outputs.loop`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.overlap import iou
from maquette.geometry.paper import SIZES_MM
from maquette.geometry.shape import Shape
from maquette.geometry.strokes import Strokes
from maquette.intake.line_art import resize
from maquette.intake.page_capture import LOW_PX, rectify_page
from maquette.intake.pickup import frame_object
from maquette.intake.sources import Frame
from maquette.plotting.drawing import mesh_strokes
from maquette.plotting.ordering import shortest_travel
from maquette.plotting.settings import Paper, ViewOptions

MAX_ROUNDS = 999
HATCHING = 0.035
"""Between the lines of hatching, as a share of the room for a drawing: closer ones run together in what a model sees of
a page, as little as 96 pixels, and shade becomes black.
"""
DECIMALS = 3
"""Of a stroke's coordinates, in millimetres: what a G-code file holds, so that a file gives back what was drawn."""


@dataclass(frozen=True)
class LoopSettings:
    """How a loop goes.

    Raises:
        UserError: For settings out of range.
    """

    rounds: int = 20
    """1 to 999."""
    turn_deg: float = 30.0
    """Between the angles from which one drawing and the next are seen."""
    look: ViewOptions = ViewOptions(azimuth_deg=35.0)
    """Of the first drawing; everything is drawn with one pen."""
    sheet: Paper = Paper(148.0, 210.0, 12.0, 0.5)
    low: int | None = None
    """Pixels a side of what is taken up from a picture; None: as many as the model sees."""
    size_mm: float = 100.0
    """Longest side of the meshes."""

    def __post_init__(self):
        if not 1 <= self.rounds <= MAX_ROUNDS:
            raise UserError(f"rounds must be 1 to {MAX_ROUNDS}", self.rounds)
        if not -360 <= self.turn_deg <= 360:
            raise UserError("turn_deg must be -360 to 360", self.turn_deg)
        if self.low is not None and not LOW_PX[0] <= self.low <= LOW_PX[1]:
            raise UserError(f"a picture of low resolution has {LOW_PX[0]} to {LOW_PX[1]} pixels a side", self.low)

    def looking(self, number: int) -> ViewOptions:
        """How the object is seen in the drawing of a round, from 1 on."""
        return replace(self.look, azimuth_deg=(self.look.azimuth_deg + (number - 1) * self.turn_deg) % 360)

    @property
    def paper(self) -> str:
        """The sheet as `rectify_page` names it."""
        size = sorted((self.sheet.width, self.sheet.height))
        return next((name for name, sides in SIZES_MM.items() if sorted(sides) == size), "as seen")


@dataclass(frozen=True)
class Reconstructor:
    """What makes an object of a picture.

    Attributes:
        size_px: Of the picture that it sees, float32 [C, S, S] in [0, 1].
        channels: See `size_px`.
        shape_of: The object in such a picture; it may raise UserError.
    """

    size_px: int
    channels: int
    shape_of: Callable[[np.ndarray], Shape]


@dataclass(frozen=True)
class Waiting:
    """Something has to be done by a person. ask: the loop goes on when they say that it is done."""

    number: int
    line: str
    ask: bool = False


@runtime_checkable
class Plotter(Protocol):
    """What draws. wants: what a person must do before it can. draw: raises UserError where it fails."""

    def wants(self, number: int) -> Waiting | None: ...

    def draw(self, number: int, strokes: Strokes) -> Iterator[Progress]: ...


@runtime_checkable
class PageCamera(Protocol):
    """What looks at the drawing of the round before. wants: what a person must do first. look: a picture of the page,
    or None where there is none to come; raises UserError where it fails.
    """

    def wants(self, number: int) -> Waiting | None: ...

    def look(self, number: int) -> Frame | None: ...


@dataclass(frozen=True, eq=False)
class Round:
    """One round, when its drawing is ready to be drawn.

    Attributes:
        number: From 1.
        picture: Uint8 [H, W, 3], what the eye saw, or the start.
        seen: Float32 [C, S, S] in [0, 1], dark on bright, as it was taken up from the picture.
        shape: The object, the mesh in millimetres.
        mesh: See `shape`.
        strokes: In millimetres on the page, in the order in which they are drawn.
        azimuth_deg: Where they are seen from.
        iou_first: Overlap of the object with that of the first round and of the one before (None in the first).
        iou_previous: See `iou_first`.
        seconds: Of work, without waiting and drawing.
    """

    number: int
    picture: np.ndarray
    seen: np.ndarray
    shape: Shape
    mesh: trimesh.Trimesh
    strokes: Strokes
    azimuth_deg: float
    iou_first: float
    iou_previous: float | None
    seconds: float
    notes: tuple[str, ...] = ()

    def measures(self) -> dict:
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
        }


@dataclass(frozen=True)
class Drawn:
    """The drawing of a round is on its page: the round is whole."""

    number: int


@dataclass(frozen=True)
class Ended:
    """The loop cannot go on with this round. reason: why; empty where there is just no further picture."""

    number: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Resume:
    """Whole rounds of a loop that goes on. first, last: filled voxels [R, R, R] of the first round and the last."""

    number: int
    first: np.ndarray
    last: np.ndarray


def run(
    start: Frame | None,
    imagination: Reconstructor,
    pen: Plotter,
    eye: PageCamera,
    settings: LoopSettings,
    past: Resume | None = None,
) -> Iterator[Progress | Waiting | Round | Drawn | Ended]:
    """Go through the rounds; yields each Round when its drawing is ready, and Drawn when the pen is done with it.

    Args:
        start: The first picture, of any kind; not looked at where there is a past. In later rounds the eye sees a page
            with the drawing on it. Whatever fails in the first round raises UserError; later it yields one Ended and
            that is all.
    """
    if start is None and past is None:
        raise UserError("a loop needs a picture to start from")
    first, last = (past.first, past.last) if past else (None, None)
    for number in range(past.number + 1 if past else 1, settings.rounds + 1):
        try:
            if number > 1:
                wish = eye.wants(number)
                if wish is not None:
                    yield wish
                start = eye.look(number)
                if start is None:
                    yield Ended(number)
                    return
            made = _round(number, start, imagination, settings, first, last)
            first, last = made.shape.voxels if first is None else first, made.shape.voxels
            yield made
            wish = pen.wants(number)
            if wish is not None:
                yield wish
            yield from pen.draw(number, made.strokes)
        except UserError as error:
            if number == 1:
                raise
            yield Ended(number, str(error))
            return
        yield Drawn(number)


def _round(
    number: int, frame: Frame, imagination: Reconstructor, settings: LoopSettings, first: np.ndarray | None,
    last: np.ndarray | None,
) -> Round:
    began = time.perf_counter()
    size = settings.low or imagination.size_px
    if number == 1:
        found = frame_object(frame.pixels, size, imagination.channels, frame.name)
        seen, notes = found.image, found.notes
    else:
        found = rectify_page(frame.pixels, low=size, paper=settings.paper, name=frame.name)
        page, notes = found.picture, found.notes
        seen = np.repeat(page[None].astype(np.float32) / 255, imagination.channels, axis=0)
    shape = imagination.shape_of(_sized(seen, imagination.size_px))
    mesh, dropped = shape.printable(settings.size_mm)
    look = settings.looking(number)
    strokes = drawing(mesh, look, settings.sheet)
    voxels = shape.voxels
    if first is not None and not first.shape == last.shape == voxels.shape:
        sides = f"{len(first)} and {len(last)} voxels a side"
        raise UserError("the rounds before hold grids of another size", sides, f"the model's have {len(voxels)}")
    same = 1.0 if first is None else float(iou(voxels, first))
    before = None if last is None else float(iou(voxels, last))
    notes = tuple(note for note in (*frame.notes, *notes, dropped.line()) if note)
    return Round(number, frame.pixels, seen, shape, mesh, strokes, look.azimuth_deg, same, before,
                 time.perf_counter() - began, notes)


def _sized(seen: np.ndarray, size_px: int) -> np.ndarray:
    """A picture [C, s, s] in [0, 1] with another number of pixels a side."""
    return np.stack([np.clip(resize(channel, size_px, size_px), 0, 1) for channel in seen]).astype(np.float32)


def drawing(mesh: trimesh.Trimesh, look: ViewOptions, sheet: Paper) -> Strokes:
    """A mesh as strokes of one pen (`maquette.plotting.drawing.mesh_strokes`), in the order of least travel,
    coordinates in whole micrometres.

    Raises:
        UserError: Where nothing of it is seen.
    """
    strokes = on_paper(mesh_strokes(mesh, look, sheet), sheet)
    if not len(strokes):
        raise UserError("the drawing is empty: no line of the object is seen")
    return shortest_travel(strokes, (0.0, sheet.height))


def hatching_mm(sheet: Paper) -> float:
    """Between the lines of hatching that a model can still tell apart, in millimetres, two decimals."""
    return round(HATCHING * (min(sheet.width, sheet.height) - 2 * sheet.margin), 2)


def on_paper(strokes: Strokes, sheet: Paper) -> Strokes:
    """Strokes in millimetres on this sheet, all with pen 1, their coordinates whole micrometres."""
    rounded = [np.round(line, DECIMALS) for line in strokes.lines]
    kept = [line[np.append(True, (np.diff(line, axis=0) != 0).any(axis=1))] for line in rounded]
    return Strokes(tuple(line for line in kept if len(line) > 1), sheet.width, sheet.height)
