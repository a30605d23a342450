"""What a crop keeps of a picture, exactly."""

import numpy as np
import pytest
from radiographs import radiograph

from maquette.datasets.images import (
    ImageOptions,
    crop_box,
    fit,
    parse_crop,
    parse_size,
)
from maquette.datasets.images.crop import fit_masked, object_box
from maquette.errors import UserError


def options(size: tuple[int, int], crop: str = "centre", grey: bool = True) -> ImageOptions:
    return ImageOptions(*size, grey, crop, 10**8, 0)


def test_sizes_are_width_by_height():
    assert parse_size("512x256") == (512, 256) and parse_size("64X32") == (64, 32)
    for text in ("512", "512x", "axb", "512x256x3", "-5x9"):
        with pytest.raises(UserError, match="size must be WIDTHxHEIGHT in pixels, as 512x256, got '"):
            parse_size(text)
    with pytest.raises(UserError, match="the sides of size must be from 8 to 4096 pixels, got 5000x256"):
        parse_size("5000x256")


@pytest.mark.parametrize("crop, box", [
    ("none", (0, 0, 1024, 499)),
    ("centre", (13, 0, 1011, 499)),
    ("12,10,1000,480", (32, 10, 992, 490)),
    ("0.25,0,0.5,0.5", (262.5, 0, 761.5, 249.5)),
    ("0,0,1,1", (13, 0, 1011, 499)),
])
def test_what_a_crop_keeps_of_1024_by_499_for_two_to_one(crop, box):
    assert crop_box(crop, 1024, 499, 2.0) == pytest.approx(box, abs=1e-9)


def test_crops_that_cannot_be():
    assert parse_crop("center") == "centre"
    for text in ("middle", "1,2,3", "1,2,3,x"):
        with pytest.raises(UserError, match="crop must be centre, none, object, or x,y,w,h in pixels or as fractions"):
            parse_crop(text)
    for text in ("-1,0,9,9", "0,0,0,9", "0,0,inf,9"):
        with pytest.raises(UserError, match="crop must have x and y from 0 on and a width and height above 0"):
            parse_crop(text)
    with pytest.raises(UserError, match="the crop 900,0,200,100 does not lie in the picture, got 1024x499"):
        crop_box("900,0,200,100", 1024, 499, 2.0)


def test_a_crop_of_the_size_asked_for_is_the_pixels_themselves():
    pixels = radiograph(1)
    assert np.array_equal(fit(pixels, options((64, 32), "10,20,64,32")), pixels[20:52, 10:74])
    colour = np.stack([pixels, pixels[::-1], pixels[:, ::-1]], -1)
    assert np.array_equal(fit(colour, options((160, 80), grey=False)), colour)
    assert np.array_equal(fit(np.stack([pixels] * 3, -1), options((160, 80))), pixels)


def test_none_pads_with_black_and_keeps_the_shape():
    padded = fit(np.full((20, 40), 255, np.uint8), options((32, 32), "none"))
    expected = np.zeros((32, 32), np.uint8)
    expected[8:24] = 255
    assert np.array_equal(padded, expected)


DISC = (255 * (np.hypot(*np.mgrid[-30:70, -60:60]) < 20)).astype(np.uint8)


@pytest.mark.parametrize("masked", [True, False])
def test_an_object_is_found_and_put_in_the_middle(masked):
    options = ImageOptions(64, 32, False, "object", 10**8, 0, margin=0.25)
    pixels = np.where(DISC[..., None] > 0, np.uint8([200, 40, 40]), np.uint8([10, 90, 220]))
    if masked:
        row, mask = fit_masked(pixels, DISC, options)
        assert (row[mask == 0] == 255).all()
    else:
        row = fit(pixels, options)
        mask = 255 * (row[..., 0] > 105).astype(np.uint8)
        assert (row[0, 0] == (10, 90, 220)).all() and (row[-1, -1] == (10, 90, 220)).all()
    rows, columns = np.flatnonzero((mask > 127).any(1)), np.flatnonzero((mask > 127).any(0))
    diameter = 32 / 1.5  # the margin is a quarter of the object on each side
    for found, middle in ((rows, 16), (columns, 32)):
        assert found[-1] + 1 - found[0] == pytest.approx(diameter, abs=1.5)
        assert (found[0] + found[-1] + 1) / 2 == pytest.approx(middle, abs=1)


def test_the_box_about_an_object_has_its_margin_and_the_aspect():
    assert object_box((10, 20, 50, 40), 1.0, 0.0) == (10, 10, 50, 50)
    assert object_box((10, 20, 50, 40), 2.0, 0.1) == (2, 16, 58, 44), "48 x 28 becomes 56 x 28"
    assert object_box((0, 0, 10, 10), 1.0, 0.5) == (-5, -5, 15, 15)
