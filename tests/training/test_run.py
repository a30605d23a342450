"""A prepared dataset that does not fit the recipe's networks is named, with what to change, before any training."""

from dataclasses import replace

import numpy as np
import pytest

from maquette import recipe as recipes
from maquette.cli import commands as cli
from maquette.datasets.cache import shapes_of
from maquette.datasets.prepare import prepare
from maquette.errors import UserError
from maquette.events import Note
from maquette.models import hub
from maquette.training.data import prepare_data
from maquette.training.rows import split
from maquette.training.run import train_recipe


@pytest.fixture(scope="module")
def grids(tmp_path_factory):
    """Two boxes as grids, and beside them a file that is none."""
    folder = tmp_path_factory.mktemp("grids") / "box"
    folder.mkdir()
    for size in (4, 6):
        box = np.zeros((8, 8, 8), np.float32)
        box[1:size, 1:size, 1:7] = 1
        np.save(folder / f"box-{size}.npy", box)
    (folder / "broken.stl").write_text("nothing")
    return folder


def refused(recipe, folder) -> str:
    with pytest.raises(UserError) as caught:
        list(prepare_data(replace(recipe, data=replace(recipe.data, path=(str(folder),))), lambda: False))
    return str(caught.value)


def test_data_of_another_resolution_are_refused(grids, tmp_path):
    list(prepare(grids, tmp_path / "set", resolution=16, workers=1))
    assert refused(recipes.load("iwgan-tiny"), tmp_path / "set") == (
        f"{tmp_path / 'set'} has 16 voxels a side, model.resolution is 20; prepare it again with --resolution 20, or "
        "set model.resolution"
    )


def test_data_without_views_or_with_others_are_refused(grids, tmp_path):
    recipe = recipes.load("vae-iwgan-image-tiny")
    again = "prepare it again with --views 2 --view-size 32 --channels 1"
    list(prepare(grids, tmp_path / "bare", resolution=20, workers=1))
    line = f"{tmp_path / 'bare'} has no views, which a vae-iwgan-image model learns from; {again}"
    assert refused(recipe, tmp_path / "bare") == line
    list(prepare(grids, tmp_path / "large", resolution=20, views=1, view_size=48, channels=3, workers=1))
    line = f"{tmp_path / 'large'} has views of 48 pixels and 3 channels, the recipe's model reads 32 and 1 channel; "
    assert refused(recipe, tmp_path / "large") == line + again
    colour = replace(recipe, model=replace(recipe.model, view_size=48, image_channels=3))
    opened = replace(colour, data=replace(colour.data, path=(str(tmp_path / "large"),)))
    assert list(prepare_data(opened, lambda: False)) == [], "what fits is opened, with no event"


def test_preparing_says_how_many_shapes_there_are_the_first_time_and_again(grids, tmp_path, capsys):
    out = str(tmp_path / "set")
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            cli.main(["data", "prepare", str(grids), "--out", out, "--resolution", "8", "--workers", "1"])
        assert stopped.value.code == 1, "a file was skipped"
        assert capsys.readouterr().out == f"{out}: 2 shapes, 1 skipped\n"
    with pytest.raises(SystemExit):
        cli.main(["data", "audit", out])
    assert capsys.readouterr().out.splitlines()[-1] == "1 finding"


def test_classes_that_are_not_asked_for_are_left_out(tmp_path):
    for kind, count in (("box", 3), ("slab", 4), ("rod", 5)):
        (tmp_path / "grids" / kind).mkdir(parents=True)
        for number in range(count):
            grid = np.zeros((8, 8, 8), np.float32)
            grid[1:4, 1 : 3 + number] = 1
            np.save(tmp_path / "grids" / kind / f"{kind}-{number}.npy", grid)
    list(prepare(tmp_path / "grids", tmp_path / "set", resolution=20, workers=1))
    recipe = recipes.load("iwgan-tiny")

    def opened(*classes):
        data = replace(recipe.data, path=(str(tmp_path / "set"),), classes=classes)
        steps = prepare_data(replace(recipe, data=data), lambda: False)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value

    everything, some = opened(), opened("slab", "rod")
    assert everything.class_names == ("box", "rod", "slab") and some.class_names == ("rod", "slab")
    rows = np.concatenate(split(some, 0.3))
    assert {some.id(row).split("/")[0] for row in rows} == {"rod", "slab"} and len(rows) == 9
    assert [some.class_names[some.labels[row]] for row in rows] == [some.id(row).split("/")[0] for row in rows]
    with pytest.raises(UserError, match="no class of this name, got 'ball'; they have box, rod, slab"):
        opened("ball")


