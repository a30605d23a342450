"""Image sets of shapes: what each pixel is, which cameras there are and which are kept, splits, resuming, bad input."""

import json

import numpy as np
import pytest
import trimesh
from command import call

from maquette.datasets.furniture import make
from maquette.datasets.images import ImageInfo, open_images
from maquette.datasets.images import render as image_render
from maquette.datasets.images.render import CameraRange, RenderOptions, camera_of, render_images
from maquette.datasets.images.true_shapes import true_shapes
from maquette.datasets.resumable import Finished
from maquette.datasets.sources import items_of
from maquette.errors import UserError
from maquette.evaluation.shapes.point_clouds import chamfer
from maquette.events import Skipped
from maquette.geometry.curvature import mean_curvature
from maquette.geometry.points import surface_points
from maquette.geometry.voxelise import voxelise
from maquette.rendering.camera import Camera
from maquette.rendering.coloured import SAMPLES, coloured, light
from maquette.rendering.colours import FIXED, scheme
from maquette.rendering.materials import ATTRIBUTE, MATERIALS
from maquette.rendering.raycaster import RayCaster

SMALL = {"size": 16, "views": 3, "count": 4, "holdout": 2, "workers": 1}


@pytest.fixture(scope="module")
def chairs(tmp_path_factory):
    """A set of six chairs on white."""
    out = tmp_path_factory.mktemp("sets") / "chairs"
    events = list(render_images("furniture:chair", out, **SMALL))
    assert events[-1] == Finished(out, 18, ()) and [event.done for event in events[:-1]] == [1, 2, 3, 4, 5, 6]
    return open_images(out)


def test_a_camera_has_the_radius_and_the_field_of_view_that_were_asked_for():
    cameras = CameraRange((20.0, 20.0), (30.0, 30.0), fov_deg=35.0, radius=2.0)
    camera = cameras.sample(np.random.default_rng(0), 64)
    assert camera.azimuth_deg == 20 and camera.elevation_deg == pytest.approx(30)
    assert camera.distance == pytest.approx(2.0)
    assert camera.focal_px == pytest.approx(32 / np.tan(np.radians(17.5)))
    assert np.linalg.norm(camera.position) == pytest.approx(2.0)
    assert camera.project(np.zeros((1, 3)))[0] == pytest.approx([32, 32, 2.0])


def test_cameras_are_even_over_the_band_of_the_sphere():
    rng, cameras = np.random.default_rng(1), CameraRange((-90.0, 90.0), (0.0, 60.0))
    drawn = [cameras.sample(rng, 8) for _ in range(4000)]
    height = np.sin(np.radians([camera.elevation_deg for camera in drawn])) / np.sin(np.radians(60))
    turned = (np.array([camera.azimuth_deg for camera in drawn]) + 90) % 360 / 180
    for values in (height, turned):
        assert 0 <= values.min() and values.max() <= 1 + 1e-9
        assert np.abs(np.sort(values) - (np.arange(4000) + 0.5) / 4000).max() < 0.03, "Kolmogorov and Smirnov"


def test_pixels_are_the_means_of_what_the_rays_see_and_white_elsewhere():
    mesh = trimesh.creation.box(extents=(1, 0.5, 0.7))
    caster, camera = RayCaster(mesh), Camera(35.0, 25.0, 40.0, 24)
    albedo = np.tile(np.float32([0.5, 0.2, 0.05]), (12, 1))
    picture, mask = coloured(caster, camera, albedo)
    fine = caster.cast(Camera(35.0, 25.0, 40.0, 24 * SAMPLES))
    share = fine.mask.reshape(24, SAMPLES, 24, SAMPLES).sum((1, 3)) / SAMPLES**2
    assert np.array_equal(mask, np.round(255 * share).astype(np.uint8)) and 0 < share.mean() < 1
    assert (picture[mask == 0] == 255).all() and (picture[mask == 255] < 255).all()
    row, column = np.argwhere(mask == 255)[5]
    block = slice(SAMPLES * row, SAMPLES * (row + 1)), slice(SAMPLES * column, SAMPLES * (column + 1))
    expected = (light(fine.normal[block].reshape(-1, 3))[:, None] * albedo[0]).mean(0)
    assert picture[row, column] == pytest.approx(255 * expected ** (1 / 2.2), abs=0.51)
    on_blue, _ = coloured(caster, camera, albedo, (10, 20, 200))
    assert (on_blue[mask == 0] == (10, 20, 200)).all() and np.array_equal(on_blue[mask == 255], picture[mask == 255])


