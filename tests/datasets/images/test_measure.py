"""The statistics of one picture: letters and hashes."""

import cv2
import numpy as np
import pytest
from PIL import Image
from radiographs import radiograph

from maquette.datasets.images import measure as statistics
from maquette.datasets.images.compare import SAME_BITS


@pytest.mark.parametrize("light", [True, False])
def test_letters_near_an_edge_are_found_where_they_are(light):
    picture = cv2.resize(radiograph(1), (640, 320), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(picture, 20, 110) if light else np.clip(picture, 150, 235)
    assert statistics.find_markers(picture) == []
    cv2.putText(picture, "R", (600, 300), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255 if light else 0, 2, cv2.LINE_AA)
    (box,) = statistics.find_markers(picture)
    x, y, width, height = box
    assert abs(x - 602) <= 4 and abs(y + height - 301) <= 3 and 12 <= width <= 20 and 14 <= height <= 22
    assert statistics.find_markers(np.rot90(picture, 2)) != []
    middle = np.clip(cv2.resize(radiograph(1), (640, 320)), 20, 110)
    cv2.putText(middle, "R", (300, 170), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2, cv2.LINE_AA)
    assert statistics.find_markers(middle) == [], "one letter in the middle is not looked for"


@pytest.mark.parametrize("light", [True, False])
def test_words_are_found_in_the_middle_too(light):
    picture = cv2.resize(radiograph(1), (640, 320), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(picture, 20, 110) if light else np.clip(picture, 150, 235)
    cv2.putText(picture, "HANNE", (260, 170), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255 if light else 0, 2, cv2.LINE_AA)
    ((x, y, width, height),) = statistics.find_markers(picture)
    (across, _), _ = cv2.getTextSize("HANNE", cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
    assert abs(x - 262) <= 4 and abs(y + height - 171) <= 3 and abs(width - across) <= 6
    assert abs(height - 17) <= 2, "a capital of this font is 21 x 0.8 pixels high"


def test_hashes_are_near_for_copies_and_far_for_others():
    def bits(pixels: np.ndarray) -> np.ndarray:
        return np.unpackbits(np.frombuffer(statistics.perceptual_hash(pixels), np.uint8))

    one = radiograph(1)
    copies = [np.clip(one.astype(int) + 20, 0, 255).astype(np.uint8), cv2.resize(one, (320, 160)), one[:-1, 1:]]
    assert all((bits(one) != bits(copy)).sum() <= SAME_BITS for copy in copies)
    assert all((bits(one) != bits(radiograph(k))).sum() > SAME_BITS for k in range(2, 12))


def test_signs_on_real_panoramic_radiographs_are_found(shared):
    with Image.open(shared / "dental" / "panoramic" / "837.jpg") as picture:  # a length, 11.1, beside an implant
        assert (356, 391, 31, 13) in statistics.measure(np.asarray(picture)).markers
    files = sorted((shared / "dental" / "panoramic").glob("*.jpg"))[:6]
    for file in files:
        with Image.open(file) as picture:
            boxes = statistics.measure(np.asarray(picture)).markers
        assert any(abs(x - 983) <= 3 and abs(y - 432) <= 3 for x, y, _, _ in boxes), file.name
