"""The one training loop: it runs any system's table of phases and knows no paper.

`train` yields events; the caller prints or streams them, and stops by not asking for the next.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from maquette import recipe as recipes
from maquette.errors import TrainingDiverged, UserError
from maquette.events import Event, Note
from maquette.recipe import Recipe
from maquette.systems.base import Batch, System, check_phases
from maquette.training import checkpoint
from maquette.training.batches import SeededBatches
from maquette.training.distributed import Engine, all_finite
from maquette.training.ema import Average
from maquette.training.monitor.health import UPDATE, HealthFinding
from maquette.training.monitor.log import Log, Row
from maquette.training.monitor.meter import Meter, Pace
from maquette.training.monitor.samples import Sheet
from maquette.training.news import Checked, HealthFound, Sampled, Saved, Stepped, Stepping, Stopped
from maquette.training.optim import learning_rate_scale, make_optimisers
from maquette.training.phases import run_phase

AGREE_EVERY = 10
"""Steps between two questions to all processes whether to stop or save; a single process is asked at each step."""


@dataclass(frozen=True)
class Hooks:
    """What the loop asks for now and then (`maquette.training.validation` has the functions); None: not asked."""

    check: Callable[[System, int], dict[str, float]] | None = None
    """`(system, step) -> metrics` on the validation part, called with the averaged weights in place."""
    sample: Callable[[System, int], Sheet | None] | None = None
    """`(system, step) -> sheet`, called with the averaged weights in place."""
    probe: Callable[[System, int], dict[str, float]] | None = None
    """`(system, step) -> numbers` about the networks' health, called with the weights as they are trained."""
    diagnose: Callable[[Sequence[Row]], list[HealthFinding]] | None = None
    """`(rows of the log) -> findings`."""


def train(
    system: System,
    recipe: Recipe,
    batches: SeededBatches,
    run: Path,
    *,
    hooks: Hooks = Hooks(),
    engine: Engine | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Event | Stopped, None, float | None]:
    """Run the recipe's steps. After the last one the system holds its averaged weights.

    Args:
        system: The networks and phases; its networks are trained in place.
        recipe: The sections `train` and `optim` are used.
        batches: A batch for each step.
        run: The run's folder.
        hooks: Called every `train.check_every` and `train.sample_every` steps and at the end.
        engine: The processes that train together; this one alone if left out.
        resume: Go on from the newest undamaged checkpoint of `run`.
        stop: Asked after each step. When it answers true, the step is saved and the weights stay as they are trained.

    Yields:
        Events; the last one is a Stopped where `stop` ended the run.

    Returns:
        The seconds that the run has taken in all its parts; None where it was stopped.

    Raises:
        TrainingDiverged: If a loss term is not finite, or a weight that is to be saved.
        UserError: If the run's folder cannot be written, or holds nothing to resume from.
    """
    check_phases(system)
    engine = engine or Engine(recipe.train)
    trainer = Trainer(system, recipe, run, engine)
    first, before_s = 0, None
    if resume:
        path, damaged = checkpoint.newest_whole(run / "checkpoints")
        yield from map(Note, damaged)
        if path is None:
            hint = "start it anew with another --run" if damaged else "start it anew without --resume"
            raise UserError(f"{run} holds no whole checkpoint to resume from", hint=hint)
        first, before_s = trainer.restore(path), checkpoint.seconds_of(path)
        yield Note(f"resumed from {path} at step {first}")
    system.nets.train()
    with Log(run, recipe.train.batch, first, recipe.train.tensorboard, before_s=before_s, writes=engine.first) as log:
        for step, batch in batches.stream(first, recipe.train.steps, ahead=engine.device.type != "cpu"):
            trainer.step(step, batch)
            done = step + 1
            last = done == recipe.train.steps
            if trainer.pace.due():
                yield Stepping("training", done, recipe.train.steps, trainer.pace.seconds_a_step)
            if done % recipe.train.log_every == 0:
                yield trainer.report(done, log)
            if last or (recipe.train.sample_every and done % recipe.train.sample_every == 0):
                yield from trainer.sample(done, hooks, log)
            if last or done % recipe.train.check_every == 0:
                yield from trainer.check(done, hooks, log)
            stopped, due = trainer.stop_or_save(done, stop)
            if stopped or due or last:
                yield trainer.save(done, log)
            if stopped and not last:
                yield Stopped(done)
                return None
        seconds = log.seconds
    trainer.averaged.write()
    system.nets.eval()
    return seconds


