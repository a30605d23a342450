"""Training on images from a prepared folder to pictures on disk: exact resuming, samples, commands, every bad input."""

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
import torch
from command import call
from PIL import Image
from radiographs import dataset, fill
from safetensors.torch import load_file, save_file

from maquette import api
from maquette import recipe as recipes
from maquette.datasets.images import open_images
from maquette.errors import UserError
from maquette.events import Note
from maquette.models.pixels import as_pixels, from_pixels
from maquette.models.sampling import sample_images
from maquette.rendering import sheets as preview
from maquette.systems import SYSTEMS
from maquette.training import news
from maquette.training import run as job
from maquette.training.data import prepare_data
from maquette.training.distributed import Engine
from maquette.training.image_batches import ImageBatches
from maquette.training.monitor import health
from maquette.training.monitor.log import read_metrics
from maquette.training.rows import shapes_in, split

TINY = ["wgan-gp-tiny", "wgan-gp-plus-tiny"]


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A prepared dataset of 16 grey images of 64x32, two of them for testing."""
    return dataset(tmp_path_factory.mktemp("radiographs"))


def recipe_of(name: str, data, steps: int = 9, **train) -> recipes.Recipe:
    recipe = recipes.load(name)
    train = {"steps": steps, "save_steps": 3, "sample_every": 0, "tensorboard": False, "check_every": 4, **train}
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, path=(str(data),)),
                               train=dataclasses.replace(recipe.train, **train))


@pytest.fixture(scope="session", params=TINY)
def trained(request, data, tmp_path_factory):
    """(recipe, run) of a tiny recipe, never interrupted."""
    run = tmp_path_factory.mktemp(request.param) / "run"
    recipe = recipe_of(request.param, data)
    events = list(job.train_recipe(recipe, run))
    started = next(event for event in events if isinstance(event, news.Started))
    assert (started.what, started.train_shapes + started.validation_shapes) == ("images", 14)
    assert started.validation_shapes >= 2
    return recipe, run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the run that is killed")
def test_a_killed_run_ends_bit_for_bit_as_one_that_never_was(trained, tmp_path):
    recipe, never = trained
    child = os.fork()
    if not child:
        try:
            often = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, log_every=1))
            for event in job.train_recipe(often, tmp_path / "run"):
                if isinstance(event, news.Stepped) and event.step == 5:  # two steps after the last checkpoint
                    os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    events = list(job.train_recipe(recipe, tmp_path / "run", resume=True))
    assert any("at step 3" in event.text for event in events if type(event) is Note)
    for name in ("weights.safetensors", "average.safetensors"):
        one, other = (load_file(run / "checkpoints" / "step-0000009" / name) for run in (never, tmp_path / "run"))
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one), name
    assert ("critic.adaptive" in load_file(never / "checkpoints" / "step-0000009" / "weights.safetensors")) == (
        recipe.model.augment == "adaptive")


def test_what_a_run_leaves(trained, data):
    recipe, run = trained
    rows = read_metrics(run)
    probed = [row for row in rows if row["event"] == "probed"]
    assert [row["step"] for row in probed] == [4, 8, 9] and not [row for row in rows if row["event"] == "checked"]
    last = probed[-1]
    assert {"critic/train", "critic/real", "critic/slope", "samples/variety"} <= set(last)
    assert "samples/empty" not in last and np.isfinite([value for key, value in last.items() if "/" in key]).all()
    if recipe.model.augment == "adaptive":
        assert any("critic/augment_probability" in row for row in rows)
    sheet = np.asarray(Image.open(next((run / "samples").glob("*.png"))))
    assert sheet.shape == (4 * 33 + 1, 4 * 65 + 1, 3)
    assert np.array_equal(sheet, np.asarray(Image.open(run / "model" / "samples.png"))), "of the averaged weights"
    card = (run / "model" / "README.md").read_text()
    images = shapes_in(open_images(data), split(open_images(data), recipe.data.validation)[0])
    for fact in (f"on {images} images.", "unconditional-image-generation", "images: as their owner says",
                 "sample_images(\"MODEL\"", "- images\n"):
        assert fact in card, fact
    assert "voxels" not in card.split("The whole recipe")[0]
    info = json.loads((run / "model" / "config.json").read_text())
    assert info["class_names"] == [] and "threshold" not in info and str(data.parent) not in json.dumps(info) + card


def test_a_latent_decides_an_image_whatever_the_count(trained):
    model = api.load(str(trained[1]))
    few, many = sample_images(model, 3, seed=5, batch=4), sample_images(model, 6, seed=5, batch=4)
    assert few.shape == (3, 32, 64) and few.dtype == np.uint8 and few.std() > 0
    assert np.array_equal(few, many[:3]) and np.array_equal(many, api.sample_images(str(trained[1]), 6, 5, 4))
    other = sample_images(model, 6, seed=5, batch=5).astype(int)
    assert np.abs(other - many).max() <= 1
    assert not np.array_equal(few, sample_images(model, 3, seed=6, batch=4))
    for options, line in (({"count": 0}, "count must be at least 1, got 0"),
                          ({"batch": 0}, "batch must be at least 1, got 0"),
                          ({"seed": -1}, "seed must be 0 or more, got -1")):
        with pytest.raises(UserError) as caught:
            sample_images(model, **options)
        assert str(caught.value) == line


def test_models_of_the_other_kind_are_refused(trained):
    with pytest.raises(UserError) as caught:
        sample_images("maquette", 1)
    assert str(caught.value) == (
        "model 'maquette' makes no images: it is a vae-iwgan-view; use one trained with wgan-gp")
    model = api.load(str(trained[1]))
    line = "makes no shapes: it is a wgan-gp; it makes images: sample_images, or maquette generate"
    for ask in (lambda: api.generate(model, 1), lambda: api.interpolate(["1", "2"], model),
                lambda: api.combine("1 - 2", model), lambda: api.project("cube.stl", model)):
        with pytest.raises(UserError, match=line):
            ask()


def test_weights_that_are_not_finite_make_no_images(trained, tmp_path):
    model = api.load(str(trained[1]), runtime="torch")
    broken = next(model.system.nets["generator"].parameters())
    broken.fill_(float("nan"))
    with pytest.raises(UserError, match="makes values that are not finite; its training diverged"):
        sample_images(model, 1)


def test_generate_writes_pictures_and_a_sheet(trained, tmp_path, capsys):
    run, out = str(trained[1]), tmp_path / "out"
    assert call("generate", "--model", run, "--count", "17", "--seed", "3", "--out", str(out)) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == [*(f"sample-3-{index:03d}.png" for index in range(17)), "sheet.png"]
    expected = sample_images(run, 17, seed=3)
    for index in (0, 16):
        with Image.open(out / names[index]) as picture:
            assert picture.mode == "L" and np.array_equal(np.asarray(picture), expected[index])
    assert np.array_equal(np.asarray(Image.open(out / "sheet.png")), preview.montage(expected, 8))
    said = capsys.readouterr().out
    assert f"sample-3-000 -> {out / names[0]}\n  64x32, grey" in said
    assert call("generate", "--model", run, "--class", "tooth", "--out", str(out)) == 1
    assert "knows no classes, got --class tooth" in capsys.readouterr().err


@pytest.mark.parametrize("trained", TINY[1:], indirect=True)
def test_commands_that_look_at_a_run_know_images(trained, capsys):
    run = str(trained[1])
    assert call("doctor", run) == 0
    assert "networks: step-0000009, on 2 batches of its training data" in capsys.readouterr().out
    assert call("runs", "show", run) == 0
    said = capsys.readouterr().out
    assert "width                64" in said and "height               32" in said
    assert call("models", "show", run, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["width"], facts["height"], facts["class_names"]) == (64, 32, []) and "resolution" not in facts


def test_colour_images_are_trained_on_and_made(tmp_path):
    data = dataset(tmp_path, 8, "40x24", grey=False)
    recipe = recipe_of("wgan-gp-plus-tiny", data, 2)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, height=24, width=40, channels=3))
    list(job.train_recipe(recipe, tmp_path / "run"))
    made = sample_images(str(tmp_path / "run"), 2)
    assert made.shape == (2, 24, 40, 3)
    assert call("generate", "--model", str(tmp_path / "run"), "--count", "1", "--out", str(tmp_path / "out")) == 0
    with Image.open(tmp_path / "out" / "sample-0-000.png") as picture:
        assert picture.size == (40, 24) and picture.mode == "RGB"


def test_batches_are_the_images_and_follow_seed_and_step(data):
    opened = open_images(data)
    rows, held_out = split(opened, 0.2)
    assert set(rows) | set(held_out) == set(opened.split("train")) and not set(rows) & set(held_out)
    recipe = recipe_of("wgan-gp-plus-tiny", data)
    system = SYSTEMS["wgan-gp"](recipe.model)
    batches = ImageBatches(opened, rows, held_out, recipe, system)
    batch = batches.at(4)
    assert batch.images.shape == (8, 1, 32, 64) and len(batch) == 8 and batch.voxels is None
    assert np.array_equal(as_pixels(batch.images), opened.pixels(batches.rows(4))), "not mirrored, exact"
    known = {pixels.tobytes() for pixels in opened.pixels(held_out)}
    assert {pixels.tobytes() for pixels in as_pixels(batch.held_out)} <= known and batches.at(5).held_out is None
    again = ImageBatches(opened, rows, held_out, recipe, system).at(4)
    assert torch.equal(again.images, batch.images) and again.seed == batch.seed
    flips = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, flip=True))
    flipped = ImageBatches(opened, rows, held_out, flips, system).at(4)
    same = [torch.equal(a, b) for a, b in zip(flipped.images, batch.images, strict=True)]
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped.images, batch.images, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True)) and any(same) and any(mirrored)
    halves = [ImageBatches(opened, rows, held_out, flips, system, (rank, 2)).at(4) for rank in (0, 1)]
    cut = [piece for half in halves for piece in half.cut(2)]
    assert torch.equal(torch.cat([piece.images for piece in cut]), flipped.images)
    assert torch.equal(torch.cat([piece.held_out for piece in cut]), flipped.held_out)
    assert torch.equal(torch.cat([piece.normal(2, 3) for piece in cut]), flipped.normal(8, 3))


def test_pixels_go_to_networks_and_back_exactly():
    grey = np.arange(256, dtype=np.uint8).reshape(2, 8, 16)
    images = from_pixels(grey)
    assert images.shape == (2, 1, 8, 16) and images.min() == -1 and images.max() == 1
    assert np.array_equal(as_pixels(images), grey)
    colour = np.stack([grey, grey[:, ::-1], 255 - grey], -1)
    assert np.array_equal(as_pixels(from_pixels(colour)), colour)


def test_a_montage_keeps_sizes_until_they_are_too_large():
    images = np.arange(5, dtype=np.uint8)[:, None, None].repeat(3, 1).repeat(4, 2) * 50
    page = preview.montage(images, 3)
    assert page.shape == (2 * 4 + 1, 3 * 5 + 1, 3)
    assert (page[1:4, 6:10] == 50).all() and (page[5:8, 1:5] == 150).all() and (page[5:8, 11:15] == 255).all()
    assert preview.montage(images[:2], 3).shape == (5, 11, 3)
    large = preview.montage(np.zeros((4, 100, 400), np.uint8), 2, longest_px=401)
    assert large.shape == (101, 401, 3), "reduced to 199x49 each"


def refused(recipe) -> str:
    with pytest.raises(UserError) as caught:
        list(prepare_data(recipe, lambda: False))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_data(recipe, *paths, **model):
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, path=tuple(map(str, paths))),
                               model=dataclasses.replace(recipe.model, **model))


def test_data_that_are_not_what_the_recipe_makes_are_refused(data, tmp_path):
    recipe = recipe_of("wgan-gp-tiny", data)
    again = "maquette data prepare images DIR --size 64x32 --grey --out OUT"
    assert refused(with_data(recipe, data, height=48)) == (
        f"{data} has images of 64x32 and 1 channel, the recipe's model makes 64x48 and 1 channel; prepare them again "
        "(maquette data prepare images DIR --size 64x48 --grey --out OUT), or set model.width, model.height and "
        "model.channels")
    assert refused(with_data(recipe, data, channels=3)) == (
        f"{data} has images of 64x32 and 1 channel, the recipe's model makes 64x32 and 3 channels; prepare them again "
        "(maquette data prepare images DIR --size 64x32 --out OUT), or set model.width, model.height and "
        "model.channels")
    assert refused(with_data(recipe, data, data)) == (
        "a wgan-gp model learns from one dataset of images, got 2 paths; put the images into one folder")
    assert refused(with_data(recipe, "furniture")) == (
        f"data.path furniture holds shapes; a wgan-gp model learns from images; make a dataset of them with: {again}")
    shapes = tmp_path / "shapes"
    shapes.mkdir()
    for name in ("maquette.json", "dataset_dict.json"):
        (shapes / name).write_text("{}")
    assert refused(with_data(recipe, shapes)) == (
        f"data.path {shapes} holds shapes; a wgan-gp model learns from images; make a dataset of them with: {again}")
    pictures = fill(tmp_path / "pictures", 2)
    assert refused(with_data(recipe, pictures)) == (
        f"data.path {pictures} is not a prepared dataset of images; make one with: {again}")
    assert refused(with_data(recipes.load("iwgan-tiny"), data)) == (
        f"data.path {data} holds images; a iwgan model learns from shapes; recipes for images: wgan-gp, wgan-gp-plus")


def test_one_image_is_too_few(tmp_path):
    data = dataset(tmp_path, 3)
    with pytest.raises(UserError, match="training needs at least 2 images in the train split, got 1"):
        list(job.train_recipe(recipe_of("wgan-gp-tiny", data), tmp_path / "run"))


def test_the_findings_speak_of_images(trained):
    recipe, _ = trained
    rows = [{"event": "stepped", "step": 50, "critic/wasserstein": -1.0}]
    rows += [{"event": "probed", "step": step, "samples/variety": 0.01, "samples/distance": 0.001,
              "real/distance": 0.1, "critic/real": 0.0, "critic/fake": 0.0, "critic/real_std": 0.0,
              "critic/fake_std": 0.0, "critic/reach": 30.0, "critic/slope": 0.0} for step in (9000, 9500)]
    constant, alike = health.diagnose(rows, recipe)
    assert constant.code == "critic-constant" and "distance of the images 30" in constant.seen
    assert alike.code == "samples-alike" and "made images differ by 0.001 a pixel" in alike.seen
    assert "the generator makes one image" in alike.meaning and "model.critic_steps" in alike.change


def test_compiling_leaves_critics_alone(monkeypatch):
    """A compiled critic could not be differentiated twice, as the penalty asks; flat weights have channels last."""
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__))
    recipe = recipes.load("wgan-gp-tiny")
    system = SYSTEMS["wgan-gp"](recipe.model)
    Engine(dataclasses.replace(recipe.train, compile=True)).place(system.nets, twice=system.adversaries())
    assert compiled == ["Generator"]
    weight = system.nets["critic"].stages[1][0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()


def test_a_run_starts_from_a_model_with_its_critic(trained, data, tmp_path):
    recipe, run = trained
    start = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, steps=1, start=str(run), save_steps=1))
    list(job.train_recipe(start, tmp_path / "run"))
    assert "images: as their owner says" in (tmp_path / "run" / "start.json").read_text()
    packed = load_file(run / "model" / "model.safetensors")
    assert {key.split(".")[0] for key in packed} == {"generator", "critic"}
    damaged = {key: value for key, value in packed.items() if "linear" not in key}
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text((run / "model" / "config.json").read_text())
    save_file(damaged, folder / "model.safetensors")
    with pytest.raises(UserError, match="tensor .*linear.* is missing"):
        api.load(str(folder))
