"""Walls, volumes and parts that are known, and the line of the report."""

import numpy as np
import pytest
import trimesh
from grids import R, block

from maquette.geometry.mesh import surface
from maquette.geometry.printability import printability
from maquette.geometry.repair import Dropped, keep_largest


def test_the_largest_part_is_kept_and_the_rest_reported():
    two = block((4, 4, 4), (14, 14, 14)) + block((20, 20, 20), (25, 25, 24)) + block((28, 4, 4), (31, 7, 7))
    mesh, dropped = keep_largest(surface(two))
    assert mesh.body_count == 1 and mesh.is_volume
    assert mesh.volume * R**3 == pytest.approx(1000, rel=0.03)
    assert dropped.parts == 2 and dropped.share == pytest.approx((100 + 27) / 1127, abs=0.02)
    assert Dropped(2, 0.113).line() == "dropped 2 loose parts (11 % of the volume)"


def hollow_box(outer, wall) -> trimesh.Trimesh:
    inner = trimesh.creation.box(np.array(outer) - 2 * wall)
    inner.invert()
    return trimesh.util.concatenate([trimesh.creation.box(outer), inner])


def test_the_wall_of_a_hollow_box_and_of_a_hollow_ball():
    report = printability(hollow_box((40, 50, 60), 1.5))
    assert report.thinnest_wall_mm == pytest.approx(1.5, rel=1e-3)
    assert report.volume_mm3 == pytest.approx(40 * 50 * 60 - 37 * 47 * 57)
    outer, inner = trimesh.creation.icosphere(5, 20), trimesh.creation.icosphere(5, 18)
    inner.invert()
    assert printability(trimesh.util.concatenate([outer, inner])).thinnest_wall_mm == pytest.approx(2, rel=0.02)


def test_the_wall_of_a_solid_box_is_its_shortest_side():
    report = printability(trimesh.creation.box((30, 20, 4)))
    assert report.thinnest_wall_mm == pytest.approx(4, rel=1e-3) and report.ok


def test_the_report_line():
    box = trimesh.creation.box((30, 20, 10))
    assert printability(box).line() == "watertight, 1 part, 6 cm3, thinnest wall 10 mm (>= 0.8 mm)"
    plate = printability(hollow_box((30, 20, 10), 0.5))
    assert not plate.wall_ok and not plate.ok and plate.line().endswith("thinnest wall 0.5 mm (BELOW 0.8 mm)")
    two = printability(trimesh.util.concatenate([box, box.copy().apply_translation((50, 0, 0))]))
    assert two.parts == 2 and not two.ok and two.line().startswith("watertight, 2 parts, 12 cm3")
    opened = printability(trimesh.Trimesh(box.vertices, box.faces[1:], process=False))
    assert not opened.ok and opened.line().startswith("NOT watertight, 1 part, volume unknown, thinnest wall")
