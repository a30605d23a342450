"""Two processes on one machine (gloo): what they compute together is what one computes alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from boxes import Boxes, job
from safetensors.torch import load_file

from maquette.errors import UserError
from maquette.training.distributed import Engine
from maquette.training.phases import run_phase

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Path:
    """A folder with what each of two processes wrote, in `0` and `1`."""
    folder = tmp_path_factory.mktemp("pair")
    script = Path(__file__).parents[1] / "helpers" / "pair.py"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*torchrun, str(script), str(folder)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_averaged_gradients_are_those_of_one_process_on_the_same_batch(pair):
    system, recipe, batches = job(1, "iwgan-tiny", precision="fp32")
    before = {key: value.clone() for key, value in system.nets["critic"].state_dict().items()}
    system.nets["generator"].eval()
    optimisers = {"critic": torch.optim.SGD(system.nets["critic"].parameters(), 1.0)}
    engine = Engine(recipe.train)
    terms = run_phase(
        system.phases()[0], system, [batches.at(0)], optimisers, recipe.optim, engine
    )
    assert terms["penalty"] > 0.1, "the penalty takes part"
    ranks = [load_file(pair / str(rank) / "gradient.safetensors") for rank in (0, 1)]
    for key, alone in system.nets["critic"].state_dict().items():
        assert torch.equal(ranks[0][key], ranks[1][key]), key
        assert torch.allclose(ranks[0][key], alone, rtol=1e-4, atol=1e-6), key
        if "weight" in key:
            assert not torch.allclose(before[key], alone, rtol=1e-3), "the step moved it"


def test_every_sample_is_seen_once_an_epoch(pair):
    seen = [json.loads((pair / str(rank) / "seen.json").read_text()) for rank in (0, 1)]
    flat = [volume for step in zip(*seen, strict=True) for part in step for volume in part]
    sizes = sorted(Boxes().voxels(range(29)).sum((1, 2, 3)).tolist())
    assert all(sorted(flat[29 * epoch : 29 * (epoch + 1)]) == sizes for epoch in range(8))


def test_only_the_first_process_writes(pair):
    assert (pair / "replicate-0" / "metrics.jsonl").is_file()
    assert (pair / "replicate-0" / "checkpoints" / "step-0000004").is_dir()
    assert not (pair / "replicate-1").exists()


def test_both_processes_end_with_the_same_weights(pair):
    ranks = [load_file(pair / str(rank) / "replicate.safetensors") for rank in (0, 1)]
    assert ranks[0].keys() == ranks[1].keys()
    assert all(torch.equal(ranks[0][key], ranks[1][key]) for key in ranks[0])


def test_sharded_networks_end_as_replicated_ones_and_resume_exactly(pair):
    replicated = load_file(pair / "0" / "replicate.safetensors")
    sharded = load_file(pair / "0" / "shard.safetensors")
    sittings = load_file(pair / "1" / "sittings.safetensors")
    for key, value in replicated.items():
        assert torch.allclose(sharded[key], value, rtol=1e-3, atol=1e-5), key
        assert torch.equal(sittings[key], sharded[key]), key


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(UserError, match="train.batch must be a multiple of train.accumulate"):
        Engine(job(1, accumulate=3)[1].train)
