"""Surfaces against closed forms: volumes, extents, parts and walls that are known."""

import time

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.geometry import mesh as M

R = 32


def centres(resolution: int = R) -> np.ndarray:
    return (np.indices((resolution,) * 3) + 0.5) / resolution - 0.5


def ball(radius: float, centre=(0, 0, 0), resolution: int = R) -> np.ndarray:
    """Occupancy of a ball, soft over one voxel as an antialiased one is."""
    away = np.linalg.norm(centres(resolution) - np.reshape(centre, (3, 1, 1, 1)), axis=0)
    return np.clip((radius - away) * resolution + 0.5, 0, 1).astype(np.float32)


def block(low, high, resolution: int = R) -> np.ndarray:
    grid = np.zeros((resolution,) * 3, np.float32)
    grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    return grid


@pytest.mark.parametrize("smooth", [0, 0.6, 1.0])
def test_a_ball_is_one_volume_of_the_right_size(smooth):
    mesh = M.surface(ball(0.4), smooth=smooth)
    assert mesh.is_volume and mesh.body_count == 1
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.005)
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 0.4).max() * R < 0.15  # in voxels
    assert mesh.extents == pytest.approx([0.8] * 3, abs=0.005)


def test_it_lies_where_its_voxels_lie():
    low, high = (4, 9, 20), (10, 27, 30)
    mesh = M.surface(block(low, high))
    assert mesh.bounds[0] == pytest.approx(np.array(low) / R - 0.5, abs=0.3 / R)
    assert mesh.bounds[1] == pytest.approx(np.array(high) / R - 0.5, abs=0.3 / R)
    assert mesh.volume * R**3 == pytest.approx(6 * 18 * 10, rel=0.02)


def test_what_touches_the_border_is_closed():
    mesh = M.surface(np.ones((8, 8, 8), np.float32))
    assert mesh.is_volume and mesh.volume == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("smooth", [0, 0.6, 1.0, 2.0])
def test_thin_parts_do_not_vanish(smooth):
    slab, bar = block((15, 4, 4), (16, 28, 28)), block((15, 15, 4), (16, 16, 28))
    assert M.surface(slab, smooth=smooth).volume * R**3 == pytest.approx(slab.sum(), rel=0.06)
    assert M.surface(bar, smooth=smooth).volume * R**3 == pytest.approx(bar.sum(), rel=0.15)
    assert M.surface(bar, smooth=smooth).body_count == 1


def test_stairs_are_smoothed_away():
    x, _, z = centres()
    slope = ((np.abs(centres()) < 0.4).all(0) & (z < 0.3 * x)).astype(np.float32)

    def roughness(mesh):
        on_slope = (np.abs(mesh.triangles_center[:, 0]) < 0.25) & (np.abs(mesh.triangles_center[:, 1]) < 0.25)
        on_slope &= np.abs(mesh.triangles_center[:, 2]) < 0.2
        plane = np.array([-0.3, 0, 1]) / np.hypot(0.3, 1)
        return np.degrees(np.arccos(np.clip(mesh.face_normals[on_slope] @ plane, -1, 1))).mean()

    assert roughness(M.surface(slope)) < 0.6 * roughness(M.surface(slope, smooth=0))


def test_the_threshold_moves_the_surface():
    soft = np.clip(0.9 - np.linalg.norm(centres(), axis=0) / 0.5, 0, 1)
    for threshold in (0.2, 0.5, 0.7):
        radius = (0.9 - threshold) * 0.5
        volume = M.surface(soft, threshold).volume
        assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.12), threshold


def test_large_grids_are_meshed_at_their_own_resolution():
    mesh = M.surface(ball(0.2, resolution=160))
    assert mesh.is_volume and mesh.volume == pytest.approx(4 / 3 * np.pi * 0.2**3, rel=0.005)


def test_an_empty_shape_says_what_was_found():
    with pytest.raises(UserError, match=r"no voxel reaches the threshold 0.5, the highest is 0.12; lower --threshold"):
        M.surface(np.full((8, 8, 8), 0.12))
    with pytest.raises(UserError, match="the highest is 0; nothing was recognised"):
        M.surface(np.zeros((8, 8, 8)))
    with pytest.raises(UserError, match="threshold must lie between 0 and 1, got 1"):
        M.surface(np.ones((8, 8, 8)), threshold=1)


