"""Checkpoints: one folder a checkpoint, renamed into place when it is whole, with a checksum of every file.

Weights and their moving average as safetensors, optimisers and random generators as a weights-only PyTorch file, the
recipe as YAML, the rest as JSON. Schedules, noise and the order of the data are functions of (seed, step), so the step
is all the state that they have.
"""

import hashlib
import json
import math
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maquette.errors import UserError, one_line
from maquette.models.precision import in_half_precision
from maquette.systems.base import CRITIC
from maquette.training.distributed import gather_full, shard_like
from maquette.training.optim import Optimisers

FORMAT = 2
BEST = "best"
_WEIGHTS, _AVERAGE, _OPTIMISERS, _STATE = "weights.safetensors", "average.safetensors", "optimisers.pt", "state.json"
_RECIPE = "recipe.yaml"
_STEP = re.compile(r"step-\d{1,18}")


@dataclass(frozen=True)
class State:
    """What a checkpoint holds: the live objects of a run."""

    nets: nn.ModuleDict
    """The networks by name."""
    average: dict[str, Tensor]
    """The moving average, by the names of the weights."""
    optimisers: Optimisers
    """An optimiser for each network that is trained on; none where a checkpoint is only looked at."""
    recipe: str = ""
    """The resolved recipe as YAML."""
    adversaries: frozenset[str] = frozenset()
    """Networks that may enter a run later, or leave it."""


@dataclass(frozen=True)
class Best:
    """The best value of the recipe's metric so far, and the step that had it."""

    metric: str
    value: float
    step: int


def save(folder: Path, step: int, state: State, keep: int, *, seconds: float = 0.0, writes: bool = True) -> Path:
    """Write `folder/step-NNNNNNN` whole or not at all; drop all but the newest `keep` up to it.

    A checkpoint of a later step is one that the run could not go on from; the run writes it anew when it comes there.

    Args:
        folder: The checkpoints' folder.
        step: Finished steps.
        state: What to write.
        keep: How many checkpoints stay, 1 or more.
        seconds: That the run has taken so far, in all its parts.
        writes: False in all processes but the first: they take part in gathering what is sharded, and write nothing.

    Returns:
        The checkpoint's folder.

    Raises:
        UserError: If the disk is full.
    """
    final = folder / f"step-{step:07d}"
    _write(final, step, state, {"seconds": round(seconds, 3)}, writes)
    if writes:
        older = [path for path in list_checkpoints(folder) if step_of(path) <= step]  # newer ones are damaged
        for old in older[:-keep]:
            shutil.rmtree(old, ignore_errors=True)
    return final


def save_best(folder: Path, step: int, state: State, metric: str, value: float, *, writes: bool = True) -> Path:
    """Write `folder/best`, the state with the best value of a metric, in place of the one before it."""
    _write(folder / BEST, step, state, {"metric": metric, "value": value}, writes)
    return folder / BEST


def read_best(folder: Path, metric: str, step: int) -> Best | None:
    """The best value of this metric up to a step, out of an undamaged `folder/best`; None where there is none."""
    path = folder / BEST
    if damage(path) is not None:
        return None
    known = _read_state(path)
    value = known.get("value")
    if known.get("metric") != metric or known["step"] > step or not isinstance(value, int | float):
        return None
    return Best(metric, float(value), known["step"])


def list_checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoints in this folder by their steps, without the best one that is kept beside them."""
    found = [path for path in folder.glob("step-*") if _STEP.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=step_of)


def seconds_of(path: Path) -> float | None:
    """The seconds that a run had taken when it wrote an undamaged checkpoint; None where an older release wrote it."""
    value = _read_state(path).get("seconds")
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else None


def tidy(folder: Path) -> None:
    """Remove what a killed process left half written; what it had moved aside for something newer goes back.

    Only for the training that has the run's lock.
    """
    for path in folder.glob(".*"):
        name, _, kind = path.name[1:].rpartition(".")
        if kind == "old" and path.is_dir() and not (folder / name).exists():
            path.rename(folder / name)
        elif kind in ("old", "partial"):
            shutil.rmtree(path, ignore_errors=True)


def step_of(path: Path) -> int:
    """The finished steps of a checkpoint, by its folder's name `step-NNNNNNN`."""
    return int(path.name.removeprefix("step-"))


