"""What a camera sees of a closed mesh of many small faces: each face is drawn where it is, without a search tree.

For one picture of such a mesh that is several times as fast as rays, whose tree takes most of their time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from maquette.geometry.cells import cells_within
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Int, Int32

    from maquette.geometry.plain import PlainMesh
    from maquette.rendering.camera import Camera

    Inside = tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]

MANY = 3_000_000
"""Pixels in the boxes around all faces, together, from which rays are faster."""


class Rasteriser(RayCaster):
    """Draws the faces of a closed mesh that look at the camera; where they are few and large, rays are shot as ever."""

    def _hits(
        self, camera: Camera, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
    ) -> tuple[Float32[np.ndarray, " n"], Int32[np.ndarray, " n"], Float32[np.ndarray, "n 2"]]:
        drawn = _Drawn(self.vertices, self.faces, camera)
        if drawn.pixels > MANY:
            return super()._hits(camera, origins, directions)
        return drawn.nearest(directions) if drawn.pixels else super()._hits(camera, origins, directions)


def covered(mesh: PlainMesh, camera: Camera) -> Bool[np.ndarray, "s s"]:
    """The pixels whose middles a closed mesh covers.

    Args:
        mesh: In the package's frame, in front of the camera.
        camera: Sees it.
    """
    drawn = _Drawn(mesh.vertices, mesh.faces, camera)
    if drawn.pixels > MANY:
        caster = RayCaster.of_triangles(mesh.vertices, mesh.faces, np.zeros((len(mesh.faces), 3, 3)))
        return caster.blocked(*camera.rays()).reshape(camera.size_px, camera.size_px)
    shown = np.zeros(camera.size_px**2, bool)
    for _, pixel, _, _ in drawn.inside():
        shown[pixel] = True
    return shown.reshape(camera.size_px, camera.size_px)


class _Drawn:
    """The faces that look at the camera, as they lie in its picture.

    Attributes:
        pixels: How many pixels lie in the boxes around them.
    """

    def __init__(self, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], camera: Camera):
        at = camera.project(np.asarray(vertices, np.float64))
        a, b, c = ((at[:, :2] - 0.5)[faces[:, corner]] for corner in range(3))  # the middle of pixel k is k
        one, other = b - a, c - a
        twice = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
        front = twice < 0  # rows grow downwards
        a, one, other, twice = a[front], one[front], other[front], twice[front]
        self._numbers, self._inverse = np.flatnonzero(front), 1 / at[:, 2][faces[front]]
        low = a + np.minimum(np.minimum(one, other), 0)
        high = a + np.maximum(np.maximum(one, other), 0)
        self._low = np.maximum(np.ceil(low), 0).astype(np.int64)
        self._high = np.minimum(np.floor(high), camera.size_px - 1).astype(np.int64)
        second = np.stack([other[:, 1], -other[:, 0]], axis=1) / twice[:, None]  # the share of b, as it grows
        third = np.stack([-one[:, 1], one[:, 0]], axis=1) / twice[:, None]
        self._shares = np.column_stack([second, -(second * a).sum(1), third, -(third * a).sum(1)])
        self._side, self._forward = camera.size_px, camera.axes[2]
        self.pixels = int(np.prod(np.maximum(self._high - self._low + 1, 0), axis=1).sum())

    def inside(self) -> Iterator[Inside]:
        """Yields faces, pixels whose middles lie in them, and the shares of the second and the third corner there."""
        for index, cell in cells_within(self._low, self._high):
            column, row = cell.T
            shares = self._shares[index]
            second = shares[:, 0] * column + shares[:, 1] * row + shares[:, 2]
            third = shares[:, 3] * column + shares[:, 4] * row + shares[:, 5]
            hit = np.flatnonzero((second >= 0) & (third >= 0) & (second + third <= 1))
            yield index[hit], (row * self._side + column)[hit], second[hit], third[hit]

    def nearest(
        self, directions: Float[np.ndarray, "n 3"]
    ) -> tuple[Float32[np.ndarray, " n"], Int32[np.ndarray, " n"], Float32[np.ndarray, "n 2"]]:
        """As `RayCaster.first`, of the rays through all pixels' middles."""
        face, pixel, second, third = (np.concatenate(part) for part in zip(*self.inside(), strict=True))
        inverse = self._inverse[face]
        near = (1 - second - third) * inverse[:, 0] + second * inverse[:, 1] + third * inverse[:, 2]
        best = np.zeros(len(directions))
        np.maximum.at(best, pixel, near)
        seen = np.flatnonzero(near == best[pixel])
        at, near = pixel[seen], near[seen]
        distance = np.full(len(directions), np.inf, np.float32)
        distance[at] = 1 / (near * (directions[at] @ self._forward))
        found = np.full(len(directions), -1, np.int32)
        found[at] = self._numbers[face[seen]]
        uv = np.zeros((len(directions), 2), np.float32)
        uv[at] = np.stack([second[seen] * inverse[seen, 1], third[seen] * inverse[seen, 2]], axis=1) / near[:, None]
        return distance, found, uv
