"""Tracing: drawn lines come back as their middles, within half a pixel."""

import numpy as np
import pytest

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.plotting import trace
from maquette.plotting.trace import trace_picture


def drawn(*lines, width=3.0, size=200) -> np.ndarray:
    return Strokes(tuple(np.array(line, float) for line in lines), size, size).to_picture(1, width)


def along(strokes) -> np.ndarray:
    """Points along all lines, a quarter of a pixel apart."""
    parts = []
    for line in strokes.lines:
        for a, b in zip(line[:-1], line[1:], strict=True):
            count = max(2, int(4 * np.linalg.norm(b - a)))
            parts.append(a + np.linspace(0, 1, count)[:, None] * (b - a))
    return np.concatenate(parts)


def off(points, a, b) -> np.ndarray:
    """Distance of points from the line through a and b."""
    a, way = np.array(a, float), np.subtract(b, a) / np.linalg.norm(np.subtract(b, a))
    return np.abs((points - a) @ [-way[1], way[0]])


@pytest.mark.parametrize("width", [1.5, 3, 4, 7.5])
@pytest.mark.parametrize("a, b", [((30.3, 40.7), (170.2, 90.1)), ((50, 20.5), (50, 180)), ((20, 150), (160, 150.4))])
def test_a_line_is_traced_to_its_middle(a, b, width):
    strokes = trace_picture(drawn((a, b), width=width))
    assert len(strokes) == 1 and (strokes.width, strokes.height) == (200, 200)
    assert off(along(strokes), a, b).max() < 0.5
    ends = strokes.lines[0][[0, -1]]
    assert min(np.abs(ends - [a, b]).max(), np.abs(ends - [b, a]).max()) < 2


@pytest.mark.parametrize("width", [2, 4, 6])
def test_a_cross_is_two_lines(width):
    strokes = trace_picture(drawn(((20, 35), (180, 165)), ((40, 170), (150, 25)), width=width))
    assert len(strokes) == 2
    first, second = sorted(strokes.lines, key=lambda line: abs(np.diff(line[[0, -1], 0])[0]), reverse=True)
    for line, ends in ((first, ((20, 35), (180, 165))), (second, ((40, 170), (150, 25)))):
        assert off(along(Strokes((line,), 200, 200)), *ends).max() < 0.5


@pytest.mark.parametrize("width", [2, 5])
def test_a_circle_is_one_closed_line(width):
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = np.stack([100 + 60 * np.cos(angle), 95 + 60 * np.sin(angle)], axis=1)
    strokes = trace_picture(drawn(ring, width=width))
    assert len(strokes) == 1 and (strokes.lines[0][0] == strokes.lines[0][-1]).all()
    away = np.linalg.norm(along(strokes) - (100, 95), axis=1)
    assert np.abs(away - 60).max() < 0.5
    assert strokes.length == pytest.approx(2 * np.pi * 60, rel=0.01)


def test_uneven_light_is_no_line_and_colour_is_read():
    shade = np.linspace(255, 140, 200)[None, :, None]
    picture = np.repeat(drawn(((30, 40), (170, 160)))[..., None], 3, axis=2).astype(float)
    strokes = trace_picture((picture / 255 * shade).astype(np.uint8))
    assert len(strokes) == 1 and off(along(strokes), (30, 40), (170, 160)).max() < 0.5


def test_specks_are_left_out():
    strokes = trace_picture(drawn(((30, 40), (170, 160)), ((150, 30), (151, 31))))
    assert len(strokes) == 1


@pytest.mark.parametrize("picture, message", [
    (np.full((50, 50), 255, np.uint8), "nothing is drawn"),
    (np.tile(np.linspace(200, 255, 64).astype(np.uint8), (64, 1)), "nothing is drawn"),
    (drawn(((20, 20), (20.5, 20))), "nothing is drawn"),
    (np.zeros((5, 5), np.float32), "uint8"),
    (np.zeros((5000, 5), np.uint8), "4096 pixels"),
])
def test_pictures_without_lines_are_refused(picture, message):
    with pytest.raises(UserError, match=message):
        trace_picture(picture)


def test_a_page_full_of_noise_ends_in_time_or_is_refused(monkeypatch):
    noise = np.where(np.random.default_rng(0).random((300, 300)) < 0.35, 0, 255).astype(np.uint8)
    strokes = trace_picture(noise)
    assert len(strokes) > 100 and strokes.bounds[0] >= -1 and strokes.bounds[2] <= 301
    monkeypatch.setattr(trace, "MAX_LINE_PX", 1000)
    with pytest.raises(UserError, match="too much is drawn in the picture to trace it, got .* pixels of lines"):
        trace_picture(noise)
