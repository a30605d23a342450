"""Filters of grids, pictures and lines, one axis at a time, and values between pixels.

Those of grids use OpenCV: a grid is taken for a picture with one axis down and two across.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Num, UInt8

    Beyond = Literal["symmetric", "edge", "wrap"]
    """How values go on beyond an end: mirrored with the last one doubled, as the last one, or from the other end."""
    Values = Float32[np.ndarray, "x y z"] | UInt8[np.ndarray, "x y z"]
    """Values of a kind that OpenCV takes."""

WIDEST = 2.5
"""Standard deviations at which a Gaussian is cut off."""


def blurred(field: Float32[np.ndarray, "x y z"], deviation: float) -> Float32[np.ndarray, "x y z"]:
    """The field after a Gaussian, cut off at `WIDEST`; it is 0 outside.

    Args:
        field: The values.
        deviation: In voxels; 0 changes nothing.
    """
    if not deviation:
        return field
    reach = int(WIDEST * deviation + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()

    def along(columns: np.ndarray) -> np.ndarray:
        return cv2.sepFilter2D(columns, -1, np.ones(1), weights, borderType=cv2.BORDER_CONSTANT)

    return _by_axis(field, along)


def largest_near(field: Values, reach: int = 1) -> Values:
    """The largest value in the cube of `2 * reach + 1` voxels a side around each voxel, cut off at the border."""
    return _by_axis(field, lambda columns: cv2.dilate(columns, np.ones((2 * reach + 1, 1), np.uint8)))


def least_near(field: Values, reach: int = 1) -> Values:
    """The smallest value there."""
    return _by_axis(field, lambda columns: cv2.erode(columns, np.ones((2 * reach + 1, 1), np.uint8)))


def enlarged(field: Num[np.ndarray, "r r r"], side: int) -> Float32[np.ndarray, "{side} {side} {side}"]:
    """A field at another resolution, linear between the centres of voxels, and beyond those at the border constant."""
    place = np.clip((np.arange(side) + 0.5) * len(field) / side - 0.5, 0, len(field) - 1)
    low = np.minimum(place.astype(np.int64), max(len(field) - 2, 0))
    high = np.minimum(low + 1, len(field) - 1)
    share = (place - low).astype(np.float32)[:, None]
    found = field.astype(np.float32)
    for _ in range(3):  # the first axis, which is the last then
        columns = found.reshape(len(found), -1)
        columns = columns[low] * (1 - share) + columns[high] * share
        found = np.ascontiguousarray(np.moveaxis(columns.reshape(side, *found.shape[1:]), 0, 2))
    return found


def smoothed(
    values: Float[np.ndarray, "*shape"], deviation: float, axis: int = 0, beyond: Beyond = "symmetric"
) -> Float[np.ndarray, "*shape"]:
    """Values after a Gaussian along one axis, cut off at four standard deviations; computed in double precision.

    Args:
        values: Of any shape.
        deviation: In steps of the axis.
        axis: The axis.
        beyond: How the values go on beyond both ends.
    """
    reach = int(4 * deviation + 0.5)
    weights = np.exp(-0.5 / deviation**2 * np.arange(-reach, reach + 1) ** 2)
    weights /= weights.sum()
    lines = np.moveaxis(values, axis, 0).astype(np.float64)
    count = len(lines)
    lines = np.pad(lines, [(reach, reach), *[(0, 0)] * (values.ndim - 1)], mode=beyond)
    total = lines[reach : reach + count] * weights[reach]
    for step in range(reach):  # from the outermost on
        total += (lines[step : step + count] + lines[2 * reach - step : 2 * reach - step + count]) * weights[step]
    return np.moveaxis(total, 0, axis).astype(values.dtype)


def medians(values: Float[np.ndarray, "h w"], height: int, width: int) -> Float[np.ndarray, "h w"]:
    """The median of the box around each value; beyond the border the values are mirrored, the last one doubled.

    Args:
        values: The values.
        height: Rows of the box, odd.
        width: Columns of the box, odd.
    """
    padded = np.pad(values, ((height // 2, height // 2), (width // 2, width // 2)), mode="symmetric")
    boxes = np.lib.stride_tricks.sliding_window_view(padded, (height, width)).reshape(*values.shape, height * width)
    return np.partition(boxes, height * width // 2, axis=-1)[..., height * width // 2]


def sampled(
    picture: Float[np.ndarray, "h w"], rows: Num[np.ndarray, "*places"], columns: Num[np.ndarray, "*places"]
) -> Float[np.ndarray, "*places"]:
    """A picture's values at places between its pixels, linear in both directions; 0 outside of the outermost ones.

    Args:
        picture: The values.
        rows: Where, in pixels; whole numbers are the pixels' middles.
        columns: Where.
    """
    high, wide = picture.shape
    outside = (rows < 0) | (rows > high - 1) | (columns < 0) | (columns > wide - 1)
    top = np.clip(rows.astype(np.int64), 0, max(high - 2, 0))
    left = np.clip(columns.astype(np.int64), 0, max(wide - 2, 0))
    down, right = np.where(outside, 0, rows - top), np.where(outside, 0, columns - left)
    first = top * wide + left
    values, below, beside = picture.ravel(), wide * (high > 1), int(wide > 1)
    upper = values[first] * (1 - right) + values[first + beside] * right
    lower = values[first + below] * (1 - right) + values[first + below + beside] * right
    return np.where(outside, 0, upper * (1 - down) + lower * down).astype(picture.dtype)


def spread(filled: Bool[np.ndarray, "x y z"], steps: int) -> Bool[np.ndarray, "x y z"]:
    """The voxels that are so many steps through faces, or fewer, from a filled one."""
    for _ in range(steps):
        wider = filled.copy()
        for axis in range(3):
            to, of = np.moveaxis(wider, axis, 0), np.moveaxis(filled, axis, 0)
            to[1:] |= of[:-1]
            to[:-1] |= of[1:]
        filled = wider
    return filled


def within(filled: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """The filled voxels with all six neighbours filled; outside of the grid nothing is."""
    return np.asarray(~spread(np.pad(~filled, 1, constant_values=True), 1)[1:-1, 1:-1, 1:-1])


def _by_axis(field: np.ndarray, along: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The field after what is done along columns was done along each axis."""
    for _ in range(3):
        columns = along(np.ascontiguousarray(field).reshape(len(field), -1))
        field = np.moveaxis(columns.reshape(field.shape), 0, 2)
    return np.ascontiguousarray(field)
