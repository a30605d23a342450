"""Solids out of drawings: volumes and heights in closed form, watertight and in one part, of the size asked for."""

import cv2
import numpy as np
import pytest
import trimesh
from fuzz_drawings import check, random_case
from pages import corners_of, paper, photographed

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed
from maquette.relief import inflate, solids
from maquette.relief import relief as module
from maquette.relief.inflate import inflate_polygons
from maquette.relief.options import ReliefOptions
from maquette.relief.outline import Outline
from maquette.relief.relief import relief
from maquette.relief.solids import BORDER_MM


def page(size=500):
    return np.full((size, size, 3), 255, np.uint8)


def disc(radius=200, thick=4, hole=0):
    picture = page()
    cv2.circle(picture, (250, 250), radius, (0, 0, 0), thick, cv2.LINE_AA)
    if hole:
        cv2.circle(picture, (250, 250), hole, (0, 0, 0) if thick > 0 else (255, 255, 255), thick, cv2.LINE_AA)
    return picture


def box(wide, high, thick=4):
    picture = page()
    cv2.rectangle(picture, (60, 60), (60 + wide, 60 + high), (0, 0, 0), thick)
    return picture


def one_body(made, size):
    """Watertight also after a file joined its vertices, in one part, of the size asked for, on z = 0."""
    joined = trimesh.Trimesh(made.mesh.vertices.astype(np.float32), made.mesh.faces)
    joined.merge_vertices(digits_vertex=6)
    assert made.report.watertight and made.report.parts == 1 and is_closed(joined) and made.mesh.volume > 0
    assert made.mesh.extents == pytest.approx(size, rel=0.004, abs=0.01) and made.mesh.bounds[0][2] == 0
    return made.mesh


@pytest.mark.parametrize("picture, area, size", [
    (disc(), np.pi * 20**2, (40, 40)),
    (disc(thick=-1), np.pi * 20**2, (40, 40)),
    (disc(hole=100), np.pi * (20**2 - 10**2), (40, 40)),
    (disc(thick=-1, hole=100), np.pi * (20**2 - 10**2), (40, 40)),
    (box(360, 360), 40 * 40, (40, 40)),
    (box(360, 180, -1), 40 * 20, (40, 20)),
])
def test_volumes_of_extruded_drawings(picture, area, size):
    mesh = one_body(relief(picture, ReliefOptions(size_mm=40, thickness_mm=5)), (*size, 5))
    assert mesh.volume == pytest.approx(5 * area, rel=0.01)


def test_a_base_plate_is_the_hull_and_a_little_more():
    mesh = one_body(relief(disc(hole=100), ReliefOptions(size_mm=40, thickness_mm=5, base_mm=1.5)), (44, 44, 6.5))
    wanted = 5 * np.pi * (20**2 - 10**2) + 1.5 * np.pi * (20 + BORDER_MM) ** 2
    assert mesh.volume == pytest.approx(wanted, rel=0.01) and mesh.euler_number == 2  # the hole has a floor


def test_a_hole_for_a_ring_goes_through_above_the_drawing():
    plain, made = (relief(disc(), ReliefOptions(size_mm=40, thickness_mm=5, ring_hole_mm=hole)) for hole in (0, 4))
    mesh = one_body(made, (40, 40 + 4 + BORDER_MM, 5))
    assert plain.mesh.euler_number == 2 and mesh.euler_number == 0  # one hole
    away = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1] - 22)  # the hole touches the disc's edge from above
    assert away.min() > 1.9 and (np.abs(away - 2) < 0.05).sum() >= 200  # the upper and the lower rim
    assert made.report.thinnest_wall_mm > 1.9


@pytest.mark.parametrize("way, extra", [("extrude", {}), ("inflate", {}), ("inflate", {"one_sided": True}),
                                        ("inflate", {"thickness_mm": 6, "base_mm": 2}), ("revolve", {}),
                                        ("revolve", {"base_mm": 2}), ("lithophane", {}),
                                        ("lithophane", {"base_mm": 1})])
