"""Of what each face of a piece of furniture is, told from the shape and place of the part that it came from.

The solids of `parts` remember through all unions and cuts which part each triangle belongs to (manifold3d's runs).
"""

import numpy as np
import trimesh

from maquette.rendering.materials import MATERIALS

BAR = 0.13
"""A part is a bar if its second longest extent, along its own axes, is below this share of the longest side of all."""


def materials(kind: str, mesh: trimesh.Trimesh, run_index: np.ndarray, run_transform: np.ndarray) -> np.ndarray:
    """Indices into MATERIALS, uint8 [F].

    Args:
        mesh: In the frame.
        run_index: Where the runs of triangles begin and end, in corners, [N + 1].
        run_transform: How the part of each run was moved, [N, 4, 3].
    """
    result = np.zeros(len(mesh.faces), np.uint8)
    low, high = mesh.bounds
    for run, (begin, end) in enumerate(zip(run_index[:-1] // 3, run_index[1:] // 3, strict=True)):
        points = mesh.vertices[np.unique(mesh.faces[begin:end])]
        if not len(points):
            continue
        if kind == "car":
            name = _of_a_car(points.min(0) - low, points.max(0) - low, high - low, run_transform[run])
        else:
            name = "frame" if _is_bar(points) else "cover"
        result[begin:end] = MATERIALS.index(name)
    return result


def _is_bar(points: np.ndarray) -> bool:
    centred = points - points.mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = centred @ axes
    return bool(np.sort(np.ptp(along, axis=0))[1] < BAR)


def _of_a_car(low: np.ndarray, high: np.ndarray, whole: np.ndarray, transform: np.ndarray) -> str:
    """The material of a part of a car by its box, from the left rear corner of the car's own at the ground.

    The windows are the cabin itself, scaled down; wheels are discs.
    """
    size = (high - low) / whole
    wide, long, tall = high - low
    if np.abs(np.linalg.norm(transform[:3], axis=1) - 1).max() > 1e-3:
        return "glass"
    disc, thick = max(wide, long), min(wide, long)
    if abs(disc - tall) < 0.06 * disc and thick < 0.6 * disc and tall > 0.12 * whole[2]:
        return "hub" if wide < 0.1 * long else "tyre"
    if size[2] < 0.2 and size[1] < 0.06 and size[0] > 0.3 and high[2] < 0.35 * whole[2]:
        at_end = high[1] > 0.95 * whole[1] or low[1] < 0.05 * whole[1]
        return "trim" if at_end else "tyre"  # bumpers; axles
    if size[0] < 0.3 and 0.1 < size[1] < 0.3 and high[2] < 0.6 * whole[2]:
        return "tyre"  # the insides of the wheel arches
    if size.max() < 0.25 and low[1] > 0.8 * whole[1] and high[2] < 0.75 * whole[2]:
        return "lamp"
    return "paint"
