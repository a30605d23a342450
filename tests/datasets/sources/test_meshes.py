"""Folders of meshes and grids in both layouts, in every format."""

import numpy as np
import pytest
import trimesh

from maquette.datasets import sources
from maquette.datasets.sources import meshes, modelnet
from maquette.errors import UserError
from maquette.io.formats import write_grid, write_mesh


def wedge() -> trimesh.Trimesh:
    """A box that is longest along x, and off centre."""
    return trimesh.creation.box(bounds=[(0, 0, 0), (4, 2, 1)])


@pytest.mark.parametrize("suffix", [".off", ".obj", ".stl", ".ply", ".glb", ".3mf"])
def test_every_mesh_format(tmp_path, suffix):
    (tmp_path / "block").mkdir()
    write_mesh(tmp_path / "block" / f"a{suffix}", wedge())
    (item,) = meshes.read(tmp_path, keep_names=True)
    assert (item.id, item.label, item.split, item.source) == ("block/a", "block", "train", tmp_path.name)
    assert item.load().extents == pytest.approx([4, 2, 1], rel=1e-5)


@pytest.mark.parametrize("suffix", [".binvox", ".npy", ".npz", ".mat"])
def test_every_grid_format(tmp_path, suffix):
    grid = np.zeros((16, 16, 16), bool)
    grid[2:9, 3:5, 1:14] = True
    write_grid(tmp_path / f"a{suffix}", grid)
    (item,) = meshes.read(tmp_path, turns={"object": 180})
    assert np.array_equal(item.load(), grid[::-1, ::-1])


def test_off_with_and_without_a_line_break_after_the_word(tmp_path):
    corners = "0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
    (tmp_path / "a.off").write_text("OFF\n4 4 0\n" + corners)
    (tmp_path / "b.off").write_text("OFF4 4 0\n" + corners)
    one, two = (item.load() for item in meshes.read(tmp_path))
    assert one.volume == pytest.approx(1 / 6) and np.array_equal(one.vertices, two.vertices)


def test_labels_and_splits_come_from_the_folders(tmp_path):
    chairs = ("chair/train/chair_0001.off", "chair/test/chair_0002.off")
    for name in (*chairs, "table/x.off", "lamp/30/val/y.off", ".cache/z.off"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        wedge().export(tmp_path / name)
    (tmp_path / "readme.txt").write_text("nothing")
    wedge().export(tmp_path / "table" / "x.obj")
    found = {item.id: (item.label, item.split) for item in meshes.read(tmp_path, keep_names=True)}
    assert found == {
        "chair/train/chair_0001": ("chair", "train"), "chair/test/chair_0002": ("chair", "test"),
        "table/x.off": ("table", "train"), "table/x.obj": ("table", "train"), "lamp/30/val/y": ("lamp", "train"),
    }
    by_id = {item.id: item for item in sources.read(tmp_path, keep_names=True)}
    assert modelnet.ROTATIONS["table"] == 270  # ModelNet's own tree is turned to the front
    assert by_id["table/x.off"].load().extents == pytest.approx([2, 4, 1])


def test_y_up(tmp_path):
    wedge().export(tmp_path / "a.obj")
    (item,) = meshes.read(tmp_path / "a.obj", up="y")
    assert item.label == "object" and item.load().extents == pytest.approx([4, 1, 2])


def test_y_up_is_for_meshes_that_do_not_say_how_they_stand(tmp_path):
    """A front at -z faces +y; what a GLB says is not done twice."""
    wedge().export(tmp_path / "a.stl")
    write_mesh(tmp_path / "b.glb", wedge())
    grid = np.zeros((8, 8, 8), bool)
    grid[1:7, 2:5, 3] = True
    write_grid(tmp_path / "c.npy", grid)
    lying, glb, voxels = (item.load() for item in sources.read(tmp_path, up="y"))
    assert lying.bounds == pytest.approx(np.array([[0, -1, 0], [4, 0, 2]]), abs=1e-6)
    assert glb.extents == pytest.approx([4, 2, 1], rel=1e-5)
    assert np.array_equal(voxels, grid)
    with pytest.raises(UserError, match="up is for folders of meshes, and furniture is none, got 'y'; leave it at z"):
        sources.read("furniture", up="y")


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        list(meshes.read(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="no mesh or grid in"):
        list(meshes.read(tmp_path))
    with pytest.raises(UserError, match="up must be"):
        list(meshes.read(tmp_path, up="x"))
    (tmp_path / "bad.off").write_text("OFF\n3 1 0\n0 0")
    with pytest.raises(UserError, match="bad.off"):
        next(meshes.read(tmp_path)).load()


def test_the_real_meshes(shared):
    items = {item.id: item for item in meshes.read(shared / "meshes", keep_names=True)}
    assert set(items) == {"chair", "toilet_0345.off", "toilet_0345.obj", "toilet_0345_256"}
    off, obj = items["toilet_0345.off"].load(), items["toilet_0345.obj"].load()
    assert off.extents == pytest.approx([13.8, 22.1528, 17.5], rel=1e-4)
    assert sorted(obj.extents / obj.extents.max()) == pytest.approx(sorted(off.extents / off.extents.max()), rel=1e-3)
    assert items["toilet_0345_256"].load().shape == (256, 256, 256)
