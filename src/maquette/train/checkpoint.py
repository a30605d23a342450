"""Checkpoints: one folder a checkpoint, renamed into place when it is whole, with a checksum of every file.

Weights and their moving average as safetensors, optimisers as a weights-only PyTorch file, the rest as JSON. Noise and
the order of the data are functions of (seed, step), so the step is all the state that they have.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maquette.errors import UserError

FORMAT = 1
_WEIGHTS, _AVERAGE, _OPTIMISERS, _STATE = "weights.safetensors", "average.safetensors", "optimisers.pt", "state.json"


def save(
    folder: Path,
    step: int,
    nets: nn.ModuleDict,
    average: dict[str, Tensor],
    optimisers: dict[str, torch.optim.Optimizer],
    keep: int,
) -> Path:
    """Write `folder/step-NNNNNNN` whole or not at all; drop all but the newest `keep`. UserError on a full disk."""
    final = folder / f"step-{step:07d}"
    partial = folder / f".{final.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in nets.state_dict().items()}, partial / _WEIGHTS)
        save_file({name: value.contiguous() for name, value in average.items()}, partial / _AVERAGE)
        torch.save({name: optimiser.state_dict() for name, optimiser in optimisers.items()}, partial / _OPTIMISERS)
        sums = {name: _checksum(partial / name) for name in (_WEIGHTS, _AVERAGE, _OPTIMISERS)}
        state = {"format": FORMAT, "step": step, "sha256": sums}
        (partial / _STATE).write_text(json.dumps(state, indent=1))
        for path in partial.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = error.strerror or str(error)
        line = f"checkpoint {final} could not be written: {reason}"
        raise UserError(line, hint="the ones before it are kept") from None
    for old in found(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def found(folder: Path) -> list[Path]:
    """The finished checkpoints in this folder, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def newest_whole(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint whose checksums hold, and a line about each newer one that is damaged."""
    damaged = []
    for path in reversed(found(folder)):
        problem = _problem(path)
        if problem is None:
            return path, damaged
        damaged.append(f"{path.name} is damaged ({problem}); going back to the one before it")
    return None, damaged


def restore(
    path: Path, nets: nn.ModuleDict, average: dict[str, Tensor], optimisers: dict[str, torch.optim.Optimizer]
) -> int:
    """Load a whole checkpoint into networks, moving average and optimisers; returns its step.

    An optimiser that the checkpoint does not know (a critic that enters later) starts fresh.
    """
    state = json.loads((path / _STATE).read_text())
    weights = load_file(path / _WEIGHTS)
    own = nets.state_dict()
    for name, value in own.items():
        if name in weights and weights[name].shape != value.shape:
            raise UserError(
                f"{path}: tensor {name} does not fit this recipe",
                f"shape {tuple(weights[name].shape)} where {tuple(value.shape)} is needed",
            )
    extra = {name.split(".")[0] for name in set(weights) ^ set(own)}
    if extra - {"critic"}:
        raise UserError(f"{path}: networks of another recipe", ", ".join(sorted(extra)))
    nets.load_state_dict({name: weights.get(name, value) for name, value in own.items()})
    for name, value in load_file(path / _AVERAGE).items():
        average[name].copy_(value)
    saved = torch.load(path / _OPTIMISERS, weights_only=True, map_location="cpu")
    for name, optimiser in optimisers.items():
        if name in saved:
            optimiser.load_state_dict(saved[name])
    return int(state["step"])


def _problem(path: Path) -> str | None:
    try:
        sums = json.loads((path / _STATE).read_text())["sha256"]
        for name, expected in sums.items():
            if _checksum(path / name) != expected:
                return f"{name} does not match its checksum"
    except (OSError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