def newest_whole(folder: Path, *, finite: bool = True) -> tuple[Path | None, list[str]]:
    """The newest undamaged checkpoint, and a line about each newer one that is damaged; for `finite` see `damage`."""
    damaged: list[str] = []
    for path in reversed(list_checkpoints(folder)):
        reason = damage(path, finite=finite)
        if reason is None:
            return path, damaged
        damaged.append(f"{path.name} is damaged ({reason}); going back to the one before it")
    return None, damaged


def restore(path: Path, state: State) -> int:
    """Load an undamaged checkpoint into networks, moving average, optimisers and random generators.

    An optimiser that the checkpoint does not know (a critic that enters later, or any in a packed one) starts fresh.

    Args:
        path: The checkpoint's folder.
        state: The live objects, which are changed.

    Returns:
        Its finished steps.

    Raises:
        UserError: For a checkpoint of other networks than these.
    """
    try:
        return _restore(path, state)
    except (LookupError, ValueError, TypeError, AttributeError, RuntimeError, OSError, SafetensorError) as error:
        hint = "delete it, and the run goes on from the one before it"
        raise UserError(f"{path} cannot be gone on from", one_line(error), hint) from None


def _restore(path: Path, state: State) -> int:
    weights = load_file(path / _WEIGHTS)
    own = state.nets.state_dict()
    for name, value in own.items():
        if name in weights and weights[name].shape != value.shape:
            raise UserError(
                f"{path}: tensor {name} does not fit this recipe",
                f"shape {tuple(weights[name].shape)} where {tuple(value.shape)} is needed",
            )
    extra = {name.split(".")[0] for name in set(weights) ^ set(own)}
    if extra - state.adversaries - {CRITIC}:
        raise UserError(f"{path}: networks of another recipe", ", ".join(sorted(extra)))
    state.nets.load_state_dict(
        {name: shard_like(weights[name], value) if name in weights else value for name, value in own.items()}
    )
    packed = not (path / _AVERAGE).is_file()
    for name, value in ({} if packed else load_file(path / _AVERAGE)).items():
        if value.shape != state.average[name].shape:
            raise ValueError(f"the average of {name} has another shape")
        state.average[name].copy_(shard_like(value, state.average[name]))
    for name, mean in state.average.items() if packed else ():
        mean.copy_(state.nets.state_dict()[name])
    saved = {} if packed else read_optimisers(path)
    for name, optimiser in state.optimisers.items():
        if name in saved:
            optimiser.load_state_dict(_spread(saved[name], optimiser))
    for name, value in saved.get("random", {}).items():
        if name == "cpu":
            torch.set_rng_state(value)
        elif torch.cuda.is_available():
            torch.cuda.set_rng_state(value)
    return int(_read_state(path)["step"])


def pack(path: Path, folder: Path) -> Path:
    """Write a small copy of a checkpoint into `folder`: averaged weights in half precision, no optimiser state.

    It has an eighth of the size. A run goes on from it, though not bit for bit as it would have from the original: the
    optimisers have to find their moments again.
    """
    known = _read_state(path)
    tensors = load_file(path / _WEIGHTS) | load_file(path / _AVERAGE)
    halves = in_half_precision(tensors)
    final, partial = folder / path.name, folder / f".{path.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in halves.items()}, partial / _WEIGHTS)
        shutil.copyfile(path / _RECIPE, partial / _RECIPE)
        sums = {name: _checksum(partial / name) for name in (_WEIGHTS, _RECIPE)}
        content = {"format": FORMAT, "step": known["step"], "sha256": sums, "packed": True,
                   **({"seconds": known["seconds"]} if "seconds" in known else {})}
        (partial / _STATE).write_text(json.dumps(content, indent=1))
        _into_place(partial, final)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(f"{final} could not be written: {error.strerror or error}") from None
    return final


def damage(path: Path, *, finite: bool = True) -> str | None:
    """What is wrong with a checkpoint's folder, as one line; None if every checksum holds and every file can be read.

    Args:
        path: The checkpoint's folder.
        finite: Whether weights that are not finite count as damage; earlier releases could save such.
    """
    try:
        sums = _read_state(path)["sha256"]
        for name, expected in sums.items():
            if _checksum(path / name) != expected:
                return f"{name} does not match its checksum"
        for name in (_WEIGHTS, _AVERAGE):
            for key, value in (load_file(path / name) if name in sums else {}).items():
                if value.is_complex():
                    return f"{key} in {name} holds complex numbers"
                if finite and value.is_floating_point() and not value.isfinite().all():
                    return f"{key} in {name} holds numbers that are not finite"
        if _OPTIMISERS in sums:
            read_optimisers(path)
    except (OSError, ValueError, SafetensorError) as error:
        return one_line(error)
    return None