def test_every_way_has_its_ring_in_one_part(way, extra, monkeypatch):
    monkeypatch.setattr(inflate, "CELLS", 64)
    picture = disc(hole=120) if way != "revolve" else box(150, 300)
    plain, ringed = (
        relief(picture, ReliefOptions(way, 30, ring_hole_mm=hole, detail_px=60, **extra)) for hole in (0, 3)
    )
    for made in (plain, ringed):
        assert made.report.watertight and made.report.parts == 1
    assert ringed.mesh.euler_number == plain.mesh.euler_number - 2  # one more hole
    grown = ringed.mesh.extents - plain.mesh.extents
    assert grown[2 if way == "revolve" else 1] == pytest.approx(3 + BORDER_MM, abs=0.3)


@pytest.mark.parametrize("thickness, one_sided", [(None, False), (10.0, False), (6.0, True)])
def test_an_inflated_disc_is_a_ball_or_a_flattened_one(thickness, one_sided):
    made = relief(disc(), ReliefOptions("inflate", 40, thickness, one_sided=one_sided))
    total = thickness or 40
    mesh = one_body(made, (40, 40, total))
    top = total if one_sided else total / 2
    assert mesh.volume == pytest.approx((2 if one_sided else 4) / 3 * np.pi * 20**2 * top, rel=0.01)
    z = mesh.vertices[:, 2] - (0 if one_sided else top)
    radius = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
    inner = (radius < 19) & (z > 0.01)
    assert inner.sum() > 500
    assert np.abs(z - top * np.sqrt(np.clip(1 - (radius / 20) ** 2, 0, 1)))[inner].max() < 0.015 * top


def test_an_inflated_ring_has_its_hole_and_its_height():
    mesh = one_body(relief(disc(hole=100), ReliefOptions("inflate", 40, 8, one_sided=True)), (40, 40, 8))
    assert mesh.euler_number == 0
    a, b = 10.0, 20.0  # u = -r^2 + c log r + d between two circles
    c = (b**2 - a**2) / np.log(b / a)
    u = {r: a**2 - r**2 + c * np.log(r / a) for r in (12.0, 14.0, 16.0, 18.0)}
    highest = a**2 - c / 2 + c * np.log(np.sqrt(c / 2) / a)
    radius = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
    for r, squared in u.items():
        near = (np.abs(radius - r) < 0.06) & (mesh.vertices[:, 2] > 0.1)
        assert near.sum() > 10
        assert mesh.vertices[near, 2].mean() == pytest.approx(8 * np.sqrt(squared / highest), rel=0.02)


@pytest.mark.parametrize("axis, radius", [("left", 15), ("right", 15), ("middle", 7.5), ("auto", 7.5)])
def test_a_turned_rectangle_is_a_cylinder(axis, radius):
    made = relief(box(150, 300), ReliefOptions("revolve", 30, axis=axis))
    mesh = one_body(made, (2 * radius, 2 * radius, 30))
    assert mesh.volume == pytest.approx(np.pi * radius**2 * 30, rel=0.01)


def outlined(points):
    picture = page()
    cv2.polylines(picture, [np.int32(np.array(points) * 16)], True, (0, 0, 0), 4, cv2.LINE_AA, 4)
    return picture


def vase(left_of_axis: bool):
    """A wavy vase, whole or only its right half; its axis is at x = 250, its height 400 and its radii 50 to 100."""
    y = np.linspace(0, 1, 80)
    radius = 75 + 25 * np.sin(2 * np.pi * y + 1)
    right = np.column_stack([250 + radius, 50 + 400 * y])
    left = np.column_stack([250 - radius, 50 + 400 * y])[::-1] if left_of_axis else np.array([(250, 450), (250, 50)])
    return outlined(np.concatenate([right, left])), np.pi * float(np.trapezoid(radius**2, 400 * y))


def test_a_symmetric_drawing_is_turned_about_its_middle_and_half_of_one_about_its_edge():
    for whole in (True, False):
        picture, pixels = vase(whole)
        made = relief(picture, ReliefOptions("revolve", 40))
        assert made.report.watertight and made.mesh.volume == pytest.approx(pixels / 1000, rel=0.02)
        assert made.mesh.extents == pytest.approx((20, 20, 40), rel=0.02)
        noted = [note for note in made.notes if note.startswith("symmetric, and turned about its middle; --axis left")]
        assert len(noted) == whole
        chosen = relief(picture, ReliefOptions("revolve", 40, axis="middle" if whole else "left"))
        assert np.array_equal(made.mesh.vertices, chosen.mesh.vertices)