def test_the_rows_are_named_and_counted_and_the_masks_are_the_silhouettes(chairs):
    assert len(chairs) == 18 and chairs.info.counts == {"train": 12, "test": 6}
    assert chairs.pixels([0]).shape == (1, 16, 16, 3) and chairs.masks([0, 17]).shape == (2, 16, 16)
    shapes = {name.rsplit("-", 1)[0] for name in chairs.ids}
    assert shapes == {f"furniture-chair-{k:06d}" for k in range(4)} | {f"furniture-test-chair-{k:06d}" for k in (0, 1)}
    options = RenderOptions(16, 3, "white", 0, CameraRange())
    items = {item.id: item for split, count in (("train", 4), ("test", 2))
             for item in items_of(["furniture:chair"], count=count, split=split)}
    for row, name in enumerate(chairs.ids):
        shape, view = name.rsplit("-", 1)
        mesh = items[shape].load()
        camera = camera_of(shape, int(view), options)
        pixels, mask = coloured(RayCaster(mesh), camera, scheme(mesh, image_render._own_seed(shape, 0)))
        assert np.array_equal(chairs.masks([row])[0], mask) and np.array_equal(chairs.pixels([row])[0], pixels)
        assert (pixels[mask == 0] == 255).all() and (mask == 0).any() and (mask == 255).any()


def test_cameras_are_kept_of_the_test_split_alone(chairs):
    listed = json.loads((chairs.path / "test-cameras.json").read_text())
    assert [camera["id"] for camera in listed] == [chairs.id(row) for row in chairs.split("test")]
    options = RenderOptions(16, 3, "white", 0, CameraRange())
    camera = camera_of("furniture-test-chair-000001", 2, options)
    assert (listed[5]["azimuth_deg"], listed[5]["zoom"]) == (camera.azimuth_deg, camera.zoom)
    train = {chairs.id(row) for row in chairs.split("train")}
    for path in chairs.path.rglob("*"):
        if path.is_file() and path.suffix == ".json":
            text = path.read_text()
            assert not any(name in text for name in train), path.name
    names = {name for file in chairs._files for name in file.schema.names}
    assert names == {"id", "pixels", "height", "width", "channels", "mask"}
    facts = json.loads((chairs.path / "rendered.json").read_text())
    assert facts["radius"] == 2.9 and facts["elevation_deg"] == [0, 45]
    inner = np.pad(np.zeros((14, 14), bool), 1, constant_values=True)
    assert facts["cut_off"] == sum(mask[inner].any() for mask in chairs.masks(range(18))) < 9
    assert {entry.name for entry in chairs.path.iterdir()} == {
        "train", "test", "dataset_dict.json", "images.json", "rendered.json", "README.md", "test-cameras.json",
        "test-shapes.npz"}


def test_the_true_shapes_of_the_test_split_are_beside_it(chairs):
    kept = true_shapes(chairs.path)
    assert kept.ids == ("furniture-test-chair-000000", "furniture-test-chair-000001")
    assert kept.labels == ("chair", "chair") and kept.points.shape == (2, 2048, 3)
    mesh = make("chair", 1_000_001)
    assert np.array_equal(kept.voxels[1], voxelise(mesh, 64)) and kept.mean_curvature[1] == pytest.approx(
        mean_curvature(mesh)
    )
    assert chamfer(kept.points[1], surface_points(mesh, 2048, seed=5)) < 1e-3 < chamfer(kept.points[1], kept.points[0])


