"""Models on disk and on the Hugging Face Hub: whole or refused, found in the cache without a network, and pushed."""

import json
import os
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file

from maquette.cli import commands as cli
from maquette.errors import PlainWarning, UserError
from maquette.io import lock
from maquette.models import hub
from maquette.systems import SYSTEMS
from maquette.systems.iwgan3d import IWGAN3DConfig

SMALL = IWGAN3DConfig(resolution=20, latent=4, generator_channels=(8, 4, 4), critic_channels=(2,))
NAME = "someone/chairs"
FILES = ("README.md", "config.json", "model.safetensors", "samples.png")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model as `save` writes it, with a picture, and its system."""
    torch.manual_seed(0)
    system = SYSTEMS["iwgan"](SMALL)
    picture = np.arange(12 * 9 * 3, dtype=np.uint8).reshape(12, 9, 3)
    folder = tmp_path_factory.mktemp("models") / "made"
    latents = {"mean": torch.ones(1, 4)}
    return hub.save(
        folder, system, {"threshold": 0.25, "class_names": ["chair"]}, "# A card\n", latents, picture
    ), system


@pytest.fixture
def model(made, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made[0], tmp_path / "model")


def problem(call, *arguments, **options) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_that_was_stopped_says_how_it_becomes_a_model(tmp_path):
    (tmp_path / "run").mkdir()
    assert problem(hub.locate, str(tmp_path / "run")) == f"{tmp_path / 'run'} is not a model: it has no config.json"
    for step in (30, 120):
        (tmp_path / "run" / "checkpoints" / f"step-{step:07d}").mkdir(parents=True)
    assert problem(hub.locate, str(tmp_path / "run")).endswith(
        f"; a model of a run that was stopped: maquette train --resume {tmp_path / 'run'} --train.steps 120")


def rewrite(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def test_what_is_saved_is_loaded(made):
    folder, system = made
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    loaded = hub.load(str(folder))
    for key, value in loaded.system.nets["generator"].state_dict().items():
        assert torch.allclose(value, system.nets["generator"].state_dict()[key], atol=1e-3), key
    assert loaded.threshold == 0.25 and np.array_equal(loaded.latents["mean"], np.ones((1, 4)))
    assert not loaded.system.nets.training
    picture = np.asarray(Image.open(folder / "samples.png"))
    assert np.array_equal(picture, np.arange(12 * 9 * 3, dtype=np.uint8).reshape(12, 9, 3))


def test_all_files_of_a_model_are_for_the_same_readers(made):
    folder, _ = made
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_disk_that_is_full_at_any_of_its_files_leaves_an_older_model_as_it_was(model, made, monkeypatch, number):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    write, count = Path.write_bytes, []

    def full(path, data):
        count.append(path)
        if len(count) == number:
            write(path, data[:3])
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    pixels = np.zeros((4, 4, 3), np.uint8)
    names = ["config.json", "samples.png", "README.md", "model.safetensors"]
    with pytest.raises(UserError, match=f"cannot write .*{names[number - 1]}: No space left on device"):
        hub.save(model, made[1], {"threshold": 0.75}, "another card", {}, pixels)
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


def test_the_config_takes_its_name_last(tmp_path, made, monkeypatch):
    named, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (named.append(Path(new).name), replace(old, new)))
    hub.save(tmp_path / "m", made[1], {}, "card", {})
    assert named == ["model.safetensors", "README.md", "config.json"]
    (tmp_path / "m" / "config.json").unlink()
    assert "it has no config.json" in problem(hub.load, str(tmp_path / "m"))


def test_a_model_saved_without_a_picture_keeps_none_of_an_earlier_one(model, made):
    hub.save(model, made[1], {}, "card", {})
    assert not (model / "samples.png").exists()
    hub.load(str(model))


def test_one_flipped_bit_is_damage(model):
    path = model / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert f"{path} is damaged: it does not match its checksum" in problem(hub.load, str(model))
    config = json.loads((model / "config.json").read_text())
    del config["sha256"]
    (model / "config.json").write_text(json.dumps(config))
    hub.load(str(model))  # one of the time before checksums


def test_a_tensor_that_does_not_fit_is_named_with_both_shapes(model):
    path = model / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "generator.linear.bias": torch.zeros(7)}, path)
    line = problem(hub.load, str(model))
    assert "tensor generator.linear.bias has shape (7,), config.json needs (500,)" in line
    del tensors["generator.linear.bias"]
    save_file(tensors, path)
    assert "tensor generator.linear.bias is missing" in problem(hub.load, str(model))


def test_sizes_in_a_config_are_not_trusted(model):
    """A terabyte of weights is refused by what the file holds, without being made."""
    config = json.loads((model / "config.json").read_text())["model"]
    rewrite(model, model={**config, "latent": 10**9})
    line = problem(hub.load, str(model))
    assert "has shape" in line and "config.json needs (500, 1000000000)" in line


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"system": "iwgam"}, "unknown system 'iwgam'; this version knows gan3d"),
        ({"model": {"resolution": 33}}, "model.resolution must be 20, 32 or 64, got 33"),
        ({"model": {"latent": "four"}}, "model.latent must be a whole number, got four"),
        ({"model": {"latnt": 4}}, "unknown key model.latnt"),
        ({"format": 99}, "newer version of maquette"),
        ({"sha256": "abc"}, "sha256 is no mapping"),
    ],
)
def test_a_config_that_does_not_fit_says_what(model, changes, says):
    rewrite(model, **changes)
    line = problem(hub.load, str(model))
    assert says in line and str(model / "config.json") in line


def test_nothing_is_unpickled(model):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemError('unpickled')",))

    (model / "model.safetensors").unlink()
    torch.save({"a": Trap()}, model / "model.safetensors")
    assert "is damaged" in problem(hub.load, str(model))


def cached(folder, root, files=FILES):
    """The hub client's cache as a download leaves it: refs/main and one snapshot."""
    repository = root / "models--someone--chairs"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    for name in files:
        shutil.copy(folder / name, snapshot)
    return snapshot


