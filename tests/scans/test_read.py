"""Files of sensors become the voxels that a direct scan has."""

import json
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image
from staged import CAMERA, FLOOR, METRES, NEIGHBOUR, SETTEE, depth_mm, intrinsics, near_enough, write_png

from maquette import scans as scanning
from maquette.errors import UserError
from maquette.geometry.voxelise import voxelise
from maquette.rendering import Camera
from maquette.scans import (
    Intrinsics,
    find_scans,
    place,
    read_intrinsics,
    read_scan,
    scan,
)
from maquette.scans.read import depth_points, read_depth


@pytest.mark.parametrize("roll", [0, 6])
def test_a_depth_picture_on_a_floor_comes_back_as_the_direct_scan(tmp_path, roll):
    camera = Camera(CAMERA.azimuth_deg, CAMERA.elevation_deg, CAMERA.fov_deg, CAMERA.size_px, roll)
    picture = depth_mm(trimesh.util.concatenate([SETTEE, FLOOR, NEIGHBOUR]), camera)
    assert (picture == 0).any(), "some pixels are missing"
    found = read_scan(write_png(tmp_path / "a.png", picture), 32, intrinsics=intrinsics(), azimuth_deg=30)
    direct = scan(SETTEE, camera, 32)
    assert near_enough(found.voxels, direct)
    assert found.placement.plane and found.placement.elevation_deg == pytest.approx(30, abs=0.3)
    assert found.metric and found.cube_mm == pytest.approx(1000 * METRES, rel=0.01)
    of_object = np.count_nonzero(depth_mm(SETTEE, camera))
    assert found.placement.kept == pytest.approx(of_object, rel=0.03)
    assert found.placement.total == np.count_nonzero(picture)
    assert found.placement.line() == (f"floor left out, {found.placement.kept} of {found.placement.total} points kept, "
                                      "camera 30 degrees above the horizon")


def test_without_a_floor_the_elevation_must_be_told(tmp_path):
    path = write_png(tmp_path / "b.png", depth_mm(SETTEE))
    with pytest.raises(UserError, match="b.png: no floor or table found under the object; say .* --elevation-deg"):
        read_scan(path, 32, intrinsics=intrinsics())
    found = read_scan(path, 32, intrinsics=intrinsics(), azimuth_deg=30, elevation_deg=30)
    # where the object rests is not known then, but its lowest points are in sight
    assert near_enough(found.voxels, scan(SETTEE, CAMERA, 32)) and not found.placement.plane
    assert found.placement.elevation_deg == pytest.approx(30)


def test_a_scan_is_turned_as_if_it_had_been_read_so(tmp_path):
    path = write_png(tmp_path / "a.png", depth_mm(trimesh.util.concatenate([SETTEE, FLOOR])))
    found = read_scan(path, 32, intrinsics=intrinsics()).facing(30)
    told = read_scan(path, 32, intrinsics=intrinsics(), azimuth_deg=30)
    assert np.array_equal(found.voxels, told.voxels) and found.placement.line() == told.placement.line()
    assert found.cube_mm == pytest.approx(told.cube_mm) and found.placement.azimuth_deg == 30
    assert found.facing(390).placement.azimuth_deg == 30
    grid = read_scan(told.voxels, 32)
    assert grid.facing(90) is grid


def test_points_in_files_are_read_as_the_array_is(tmp_path):
    points = trimesh.sample.sample_surface(SETTEE, 5000, seed=0)[0]
    expected = place(points.astype(np.float32), 20, up="z")[0]
    np.save(tmp_path / "a.npy", points.astype(np.float32))
    trimesh.PointCloud(points.astype(np.float32)).export(tmp_path / "a.ply")
    lines = "\n".join(f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in points.astype(np.float32))
    (tmp_path / "a.obj").write_text(lines + "\n")
    (tmp_path / "a.off").write_text(f"OFF\n{len(points)} 0 0\n" + lines.replace("v ", "") + "\n")
    for suffix in ("npy", "ply", "obj", "off"):
        found = read_scan(tmp_path / f"a.{suffix}", 20, up="z")
        assert np.array_equal(found.voxels, expected) and found.cube_mm is None, suffix
    SETTEE.export(tmp_path / "a.stl")  # points all over it, but for its underside
    surface = voxelise(SETTEE, 32, fill=False)
    assert near_enough(read_scan(tmp_path / "a.stl", 32, up="z").voxels[..., 5:], surface[..., 5:])
    assert [path.name for path in find_scans([tmp_path, tmp_path / "a.ply"])] == [
        "a.npy", "a.obj", "a.off", "a.ply", "a.stl"
    ]


def test_grids_are_taken_as_they_are(tmp_path):
    grid = scan(SETTEE, CAMERA, 20)
    np.save(tmp_path / "a.npy", grid)
    np.savez(tmp_path / "a.npz", occupancy=grid)
    for source in (grid, tmp_path / "a.npy", tmp_path / "a.npz"):
        found = read_scan(source, 20, azimuth_deg=77)
        assert np.array_equal(found.voxels, grid) and found.placement is None and found.cube_mm is None
        assert found.assumed == ""
    with pytest.raises(UserError, match="a.npz must have the model's 32 voxels a side, got 20"):
        read_scan(tmp_path / "a.npz", 32)
    with pytest.raises(UserError, match="the scan holds no filled voxel"):
        read_scan(np.zeros((20, 20, 20)), 20)


