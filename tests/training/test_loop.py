"""The loop: exact resuming, schedules of the absolute step, checkpoints that are whole or not there."""

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from boxes import Boxes, job
from safetensors.torch import load_file

from maquette import recipe as recipes
from maquette.errors import TrainingDiverged, UserError
from maquette.events import Note
from maquette.recipe import DataRecipe, OptimRecipe
from maquette.systems import SYSTEMS
from maquette.training import checkpoint, loop, news
from maquette.training.augment import jitter, mirror, turn
from maquette.training.batches import Batches
from maquette.training.distributed import Engine
from maquette.training.ema import Average
from maquette.training.inputs import at_training_size
from maquette.training.monitor import runs
from maquette.training.optim import learning_rate_scale
from maquette.training.phases import run_phase


def finish(parts, run, **options):
    run.mkdir(exist_ok=True)
    return list(loop.train(*parts, run, **options))


@pytest.mark.parametrize("name", ["vae-iwgan-image-tiny", "iwgan-tiny"])
def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path, name):
    whole, first, second = job(9, name), job(4, name), job(9, name)
    finish(whole, tmp_path / "whole")
    finish(first, tmp_path / "parts")
    events = finish(second, tmp_path / "parts", resume=True)
    assert any("at step 4" in e.text for e in events if type(e) is Note)
    for key, value in whole[0].nets.state_dict().items():
        assert torch.equal(value, second[0].nets.state_dict()[key]), key


def test_a_run_that_is_asked_to_stop_saves_its_step_and_goes_on_exactly(tmp_path):
    whole, first, second = job(7), job(7), job(7)
    finish(whole, tmp_path / "whole")
    asked = iter([False, False, True])
    events = finish(first, tmp_path / "parts", stop=lambda: next(asked))
    assert isinstance(events[-1], news.Stopped) and events[-1].step == 3
    assert isinstance(events[-2], news.Saved) and events[-2].path.name == "step-0000003"
    finish(second, tmp_path / "parts", resume=True)
    for key, value in whole[0].nets.state_dict().items():
        assert torch.equal(value, second[0].nets.state_dict()[key]), key


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(tmp_path):
    finish(job(2), tmp_path)
    finish(job(4), tmp_path, resume=True)
    newest = checkpoint.list_checkpoints(tmp_path / "checkpoints")[-1]
    data = bytearray((newest / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (newest / "weights.safetensors").write_bytes(data)
    notes = [e.text for e in finish(job(5), tmp_path, resume=True) if type(e) is Note]
    assert "step-0000004 is damaged (weights.safetensors does not match its checksum)" in notes[0]
    assert "at step 2" in notes[1]


def test_a_term_that_is_not_finite_ends_the_run_before_anything_is_saved(tmp_path):
    finish(job(2), tmp_path)
    system, recipe, batches = job(9, log_every=4, save_steps=1)
    at = batches.at

    def poisoned(step):
        batch = at(step)
        if step == 5:
            batch.voxels[0, 0, 3, 3, 3] = float("nan")
        return batch

    batches.at = poisoned
    with pytest.raises(TrainingDiverged, match="diverged at step 5: term '.*' of phase 'critic' is not finite"):
        finish((system, recipe, batches), tmp_path, resume=True)
    row = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert (row["event"], row["step"], row["phase"], row["last_good"]) == ("diverged", 6, "critic", 5)
    assert "critic" in row["networks"].split(",") and row["value"] == "nan"
    path, damaged = checkpoint.newest_whole(tmp_path / "checkpoints")
    assert path.name == "step-0000005" and not damaged


def test_the_best_by_the_named_metric_is_kept_over_stops(tmp_path):
    scores = {2: 0.3, 4: 0.5, 6: 0.4, 8: 0.45}
    hooks = loop.Hooks(check=lambda system, step: {"iou": scores[step]})
    finish(job(4, check_every=2), tmp_path, hooks=hooks)
    events = finish(job(8, check_every=2), tmp_path, hooks=hooks, resume=True)
    folder = tmp_path / "checkpoints"
    assert checkpoint.read_best(folder, "iou", 8) == checkpoint.Best("iou", 0.5, 4)
    assert not [e for e in events if isinstance(e, news.Saved) and e.metric], "0.45 is not better than 0.5"
    assert checkpoint.damage(folder / "best") is None
    finish(job(9, check_every=9, best="-loss"), tmp_path, resume=True,
           hooks=loop.Hooks(check=lambda system, step: {"loss": 1.0}))
    assert checkpoint.read_best(folder, "loss", 9).step == 9


def test_a_packed_run_is_small_and_goes_on(tmp_path):
    finish(job(6), tmp_path / "run")
    (tmp_path / "run" / "recipe.yaml").write_text(recipes.dump(job(6)[1]))
    packed = runs.pack(tmp_path / "run", tmp_path / "packed")
    files = sorted(p.name for p in (packed / "checkpoints" / "step-0000006").iterdir())
    assert files == ["recipe.yaml", "state.json", "weights.safetensors"]
    system, _, _ = parts = job(8)
    notes = [e.text for e in finish(parts, packed, resume=True) if type(e) is Note]
    assert "at step 6" in notes[0]
    system, recipe, _ = job(6)
    average = Average(system, recipe.train.average)
    state = checkpoint.State(system.nets, average.tensors, {})
    assert checkpoint.restore(packed / "checkpoints" / "step-0000006", state) == 6
    whole = load_file(tmp_path / "run" / "checkpoints" / "step-0000006" / "average.safetensors")
    for key, value in whole.items():
        assert torch.equal(average.tensors[key], value.half().to(value.dtype)) or not value.is_floating_point(), key
        assert torch.equal(system.nets.state_dict()[key], average.tensors[key]), key
    with pytest.raises(UserError, match="is not an empty folder"):
        runs.pack(tmp_path / "run", packed)


def test_checkpoints_every_so_many_steps(tmp_path):
    events = finish(job(7, save_steps=3, save_minutes=0.0), tmp_path)
    assert [e.step for e in events if isinstance(e, news.Saved)] == [3, 6, 7]


def test_cut_batches_give_the_same_samples_and_noise():
    """Two processes of two parts each see, together, what one process sees."""
    system, recipe, batches = job(1)
    whole = batches.at(5)
    noise, mix = whole.normal(8, 3), whole.uniform(8)
    parts = [part for rank in (0, 1)
             for part in Batches(Boxes(), np.arange(29), recipe, system, (rank, 2)).at(5).cut(2)]
    assert torch.equal(torch.cat([p.voxels for p in parts]), whole.voxels)
    assert torch.equal(torch.cat([p.images for p in parts]), whole.images)
    assert torch.equal(torch.cat([p.labels for p in parts]), whole.labels)
    assert torch.equal(torch.cat([p.normal(2, 3) for p in parts]), noise)
    assert torch.equal(torch.cat([p.uniform(2) for p in parts]), mix)


def test_gradients_summed_over_parts_are_those_of_the_whole_batch(tmp_path):
    """The critic phase of 3D-IWGAN, penalty included; its generator in evaluation mode, for batch norm sees parts."""
    moved = []
    for accumulate in (1, 4):
        system, recipe, batches = job(1, "iwgan-tiny", accumulate=accumulate, precision="fp32")
        system.nets["generator"].eval()
        engine = Engine(recipe.train)
        optimisers = {"critic": torch.optim.SGD(system.nets["critic"].parameters(), 1.0)}
        run_phase(system.phases()[0], system, batches.at(0).cut(accumulate), optimisers, recipe.optim, engine)
        moved.append(system.nets["critic"].state_dict())
    for key, value in moved[0].items():
        assert torch.allclose(value, moved[1][key], atol=1e-6), key


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
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["step-0000002"]
    assert checkpoint.newest_whole(tmp_path / "checkpoints")[0].name == "step-0000002"


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    for steps in (1, 2, 3, 4):
        finish(job(steps), tmp_path, resume=steps > 1)
    assert [p.name for p in checkpoint.list_checkpoints(tmp_path / "checkpoints")] == ["step-0000003", "step-0000004"]


def test_a_checkpoint_of_other_shapes_names_the_tensor(tmp_path):
    finish(job(2), tmp_path)
    system, recipe, batches = job(4)
    wider = dataclasses.replace(recipe.model, latent=9)
    with pytest.raises(UserError, match=r"tensor .* does not fit this recipe, got shape"):
        finish((SYSTEMS[recipe.system](wider), recipe, batches), tmp_path, resume=True)
    shutil.rmtree(tmp_path)


def test_metrics_are_json_lines_that_count_samples_too(tmp_path):
    finish(job(10), tmp_path, hooks=loop.Hooks(check=lambda system, step: {"iou": step / 100}))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["event"], line["step"], line["samples"]) for line in lines] == [
        ("stepped", 5, 40), ("stepped", 10, 80), ("checked", 10, 80),
    ]
    assert lines[-1]["iou"] == 0.1 and np.isfinite(lines[0]["critic/wasserstein"])