@pytest.mark.parametrize("points", [
    [(150, 50), (250, 50), (240, 450), (150, 450)],  # half of a tumbler
    [(150, 50), (190, 50), (190, 130), (250, 160), (250, 450), (150, 450)],  # half of a bottle
    [(150, 50), (350, 50), (350, 120), (420, 120), (420, 350), (350, 350), (350, 450), (150, 450)],  # a mug's handle
    [(150, 50), (160, 50), (350, 450), (150, 450)],  # half of a cone
])
def test_what_is_not_symmetric_is_turned_about_its_left_edge(points):
    made, left = (relief(outlined(points), ReliefOptions("revolve", 40, axis=axis)) for axis in ("auto", "left"))
    assert np.array_equal(made.mesh.vertices, left.mesh.vertices) and not made.notes


@pytest.mark.parametrize("lean", [0, 12])
def test_a_profile_beside_its_axis_is_turned_about_it(lean):
    picture = box(100, 300)
    cv2.line(picture, (260 + lean, 20), (260 - lean, 400), (0, 0, 0), 3, cv2.LINE_AA)
    made = relief(picture, ReliefOptions("revolve", 40))
    assert "turned about the straight line beside the profile" in made.notes
    if not lean:  # a pipe: radii 200 and 100 pixels, 300 high; the longer side is 400
        mesh = one_body(made, (40, 40, 30))
        assert mesh.volume == pytest.approx(np.pi * (20**2 - 10**2) * 30, rel=0.015) and mesh.euler_number == 0
    assert made.report.parts == 1 and made.mesh.euler_number == 0


def test_the_ends_of_an_open_profile_are_joined_to_the_axis():
    picture = page()
    cv2.line(picture, (100, 40), (100, 460), (0, 0, 0), 3)
    cv2.line(picture, (160, 80), (260, 420), (0, 0, 0), 4, cv2.LINE_AA)
    made = relief(picture, ReliefOptions("revolve", 34))
    assert made.notes[-1] == "the profile's ends were joined to the axis"
    mesh = made.mesh  # 1 mm is 10 pixels; the line's round ends make it a little higher
    assert made.report.watertight and made.report.parts == 1
    assert mesh.extents == pytest.approx((32, 32, 34), rel=0.015)
    assert mesh.volume == pytest.approx(np.pi * 34 / 3 * (6**2 + 6 * 16 + 16**2), rel=0.03)
    with pytest.raises(UserError, match="the profile in c.png is open and beside no axis; close it, or draw the axis"):
        lone = page()
        cv2.ellipse(lone, (250, 250), (120, 200), 0, 100, 260, (0, 0, 0), 4)
        relief(lone, ReliefOptions("revolve"), name="c.png")


def test_heights_of_a_lithophane_are_exact():
    grey = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    mesh = one_body(relief(np.repeat(grey[..., None], 3, 2), ReliefOptions("lithophane", 59, 3.2, 0.6)), (59, 39, 3.2))
    top = {(round(float(x), 4), round(float(y), 4)): z for x, y, z in mesh.vertices if z > 0.1}
    assert len(top) == 60 * 40
    for row, column in [(0, 0), (39, 59), (7, 31), (20, 3)]:
        at = (round(column - 29.5, 4), round(19.5 - row, 4))
        assert top[at] == pytest.approx(0.6 + 2.6 * (1 - int(grey[row, column]) / 255), abs=1e-4)