def test_a_shape_has_one_scheme_of_colours_and_another_shape_another():
    mesh = trimesh.creation.box()
    one, again, other = (scheme(mesh, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and (one == one[0]).all() and not np.allclose(one, other)
    assert len({scheme(mesh, seed)[0].tobytes() for seed in range(20)}) == 20
    for azimuth in (0.0, 120.0):  # on all that is seen the channels have the ratios of the albedo
        picture, mask = coloured(RayCaster(mesh), Camera(azimuth, 30.0, 40.0, 16), one)
        levels = (picture[mask == 255] / 255.0) ** 2.2
        assert np.allclose(levels / levels.sum(1, keepdims=True), one[0] / one[0].sum(), atol=0.01)


def test_furniture_is_coloured_by_what_its_parts_are_made_of():
    car = make("car", 3)
    names = {MATERIALS[k] for k in np.unique(car.face_attributes[ATTRIBUTE])}
    assert {"paint", "glass", "tyre", "hub"} <= names <= {"paint", "glass", "tyre", "hub", "lamp", "trim"}
    touching = car.triangles[:, :, 2].min(1) < car.bounds[0, 2] + 1e-6
    assert {MATERIALS[k] for k in np.unique(car.face_attributes[ATTRIBUTE][touching])} == {"tyre"}
    glass = car.triangles_center[car.face_attributes[ATTRIBUTE] == MATERIALS.index("glass")]
    assert (glass[:, 2] > 0).all(), "windows are in the upper half"
    colours = scheme(car, 5)
    tyre = (np.frombuffer(bytes.fromhex(FIXED["tyre"]), np.uint8) / 255) ** 2.2
    assert np.allclose(colours[touching], tyre)
    kinds = {MATERIALS[k] for seed in range(6) for k in np.unique(make("chair", seed).face_attributes[ATTRIBUTE])}
    assert kinds == {"cover", "frame"}


def test_a_random_background_is_one_plain_colour_a_picture(tmp_path):
    list(render_images("furniture:cup", tmp_path / "out", **(SMALL | {"background": "random", "holdout": 0})))
    data = open_images(tmp_path / "out")
    colours = set()
    for pixels, mask in zip(data.pixels(range(12)), data.masks(range(12)), strict=True):
        ground = np.unique(pixels[mask == 0], axis=0)
        assert len(ground) == 1
        colours.add(tuple(ground[0]))
    assert len(colours) == 12 and len(data.split("test")) == 0
    with pytest.raises(UserError, match="there is no true shape to compare with"):
        from maquette.evaluation.fields.mesh_quality import mesh_quality

        mesh_quality([trimesh.creation.box()], true_shapes(tmp_path / "out").points)


def test_a_stopped_run_goes_on_and_ends_the_same(chairs, tmp_path, monkeypatch):
    monkeypatch.setattr(image_render, "_GROUP", 3)
    events = render_images("furniture", tmp_path / "out", classes=("chair",), **SMALL)
    for _ in range(5):
        next(events)
    events.close()
    with pytest.raises(UserError, match="is not a prepared dataset of images"):
        open_images(tmp_path / "out")
    with pytest.raises(UserError, match=r"was begun with other options, got radius 2.9 there and 3.0 here; give the"):
        next(render_images("furniture:chair", tmp_path / "out", cameras=CameraRange(radius=3.0), **SMALL))
    events = list(render_images("furniture:chair", tmp_path / "out", **SMALL))
    assert events[0].done == 6, "five groups of one shape were whole"
    again = open_images(tmp_path / "out")
    assert again.ids == chairs.ids and np.array_equal(again.pixels(range(18)), chairs.pixels(range(18)))
    for name in ("test-shapes.npz", "test-cameras.json", "rendered.json"):
        assert (tmp_path / "out" / name).read_bytes() == (chairs.path / name).read_bytes(), name
    assert list(render_images("furniture:chair", tmp_path / "out", **SMALL)) == [events[-1]], "nothing left to do"
    with pytest.raises(UserError, match="out holds images that were made otherwise; choose another folder"):
        next(render_images("furniture:chair", tmp_path / "out", **(SMALL | {"seed": 1})))


def test_two_processes_write_the_same_bytes_and_another_seed_does_not(chairs, tmp_path):
    list(render_images("furniture:chair", tmp_path / "two", **(SMALL | {"workers": 2})))
    files = [path.relative_to(chairs.path) for path in chairs.path.rglob("*") if path.is_file()]
    assert len(files) == 12
    for name in files:
        assert (tmp_path / "two" / name).read_bytes() == (chairs.path / name).read_bytes(), name
    list(render_images("furniture:chair", tmp_path / "other", **(SMALL | {"seed": 1})))
    other = open_images(tmp_path / "other")
    assert other.ids == chairs.ids
    assert not any(np.array_equal(other.masks([row]), chairs.masks([row])) for row in range(18))


def test_meshes_of_a_folder_are_split_by_their_names(tmp_path):
    for number in range(6):
        path = tmp_path / "in" / ("box" if number % 2 else "ball") / f"{number}.off"
        path.parent.mkdir(parents=True, exist_ok=True)
        trimesh.creation.box(extents=(1, 1 + number / 10, 0.5)).export(path)
    (tmp_path / "in" / "box" / "bad.off").write_text("OFF\n")
    events = list(render_images(tmp_path / "in", tmp_path / "out", classes=("box",), size=8, views=2, holdout=1,
                                workers=1))
    skipped = [event.id for event in events if isinstance(event, Skipped)]
    data = open_images(tmp_path / "out")
    ids = {item.id for item in items_of([tmp_path / "in"]) if item.label == "box"}
    assert len(skipped) == 1 and skipped == [id for id, _ in data.info.skipped]
    assert {name.rsplit("-", 1)[0] for name in data.ids} == ids - set(skipped)
    assert len(true_shapes(tmp_path / "out").ids) * 2 == len(data.split("test")) <= 2
    assert "shapes of the user's own: as their owner says" in (tmp_path / "out" / "README.md").read_text()
    for path in (tmp_path / "out").glob("*.*"):
        assert str(tmp_path).encode() not in path.read_bytes(), path.name
    with pytest.raises(UserError, match="in has no class of this name, got 'car'; it has ball, box"):
        next(render_images(tmp_path / "in", tmp_path / "no", classes=("car",)))
    with pytest.raises(UserError, match="holding out 9 shapes leaves none to learn from, got 7 shapes; lower --hold"):
        next(render_images(tmp_path / "in", tmp_path / "no", holdout=9))


@pytest.mark.parametrize("changes, text", [
    ({"size": 7}, "size_px must be from 8 to 512 pixels, got 7"),
    ({"views": 0}, "views must be from 1 to 500, got 0"),
    ({"count": 0}, "count must be 1 or more, got 0"),
    ({"holdout": -1}, "holdout must be 0 or more, got -1"),
    ({"background": "blue"}, "background must be white or random, got 'blue'"),
    ({"seed": -1}, "seed must be 0 or more, got -1"),
    ({"workers": 0}, "workers must be 1 or more, got 0"),
    ({"classes": ("spoon",)}, "furniture kinds must be among chair, .*, got spoon"),
])
def test_options_that_cannot_be(tmp_path, changes, text):
    with pytest.raises(UserError, match=text):
        next(render_images("furniture", tmp_path / "out", **(SMALL | changes)))


@pytest.mark.parametrize("arguments, text", [
    (((10, 5),), "azimuth must be two angles, the lower one first, got 10 5"),
    (((0, 360), (20, 10)), "elevation must be two angles, the lower one first, got 20 10"),
    (((0, 360), (-91, 10)), "elevation must lie between -90 and 90 degrees, got -91 10"),
    (((0, 360), (0, 10), 0.5), "fov must be from 1 to 120 degrees, got 0.5"),
    (((0, 360), (0, 10), 30, 0.8), "radius must be above 0.866, so that cameras are outside .* 1000, got 0.8"),
])
def test_cameras_that_cannot_be(arguments, text):
    with pytest.raises(UserError, match=text):
        CameraRange(*arguments)


def test_what_is_missing_or_damaged_beside_a_set_is_named(chairs, tmp_path):
    with pytest.raises(UserError, match="has no true shapes: it has no test-shapes.npz; make an image set of shapes w"):
        true_shapes(tmp_path)
    (tmp_path / "test-shapes.npz").write_bytes((chairs.path / "test-shapes.npz").read_bytes()[:-400])
    with pytest.raises(UserError, match="cannot read .*test-shapes.npz, got .*; make the image set again"):
        true_shapes(tmp_path)
    with np.load(chairs.path / "test-shapes.npz") as whole:
        np.savez(tmp_path / "test-shapes.npz", **(dict(whole) | {"bend": np.zeros(3)}))
    with pytest.raises(UserError, match="test-shapes.npz holds no true shapes: points of shape"):
        true_shapes(tmp_path)


def test_the_command(tmp_path, capsys):
    out = tmp_path / "out"
    assert call("data", "render", "images", "furniture:lamp", "--out", out, "--size", 8, "--views", 2, "--count", 2,
                "--holdout", 1, "--azimuth", -10, 10, "--elevation", 5, 5, "--fov", 20, "--radius", 4, "--json",
                "--workers", 1) == 0
    assert json.loads(capsys.readouterr().out) == {"output": str(out), "images": 6, "skipped": []}
    listed = json.loads((out / "test-cameras.json").read_text())
    assert all(min(c["azimuth_deg"], 360 - c["azimuth_deg"]) <= 10 for c in listed) and len(listed) == 2
    assert call("data", "show", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["images"], facts["size"], facts["masks"]) == (6, "8x8", "kept")
    assert ImageInfo.load(out).terms == "furniture: made by this package, no terms"


@pytest.mark.parametrize("count, holdout", [(30, 6), (4, 1), (1000, 100), (None, 100)])
def test_few_shapes_to_learn_from_have_few_to_test(count, holdout):  # "--count 30" gave 100 shapes for testing
    name, split = image_render._split("furniture:chair", (), count, None, 0, "z")
    assert (len(split["train"]), len(split["test"])) == (count or 1000, holdout)
    assert len(image_render._split("furniture:chair", (), count, 7, 0, "z")[1]["test"]) == 7


def test_shapes_of_a_folder_are_held_out_in_proportion(tmp_path):
    for number in range(12):
        trimesh.creation.box(extents=(1, 1, 1 + number)).export(tmp_path / f"{number}.stl")
    split = image_render._split(tmp_path, (), None, None, 0, "z")[1]
    assert (len(split["train"]), len(split["test"])) == (10, 2)
    split = image_render._split(tmp_path, (), 5, None, 0, "z")[1]
    assert (len(split["train"]), len(split["test"])) == (5, 1)
