"""A picture to a printable object: the ways that make sense of it, the best of them, and how sure it is.

The way is here and nowhere else: frame the object, find its outline, ask the model, find the camera, mend the shape by
the outline, keep what is solid, make its feet level, measure it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from maquette.api.objects import Printed
from maquette.errors import UserError
from maquette.geometry.mesh import plain_surface, to_print
from maquette.geometry.plain import PlainMesh
from maquette.geometry.printability import printability
from maquette.geometry.repair import Dropped, keep_largest, repair
from maquette.geometry.shape import Shape
from maquette.geometry.standing import Standing, level_feet, standing
from maquette.geometry.voxelise import voxelise
from maquette.intake.given import Picture, as_picture
from maquette.intake.pickup import Pickup, frame_object
from maquette.models.hub import DEFAULT_MODEL, Model, ModelOrName, as_model
from maquette.models.predict import Answer, answer, require_pictures
from maquette.ways.choosing import WAYS, Way, best_way, by_geometry, front_pose, suits
from maquette.ways.drawable import require_a_thing
from maquette.ways.fitting import fit_camera, turned_starts
from maquette.ways.joining import join_parts
from maquette.ways.obeying import FINE, OBEYS_FROM, obey, refined
from maquette.ways.outline import DrawnOutline, drawn_outline, overlap, share_of
from maquette.ways.silhouette import Pose, framed, mesh_silhouette, surface_voxels
from maquette.ways.verdict import (
    AGREEING,
    FAR,
    LOST,
    Judgement,
    Signs,
    crispness,
    goes_around,
    judge,
    line_signs,
    missing_reach,
    wholeness,
)
from maquette.ways.views import SIDES, agreement, angle_between, join, turned

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

By = Literal["auto", "model", "revolve", "inflate", "extrude"]
"""A way, or the best one."""
MOST_VIEWS = 8
"""Pictures of one object, at most."""
ADDED = 0.05
"""Share of the outline from which what was missing and was added is said."""


@dataclass(frozen=True, eq=False)
class Reconstruction(Printed):
    """The object of one picture.

    Attributes:
        pickup: What was found in the picture.
        way: How the object was made.
        pose: From where the picture shows it; None where that is not known.
        outline: IoU of the drawn outline and the mesh's silhouette; NaN where the picture has no outline.
        judgement: How sure one may be.
        standing: Whether it stands.
        lost: Share of the outline that the mesh does not cover.
        missing: How far the farthest drawn place lies from the mesh, as a share of the drawing's longer side.
        notes: What was done, a short sentence each.
        ways: The ways that suit the picture, `model` first.
    """

    pickup: Pickup
    way: Way
    pose: Pose | None
    outline: float
    judgement: Judgement
    standing: Standing
    lost: float
    missing: float
    notes: tuple[str, ...]
    ways: tuple[Way, ...] = ("model",)

    @property
    def printable(self) -> bool:
        """Whether it can be printed as it is: by its report, standing, and with all that was drawn."""
        return self.report.ok and self.standing.stands and not (self.lost > LOST or self.missing > FAR)

    def line(self) -> str:
        """One line for the user: the way, how sure, the outline, the report."""
        way = {"model": "by the model", "revolve": "turned about its axis", "inflate": "inflated",
               "extrude": "extruded"}[self.way]
        obeyed = "" if np.isnan(self.outline) else f"outline obeyed to {100 * self.outline:.0f} %"
        return "; ".join(part for part in (self.judgement.line(), way, obeyed, self.standing.line()) if part)


def reconstruct(
    picture: Picture,
    model: ModelOrName = DEFAULT_MODEL,
    *,
    by: By = "auto",
    class_name: str = "",
    obeying: bool = True,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Reconstruction:
    """The object in a picture as a printable mesh, by the way that suits the picture best.

    Args:
        picture: A file, a file's bytes, pixels uint8 `[H, W]` or `[H, W, 3]`, or a PIL image.
        model: One that reads pictures, or its name or folder.
        by: `auto` for the best way; `model`, `revolve`, `inflate` or `extrude` for this one.
        class_name: What it shows, `table`, for a model that takes it; empty where it is not known.
        obeying: Mend the model's shape by the drawn outline.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Raises:
        UserError: For a picture that cannot be read or holds nothing, for one of grain or of text by the model or the
            best way, for a model that reads none, for a way that the picture does not allow, and for an empty result.
    """
    seen = _Seen.of(picture, model, obeying, size_mm, threshold, largest_part, min_wall_mm, class_name)
    if by != "auto":
        return seen.made(by)
    best = seen.made("model")
    for way in suits(seen.outline):
        if best.judgement.verdict == "sure":
            break
        try:
            found = seen.made(way)
        except UserError:  # an outline that relief cannot close
            continue
        best = max(found, best, key=lambda made: made.judgement.probability)
    return best


def candidates(
    picture: Picture, model: ModelOrName = DEFAULT_MODEL, count: int = 4, *, size_mm: float = 100.0,
    threshold: float | None = None, largest_part: bool = True, min_wall_mm: float = 0.8,
) -> Iterator[Reconstruction]:
    """Several objects of one picture to choose from, the best first: each way, and the model's without its outline.

    Args:
        picture: As for `reconstruct`, like all that follows.
        model: One that reads pictures.
        count: How many at most.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall, for the report.

    Raises:
        UserError: As `reconstruct` does, and for a count below 1.
    """
    if count < 1:
        raise UserError("candidates must be at least 1", count)
    seen = _Seen.of(picture, model, True, size_mm, threshold, largest_part, min_wall_mm)
    first = seen.made("model")
    best = best_way(first.judgement, suits(seen.outline))
    order = [best, *(way for way in ("model", *suits(seen.outline)) if way != best)]
    given = 0
    for way in order:
        try:
            found = first if way == "model" else seen.made(way)
        except UserError:
            continue
        yield found
        given += 1
        if given == count:
            return
    if seen.outline is not None:
        yield replace(seen, obeying=False).made("model")


def reconstruct_one(
    pictures: Sequence[Picture], model: ModelOrName = DEFAULT_MODEL, sides: Sequence[str | float] = (), *,
    obeying: bool = True, size_mm: float = 100.0, threshold: float | None = None, largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Reconstruction:
    """One object from several pictures of it, drawings and photos mixed, in any order.

    The first picture makes an object; each further one is turned to where it agrees with that, and mends it.

    Args:
        pictures: Two to eight, each as for `reconstruct`.
        model: One that reads pictures.
        sides: From where each was taken: `front`, `left`, `back` or `right`, or degrees counter-clockwise seen from
            above, 0 at the front; empty where that is not known.
        obeying: Mend the shape by the outlines.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Returns:
        The object; its picture, outline and verdict are those of the first picture, its notes say how far the others
        agree.

    Raises:
        UserError: As `reconstruct` does, for a number of pictures out of range, and for sides that do not fit.
    """
    if not 2 <= len(pictures) <= MOST_VIEWS:
        raise UserError(f"one object is made of 2 to {MOST_VIEWS} pictures", len(pictures))
    if sides and len(sides) != len(pictures):
        raise UserError("there must be one side for each picture", f"{len(sides)} and {len(pictures)}")
    known = [_degrees(side) for side in sides]
    all_seen = [_Seen.of(picture, model, obeying, size_mm, threshold, largest_part, min_wall_mm)
                for picture in pictures]
    told = [seen.told() for seen in all_seen]
    poses = [None if one.pose is None else Pose.of(one.pose) for one in told]
    notes, doubts, whole = list[str](), list[str](), np.zeros(0, np.float32)
    for number, one in enumerate(told):
        pose = poses[number]
        if known and pose is not None:
            turn = known[number] - float(np.degrees(pose.azimuth))
        else:
            turn = angle_between(whole, one.occupancy) if number else 0.0
        grid = turned(one.occupancy, turn)
        if pose is not None:
            poses[number] = replace(pose, azimuth=pose.azimuth + float(np.radians(turn)))
        if number:
            agrees = agreement(whole, grid)
            notes.append(f"picture {number + 1} agrees to {100 * agrees:.0f} %")
            if agrees < AGREEING:
                doubts.append(f"picture {number + 1} shows another object than those before it")
        whole = join([whole, grid], [number, 1]) if number else grid
    mended, fitted = _obey_all(all_seen, poses, refined(whole))
    first = all_seen[0]
    return first.finished(mended, told[0], fitted[0], (*notes,), doubts)


def _obey_all(
    all_seen: Sequence[_Seen], poses: Sequence[Pose | None], occupancy: Float[np.ndarray, "r r r"]
) -> tuple[Float[np.ndarray, "r r r"], list[tuple[Pose | None, float]]]:
    """The shape mended by each outline in turn, and the camera of each picture with its outline's overlap before."""
    threshold, fitted = all_seen[0].threshold, list[tuple[Pose | None, float]]()
    occupancy = join_parts(occupancy, threshold)
    for seen, pose in zip(all_seen, poses, strict=True):
        filled = occupancy >= threshold
        if seen.outline is None or pose is None or not filled.any():
            fitted.append((pose, float("nan")))
            continue
        fit = fit_camera(surface_voxels(filled), 1 / len(occupancy), seen.outline.mask, [pose])
        fitted.append((fit.pose, fit.overlap))
        if seen.obeying and fit.overlap >= OBEYS_FROM:
            occupancy = obey(occupancy, threshold, seen.outline.mask, fit.pose, seen.outline.single).occupancy
    return occupancy, fitted


