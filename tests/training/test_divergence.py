"""Runs whose numbers stop being finite: what is kept, what is said, and what a checkpoint of an older release holds."""

import json
import math

import pytest
import torch
from boxes import job
from safetensors.torch import load_file

from maquette.errors import PlainWarning, TrainingDiverged, UserError
from maquette.events import Note
from maquette.models.precision import in_half_precision
from maquette.training import checkpoint, loop
from maquette.training.distributed import all_finite


def finish(parts, run, **options):
    run.mkdir(exist_ok=True)
    return list(loop.train(*parts, run, **options))


def with_huge_update(parts, at: int):
    """The run's critic is updated at a rate of 3e38 on one step; its losses there are finite."""
    system, recipe, batches = parts
    of = batches.at

    def watched(step):
        rate["now"] = step == at
        return of(step)

    rate, phases = {"now": False}, system.phases

    def made():
        found = phases()
        loss = found[0].loss

        def burnt(nets, batch, step):
            terms = loss(nets, batch, step)
            if rate["now"]:
                for weight in nets["critic"].parameters():
                    weight.register_hook(lambda gradient: torch.full_like(gradient, math.inf))
            return terms

        return (type(found[0])(**{**vars(found[0]), "loss": burnt}), *found[1:])

    system.phases, batches.at = made, watched
    return system, recipe, batches


def test_weights_that_an_update_broke_are_not_saved_and_the_run_goes_on_from_before(tmp_path):
    finish(job(2, "iwgan-tiny", save_steps=1), tmp_path)
    broken = with_huge_update(job(9, "iwgan-tiny", save_steps=1, log_every=9), at=3)
    line = ("training diverged at step 3: its update left numbers that are not finite: weights of critic; optimiser of "
            "critic; the checkpoint of step 3 is kept; resume with a lower learning rate")
    with pytest.raises(TrainingDiverged) as diverged:
        finish(broken, tmp_path, resume=True)
    assert str(diverged.value) == line and diverged.value.last_good == 3
    row = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert (row["event"], row["step"], row["phase"], row["networks"], row["last_good"]) == (
        "diverged", 4, "update", "critic", 3)
    path, damaged = checkpoint.newest_whole(tmp_path / "checkpoints")
    assert path.name == "step-0000003" and not damaged
    assert all_finite(load_file(path / "weights.safetensors").values())
    whole = job(6, "iwgan-tiny", save_steps=1)
    finish(whole, tmp_path, resume=True)
    assert all_finite(whole[0].nets.state_dict().values())


def test_the_first_step_that_diverges_says_that_nothing_was_written(tmp_path):
    with pytest.raises(TrainingDiverged, match="no checkpoint was written yet; start anew with a lower learning rate"):
        finish(with_huge_update(job(4, "iwgan-tiny", save_steps=1), at=0), tmp_path)
    assert not checkpoint.list_checkpoints(tmp_path / "checkpoints")


def test_an_average_that_is_not_finite_is_not_saved(tmp_path, monkeypatch):
    update = loop.Average.update

    def poisoned(self, step):
        update(self, step)
        next(iter(self.tensors.values())).fill_(math.nan)

    monkeypatch.setattr(loop.Average, "update", poisoned)
    with pytest.raises(TrainingDiverged, match="are not finite: averages of generator; no checkpoint"):
        finish(job(2, "iwgan-tiny"), tmp_path)


def test_a_checkpoint_of_infinite_weights_is_passed_over(tmp_path):
    """As a release before could write one, and then diverged at every resume."""
    finish(job(2, "iwgan-tiny"), tmp_path)
    system, recipe, _ = job(4, "iwgan-tiny")
    with torch.no_grad():
        next(system.nets["critic"].parameters()).fill_(-math.inf)
    average = {key: value.clone() for key, value in system.nets.state_dict().items() if key.startswith("generator")}
    checkpoint.save(tmp_path / "checkpoints", 4, checkpoint.State(system.nets, average, {}), 9)
    notes = [event.text for event in finish(job(5, "iwgan-tiny"), tmp_path, resume=True) if type(event) is Note]
    assert "step-0000004 is damaged (critic." in notes[0] and "holds numbers that are not finite" in notes[0]
    assert "at step 2" in notes[1]


