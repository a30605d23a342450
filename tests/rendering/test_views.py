"""Random views: reproducible, well formed, and of the shape that was asked for."""

import cv2
import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from maquette.errors import UserError
from maquette.rendering import Camera, RayCaster, pencil_style, render_views, shade
from maquette.rendering.clutter import furnish, shelves
from maquette.rendering.depth import depth_picture, depth_uint16, metric_depth
from maquette.rendering.framing import extent, hull_corners, random_viewpoint


def table():
    parts = [trimesh.creation.box((1, 0.6, 0.05), trimesh.transformations.translation_matrix((0, 0, 0.225)))]
    for x in (-0.45, 0.45):
        for y in (-0.25, 0.25):
            where = trimesh.transformations.translation_matrix((x, y, 0))
            parts.append(trimesh.creation.box((0.06, 0.06, 0.46), where))
    mesh = trimesh.boolean.union(parts, engine="manifold")
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    return mesh


TABLE = table()
SPHERE = trimesh.creation.icosphere(subdivisions=4, radius=0.5)


@pytest.mark.parametrize("channels", [1, 3])
def test_same_seed_same_pictures(channels):
    first = render_views(TABLE, count=6, size_px=64, seed=3, channels=channels)
    again = render_views(TABLE.copy(), count=6, size_px=64, seed=3, channels=channels)
    other = render_views(TABLE, count=6, size_px=64, seed=4, channels=channels)
    assert np.array_equal(first.images, again.images)
    assert first.kinds == again.kinds and first.cameras == again.cameras
    assert not np.array_equal(first.images, other.images)
    assert first.images.shape == ((6, 64, 64) if channels == 1 else (6, 64, 64, 3)) and first.images.dtype == np.uint8


