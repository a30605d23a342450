"""How sure one may be of a result: what the picture and the object say together, as one number and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from maquette.geometry.plain import PlainMesh
from maquette.intake.line_art import disc
from maquette.rendering.rasteriser import Rasteriser
from maquette.rendering.sketch_lines import FeatureLines
from maquette.ways.outline import DrawnOutline, without_holes
from maquette.ways.silhouette import Pose

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from maquette.geometry.plain import Mesh

Verdict = Literal["sure", "unsure"]
NEAR = 0.03
"""Share of the square's side within which two lines agree."""
SPAN = 0.15
"""Share of the square's side up to which lines are taken to belong together, wherever they are open."""
AROUND = 0.6
"""Share of what the lines span that an outline must hold to be that of the whole thing."""
SURE = 0.5
"""The probability from which a result is called sure."""
DOUBTED = 0.45
"""The probability at most where something is plainly not as it should be."""
OBEYED = 0.75
"""IoU of the drawn outline and the result's silhouette below which the result is not what was drawn."""
LOST = 0.1
"""Share of the outline that may be missing from a result, all around it."""
FAR = 0.12
"""From which `missing_reach` a part that was drawn, a leg say, is missing."""
MISSING = "a part that was drawn is missing"
"""A reason."""
AGREEING = 0.2
"""IoU below which the objects of two pictures are not the same object."""


@dataclass(frozen=True)
class Signs:
    """What speaks for a result, each about 0 (bad) to 1 (good); NaN where it cannot be told.

    Attributes:
        outline: IoU of the drawn outline and the silhouette, before the object was mended by it; NaN too where the
            outline that was found is that of a part of the drawing (`goes_around`).
        explained: Share of the drawn lines near a line of the object.
        drawn: Share of the object's lines near a drawn line.
        crisp: How far the network's answer is from undecided.
        agrees: IoU of the answers to the picture and to its mirror image.
        alike: How near the latent lies to those of what was learned, 1 for as near as they are to each other.
        one: Share of the drawn lines that hang together with the largest piece.
        told: How much the picture told the network: about 0 where it answers the same as to an empty picture.
    """

    outline: float = float("nan")
    explained: float = float("nan")
    drawn: float = float("nan")
    crisp: float = float("nan")
    agrees: float = float("nan")
    alike: float = float("nan")
    one: float = float("nan")
    told: float = float("nan")

    def values(self) -> Float[np.ndarray, " 8"]:
        """In the order of the attributes."""
        return np.array([self.outline, self.explained, self.drawn, self.crisp, self.agrees, self.alike, self.one,
                         self.told])


@dataclass(frozen=True)
class Judgement:
    """How sure one may be.

    Attributes:
        probability: That the result is what was drawn, 0 to 1.
        reasons: Why it is unsure, a short sentence each.
        signs: What was measured.
        likely: The probability by the signs alone, whatever is plainly not as it should be.
    """

    probability: float
    reasons: tuple[str, ...] = field(default=())
    signs: Signs = field(default=Signs())
    likely: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """`sure` or `unsure`."""
        return "sure" if self.probability >= SURE else "unsure"

    def line(self) -> str:
        """One line for the user."""
        return self.verdict + (f": {'; '.join(self.reasons)}" if self.reasons and self.verdict == "unsure" else "")


def line_signs(
    mesh: Mesh, pose: Pose, outline: DrawnOutline
) -> tuple[float, float]:
    """The shares of drawn lines near the object's lines, and of the object's lines near drawn ones.

    Args:
        mesh: In the package's frame.
        pose: Of the picture.
        outline: Of the picture; a photo has no lines.
    """
    ink = outline.ink > 0.5
    if not ink.any():
        return float("nan"), float("nan")
    side = ink.shape[0]
    lines = np.zeros(ink.shape, np.uint8)
    for stroke in FeatureLines(Rasteriser(PlainMesh.of(mesh))).strokes(pose.camera(side)):
        cv2.polylines(lines, [np.rint(stroke * 16).astype(np.int32)], False, 1, 1, cv2.LINE_8, 4)
    return _share_near(ink, lines > 0, NEAR * side), _share_near(lines > 0, ink, NEAR * side)


def _share_near(these: Bool[np.ndarray, "s s"], those: Bool[np.ndarray, "s s"], reach: float) -> float:
    """The share of the pixels of one picture that are near those of another."""
    if not these.any() or not those.any():
        return 0.0
    away = cv2.distanceTransform(1 - those.astype(np.uint8), cv2.DIST_L2, 5)
    return float((away[these] <= reach).mean())


def goes_around(outline: DrawnOutline) -> bool:
    """Whether an outline goes around all that is drawn, and not just around a part, as where a line is open."""
    side = outline.ink.shape[0]
    reach = round(SPAN * side)
    lines = np.pad(((outline.ink > 0.5) | outline.mask).astype(np.uint8), reach)
    joined = without_holes(cv2.dilate(lines, disc(reach)) > 0)
    span = cv2.erode(joined.astype(np.uint8), disc(reach))
    return bool(np.count_nonzero(outline.mask) > AROUND * np.count_nonzero(span))


