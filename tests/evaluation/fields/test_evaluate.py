"""The whole measurement of a generator of views of objects, its parts and its errors."""

import json

import numpy as np
import pytest
import torch
from blob import blob
from PIL import Image

from maquette import recipe as recipes
from maquette.datasets.images.render import render_images
from maquette.datasets.images.true_shapes import TRUE_SHAPES
from maquette.errors import UserError
from maquette.evaluation import dispatch
from maquette.evaluation.fields import evaluate
from maquette.evaluation.fields.evaluate import (
    FRECHET,
    SHEET,
    SPREAD,
    FieldMeasureOptions,
    evaluate_fields,
    render_with_masks,
)
from maquette.evaluation.images.options import ImageMeasureOptions
from maquette.evaluation.report import Measured
from maquette.events import Progress
from maquette.models.networks import model_of
from maquette.models.prior import draw
from maquette.systems.gen3d import Gen3D

SMALL = FieldMeasureOptions(images=12, repeats=2, shapes=2, codes=3, meshes=3, resolution=32, objects=2, azimuths=3)
IMAGES = ImageMeasureOptions(most=12, repeats=2, curve_repeats=1, pairs=2, shown=2, points=4)


def test_appearance_leaves_the_outline_of_3dgen_alone_to_the_last_pixel():
    torch.manual_seed(0)
    system = Gen3D(recipes.load("3dgen-tiny").model)
    with torch.no_grad():
        for parameter in system.nets["generator"].parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    system.nets.eval().requires_grad_(False)
    for model in (model_of("tiny", system, {}, {}), blob()):
        *_, (_, details, _) = _ended(evaluate._separate_codes(model, SMALL, 0))
        assert details["codes"]["outline_iou"]["appearance"] == 1.0
        assert details["codes"]["outline_iou"]["shape"] < 1
        assert details["codes"]["colour_change_levels"]["appearance"] > 0
    nothing = blob()
    nothing.system.nets["generator"].field.occupancy = lambda at, shape, _=None: (-50 + 0 * at[..., 0], at[..., :1])
    *_, (rows, _, notes) = _ended(evaluate._separate_codes(nothing, SMALL, 0))
    assert rows == [] and notes == ["the model shows too little to compare outlines and colours of different codes"]


def _ended(steps):
    """What a generator yields, and what it returns."""
    while True:
        try:
            yield next(steps)
        except StopIteration as end:
            yield end.value
            return


