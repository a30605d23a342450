"""A run's folder whose files are valid and hold nonsense: what is of use is used, the rest is one line."""

import json
import shutil

import pytest
from boxes import job

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.training import checkpoint, loop
from maquette.training.monitor import runs
from maquette.training.monitor.doctor import examine
from maquette.training.monitor.log import read_metrics


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    run.mkdir()
    parts = job(2, "iwgan-tiny", save_steps=1, log_every=1)
    list(loop.train(*parts, run))
    (run / "recipe.yaml").write_text(recipes.dump(parts[1]))
    return run


@pytest.fixture
def run(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


@pytest.mark.parametrize("state", [
    "", "[", "[]", "7", "{}", '{"step": 2}', "[" * 10**5, '{"step": 2, "sha256": {}}', '{"step": "2", "sha256": {}}',
    '{"step": -1, "sha256": {"weights.safetensors": 0}}', '{"step": 2, "sha256": {"../../recipe.yaml": "0"}}',
    '{"step": 2, "sha256": [1]}',
])
def test_a_checkpoint_whose_state_is_nonsense_is_passed_over(run, state):
    (run / "checkpoints" / "step-0000002" / "state.json").write_text(state)
    path, damaged = checkpoint.newest_whole(run / "checkpoints")
    assert path.name == "step-0000001" and len(damaged) == 1 and "\n" not in damaged[0]
    assert [finding.code for finding in examine(run).findings] == ["checkpoint-damaged"]
    list(loop.train(*job(3, "iwgan-tiny", log_every=1), run, resume=True))
    assert checkpoint.newest_whole(run / "checkpoints")[0].name == "step-0000003"


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x80\x04" + b"." * 30, None])
def test_a_file_with_a_checksum_that_fits_and_no_such_content_is_passed_over(run, content):
    folder = run / "checkpoints" / "step-0000002"
    for name in ("weights.safetensors", "average.safetensors", "optimisers.pt"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before[: len(before) // 2] if content is None else content)
        known = json.loads((folder / "state.json").read_text())
        known["sha256"][name] = checkpoint._checksum(folder / name)
        (folder / "state.json").write_text(json.dumps(known))
        reason = checkpoint.damage(folder)
        assert reason is not None and "\n" not in reason, name
        (folder / name).write_bytes(before)
        known["sha256"][name] = checkpoint._checksum(folder / name)
        (folder / "state.json").write_text(json.dumps(known))
    assert checkpoint.damage(folder) is None


@pytest.mark.parametrize("row", [
    "null", "7", "[" * 10**5, '{"event": "stepped", "step": true, "time": 1}', '{"event": "stepped", "step": -3}',
    '{"event": "stepped", "step": 1' + "0" * 40 + "}", '{"event": "stepped", "step": 3, "samples": "many"}',
    '{"event": "stepped", "step": 3, "time": "late"}', '{"event": "stepped", "step": 3, "time": NaN}',
    '{"event": "stepped", "step": 3, "time": -5}', '{"event": "stepped", "step": 3, "critic/penalty": [1]}',
    '{"event": "checked", "step": 3, "iou": null}', '{"event": 3, "step": 3}',
])
def test_a_row_of_metrics_that_no_training_writes_is_left_out(run, row, tmp_path):
    before = read_metrics(run)
    with (run / "metrics.jsonl").open("a") as file:
        file.write(row + "\n")
    assert read_metrics(run) == before
    assert runs.list_runs(run)[0]["step"] == 2 and runs.describe(run)["facts"]["samples"] == 16
    runs.write_curves(run, tmp_path / "curves.png")


def test_a_run_with_no_whole_checkpoint_says_what_can_be_done(run):
    for path in checkpoint.list_checkpoints(run / "checkpoints"):
        (path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="holds no whole checkpoint to resume from; start it anew with another --run"):
        list(loop.train(*job(3, "iwgan-tiny"), run, resume=True))


def test_what_was_moved_aside_goes_back_and_what_is_half_written_goes(run):
    folder = run / "checkpoints"
    best = shutil.copytree(folder / "step-0000002", folder / ".best.old")
    shutil.copytree(best, folder / ".step-0000002.old")
    shutil.copytree(best, folder / ".step-0000003.partial")
    checkpoint.tidy(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["best", "step-0000001", "step-0000002"]
    assert checkpoint.damage(folder / "best") is None
