"""Walls, volumes and parts that are known, and the line of the report."""

import numpy as np
import pytest
import trimesh
from grids import R, block

from maquette.geometry.mesh import surface
from maquette.geometry.printability import Printability, printability, wall_thickness
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


def plate(wall_mm, min_wall_mm=0.8):
    return printability(trimesh.creation.box((30, 20, wall_mm)), min_wall_mm)


@pytest.mark.parametrize("wall, least, shown", [
    (0.794, 0.8, "0.79 mm (BELOW 0.8 mm)"),
    (0.7998, 0.8, "0.79 mm (BELOW 0.8 mm)"),
    (0.8, 0.8, "0.8 mm (>= 0.8 mm)"),
    (0.809, 0.8, "0.8 mm (>= 0.8 mm)"),
    (0.8 - 1e-9, 0.8, "0.8 mm (>= 0.8 mm)"),  # rounding noise
    (12.7, 12.5, "12.7 mm (>= 12.5 mm)"),
    (12.3, 12.5, "12 mm (BELOW 12.5 mm)"),
    (4.27, 4.25, "4.27 mm (>= 4.25 mm)"),
    (0.0607, 0.8, "0.06 mm (BELOW 0.8 mm)"),
    (19.99, 0.8, "19 mm (>= 0.8 mm)"),
])
def test_the_wall_that_is_shown_is_the_one_that_is_compared(wall, least, shown):
    report = plate(wall, least)
    assert report.line().endswith(f"thinnest wall {shown}") and report.wall_ok == (">=" in shown)


def test_no_wall_is_shown_on_the_wrong_side():
    rng = np.random.default_rng(0)
    for wall, least in zip(rng.uniform(0.05, 20, 3000), rng.uniform(0.2, 20, 3000).round(2), strict=True):
        report = Printability(True, 1, 1.0, np.floor(min(wall, least * rng.uniform(0.99, 1.01)) * 1e3) / 1e3, least)
        shown = float(report.shown_wall)
        assert (shown >= least) == report.wall_ok and shown <= report.thinnest_wall_mm + 1e-9


def test_a_size_beyond_printers_is_said():
    chair = printability(trimesh.creation.box((500.5, 600, 1200)))
    assert not chair.ok
    assert chair.line().endswith("(>= 0.8 mm); 1,200 mm long: beyond most printers, which make 500 mm; give --size-mm")
    assert printability(trimesh.creation.box((500, 20, 20))).ok
    bead = printability(trimesh.creation.box((4, 4, 4)))
    assert bead.ok and bead.line().endswith("(>= 0.8 mm); 4 mm long: too small to print; give --size-mm")


def test_the_thinnest_wall_does_not_depend_on_the_order_of_the_faces():
    bumps = 1.2 * np.random.default_rng(0).random((12, 12, 12)).astype(np.float32)
    mesh = keep_largest(surface(np.pad(bumps, 2)))[0]
    truth = np.percentile(wall_thickness(mesh, 60_000), 1)
    for seed in range(4):
        mesh.faces = np.random.default_rng(seed).permutation(mesh.faces)
        assert np.percentile(wall_thickness(mesh), 1) == pytest.approx(truth, rel=0.15)
