"""The solids maker: every shape is one printable volume in the frame, the same for the same seed."""

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold
from scipy import ndimage

from maquette.datasets.furniture import KINDS as FURNITURE
from maquette.datasets.solids import HELD_OUT, KINDS, make
from maquette.datasets.solids.blend import Blob, Limb, blend, chain, surface
from maquette.datasets.solids.letters import STROKES, signature
from maquette.datasets.solids.parts import torus, vessel
from maquette.errors import UserError
from maquette.geometry.voxelise import voxelise
from maquette.rendering.materials import ATTRIBUTE, MATERIALS

SEEDS = range(2)


@pytest.fixture(scope="module")
def shapes() -> dict[str, list[trimesh.Trimesh]]:
    return {kind: [make(kind, seed) for seed in SEEDS] for kind in KINDS}


def genus(mesh: trimesh.Trimesh) -> int:
    """How many handles a closed body has."""
    return 1 - mesh.euler_number // 2


def depth_below(mesh: trimesh.Trimesh, x: float, y: float) -> float:
    """How far below the top a ray straight down meets the mesh."""
    hits, _, _ = mesh.ray.intersects_location([[x, y, 1.0]], [[0, 0, -1.0]])
    return float(mesh.bounds[1, 2] - hits[:, 2].max())


def turned_axis(mesh: trimesh.Trimesh) -> tuple[float, float]:
    """The middle of the points near the ground: the axis of a vessel, its handle left out."""
    foot = mesh.vertices[mesh.vertices[:, 2] < mesh.bounds[0, 2] + 0.02, :2]
    x, y = (foot.min(0) + foot.max(0)) / 2
    return float(x) + 0.0013, float(y) + 0.0017


def test_kinds_are_many_and_apart_from_furniture():
    assert len(KINDS) == len(set(KINDS)) > 70
    assert not set(KINDS) & set(FURNITURE)
    assert KINDS[0] == "construction"
    assert all(kind == kind.lower() and " " not in kind for kind in KINDS)


def test_held_out_kinds_are_a_few_of_them():
    assert len(HELD_OUT) == len(set(HELD_OUT)) == 8
    assert set(HELD_OUT) < set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_one_volume_in_the_frame(shapes, kind):
    for mesh in shapes[kind]:
        assert mesh.is_volume and mesh.body_count == 1
        assert mesh.extents.max() == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=1e-9)
        assert mesh.extents.min() > 0.02
        assert 12 <= len(mesh.faces) <= 12000
        assert 0 < mesh.volume <= mesh.convex_hull.volume * (1 + 1e-9)
    assert abs(shapes[kind][0].volume - shapes[kind][1].volume) > 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_each_face_has_a_material(shapes, kind):
    for mesh in shapes[kind]:
        material = mesh.face_attributes[ATTRIBUTE]
        assert material.dtype == np.uint8 and material.shape == (len(mesh.faces),)
        assert {MATERIALS[m] for m in np.unique(material)} <= {"cover", "frame"}


@pytest.mark.parametrize("kind", KINDS[::4])
def test_a_seed_names_one_shape(shapes, kind):
    again = make(kind, 0)
    np.testing.assert_array_equal(again.vertices, shapes[kind][0].vertices)
    np.testing.assert_array_equal(again.faces, shapes[kind][0].faces)
    np.testing.assert_array_equal(again.face_attributes[ATTRIBUTE], shapes[kind][0].face_attributes[ATTRIBUTE])


def test_constructions_differ_from_seed_to_seed():
    meshes = [make("construction", seed) for seed in range(24)]
    assert len({round(mesh.volume, 7) for mesh in meshes}) == 24
    assert all(mesh.is_volume and mesh.body_count == 1 for mesh in meshes)
    assert sum(genus(mesh) > 0 for mesh in meshes) >= 4  # holes right through
    assert sum(mesh.volume < 0.9 * mesh.convex_hull.volume for mesh in meshes) > 15


def test_a_mug_has_one_handle_and_is_hollow():
    for seed in range(8):
        mesh = make("mug", seed)
        assert genus(mesh) == 1 and mesh.euler_number == 0
        assert mesh.volume < 0.6 * mesh.convex_hull.volume
        assert depth_below(mesh, *turned_axis(mesh)) > 0.6 * (mesh.extents[2] - 0.1)


@pytest.mark.parametrize("kind", ["bottle", "vase", "bowl", "wineglass"])
def test_vessels_hold(kind):
    """Each column of space above the middle goes deep, and the wall around it stops what is within."""
    for seed in range(6):
        mesh = make(kind, seed)
        axis = (0.0013, 0.0017)
        deep = depth_below(mesh, *axis)
        assert deep > (0.25 if kind == "wineglass" else 0.6) * mesh.extents[2]
        z = mesh.bounds[1, 2] - deep + 0.02 * mesh.extents[2]
        ways = np.array([[np.cos(a), np.sin(a), 0] for a in np.arange(8) * np.pi / 4 + 0.1])
        assert mesh.ray.intersects_any(np.tile([*axis, z], (8, 1)), ways).all()


