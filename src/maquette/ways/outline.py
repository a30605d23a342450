"""The outline of what a picture shows: a region of the square in which the object was framed.

Both a drawing's outline and an object's silhouette are filled: whether a place that lines go around is a hole or a
surface is not asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.intake.background import PLAIN, plain_ground
from maquette.intake.line_art import disc
from maquette.intake.pickup import Pickup, frame_lead, frame_object

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

SIDE_PX = 256
"""Pixels a side of the square in which outlines are found."""
DIFFERS = 26.0
"""Levels, of 255, from which a pixel of a photo is not its plain background."""
DISCS = (0.006, 0.01, 0.014, 0.02, 0.027, 0.035, 0.047, 0.0625, 0.078)
"""Radii of the discs that roll around a drawing, as shares of the square's side."""
BODY = 1.5
"""How many times as wide as its gap a body is, at least; a slit is no wider than its mouth."""
MIDDLE = 0.8
"""The outline runs so far inside the outer edge of the lines, as a share of half their width."""
SPECK, LOOSE = 0.03, 0.05
"""Shares of the side below which a piece of line is a speck, and from which a loose line belongs to the object."""
THIN = 0.006
"""How much wider than half a line a part is, as a share of the side, up to which it is a line."""
ENCLOSES = 0.5
"""Enclosed paper, over the area of the lines, from which a drawing is closed."""
LEAST = 0.01
"""Share of the square that an outline must cover."""


@dataclass(frozen=True, eq=False)
class DrawnOutline:
    """What a picture shows, as one region.

    Attributes:
        mask: What lies inside the outline, in the square of `maquette.intake.pickup.frame_object`.
        ink: 0 is paper and 1 is lead, in the same square; all 0 for a photo.
        closed: Whether lines go all around it. An open drawing has the region of its lines alone.
        single: The lines that enclose nothing, a leg drawn as one line say: their width is the pen's, not the thing's.
    """

    mask: Bool[np.ndarray, "s s"]
    ink: Float[np.ndarray, "s s"]
    closed: bool
    single: Bool[np.ndarray, "s s"] | None = None


def drawn_outline(picture: UInt8[np.ndarray, "h w 3"], found: Pickup) -> DrawnOutline | None:
    """The outline of the object in a picture; None for a photo whose background is not plain.

    Args:
        picture: As the user gave it.
        found: What `frame_object` found in it, at any size.
    """
    if found.kind == "photo":
        return _of_photo(picture)
    if found.lead is None:
        framed = frame_object(picture, SIDE_PX, 1, kind=found.kind).image[0]
    else:
        framed = frame_lead(*found.lead, SIDE_PX)
    return outline_of_lines(1 - framed)


def outline_of_lines(ink: Float[np.ndarray, "s s"]) -> DrawnOutline:
    """The outline of a framed drawing, also of one whose lines have gaps.

    A disc rolls around the drawing from outside, first a small one, then larger ones, which do not fit through wider
    and wider gaps. What a larger disc cannot reach any more belongs to the region where it is wider than the gap: a
    body whose line has a gap does, the slit between two legs does not. Lines that enclose nothing, as the legs of a
    stick figure, belong to the region with their own width.

    Args:
        ink: 0 is paper and 1 is lead.
    """
    lines = _without_specks(ink > 0.5)
    if not lines.any():
        return DrawnOutline(lines, ink, False)
    region = _enclosed(lines)
    away = cv2.distanceTransform(lines.astype(np.uint8), cv2.DIST_L2, 5)
    half = float(np.median(away[lines & (away >= np.percentile(away[lines], 60))]))
    inner = _eroded(region, MIDDLE * half)
    loose = lines & ~(cv2.dilate(inner.astype(np.uint8), disc(2 * round(half) + 3)) > 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(loose.astype(np.uint8), connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > LOOSE * ink.shape[0]
    long[0] = False
    mask = inner | long[labels]
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(7)) > 0
    closed = np.count_nonzero(inner & ~lines) > np.count_nonzero(lines) * ENCLOSES
    whole = without_holes(mask | (joined & lines))
    return DrawnOutline(whole, ink, bool(closed), _single(whole, half))


def _single(mask: Bool[np.ndarray, "s s"], half: float) -> Bool[np.ndarray, "s s"]:
    """The long parts of a region that are no wider than a line: half of it, or a little more."""
    wide = disc(2 * round(half + THIN * len(mask)) + 1)
    body = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, wide)
    thin = mask & ~(cv2.dilate(body, disc(5)) > 0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8), connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > LOOSE * len(mask)
    long[0] = False
    return long[labels]


def _without_specks(lines: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > SPECK * lines.shape[0]
    large[0] = False
    return large[labels]


def _enclosed(lines: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    """The lines and all that they enclose, as discs of growing radius find it from outside."""
    side = lines.shape[0]
    edge = round(DISCS[-1] * side) + 4
    away = cv2.distanceTransform(1 - np.pad(lines, edge).astype(np.uint8), cv2.DIST_L2, 5)
    region: np.ndarray | None = None
    for share in DISCS:
        radius = share * side
        free = (away > radius).astype(np.uint8)  # where the middle of the disc may be
        cv2.floodFill(free, None, (0, 0), 2, flags=4)  # the corner is: the edge is wider than any disc
        unreached = cv2.distanceTransform((free != 2).view(np.uint8), cv2.DIST_L2, 5) > radius
        if region is None:
            region = unreached
            continue
        more = unreached & ~region
        if not more.any():
            continue
        count, labels = cv2.connectedComponents(more.view(np.uint8), connectivity=4)
        widest, here = np.zeros(count), labels > 0
        np.maximum.at(widest, labels[here], away[here])
        wide = widest >= BODY * radius
        wide[0] = False
        region |= wide[labels]
    assert region is not None  # there are discs
    whole = region[edge:-edge, edge:-edge].astype(np.uint8)
    return cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0


def _eroded(mask: Bool[np.ndarray, "s s"], by: float) -> Bool[np.ndarray, "s s"]:
    """The region without what is nearer to its edge than so many pixels."""
    return cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1] > by


def without_holes(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The region with all that it goes around."""
    padded = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2, flags=4)
    return padded[1:-1, 1:-1] != 2


def overlap(a: Bool[np.ndarray, "h w"], b: Bool[np.ndarray, "h w"]) -> float:
    """Intersection over union of two regions; 0 where both are empty."""
    return share_of(a & b, a | b)


def share_of(part: Bool[np.ndarray, "h w"], whole: Bool[np.ndarray, "h w"]) -> float:
    """The area of one region as a share of another's."""
    return int(np.count_nonzero(part)) / max(int(np.count_nonzero(whole)), 1)


def _of_photo(picture: UInt8[np.ndarray, "h w 3"]) -> DrawnOutline | None:
    ground, plain = plain_ground(picture)
    if plain <= PLAIN:
        return None
    framed = frame_object(picture, SIDE_PX, 3, kind="photo")
    pixels = np.moveaxis(framed.image, 0, 2)
    border = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]), axis=0)
    mask = (np.abs(pixels - border).max(axis=2) > DIFFERS / 255).astype(np.uint8)
    mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(5)), cv2.MORPH_OPEN, disc(3))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    region = without_holes(labels == largest)
    if region.mean() < LEAST or region[[0, -1]].mean() > 0.5:
        return None
    return DrawnOutline(region, np.zeros(region.shape, np.float32), True)
