"""A plate below an object: volumes in closed form, and what falls over stands on it."""

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.geometry.base_plate import BORDER_MM, on_base
from maquette.geometry.standing import standing


def box(*sides: float, at=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    made = trimesh.creation.box(sides)
    return made.apply_translation(np.array([0, 0, sides[2] / 2]) + at)


def test_a_box_stands_on_a_plate_of_its_size_and_a_border():
    made = on_base(box(20, 10, 30), 2.0)
    sunk = 0.2
    plate = (20 * 10 + 2 * BORDER_MM * (20 + 10) + np.pi * BORDER_MM**2) * 2
    assert made.is_watertight and np.allclose(made.extents, [24, 14, 30 + 2 - sunk], atol=1e-6)
    assert made.volume == pytest.approx(20 * 10 * 30 + plate - 20 * 10 * sunk, rel=1e-3)
    assert made.bounds[0, 2] == pytest.approx(0)


def test_what_falls_over_stands_on_a_base():
    leaning = trimesh.boolean.union([box(4, 4, 40), box(60, 6, 6, at=(30, 0, 36))], engine="manifold")
    assert not standing(leaning).stands and standing(on_base(leaning, 3.0)).stands


def test_no_base_changes_nothing_and_bad_values_are_refused():
    cube = box(10, 10, 10)
    assert on_base(cube, 0.0) is cube
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="0 or more millimetres"):
            on_base(cube, bad)
    with pytest.raises(UserError, match="not closed"):
        on_base(trimesh.Trimesh(cube.vertices, cube.faces[:-1]), 1.0)
