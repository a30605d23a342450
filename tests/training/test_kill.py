"""Power cuts: a run that is killed with SIGKILL at random moments ends with the weights of one that never was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

KILLS = int(os.environ.get("MAQUETTE_KILLS", "6"))
"""20 in the long round: MAQUETTE_KILLS=20."""
STEPS = 16 * KILLS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its tries")
def test_a_run_killed_at_random_moments_ends_bit_for_bit_as_one_that_never_was(tmp_path):
    script = [sys.executable, str(Path(__file__).parents[1] / "helpers" / "killed.py")]
    killed = subprocess.run(
        [*script, str(tmp_path / "a"), str(STEPS), str(KILLS), "11"], capture_output=True, text=True, timeout=250
    )
    assert killed.returncode == 0, killed.stderr
    told = json.loads(killed.stdout)
    assert told["exit"] == 0 and told["kills"] == KILLS, (told, killed.stderr)
    assert told["damaged"] == 0, "a checkpoint under its final name was not whole"
    steps = [int(name.removeprefix("step-")) for name in told["found"] if name != "none"]
    assert steps == sorted(steps) and len(set(steps)) > KILLS // 2, "the tries went on from where the last one died"
    never = subprocess.run([*script, str(tmp_path / "b"), str(STEPS), "0", "11"], capture_output=True, text=True)
    assert json.loads(never.stdout)["exit"] == 0, never.stderr
    ends = [tmp_path / side / "killed" / "checkpoints" / f"step-{STEPS:07d}" for side in "ab"]
    for name in ("weights.safetensors", "average.safetensors"):
        one, other = (load_file(end / name) for end in ends)
        assert one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one), name
    texts = [(tmp_path / side / "killed" / "metrics.jsonl").read_text() for side in "ab"]
    rows = [[json.loads(line) for line in text.splitlines()] for text in texts]
    terms = [[{k: v for k, v in row.items() if "/" in k} for row in side] for side in rows]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]], "each step is logged once"
    assert terms[0][-1] == terms[1][-1]