def test_what_is_seen_is_what_the_system_generates():
    model = blob()
    latents = torch.stack([torch.from_numpy(draw(model, 0, index)) for index in range(2)])
    pixels, masks = render_with_masks(model.system, latents, model.system.views(latents))
    images = model.system.generate(latents)
    assert np.array_equal(pixels, ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    assert masks.shape == (2, 16, 16) and 0.05 < masks.mean() < 0.6 and (pixels[~masks].mean() > pixels[masks].mean())


@pytest.fixture(scope="module")
def cups(tmp_path_factory):
    """An image set of ten cups at 16x16, four of them with their true shapes."""
    out = tmp_path_factory.mktemp("sets") / "cups"
    list(render_images("furniture:cup", out, size=16, views=1, count=6, holdout=4, workers=1))
    return out


@pytest.fixture(scope="module")
def report(cups, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    *progress, found = evaluate_fields(blob(), cups, out, options=SMALL, image_options=IMAGES)
    assert isinstance(found, Measured) and all(isinstance(event, Progress) for event in progress)
    assert all(0 <= event.done <= event.total for event in progress)
    return found, out


def test_a_whole_measurement_has_every_number_with_its_control(report):
    found, out = report
    table = {row[0]: row[1:] for row in found.rows}
    assert set(table) == {"SWD x1000", "MS-SSIM", FRECHET, SPREAD, "outline IoU, appearances",
                          "colour change, appearances", "watertight, one piece", "coverage", "1-NN accuracy",
                          "MMD x1000", "bend", "edge angle, degrees"}
    assert table["outline IoU, appearances"][0] == 1.0 > table["outline IoU, appearances"][1]
    assert table["watertight, one piece"] == (1.0, "", "")
    assert table[FRECHET][0] > table[FRECHET][1] > 0, "ellipsoids are not cups"
    assert 0 < table["coverage"][0] <= 1 and table["MMD x1000"][0] > 0
    assert table["MMD x1000"][2] == "2 true shapes beside as many others"
    assert found.columns == ("measure", "model", "control", "the control is")
    detail = found.details
    assert detail["system"] == "3dgen" and detail["encoder"]["images"] == 4
    assert "bundled model 'modelnet', 128 values" in detail["encoder"]["features"]
    assert detail["meshes"]["true_shapes"] == detail["meshes"]["meshes"] == 3
    assert detail["meshes"]["turned_deg"] % 15 == 0
    assert table[SPREAD][0] == pytest.approx(detail["encoder"]["spread"]["generated"])
    notes = " ".join(found.notes)
    assert "4 images and 4 held-out ones" in notes and "grey copies" in notes and "knows no front" in notes
    json.dumps(found.to_json(), allow_nan=False)
    assert sorted(path.name for path in out.iterdir()) == [SHEET, "report.csv", "report.html", "report.json"]
    with Image.open(out / SHEET) as sheet:
        assert sheet.size == (3 * 17 + 1, 2 * 17 + 1), "two objects from three azimuths"


def test_meshes_without_true_shapes_and_samples_without_a_mesh(cups):
    class Empty(type(blob().system.nets["generator"].field)):
        """Nothing where the first value of the code is below 0."""

        def occupancy(self, positions, shape, owner=None):
            logits, features = super().occupancy(positions, shape, owner)
            return torch.where(shape[:, :1] < 0, -50.0, logits), features

    model = blob()
    model.system.nets["generator"].field = Empty(40.0)
    first = [float(draw(model, 0, index)[0]) for index in range(3)]
    empty = sum(value < 0 for value in first)
    assert 0 < empty < 3
    *_, (rows, details, notes) = _ended(evaluate._meshes(model, None, SMALL, 0))
    assert [row[0] for row in rows] == ["watertight, one piece", "bend", "edge angle, degrees"]
    assert rows[0][1] == pytest.approx((3 - empty) / 3) and details["meshes"]["without"] == empty
    assert notes[0].startswith(f"{empty} of 3 samples have no mesh, the first: the sample has no surface")
    assert notes[1].startswith("no true shapes are known, so meshes are compared with none")
    model.system.nets["generator"].field.occupancy = lambda at, shape, _=None: (-50 + 0 * at[..., 0], at[..., :1])
    *_, (rows, details, _) = _ended(evaluate._meshes(model, None, SMALL, 0))
    assert rows == [] and details["meshes"] == {"made": 3, "without": 3}


def test_true_shapes_are_taken_from_where_they_are(cups, tmp_path):
    assert len(evaluate._true_shapes(cups, "").ids) == 4 == len(evaluate._true_shapes(tmp_path, cups).ids)
    assert evaluate._true_shapes(tmp_path, "") is None
    with pytest.raises(UserError, match="no image set with true shapes there, got '.*gone'; name one with --data.path"):
        next(evaluate_fields(blob(), cups, tmp_path, shapes=tmp_path / "gone"))
    with pytest.raises(UserError, match=f"has no true shapes: it has no {TRUE_SHAPES}"):
        next(evaluate_fields(blob(), cups, tmp_path, shapes=tmp_path))


def test_evaluate_takes_models_with_a_field_there(cups, tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(evaluate, "evaluate_fields", lambda *given, **options: iter([asked.update(options) or given]))
    options = {"views": 4, "seed": 3, "cache": "", "kind": "", "turns": 0, "classifier": "", "inception": ""}
    (given,) = dispatch.measure(blob(), str(cups), "shapes", limit=9, out=tmp_path, **options)
    assert given[1:] == (str(cups), tmp_path)
    assert asked == {"shapes": "shapes", "inception": "", "options": FieldMeasureOptions(images=9, meshes=9), "seed": 3}
    list(dispatch.measure(blob(), str(cups), "", limit=None, out=tmp_path, **options))
    assert asked["options"] == FieldMeasureOptions()
    with pytest.raises(UserError, match="limit must be 8 images or more, got 7"):
        list(dispatch.measure(blob(), str(cups), "", limit=7, out=tmp_path, **options))
