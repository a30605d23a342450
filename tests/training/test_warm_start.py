"""Training that starts from a model: its very weights, its terms carried on, exact resuming, misfits named."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.datasets.format import OWN_TERMS
from maquette.datasets.prepare import prepare
from maquette.errors import UserError
from maquette.events import Note
from maquette.models import hub
from maquette.systems import SYSTEMS
from maquette.training import news
from maquette.training import run as job
from maquette.training import warm_start as start
from maquette.training.monitor import runs, samples

TERMS = "chairs of someone: not for sale"


def model(folder, name: str, seed: int = 5, **keys):
    """A model with weights of this seed as `hub.save` writes it, and its system."""
    recipe = recipes.load(name)
    torch.manual_seed(seed)
    system = SYSTEMS[recipe.system](replace(recipe.model, **keys))
    hub.save(folder, system, {"class_names": ["box"], "data": [TERMS]}, "card", {})
    return system


def asking(name: str, given: object, **keys):
    """The recipe, starting from this model."""
    recipe = recipes.load(name)
    return replace(recipe, model=replace(recipe.model, **keys), train=replace(recipe.train, start=str(given)))


def refused(recipe) -> str:
    with pytest.raises(UserError) as caught:
        start.load_start_weights(recipe)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def halved(system, *nets: str) -> dict:
    """What a model's file keeps of some networks."""
    state = {key: value for key, value in system.nets.state_dict().items() if key.split(".")[0] in nets}
    return {key: value.half().float() if value.is_floating_point() else value for key, value in state.items()}


def test_networks_take_the_weights_of_the_file_and_a_critic_that_it_lacks_stays_fresh(tmp_path):
    theirs = model(tmp_path / "chairs", "vae-iwgan-image-tiny")
    weights = start.load_start_weights(asking("vae-iwgan-image-tiny", tmp_path / "chairs"))
    assert weights.note == "starts from chairs; fresh: critic"
    assert weights.start == start.Start(str(tmp_path / "chairs"), "chairs", (TERMS,))
    torch.manual_seed(9)
    ours = SYSTEMS["vae-iwgan-image"](theirs.config)
    critic = {key: value.clone() for key, value in ours.nets["critic"].state_dict().items()}
    weights.load_into(ours.nets)
    kept = halved(theirs, "encoder", "generator")
    assert all(torch.equal(ours.nets.state_dict()[key], value) for key, value in kept.items()) and len(kept) > 20
    assert all(torch.equal(ours.nets["critic"].state_dict()[key], value) for key, value in critic.items())


def test_a_critic_that_the_file_holds_is_taken_too(tmp_path):
    theirs = model(tmp_path / "run" / "model", "iwgan-tiny")
    weights = start.load_start_weights(asking("iwgan-tiny", tmp_path / "run"))
    assert weights.note == "starts from run" and weights.start.name == "run"
    kept = halved(theirs, "generator", "critic")
    assert set(weights.tensors) == set(kept)
    assert all(torch.equal(weights.tensors[key], value) for key, value in kept.items())
    assert start.load_start_weights(asking("iwgan-tiny", tmp_path / "run" / "model")).start.name == "run"


def test_what_is_fresh_what_is_left_out_and_what_is_read_otherwise_is_said(tmp_path):
    joint = {"joint": True, "generator": "subvoxel"}
    model(tmp_path / "plain", "vae-iwgan-image-tiny", standardise=True, **joint)
    model(tmp_path / "corrected", "vae-iwgan-image-tiny", aligned=True, **joint)
    note = start.load_start_weights(asking("vae-iwgan-image-tiny", tmp_path / "plain", aligned=True, **joint)).note
    assert note == "starts from plain; fresh: aligned, critic; model.standardise is true there and false here"
    recipe = asking("vae-iwgan-image-tiny", tmp_path / "corrected", adversarial=0.0, **joint)
    note = start.load_start_weights(recipe).note
    assert note == "starts from corrected; left out: aligned"


