"""The loop: exact resuming, schedules of the absolute step, checkpoints that are whole or not there."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.recipe import DataRecipe, OptimRecipe
from maquette.systems import SYSTEMS
from maquette.train import checkpoint, loop
from maquette.train.batches import Batches, jitter, mirror, sized, turn


class Boxes:
    """Stands in for OpenedData: boxes whose width is their row's number."""

    views_per_shape = 3
    labels = np.arange(29) % 4

    def voxels(self, rows):
        grids = np.zeros((len(rows), 20, 20, 20), bool)
        for grid, row in zip(grids, rows, strict=True):
            grid[2 : 4 + row % 10, 5:15, 3:12] = True
        return grids

    def views(self, rows, which):
        seeds = [np.random.default_rng([row, view]) for row, view in zip(rows, which, strict=True)]
        return np.stack([seed.integers(0, 256, (32, 32), np.uint8) for seed in seeds])


def job(steps: int, name: str = "vae-iwgan-image-tiny", **train):
    recipe = recipes.load(name)
    train = {"steps": steps, "save_minutes": 60.0, **train}
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **train))
    torch.manual_seed(recipe.train.seed)
    system = SYSTEMS[recipe.system](recipe.model)
    return system, recipe, Batches(Boxes(), np.arange(29), recipe, system.reads_images)


def finish(parts, run, **options):
    run.mkdir(exist_ok=True)
    return list(loop.train(*parts, run, **options))


@pytest.mark.parametrize("name", ["vae-iwgan-image-tiny", "iwgan-tiny"])
def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path, name):
    whole, first, second = job(9, name), job(4, name), job(9, name)
    finish(whole, tmp_path / "whole")
    finish(first, tmp_path / "parts")
    events = finish(second, tmp_path / "parts", resume=True)
    assert any("at step 4" in e.text for e in events if isinstance(e, loop.Note))
    for key, value in whole[0].nets.state_dict().items():
        assert torch.equal(value, second[0].nets.state_dict()[key]), key


def test_a_run_that_is_asked_to_stop_saves_its_step_and_goes_on_exactly(tmp_path):
    whole, first, second = job(7), job(7), job(7)
    finish(whole, tmp_path / "whole")
    asked = iter([False, False, True])
    events = finish(first, tmp_path / "parts", stop=lambda: next(asked))
    assert isinstance(events[-1], loop.Stopped) and events[-1].step == 3
    assert isinstance(events[-2], loop.Saved) and events[-2].path.name == "step-0000003"
    finish(second, tmp_path / "parts", resume=True)
    for key, value in whole[0].nets.state_dict().items():
        assert torch.equal(value, second[0].nets.state_dict()[key]), key


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(tmp_path):
    finish(job(2), tmp_path)
    finish(job(4), tmp_path, resume=True)
    newest = checkpoint.found(tmp_path / "checkpoints")[-1]
    data = bytearray((newest / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (newest / "weights.safetensors").write_bytes(data)
    notes = [e.text for e in finish(job(5), tmp_path, resume=True) if isinstance(e, loop.Note)]
    assert "step-0000004 is damaged (weights.safetensors does not match its checksum)" in notes[0]
    assert "at step 2" in notes[1]


def test_without_a_whole_checkpoint_resuming_says_so(tmp_path):
    with pytest.raises(UserError, match="holds no whole checkpoint"):
        finish(job(2), tmp_path, resume=True)


def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    finish(job(2), tmp_path)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(UserError, match="could not be written: No space left on device"):
        finish(job(4), tmp_path, resume=True)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-0000002"]
    assert checkpoint.newest_whole(tmp_path / "checkpoints")[0].name == "step-0000002"


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    for steps in (1, 2, 3, 4):
        finish(job(steps), tmp_path, resume=steps > 1)
    assert [p.name for p in checkpoint.found(tmp_path / "checkpoints")] == ["step-0000003", "step-0000004"]


def test_a_checkpoint_of_other_shapes_names_the_tensor(tmp_path):
    finish(job(2), tmp_path)
    system, recipe, batches = job(4)
    wider = dataclasses.replace(recipe.model, latent=9)
    with pytest.raises(UserError, match=r"tensor .* does not fit this recipe, got shape"):
        finish((SYSTEMS[recipe.system](wider), recipe, batches), tmp_path, resume=True)
    shutil.rmtree(tmp_path)


def test_metrics_are_json_lines_that_count_samples_too(tmp_path):
    finish(job(10), tmp_path, check=lambda system, step: {"iou": step / 100})
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["event"], line["step"], line["samples"]) for line in lines] == [
        ("stepped", 5, 40), ("stepped", 10, 80), ("checked", 10, 80),
    ]
    assert lines[-1]["iou"] == 0.1 and np.isfinite(lines[0]["critic/wasserstein"])


