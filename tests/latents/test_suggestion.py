"""The nearest known objects: whitening by hand, an object's own view, and what the cache saves."""

import numpy as np
import pytest
import trimesh
from tiny import tiny

from maquette import api
from maquette.datasets.prepare import open_dataset, prepare
from maquette.errors import UserError
from maquette.events import Progress
from maquette.latents import Catalogue, catalogue, suggest
from maquette.latents.suggestion import VIEWS, nearest_neighbours
from maquette.models.prior import encode
from maquette.models.views import views_of


@pytest.fixture(scope="module")
def model():
    return tiny("vae-iwgan-image")


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    """Four boxes of two classes as meshes."""
    folder = tmp_path_factory.mktemp("boxes")
    for number, sides in enumerate([(1, 1, 4), (4, 4, 1), (3, 1, 2), (2, 4, 3)]):
        path = folder / ("flat" if number % 2 else "tall") / f"box_{number}.stl"
        path.parent.mkdir(exist_ok=True)
        trimesh.creation.box(sides).export(path)
    return folder


@pytest.fixture(scope="module")
def prepared(boxes, tmp_path_factory):
    """The boxes as a dataset with one view of each, of the model's size."""
    out = tmp_path_factory.mktemp("prepared") / "set"
    list(prepare(boxes, out, resolution=16, views=1, view_size=32, workers=1))
    return out


def run(model, among, cache, **options) -> tuple[list, Catalogue]:
    *events, found = list(catalogue(model, among, cache, workers=1, **options))
    assert all(isinstance(event, Progress) for event in events)
    return events, found


def test_cosines_of_whitened_features_by_hand():
    features = np.random.default_rng(0).normal(3, [1, 10, 0.1], (40, 3)).astype(np.float32)
    asked = np.array([3.5, 20.0, 3.1])
    white = (features - features.mean(0)) / features.std(0)
    own = (asked - features.mean(0)) / features.std(0)
    cosines = [row @ own / np.linalg.norm(row) / np.linalg.norm(own) for row in white]
    rows, similarities = nearest_neighbours(features, asked, 5)
    assert rows.tolist() == np.argsort(cosines)[::-1][:5].tolist()
    assert similarities == pytest.approx(sorted(cosines)[::-1][:5], abs=1e-5)


def test_a_value_that_never_varies_counts_for_nothing():
    features = np.random.default_rng(1).normal(0, 1, (10, 3)).astype(np.float32)
    features[:, 1] = 7
    for row in range(10):
        rows, similarities = nearest_neighbours(features, features[row], 99)
        assert rows[0] == row and similarities[0] == pytest.approx(1) and len(rows) == 10


def test_an_object_comes_first_for_its_own_view(model, prepared, tmp_path):
    _, found = run(model, prepared, tmp_path)
    assert found.features.shape == (4, 6)
    for row in range(4):
        view = views_of(found.data.views([row], [0]))
        rows, similarities = nearest_neighbours(found.features, encode(model, view)[0], 4)
        assert rows[0] == row and similarities[0] == pytest.approx(1, abs=1e-4)
        assert similarities[1] < 0.999


def test_a_prepared_dataset_lends_its_own_views(model, prepared, tmp_path):
    events, found = run(model, prepared, tmp_path)
    assert {event.doing for event in events} == {"looking at known objects"}
    assert found.data.paths == (prepared,) and found.skipped == 0
    assert len(list(tmp_path.iterdir())) == 1, "only the features are kept"


def test_a_folder_is_rendered_once_and_looked_at_once_a_model(model, boxes, tmp_path):
    events, first = run(model, boxes, tmp_path)
    assert [event.doing for event in events] == ["rendering known objects"] * 4 + ["looking at known objects"]
    assert events[-1].done == events[-1].total == 4
    data = first.data
    assert data.views_per_shape == VIEWS and data.view_size == 32 and data.resolution == 20
    seen = np.stack([encode(model, views_of(data.views(range(4), [k] * 4))) for k in range(VIEWS)]).mean(0)
    assert np.allclose(first.features, seen, atol=1e-5), "the mean over the views"

    events, second = run(model, boxes, tmp_path)
    assert events == [] and np.array_equal(first.features, second.features)

    other = tiny("vae-iwgan-image")
    other.system.nets["encoder"].linear.bias.add_(1)
    events, third = run(other, boxes, tmp_path)
    assert [event.doing for event in events] == ["looking at known objects"]
    assert np.allclose(third.features, first.features + 1, atol=1e-5), "the index belongs to the weights"

    for file in tmp_path.glob("features-*.npz"):
        file.write_bytes(b"half")
    events, again = run(model, boxes, tmp_path)
    assert len(events) == 1 and np.array_equal(again.features, first.features), "a damaged index is made anew"


def test_a_dataset_without_views_that_fit_is_rendered_from_its_voxels(model, boxes, tmp_path):
    list(prepare(boxes, tmp_path / "bare", resolution=16, workers=1))
    events, found = run(model, tmp_path / "bare", tmp_path / "cache")
    assert {event.doing for event in events} == {"rendering known objects", "looking at known objects"}
    assert found.data.ids == open_dataset(tmp_path / "bare").ids and len(found.data) == 4
    assert found.data.infos[0].class_names == ("flat", "tall")


def sketch() -> np.ndarray:
    page = np.full((80, 80), 255, np.uint8)
    page[20:60, 30] = page[20:60, 50] = page[20, 30:51] = page[60, 30:51] = 20
    return page


def test_suggestions_are_ordered_and_carry_their_objects(model, prepared, tmp_path):
    _, found = run(model, prepared, tmp_path)
    made = suggest(model, found, sketch(), 3)
    similarities = [one.similarity for one in made.nearest]
    assert similarities == sorted(similarities, reverse=True) and len(similarities) == 3
    for one in made.nearest:
        row = found.data.ids.index(one.name)
        assert one.label == one.name.split("/")[0] and np.array_equal(one.shape.voxels, found.data.voxels([row])[0])
    *_, same = list(api.suggest(sketch(), prepared, model, count=3, cache=tmp_path))
    assert [one.name for one in same.nearest] == [one.name for one in made.nearest]


def test_what_cannot_be_suggested_is_said(model, boxes, prepared, tmp_path):
    with pytest.raises(UserError, match="model 'tiny iwgan' does not read pictures; use one trained with"):
        run(tiny("iwgan"), prepared, tmp_path)
    with pytest.raises(UserError, match="no such source: nowhere"):
        run(model, "nowhere", tmp_path)
    with pytest.raises(UserError, match="has nothing to choose from, got 1 object"):
        run(model, boxes / "tall" / "box_0.stl", tmp_path)
    with pytest.raises(UserError, match="known must be at least 1, got 0"):
        run(model, boxes, tmp_path, known=0)
    _, found = run(model, prepared, tmp_path)
    with pytest.raises(UserError, match="count must be at least 1, got 0"):
        suggest(model, found, sketch(), 0)
    with pytest.raises(UserError, match="no drawing found"):
        suggest(model, found, np.full((80, 80), 250, np.uint8))