def test_kinds_are_mixed_and_cameras_within_range():
    views = render_views(TABLE, count=60, size_px=32, seed=1)
    assert 15 < views.kinds.count("photo") < 45 and len(views) == 60
    assert set(views.kinds) == {"photo", "pencil"}
    assert all(-10 <= c.elevation_deg <= 45 and 25 <= c.fov_deg <= 60 for c in views.cameras)
    quarters = np.bincount([int(c.azimuth_deg // 90) for c in views.cameras], minlength=4)
    assert (quarters > 3).all()
    assert all((image.std() > 2) for image in views.images)


def test_drawings_are_dark_lines_on_bright_paper(monkeypatch):
    monkeypatch.setattr(pencil_style, "BOARDS", 0.0)
    views = render_views(TABLE, count=24, size_px=96, seed=2, kinds=("pencil",))
    for image in views.images:
        assert np.median(image) > 110
        assert np.percentile(image, 1) < 0.8 * np.median(image)
        assert (image < 0.7 * np.median(image)).mean() < 0.4


def test_or_bright_lines_on_a_dark_board(monkeypatch):
    monkeypatch.setattr(pencil_style, "BOARDS", 1.0)
    views = render_views(TABLE, count=24, size_px=96, seed=2, kinds=("pencil",))
    for image in views.images:
        assert np.median(image) < 110
        assert np.percentile(image, 99) > np.median(image) + 30
        assert (image > np.median(image) + 30).mean() < 0.4


def test_silhouette_is_the_projection_of_the_mesh():
    views = render_views(SPHERE, count=4, size_px=96, seed=5, kinds=("silhouette",))
    for image, camera in zip(views.images, views.cameras, strict=True):
        drawn = np.zeros((96, 96), np.uint8)
        hull = cv2.convexHull(camera.project(SPHERE.vertices)[:, :2].astype(np.float32))
        cv2.fillPoly(drawn, [np.int32((hull - 0.5) * 16)], 1, shift=4)
        assert ((image == 0) != (drawn == 1)).mean() < 0.02
        assert set(np.unique(image)) == {0, 255}


def test_depth_view_and_metric_depth():
    camera = Camera(30, 20, 40, 65)
    depth = metric_depth(RayCaster(SPHERE), camera)
    assert depth[32, 32] == pytest.approx(camera.distance - 0.5, abs=2e-3)
    assert depth_uint16(depth)[32, 32] == pytest.approx((camera.distance - 0.5) * 1e4, abs=20)
    assert depth_uint16(depth)[0, 0] == 0
    picture = depth_picture(depth)
    assert picture[32, 32] >= 253 and picture[0, 0] == 0 and picture[picture > 0].min() == 55
    assert not depth_picture(np.full((4, 4), np.inf, np.float32)).any()


def test_a_drawing_shows_the_whole_object():
    views = render_views(TABLE, count=12, size_px=96, seed=9, kinds=("pencil",))
    for camera in views.cameras:
        where = camera.project(TABLE.vertices)[:, :2]
        assert where.min() >= 0 and where.max() <= 96
        assert max(np.ptp(where, axis=0)) > 0.6 * 96


def test_things_stand_on_the_table_top_and_not_in_it():
    caster = RayCaster(TABLE)
    places = shelves(caster, np.random.default_rng(0))
    top = float(TABLE.vertices[:, 2].max())
    tops = [place for place in places if abs(place.z - top) < 1e-3]
    assert len(tops) == 1 and np.isinf(tops[0].headroom)
    assert tops[0].x1 - tops[0].x0 > 0.9 and tops[0].y1 - tops[0].y0 > 0.5
    things = furnish(tops, np.random.default_rng(0), 1.0)
    assert things.vertices[:, 2].min() > top - 0.06
    assert np.abs(things.vertices[:, 0]).max() < 0.6


def test_books_find_the_compartments():
    boards = [trimesh.creation.box((0.6, 0.3, 0.03), trimesh.transformations.translation_matrix((0, 0, z)))
              for z in (-0.48, -0.16, 0.16, 0.48)]
    sides = [trimesh.creation.box((0.03, 0.3, 1.0), trimesh.transformations.translation_matrix((x, 0, 0)))
             for x in (-0.3, 0.3)]
    caster = RayCaster(trimesh.boolean.union(boards + sides, engine="manifold"))
    places = shelves(caster, np.random.default_rng(1))
    inner = [place for place in places if np.isfinite(place.headroom)]
    assert sorted(round(place.z, 2) for place in inner) == [-0.46, -0.14, 0.18] or len(inner) == 3
    assert all(place.headroom == pytest.approx(0.29, abs=0.01) for place in inner)
    things = furnish(inner, np.random.default_rng(1), 1.0)
    assert np.abs(things.vertices[:, 0]).max() < 0.3 and np.abs(things.vertices[:, 2]).max() < 0.5


def test_backgrounds_from_a_folder_change_photos(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), rng.integers(0, 255, (80, 60, 3), dtype=np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    plain = render_views(TABLE, count=8, size_px=48, seed=1, kinds=("photo",))
    filled = render_views(TABLE, count=8, size_px=48, seed=1, kinds=("photo",), backgrounds=tmp_path)
    assert not np.array_equal(plain.images, filled.images)


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match="view kinds must be among photo, pencil, depth, silhouette, got sketch"):
        render_views(TABLE, count=1, size_px=16, seed=0, kinds=("sketch",))
    with pytest.raises(UserError, match="channels must be 1 or 3, got 2"):
        render_views(TABLE, count=1, size_px=16, seed=0, channels=2)
    with pytest.raises(UserError, match="a mesh needs faces"):
        render_views(trimesh.Trimesh(), count=1, size_px=16, seed=0)
    with pytest.raises(UserError, match="is not there"):
        render_views(TABLE, count=1, size_px=16, seed=0, backgrounds=tmp_path / "missing")
    with pytest.raises(UserError, match="none that can be read"):
        render_views(TABLE, count=1, size_px=16, seed=0, backgrounds=tmp_path)
    assert render_views(TABLE, count=0, size_px=16, seed=0).images.shape == (0, 16, 16)


def test_studio_picture_shows_the_object_on_a_bright_ground():
    camera = Camera(30, 20, 40, 96)
    picture = shade(TABLE, camera)
    mask = RayCaster(TABLE).cast(camera).mask
    assert picture.shape == (96, 96, 3) and picture.dtype == np.uint8
    assert picture[0].min() > 200
    assert picture[mask][:, 0].mean() > picture[mask][:, 2].mean() + 20  # clay is warm
    assert np.array_equal(picture, shade(TABLE, camera))


@pytest.mark.parametrize("shape", ["triangle", "sheet", "open box", "two bodies"])
def test_meshes_that_are_no_solids_are_drawn_all_the_same(shape):
    square = [[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]]
    mesh = {
        "triangle": trimesh.Trimesh([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0, 0, 0.5]], [[0, 1, 2]]),
        "sheet": trimesh.Trimesh(square, [[0, 1, 2], [0, 2, 3]]),
        "open box": trimesh.Trimesh(TABLE.vertices, TABLE.faces[: len(TABLE.faces) // 2]),
        "two bodies": trimesh.util.concatenate([SPHERE, trimesh.creation.box((0.2, 0.2, 1))]),
    }[shape]
    views = render_views(mesh, count=8, size_px=32, seed=0, kinds=("photo", "pencil", "depth", "silhouette"))
    assert len(views) == 8


@pytest.mark.parametrize("size_px", [17, 300, 700])
def test_any_size_can_be_asked_for(size_px):
    box = trimesh.creation.box((1, 0.7, 0.5))
    seen = render_views(box, count=3, size_px=size_px, seed=3, channels=3)
    assert seen.images.shape == (3, size_px, size_px, 3)


def test_kinds_that_take_turns_are_all_there():  # "data render --kinds photo pencil depth" gave no photo
    views = render_views(trimesh.creation.box(), count=4, size_px=32, seed=0, kinds=("photo", "pencil", "depth"),
                         in_turn=True)
    assert views.kinds == ("photo", "pencil", "depth", "photo")


@pytest.mark.parametrize("mesh", [TABLE, SPHERE, trimesh.creation.torus(0.3, 0.1)])
def test_corners_of_the_hull_bound_pictures_as_those_of_scipy(mesh):
    caster, rng = RayCaster(mesh), np.random.default_rng(0)
    ours, theirs = hull_corners(caster), caster.vertices[ConvexHull(caster.vertices).vertices]
    assert len(ours) <= len(theirs) + 8
    for _ in range(20):
        camera = random_viewpoint(rng, 256)
        assert extent(ours, camera) == pytest.approx(extent(theirs, camera), abs=1e-3)


def test_a_flat_shape_keeps_all_its_corners():
    square = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    assert len(hull_corners(RayCaster(square))) == 4
