"""Settings out of range are refused."""

import pytest
from typed import refused

from maquette.errors import UserError
from maquette.plotting.settings import Machine, Paper, ViewOptions


@pytest.mark.parametrize("options, message", [
    ({"draw_mm_s": 0}, "speeds and acceleration must be positive"),
    ({"settle_s": -1}, "settle_s must be 0 to 10"),
    ({"pen_up": 1, "pen_down": 1}, "two different numbers"),
    ({"pen_up": -1}, "up above down"),
    ({"lift": "servo", "pen_down": 20000}, "0 to 10,000"),
])
def test_machines_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Machine(**options)


def test_a_pen_is_lifted_by_an_axis_or_a_servo():
    with refused("lift must be z or servo, got 'laser'"):
        Machine(lift="laser")


@pytest.mark.parametrize("made, options, message", [
    (ViewOptions, {"elevation_deg": 91}, "elevation_deg must be -90 to 90, got 91"),
    (ViewOptions, {"azimuth_deg": float("nan")}, "azimuth_deg must be -360 to 360"),
    (ViewOptions, {"hatch": 5}, "hatch must be 0 to 4"),
    (ViewOptions, {"hatch_pen": 0}, "hatch_pen must be 1 to 99"),
    (Paper, {"margin": 105}, "margins leave no room on the page, got 105 on 210 x 297 mm"),
    (Paper, {"pen": 0}, "a pen's line is more than 0"),
])
def test_looks_and_sheets_out_of_range_are_refused(made, options, message):
    with pytest.raises(UserError, match=message):
        made(**options)


@pytest.mark.parametrize("side", [2000.5, 1e30, float("inf"), float("nan")])
def test_no_page_is_larger_than_pages_are(side):
    with pytest.raises(UserError, match="at most 2000 mm|leave no room"):
        Paper(width=200, height=side)