def test_the_schedule_is_a_function_of_the_absolute_step():
    optim = OptimRecipe(lr=1.0, warmup=10, decay=100, floor=0.1)
    assert learning_rate_scale(0, optim) == pytest.approx(0.1, rel=1e-3)
    assert learning_rate_scale(50, optim) == pytest.approx(0.1 + 0.9 * 0.5)
    assert learning_rate_scale(100, optim) == learning_rate_scale(10**6, optim) == pytest.approx(0.1)
    assert learning_rate_scale(7, OptimRecipe()) == 1.0


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
    assert torch.equal(at_training_size(images, data, 7), images)
    assert torch.equal(at_training_size(images, DataRecipe(), 0), images)
    small = at_training_size(images, data, 6)
    assert small.shape == (2, 1, 20, 20) and small.mean().item() == pytest.approx(images.mean().item(), abs=0.01)
    with pytest.raises(UserError, match="small_size"):
        recipes.from_tree({"system": "iwgan", "model": {}, "data": {"small_size": 3}}, "here")


def test_jitter_stays_in_range_and_follows_its_seed():
    images = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    first, again, other = (jitter(images, torch.Generator().manual_seed(s))[0] for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1 and first.shape == images.shape


def test_the_moving_average_is_what_it_says(tmp_path):
    system, _, _ = job(1)
    average = Average(system, 0.9)
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


def test_lightnings_own_lines_stay_off_the_terminal():  # F16
    code = ("from dataclasses import replace; from maquette import recipe; "
            "from maquette.training.distributed import Engine; "
            "Engine(replace(recipe.load('iwgan-tiny').train, precision='bf16', device='cpu'))")
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
