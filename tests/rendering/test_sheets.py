"""Pictures: their size, what stands where, and that the sides differ."""

import numpy as np
import pytest
import trimesh
from PIL import Image

from maquette.errors import UserError
from maquette.rendering.sheets import (
    FLAT_SIDES,
    SIDES,
    against_light,
    animation,
    contact_sheet,
    equation,
    four_sides,
    painted,
    preview,
    sheet_of_images,
)


@pytest.fixture
def stool() -> trimesh.Trimesh:
    """Lopsided, in millimetres, standing on z = 0: no two sides look alike."""
    seat = trimesh.creation.box((60, 40, 10)).apply_translation((0, 0, 60))
    legs = trimesh.creation.box((10, 30, 60)).apply_translation((-20, 0, 30))
    return trimesh.util.concatenate([seat, legs, trimesh.creation.box((8, 8, 90)).apply_translation((20, 10, 45))])


def test_four_sides_are_four_different_pictures(stool):
    pictures = four_sides(stool, 64)
    assert len(pictures) == 4 and all(p.shape == (64, 64, 3) and p.dtype == np.uint8 for p in pictures)
    for i in range(4):
        for j in range(i):
            assert np.abs(pictures[i].astype(int) - pictures[j]).mean() > 3


def test_the_unit_of_the_mesh_does_not_matter(stool):
    large = four_sides(stool, 48)
    small = four_sides(stool.copy().apply_scale(0.001).apply_translation((5, 5, 5)), 48)
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(large, small, strict=True)) < 2