def test_the_cache_serves_when_offline(made, tmp_path, monkeypatch):
    """As with HF_HUB_OFFLINE=1; the real client, a cache of our own, no network."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    line = problem(hub.load, NAME)
    assert f"there is no folder '{NAME}', and the Hugging Face Hub may not be asked (HF_HUB_OFFLINE)" in line
    cached(made[0], tmp_path)
    assert hub.load(NAME).threshold == 0.25


def test_without_a_network_the_cache_serves_too(made, tmp_path, monkeypatch):
    asked = []

    def unreachable(name):
        raise ConnectionError("no route to the Hub\n\nat all")

    def download(name, *, allow_patterns, local_files_only=False):
        asked.append((name, local_files_only))
        assert set(allow_patterns) == set(hub.FILES)
        if not (tmp_path / "models--someone--chairs").exists():
            raise FileNotFoundError("not cached")
        return str(tmp_path / "models--someone--chairs" / "snapshots" / ("a" * 40))

    monkeypatch.setattr(huggingface_hub, "model_info", unreachable)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert "Hub cannot be reached; check the name of the folder, or the network" in problem(hub.load, NAME)
    cached(made[0], tmp_path)
    with pytest.warns(PlainWarning, match=f"no answer for {NAME} .no route to the Hub at all.; the copy that was"):
        assert hub.load(NAME).threshold == 0.25
    assert asked == [(NAME, True)] * 2


def test_a_repository_that_holds_no_model_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_args, **_options: str(tmp_path))
    assert f"'{NAME}' on the Hugging Face Hub is not a model of maquette" in problem(hub.load, NAME)


class FakeHub:
    """Stands in for HfApi: repositories with whether they are private, and what was uploaded."""

    repositories: dict[str, bool] = {}
    uploaded: list[tuple[str, list[str]]] = []
    refuses: Exception | None = None

    def __init__(self, token=None):
        self.private: bool | None = None
        FakeHub.token = token

    def create_repo(self, repo_id, *, repo_type, private, exist_ok):
        assert repo_type == "model" and exist_ok
        if self.refuses:
            raise self.refuses
        self.repositories.setdefault(repo_id, private)
        return f"https://huggingface.co/{repo_id}"

    def model_info(self, repo_id):
        self.private = self.repositories[repo_id]
        return self

    def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
        names = sorted(path.name for path in folder_path.iterdir() if path.name in allow_patterns)
        self.uploaded.append((repo_id, names))


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(FakeHub, "repositories", {})
    monkeypatch.setattr(FakeHub, "uploaded", [])
    monkeypatch.setattr(FakeHub, "refuses", None)
    return FakeHub


def test_a_model_is_pushed_with_its_card_and_picture_and_nothing_else(model, fake, capsys):
    (model / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["models", "push", str(model), NAME, "--private"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"https://huggingface.co/{NAME}\n"
    assert fake.repositories == {NAME: True} and fake.uploaded == [(NAME, sorted(FILES))]
    assert hub.push(str(model), NAME, token="secret") == f"https://huggingface.co/{NAME}" and fake.token == "secret"


def test_a_private_push_never_lands_in_a_public_place(model, fake):
    fake.repositories[NAME] = False
    assert f"{NAME} is there and public" in problem(hub.push, str(model), NAME, private=True)
    assert fake.uploaded == []


def test_a_full_disk_is_one_line_and_the_model_is_pushed_later(model, fake, monkeypatch):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    full = OSError(28, "No space left on device")

    def fail(*_):
        raise full

    with monkeypatch.context() as patch:  # where the lock cannot be written
        patch.setattr(lock, "_opened", fail)
        assert problem(hub.push, str(model), NAME) == f"cannot write {model / lock.LOCK}: No space left on device"
        assert fake.uploaded == []
    fake.refuses = full  # where the Hub's own client cannot write
    assert problem(hub.push, str(model), NAME).endswith("No space left on device; free some space and push it again")
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before and fake.uploaded == []
    fake.refuses = None
    hub.push(str(model), NAME)
    assert fake.uploaded == [(NAME, sorted(FILES))]


def test_what_cannot_be_pushed_is_one_line(model, fake):
    assert "named as OWNER/NAME, got 'chairs'" in problem(hub.push, str(model), "chairs")
    fake.refuses = PermissionError("403 Forbidden\n\nnot yours")
    line = problem(hub.push, str(model), NAME, token="secret")
    assert f"{NAME} could not be uploaded" in line and "403 Forbidden not yours; an account" in line
    assert "secret" not in line
    fake.refuses = None
    (model / "model.safetensors").write_bytes(b"half")
    assert "is damaged" in problem(hub.push, str(model), NAME)
    assert fake.uploaded == []