def test_the_schedule_is_a_function_of_the_absolute_step():
    optim = OptimRecipe(lr=1.0, warmup=10, decay=100, floor=0.1)
    assert loop.schedule(0, optim) == pytest.approx(0.1, rel=1e-3)
    assert loop.schedule(50, optim) == pytest.approx(0.1 + 0.9 * 0.5)
    assert loop.schedule(100, optim) == loop.schedule(10**6, optim) == pytest.approx(0.1)
    assert loop.schedule(7, OptimRecipe()) == 1.0


def test_every_shape_comes_once_an_epoch_and_batches_have_no_state():
    _, recipe, batches = job(1)
    seen = np.concatenate([batches.rows(step) for step in range(29)])  # 29 batches of 8 are 8 epochs of 29
    assert all(sorted(seen[29 * epoch : 29 * (epoch + 1)]) == list(range(29)) for epoch in range(8))
    late = job(1)[2].at(17)
    assert torch.equal(batches.at(17).voxels, late.voxels) and torch.equal(batches.at(17).images, late.images)
    assert not torch.equal(batches.at(16).images, late.images)


def test_batches_prepared_ahead_are_the_same():
    _, _, batches = job(1)
    for (step, here), (also, ahead) in zip(batches.stream(3, 6), batches.stream(3, 6, ahead=True), strict=True):
        assert step == also and torch.equal(here.images, ahead.images) and here.seed == ahead.seed


def test_mirror_and_turn_are_what_they_say():
    images = torch.arange(4.0).view(1, 1, 2, 2).repeat(2, 1, 1, 1)
    voxels = torch.zeros(2, 1, 4, 4, 4)
    voxels[:, 0, 0, 1, 2] = 1
    flipped, grids = mirror(images, voxels, torch.tensor([True, False]))
    assert flipped[0, 0].tolist() == [[1, 0], [3, 2]] and flipped[1, 0].tolist() == [[0, 1], [2, 3]]
    assert grids[0, 0, 3, 1, 2] == 1 and grids[1, 0, 0, 1, 2] == 1
    turned = turn(voxels, np.array([1, 4]))
    assert turned[0, 0, 2, 0, 2] == 1, "a quarter turn takes +x to +y"
    assert torch.equal(turned[1], voxels[1])


def test_views_are_shrunk_before_the_step_that_the_recipe_names():
    data = DataRecipe(small_size=20, small_until=7)
    images = torch.rand(2, 1, 40, 40)
    assert torch.equal(sized(images, data, 7), images) and torch.equal(sized(images, DataRecipe(), 0), images)
    small = sized(images, data, 6)
    assert small.shape == (2, 1, 20, 20) and small.mean().item() == pytest.approx(images.mean().item(), abs=0.01)
    with pytest.raises(UserError, match="small_size"):
        recipes.from_tree({"system": "iwgan", "model": {}, "data": {"small_size": 3}}, "here")


def test_jitter_stays_in_range_and_follows_its_seed():
    images = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    first, again, other = (jitter(images, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1 and first.shape == images.shape


def test_the_moving_average_is_what_it_says(tmp_path):
    system, _, _ = job(1)
    average = loop.Average(system, 0.9)
    key = "generator.linear.bias"
    start = average.tensors[key].clone()
    with torch.no_grad():
        system.nets["generator"].linear.bias.add_(1)
    average.update(10**6)
    assert torch.allclose(average.tensors[key], start + 0.1)
    live = system.nets.state_dict()[key].clone()
    with average.applied():
        assert torch.equal(system.nets.state_dict()[key], average.tensors[key]) and not system.nets.training
    assert torch.equal(system.nets.state_dict()[key], live) and system.nets.training
