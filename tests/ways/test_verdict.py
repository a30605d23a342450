"""How sure one may be: outlines of a part, results with and without a model, and grey pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maquette.api.reconstruction import reconstruct
from maquette.ways.outline import DrawnOutline, outline_of_lines
from maquette.ways.verdict import WEIGHTS, Signs, goes_around, judge


def table(gap: int) -> np.ndarray:
    """Ink of a table top and two legs, its upper line open by so many pixels."""
    ink = np.zeros((256, 256), np.float32)
    for line in ([(20, 60), (128 - gap // 2, 60)],
                 [(128 + gap - gap // 2, 60), (236, 60), (236, 120), (20, 120), (20, 60)],
                 [(40, 120), (40, 230), (60, 230), (60, 120)], [(196, 120), (196, 230), (216, 230), (216, 120)]):
        cv2.polylines(ink, [np.array(line, np.int32)], False, 1.0, 4)
    return ink


def test_an_open_outline_is_that_of_a_part():
    assert goes_around(outline_of_lines(table(0)))
    assert goes_around(outline_of_lines(table(30))), "such a gap is closed"
    legs = np.zeros((256, 256), bool)
    legs[120:230, 40:60] = legs[120:230, 196:216] = True
    assert not goes_around(DrawnOutline(legs, table(32), True))


GOOD = Signs(0.95, 0.95, 0.95, 0.8, 0.95, 0.9, 1.0)


@pytest.mark.parametrize("photo", [False, True])
def test_each_sign_counts_for_a_result(photo):
    whole = judge(GOOD, photo)
    weights = WEIGHTS["photo" if photo else "drawing"][1]
    for name, weight in zip(vars(GOOD), weights, strict=True):
        less = judge(replace(GOOD, **{name: 0.1}), photo)
        assert less.probability <= whole.probability and (weight == 0) == (less.probability == whole.probability)
        unknown = judge(replace(GOOD, **{name: float("nan")}), photo).probability if name != "crisp" else 0.5
        assert 0 < unknown < 1
    assert whole.verdict == "sure" and whole.signs == GOOD
    bad = judge(Signs(0.2, 0.3, 0.3, 0.3, 0.1, 0.2, 0.4), photo)
    assert bad.verdict == "unsure" and "the outline differs from what was drawn" in bad.reasons


def test_a_result_without_a_model_is_judged_by_its_outline():
    assert judge(Signs(outline=0.95, one=1.0), False).verdict == "sure"
    assert judge(Signs(outline=0.6, one=1.0), False).verdict == "unsure"
    photo, drawing = (judge(Signs(outline=0.95, one=1.0), kind).probability for kind in (True, False))
    assert photo == drawing


def test_grey_pixels_of_a_photo_are_read():
    y, x = np.mgrid[0:160, 0:200]
    disc = 40 * ((x - 100) ** 2 + (y - 80) ** 2 < 50**2)
    photo = (90 + 40 * np.sin(x / 37) + 30 * np.cos(y / 23) + disc).astype(np.uint8)
    grey, colour = reconstruct(photo, by="model"), reconstruct(np.repeat(photo[..., None], 3, 2), by="model")
    assert grey.pickup.kind == "photo" and np.array_equal(grey.shape.occupancy, colour.shape.occupancy)
