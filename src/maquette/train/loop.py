"""The one training loop. It runs any system's table of phases and knows no paper.

`train()` yields events; whoever asked prints or streams them, and stops by not asking for the next.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from maquette.errors import TrainingDiverged, UserError
from maquette.recipe import OptimRecipe, Recipe
from maquette.systems.base import Batch, Phase, System, check_phases
from maquette.train import checkpoint
from maquette.train.batches import Batches


@dataclass(frozen=True)
class Stepped:
    """Means of all terms over the steps since the last such event; `step` counts finished steps."""

    step: int
    terms: dict[str, float]
    samples_per_second: float
    learning_rate: float


@dataclass(frozen=True)
class Checked:
    """What was measured on the validation part, with the moving average of the weights."""

    step: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Stopped:
    """The run was asked to stop; everything up to this step is saved."""

    step: int


@dataclass(frozen=True)
class Note:
    """Something that the user should read."""

    text: str


Event = Stepped | Checked | Saved | Stopped | Note
Check = Callable[[System, int], dict[str, float]]


def train(
    system: System,
    recipe: Recipe,
    batches: Batches,
    run: Path,
    *,
    check: Check | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Run the recipe's steps, from the newest whole checkpoint of `run` if `resume`.

    check: `(system with its averaged weights, step) -> metrics`, called every `train.check_every` steps and at the end.
    stop: asked after each step; when it says so the step is saved, a Stopped is the last event, and the weights stay
    as they are. When the last event has been taken, the system holds its averaged weights. Raises TrainingDiverged,
    and UserError where the run's folder cannot be written.
    """
    check_phases(system)
    device = pick_device(recipe.train.device)
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    nets = system.nets.to(device)
    if "encoder" in nets and system.reads_images:
        nets["encoder"].to(memory_format=torch.channels_last)
    phases = system.phases()
    optimisers = {name: _optimiser(name, nets[name].parameters(), recipe.optim) for name in nets}
    averaged = Average(system, recipe.train.average)
    first = 0
    if resume:
        path, damaged = checkpoint.newest_whole(run / "checkpoints")
        yield from map(Note, damaged)
        if path is None:
            raise UserError(f"{run} holds no whole checkpoint to resume from", hint="start it anew without --resume")
        first = checkpoint.restore(path, nets, averaged.tensors, optimisers)
        yield Note(f"resumed from {path} at step {first}")
    nets.train()
    meter, saved_at = Meter(recipe.train.batch), time.monotonic()
    metrics = (run / "metrics.jsonl").open("a", encoding="utf-8")

    def log(kind: str, step: int, values: dict[str, float]) -> None:
        metrics.write(json.dumps({"event": kind, "step": step, "samples": step * recipe.train.batch, **values}) + "\n")
        metrics.flush()

    def save(step: int) -> Saved:
        path = checkpoint.save(run / "checkpoints", step, nets, averaged.tensors, optimisers, recipe.train.keep)
        return Saved(step, path)

    with metrics:
        for step, batch in batches.stream(first, recipe.train.steps, ahead=device.type != "cpu"):
            scale = schedule(step, recipe.optim)
            for phase in phases:
                if phase.runs_at(step):
                    meter.add(phase.name, run_phase(phase, system, _on(batch, device), step, optimisers, recipe, scale))
            averaged.update(step)
            meter.steps += 1
            done = step + 1
            if done % recipe.train.log_every == 0:
                event = Stepped(done, *meter.read(), recipe.optim.lr * scale)
                log("stepped", done, {**event.terms, "samples_per_second": event.samples_per_second})
                yield event
            if check and (done % recipe.train.check_every == 0 or done == recipe.train.steps):
                with averaged.applied():
                    measured = check(system, done)
                log("checked", done, measured)
                yield Checked(done, measured)
                meter.restart()
            stopped = done < recipe.train.steps and stop()
            due = time.monotonic() - saved_at > 60 * recipe.train.save_minutes
            if stopped or due or done == recipe.train.steps:
                yield save(done)
                saved_at = time.monotonic()
            if stopped:
                yield Stopped(done)
                return
    averaged.write()
    nets.eval()


