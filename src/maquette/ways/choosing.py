"""Which way a picture becomes an object: by the model, turned about its axis, inflated or extruded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.geometry.mesh import to_frame
from maquette.ways.outline import DrawnOutline
from maquette.ways.silhouette import Pose
from maquette.ways.verdict import MISSING, SURE, Judgement

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, UInt8

Way = Literal["model", "revolve", "inflate", "extrude"]
WAYS: tuple[Way, ...] = get_args(Way)
"""The ways, the most general first."""
SYMMETRIC = 0.9
"""IoU of an outline and its mirror image from which a flat drawing is taken for a profile."""
UNBROKEN = 0.95
"""Share of the rows that a profile fills in one piece, at least."""
STRAIGHT = 0.82
"""Share of an outline in straight pieces from which a flat drawing is extruded."""
THICK = 0.2
"""Thickness of an extruded drawing over its longer side."""
_FRONT = Pose(0.0, 0.0, nearness=0.05)
GROOVE = 0.02
"""Depth of the grooves along lines inside an outline, over the longer side."""
_FLAT_MM = 100.0


@dataclass(frozen=True, eq=False)
class Made:
    """An object that was made of a flat drawing.

    Attributes:
        way: How.
        mesh: In the package's frame: standing, as it was drawn from the front.
        notes: A short sentence each.
    """

    way: Way
    mesh: trimesh.Trimesh
    notes: tuple[str, ...]


def by_geometry(picture: UInt8[np.ndarray, "h w 3"], way: Way, name: str) -> Made:
    """An object of a flat drawing, without a model.

    Args:
        picture: As the user gave it.
        way: Any but `model`.
        name: What an error calls the picture.

    Raises:
        UserError: As `maquette.relief.relief` does.
    """
    from maquette.relief.options import ReliefOptions
    from maquette.relief.relief import relief

    if way == "model":
        raise ValueError("the model's way needs a model")
    thickness = THICK * _FLAT_MM if way == "extrude" else None
    groove = 0.0 if way == "revolve" else GROOVE * _FLAT_MM
    options = ReliefOptions(way=way, size_mm=_FLAT_MM, thickness_mm=thickness, engrave_mm=groove)
    made = relief(picture, options, name=name)
    mesh = made.mesh
    if way != "revolve":  # from lying on its back to standing, its face towards the front
        mesh = mesh.copy()
        mesh.vertices = np.asarray(mesh.vertices)[:, [0, 2, 1]] * np.array([-1.0, 1.0, 1.0])
    return Made(way, to_frame(mesh), made.notes)


def front_pose() -> Pose:
    """From where a flat drawing is seen: straight from the front, far away."""
    return _FRONT


def suits(outline: DrawnOutline | None) -> list[Way]:
    """The ways without a model that suit a drawing, the best first; none for a photo and for an open drawing."""
    if outline is None or not outline.closed or not outline.ink.any():
        return []
    if straightness(outline.mask) >= STRAIGHT:
        return ["extrude", "inflate"]
    if mirrored_overlap(outline.mask) >= SYMMETRIC and unbroken_rows(outline.mask) >= UNBROKEN:
        return ["revolve", "inflate", "extrude"]
    return ["inflate", "extrude"]


def unbroken_rows(mask: Bool[np.ndarray, "s s"]) -> float:
    """The share of a region's rows that it fills in one piece, as a body of revolution does seen from the side."""
    starts = (np.diff(mask.astype(np.int8), axis=1, prepend=0) == 1).sum(1)
    return float((starts == 1).sum() / max((starts > 0).sum(), 1))


def mirrored_overlap(mask: Bool[np.ndarray, "s s"]) -> float:
    """IoU of a region and its mirror image about the upright line through the middle of its box."""
    columns = np.flatnonzero(mask.any(0))
    if not len(columns):
        return 0.0
    region = mask[:, columns[0] : columns[-1] + 1]
    other = region[:, ::-1]
    return float((region & other).sum() / (region | other).sum())


def straightness(mask: Bool[np.ndarray, "s s"]) -> float:
    """The share of a region's outline that lies in long straight pieces, 0 to 1."""
    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not outlines:
        return 0.0
    outline = max(outlines, key=cv2.contourArea)
    around = cv2.arcLength(outline, True)
    corners = cv2.approxPolyDP(outline, 0.005 * around, True)[:, 0].astype(np.float64)
    if len(corners) < 3:
        return 0.0
    pieces = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float(pieces[pieces > 0.07 * around].sum() / around)


def best_way(judgement: Judgement | None, flat: list[Way]) -> Way:
    """The way to take: the model's where it is sure or nothing else fits, else the best that suits a flat drawing.

    An object of the model of which only a part is missing, a leg say, is nearer to what was drawn than a flat one.
    """
    if judgement is None:
        if not flat:
            raise UserError("no way suits this picture")
        return flat[0]
    whole = judgement.likely >= SURE and set(judgement.reasons) <= {MISSING}
    return "model" if judgement.verdict == "sure" or whole or not flat else flat[0]
