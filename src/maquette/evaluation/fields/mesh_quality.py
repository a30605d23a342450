"""How good generated meshes are, and whether changing the appearance leaves the outline alone.

Good meshes are closed, in one piece and smooth, and they are as varied as the true shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Bool, Float

from maquette.errors import UserError
from maquette.evaluation.shapes.point_clouds import (
    coverage,
    minimum_matching_distance,
    one_nearest_neighbour_accuracy,
    pairwise_distances,
)
from maquette.geometry.curvature import edge_angle_deg, mean_curvature
from maquette.geometry.mesh import components, is_closed, signed_volume
from maquette.geometry.points import surface_points


@dataclass(frozen=True)
class MeshQuality:
    """The measures of generated meshes beside true shapes; distances are Chamfer distances, squared."""

    meshes: int
    """How many meshes have faces; the measures are of these."""
    empty: int
    """How many have none."""
    points: int
    """Points of each surface for the distances."""
    watertight_one_piece: float
    """Share of all meshes, the empty ones included, that are closed and one body."""
    edge_angle_deg: float
    """Mean over the meshes of `maquette.geometry.curvature.edge_angle_deg`."""
    mean_curvature: float
    """Mean over the meshes of `maquette.geometry.curvature.mean_curvature`."""
    coverage: float
    minimum_matching_distance: float
    one_nearest_neighbour: float
    """The 1-NN accuracy; 0.5 is best."""


def is_one_piece(mesh: trimesh.Trimesh) -> bool:
    """Whether a mesh is watertight and one body; cavities in it do not count as bodies."""
    if not is_closed(mesh):
        return False
    count, of_face = components(mesh)
    volumes = np.bincount(of_face, signed_volume(mesh.vertices, mesh.faces), count)
    return int((volumes > 0).sum()) == 1


def silhouette_iou(masks: Bool[np.ndarray, "..."]) -> float:
    """How alike the silhouettes of one shape from one camera are with different appearance codes.

    Args:
        masks: `[shapes, codes, height, width]`, each row of codes with one shape and one camera.

    Returns:
        The mean IoU over all pairs of codes of all shapes; 1 where appearance leaves the shape alone. Pairs of empty
        silhouettes are left out; nan where there are no others.

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


def mesh_quality(
    meshes: Sequence[trimesh.Trimesh], true_points: Float[np.ndarray, "n points 3"], *, seed: int = 0
) -> MeshQuality:
    """Measure generated meshes beside true shapes.

    Args:
        meshes: In the package's frame. For a meaningful 1-NN accuracy give as many as there are true shapes.
        true_points: Points of the true shapes' surfaces, as of `maquette.datasets.images.true_shapes.true_shapes`;
            equally many are drawn over each mesh.
        seed: Of the points.

    Raises:
        UserError: Where no mesh has faces, and where there is no true shape.
    """
    solid = [mesh for mesh in meshes if len(mesh.faces) and mesh.area > 0]
    if not solid:
        raise UserError("no generated mesh has faces", f"{len(meshes)} meshes")
    if not len(true_points):
        raise UserError("there is no true shape to compare with", hint="hold out more with --holdout")
    count = true_points.shape[1]
    made = [surface_points(mesh, count, seed=seed + number) for number, mesh in enumerate(solid)]
    real = [np.asarray(points, np.float64) for points in true_points]
    across = pairwise_distances(made, real)
    return MeshQuality(
        meshes=len(solid), empty=len(meshes) - len(solid), points=count,
        watertight_one_piece=sum(is_one_piece(mesh) for mesh in solid) / len(meshes),
        edge_angle_deg=float(np.mean([edge_angle_deg(mesh) for mesh in solid])),
        mean_curvature=float(np.mean([mean_curvature(mesh) for mesh in solid])),
        coverage=coverage(across), minimum_matching_distance=minimum_matching_distance(across),
        one_nearest_neighbour=one_nearest_neighbour_accuracy(
            pairwise_distances(made, made), across, pairwise_distances(real, real)),
    )


