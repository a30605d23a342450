"""The light on a page: shadows go, what is drawn stays."""

import cv2
import numpy as np
import pytest
from pages import paper, sketch

from maquette.intake import lighting as light


def test_light_with_a_hard_shadow_is_evened_out():
    dark = sketch(600, 800)
    y, x = np.mgrid[0:800, 0:600]
    truth = (0.9 - 0.25 * y / 800) * np.where(x + 0.3 * y > 450, 0.55, 1.0)
    page = np.clip(paper(dark) * truth[..., None] * 240 + np.random.default_rng(0).normal(0, 2, (800, 600, 3)), 0, 255)
    page = page.astype(np.uint8)
    even = light.even_out(page, light.paper_light(page))
    bare = (cv2.dilate(dark, np.ones((9, 9))) == 0) & (np.abs(x + 0.3 * y - 450) > 8)
    grey = even.mean(axis=2)[bare]
    assert np.abs(grey - 255).mean() < 4 and np.percentile(grey, 2) > 240
    lead = light.darkness(page, light.paper_light(page))[dark > 0.9]
    assert np.median(lead) == pytest.approx(0.6, abs=0.04)  # a pencil as dark as it was drawn


def test_a_large_black_area_stays_drawn():
    page = np.full((500, 400, 3), 230, np.uint8)
    page[:, 330:] = 150  # a shadow, so that the rim is not even
    cv2.circle(page, (170, 260), 110, (15, 15, 15), -1, cv2.LINE_AA)
    lead = light.separate(light.darkness(page, light.paper_light(page)))
    truth = np.zeros((500, 400), np.uint8)
    cv2.circle(truth, (170, 260), 110, 1, -1)
    assert ((lead.ink > 0.5) == (truth > 0)).mean() > 0.99