@pytest.mark.parametrize("options, wall", [
    ({}, 0.8), ({"base_mm": 1.5}, 1.5), ({"ring_hole_mm": 4}, 0.8), ({"thinnest_mm": 3, "thickness_mm": 9,
                                                                      "ring_hole_mm": 4}, BORDER_MM),
])
def test_the_walls_of_a_lithophane_are_those_of_its_plate(options, wall):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), np.uint8)
    noise[30, 30] = 255
    made = relief(noise, ReliefOptions("lithophane", 30, **options))
    assert made.report.thinnest_wall_mm == wall and made.report.ok
    assert f"thinnest wall {wall:g} mm (>= 0.8 mm)" in made.line()
    dark = relief(np.full((40, 40), 128, np.uint8), ReliefOptions("lithophane", 30))
    assert dark.report.thinnest_wall_mm == pytest.approx(0.8 + 2.2 * (1 - 128 / 255), abs=1e-3)


def test_pictures_of_any_kind_are_the_same_picture():
    grey = disc()[..., 0]
    clear = np.dstack([np.zeros_like(disc()), 255 - grey])
    same = [disc(), grey, grey[..., None], grey / 255, (grey / 255).astype(np.float32), clear]
    meshes = [relief(picture, ReliefOptions(size_mm=40)).mesh.vertices for picture in same]
    assert all(np.array_equal(mesh, meshes[0]) for mesh in meshes)
    bits = [relief(picture, ReliefOptions(size_mm=40)).mesh.vertices for picture in (grey > 127, (grey > 127) * 1.0)]
    assert np.array_equal(*bits)


@pytest.mark.parametrize("picture, message", [
    (np.zeros((5, 5), np.uint16), "a.png is no picture: its numbers must be bytes, floats in .0, 1. or booleans, got"),
    (np.zeros((5, 5)) + 2, "floats must lie in .0, 1., got 2 to 2"),
    (np.full((5, 5), np.nan), "floats must lie in .0, 1., got nan to nan"),
    (np.zeros((0, 5), np.uint8), "its shape must be .*, got .0, 5, 1."),
])
def test_arrays_that_are_no_pictures_are_said(picture, message):
    with pytest.raises(UserError, match=message):
        relief(picture, name="a.png")


def test_flat_solids_are_known_from_standing_ones():
    assert relief(disc(), ReliefOptions(size_mm=40)).flat
    assert not relief(disc(), ReliefOptions("inflate", 40)).flat
    assert not relief(box(150, 300), ReliefOptions("revolve", 30)).flat


def test_the_gap_that_was_closed_is_told_in_millimetres():
    picture = page()
    cv2.ellipse(picture, (250, 250), (200, 200), 0, 4, 356, (0, 0, 0), 4, cv2.LINE_AA)
    made = relief(picture, ReliefOptions(size_mm=40, thickness_mm=2))
    chord = 2 * 20 * np.sin(np.radians(4)) - 0.4
    (note,) = made.notes
    assert note.startswith("closed a gap of ") and float(note.split()[4]) == pytest.approx(chord, abs=0.2)
    assert f"closed a gap of {chord:.0f}" in made.line().replace(note, f"closed a gap of {chord:.0f}")
    with pytest.raises(UserError, match=r"the outline in the drawing is open, got ends that are 2\.\d mm apart; draw"):
        relief(picture, ReliefOptions(size_mm=40, close_mm=1))
    cv2.line(picture, (250, 20), (250, 80), (255, 255, 255), 14)
    assert relief(picture, ReliefOptions(size_mm=40)).notes[0].startswith("closed 2 gaps, the widest of ")


