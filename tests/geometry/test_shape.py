"""Shape: what it accepts, and that its files hold what it holds."""

import numpy as np
import pytest
import trimesh
from typed import refused

from maquette.errors import UserError
from maquette.geometry.printability import printability
from maquette.geometry.shape import Shape
from maquette.io import formats


@pytest.fixture
def table() -> Shape:
    grid = np.zeros((24, 24, 24), np.float32)
    grid[2:22, 4:20, 18:21] = 1
    for x in (3, 18):
        for y in (5, 16):
            grid[x : x + 3, y : y + 3, 1:18] = 1
    return Shape(grid)


def test_what_it_holds(table):
    assert table.resolution == 24 and table.occupancy.dtype == np.float32
    assert table.voxels.dtype == bool and table.voxels.sum() == table.occupancy.sum()
    assert Shape(table.voxels).occupancy.dtype == np.float32


@pytest.mark.parametrize(
    "grid, line",
    [
        (np.zeros((4, 4)), "a grid has three axes, got shape"),
        (np.full((4, 4, 4), 2.0), r"occupancy must lie in \[0, 1\], got values from 2 to 2"),
        (np.full((4, 4, 4), np.nan), r"occupancy must lie in \[0, 1\], got values from nan"),
        (np.full((4, 4, 4), "a"), "a grid holds numbers"),
    ],
)
def test_what_it_refuses(grid, line):
    with refused(line):
        Shape(grid)


def test_the_threshold_must_be_a_probability(table):
    with pytest.raises(UserError, match="threshold must lie between 0 and 1, got 1.5"):
        Shape(table.occupancy, threshold=1.5)


def test_printable(table):
    mesh, dropped = table.printable(size_mm=80)
    assert mesh.is_volume and mesh.body_count == 1 and not dropped
    assert mesh.extents.max() == pytest.approx(80, rel=1e-12) and mesh.bounds[0, 2] == 0
    assert mesh.volume == pytest.approx(table.occupancy.sum() * 4**3, rel=0.06)  # 20 voxels are 80 mm


def test_loose_parts_are_dropped_or_kept(table, tmp_path):
    grid = table.occupancy.copy()
    grid[10:13, 10:13, 3:6] = 1
    loose = Shape(grid)
    dropped = loose.save(tmp_path / "one.stl")
    assert dropped.parts == 1 and dropped.share == pytest.approx(27 / grid.sum(), abs=0.006)
    assert formats.read_mesh(tmp_path / "one.stl").body_count == 1
    assert not loose.save(tmp_path / "all.stl", largest_part=False)
    assert formats.read_mesh(tmp_path / "all.stl").body_count == 2


def test_fewer_faces_when_asked(table):
    mesh, _ = table.printable(faces=800)
    assert len(mesh.faces) <= 810 and mesh.is_watertight


@pytest.mark.parametrize("suffix", formats.GRIDS)
def test_grid_files_are_exact(table, tmp_path, suffix):
    table.save(tmp_path / f"table{suffix}")
    again = Shape.load(tmp_path / f"table{suffix}")
    assert np.array_equal(again.occupancy, table.occupancy) and again.occupancy.dtype == np.float32


@pytest.mark.parametrize("suffix", formats.MESHES)
def test_mesh_files_come_back_as_the_same_voxels(table, tmp_path, suffix):
    table.save(tmp_path / f"table{suffix}")
    again = Shape.load(tmp_path / f"table{suffix}", resolution=60)  # the table's longest side was 20 voxels
    truth = np.kron(table.voxels[2:22, 2:22, 1:21], np.ones((3, 3, 3), bool))
    assert (again.voxels & truth).sum() / (again.voxels | truth).sum() >= 0.8


def test_an_empty_shape_writes_no_file(tmp_path):
    with pytest.raises(UserError, match="no voxel reaches the threshold"):
        Shape(np.full((8, 8, 8), 0.1)).save(tmp_path / "empty.stl")
    assert not list(tmp_path.iterdir())


def test_a_flat_mesh_names_its_file(tmp_path):
    point = trimesh.Trimesh(np.ones((3, 3)), [[0, 1, 2]], process=False)
    formats.write_mesh(tmp_path / "point.off", point)
    with pytest.raises(UserError, match="point.off"):
        Shape.load(tmp_path / "point.off")


def test_a_shape_that_fills_its_grid_is_not_called_printable():
    full = np.ones((16, 16, 16), np.float32)
    mesh = Shape(full).printable()[0]
    assert printability(mesh).ok, "a brick is fine"
    assert Shape(full).fills_cube and not printability(mesh, fills_cube=True).ok
    nearly = full.copy()
    nearly[:3, :3, :3] = nearly[-2:, :, 5] = 0
    assert Shape(nearly).fills_cube
    low = full.copy()
    low[:, :, -1] = 0
    assert not Shape(low).fills_cube, "it does not touch its lid"
    assert not Shape(np.pad(np.ones((8, 8, 8), np.float32), 4)).fills_cube
