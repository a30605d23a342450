"""A picture is taken as a file, as bytes, as pixels and as a PIL image, and is the same picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maquette.errors import UserError
from maquette.intake.given import as_picture
from maquette.io.pictures import read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_one_picture_in_five_forms(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(path)
    forms = {str(path): str(path), path: str(path)}
    for given, name in forms.items():
        assert as_picture(given).name == name and np.array_equal(as_picture(given).pixels, PIXELS)
    for given in (path.read_bytes(), PIXELS, Image.fromarray(PIXELS)):
        assert as_picture(given).name == "picture" and np.array_equal(as_picture(given).pixels, PIXELS)


def test_pixels_stay_as_they_are():
    grey = PIXELS[..., 0]
    assert as_picture(grey).pixels is grey


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV",
                                  "I", "F", "I;16"])
def test_an_image_of_any_mode_is_read_as_its_file_is(mode):
    if mode == "I;16":
        image = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 200)
    elif mode in ("La", "RGBa", "PA"):
        between = {"La": "LA", "PA": "P"}.get(mode, "RGBA")
        image = Image.fromarray(PIXELS).convert("RGBA").convert(between).convert(mode)
    elif mode == "LAB":
        image = Image.frombytes("LAB", (30, 20), PIXELS.tobytes())
    else:
        image = Image.fromarray(PIXELS).convert(mode)
    pixels = as_picture(image).pixels
    assert pixels.shape == (20, 30, 3) and pixels.dtype == np.uint8 and pixels.std() > 5
    if mode in ("1", "L", "RGB"):
        assert np.array_equal(pixels, np.asarray(image.convert("RGB")))


def test_an_image_is_turned_upright_and_its_alpha_laid_on_white_or_kept(tmp_path):
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif, quality=100)
    opened = Image.open(tmp_path / "turned.jpg")
    assert np.array_equal(as_picture(opened).pixels, read_picture(tmp_path / "turned.jpg"))
    assert as_picture(opened).pixels.shape == (30, 20, 3)
    clear = Image.new("RGBA", (8, 9), (10, 20, 30, 0))
    assert (as_picture(clear).pixels == 255).all()
    assert as_picture(clear, keep_alpha=True).pixels.shape == (9, 8, 4)


def test_what_is_no_picture_is_said(tmp_path):
    with pytest.raises(UserError, match="gone.png does not exist; check the name of the file"):
        as_picture(Path(tmp_path / "gone.png"))
    with pytest.raises(UserError, match="picture"):
        as_picture(io.BytesIO(b"no picture at all").getvalue())
