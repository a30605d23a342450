"""How good generated meshes are: closed and in one piece, smooth, spread as the true shapes are; and whether what
should change colours alone leaves the outline alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.evaluation.shapes.generated import (
    coverage,
    distances,
    minimum_matching_distance,
    one_nearest_neighbour_accuracy,
)
from maquette.geometry.curvature import edge_angle_deg, mean_curvature
from maquette.geometry.mesh import components, is_closed, signed_volume
from maquette.geometry.points import surface_points


@dataclass(frozen=True)
class MeshQuality:
    """Generated meshes beside the points of true shapes; distances are of Chamfer, squared, over `points` points."""

    meshes: int
    """Those that have faces, which the measures are of."""
    empty: int
    """Those that have none."""
    points: int
    watertight_one_piece: float
    """Share of all meshes, the empty ones among them, that are closed and one body."""
    edge_angle_deg: float
    """Mean over the meshes of `edge_angle_deg`."""
    mean_curvature: float
    """Mean over the meshes of `mean_curvature`."""
    coverage: float
    minimum_matching_distance: float
    one_nearest_neighbour: float


def is_one_piece(mesh: trimesh.Trimesh) -> bool:
    """Whether a mesh is watertight and one body. Cavities in it are no bodies of their own."""
    if not is_closed(mesh):
        return False
    count, of_face = components(mesh)
    volumes = np.bincount(of_face, signed_volume(mesh.vertices, mesh.faces), count)
    return int((volumes > 0).sum()) == 1


def silhouette_iou(masks: np.ndarray) -> float:
    """How alike the silhouettes of one shape from one camera are under different appearance codes: mean IoU of the
    pairs of codes, over all shapes; 1 where appearance leaves the shape alone.

    Args:
        masks: Bool [shapes, codes, H, W]. Pairs of empty silhouettes are left out; nan where there are no others.

    Raises:
        UserError: For fewer than two codes.
    """
    masks = np.asarray(masks, bool)
    if masks.ndim != 4 or masks.shape[1] < 2:
        raise UserError("silhouettes are compared by bool [shapes, codes, height, width], with 2 codes or more",
                        masks.shape)
    flat = masks.reshape(*masks.shape[:2], -1).astype(np.float32)
    both = np.einsum("sip,sjp->sij", flat, flat)
    own = np.einsum("sip->si", flat)
    first, second = np.triu_indices(masks.shape[1], 1)
    shared = both[:, first, second]
    union = own[:, first] + own[:, second] - shared
    some = union > 0
    return float((shared[some] / union[some]).mean()) if some.any() else float("nan")


def mesh_quality(meshes: Sequence[trimesh.Trimesh], true_points: np.ndarray, *, seed: int = 0) -> MeshQuality:
    """The measures of generated meshes, in the package's frame, beside the points of true shapes, [n, N, 3].

    As many points are drawn over each mesh as the true shapes have
    (`maquette.datasets.images.true_shapes.true_shapes`). 1-NN accuracy means what it should where the two sets are of
    one size.

    Raises:
        UserError: Where no mesh has faces, or where there is no true shape.
    """
    solid = [mesh for mesh in meshes if len(mesh.faces) and mesh.area > 0]
    if not solid:
        raise UserError("no generated mesh has faces", f"{len(meshes)} meshes")
    if not len(true_points):
        raise UserError("there is no true shape to compare with", hint="hold out more with --holdout")
    count = true_points.shape[1]
    made = [surface_points(mesh, count, seed=seed + number) for number, mesh in enumerate(solid)]
    real = [np.asarray(points, np.float64) for points in true_points]
    across = distances(made, real)
    return MeshQuality(
        meshes=len(solid), empty=len(meshes) - len(solid), points=count,
        watertight_one_piece=sum(is_one_piece(mesh) for mesh in solid) / len(meshes),
        edge_angle_deg=float(np.mean([edge_angle_deg(mesh) for mesh in solid])),
        mean_curvature=float(np.mean([mean_curvature(mesh) for mesh in solid])),
        coverage=coverage(across), minimum_matching_distance=minimum_matching_distance(across),
        one_nearest_neighbour=one_nearest_neighbour_accuracy(distances(made, made), across, distances(real, real)),
    )