def test_a_tensor_that_does_not_fit_is_named_with_both_shapes_and_the_key(tmp_path):
    model(tmp_path / "m", "iwgan-tiny")
    assert refused(asking("iwgan-tiny", tmp_path / "m", latent=6, penalty_weight=5.0)) == (
        "train.start: tensor generator.linear.weight has shape (2000, 8) in m, the recipe's has (2000, 6); "
        "model.latent is 8 there and 6 here"
    )
    line = refused(asking("iwgan-tiny", tmp_path / "m", critic_channels=(4, 8, 6)))
    assert line.endswith("model.critic_channels is [4, 8, 8, 8] there and [4, 8, 6] here")
    assert re.search(r"tensor critic\.\S+ has shape \(8, 8.*\) in m, the recipe's has \(6, 8", line)
    line = refused(asking("iwgan-tiny", tmp_path / "m", generator="subvoxel"))
    assert line.endswith("model.generator is paper there and subvoxel here")


def test_a_tensor_that_one_side_lacks_is_named_with_its_shape(tmp_path):
    deeper = {"encoder_blocks": (1, 1, 2)}
    model(tmp_path / "small", "vae-iwgan-image-tiny")
    line = refused(asking("vae-iwgan-image-tiny", tmp_path / "small", **deeper))
    assert re.search(r"tensor encoder\.\S+ is not in small, the recipe's has shape \(8, 8, 3, 3\); ", line)
    assert line.endswith("model.encoder_blocks is [1, 1, 1] there and [1, 1, 2] here")
    line = start._misfit({"a.b": torch.zeros(2, 3), "a.c": torch.zeros(4)}, {"a.b": (2, 3)}, "deep")
    assert line == "tensor a.c of deep, shape (4,), is none of the recipe's"


def test_keys_that_must_change_together_are_both_named(tmp_path):
    model(tmp_path / "m", "vae-iwgan-image-tiny")
    line = refused(asking("vae-iwgan-image-tiny", tmp_path / "m", encoder_widths=(4, 8), encoder_blocks=(1, 1)))
    assert line.endswith("model.encoder_widths is [4, 8, 8] there and [4, 8] here, model.encoder_blocks is [1, 1, 1] "
                         "there and [1, 1] here")


def test_a_key_of_training_that_cannot_change_alone_is_not_named(tmp_path):
    """Without `adversarial_start` the critic would enter too late, which decides no tensor of what is shared."""
    joint = {"joint": True, "prior": "class"}
    model(tmp_path / "m", "vae-iwgan-image-tiny", **joint)
    late = {"critic_start": 7, "adversarial_start": 8}
    line = refused(asking("vae-iwgan-image-tiny", tmp_path / "m", latent=6, **late, **joint))
    assert line.split("; ")[-1] == "model.latent is 8 there and 6 here"


