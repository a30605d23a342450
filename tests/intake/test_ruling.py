"""Ruled and squared paper: the printed lines go, strokes stay."""

import cv2
import numpy as np
import pytest
from pages import VIEWS, corners_of, paper, photographed, ruled, sketch

from maquette.intake.page_capture import rectify_page
from maquette.intake.ruling import remove_ruling


@pytest.mark.parametrize("squared", [True, False])
def test_ruling_goes_and_strokes_stay(squared):
    dark, lines = sketch(), ruled(1188, 840, 25, squared, turn=0.006)
    rng = np.random.default_rng(3)
    page = 1 - (1 - 0.6 * dark) * (1 - 0.25 * lines) + rng.normal(0, 0.01, dark.shape)
    clean, found = remove_ruling(page.astype(np.float32), 0.01)
    assert found.rows_px == pytest.approx(25, abs=0.1) and found.dark == pytest.approx(0.25, abs=0.08)
    assert found.columns_px == (pytest.approx(25, abs=0.1) if squared else 0)
    near = cv2.dilate(dark, np.ones((5, 5))) > 0
    printed, strokes = (lines > 0.5) & ~near, dark > 0.9
    assert (clean[printed] < 0.05).mean() > 0.98  # removed
    assert (clean[strokes] > 0.5).mean() > 0.98  # kept
    assert "taken away" in found.line() and ("squares of 25 x 25" in found.line()) == squared


def test_no_ruling_is_made_up():
    rng = np.random.default_rng(4)
    page = (0.6 * sketch() + rng.normal(0, 0.02, (1188, 840))).astype(np.float32)
    clean, found = remove_ruling(page, 0.02)
    assert not found and np.array_equal(clean, page)
    assert found.line() == "no ruling was found on the paper"
    small = np.zeros((20, 20), np.float32)
    assert remove_ruling(small, 0.01)[0] is small or not remove_ruling(small, 0.01)[1]


def test_squared_paper_photographed_at_an_angle_gives_the_drawing():
    dark, lines = sketch(), ruled(1188, 840, 20, turn=0.004)
    size = (1600, 1200)
    truth = corners_of(210, 297, size=size, **VIEWS["all at once"])
    page = paper(dark) * (1 - 0.25 * lines)[..., None]
    found = rectify_page(photographed(page, truth, size, shadow=0.4, noise=2, seed=2), squared=True, whole_page=True)
    assert found.ruling.rows_px > 10 and found.ruling.columns_px == pytest.approx(found.ruling.rows_px, rel=0.03)
    wanted = cv2.resize(dark, found.ink.shape[::-1], interpolation=cv2.INTER_AREA)
    ink, true = found.ink > 0.4, wanted > 0.4
    near, near_true = (cv2.dilate(one.astype(np.uint8), np.ones((5, 5))) > 0 for one in (ink, true))
    assert (true & near).sum() / true.sum() > 0.97 and (ink & near_true).sum() / ink.sum() > 0.97