def test_a_class_without_a_shape_to_learn_from_is_said_and_keeps_the_prior(tmp_path):
    for kind, count in (("box", 6), ("slab", 1)):
        for number in range(count):
            split_name = "test" if kind == "slab" else "train"
            folder = tmp_path / "data" / kind / split_name
            folder.mkdir(parents=True, exist_ok=True)
            grid = np.zeros((20, 20, 20), np.float32)
            grid[2 : 9 + number, 2:9, 3:17] = 1
            np.save(folder / f"{kind}-{number}.npy", grid)
    recipe = recipes.load("vae-iwgan-image-tiny")
    list(prepare(tmp_path / "data", tmp_path / "set", resolution=20, views=2, view_size=32, workers=1))
    recipe = replace(recipe, data=replace(recipe.data, path=(str(tmp_path / "set"),)),
                     train=replace(recipe.train, steps=1, tensorboard=False))
    said = [event.text for event in train_recipe(recipe, tmp_path / "run") if isinstance(event, Note)]
    assert "no shape to learn from is of the class slab; they are held out or test shapes" in said
    latents = hub.load(tmp_path / "run").latents
    assert (latents["rest"][1] == 1).all() and not latents["mean"][1].any()
    assert not (latents["rest"][0] == 1).all()


def boxes(folder, sizes):
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        grid = np.zeros((20, 20, 20), np.float32)
        grid[2 : 4 + size, 2:9, 3:17] = 1
        np.save(folder / f"box-{size}.npy", grid)


def trained_on(source, run, cache, steps, resume=False):
    recipe = recipes.load("iwgan-tiny")
    recipe = replace(recipe, data=replace(recipe.data, path=(str(source),), cache=str(cache)),
                     train=replace(recipe.train, steps=steps, tensorboard=False, sample_every=0))
    return [event.text for event in train_recipe(recipe, run, resume=resume) if isinstance(event, Note)]


def test_a_folder_that_gained_meshes_is_prepared_again_and_a_resumed_run_says_so(tmp_path):
    boxes(tmp_path / "in", range(1, 9))
    said = trained_on(tmp_path / "in", tmp_path / "run", tmp_path / "cache", 2)
    assert sum("preparing" in line for line in said) == 1
    assert not any("preparing" in line for line in trained_on(tmp_path / "in", tmp_path / "b", tmp_path / "cache", 1))
    boxes(tmp_path / "in", range(9, 12))
    said = trained_on(tmp_path / "in", tmp_path / "run", tmp_path / "cache", 3, resume=True)
    assert sum("preparing" in line for line in said) == 1
    assert any("the data are not those that this run began with (8 rows then, 11 now)" in line for line in said)
    said = trained_on(tmp_path / "in", tmp_path / "run", tmp_path / "cache", 4, resume=True)
    assert not any("the data are not" in line or "preparing" in line for line in said)


def test_training_and_measuring_share_what_is_prepared(tmp_path, monkeypatch):
    boxes(tmp_path / "in", range(1, 9))
    trained_on(tmp_path / "in", tmp_path / "run", tmp_path / "cache", 1)
    (prepared,) = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    monkeypatch.chdir(tmp_path)
    measured = list(shapes_of("in", "cache", "train", 20))
    assert not measured, "no progress: nothing is prepared again"
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [prepared]
    trained_on("in", tmp_path / "b", "cache", 1)
    trained_on("furniture", tmp_path / "c", "cache", 1)
    monkeypatch.chdir(tmp_path / "in")
    said = trained_on("furniture", tmp_path / "d", tmp_path / "cache", 1)
    assert not any("preparing" in line for line in said), "furniture is the same wherever it is made"
