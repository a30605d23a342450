"""The material of each face of a piece of furniture, guessed from the shape and place of the part that it belongs to.

The solids of `parts` keep through all unions and cuts which part each triangle belongs to (manifold3d's runs).
"""

import numpy as np
import trimesh
from jaxtyping import Float, Int, UInt8

from maquette.rendering.materials import MATERIALS

BAR = 0.13
"""A part is a bar if its second longest extent, along its own axes, is below this share of the object's longest."""


def materials(
    kind: str,
    mesh: trimesh.Trimesh,
    run_index: Int[np.ndarray, " runs_and_end"],
    run_transform: Float[np.ndarray, "runs 4 3"],
) -> UInt8[np.ndarray, " faces"]:
    """The material of each face, an index into `maquette.rendering.materials.MATERIALS`.

    Args:
        kind: The class of the object.
        mesh: The object, in the package's frame.
        run_index: Where the runs of triangles begin, and where the last one ends, in corners of triangles.
        run_transform: How the part of each run was moved: three columns of a matrix and a shift.
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


def _is_bar(points: Float[np.ndarray, "n 3"]) -> bool:
    centred = points - points.mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = centred @ axes
    return bool(np.sort(np.ptp(along, axis=0))[1] < BAR)


def _of_a_car(
    low: Float[np.ndarray, "3"],
    high: Float[np.ndarray, "3"],
    whole: Float[np.ndarray, "3"],
    transform: Float[np.ndarray, "4 3"],
) -> str:
    """The material of a part of a car, from its box and its place.

    Windows are the cabin itself, scaled down; wheels are discs.

    Args:
        low: The lowest corner of the part's box, from the lowest corner of the car's.
        high: The highest corner of the part's box, from the same corner.
        whole: The size of the car.
        transform: How the part was moved.
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