def _degrees(side: str | float) -> float:
    """The azimuth of a side."""
    if isinstance(side, str):
        if side in SIDES:
            return SIDES[side]
        try:
            side = float(side)
        except ValueError:
            raise UserError(f"a side must be {', '.join(SIDES)} or degrees", repr(side)) from None
    if not np.isfinite(side):
        raise UserError("a side's degrees must be a finite number", side)
    return float(side)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture that was read, and how objects are to be made of it."""

    name: str
    pixels: UInt8[np.ndarray, "h w 3"]
    model: Model
    pickup: Pickup
    outline: DrawnOutline | None
    obeying: bool
    size_mm: float
    threshold: float
    largest_part: bool
    min_wall_mm: float
    class_name: str

    @classmethod
    def of(
        cls, picture: Picture, model: ModelOrName, obeying: bool, size_mm: float, threshold: float | None,
        largest_part: bool, min_wall_mm: float, class_name: str = "",
    ) -> _Seen:
        model = require_pictures(as_model(model))
        given = as_picture(picture)
        facts = model.facts
        found = frame_object(given.pixels, facts.view_size, facts.image_channels, given.name)
        pixels = given.pixels if given.pixels.ndim == 3 else np.repeat(given.pixels[..., None], 3, axis=2)
        return cls(given.name, pixels, model, found, drawn_outline(pixels, found), obeying, size_mm,
                   model.threshold if threshold is None else threshold, largest_part, min_wall_mm, class_name)

    def made(self, way: Way) -> Reconstruction:
        """The object by one way."""
        if way not in WAYS:
            raise UserError(f"by must be auto, {', '.join(WAYS)}", repr(way))
        return self._by_model() if way == "model" else self._by_geometry(way)

    def told(self) -> Answer:
        """What the model says of the picture; one that shows no thing is refused."""
        require_a_thing(self.pixels, self.outline, self.pickup.kind == "photo", self.name)
        return answer(self.model, self.pickup.image, self.class_name)

    def _by_model(self) -> Reconstruction:
        told = self.told()
        occupancy = join_parts(refined(told.occupancy), self.threshold)
        pose = None if told.pose is None else Pose.of(told.pose)
        before, notes = float("nan"), []
        if self.outline is not None and pose is not None and (occupancy >= self.threshold).any():
            fit = fit_camera(surface_voxels(occupancy >= self.threshold), 1 / len(occupancy), self.outline.mask,
                             turned_starts(pose))
            pose, before = fit.pose, fit.overlap
            if self.obeying and before >= OBEYS_FROM:
                mended = obey(occupancy, self.threshold, self.outline.mask, pose, self.outline.single)
                occupancy = mended.occupancy
                if mended.grown > ADDED:
                    notes.append(f"{100 * mended.grown:.0f} % of the outline was missing and was added")
        return self.finished(occupancy, told, (pose, before), tuple(notes))

    def finished(
        self, occupancy: Float[np.ndarray, "r r r"], told: Answer, fitted: tuple[Pose | None, float],
        notes: tuple[str, ...], doubts: Sequence[str] = (),
    ) -> Reconstruction:
        """The object of a model's mended shape.

        Args:
            occupancy: After it was mended.
            told: What the model said of this picture.
            fitted: The camera, and the overlap of outline and silhouette before.
            notes: What was done.
            doubts: As for `judge`.
        """
        pose, before = fitted
        shape = Shape(occupancy, self.threshold)
        own = plain_surface(shape.occupancy, shape.threshold)
        lines = line_signs(own, pose, self.outline) if pose and self.outline is not None else (float("nan"),) * 2
        whole = wholeness(self.outline.ink) if self.outline is not None else float("nan")
        agreed = before if self.outline is not None and goes_around(self.outline) else float("nan")
        signs = Signs(agreed, *lines, crispness(told.occupancy), told.agrees, told.alike, whole, told.told)
        return self._finished(shape, own, "model", pose, signs, notes, doubts)

    def _by_geometry(self, way: Way) -> Reconstruction:
        made = by_geometry(self.pixels, way, self.name)
        shape = Shape(voxelise(made.mesh, FINE), 0.5)
        pose = None
        if self.outline is not None:
            box = _box(self.outline.mask)
            pose = framed(surface_voxels(shape.voxels), front_pose(), box)
        whole = wholeness(self.outline.ink) if self.outline is not None else float("nan")
        return self._finished(shape, PlainMesh.of(made.mesh), way, pose, Signs(one=whole), made.notes)

    def _finished(
        self, shape: Shape, own: PlainMesh, way: Way, pose: Pose | None, signs: Signs, notes: tuple[str, ...],
        doubts: Sequence[str] = (),
    ) -> Reconstruction:
        """The mesh in the frame made ready to print, measured and judged."""
        mesh, dropped = repair(own), Dropped()
        if self.largest_part:
            mesh, dropped = keep_largest(mesh)
        outline, lost, missing = float("nan"), 0.0, 0.0
        if pose is not None and self.outline is not None:
            covered = mesh_silhouette(mesh, pose, len(self.outline.mask))
            outline = overlap(covered, self.outline.mask)
            lost = share_of(self.outline.mask & ~covered, self.outline.mask)
            missing = missing_reach(self.outline.mask, covered)
        printed = to_print(level_feet(mesh), self.size_mm)
        obeyed = outline if self.outline is not None and goes_around(self.outline) else float("nan")
        judged = judge(replace(signs, outline=outline) if way != "model" else signs, self.pickup.kind == "photo", lost,
                       obeyed, missing, doubts, self.model.facts.points)
        report = printability(printed, self.min_wall_mm, fills_cube=way == "model" and shape.fills_cube)
        return Reconstruction(self.name, shape, printed, dropped, report, self.pickup, way, pose, outline, judged,
                              standing(printed), lost, missing, (*self.pickup.notes, *notes),
                              ("model", *suits(self.outline)))


def _box(mask: Bool[np.ndarray, "s s"]) -> tuple[float, float, float, float]:
    from maquette.ways.fitting import box_of

    return box_of(mask) or (-1.0, -1.0, 1.0, 1.0)
