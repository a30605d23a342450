"""Smooth rounded solids over a flat region: their height is the square root of the solution of Poisson's equation.

Over a disc of radius R, Laplace(u) = -4 with u = 0 on the edge has the solution R^2 - r^2, whose root is a hemisphere:
a drawn circle becomes a ball. Thin parts come out thin and wide ones thick. After Igarashi et al. 1999 (Teddy) and
Baran and Lehtinen 2009 (Notes on inflating curves), who use the same equation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.geometry.marching import marching_cubes
from maquette.relief import poisson

if TYPE_CHECKING:
    from jaxtyping import Float, Int

CELLS = 176
"""Cells of the grid along the region's longer side."""
_FINE = 8  # the region is drawn so many times finer, to measure the share of each cell that it covers
_LAYERS = 14  # layers from the middle to the top, at least


def solve_poisson(covered: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Solve Laplace(u) = -4 inside a region, with u = 0 on its edge.

    Five-point differences that know where the edge cuts the step between two cells (Gibou et al. 2002), so that the
    height of a disc is right to second order.

    Args:
        covered: Share of each cell that the region covers, in [0, 1], 0 at the border of the array. The edge lies where
            this is 0.5 between the centres of two cells.

    Returns:
        The solution u at the centres of the cells, in squared cells. In the cells just outside the region u goes on
        along a straight line, below 0.
    """
    inside = covered > 0.5
    own = np.zeros(covered.shape)
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    shares = []
    at = np.argwhere(inside)
    for step in steps:
        beside = at + step
        there = inside[beside[:, 0], beside[:, 1]]
        here, other = covered[inside], covered[beside[:, 0], beside[:, 1]]
        share = np.where(there, 1.0, np.clip((here - 0.5) / np.maximum(here - other, 1e-6), 0.05, 1.0))
        own[inside] += 1 / share
        shares.append(np.where(there, np.nan, share))
    u = poisson.solve(inside, own, 4.0)
    beyond, times = np.zeros(covered.shape), np.zeros(covered.shape)
    for step, share in zip(steps, shares, strict=True):
        cut = ~np.isnan(share)
        places = at[cut] + step
        np.add.at(beyond, (places[:, 0], places[:, 1]), -u[inside][cut] * (1 - share[cut]) / share[cut])
        np.add.at(times, (places[:, 0], places[:, 1]), 1)
    outside = np.where(times > 0, beyond / np.maximum(times, 1), -float(u.max(initial=1.0)))
    return np.where(inside, u, np.minimum(outside, -1e-6))


def cell_coverage(
    polygons: list[Float[np.ndarray, "_ 2"]], cells: int
) -> tuple[Float[np.ndarray, "h w"], float, Float[np.ndarray, " 2"]]:
    """How much of each cell of a grid some polygons cover, by the even-odd rule.

    Args:
        polygons: The points of each, (x, y).
        cells: Cells along the longer side of all polygons together; three empty cells are added all around.

    Returns:
        The share of each cell that is covered, float32 in [0, 1], rows along y; the side of a cell; and the centre of
        the first cell (x, y).
    """
    points = np.concatenate(polygons)
    low, high = points.min(axis=0), points.max(axis=0)
    cell = float((high - low).max()) / cells
    wide, high_cells = (int(np.ceil(length / cell)) + 6 for length in high - low)
    origin = low - 3 * cell
    fine = np.zeros((high_cells * _FINE, wide * _FINE), np.uint8)
    sixteenths = [np.rint(((ring - origin) / cell * _FINE - 0.5) * 16).astype(np.int32) for ring in polygons]
    cv2.fillPoly(fine, sixteenths, 255, cv2.LINE_8, 4)
    cv2.polylines(fine, [ring[:, None] for ring in sixteenths], True, 128, 1, cv2.LINE_8, 4)  # half of it is outside
    covered = cv2.resize(fine, (wide, high_cells), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return covered, cell, origin + 0.5 * cell


def inflate_polygons(
    polygons: list[Float[np.ndarray, "_ 2"]],
    height: float | None = None,
    one_sided: bool = False,
    cells: int | None = None,
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """The surface of the rounded solid over some polygons (even-odd rule).

    Args:
        polygons: The points of each, (x, y), in any unit of length.
        height: From the lowest point of the solid to its highest; None: as round as the region is wide. The solid lies
            on both sides of z = 0.
        one_sided: Make the upper half only. It goes a little below z = 0, to be cut there.
        cells: Cells of the grid along the region's longer side; `CELLS` if None.

    Returns:
        Vertices and faces.

    Raises:
        UserError: If the region is thinner than a cell everywhere.
    """
    covered, cell, origin = cell_coverage(polygons, cells or CELLS)
    if not (covered > 0.5).any():
        raise UserError("what is drawn is too thin to be inflated", hint="draw it wider")
    squared = solve_poisson(covered) * cell**2
    tallest = float(np.sqrt(max(squared.max(), 1e-12)))
    top = tallest if height is None else height * (1.0 if one_sided else 0.5)
    squared *= (top / tallest) ** 2
    layer = min(cell, top / _LAYERS)
    layers = int(np.ceil(top / layer)) + 1
    # A cut at z = 0 must not run along a layer's points, or it leaves slivers.
    z = (np.arange(-3, layers + 1) + 0.5 if one_sided else np.arange(-layers, layers + 1)) * layer
    field = (squared.T[:, :, None] - z[None, None] ** 2).astype(np.float32) / np.float32(2 * top * layer)
    near = np.abs(field) < 1e-4  # a value just at the level would make faces without an area
    field[near] = np.where(field[near] > 0, 1e-4, -1e-4)
    field[:, :, -1] = np.minimum(field[:, :, -1], -1e-4)
    field[:, :, 0] = np.minimum(field[:, :, 0], -1e-4)
    vertices, faces = marching_cubes(field, 0.0)
    place = np.column_stack([origin[0] + vertices[:, 0] * cell, origin[1] + vertices[:, 1] * cell,
                             z[0] + vertices[:, 2] * layer])
    return place, faces