def missing_reach(drawn: Bool[np.ndarray, "s s"], covered: Bool[np.ndarray, "s s"]) -> float:
    """How far the farthest drawn place lies from the object, as a share of the drawing's longer side.

    A rim that is a little too narrow is near; the foot of a leg that is missing is far, however thin it is.

    Args:
        drawn: The drawn region.
        covered: The object's silhouette.
    """
    if not drawn.any():
        return 0.0
    if not covered.any():
        return 1.0
    away = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(drawn)
    return float(away[drawn].max()) / float(max(np.ptp(rows), np.ptp(columns)) + 1)


def crispness(occupancy: Float[np.ndarray, "r r r"]) -> float:
    """How far the occupancy is from undecided, over what is or might be filled: 0 all undecided, 1 all decided."""
    chosen = occupancy[occupancy > 0.1]
    return float(np.abs(2 * chosen - 1).mean()) if len(chosen) else 0.0


def wholeness(ink: Float[np.ndarray, "s s"]) -> float:
    """The share of the drawn lines in the largest piece, gaps of a few pixels counted as closed."""
    mask = (ink > 0.5).astype(np.uint8)
    if not mask.any():
        return float("nan")
    joined = cv2.dilate(mask, np.ones((7, 7), np.uint8))
    _, labels = cv2.connectedComponents(joined, connectivity=8)
    sizes = np.bincount(labels[mask > 0])
    return float(sizes.max() / sizes.sum())


AGAINST = -0.4
"""From which a sign's share in the logarithm of the odds is a reason to doubt."""
REASONS = {
    "outline": "the outline differs from what was drawn", "explained": "lines of the drawing are nowhere on the object",
    "drawn": "the object has lines that were not drawn", "crisp": "the model is undecided",
    "agrees": "the model makes something else of the mirror image",
    "alike": "it is unlike what the model has learned", "one": "the drawing is in several pieces",
    "told": "the picture tells the model little",
}
"""What a weak sign means, for the user."""
WEIGHTS: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    "drawing": ((0.83, 0.81, 0.84, 0.55, 0.63, 0.31, 0.94, 1.31), (1.7, 2.1, 2.0, 0.0, 3.1, 1.3, 9.2, 3.1), 0.32),
    "photo": ((0.73, 0.0, 0.0, 0.54, 0.63, 0.32, 0.0, 1.19), (0.0, 0.0, 0.0, 4.2, 2.7, 4.0, 0.0, 3.2), 0.64),
    "drawing, object's frame": (
        (0.77, 0.79, 0.7, 0.56, 0.62, 0.65, 0.94, 0.97), (1.0, 1.8, 1.3, 6.5, 2.5, 0.0, 6.4, 2.1), 0.01),
    "photo, object's frame": (
        (0.9, 0.0, 0.0, 0.52, 0.66, 0.81, 0.0, 0.73), (0.0, 0.0, 0.0, 2.7, 0.3, 0.0, 0.0, 6.0), 0.15),
    "flat": ((0.85, 0.0, 0.0, 0.0, 0.0, 0.0, 0.95, 0.0), (9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0), 0.6),
}
"""What each sign is compared with, its weight, and a constant: for results from drawings and from photos of models that
answer in the view's frame, and of those that answer in the object's (`benchmarks/sure.py`, `maquette` and `modelnet`);
and for results without a model, which are what was drawn if their outline is."""


def judge(
    signs: Signs, photo: bool, lost: float = 0.0, obeyed: float = float("nan"), missing: float = 0.0,
    doubts: Sequence[str] = (), in_view: bool = True,
) -> Judgement:
    """How sure one may be of a result.

    Args:
        signs: What was measured.
        photo: Whether the picture is a photo.
        lost: Share of the outline that no part of the result covers.
        obeyed: IoU of the outline and the result's silhouette, after it was mended; NaN where it cannot be told.
        missing: As `missing_reach` tells it.
        doubts: What else is plainly not as it should be, a short sentence each.
        in_view: Whether the model answers in the view's frame, point by point.
    """
    kind = "flat" if np.isnan(signs.crisp) else ("photo" if photo else "drawing") + ", object's frame" * (not in_view)
    typical, weights, constant = (np.asarray(part) for part in WEIGHTS[kind])
    away = np.nan_to_num(signs.values() - typical, nan=0.0)
    chance = float(1 / (1 + np.exp(-(constant + (away * weights).sum()))))
    against = sorted(zip(away * weights, vars(signs), strict=True))
    reasons = [REASONS[name] for share, name in against if share < AGAINST]
    if lost > LOST:
        reasons.append(MISSING)
    if missing > FAR:
        doubts = (MISSING, *doubts)
    if obeyed < OBEYED:
        doubts = (REASONS["outline"], *doubts)
    likely = chance
    if doubts:
        chance = min(chance, DOUBTED)
        reasons = list(dict.fromkeys((*doubts, *reasons)))
    return Judgement(chance, tuple(reasons) or ("the signs together are weak",), signs, likely)
