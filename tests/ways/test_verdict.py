"""How sure one may be: outlines of a part, results with and without a model, and grey pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maquette.api.reconstruction import reconstruct, reconstruct_one
from maquette.intake.pickup import frame_object
from maquette.io.pictures import read_picture
from maquette.models.hub import as_model
from maquette.models.predict import answer
from maquette.models.prior import departure, middle
from maquette.outputs.pictures import EXAMPLES
from maquette.ways.outline import DrawnOutline, outline_of_lines
from maquette.ways.verdict import DOUBTED, REASONS, WEIGHTS, Signs, goes_around, judge, missing_reach


def table(gap: int) -> np.ndarray:
    """Ink of a table top and two legs, its upper line open by so many pixels."""
    ink = np.zeros((256, 256), np.float32)
    for line in ([(20, 60), (128 - gap // 2, 60)],
                 [(128 + gap - gap // 2, 60), (236, 60), (236, 120), (20, 120), (20, 60)],
                 [(40, 120), (40, 230), (60, 230), (60, 120)], [(196, 120), (196, 230), (216, 230), (216, 120)]):
        cv2.polylines(ink, [np.array(line, np.int32)], False, 1.0, 4)
    return ink


def test_an_open_outline_is_that_of_a_part():
    assert goes_around(outline_of_lines(table(0)))
    assert goes_around(outline_of_lines(table(30))), "such a gap is closed"
    legs = np.zeros((256, 256), bool)
    legs[120:230, 40:60] = legs[120:230, 196:216] = True
    assert not goes_around(DrawnOutline(legs, table(32), True))


GOOD = Signs(0.95, 0.95, 0.95, 0.8, 0.95, 0.9, 1.0, 1.5)


@pytest.mark.parametrize("photo", [False, True])
def test_each_sign_counts_for_a_result(photo):
    whole = judge(GOOD, photo)
    weights = WEIGHTS["photo" if photo else "drawing"][1]
    for name, weight in zip(vars(GOOD), weights, strict=True):
        less = judge(replace(GOOD, **{name: 0.1}), photo)
        assert less.probability <= whole.probability and (weight == 0) == (less.probability == whole.probability)
        unknown = judge(replace(GOOD, **{name: float("nan")}), photo).probability if name != "crisp" else 0.5
        assert 0 < unknown < 1
    assert whole.verdict == "sure" and whole.signs == GOOD
    bad = judge(Signs(0.2, 0.3, 0.3, 0.3, 0.1, 0.2, 0.4, 0.3), photo)
    assert bad.verdict == "unsure" and "the picture tells the model little" in bad.reasons
    assert set(bad.reasons) <= set(REASONS.values())


def test_models_of_both_frames_have_weights_of_their_own():
    signs = replace(GOOD, told=1.0)  # as a model of the object's frame tells of what it knows
    assert judge(signs, False, in_view=False).probability > judge(signs, False).probability
    assert {f"{kind}{frame}" for kind in ("drawing", "photo") for frame in ("", ", object's frame")} < set(WEIGHTS)


def test_the_heaviest_reason_comes_first_and_good_signs_are_none():
    found = judge(replace(GOOD, agrees=0.0, one=0.3), False, lost=0.2)
    assert found.reasons == ("the drawing is in several pieces", "the model makes something else of the mirror image",
                             "a part that was drawn is missing")
    weak = judge(Signs(0.75, 0.76, 0.78, 0.55, 0.6, 0.3, 0.92, 1.25), False)
    assert weak.line() == "unsure: the signs together are weak"


def test_what_is_plainly_wrong_is_unsure_however_good_the_signs_are():
    assert judge(GOOD, False, obeyed=0.76).verdict == "sure" == judge(GOOD, False, obeyed=float("nan")).verdict
    found = judge(GOOD, False, obeyed=0.74)
    assert found.line() == "unsure: the outline differs from what was drawn" and found.probability == DOUBTED
    assert judge(replace(GOOD, one=0.3, agrees=0.0), False, obeyed=0.7).probability < DOUBTED, "no better than before"
    assert judge(GOOD, False, missing=0.11).verdict == "sure"
    assert judge(GOOD, False, missing=0.13).line() == "unsure: a part that was drawn is missing"
    assert judge(GOOD, True, doubts=["it is upside down"]).line() == "unsure: it is upside down"


def test_a_leg_that_is_missing_is_far_and_a_narrow_rim_is_near():
    drawn = np.zeros((100, 100), bool)
    drawn[10:60, 20:80] = drawn[60:90, 20:24] = True
    rim, leg = drawn.copy(), drawn.copy()
    rim[:12] = rim[:, :22] = rim[:, 78:] = False
    rim[60:90, 22] = drawn[60:90, 22]
    leg[60:90] = False
    assert missing_reach(drawn, drawn) == 0
    assert missing_reach(drawn, leg) == pytest.approx(30 / 80, abs=0.01)
    assert missing_reach(drawn, rim) < 0.05
    assert missing_reach(drawn, np.zeros_like(drawn)) == 1


def test_pictures_of_two_things_are_no_object():
    chair, mug = (read_picture(EXAMPLES / f"{name}.png") for name in ("chair", "mug"))
    says = "picture 2 shows another object than those before it"
    assert says not in reconstruct_one([chair, chair], "maquette").judgement.reasons
    assert says in reconstruct_one([chair, mug], "maquette").judgement.reasons


def test_an_empty_picture_tells_a_model_less_than_a_drawing():
    model = as_model("maquette")
    size, channels = model.facts.view_size, model.facts.image_channels
    chair = frame_object(read_picture(EXAMPLES / "chair.png"), size, channels).image
    grey = np.full((channels, size, size), 0.6, np.float32)
    assert answer(model, grey).told < 0.7 * answer(model, chair).told
    latent = middle(model)[None]
    assert departure(model, latent) == 0 and departure(model, latent + 1) == pytest.approx(1)


def test_a_result_without_a_model_is_judged_by_its_outline():
    assert judge(Signs(outline=0.95, one=1.0), False).verdict == "sure"
    assert judge(Signs(outline=0.6, one=1.0), False).verdict == "unsure"
    photo, drawing = (judge(Signs(outline=0.95, one=1.0), kind).probability for kind in (True, False))
    assert photo == drawing


def test_grey_pixels_of_a_photo_are_read():
    y, x = np.mgrid[0:160, 0:200]
    disc = 40 * ((x - 100) ** 2 + (y - 80) ** 2 < 50**2)
    photo = (90 + 40 * np.sin(x / 37) + 30 * np.cos(y / 23) + disc).astype(np.uint8)
    grey, colour = reconstruct(photo, by="model"), reconstruct(np.repeat(photo[..., None], 3, 2), by="model")
    assert grey.pickup.kind == "photo" and np.array_equal(grey.shape.occupancy, colour.shape.occupancy)


def test_a_way_that_fails_gives_place_to_the_next(monkeypatch):
    """A fish is no body of revolution: turned about its axis it is another thing, and blown up it is itself."""
    fish = EXAMPLES / "drawings" / "fish.png"
    assert reconstruct(fish, "modelnet", by="model").judgement.verdict == "unsure"  # it has seen no fish
    assert reconstruct(fish, by="revolve").judgement.verdict == "unsure"
    monkeypatch.setattr("maquette.api.reconstruction.suits", lambda outline: ["revolve", "inflate", "extrude"])
    made = reconstruct(fish, "modelnet")
    assert made.way == "inflate" and made.judgement.verdict == "sure" and made.outline > 0.85
