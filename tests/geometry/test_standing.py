"""Standing: closed forms on boxes and tables."""

import numpy as np
import pytest
import trimesh

from maquette.geometry.standing import level_feet, standing


def box(size, at):
    mesh = trimesh.creation.box(size)
    mesh.apply_translation(np.array(at) + np.array(size) / 2)
    return mesh


def table(heights, at=((0, 0), (90, 0), (0, 90), (90, 90))):
    legs = [box((10, 10, 60 - low), (x, y, low)) for low, (x, y) in zip(heights, at, strict=True)]
    return trimesh.boolean.union([box((100, 100, 10), (0, 0, 55)), *legs], engine="manifold")


def test_a_box_stands_and_the_margin_is_half_its_shorter_side():
    found = standing(box((40, 20, 10), (3, 4, 0)))
    assert found.stands and found.margin == pytest.approx(0.25) and found.line() == ""


def test_a_sphere_and_a_cone_on_its_tip_fall():
    cone = trimesh.creation.cone(10, 20)
    cone.apply_scale([1, 1, -1])
    cone.invert()
    assert not standing(trimesh.creation.icosphere(3)).stands
    assert not standing(cone).stands


@pytest.mark.parametrize(("shift", "side"), [((30, 0), "left"), ((-30, 0), "right"), ((0, 30), "front"),
                                             ((0, -30), "back"), ((30, 30), "front left")])
def test_an_overhanging_top_falls_to_its_side(shift, side):
    """+x is on the left of a person who looks at the front, which is +y."""
    lower, upper = box((20, 20, 20), (-10, -10, 0)), box((20, 20, 20), (-10 + shift[0], -10 + shift[1], 19))
    bar = box((60, 60, 2), (-30, -30, 18))
    mesh = trimesh.boolean.union([lower, upper, box((20, 20, 60), (-10 + shift[0], -10 + shift[1], 19)), bar],
                                 engine="manifold")
    found = standing(mesh)
    assert not found.stands and found.falls == side and side in found.line()


def test_feet_that_differ_by_little_are_cut_level():
    mesh = table((0.0, 1.0, 2.0, 0.5))
    before = standing(mesh)
    assert not before.stands  # on one foot
    flat = level_feet(mesh)
    assert flat.is_watertight and standing(flat).stands
    low = flat.vertices[:, 2].min()
    ground = flat.vertices[flat.vertices[:, 2] < low + 1e-9]
    assert {(round(x) >= 50, round(y) >= 50) for x, y, _ in ground} == {(a, b) for a in (False, True)
                                                                         for b in (False, True)}
    assert low == pytest.approx(2.0 + 0.004 * 65)


def test_a_leg_that_is_much_too_short_does_not_shorten_the_others():
    mesh = table((0.0, 0.0, 0.0, 30.0))
    assert np.ptp(level_feet(mesh).vertices[:, 2]) == pytest.approx(65, rel=0.01)


def test_a_rounded_bottom_is_made_flat_as_far_as_it_stands_then():
    egg = trimesh.creation.icosphere(3)
    flat = level_feet(egg)
    assert flat.is_watertight and standing(flat).stands
    assert 0.94 * 2 < np.ptp(flat.vertices[:, 2]) < 2