@pytest.mark.parametrize("grid", ["checkerboard", "edges", "corners", "noise"])
def test_voxels_that_touch_at_edges_only_become_watertight(grid):
    i, j, k = np.indices((10, 10, 10))
    grids = {
        "checkerboard": (i + j + k) % 2 == 0,
        "edges": ((i + j) % 2 == 0) & (k > 2),
        "corners": (i == j) & (j == k),
        "noise": np.random.default_rng(0).random((10, 10, 10)) < 0.4,
    }
    for smooth in (0, 0.6):
        mesh = M.repair(M.surface(grids[grid], smooth=smooth))
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


def test_the_quick_check_agrees_with_trimesh():
    box = trimesh.creation.box()
    opened = trimesh.Trimesh(box.vertices, box.faces[1:], process=False)
    turned = trimesh.Trimesh(box.vertices, np.vstack([box.faces[:1, ::-1], box.faces[1:]]), process=False)
    assert M.is_closed(box) and box.is_volume
    assert not M.is_closed(opened) and not opened.is_watertight
    assert not M.is_closed(turned) and not turned.is_winding_consistent
    assert not M.is_closed(trimesh.Trimesh())


def test_the_largest_part_is_kept_and_the_rest_reported():
    two = block((4, 4, 4), (14, 14, 14)) + block((20, 20, 20), (25, 25, 24)) + block((28, 4, 4), (31, 7, 7))
    mesh, dropped = M.keep_largest(M.surface(two))
    assert mesh.body_count == 1 and mesh.is_volume
    assert mesh.volume * R**3 == pytest.approx(1000, rel=0.03)
    assert dropped.parts == 2 and dropped.share == pytest.approx((100 + 27) / 1127, abs=0.02)
    assert M.Dropped(2, 0.113).line() == "dropped 2 loose parts (11 % of the volume)"


def test_one_part_stays_as_it_is():
    mesh = M.surface(ball(0.3))
    same, dropped = M.keep_largest(mesh)
    assert same is mesh and not dropped and dropped.line() == ""


def test_a_cavity_belongs_to_its_part_and_is_no_part():
    hollow = ball(0.45) - ball(0.3)
    mesh, dropped = M.keep_largest(M.surface(hollow + block((0, 0, 0), (3, 3, 3))))
    assert dropped.parts == 1
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * (0.45**3 - 0.3**3), rel=0.02)
    assert M.printability(M.to_print(mesh)).parts == 1


def test_repair_leaves_a_sound_mesh_alone():
    mesh = M.surface(ball(0.3))
    assert M.repair(mesh) is mesh


@pytest.mark.parametrize("fault", ["inside out", "one face turned", "one face missing", "soup", "doubled faces"])
def test_repair(fault):
    box = trimesh.creation.box((1, 2, 3))
    faces = box.faces.copy()
    vertices = box.vertices.copy()
    if fault == "inside out":
        faces = faces[:, ::-1]
    elif fault == "one face turned":
        faces[0] = faces[0, ::-1]
    elif fault == "one face missing":
        faces = faces[1:]
    elif fault == "soup":
        vertices, faces = box.triangles.reshape(-1, 3), np.arange(36).reshape(-1, 3)
    else:
        faces = np.vstack([faces, faces[:3]])
    fixed = M.repair(trimesh.Trimesh(vertices, faces, process=False))
    assert fixed.is_volume and fixed.volume == pytest.approx(6) and fixed.extents == pytest.approx([1, 2, 3])


def test_repair_of_what_encloses_nothing_goes_through_voxels():
    box = trimesh.creation.box((1, 2, 3))
    open_box = trimesh.Trimesh(box.vertices, box.faces[box.face_normals[:, 2] < 0.5], process=False)
    crossing = trimesh.util.concatenate([open_box, open_box.copy().apply_translation((0.4, 0.5, 0))])
    fixed = M.repair(crossing, resolution=48)
    assert fixed.is_volume and fixed.extents == pytest.approx(crossing.extents, abs=3 * 2 / 48)


def test_repair_of_nothing():
    with pytest.raises(UserError, match="no faces"):
        M.repair(trimesh.Trimesh())


@pytest.mark.parametrize("size_mm", [100, 37.5])
def test_to_print_stands_on_the_table_in_exact_millimetres(size_mm):
    mesh = M.to_print(M.surface(block((4, 9, 20), (10, 27, 30))), size_mm)
    assert mesh.extents.max() == pytest.approx(size_mm, rel=1e-12)
    assert mesh.bounds[0, 2] == 0
    assert mesh.bounds[:, :2].sum(0) == pytest.approx([0, 0], abs=1e-9)
    assert mesh.is_volume


