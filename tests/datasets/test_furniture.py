"""The furniture maker: every shape is one printable volume in the frame, the same for the same seed."""

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh64

from maquette.datasets.furniture import KINDS, make
from maquette.errors import UserError

SEEDS = range(6)


@pytest.fixture(scope="module")
def shapes() -> dict[str, list[trimesh.Trimesh]]:
    return {kind: [make(kind, seed) for seed in SEEDS] for kind in KINDS}


def above(mesh: trimesh.Trimesh, z: float) -> trimesh.Trimesh:
    """What lies above a level, as a closed mesh."""
    raw = Mesh64(vert_properties=mesh.vertices, tri_verts=mesh.faces.astype(np.uint64))
    cut = Manifold(raw).trim_by_plane((0, 0, 1), z).to_mesh64()
    return trimesh.Trimesh(cut.vert_properties, cut.tri_verts.astype(np.int64), process=False)


def depth_below_rim(mesh: trimesh.Trimesh) -> float:
    """How far below the top a ray down the middle of the upper rim meets the mesh."""
    top = mesh.vertices[mesh.vertices[:, 2] > mesh.bounds[1, 2] - 0.02]
    x, y = (top[:, :2].min(0) + top[:, :2].max(0)) / 2 + 0.003
    hits, _, _ = mesh.ray.intersects_location([[x, y, 1.0]], [[0, 0, -1.0]])
    return float(mesh.bounds[1, 2] - hits[:, 2].max())


def test_kinds_are_the_ones_promised():
    promised = "chair table desk bed sofa bookcase cabinet monitor toilet bathtub lamp cup car"
    assert KINDS == tuple(promised.split())


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_one_volume_in_the_frame(shapes, kind):
    for mesh in shapes[kind]:
        assert mesh.is_volume and mesh.body_count == 1
        assert mesh.extents.max() == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=1e-9)
        assert mesh.extents.min() > 0.05
        assert 40 <= len(mesh.faces) <= 6000
        assert 0 < mesh.volume <= mesh.convex_hull.volume * (1 + 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_names_one_shape(shapes, kind):
    again = make(kind, 0)
    np.testing.assert_array_equal(again.vertices, shapes[kind][0].vertices)
    np.testing.assert_array_equal(again.faces, shapes[kind][0].faces)
    assert len({round(mesh.volume, 9) for mesh in shapes[kind]}) == len(SEEDS)


def test_volume_survives_a_merge_of_equal_vertices(shapes):
    """Formats without shared vertices (STL) merge by position: the shape must stay the same solid."""
    for kind in KINDS:
        mesh = shapes[kind][0]
        merged = trimesh.Trimesh(mesh.triangles.reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3))
        assert merged.volume == pytest.approx(mesh.volume, rel=1e-6)


def test_a_chair_faces_forward():
    """Above its seat a chair has most of its mass behind: its back."""
    backs = 0
    for seed in range(40):
        mesh = make("chair", seed)
        if mesh.extents[2] < 0.9:  # a stool, a bench, a wide armchair
            continue
        upper = above(mesh, 0.2)
        assert upper.center_mass[1] < 0.02
        backs += upper.center_mass[1] < -0.05
    assert backs > 15


@pytest.mark.parametrize("kind", ["sofa", "toilet"])
def test_backs_are_behind(shapes, kind):
    for mesh in shapes[kind]:
        upper = above(mesh, mesh.bounds[1, 2] - 0.12 * mesh.extents[2])
        assert upper.center_mass[1] < 0


def test_cars_point_along_y(shapes):
    for mesh in shapes["car"]:
        assert mesh.extents.argmax() == 1
        assert mesh.center_mass[2] < 0  # the cabin is narrower than the body


def test_cups_are_hollow():
    for seed in range(12):
        mesh = make("cup", seed)
        assert mesh.volume < 0.6 * mesh.convex_hull.volume
        assert depth_below_rim(mesh) > 0.15


def test_bathtubs_are_hollow():
    for seed in range(12):
        mesh = make("bathtub", seed)
        hits, _, _ = mesh.ray.intersects_location([[0.003, 0.002, 1.0]], [[0, 0, -1.0]])
        assert hits[:, 2].max() < mesh.bounds[1, 2] - 0.4 * mesh.extents[2]


def test_bookcases_are_open_in_front():
    """Half of them or more: deep openings seen from +y, not closed fronts."""
    rays = np.array([[x, 1.0, z] for x in np.linspace(-0.13, 0.13, 5) for z in np.linspace(-0.45, 0.45, 9)])
    opened = 0
    for seed in range(12):
        mesh = make("bookcase", seed)
        hits, index, _ = mesh.ray.intersects_location(
            rays * [mesh.extents[0], 1, mesh.extents[2]] / mesh.extents[2],
            np.tile([0, -1.0, 0], (len(rays), 1)),
            multiple_hits=False,
        )
        deep = len(rays) - np.sum(hits[:, 1] > 0)
        opened += deep > 0.4 * len(rays)
    assert opened >= 6


def test_an_unknown_kind_is_refused_with_the_nearest_one():
    with pytest.raises(UserError, match="got 'chiar'; did you mean 'chair'"):
        make("chiar", 0)
    with pytest.raises(UserError, match="did you mean 'bookcase'"):
        make("Bookshelf", 0)