class Trainer:
    """The live objects of one run, and what is done with them.

    Args:
        system: Its networks are placed on the engine's device.
        recipe: The sections `train` and `optim` are used.
        run: The run's folder.
        engine: The processes that train together.
    """

    def __init__(self, system: System, recipe: Recipe, run: Path, engine: Engine):
        self.system, self.recipe, self.run, self.engine = system, recipe, run, engine
        engine.place(system.nets, system.averaged(), system.adversaries())
        self.phases = system.phases()
        self.optimisers = make_optimisers(system, recipe.optim, fused=recipe.train.strategy == "replicate")
        self.averaged = Average(system, recipe.train.average)
        self.state = checkpoint.State(system.nets, self.averaged.tensors, self.optimisers, recipes.dump(recipe),
                                      system.adversaries())
        self.meter, self.pace, self.saved_at = Meter(recipe.train.batch), Pace(), time.monotonic()
        self.reported: set[str] = set()  # codes of health findings
        self.checkpoints, self.metric = run / "checkpoints", recipe.train.best.lstrip("-")
        self.sign = -1.0 if recipe.train.best.startswith("-") else 1.0
        self.best: checkpoint.Best | None = None

    def restore(self, path: Path) -> int:
        """Go back to a checkpoint.

        Returns:
            Its finished steps.
        """
        step = checkpoint.restore(path, self.state)
        self.best = checkpoint.read_best(self.checkpoints, self.metric, step)
        return step

    def step(self, step: int, batch: Batch) -> None:
        """Run all phases of one step."""
        parts = _placed(batch, self.engine.device, self.recipe.train.channels_last).cut(self.recipe.train.accumulate)
        optim, scale = self.recipe.optim, learning_rate_scale(step, self.recipe.optim)
        for phase in self.phases:
            if phase.runs_at(step):
                terms = run_phase(phase, self.system, parts, self.optimisers, optim, self.engine, step, scale)
                self.meter.add(step, phase.name, terms)
        self.averaged.update(step)
        self.meter.steps += 1
        self.pace.stepped()

    def report(self, done: int, log: Log) -> Stepped:
        """Log the means of all terms since the last report.

        Raises:
            TrainingDiverged: If a term is not finite; this too is logged first.
        """
        terms, rate = self._read(done, log)
        lr = self.recipe.optim.lr * learning_rate_scale(done - 1, self.recipe.optim)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in terms.items())
        line = f"step {done}/{self.recipe.train.steps}  {rate:.0f}/s  lr {lr:.2g}  {shown}"
        event = Stepped(line, done, terms, rate, lr)
        log.write_row("stepped", done, {**terms, "samples_per_second": rate, "learning_rate": event.learning_rate})
        return event

    def check(self, done: int, hooks: Hooks, log: Log) -> Iterator[Event]:
        """Measure on the validation part, keep the best checkpoint, diagnose the networks' health."""
        if hooks.check:
            with self.averaged.applied():
                metrics = hooks.check(self.system, done)
            log.write_row("checked", done, metrics)
            measured = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            yield Checked(f"step {done}  validation: {measured}", done, metrics)
            value = metrics.get(self.metric)
            if value is not None and (self.best is None or self.sign * value > self.sign * self.best.value):
                self._raise_if_unfit(done, log)
                self.best = checkpoint.Best(self.metric, value, done)
                path = checkpoint.save_best(self.checkpoints, done, self.state, self.metric, value,
                                            writes=self.engine.first)
                yield _saved(done, path, f"{self.metric} {value:.4f}, the best so far")
        if hooks.probe:
            log.write_row("probed", done, hooks.probe(self.system, done))
        if hooks.diagnose:
            for finding in hooks.diagnose(log.known):
                if finding.code not in self.reported:
                    self.reported.add(finding.code)
                    yield HealthFound(f"step {done}  health: {finding.line}", done, finding)
        self._restart_clocks()

    def sample(self, done: int, hooks: Hooks, log: Log) -> Iterator[Event]:
        """Draw a sheet of samples."""
        if not hooks.sample:
            return
        with self.averaged.applied():
            pixels = hooks.sample(self.system, done)
        if pixels is not None:
            path = log.write_picture("samples", done, pixels)
            yield Sampled(f"step {done}  samples {path}", done, path)
        self._restart_clocks()

    def _restart_clocks(self) -> None:
        self.meter.restart_clock()
        self.pace.restart_clock()

    def stop_or_save(self, done: int, stop: Callable[[], bool]) -> tuple[bool, bool]:
        """(whether to stop, whether a checkpoint is due), the same in all processes."""
        train = self.recipe.train
        by_steps = bool(train.save_steps) and done % train.save_steps == 0
        if self.engine.world > 1 and done % AGREE_EVERY:
            return False, by_steps
        by_time = bool(train.save_minutes) and time.monotonic() - self.saved_at > 60 * train.save_minutes
        stopped, due = self.engine.any(stop(), by_time)
        return stopped, due or by_steps

    def save(self, done: int, log: Log) -> Saved:
        """Write a checkpoint.

        Raises:
            TrainingDiverged: If a term, a weight, an average or an optimiser's number is not finite; then nothing is
                written.
        """
        self._raise_if_unfit(done, log)
        path = checkpoint.save(self.checkpoints, done, self.state, self.recipe.train.keep,
                               seconds=log.seconds, writes=self.engine.first)
        self.saved_at = time.monotonic()
        return _saved(done, path)

    def _raise_if_diverged(self, done: int, log: Log) -> None:
        for step, phase, term, value in self.meter.not_finite(self.engine.mean):
            self._diverged(step, f"term '{term}' of phase '{phase}' is not finite", log,
                           {"phase": phase, "term": term, "value": str(value)}, value)

    def _raise_if_unfit(self, done: int, log: Log) -> None:
        """Raise TrainingDiverged where anything is not finite that a checkpoint would hold, in any process."""
        self._raise_if_diverged(done, log)
        broken = self._not_finite()
        if broken:
            many = "; ".join(f"{what} of {', '.join(names)}" for what, names in broken.items())
            row = {"phase": UPDATE, "term": "weights", "value": many}
            self._diverged(done - 1, f"its update left numbers that are not finite: {many}", log, row)

    def _not_finite(self) -> dict[str, list[str]]:
        """Which networks have weights, averages or numbers of their optimisers that are not finite in any process."""
        held: dict[tuple[str, str], list[Tensor]] = {}
        for name, net in self.system.nets.items():
            held["weights", name] = list(net.state_dict().values())
        for key, value in self.averaged.tensors.items():
            held.setdefault(("averages", key.split(".")[0]), []).append(value)
        for name, optimiser in self.optimisers.items():
            states = optimiser.state_dict()["state"].values()
            held["optimiser", name] = [v for state in states for v in state.values() if isinstance(v, Tensor)]
        flags = self.engine.any(*(not all_finite(tensors) for tensors in held.values()))
        found: dict[str, list[str]] = {}
        for (what, name), broken in zip(held, flags, strict=True):
            if broken:
                found.setdefault(what, []).append(name)
        return found

    def _read(self, done: int, log: Log) -> tuple[dict[str, float], float]:
        self._raise_if_diverged(done, log)
        return self.meter.pop(self.engine.mean)

    def _diverged(
        self, step: int, what: str, log: Log, row: dict[str, str], value: float | None = None
    ) -> None:
        broken = self._not_finite().get("weights", [])
        good, _ = checkpoint.newest_whole(self.checkpoints)
        last_good = checkpoint.step_of(good) if good else 0
        log.write_row("diverged", step + 1, {**row, "networks": ",".join(broken), "last_good": last_good})
        raise TrainingDiverged(step, what, value, last_good)


def _saved(step: int, path: Path, metric: str = "") -> Saved:
    return Saved(f"step {step}  saved {path}" + (f"  ({metric})" if metric else ""), step, path, metric)


def _placed(batch: Batch, device: torch.device, channels_last: bool) -> Batch:
    """The batch on a device, its images with channels last where the recipe says so."""
    if batch.real.device != device:
        batch = batch.to(device)
    if batch.images is not None and channels_last:
        batch.images = batch.images.contiguous(memory_format=torch.channels_last)
    return batch