def test_a_lower_rate_counts_when_a_run_is_resumed(tmp_path):
    """The rate of critics was the saved one: the advice after a divergence could not be followed."""
    finish(job(2, "iwgan-tiny"), tmp_path)
    system, recipe, batches = job(3, "iwgan-tiny")
    lower = type(recipe)(**{**vars(recipe), "optim": type(recipe.optim)(**{**vars(recipe.optim), "critic_lr": 1e-7})})
    trainer = loop.Trainer(system, lower, tmp_path, loop.Engine(lower.train))
    trainer.restore(tmp_path / "checkpoints" / "step-0000002")
    assert [group["lr"] for group in trainer.optimisers["critic"].param_groups] == [1e-7]
    assert trainer.optimisers["critic"].state_dict()["state"], "its moments are those of the checkpoint"


def test_checkpoints_are_ordered_by_their_steps_and_the_one_just_written_stays(tmp_path):
    system, _, _ = job(1, "iwgan-tiny")
    state = checkpoint.State(system.nets, {}, {})
    for step in (9_999_998, 9_999_999, 10_000_000):
        checkpoint.save(tmp_path, step, state, 2)
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-9999999", "step-10000000"]
    assert checkpoint.newest_whole(tmp_path)[0].name == "step-10000000"
    (tmp_path / "step-10000000" / "state.json").write_text("{")
    (tmp_path / "step-notes").mkdir()
    written = checkpoint.save(tmp_path, 9_999_999 - 5, state, 1)
    assert written.is_dir(), "a damaged newer one does not count among those that are kept"
    assert checkpoint.newest_whole(tmp_path)[0].name == "step-9999999"
    (tmp_path / "step-9999999" / "state.json").write_text("{")
    assert checkpoint.newest_whole(tmp_path)[0] == written


def test_values_beyond_half_precision_stay_as_they_are_and_are_named():
    tensors = {"a": torch.tensor([1.0, 65504.0]), "b": torch.tensor([1.0, -7e4]), "n": torch.tensor([70000])}
    with pytest.warns(PlainWarning, match="b kept in full precision: of values beyond 65504"):
        halves = in_half_precision(tensors)
    assert [value.dtype for value in halves.values()] == [torch.half, torch.float, torch.int64]
    assert all(torch.equal(halves[name].to(value.dtype), value) for name, value in tensors.items())


def test_a_model_with_a_value_beyond_half_precision_is_written_and_read(tmp_path):
    from maquette.models import hub

    system, _, _ = job(1, "iwgan-tiny")
    with torch.no_grad():
        weight = next(system.nets["generator"].parameters())
        weight.view(-1)[0] = 1e5
    with pytest.warns(PlainWarning, match="generator.*kept in full precision"):
        hub.save(tmp_path, system, {}, "card", {})
    assert next(hub.load(tmp_path).system.nets["generator"].parameters()).view(-1)[0] == 1e5


def test_restoring_what_fits_by_its_checksum_and_not_by_its_content_is_one_line(tmp_path):
    finish(job(2, "iwgan-tiny"), tmp_path)
    path = tmp_path / "checkpoints" / "step-0000002"
    saved = torch.load(path / "optimisers.pt", weights_only=True)
    for damage in (
        lambda tree: tree["critic"].pop("state"),
        lambda tree: tree["critic"]["state"].__setitem__(0, 7),
        lambda tree: tree["critic"]["state"].__setitem__(99, {"exp_avg": torch.zeros(3)}),
        lambda tree: tree["critic"]["state"][0].__setitem__("exp_avg", torch.zeros(3)),
        lambda tree: tree["critic"].__setitem__("param_groups", []),
        lambda tree: tree["random"].__setitem__("cpu", torch.zeros(3)),
    ):
        tree = {name: {**value} for name, value in saved.items()}
        tree["critic"] = {"state": {key: {**value} for key, value in saved["critic"]["state"].items()},
                          "param_groups": saved["critic"]["param_groups"]}
        damage(tree)
        torch.save(tree, path / "optimisers.pt")
        known = json.loads((path / "state.json").read_text())
        known["sha256"]["optimisers.pt"] = checkpoint._checksum(path / "optimisers.pt")
        (path / "state.json").write_text(json.dumps(known))
        with pytest.raises(UserError, match="step-0000002 cannot be gone on from, got .*; delete it, and the run goes"):
            finish(job(3, "iwgan-tiny"), tmp_path, resume=True)