def read_optimisers(path: Path) -> dict[str, dict[str, Any]]:
    """The optimisers' states of a checkpoint by their networks' names, on the CPU, and `random`, the generators'.

    Raises:
        ValueError: If the file holds anything else.
    """
    try:
        saved = torch.load(path / _OPTIMISERS, weights_only=True, map_location="cpu")
    except OSError:
        raise
    except Exception as error:  # PyTorch's readers raise a dozen kinds
        raise ValueError(f"{_OPTIMISERS} cannot be read: {one_line(error)}") from None
    if not isinstance(saved, dict) or not all(isinstance(value, dict) for value in saved.values()):
        raise ValueError(f"{_OPTIMISERS} holds no states of optimisers")
    return saved


def _read_state(path: Path) -> dict[str, Any]:
    """`state.json` of a checkpoint.

    Raises:
        ValueError: If it is not one.
    """
    try:
        known = json.loads((path / _STATE).read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{_STATE} is nested too deeply") from None
    sums = known.get("sha256") if isinstance(known, dict) else None
    if not isinstance(sums, dict) or not isinstance(known.get("step"), int) or known["step"] < 0:
        raise ValueError(f"{_STATE} does not say step and checksums")
    needed = {_WEIGHTS, _RECIPE} if known.get("packed") else {_WEIGHTS, _AVERAGE, _OPTIMISERS, _RECIPE}
    if set(sums) != needed:
        raise ValueError(f"{_STATE} has checksums of other files than {', '.join(sorted(needed))}")
    return known


def _write(final: Path, step: int, state: State, more: dict[str, str | float], writes: bool) -> None:
    weights, average = gather_full(state.nets.state_dict()), gather_full(state.average)
    optimisers = {name: gather_full(optimiser.state_dict()) for name, optimiser in state.optimisers.items()}
    if not writes:
        return
    partial = final.parent / f".{final.name}.partial"
    random = {"cpu": torch.get_rng_state()} | ({"cuda": torch.cuda.get_rng_state()} if _on_gpu(weights) else {})
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in weights.items()}, partial / _WEIGHTS)
        save_file({name: value.contiguous() for name, value in average.items()}, partial / _AVERAGE)
        torch.save({**optimisers, "random": random}, partial / _OPTIMISERS)
        (partial / _RECIPE).write_text(state.recipe, encoding="utf-8")
        sums = {name: _checksum(partial / name) for name in (_WEIGHTS, _AVERAGE, _OPTIMISERS, _RECIPE)}
        content = {"format": FORMAT, "step": step, "sha256": sums, **more}
        (partial / _STATE).write_text(json.dumps(content, indent=1))
        for path in partial.iterdir():
            _flush(path)
        _into_place(partial, final)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = error.strerror or str(error)
        line = f"checkpoint {final} could not be written: {reason}"
        raise UserError(line, hint="the ones before it are kept") from None


def _into_place(partial: Path, final: Path) -> None:
    """Rename; a folder that is there already is first moved aside, to `.NAME.old`."""
    aside = final.parent / f".{final.name}.old"
    shutil.rmtree(aside, ignore_errors=True)
    if final.exists():
        final.rename(aside)
    partial.rename(final)
    _flush(final.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _spread(saved: dict[str, Any], optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimiser's saved state, its tensors sharded as the parameters that they belong to are.

    Rates and the like are those of the recipe that goes on, which may be others than before.
    """
    own = [p for group in optimiser.param_groups for p in group["params"]]
    states: dict[int, dict[str, Any]] = {}
    for index, entry in saved["state"].items():
        for key, value in entry.items():
            if isinstance(value, Tensor) and value.dim() and value.shape != own[index].shape:
                raise ValueError(f"{key} of an optimiser has another shape than its weights")
        states[index] = {key: shard_like(value, own[index]) if isinstance(value, Tensor) and value.dim() else value
                         for key, value in entry.items()}
    if any(group["params"] != theirs["params"] for group, theirs in
           zip(optimiser.state_dict()["param_groups"], saved["param_groups"], strict=True)):
        raise ValueError("an optimiser is of another number of weights")
    return {**saved, "state": states, "param_groups": optimiser.state_dict()["param_groups"]}


def _on_gpu(tensors: dict[str, Tensor]) -> bool:
    return any(tensor.is_cuda for tensor in tensors.values())


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