@pytest.mark.parametrize("size_mm", [0, -1, np.nan, np.inf])
def test_a_size_must_be_one(size_mm):
    with pytest.raises(UserError, match="size_mm must be positive"):
        M.to_print(trimesh.creation.box(), size_mm)


def test_the_frame():
    mesh = M.to_frame(trimesh.creation.box((2, 4, 1)).apply_translation((7, 8, 9)))
    assert mesh.bounds == pytest.approx(np.array([[-0.25, -0.5, -0.125], [0.25, 0.5, 0.125]]))
    with pytest.raises(UserError, match="no size"):
        M.to_frame(trimesh.Trimesh(np.ones((3, 3)), [[0, 1, 2]], process=False))


def test_decimate_keeps_it_watertight_and_its_volume():
    mesh = M.surface(ball(0.4))
    fewer = M.decimate(mesh, 1000)
    assert len(fewer.faces) <= 1010 and fewer.is_volume
    assert fewer.volume == pytest.approx(mesh.volume, rel=0.02)
    assert M.decimate(mesh, 10**6) is mesh


def hollow_box(outer, wall) -> trimesh.Trimesh:
    inner = trimesh.creation.box(np.array(outer) - 2 * wall)
    inner.invert()
    return trimesh.util.concatenate([trimesh.creation.box(outer), inner])


def test_the_wall_of_a_hollow_box_and_of_a_hollow_ball():
    report = M.printability(hollow_box((40, 50, 60), 1.5))
    assert report.thinnest_wall_mm == pytest.approx(1.5, rel=1e-3)
    assert report.volume_mm3 == pytest.approx(40 * 50 * 60 - 37 * 47 * 57)
    outer, inner = trimesh.creation.icosphere(5, 20), trimesh.creation.icosphere(5, 18)
    inner.invert()
    assert M.printability(trimesh.util.concatenate([outer, inner])).thinnest_wall_mm == pytest.approx(2, rel=0.02)


def test_the_wall_of_a_solid_box_is_its_shortest_side():
    report = M.printability(trimesh.creation.box((30, 20, 4)))
    assert report.thinnest_wall_mm == pytest.approx(4, rel=1e-3) and report.ok


def test_the_report_line():
    box = trimesh.creation.box((30, 20, 10))
    assert M.printability(box).line() == "watertight, 1 part, 6 cm3, thinnest wall 10 mm (>= 0.8 mm)"
    plate = M.printability(hollow_box((30, 20, 10), 0.5))
    assert not plate.wall_ok and not plate.ok and plate.line().endswith("thinnest wall 0.5 mm (BELOW 0.8 mm)")
    two = M.printability(trimesh.util.concatenate([box, box.copy().apply_translation((50, 0, 0))]))
    assert two.parts == 2 and not two.ok and two.line().startswith("watertight, 2 parts, 12 cm3")
    opened = M.printability(trimesh.Trimesh(box.vertices, box.faces[1:], process=False))
    assert not opened.ok and opened.line().startswith("NOT watertight, 1 part, volume unknown, thinnest wall")


def test_real_grids_keep_their_volume(shared):
    grids = np.load(shared / "modelnet10" / "modelnet10_30.npz")["X_test"][::75]
    meshes = [M.surface(grid) for grid in grids]
    assert all(M.is_closed(mesh) for mesh in meshes)
    ratios = np.array([mesh.volume for mesh in meshes]) / grids.mean(axis=(1, 2, 3))
    assert np.median(ratios) == pytest.approx(1, abs=0.01)
    assert np.abs(ratios - 1).max() < 0.08  # bars of one voxel lose most


def test_real_cad_meshes_can_be_repaired(shared):
    from maquette.io.formats import read_mesh

    mesh = read_mesh(shared / "meshes" / "toilet_0345.off")
    fixed = M.repair(mesh, resolution=64)
    assert fixed.is_watertight and fixed.extents == pytest.approx(mesh.extents, rel=0.05)


def test_it_is_quick():
    hollow = ball(0.45) - ball(0.3) + block((0, 0, 0), (3, 3, 3))
    best = [np.inf, np.inf]
    for _ in range(5):
        start = time.perf_counter()
        mesh = M.to_print(M.repair(M.keep_largest(M.surface(hollow))[0]))
        middle = time.perf_counter()
        M.printability(mesh)
        best = np.minimum(best, [middle - start, time.perf_counter() - middle])
    assert best[0] < 0.15 and best[1] < 0.15, best  # about 0.02 each on an idle core
