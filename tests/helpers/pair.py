"""One of the processes of test_two_processes.py, started by torchrun: trains a little and writes what it saw."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from boxes import job
from safetensors.torch import save_file

from maquette.training import loop
from maquette.training.distributed import Engine, gather_full
from maquette.training.phases import run_phase


def gradient(engine: Engine) -> dict[str, torch.Tensor]:
    """The critic after one step of plain gradient descent on the whole batch, penalty included.

    The generator is in evaluation mode: batch norm sees each process's part alone, which is no matter of gradients.
    """
    system, recipe, batches = job(1, "iwgan-tiny", (engine.rank, engine.world), precision="fp32")
    engine.place(system.nets)
    system.nets["generator"].eval()
    optimisers = {"critic": torch.optim.SGD(system.nets["critic"].parameters(), 1.0)}
    run_phase(system.phases()[0], system, [batches.at(0)], optimisers, recipe.optim, engine)
    return system.nets["critic"].state_dict()


def train(engine: Engine, run: Path, steps: int, strategy: str, resume: bool = False) -> dict[str, torch.Tensor]:
    """The weights after some steps of all phases; the run's folder is of this process alone."""
    system, recipe, batches = job(steps, "vae-iwgan-image-tiny", (engine.rank, engine.world), precision="fp32",
                                  strategy=strategy, log_every=1, best="")
    engine.recipe = recipe.train
    for _ in loop.train(system, recipe, batches, run, engine=engine, resume=resume):
        pass
    return {name: value.contiguous() for name, value in gather_full(system.nets.state_dict()).items()}


def main(folder: Path) -> None:
    """Write gradient, rows seen and trained weights of this process into the folder."""
    torch.set_num_threads(1)
    _, recipe, _ = job(1)
    engine = Engine(recipe.train)
    mine = folder / str(engine.rank)
    mine.mkdir(parents=True, exist_ok=True)
    save_file(gradient(engine), mine / "gradient.safetensors")
    _, _, batches = job(1, part=(engine.rank, engine.world))
    rows = [[int(batches.at(step).voxels[i].sum()) for i in range(4)] for step in range(29)]
    (mine / "seen.json").write_text(json.dumps(rows))
    save_file(train(engine, folder / f"replicate-{engine.rank}", 4, "replicate"), mine / "replicate.safetensors")
    shared = Path(engine.share(str(folder / "shard")))
    save_file(train(engine, shared, 4, "shard"), mine / "shard.safetensors")
    # the same in two sittings: gathered into one checkpoint and spread again
    shared = Path(engine.share(str(folder / "sittings")))
    train(engine, shared, 2, "shard")
    engine.wait()
    save_file(train(engine, shared, 4, "shard", resume=True), mine / "sittings.safetensors")
    assert engine.any(engine.rank == 1, False) == (True, False)
    assert engine.mean(torch.tensor([float(engine.rank)])).item() == np.mean(range(engine.world))
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # after fully_shard on CPUs, PyTorch 2.13 now and then aborts while Python shuts down
