"""Pictures of noise and pages of text are refused; drawings, dashes, hatching and photos are not."""


import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from typed import refused

from maquette.api.reconstruction import reconstruct
from maquette.intake.pickup import frame_object
from maquette.io.pictures import read_picture
from maquette.outputs.pictures import EXAMPLES
from maquette.ways.drawable import is_grain, require_a_thing, small_marks, text_rows
from maquette.ways.outline import drawn_outline, outline_of_lines


def page_of_text(size: int, turn_deg: float = 0.0, rows: int = 12) -> np.ndarray:
    page = Image.new("L", (900, 1100), 255)
    font, draw = ImageFont.load_default(size), ImageDraw.Draw(page)
    for row in range(rows):
        words = "Pencil sketches to watertight meshes"[: int(1300 / size)]
        draw.text((80, 120 + 1.6 * size * row), words, font=font, fill=0)
    return np.asarray(page.rotate(turn_deg, fillcolor=255, resample=Image.Resampling.BICUBIC))


def grain(kind: str) -> np.ndarray:
    rng = np.random.default_rng(3)
    if kind == "pepper":
        return np.where(rng.random((300, 300, 1)) < 0.1, 0, 255).repeat(3, 2).astype(np.uint8)
    if kind == "strokes":
        page = np.full((400, 400), 255, np.uint8)
        for start in rng.uniform(0, 400, (200, 2)):
            cv2.line(page, np.int32(start).tolist(), np.int32(start + rng.normal(0, 12, 2)).tolist(), 0, 2, cv2.LINE_AA)
        return np.repeat(page[..., None], 3, 2)
    noise = rng.normal(0, 1, (256, 256, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 2) * 7 if kind == "soft" else noise
    return np.clip(128 + 40 * noise, 0, 255).astype(np.uint8)


def asked(picture: np.ndarray) -> None:
    picture = np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture
    found = frame_object(picture, 96, 1)
    require_a_thing(picture, drawn_outline(picture, found), found.kind == "photo", "a.png")


def outline_of_page(page: np.ndarray) -> np.ndarray:
    return 1 - frame_object(page, 256, 1).image[0] > 0.5


@pytest.mark.parametrize("kind", ["hard", "soft", "pepper", "strokes"])
def test_noise_is_refused(kind):
    with refused("a.png shows grain or a fine pattern all over and no object; give one object that fills most"):
        asked(grain(kind))


@pytest.mark.parametrize(("size", "turn"), [(20, 0), (32, 2), (48, -3)])
def test_text_is_refused(size, turn):
    with refused("a.png shows text or small marks all over and no drawing of one object; give one object"):
        asked(page_of_text(size, turn))
    assert text_rows(outline_of_page(page_of_text(size, turn))) == 12


def test_small_marks_all_over_are_refused():
    page, spots = np.full((256, 256), 255, np.uint8), np.zeros((0, 2))
    for spot in np.random.default_rng(0).uniform(12, 244, (3000, 2)):
        if len(spots) < 80 and (np.hypot(*(spots - spot).T) > 18).all():
            spots = np.vstack([spots, spot])
            cv2.circle(page, np.int32(spot).tolist(), 4, 0, 1)
    assert small_marks(page < 128) == 80
    with refused("a.png shows text or small marks all over and no drawing of one object; give one object"):
        outline = outline_of_lines((page < 128).astype(np.float32))
        require_a_thing(np.repeat(page[..., None], 3, 2), outline, False, "a.png")
    assert small_marks(page[:128, :128] < 128) == 0  # few
    cv2.rectangle(page, (60, 60), (200, 200), 0, 3)
    assert small_marks(page < 128) == 0  # there is a thing among them


def test_a_single_line_of_text_is_no_page():
    assert text_rows(page_of_text(60, rows=2)[:900, :900] < 128) == 0


@pytest.mark.parametrize("name", sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.??g")
                                        if "scans" not in path.parts))
def test_the_examples_show_things(name):
    asked(read_picture(EXAMPLES / name))


def test_dashed_and_hatched_drawings_show_things():
    dashed, hatched = np.full((400, 400), 255, np.uint8), np.full((400, 400), 255, np.uint8)
    for at in range(40, 360, 16):
        across = ((at, 40), (at + 9, 40)), ((at, 359), (at + 9, 359))
        for a, b in (*across, ((40, at), (40, at + 9)), ((359, at), (359, at + 9))):
            cv2.line(dashed, a, b, 0, 3)
        cv2.line(hatched, (60, at), (340, at), 0, 3)
    cv2.rectangle(hatched, (40, 30), (360, 370), 0, 3)
    asked(dashed)
    asked(hatched)


def test_an_even_picture_is_no_grain():
    assert not is_grain(np.full((50, 70, 3), 200, np.uint8))


def test_reconstruct_refuses_and_a_named_way_does_not(tmp_path):
    text, noise = tmp_path / "text.png", tmp_path / "noise.png"
    Image.fromarray(page_of_text(90, rows=6)).save(text)
    Image.fromarray(grain("hard")).save(noise)
    for by in ("auto", "model"):
        with refused("shows text or small marks all over and no drawing"):
            reconstruct(text, by=by)
        with refused("shows grain or a fine pattern all over and no object"):
            reconstruct(noise, by=by)
    assert reconstruct(text, by="extrude").way == "extrude"