@pytest.mark.parametrize("shape", [(30, 50), (50, 30, 3), (20, 20, 4), (20, 20, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_preview_has_the_input_at_the_left(stool, tmp_path, shape, dtype):
    image = np.full(shape, 200 if dtype == np.uint8 else 200 / 255, dtype)
    if shape[-1] == 4:
        image[..., 3] = 255 if dtype == np.uint8 else 1
    path = preview(image, stool, tmp_path / "p.png", title="stool.jpg: watertight", cell_px=60)
    page = np.asarray(Image.open(path))
    alone = np.asarray(Image.open(preview(None, stool, tmp_path / "alone.png", cell_px=60)))
    assert page.shape[1] - alone.shape[1] == 64 and page.shape[0] > alone.shape[0]  # one cell and its gap; the title
    assert tuple(page[34, 34]) == (200, 200, 200)
    assert len(SIDES) == 4


def test_transparent_input_is_laid_on_white(stool, tmp_path):
    image = np.zeros((20, 20, 4), np.uint8)
    page = np.asarray(Image.open(preview(image, stool, tmp_path / "p.png", cell_px=60)))
    assert tuple(page[34, 34]) == (255, 255, 255)


def test_a_very_long_title_stays_on_the_page(stool, tmp_path):
    path = preview(None, stool, tmp_path / "p.png", title="a long name " * 50 + "\nand more", cell_px=48)
    page = np.asarray(Image.open(path))
    assert (page[:, -3:] == 255).all()


def test_a_sheet_of_meshes_pictures_and_gaps(stool, tmp_path):
    red = np.zeros((10, 10, 3), np.uint8)
    red[..., 0] = 255
    items = [stool, None, red, stool]
    path = contact_sheet(items, tmp_path / "s.png", columns=3, cell_px=40, captions=["a", "b", "c", "d"])
    page = np.asarray(Image.open(path))
    assert page.shape[1] == 4 + 3 * 44 and page.shape[0] > 2 * 44
    assert tuple(page[24, 4 + 2 * 44 + 20]) == (255, 0, 0)
    assert (page[6:20, 48 + 4 : 48 + 36] == 255).all()  # the empty cell


def test_a_sheet_needs_pictures_captions_that_fit_and_room(tmp_path):
    grey = np.zeros((8, 8), np.uint8)
    with pytest.raises(UserError, match="at least one picture"):
        sheet_of_images([], tmp_path / "s.png")
    with pytest.raises(UserError, match="one caption for each picture, got 1 for 2"):
        sheet_of_images([grey, grey], tmp_path / "s.png", captions=["a"])
    with pytest.raises(UserError, match="columns >= 1"):
        sheet_of_images([grey], tmp_path / "s.png", columns=0)
    with pytest.raises(UserError, match="shape"):
        sheet_of_images([np.zeros((2, 2, 7))], tmp_path / "s.png")
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_one_line(tmp_path):
    (tmp_path / "s.png").mkdir()
    with pytest.raises(UserError, match="cannot write .*s.png: Is a directory"):
        sheet_of_images([np.zeros((8, 8), np.uint8)], tmp_path / "s.png")


def test_an_animation_goes_there_and_back_for_ever(tmp_path):
    frames = [np.full((20, 30, 3), (40 * k, 90, 255 - 40 * k), np.uint8) for k in range(5)]
    for frame in frames:
        frame[5:9, 5:9] = 255
    with Image.open(animation(frames, tmp_path / "a.gif", 80)) as gif:
        assert gif.n_frames == 8 and gif.info["loop"] == 0 and gif.info["duration"] == 80 and gif.size == (30, 20)
        shown = []
        for number in range(8):
            gif.seek(number)
            shown.append(np.asarray(gif.convert("RGB")).astype(int))
    for number, place in enumerate([0, 1, 2, 3, 4, 3, 2, 1]):
        assert np.abs(shown[number] - frames[place]).max() <= 4, number
    with pytest.raises(UserError, match="two frames at least, got 1"):
        animation(frames[:1], tmp_path / "b.gif")


def test_an_equation_has_room_for_each_sign(tmp_path):
    grey = [np.full((8, 8), 40 * k, np.uint8) for k in range(1, 5)]
    path = equation(grey, ["", "- 0.5 *", "+", "="], ["a", "b", "c", "d"], tmp_path / "e.png", cell_px=48)
    page = np.asarray(Image.open(path))
    assert page.shape[0] == 4 + 48 + 15 + 4 and page.shape[1] > 4 + 4 * 52 + 3 * 8
    row = page[50, :, 0]  # below the signs
    assert [value for value in (40, 80, 120, 160) if (row == value).sum() == 48] == [40, 80, 120, 160]
    starts = [int(np.argmax(row == value)) for value in (40, 80, 120, 160)]
    gaps = np.diff(starts) - 52
    assert starts[0] == 4 and gaps[0] > gaps[1] > 8 and starts[3] + 48 + 4 == page.shape[1]


def test_a_painted_mesh_has_the_colours_of_its_vertices_on_white():
    ball = trimesh.creation.icosphere(3)
    picture = painted(ball, np.full((len(ball.vertices), 3), (30, 140, 250), np.uint8), 60)
    assert picture.shape == (60, 60, 3) and picture.dtype == np.uint8
    inside = np.hypot(*(np.mgrid[:60, :60] - 29.5)) < 0.38 * 60
    assert (picture[inside] == (30, 140, 250)).all() and (picture[0] == 255).all()
    up = np.repeat(np.round(127.5 * (1 + ball.vertices[:, 2:])), 3, 1).astype(np.uint8)
    column = painted(ball, up, 60)[10:50, 30, 0].astype(int)
    assert (np.diff(column) < 0).all(), "brightest above"


def test_an_animation_goes_round_instead_of_back(tmp_path):
    frames = [np.full((8, 8, 3), 60 * k, np.uint8) for k in range(4)]
    with Image.open(animation(frames, tmp_path / "a.gif", back=False)) as gif:
        assert gif.n_frames == 4


def test_a_plate_against_the_light_is_dark_where_it_is_thick():
    steps = [trimesh.creation.box((10, 20, high), None, bounds=None).apply_translation((at, 0, high / 2))
             for at, high in ((-10, 1.0), (0, 2.0), (10, 3.0))]
    picture = against_light(trimesh.util.concatenate(steps), 100)[..., 0].astype(float)
    row = picture[50]
    assert row[0] == row[-1] == 0 and (picture[5] == 0).all()
    for column, thick in ((75, 1.0), (50, 2.0), (25, 3.0)):  # the camera stands behind +y, so x goes left
        assert row[column] == pytest.approx(255 * np.exp(1 - thick), abs=1)


def test_flat_things_are_seen_from_above(tmp_path):
    plate = trimesh.creation.box((60, 40, 3))
    pages = {pose: np.asarray(Image.open(preview(None, plate, tmp_path / "p.png", cell_px=60, pose=pose))).astype(int)
             for pose in ("standing", "flat", "against light")}
    assert len(FLAT_SIDES) == 4 and len({page.shape for page in pages.values()}) == 1

    def covered(page):
        """Share of the first picture that is the colour of the clay."""
        cell = page[4:64, 4:64]
        return (cell[..., 0] > cell[..., 2] + 30).mean()

    assert covered(pages["flat"]) > 0.25 > 1.5 * covered(pages["standing"])
    light = pages["against light"]
    assert (light[34, 34] == 255).all() and (light[6, 6] == 0).all()
    assert (light[:, 70:] == pages["flat"][:, 70:])[:64].all()
