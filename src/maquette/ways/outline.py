"""The outline of what a picture shows: a region of the square in which the object was framed.

Both a drawing's outline and an object's silhouette are filled: whether a place that lines go around is a hole or a
surface is not asked here.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from maquette.errors import UserError
from maquette.intake.background import PLAIN, plain_ground
from maquette.intake.line_art import disc
from maquette.intake.pickup import Pickup, frame_object
from maquette.relief.outline import CLOSED_TO, outline_of_ink

SIDE_PX = 256
"""Pixels a side of the square in which outlines are found."""
DIFFERS = 26.0
"""Levels, of 255, from which a pixel of a photo is not its plain background."""
LEAST = 0.01
"""Share of the square that an outline must cover."""


@dataclass(frozen=True, eq=False)
class DrawnOutline:
    """What a picture shows, as one region.

    Attributes:
        mask: What lies inside the outline, in the square of `maquette.intake.pickup.frame_object`.
        ink: 0 is paper and 1 is lead, in the same square; all 0 for a photo.
        closed: Whether lines go all around it. An open drawing has the region of its lines alone.
    """

    mask: Bool[np.ndarray, "s s"]
    ink: Float[np.ndarray, "s s"]
    closed: bool


def drawn_outline(picture: UInt8[np.ndarray, "h w 3"], found: Pickup) -> DrawnOutline | None:
    """The outline of the object in a picture; None for a photo whose background is not plain.

    Args:
        picture: As the user gave it.
        found: What `frame_object` found in it, at any size.
    """
    if found.kind == "photo":
        return _of_photo(picture)
    framed = frame_object(picture, SIDE_PX, 1, kind=found.kind)
    ink = 1 - framed.image[0]
    return outline_of_lines(ink)


def outline_of_lines(ink: Float[np.ndarray, "s s"]) -> DrawnOutline:
    """The outline of a framed drawing.

    Lines that enclose nothing, as the legs of a stick figure, belong to the region with their own width.

    Args:
        ink: 0 is paper and 1 is lead.
    """
    lines = ink > 0.5
    mask, closed = np.zeros(ink.shape, bool), True
    try:
        found = outline_of_ink(ink.astype(np.float32), "auto", CLOSED_TO / 2, "the drawing")
    except UserError:
        closed = False
    else:
        filled = np.zeros(ink.shape, np.uint8)
        for ring in found.rings:
            points = np.column_stack([ring[:, 0], -ring[:, 1]])
            cv2.fillPoly(filled, [np.rint(points * 16).astype(np.int32)], 1, shift=4)
        mask = filled > 0
    loose = lines & ~(cv2.dilate(mask.astype(np.uint8), disc(7)) > 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(loose.astype(np.uint8), connectivity=8)
    for number in range(1, count):
        if max(stats[number, cv2.CC_STAT_WIDTH], stats[number, cv2.CC_STAT_HEIGHT]) > 0.05 * ink.shape[0]:
            mask |= labels == number
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(7)) > 0
    return DrawnOutline(without_holes(mask | (joined & lines)), ink, closed)


def without_holes(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The region with all that it goes around."""
    padded = np.pad(mask.astype(np.uint8), 1)
    _, labels = cv2.connectedComponents(1 - padded, connectivity=4)
    return (labels != labels[0, 0])[1:-1, 1:-1]


def overlap(a: Bool[np.ndarray, "h w"], b: Bool[np.ndarray, "h w"]) -> float:
    """Intersection over union of two regions; 0 where both are empty."""
    return share_of(a & b, a | b)


def share_of(part: Bool[np.ndarray, "h w"], whole: Bool[np.ndarray, "h w"]) -> float:
    """The area of one region as a share of another's."""
    return float(part.sum()) / max(float(whole.sum()), 1.0)


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
