"""The drawing loop without a network: what it does in which order, what it measures, and how it ends."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from loops import FlatPage, sketch, stool

from maquette import api
from maquette.datasets.furniture import make
from maquette.drawing_loop import simulation as simulate
from maquette.drawing_loop.loop import (
    Drawn,
    Ended,
    LoopSettings,
    Reconstructor,
    Resume,
    Round,
    Waiting,
    draw_mesh,
    hatching_mm,
    on_paper,
    run_loop,
)
from maquette.errors import UserError
from maquette.geometry.overlap import iou
from maquette.geometry.shape import Shape
from maquette.geometry.strokes import Strokes
from maquette.geometry.voxelise import voxelise
from maquette.intake.background import plain_ground
from maquette.intake.sources import Frame
from maquette.plotting.settings import Paper, ViewOptions

START = Frame(sketch(), "box.png")
SETTINGS = partial(LoopSettings, memory=0.0)
"""Each round is what the model reads."""


def answering(*answers):
    """A reconstructor that gives these shapes in turn (the last for ever), or raises; and what it was shown."""
    shown = []

    def shape_of(image):
        shown.append(image)
        answer = answers[min(len(shown), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Reconstructor(32, 1, shape_of), shown


def rounds_of(events):
    return [event for event in events if isinstance(event, Round)]


def test_a_model_that_always_answers_the_same_is_at_a_fixed_point():
    imagination, shown = answering(stool())
    page = FlatPage()
    events = list(run_loop(START, imagination, page, page, SETTINGS(rounds=4, turn_deg=100.0)))
    assert [type(event) for event in events] == [Round, Drawn] * 4
    made = rounds_of(events)
    assert [one.number for one in made] == [1, 2, 3, 4] == [event.number for event in events[1::2]]
    assert [one.iou_first for one in made] == [1.0] * 4 and [one.iou_previous for one in made] == [None, 1.0, 1.0, 1.0]
    assert [one.azimuth_deg for one in made] == [35.0, 135.0, 235.0, 335.0]
    assert page.told == ["wants 1", "draw 1", *(f"{word} {number}" for number in (2, 3, 4)
                                                for word in ("wants", "look", "wants", "draw"))]
    assert all(one.shape == (1, 32, 32) and one.dtype == np.float32 and 0 <= one.min() < 0.5 < one.max() <= 1
               for one in shown)
    expected = draw_mesh(made[2].mesh, ViewOptions(azimuth_deg=235.0), LoopSettings().sheet)
    assert all(np.array_equal(a, b) for a, b in zip(made[2].strokes.lines, expected.lines, strict=True))
    assert np.array_equal(made[0].picture, START.pixels)
    assert made[0].mesh.is_watertight and made[0].mesh.extents.max() == pytest.approx(100)


def test_overlap_is_measured_with_the_first_round_and_the_one_before():
    imagination, _ = answering(stool(8), stool(6), stool(4))
    page = FlatPage()
    made = rounds_of(run_loop(START, imagination, page, page, SETTINGS(rounds=3)))
    foot = 2 * 2 * 6
    size = {seat: seat * 8 * 4 + foot for seat in (8, 6, 4)}
    assert made[1].iou_first == made[1].iou_previous == float(Fraction(size[6], size[8]))
    assert made[2].iou_first == float(Fraction(size[4], size[8]))
    assert made[2].iou_previous == float(Fraction(size[4], size[6]))
    measures = made[2].measures()
    assert measures["round"] == 3 and measures["voxels"] == size[4] and measures["azimuth_deg"] == 95
    assert measures["strokes"] == len(made[2].strokes) > 3
    assert measures["drawn_mm"] == round(made[2].strokes.length, 1)
    assert made[0].measures()["iou_previous"] is None


def test_what_is_taken_up_can_be_of_low_resolution():
    imagination, shown = answering(stool())
    page = FlatPage()
    made = rounds_of(run_loop(START, imagination, page, page, SETTINGS(rounds=2, low=12)))
    assert [one.seen.shape for one in made] == [(1, 12, 12)] * 2 and [one.shape for one in shown] == [(1, 32, 32)] * 2


def test_a_loop_goes_on_from_its_past():
    imagination, shown = answering(stool(6))
    page = FlatPage()
    page.strokes.append(draw_mesh(stool(4).surface(), ViewOptions(), Paper(148, 210)))
    past = Resume(2, stool(8).voxels, stool(6))
    made = rounds_of(run_loop(None, imagination, page, page, SETTINGS(rounds=3), past))
    assert [one.number for one in made] == [3] and made[0].iou_previous == 1.0 and made[0].iou_first < 0.8
    assert made[0].azimuth_deg == 95.0 and len(shown) == 1
    assert list(run_loop(None, imagination, page, page, SETTINGS(rounds=2), past)) == [], "nothing is left to do"
    other = Resume(2, stool(8).voxels, Shape(np.ones((20, 20, 20), np.float32)))
    (ended,) = run_loop(None, imagination, page, page, SETTINGS(rounds=3), other)
    assert "grids of another size, got 16 and 20 voxels a side; the model's have 16" in ended.reason
    with pytest.raises(UserError, match="needs a picture to start from"):
        next(run_loop(None, imagination, page, page, SETTINGS()))


@pytest.mark.parametrize("answer, says", [
    (UserError("the model is tired"), "the model is tired"),
    (Shape(np.zeros((16, 16, 16), np.float32)), "no voxel reaches the threshold"),
])
def test_a_round_that_fails_ends_the_loop_and_the_first_raises(answer, says):
    imagination, _ = answering(stool(), answer)
    page = FlatPage()
    events = list(run_loop(START, imagination, page, page, SETTINGS(rounds=5)))
    assert [type(event) for event in events] == [Round, Drawn, Ended]
    assert events[2].number == 2 and says in events[2].reason
    with pytest.raises(UserError, match=says):
        list(run_loop(START, answering(answer)[0], page, page, SETTINGS()))


def test_a_page_on_a_black_desk_is_a_page(monkeypatch):
    monkeypatch.setattr(simulate, "_DESKS", ((0.02, 0.02, 0.02),))
    page = simulate.SimulatedPage(1, 0.6, conditions=simulate.Conditions(side_px=800))
    page.draw(1, Strokes((np.array([[40, 60], [110, 60], [110, 150], [40, 150], [40, 60]]),), 148, 210))
    past = Resume(1, stool().voxels, stool())
    made, _ = run_loop(None, answering(stool())[0], page, page, SETTINGS(rounds=2), past)
    assert plain_ground(made.picture)[1] > 0.97 and made.notes[0].startswith("A5 paper")
    seen = made.seen[0] < 0.5
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(70 / 90, abs=0.1), "the rectangle that was drawn"
    inside = seen[rows[0] + 4 : rows[-1] - 3, columns[0] + 4 : columns[-1] - 3]
    assert not inside.any()


def test_a_blank_page_and_a_missing_picture_end_the_loop():
    class Blank(FlatPage):
        def look(self, number):
            return Frame(np.full((300, 200, 3), 250, np.uint8), "page 2")

    class Nothing(FlatPage):
        def look(self, number):
            return None

    for page, says in ((Blank(), "no drawing found on the page in page 2"), (Nothing(), "")):
        *_, last = run_loop(START, answering(stool())[0], page, page, LoopSettings())
        assert isinstance(last, Ended) and last.number == 2 and last.reason.startswith(says)
        assert bool(last.reason) == bool(says)


def test_a_pen_that_fails_leaves_its_round_undrawn():
    class Broken(FlatPage):
        def draw(self, number, strokes):
            if number == 2:
                raise UserError("the pencil broke")
            return super().draw(number, strokes)

    page = Broken()
    events = list(run_loop(START, answering(stool())[0], page, page, SETTINGS()))
    assert [type(event) for event in events] == [Round, Drawn, Round, Ended] and events[3].reason == "the pencil broke"


def test_people_are_asked_before_looking_and_before_drawing():
    class Asking(FlatPage):
        def __init__(self, word):
            super().__init__()
            self.word = word

        def wants(self, number):
            return Waiting(number, self.word, True)

    pen, page = Asking("paper"), Asking("camera")
    page.strokes = pen.strokes
    events = list(run_loop(START, answering(stool())[0], pen, page, SETTINGS(rounds=2)))
    assert [event.line if isinstance(event, Waiting) else type(event) for event in events] == [
        Round, "paper", Drawn, "camera", Round, "paper", Drawn]


@pytest.mark.parametrize("settings, says", [
    ({"rounds": 0}, "rounds must be 1 to 999, got 0"), ({"turn_deg": 400.0}, "turn_deg must be -360 to 360, got 400"),
    ({"low": 2}, "a picture of low resolution has 4 to 1024 pixels a side, got 2"),
])
def test_settings_out_of_range_are_named(settings, says):
    with pytest.raises(UserError, match=says):
        LoopSettings(**settings)


def test_the_sheet_has_the_name_that_the_pickup_knows():
    sizes = {(148.0, 210.0): "a5", (210.0, 148.0): "a5", (215.9, 279.4): "letter", (200.0, 150.0): "as seen"}
    assert {size: LoopSettings(sheet=Paper(*size)).paper for size in sizes} == sizes


def test_hatching_is_as_wide_as_a_model_can_see():
    assert hatching_mm(Paper(148, 210, 12)) == round(0.035 * 124, 2) == hatching_mm(Paper(210, 148, 12))
    assert hatching_mm(Paper(148, 210, 12)) / 124 * 0.86 * 96 > 2.5, "pixels of the bundled model's picture"


def test_strokes_on_paper_are_whole_micrometres_without_points_that_fall_together():
    sheet = Paper(100, 80)
    lines = np.array([[1, 2], [1.0002, 2], [3.00049, 4]]), np.array([[5, 5], [5.0001, 5]])
    made = on_paper(Strokes(lines, 7, 7, (1, 2)), sheet)
    assert (made.width, made.height, made.layers) == (100, 80, (1,)) and len(made) == 1
    assert np.array_equal(made.lines[0], [[1, 2], [3, 4]])
    with pytest.raises(UserError, match="no line of the object|nothing of the object"):
        draw_mesh(stool().surface(), ViewOptions(), Paper(0.0005, 0.0005, 0))


def test_the_bundled_model_answers_in_the_objects_own_frame_whichever_side_is_drawn():
    """Overlap with round 1 needs no alignment: turned by quarters, the answers overlap less with the true object."""
    model = api.load()
    overlap = []
    for kind in ("chair", "sofa"):
        mesh = make(kind, 0)
        for azimuth in (35, 125, 215, 305):
            page = draw_mesh(mesh, ViewOptions(azimuth_deg=azimuth), Paper(148, 210)).to_picture(4, 0.6)
            found = api.reconstruct(page, model, by="model").shape.voxels
            truth = voxelise(mesh, len(found))
            overlap.append([iou(np.rot90(found, quarters), truth) for quarters in range(4)])
    mean = np.mean(overlap, axis=0)
    assert mean[0] > 0.4 and mean[0] > 1.25 * mean[1:].max(), mean


@pytest.mark.parametrize("size_mm", [0.0, -5.0, 1e30, float("nan"), float("inf")])
def test_no_mesh_is_made_beyond_all_measure(size_mm):
    with pytest.raises(UserError, match="size_mm must be from 1 to 2000 mm, got"):
        LoopSettings(size_mm=size_mm)