def test_loose_parts_are_left_out_kept_or_joined():
    picture = page()
    cv2.circle(picture, (150, 150), 100, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.circle(picture, (400, 400), 50, (0, 0, 0), 4, cv2.LINE_AA)
    alone = relief(picture, ReliefOptions(size_mm=40, thickness_mm=3))
    assert alone.mesh.volume == pytest.approx(3 * np.pi * 20**2, rel=0.01)
    assert alone.notes == ("1 loose part (20 % of the area) was left out; --base-mm joins, --all-parts keeps such",)
    both = relief(picture, ReliefOptions(size_mm=40, thickness_mm=3, all_parts=True))
    assert both.report.parts == 2 and both.notes == ()
    joined = relief(picture, ReliefOptions(size_mm=40, thickness_mm=3, base_mm=1))
    assert joined.report.parts == 1 and joined.report.watertight


def test_a_thin_neck_is_told():
    turn = np.linspace(0, 2 * np.pi, 400)
    picture = page()
    eight = np.column_stack([250 + 200 * np.sin(turn), 250 + 130 * np.sin(2 * turn)])
    cv2.polylines(picture, [np.int32(eight * 16)], True, (0, 0, 0), 4, cv2.LINE_AA, 4)
    made = relief(picture, ReliefOptions(size_mm=30))
    assert made.report.watertight and made.report.parts == 1
    assert made.notes == ("parts of it hang together by less than 0.8 mm",)


def test_a_photographed_drawing_is_as_good_as_a_clean_one():
    dark = np.zeros((1188, 840), np.float32)
    cv2.circle(dark, (420, 600), 260, 1.0, 6, cv2.LINE_AA)
    cv2.rectangle(dark, (360, 540), (480, 660), 1.0, 6)
    corners = corners_of(210, 297, tilt_deg=25, lean_deg=10, turn_deg=6)
    made = relief(photographed(paper(dark), corners, shadow=0.3), ReliefOptions(size_mm=52, thickness_mm=4))
    mesh = one_body(made, (52, made.mesh.extents[1], 4))
    assert mesh.extents[1] == pytest.approx(52, rel=0.03) and mesh.euler_number == 0
    assert mesh.volume == pytest.approx(4 * (np.pi * 26**2 - 12**2), rel=0.03)
    assert made.notes[0] == "A series paper, upright, straightened"


@pytest.mark.parametrize("options, message", [
    ({"size_mm": 0}, "size_mm must be from 1 to 2000 mm, got 0"),
    ({"size_mm": 1e30}, r"size_mm must be from 1 to 2000 mm, got 1e\+30"),
    ({"thickness_mm": float("nan")}, "thickness_mm must be from 0.05 to 2000 mm, got nan"),
    ({"base_mm": -1}, "base_mm must be from 0 to 2000 mm, got -1"),
    ({"ring_hole_mm": 90}, "ring_hole_mm must be at most size_mm, got 90 and 60"),
    ({"way": "lithophane", "thickness_mm": 0.5}, "must be more than its thinnest_mm, got 0.5 and 0.8"),
    ({"way": "revolve", "thickness_mm": 5}, "a turned solid has no thickness_mm, got 5; size_mm is"),
    ({"detail_px": 2}, "detail_px must be from 16 to 1000, got 2"),
])
def test_what_cannot_be_made_is_said(options, message):
    with pytest.raises(UserError, match=message):
        ReliefOptions(**options)


def test_a_page_without_a_drawing():
    with pytest.raises(UserError, match="no drawing found on the page in e.png"):
        relief(page(), name="e.png")
    axis = page()
    cv2.line(axis, (100, 40), (100, 460), (0, 0, 0), 3)
    with pytest.raises(UserError, match="is open and beside no axis"):
        relief(axis, ReliefOptions("revolve"))


def test_what_is_left_of_nothing(monkeypatch):
    with pytest.raises(UserError, match="what is drawn is too thin to be inflated; draw it wider"):
        inflate_polygons([np.array([[0.0, 0], [100, 0], [50, 0.01]])])
    with pytest.raises(UserError, match="nothing is left of the solid, got .*; make it larger or the hole smaller"):
        solids.to_mesh(solids.Manifold())
    line = Outline((np.array([[0.0, 0], [10, 0], [20, 0]]),), 20.0)
    monkeypatch.setattr(module, "find_outline", lambda *_, **__: line)
    with pytest.raises(UserError, match="what is enclosed in f.png is too thin for a solid; draw it larger"):
        relief(disc(), name="f.png")
    monkeypatch.setattr(solids, "repair", lambda mesh: mesh)
    with pytest.raises(UserError, match="the solid could not be made watertight, got"):
        solids._to_manifold(trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))


def test_random_drawings_end_in_a_solid_within_its_bounds_or_in_one_line():
    made = [check(*random_case(seed)) for seed in range(30)]
    assert made.count(None) > 10, "most of them are solids"
    assert all("\n" not in line for line in made if line)
