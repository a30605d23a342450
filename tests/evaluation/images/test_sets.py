"""The sets that are compared: real images of datasets and folders, and noise of known statistics."""

import numpy as np
import pytest
from PIL import Image
from radiographs import fill, radiograph, write

from maquette.datasets.images import open_images, prepare_images, split_by_name
from maquette.datasets.images.files import find_images
from maquette.errors import UserError
from maquette.evaluation.images import sets as image_sets
from maquette.evaluation.images.sets import (
    PixelStatistics,
    RealImages,
    gaussian_noise,
    open_real_images,
    pixel_statistics,
    radial_noise,
)


def prepared(folder, out, **options):
    list(prepare_images(folder, out, **({"size": "32x16", "grey": True, "holdout": 4, "workers": 1} | options)))
    return out


def test_a_prepared_dataset_is_taken_as_it_is(tmp_path):
    out = prepared(fill(tmp_path / "in", 12), tmp_path / "teeth")
    data, real = open_images(out), open_real_images(out, (16, 32))
    assert real.name == "real images" and real.train_count == 8 and real.shape == (16, 32) and real.notes == ()
    np.testing.assert_array_equal(real.held_out, data.pixels(data.split("test")))
    np.testing.assert_array_equal(np.concatenate(list(real.chunks())), data.pixels(data.split("train")))
    assert len(real.some(5)) == 5 and len(real.some(50)) == 8
    np.testing.assert_array_equal(real.some_held_out(50), real.held_out)
    rows = [[(real.held_out == image).all((1, 2)).argmax() for image in real.some_held_out(2, seed)]
            for seed in range(9)]
    assert {row for two in rows for row in two} == {0, 1, 2, 3} and all(a < b for a, b in rows), "any of them"
    for shape, text in (((16, 16), "must be as the model's, 16x16, grey, got 32x16, grey; prepare them with --size 16"),
                        ((16, 32, 3), "must be as the model's, 32x16, colour, got 32x16, grey; prepare")):
        with pytest.raises(UserError, match=text):
            open_real_images(out, shape)
    for number, holdout, text in ((7, 2, "must have 4 held-out images or more, got 2; prepare it with --holdout 16"),
                                  (6, 4, "must have 4 training images or more, got 2")):
        out = prepared(fill(tmp_path / f"few{number}", number), tmp_path / f"out{number}", holdout=holdout)
        with pytest.raises(UserError, match=text):
            open_real_images(out, (16, 32))


def test_a_plain_folder_of_all_kinds_is_brought_to_the_models_size(tmp_path):
    folder = fill(tmp_path / "in", 9)
    deep = (radiograph(40).astype(np.uint16) << 8) + 17
    Image.fromarray(deep).save(folder / "deep.png")
    write(folder / "square.png", radiograph(41)[:, :80])
    write(folder / "colour.png", np.repeat(radiograph(42)[..., None], 3, 2))
    (folder / "torn.png").write_bytes((folder / "00.png").read_bytes()[:300])
    real = open_real_images(folder, (16, 32))
    count = real.train_count + len(real.held_out)
    assert count == 12 and real.shape == (16, 32)
    held = [file.id for file in split_by_name(find_images(folder), 6)["test"]]
    assert len(real.held_out) == 6 - ("torn.png" in held)
    notes = " ".join(real.notes)
    assert "brought to 32x16, grey, and 1 of 12 were cut" in notes and "left out: 1 that cannot be read" in notes
    assert "torn" not in notes and "torn.png" in real.skipped[0]
    every = np.concatenate([real.held_out, *real.chunks()])
    bright = np.asarray(Image.fromarray(radiograph(40)).resize((32, 16), Image.Resampling.LANCZOS)).astype(int)
    assert min(np.abs(image - bright).max() for image in every.astype(int)) <= 2, "16 bits come down to 8"
    assert open_real_images(folder, (16, 32, 3)).shape == (16, 32, 3)


def test_folders_that_cannot_be_compared_with_are_one_clear_line(tmp_path, monkeypatch):
    def says(text: str, folder) -> None:
        with pytest.raises(UserError, match=text):
            open_real_images(folder, (16, 32))

    (tmp_path / "empty").mkdir()
    says("no image in the folder .*empty", tmp_path / "empty")
    says("no folder .*gone", tmp_path / "gone")
    says("8 real images or more are needed to compare with, got 1 image in", fill(tmp_path / "one", 1))
    folder = fill(tmp_path / "torn", 9)
    for number in range(8):
        (folder / f"{number:02d}.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    says("8 images that can be read are needed to compare with; 8 cannot be read, the first: ", folder)
    monkeypatch.setattr(image_sets, "MAX_BYTES", 1000)
    says("holds too many images to be read at once, got 9; prepare them first", fill(tmp_path / "many", 9))


def test_gaussian_noise_has_each_pixels_mean_and_deviation():
    rng = np.random.default_rng(0)
    train = rng.integers(40, 200, (300, 4, 6, 3), np.uint8)
    known = pixel_statistics(RealImages("", lambda rows: train[rows], 300, train[:4]))
    np.testing.assert_allclose(known.mean, train.mean(0))
    np.testing.assert_allclose(known.deviation, train.std(0))
    narrow = PixelStatistics(known.mean, known.deviation / 4)
    made = gaussian_noise(narrow, 4000)
    assert made.shape == (4000, 4, 6, 3) and made.dtype == np.uint8
    np.testing.assert_allclose(made.mean(0), narrow.mean, atol=4 * 12 / 4000**0.5)
    np.testing.assert_allclose(made.std(0), np.sqrt(narrow.deviation**2 + 1 / 12), rtol=0.06)
    assert (gaussian_noise(narrow, 3, seed=1) != made[:3]).any() and (gaussian_noise(narrow, 3) == made[:3]).all()


def test_radial_noise_depends_on_the_distance_from_the_centre_alone():
    y, x = np.mgrid[:21, :31]
    ring = np.rint(np.hypot(y - 10, x - 15))
    symmetric = PixelStatistics(100 + 3 * ring, np.zeros((21, 31)))
    np.testing.assert_array_equal(radial_noise(symmetric, 2), np.broadcast_to(100 + 3 * ring, (2, 21, 31)))
    tilted = PixelStatistics(100.0 + 2 * (x - 15), np.full((21, 31), 3.0))  # symmetric about the centre: 100 on average
    made = radial_noise(tilted, 4000).astype(float)
    for radius in (0, 4, 9):
        own = made[:, ring == radius]
        assert own.mean() == pytest.approx(100, abs=0.5)
        spread = np.sqrt(9 + 4 * ((x - 15)[ring == radius] ** 2).mean() + 1 / 12)
        np.testing.assert_allclose(own.std(0), spread, rtol=0.06)
