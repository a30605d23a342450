"""Examining a run by its folder: its metrics, its checkpoints, and its networks on its own data."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import torch

from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.training import checkpoint
from maquette.training.data import prepare_data
from maquette.training.ema import Average
from maquette.training.monitor.health import PROBES, HealthFinding, diagnose
from maquette.training.monitor.log import Row, read_metrics
from maquette.training.monitor.probe import probe
from maquette.training.rows import Data, split
from maquette.training.run import make_batches


class Examination(TypedDict):
    """`Examined` as plain values."""

    run: str
    healthy: bool
    checked: list[str]
    findings: list[dict[str, str | int]]
    """Each with the fields of `HealthFinding`."""


@dataclass(frozen=True)
class Examined:
    """What was found out about a run."""

    run: Path
    """The run's folder."""
    findings: tuple[HealthFinding, ...]
    """What is wrong with it, the root cause first."""
    checked: tuple[str, ...]
    """A line about each thing that was looked at, or why it could not be."""

    def to_json(self) -> Examination:
        """The same as plain values."""
        found = [asdict(finding) for finding in self.findings]
        return {"run": str(self.run), "healthy": not found, "checked": list(self.checked), "findings": found}


def examine(run: Path) -> Examined:
    """Examine a run's metrics, the checksums of its checkpoints, and the networks of its newest undamaged checkpoint.

    The networks are probed on the run's own data, if these are prepared already; otherwise that part is left out.
    Nothing is written.

    Args:
        run: The run's folder.

    Raises:
        UserError: If the folder is no run, or if its recipe.yaml does not fit.
    """
    if not (run / "recipe.yaml").is_file():
        raise UserError(f"{run} is not a run: it has no recipe.yaml")
    recipe = recipes.load(str(run / "recipe.yaml"))
    rows = read_metrics(run)
    newest = max((row["step"] for row in rows), default=0)
    checked = [f"metrics: {len(rows)} rows, up to step {newest} of {recipe.train.steps}"]
    damaged, whole = _checkpoints(run / "checkpoints", newest)
    checked.append(f"checkpoints: {whole} whole, {len(damaged)} damaged")
    probed, line = _probed(run / "checkpoints", recipe)
    checked.append(line)
    return Examined(run, (*diagnose([*rows, *probed], recipe), *damaged), tuple(checked))


def _checkpoints(folder: Path, step: int) -> tuple[list[HealthFinding], int]:
    """A finding about each damaged checkpoint, the best one included, and how many are undamaged."""
    best = folder / checkpoint.BEST
    paths = checkpoint.list_checkpoints(folder) + ([best] if best.is_dir() else [])
    reasons = {path: checkpoint.damage(path, finite=False) for path in paths}
    damaged = [
        HealthFinding(
            "checkpoint-damaged", step, f"{path}: {reason}",
            "the disk failed or was full, or the file was changed; resuming goes back to the newest whole checkpoint",
            "free or check the disk and delete the folder; a larger train.keep leaves more to go back to",
        )
        for path, reason in reasons.items() if reason is not None
    ]
    return damaged, len(paths) - len(damaged)


def _probed(folder: Path, recipe: Recipe) -> tuple[list[Row], str]:
    """Rows of probes of the newest undamaged checkpoint, and a line about them or why there are none."""
    path, _ = checkpoint.newest_whole(folder, finite=False)
    if path is None:
        return [], "networks: not probed, there is no whole checkpoint"
    try:
        data = _opened(recipe)
        if data is None:
            return [], f"networks: not probed, the prepared data of the recipe are not in {recipe.data.cache}"
        parts = split(data, recipe.data.validation)
        with torch.random.fork_rng(devices=[]):  # making networks and restoring both set the random state
            system = SYSTEMS[recipe.system](recipe.model)
            average = Average(system, recipe.train.average).tensors
            step = checkpoint.restore(path, checkpoint.State(system.nets, average, {}))
    except (UserError, OSError) as error:  # OSError: a run that goes on has dropped this checkpoint for a newer one
        return [], f"networks: not probed, {error}"
    batches = make_batches(data, *parts, recipe, system)
    rows: list[Row] = []
    for turn in range(PROBES):
        batch = batches.at(max(step - 1 - turn, 0))  # of steps that were trained, so with views of their size
        values = probe(system, batch.real, batch.seen if system.reads is not Reads.NOTHING else None, turn)
        rows.append({"event": "probed", "step": step, **values})
    return rows, f"networks: {path.name}, on {PROBES} batches of its training data"


def _opened(recipe: Recipe) -> Data | None:
    """The recipe's data if all of them are prepared; None, without preparing anything, if some are not."""
    events = prepare_data(recipe, stop=lambda: True, only_open=True)
    try:
        while True:
            next(events)
    except StopIteration as opened:
        data: Data | None = opened.value
        return data