def test_a_bottle_of_voxels_is_open_only_above():
    solid = voxelise(make("bottle", 0), 64) > 0.5
    column = solid[32, 32]
    floor = int(np.argmin(column[np.argmax(column) :])) + int(np.argmax(column))
    assert column.any() and not column[floor:].any() and floor < 8  # a floor, and nothing above it
    outside, _ = ndimage.label(np.pad(~solid, 1, constant_values=True))
    assert outside[33, 33, 33] == outside[0, 0, 0]  # the room is one with all that is around
    level = solid[:, :, 24]
    inside, bodies = ndimage.label(~level)
    assert bodies == 2 and inside[32, 32] != inside[0, 0]  # at half height the wall parts them


def test_letters_differ_and_read_from_the_front():
    faces = {}
    for character in STROKES:
        solid = signature(character)
        low = np.array(solid.bounding_box())
        solid = solid.translate(tuple(-low[:3])).scale(tuple(1 / (low[3:] - low[:3])))
        faces[character] = solid.rotate((90, 0, 0)).project()
    for a in STROKES:
        for b in STROKES:
            if a < b and {a, b} != {"O", "0"}:
                assert ((faces[a] + faces[b]) - (faces[a] ^ faces[b])).area() > 0.03, (a, b)
    stem = signature("L")  # seen from +y the right is -x: the stem of an L is at the left, at +x
    upper = stem.trim_by_plane((0, 0, 1), 3)
    assert np.mean(upper.bounding_box()[::3]) > np.mean(stem.bounding_box()[::3])
    assert signature("B").genus() == signature("8").genus() == 2
    assert signature("A").genus() == signature("O").genus() == signature("R").genus() == 1
    assert signature("C").genus() == signature("X").genus() == 0


def test_a_ring_has_one_hole_and_the_volume_of_a_torus():
    ring = torus(30, 8, sides=96)
    assert ring.genus() == 1
    assert ring.volume() == pytest.approx(2 * np.pi**2 * 30 * 8**2, rel=0.04)
    for seed in range(4):
        assert genus(make("ring", seed)) >= 1


def test_a_vessel_is_as_thick_as_asked():
    body, room = vessel([(20, 0), (20, 50)], 3, 5, sides=128)
    assert body.volume() == pytest.approx(np.pi * (20**2 * 50 - 17**2 * 45), rel=0.01)
    assert (body ^ room).volume() == pytest.approx(0, abs=1e-3)


def test_a_blend_of_one_ball_is_that_ball():
    ball = blend([Blob((1, 2, 3), (20, 20, 20))], 4, 64)
    assert ball.volume() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.015)
    bar = blend([Limb((0, 0, 0), (0, 0, 40), 10, 10)], 4, 64)
    assert bar.volume() == pytest.approx(np.pi * 10**2 * 40 + 4 / 3 * np.pi * 10**3, rel=0.02)
    assert len(chain([(0, 0, 0), (0, 0, 9), (0, 9, 9)], [2, 2, 2])[0].limbs) == 2


def test_a_blend_fills_the_seam():
    two = [Blob((-12, 0, 0), (14, 14, 14)), Blob((12, 0, 0), (14, 14, 14))]
    sharp, round_ = blend(two, 0.01, 60), blend(two, 8, 60)
    assert round_.volume() > sharp.volume() * 1.01
    assert sharp.genus() == round_.genus() == 0
    assert isinstance(round_, Manifold)


def test_a_function_below_zero_is_a_body():
    ball = surface(lambda x, y, z: x**2 + y**2 + z**2 - 100, (11, 11, 11), 40)
    assert ball.volume() == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)
    with pytest.raises(UserError, match="must make a closed body"):
        surface(lambda x, y, z: x + 0 * y + 0 * z, (5, 5, 5), 16)


@pytest.mark.parametrize("kind", ["house", "bus", "elephant", "person"])
def test_left_and_right_are_alike_enough(shapes, kind):
    for mesh in shapes[kind]:
        assert abs(mesh.center_mass[0]) < 0.12


@pytest.mark.parametrize("kind", ["bus", "train", "lorry"])
def test_long_vehicles_point_along_y(shapes, kind):
    assert all(mesh.extents.argmax() == 1 for mesh in shapes[kind])


def test_an_unknown_kind_is_refused_with_the_nearest_one():
    with pytest.raises(UserError, match="got 'teapott'; did you mean 'teapot'"):
        make("teapott", 0)