def test_depth_by_hand(tmp_path):
    write_png(tmp_path / "a.png", np.array([[0, 1500], [65535, 1]], np.uint16))
    depth = read_depth(tmp_path / "a.png", 5000)
    assert np.isnan(depth[0, 0]) and np.allclose(depth.ravel()[1:], [0.3, 13.107, 0.0002])
    points = depth_points(np.array([[np.nan, 0, -1, 2.0], [np.inf, 4.0, 0, 0]]), Intrinsics(2, 4, 1, 0.5))
    assert np.allclose(points, [[2, -0.25, 2], [0, 0.5, 4]])


def test_intrinsics_as_numbers_keys_or_matrix(tmp_path):
    expected = Intrinsics(500, 510, 320, 240)
    assert read_intrinsics("500,510, 320,240") == expected
    matrix = [[500, 0, 320], [0, 510, 240], [0, 0, 1]]
    for number, tree in enumerate([{"fx": 500, "fy": 510, "cx": 320, "cy": 240, "width": 640}, {"K": matrix},
                                   {"K": sum(matrix, [])}]):
        (tmp_path / f"{number}.json").write_text(json.dumps(tree))
        assert read_intrinsics(tmp_path / f"{number}.json") == expected


@pytest.mark.parametrize(
    "text, says",
    [
        ("500,510,320", "intrinsics are fx,fy,cx,cy in pixels or a JSON file, got '500,510,320'"),
        ("gone.json", "got 'gone.json'"),
        ("0,510,320,240", "fx and fy must be positive, got 0 and 510"),
        ("500,510,nan,240", "cx and cy must be finite, got nan and 240"),
    ],
)
def test_bad_intrinsics(text, says):
    with pytest.raises(UserError) as caught:
        read_intrinsics(text)
    assert says in str(caught.value)


def test_bad_intrinsics_files(tmp_path):
    path = tmp_path / "k.json"
    for text, says in (("{", "cannot be read as json"), ('{"K": [[1, 2], [3, 4]]}', "nor a 3x3 matrix K"),
                       ("[1]", "it has neither fx, fy, cx and cy"), ("", "is empty")):
        path.write_text(text)
        with pytest.raises(UserError, match=says):
            read_intrinsics(path)


def png(mode: str) -> bytes:
    import io

    out = io.BytesIO()
    Image.new(mode, (64, 48), 7).save(out, "PNG")
    return out.getvalue()


def claims(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", width, height, 16, 0) + bytes(9)


NOISE = np.random.default_rng(0).integers(1, 60000, (48, 64)).astype(np.uint16)


@pytest.mark.parametrize(
    "name, data, says",
    [
        ("grey.png", png("L"), "must be grey with 16 bits a pixel, got grey with 8; save the depths"),
        ("colour.png", png("RGB"), "must be grey with 16 bits a pixel, got colour with 8"),
        ("cut.png", None, "cut.png cannot be read as png: image file is truncated"),
        ("text.png", b"this is no picture", "text.png is not a PNG, got a file that begins with b'this is '"),
        ("head.png", png("I;16")[:20], "head.png ends within its header"),
        ("huge.png", claims(60000, 60000), "must have from 1 to 50000000 pixels, got 60000x60000"),
        ("zero.png", claims(0, 4), "got 0x4"),
        ("empty.png", b"", "empty.png is empty"),
        ("scan.txt", b"1 2 3", "scan.txt: not a scan that can be read, got '.txt'; known: .png .ply"),
        ("cut.ply", None, "cut.ply cannot be read as ply"),
        ("none.off", b"OFF\n0 0 0\n", "none.off has no points"),
        ("wild.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n", "wild.off cannot be read as off: a face names a"),
        ("bad.stl", b"no mesh", "bad.stl cannot be read as stl"),
        ("cut.npy", None, "cut.npy cannot be read as npy: it ends before"),
        ("line.npy", None, r"line.npy: a scan is points [N, 3], depths [H, W] or a grid [R, R, R], got float64 (60,)"),
        ("few.npy", None, "few.npy has too few points, got 7; at least 50"),
    ],
)
def test_bad_files_are_one_clear_line_each(tmp_path, name, data, says):
    path = tmp_path / name
    if name == "cut.png":
        write_png(path, NOISE)
        data = path.read_bytes()[:2000]
    elif name == "cut.ply":
        trimesh.PointCloud(np.ones((500, 3))).export(path)
        data = path.read_bytes()[:-400]
    elif name.endswith(".npy"):
        np.save(path, {"line": np.ones(60), "few": np.ones((7, 3)), "cut": np.ones((90, 3))}[path.stem])
        data = path.read_bytes()[: -400 if path.stem == "cut" else None]
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_scan(path, 20, intrinsics=intrinsics())
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_what_a_depth_picture_needs(tmp_path):
    path = write_png(tmp_path / "a.png", NOISE)
    with pytest.raises(UserError, match="a.png is a depth picture: the camera's intrinsics are missing; give --intr"):
        read_scan(path, 20)
    with pytest.raises(UserError, match="which is never upright; leave out --up"):
        read_scan(path, 20, intrinsics=intrinsics(), up="z")
    with pytest.raises(UserError, match="depth_scale must be positive: the picture's units a metre, got 0"):
        read_scan(path, 20, intrinsics=intrinsics(), depth_scale=0)
    blank = write_png(tmp_path / "b.png", np.zeros((48, 64), np.uint16))
    with pytest.raises(UserError, match="b.png has too few points, got 0"):
        read_scan(blank, 20, intrinsics=intrinsics())
    with pytest.raises(UserError, match="cannot read .*gone.png"):
        read_scan(tmp_path / "gone.png", 20)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="no scan in the folder .*none; known endings: .png"):
        find_scans([tmp_path / "none"])


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(_folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(UserError, match="the folder .* cannot be read, got Permission denied"):
        find_scans([tmp_path])


def test_the_package_names_what_it_has():
    assert all(hasattr(scanning, name) for name in scanning.__all__)
