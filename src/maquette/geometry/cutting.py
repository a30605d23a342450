"""The part of a closed mesh above a height, closed again by a flat face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maquette.geometry.plain import PlainMesh

if TYPE_CHECKING:
    from jaxtyping import Float, Int, Int64

CLEAR = 1e-7
"""Share of the mesh's height by which a cut is made higher where a vertex is nearer than half of that."""


def cut_above(mesh: PlainMesh, height: float) -> PlainMesh:
    """What of a mesh lies above a height; without faces where nothing does.

    Faces across the height are cut in two. What is open then are loops of edges, which flat faces close.

    Args:
        mesh: Closed, z up.
        height: Where it is cut; a hair higher where a vertex is in the way.
    """
    z = mesh.vertices[:, 2]
    step = CLEAR * float(np.ptp(z))
    while (np.abs(z - height) < step / 2).any():
        height += step
    over = z > height
    count = over[mesh.faces].sum(1)
    crossed = np.flatnonzero((count == 1) | (count == 2))
    if not len(crossed):
        return mesh.part(over[mesh.faces[:, 0]])
    faces = mesh.faces[crossed]
    alone = np.where(count[crossed] == 1, over[faces].argmax(1), over[faces].argmin(1))  # the corner on its own side
    a, b, c = (faces[np.arange(len(faces)), (alone + turn) % 3] for turn in range(3))
    ends = np.sort(np.stack([np.stack([a, b], 1), np.stack([c, a], 1)], 1), axis=2)  # the two edges that are cut
    edges, number = np.unique(ends.reshape(-1, 2) @ np.array([len(z), 1]), return_inverse=True)
    low, high = np.divmod(edges, len(z))
    share = ((height - z[low]) / (z[high] - z[low]))[:, None]
    points = mesh.vertices[low] + share * (mesh.vertices[high] - mesh.vertices[low])
    points[:, 2] = height
    first, second = (number.reshape(-1, 2) + len(z)).T  # on a-b and on c-a
    tip = count[crossed] == 1
    rest = ~tip
    kept = [mesh.faces[count == 3], np.stack([a, first, second], 1)[tip], np.stack([first, b, c], 1)[rest],
            np.stack([first, c, second], 1)[rest]]
    start, end = np.where(tip, second, first) - len(z), np.where(tip, first, second) - len(z)
    cap = _flat_faces(points[:, :2], start, end) + len(z)
    whole = PlainMesh(np.concatenate([mesh.vertices, points]), np.concatenate([*kept, cap]))
    return whole.part(np.ones(len(whole.faces), bool))


def _flat_faces(
    points: Float[np.ndarray, "n 2"], start: Int[np.ndarray, " n"], end: Int[np.ndarray, " n"]
) -> Int64[np.ndarray, "f 3"]:
    """Faces between loops of edges, seen from below; an edge leads from each point, and one to it.

    Args:
        points: The ends of the edges.
        start: Where each edge starts: every point once.
        end: Where it ends.
    """
    from manifold3d import triangulate

    after = np.empty(len(points), np.int64)
    after[start] = end
    following, loops = after.tolist(), list[list[int]]()
    fresh = [True] * len(following)
    for first in range(len(following)):
        loop, at = list[int](), first
        while fresh[at]:
            fresh[at] = False
            loop.append(at)
            at = following[at]
        if loop:
            loops.append(loop)
    order = np.concatenate([np.array(loop) for loop in loops])
    found = np.asarray(triangulate([np.ascontiguousarray(points[loop][:, ::-1]) for loop in loops]), np.int64)
    return order[found.reshape(-1, 3)]
