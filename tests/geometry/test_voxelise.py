"""Voxels of meshes against closed forms, and against a program that others trust."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from grids import extent
from scipy import ndimage

from maquette.errors import UserError
from maquette.geometry.resample import resample
from maquette.geometry.voxelise import fill_enclosed, voxelise

MESHES = Path(__file__).parents[2].parent / "shared" / "data" / "meshes"


def box(low, high) -> trimesh.Trimesh:
    return trimesh.creation.box(bounds=[low, high])


@pytest.mark.parametrize("resolution", [20, 32, 64])
def test_a_sphere_lies_between_the_ball_and_the_ball_one_voxel_diagonal_larger(resolution):
    radius = 0.4
    grid = voxelise(trimesh.creation.icosphere(5, radius), resolution)
    centres = (np.indices((resolution,) * 3) + 0.5) / resolution - 0.5
    distance = np.sqrt((centres**2).sum(0))
    assert grid[distance < radius - 1e-3].all()
    assert not grid[distance > radius + np.sqrt(3) / 2 / resolution].any()
    volume = grid.sum() / resolution**3
    assert 4 / 3 * np.pi * radius**3 < volume < 4 / 3 * np.pi * (radius + 1 / resolution) ** 3


def test_a_cube_fills_the_grid_exactly_and_a_box_on_voxel_borders_dilates_nothing():
    assert voxelise(box((-0.5,) * 3, (0.5,) * 3), 32).all()
    grid = voxelise(box((-0.25, -0.125, -0.5), (0.25, 0.125, 0.5)), 32)
    assert extent(grid) == [(8, 23), (12, 19), (0, 31)]
    assert grid.sum() == 16 * 8 * 32


def test_a_box_between_voxel_borders_takes_every_voxel_that_it_touches():
    grid = voxelise(box((-0.26, -0.13, -0.01), (0.26, 0.13, 0.49)), 32)
    assert extent(grid) == [(7, 24), (11, 20), (15, 31)]
    assert grid.sum() == 18 * 10 * 17


def test_a_leg_thinner_than_a_voxel_survives_in_one_piece():
    leg = trimesh.creation.cylinder(0.002, 0.9)
    leg.apply_transform(trimesh.transformations.rotation_matrix(0.4, [1, 2, 0]))
    grid = voxelise(leg, 32)
    assert ndimage.label(grid)[1] == 1
    assert 26 <= extent(grid)[2][1] - extent(grid)[2][0] + 1 <= 28


@pytest.mark.parametrize("missing", range(6))
def test_a_box_that_lacks_any_side_is_solid(missing):
    mesh = box((-0.4,) * 3, (0.4,) * 3)
    side = mesh.face_normals[:, missing // 2].round().astype(int) == (1, -1)[missing % 2]
    assert side.sum() == 2
    mesh.update_faces(~side)
    grid = voxelise(mesh, 32)
    assert grid[4:28, 4:28, 4:28].all()


def test_winding_does_not_matter():
    mesh = trimesh.creation.torus(0.3, 0.1)
    solid = voxelise(mesh, 40)
    flipped = np.where(np.random.default_rng(0).random(len(mesh.faces))[:, None] < 0.5, mesh.faces[:, ::-1], mesh.faces)
    assert np.array_equal(voxelise(trimesh.Trimesh(mesh.vertices, flipped, process=False), 40), solid)
    assert not solid[20, 20, 20]


def test_unwelded_and_doubled_faces_do_not_matter():
    mesh = trimesh.creation.icosphere(3, 0.4)
    soup = mesh.triangles.reshape(-1, 3)
    faces = np.arange(len(soup)).reshape(-1, 3)
    twice = np.concatenate([faces, faces[:, [0, 2, 1]]])
    assert np.array_equal(voxelise(trimesh.Trimesh(soup, twice, process=False), 32), voxelise(mesh, 32))


def test_parts_that_cross_leave_no_hole():
    parts = [box((-0.4, -0.2, -0.2), (0.1, 0.2, 0.2)), box((-0.1, -0.2, -0.2), (0.4, 0.2, 0.2))]
    both = voxelise(trimesh.util.concatenate(parts), 40)
    assert np.array_equal(both, voxelise(parts[0], 40) | voxelise(parts[1], 40))


def test_a_sheet_is_one_voxel_thick_even_between_two_layers():
    sheet = trimesh.Trimesh([[-0.4, -0.4, 0], [0.4, -0.4, 0], [0.4, 0.4, 0], [-0.4, 0.4, 0]], [[0, 1, 2], [0, 2, 3]])
    grid = voxelise(sheet, 20)
    assert extent(grid) == [(2, 17), (2, 17), (9, 9)]
    assert grid.sum() == 256


def test_the_surface_alone_and_enclosed_space():
    mesh = box((-0.25,) * 3, (0.25,) * 3)
    mesh.apply_translation([0.01, 0.01, 0.01])
    shell = voxelise(mesh, 32, fill=False)
    solid = voxelise(mesh, 32)
    assert shell.sum() == 17**3 - 15**3 and solid.sum() == 17**3
    assert np.array_equal(fill_enclosed(shell), solid)


def test_a_hollow_thing_is_solid_at_every_resolution_though_its_model_has_a_crack():
    shell = trimesh.util.concatenate([box((-0.4,) * 3, (0.4, 0.4, 0.399)), box((-0.37,) * 3, (0.37,) * 3)])
    lid = box((-0.4, -0.4, 0.42), (0.4, 0.4, 0.44))  # a crack of 0.02 below it
    assert voxelise(shell, 32)[16, 16, 16] and voxelise(shell, 128)[64, 64, 64]
    wall = [box((x0, y0, -0.4), (x1, y1, 0.41)) for x0, y0, x1, y1 in
            ((-0.4, -0.4, -0.37, 0.4), (0.37, -0.4, 0.4, 0.4), (-0.37, -0.4, 0.37, -0.37), (-0.37, 0.37, 0.37, 0.4))]
    cracked = trimesh.util.concatenate([*wall, box((-0.4, -0.4, -0.4), (0.4, 0.4, -0.37)), lid])
    assert voxelise(cracked, 128)[64, 64, 64]
    wall = trimesh.util.concatenate(wall)
    assert not voxelise(wall, 128)[64, 64, 64]  # open at both ends, and not by a crack


def test_what_sticks_out_of_the_cube_is_cut_off():
    grid = voxelise(box((-2, -0.25, -0.25), (0.0, 0.25, 3)), 16)
    assert extent(grid) == [(0, 7), (4, 11), (4, 15)]
    with pytest.raises(UserError, match="lies outside of the cube"):
        voxelise(box((1, 1, 1), (2, 2, 2)), 16)


def test_normalise_centres_and_fills():
    grid = voxelise(box((10, 10, 10), (30, 20, 15)), 32, normalise=True)
    assert extent(grid) == [(0, 31), (8, 23), (12, 19)]


def test_errors_name_what_is_wrong():
    with pytest.raises(UserError, match="without faces"):
        voxelise(trimesh.Trimesh(np.zeros((3, 3)), np.zeros((0, 3), int)), 32)
    with pytest.raises(UserError, match="resolution must be from 1 to 1024, got 0"):
        voxelise(trimesh.creation.box(), 0)
    broken = trimesh.Trimesh([[0, 0, 0], [1, 0, np.nan], [0, 1, 0]], [[0, 1, 2]], process=False)
    with pytest.raises(UserError, match="not finite"):
        voxelise(broken, 32)
    with pytest.raises(UserError, match="size 0"):
        voxelise(trimesh.Trimesh(np.ones((3, 3)), [[0, 1, 2]], process=False), 32, normalise=True)


@pytest.mark.skipif(not MESHES.is_dir(), reason="needs ../shared/data/meshes")
def test_real_meshes_against_binvox_of_the_same_file():
    from maquette.io.formats import read_grid, read_mesh

    mesh = read_mesh(MESHES / "toilet_0345.off")
    theirs = resample(read_grid(MESHES / "toilet_0345_256.binvox"), 64)
    ours = voxelise(mesh, 64, normalise=True)
    assert extent(ours)[1] == extent(theirs)[1] == (0, 63)
    # The mesh is open, and binvox lost its foot and its back (it stabs rays and takes the majority): so all that it
    # found must be in ours, and above the foot ours may hold little else.
    assert (theirs & ours).sum() / theirs.sum() > 0.999
    front = slice(0, 32), slice(34, 60)  # y, z
    bowl, found = theirs[:, *front], ours[:, *front]
    assert (bowl & found).sum() / (bowl | found).sum() > 0.8


@pytest.mark.skipif(not MESHES.is_dir(), reason="needs ../shared/data/meshes")
def test_a_real_open_mesh_is_one_object_with_its_extents():
    from maquette.io.formats import read_mesh

    mesh = read_mesh(MESHES / "chair.off")
    grid = voxelise(mesh, 64, normalise=True)
    expected = mesh.extents / mesh.extents.max() * 64
    assert all(abs(high - low + 1 - size) <= 2 for (low, high), size in zip(extent(grid), expected, strict=True))
    assert ndimage.label(grid, np.ones((3, 3, 3)))[1] == 1


@pytest.mark.parametrize("radius", [1, 3, 50, 1e6])
def test_a_cube_within_a_mesh_is_full(radius):  # A3
    assert voxelise(trimesh.creation.icosphere(radius=radius), 32).all()
    lidless = trimesh.creation.box((2 * radius,) * 3)
    lidless.update_faces(lidless.face_normals[:, 2] < 0.5)
    assert voxelise(lidless, 16).all()


def test_a_part_of_a_large_mesh_is_cut_out_as_it_is():  # A3
    wall = trimesh.creation.box((2000, 2000, 0.5))
    assert voxelise(wall, 32).sum() == 32 * 32 * 16
    wall.apply_translation((900, 0, 0))
    assert voxelise(wall, 32).sum() == 32 * 32 * 16


def test_a_mesh_outside_of_the_cube_is_no_empty_grid():  # A3
    box = trimesh.creation.box((50, 50, 50))
    box.apply_translation((100, 0, 25))
    with pytest.raises(UserError, match=r"the mesh lies outside of the cube \[-0.5, 0.5\]\^3, which the grid covers"):
        voxelise(box, 32)
    assert voxelise(box, 32, normalise=True).all()


@pytest.mark.parametrize("reach", [0, 1, 2])
@pytest.mark.parametrize("share", [0, 0.2, 0.5, 0.8, 1])
def test_enclosed_space_is_that_of_scipy(share, reach):
    grid = np.random.default_rng(5).random((15, 13, 17)) < share

    def filled(grid: np.ndarray) -> np.ndarray:
        regions, _ = ndimage.label(np.pad(~grid, 1, constant_values=True))
        return (regions != regions[0, 0, 0])[1:-1, 1:-1, 1:-1]

    expected = filled(grid)
    if reach:
        walls = ndimage.binary_dilation(np.pad(grid, reach), iterations=reach)
        hollow = ndimage.binary_dilation(filled(walls) & ~walls, iterations=reach)
        expected = filled(grid | hollow[(slice(reach, -reach),) * 3])
    assert np.array_equal(fill_enclosed(grid, reach), expected)