def test_what_is_no_start_is_one_line(tmp_path):
    model(tmp_path / "m", "iwgan-tiny")
    assert refused(asking("vae-iwgan-image-tiny", tmp_path / "m")) == (
        "train.start must be a model of the recipe's system, vae-iwgan-image, got m of iwgan"
    )
    assert refused(asking("iwgan-tiny", "maquete")) == (
        "train.start: no model or folder of this name, got 'maquete'; did you mean 'maquette'?"
    )
    assert "train.start: " in refused(asking("iwgan-tiny", tmp_path)) and "it has no config.json" in refused(
        asking("iwgan-tiny", tmp_path))
    data = bytearray((tmp_path / "m" / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m" / "model.safetensors").write_bytes(data)
    assert "is damaged: it does not match its checksum" in refused(asking("iwgan-tiny", tmp_path / "m"))


def test_a_model_that_names_no_terms_has_its_owners(tmp_path):
    model(tmp_path / "m", "iwgan-tiny")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    unknown = "m: as its owner says"
    for data, terms in ((None, unknown), ([], unknown), (["two\n# lines"], "two # lines")):
        (tmp_path / "m" / "config.json").write_text(json.dumps({**config, "data": data}))
        assert start.load_start_weights(asking("iwgan-tiny", tmp_path / "m")).start.terms == (terms,)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    """Nine boxes, prepared."""
    folder = tmp_path_factory.mktemp("boxes")
    (folder / "box").mkdir()
    for size in range(9):
        grid = np.zeros((12, 12, 12), np.float32)
        grid[1 : 3 + size, 1:9, 2:8] = 1
        np.save(folder / "box" / f"{size}.npy", grid)
    list(prepare(folder / "box", folder / "set", resolution=20, workers=1))
    return folder / "set"


@pytest.fixture
def trained(boxes, monkeypatch):
    """A run of iwgan-tiny on boxes: `(folder, model to start from, steps) -> events`; its sheets are not drawn."""
    monkeypatch.setattr(samples, "shape_sheet", lambda *_: None)

    def run(folder, given="", steps=4, lr=1e-4, stop=lambda: False, resume=False):
        recipe = asking("iwgan-tiny", given)
        train = replace(recipe.train, steps=steps, sample_every=0, tensorboard=False)
        optim = replace(recipe.optim, lr=lr, critic_lr=lr)
        recipe = replace(recipe, train=train, optim=optim, data=replace(recipe.data, path=(str(boxes),)))
        return list(job.train_recipe(recipe, folder, resume=resume, stop=stop))

    return run


def made(run) -> dict:
    return hub.load(str(run)).system.nets.state_dict()


def test_weights_and_their_average_begin_at_the_models(tmp_path, trained):
    """A step of no length leaves what both began with: of an average that began elsewhere a tenth would be left."""
    theirs = model(tmp_path / "m", "iwgan-tiny")
    events = trained(tmp_path / "run", tmp_path / "m", steps=1, lr=1e-30)
    assert [event.text for event in events if type(event) is Note] == ["starts from m"]
    found = made(tmp_path / "run")
    weights = {key: value for key, value in halved(theirs, "generator", "critic").items() if key.endswith("weight")}
    assert all(torch.equal(found[key], value) for key, value in weights.items())


def test_runs_from_one_seed_and_one_start_are_equal_and_resume_without_the_model(tmp_path, trained):
    model(tmp_path / "secret" / "chairs", "iwgan-tiny")
    given = tmp_path / "secret" / "chairs"
    trained(tmp_path / "one", given)
    trained(tmp_path / "two", given)
    trained(tmp_path / "fresh")
    asked = iter([False, True])
    assert isinstance(trained(tmp_path / "parts", given, stop=lambda: next(asked))[-1], news.Stopped)
    packed = runs.pack(tmp_path / "parts", tmp_path / "packed")
    assert (packed / "start.json").read_bytes() == (tmp_path / "parts" / "start.json").read_bytes()
    shutil.rmtree(given)
    with pytest.raises(UserError, match=r"parts was started from '.*chairs', got 'maquette'; train.start is for a new"):
        trained(tmp_path / "parts", "maquette", resume=True)
    notes = [event.text for event in trained(tmp_path / "parts", given, resume=True) if type(event) is Note]
    assert len(notes) == 1 and "at step 2" in notes[0]
    whole = made(tmp_path / "one")
    for other in ("two", "parts"):
        assert all(torch.equal(value, whole[key]) for key, value in made(tmp_path / other).items()), other
    assert not torch.equal(made(tmp_path / "fresh")["generator.linear.weight"], whole["generator.linear.weight"])
    info = json.loads((tmp_path / "parts" / "model" / "config.json").read_text())
    assert info["data"] == [OWN_TERMS, TERMS] and info["recipe"]["train"]["start"] == "chairs"
    card = (tmp_path / "parts" / "model" / "README.md").read_text()
    assert f"- {TERMS}\n" in card and "started from the weights of `chairs`" in card
    assert "secret" not in card and "secret" not in json.dumps(info)


def test_a_start_belongs_to_a_new_run(tmp_path, trained):
    recipe = asking("iwgan-tiny", "maquette")
    with pytest.raises(UserError) as caught:
        start.read_start(tmp_path, recipe)
    assert str(caught.value) == (f"{tmp_path} was not started from a model, it has no start.json, got 'maquette'; "
                                 "train.start is for a new run")
    begun = start.Start("maquette", "maquette", (TERMS,))
    start.write_start(tmp_path, begun)
    assert start.read_start(tmp_path, recipe) == begun
    (tmp_path / "start.json").write_text('{"given": "maquette"}')
    with pytest.raises(UserError, match=r"start\.json cannot be read, got KeyError: 'name'; it names the terms"):
        start.read_start(tmp_path, recipe)
    start.write_start(tmp_path, None)
    assert start.read_start(tmp_path, asking("iwgan-tiny", "")) is None and not list(tmp_path.iterdir())
