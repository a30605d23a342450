"""Filters of grids, one axis at a time, by OpenCV: a grid is taken for a picture with one axis down and two across."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float32, Num, UInt8

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


def _by_axis(field: np.ndarray, along: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The field after what is done along columns was done along each axis."""
    for _ in range(3):
        columns = along(np.ascontiguousarray(field).reshape(len(field), -1))
        field = np.moveaxis(columns.reshape(field.shape), 0, 2)
    return np.ascontiguousarray(field)
