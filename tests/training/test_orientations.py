"""Training in several orientations: what is prepared for it, what is refused, and a run through the command line."""

import dataclasses

import pytest

from maquette import recipe as recipes
from maquette.cli import commands as cli
from maquette.datasets.format import Info
from maquette.datasets.prepare import open_dataset, prepare
from maquette.errors import UserError
from maquette.training.data import prepare_data


def with_data(name: str, **data):
    recipe = recipes.load(name)
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, **data))


def test_the_papers_recipes_have_twelve():
    for name in ("iwgan", "classifier"):
        assert recipes.load(name).data.orientations == 12 and not recipes.load(name).data.turns


def test_a_run_counts_shapes_and_learns_from_every_orientation(tmp_path, capsys):
    cache, run = tmp_path / "cache", tmp_path / "run"
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "iwgan-tiny", "--run", str(run), "--data.cache", str(cache), "--data.furniture", "6",
                  "--data.orientations", "12", "--data.no-turns", "--train.steps", "2", "--train.sample-every", "0",
                  "--train.no-tensorboard"])
    said = capsys.readouterr()
    assert stopped.value.code == 0, said.err
    (folder,) = cache.iterdir()
    assert Info.load(folder).orientations == 12 and len(open_dataset(folder)) == 72
    assert "5 shapes to learn from, 1 held out" in " ".join(said.err.split()), "shapes, not rows"
    assert "on 5 shapes of 6 classes" in (run / "model/README.md").read_text()


def test_systems_with_an_encoder_refuse_orientations(tmp_path):
    recipe = with_data("vae-iwgan-image-tiny", orientations=12, cache=str(tmp_path / "cache"))
    with pytest.raises(UserError, match="data.orientations is for systems without an encoder.* got 12 and vae-iwgan"):
        next(prepare_data(recipe, lambda: False))
    assert not (tmp_path / "cache").exists()


def test_a_dataset_prepared_in_other_orientations_is_named(tmp_path):
    list(prepare("furniture", tmp_path / "three", resolution=20, count=2, workers=1, orientations=3))
    recipe = with_data("iwgan-tiny", path=(str(tmp_path / "three"),), orientations=12)
    with pytest.raises(UserError, match="must be those that .*three was prepared in, 3, got 12; prepare it again with"):
        next(prepare_data(recipe, lambda: False))
    for orientations in (1, 3):
        fits = with_data("iwgan-tiny", path=(str(tmp_path / "three"),), orientations=orientations)
        with pytest.raises(StopIteration) as done:
            next(prepare_data(fits, lambda: False))
        assert len(done.value.value) == 6