def run_phase(
    phase: Phase,
    system: System,
    batch: Batch,
    step: int,
    optimisers: dict[str, torch.optim.Optimizer],
    recipe: Recipe,
    scale: float,
) -> dict[str, float]:
    """One update: forward, backward and a step of the optimisers of `phase.trains`; returns the terms as numbers."""
    nets = system.nets
    for name, net in nets.items():
        net.requires_grad_(name in phase.trains)
    with torch.autocast(batch.voxels.device.type, torch.bfloat16, enabled=recipe.train.precision == "bf16"):
        terms = phase.loss(nets, batch, step)
    values = {name: value.item() for name, value in {**terms.watched, **terms.minimised}.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise TrainingDiverged(step, phase.name, name, value)
    if phase.step_if is not None and not phase.step_if(terms):
        return {**values, "skipped": 1.0}
    terms.total().backward()
    for name in phase.trains:
        optimiser = optimisers[name]
        if name != "critic":
            for group in optimiser.param_groups:
                group["lr"] = recipe.optim.lr * scale
            if recipe.optim.clip:
                torch.nn.utils.clip_grad_norm_(nets[name].parameters(), recipe.optim.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return values


def schedule(step: int, optim: OptimRecipe) -> float:
    """The share of the learning rate at this absolute step: linear warm-up, then a cosine down to the floor."""
    warm = min(1.0, (step + 1) / optim.warmup) if optim.warmup else 1.0
    if not optim.decay:
        return warm
    progress = min(1.0, step / optim.decay)
    return warm * (optim.floor + (1 - optim.floor) * 0.5 * (1 + math.cos(math.pi * progress)))


def pick_device(name: str) -> torch.device:
    """The device of this name; auto is cuda where there is one. UserError where it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UserError("train.device must be auto, cpu or cuda", repr(name))
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("train.device is cuda, but PyTorch sees no GPU", hint="use train.device cpu")
    return torch.device(name)


class Average:
    """The moving average of the networks that are used after training: weights and batch-norm statistics alike."""

    def __init__(self, system: System, decay: float):
        self.system, self.decay = system, decay
        self.tensors = {name: value.detach().clone() for name, value in self._live().items()}

    def _live(self) -> dict[str, Tensor]:
        names = self.system.averaged()
        return {n: v for n, v in self.system.nets.state_dict().items() if n.split(".")[0] in names}

    def update(self, step: int) -> None:
        """Move the average towards the weights by 1 - decay; over the first steps faster, so that the start fades."""
        decay = min(self.decay, (1 + step) / (10 + step))
        live = self._live()
        moving = [(mean, live[n]) for n, mean in self.tensors.items() if mean.is_floating_point()]
        torch._foreach_lerp_([m for m, _ in moving], [v for _, v in moving], 1 - decay)
        for name, mean in self.tensors.items():
            if not mean.is_floating_point():
                mean.copy_(live[name])

    def write(self) -> None:
        """Put the averaged values into the networks."""
        self.system.nets.load_state_dict(self.tensors, strict=False)

    def applied(self) -> "_Applied":
        """A context in which the networks hold the averaged values, in evaluation mode."""
        return _Applied(self)


class _Applied:
    def __init__(self, average: Average):
        self.average = average

    def __enter__(self) -> None:
        self.backup = {name: value.clone() for name, value in self.average._live().items()}
        self.average.write()
        self.average.system.nets.eval()

    def __exit__(self, *_: object) -> None:
        self.average.system.nets.load_state_dict(self.backup, strict=False)
        self.average.system.nets.train()


class Meter:
    """Means of the terms, and samples a second, since it was last read."""

    def __init__(self, batch: int):
        self.batch = batch
        self.restart()

    def restart(self) -> None:
        """Forget what was added."""
        self.sums: dict[str, list[float]] = {}
        self.steps = 0
        self.started = time.monotonic()

    def add(self, phase: str, values: dict[str, float]) -> None:
        """Take in one phase's terms."""
        for name, value in values.items():
            self.sums.setdefault(f"{phase}/{name}", []).append(value)

    def read(self) -> tuple[dict[str, float], float]:
        """(means by 'phase/term', samples a second), and start anew."""
        means = {name: sum(values) / len(values) for name, values in self.sums.items()}
        rate = self.steps * self.batch / max(time.monotonic() - self.started, 1e-9)
        self.restart()
        return means, rate


def _optimiser(name: str, parameters: Iterator[Tensor], optim: OptimRecipe) -> torch.optim.Optimizer:
    if name == "critic":
        return torch.optim.Adam(parameters, optim.critic_lr, optim.critic_betas)
    return torch.optim.AdamW(parameters, optim.lr, optim.betas, weight_decay=optim.weight_decay)


def _on(batch: Batch, device: torch.device) -> Batch:
    if batch.voxels.device != device:
        batch.voxels = batch.voxels.to(device, non_blocking=True)
        batch.images = None if batch.images is None else batch.images.to(device, non_blocking=True)
        batch.labels = None if batch.labels is None else batch.labels.to(device, non_blocking=True)
    if batch.images is not None:
        batch.images = batch.images.contiguous(memory_format=torch.channels_last)
    return batch
