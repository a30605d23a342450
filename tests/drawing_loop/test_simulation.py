"""Simulated photographs: the geometry that they claim, what a pickup finds in them, the same seed twice."""

import cv2
import numpy as np
import pytest

from maquette.drawing_loop import simulation as simulate
from maquette.drawing_loop.simulation import Conditions, SimulatedPage, lead_on_paper, photograph
from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.intake.page_capture import rectify_page

SQUARE = np.array([[30, 60], [118, 60], [118, 150], [30, 150], [30, 60]])
LINES = np.array([[[30, 60], [118, 150]], [[74, 60], [74, 150]], [[50, 170], [100, 170]]])
FIGURE = Strokes((SQUARE, *LINES), 148, 210)
CALM = Conditions(side_px=800, tilt_deg=0, turn_deg=0, shadow=0, blur_px=0, noise=0, jpeg=False)


def test_a_stroke_is_seen_where_the_homography_says():
    photo = photograph(Strokes((np.array([[60, 20], [60, 190]]),), 148, 210), np.random.default_rng(1), 1.5, CALM)
    light = (photo.pixels / 255.0) ** 2.2
    dark = 1 - light.mean(axis=2) / np.median(light[300:500, 280:320].mean(axis=2))
    for y in range(40, 171, 10):
        column, row = cv2.perspectiveTransform(np.array([[[60.0, y]]]), photo.to_photo)[0, 0]
        rows = slice(round(row) - 6, round(row) + 7)
        columns = np.arange(round(column) - 8, round(column) + 9)
        band = dark[rows, columns[0] : columns[-1] + 1].clip(0.03) - 0.03
        assert abs((band.sum(axis=0) @ columns) / band.sum() - column) < 0.2


def test_the_corners_are_those_of_the_page_and_it_fills_the_picture():
    for seed in range(30):
        page = (148, 210) if seed % 2 else (210, 148)
        photo = photograph(Strokes((np.array([[40, 40], [90, 90]]),), *page), np.random.default_rng(seed),
                           conditions=Conditions(side_px=160, tilt_deg=20))
        wide, high = page
        edge = np.array([[[0, 0], [wide, 0], [wide, high], [0, high]]], np.float64)
        assert np.allclose(cv2.perspectiveTransform(edge, photo.to_photo)[0], photo.corners, atol=1e-6)
        size = np.array(photo.pixels.shape[1::-1])
        assert tuple(size) == ((120, 160) if seed % 2 else (160, 120))
        assert photo.corners.min() >= 0 and (photo.corners <= size - 1).all()
        assert 0.78 < (np.ptp(photo.corners, axis=0) / size).max() < 0.94


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_known_strokes_come_back_through_the_pickup(seed, monkeypatch):
    monkeypatch.setattr(simulate, "_DESKS", ((0.26, 0.21, 0.15),))
    photo = photograph(FIGURE, np.random.default_rng(seed))
    found = rectify_page(photo.pixels, paper="a5")
    assert found.sheet is not None
    side = np.linalg.norm(photo.corners[2] - photo.corners[1])
    assert np.linalg.norm(found.sheet.corners - photo.corners, axis=1).max() < 0.005 * side
    height, width = found.ink.shape
    assert height / width == pytest.approx(210 / 148, abs=0.002)
    scale = width / 148
    truth = np.ones((height, width), np.uint8)
    points = [np.rint((line * scale - 0.5) * 16).astype(np.int32) for line in FIGURE.lines]
    cv2.polylines(truth, points, False, 0, 1, cv2.LINE_8, 4)
    away = cv2.distanceTransform(truth, cv2.DIST_L2, 5)
    inked = found.ink > 0.4
    assert np.quantile(away[inked], 0.99) < 0.25 * scale + 2, "ink is where strokes are"
    missed = cv2.distanceTransform((~inked).astype(np.uint8), cv2.DIST_L2, 5)[truth == 0]
    assert np.quantile(missed, 0.97) < 2, "strokes are where ink is"
    left, top, right, bottom = np.array(found.box) / scale
    assert np.abs(np.array([left, top, right, bottom]) - [30, 60, 118, 170]).max() < 0.8


def test_the_same_seed_gives_the_same_photograph():
    page = SimulatedPage(5)
    assert page.look(2) is None and page.wants(1) is None, "nothing is drawn yet"
    assert list(page.draw(1, FIGURE)) == []
    first, again = page.look(2).pixels, SimulatedPage(5, drawn=FIGURE).look(2).pixels
    assert first.dtype == np.uint8 and first.shape == (1280, 960, 3) and np.array_equal(first, again)
    assert not np.array_equal(first, page.look(3).pixels)
    assert not np.array_equal(first, SimulatedPage(6, drawn=FIGURE).look(2).pixels)


def test_lead_is_where_the_pencil_went_and_not_even():
    lead = lead_on_paper(Strokes((np.array([[10, 20], [90, 20]]),), 100, 40), np.random.default_rng(0), 8.0, 1.0)
    assert lead.shape == (320, 800) and lead.min() == 0 and 0.5 < lead.max() <= 0.85
    assert not lead[:140].any() and not lead[180:].any()
    line = lead[160, 100:700]
    assert line.mean() > 0.3 and line.std() > 0.03, "the grain of the paper shows"


@pytest.mark.parametrize("name, value", [("side_px", 10), ("tilt_deg", 60), ("turn_deg", -1), ("shadow", 1.0),
                                         ("blur_px", 11), ("noise", 0.5)])
def test_conditions_out_of_range_are_named(name, value):
    with pytest.raises(UserError, match=f"{name} must be .* got {value}"):
        Conditions(**{name: value})


def test_a_seed_is_not_negative():
    with pytest.raises(UserError, match="seed must be 0 or more, got -1"):
        SimulatedPage(-1)
