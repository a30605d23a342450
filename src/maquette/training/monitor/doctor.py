"""What can be said about a run from its folder: its metrics, its checkpoints, and its networks on its own data."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from maquette import recipe as recipes
from maquette.datasets.format import OpenedData
from maquette.datasets.images import OpenedImages
from maquette.errors import UserError
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.capabilities import Reads
from maquette.training import checkpoint
from maquette.training import run as job
from maquette.training.ema import Average
from maquette.training.monitor import health
from maquette.training.monitor.health import HealthFinding
from maquette.training.monitor.log import read_metrics
from maquette.training.rows import split


@dataclass(frozen=True)
class Examined:
    """The findings about a run, the root first, and a line about each thing that was looked at, or could not be."""

    run: Path
    findings: tuple[HealthFinding, ...]
    checked: tuple[str, ...]

    def to_json(self) -> dict:
        """Plain values: `run`, `healthy`, `checked` and `findings`, each with the fields of `HealthFinding`."""
        found = [asdict(finding) for finding in self.findings]
        return {"run": str(self.run), "healthy": not found, "checked": list(self.checked), "findings": found}


def examine(run: Path) -> Examined:
    """Judge a run by its metrics, the checksums of its checkpoints, and a probe of the newest whole one.

    The probe needs the prepared data of the run's recipe; nothing is prepared for it, and where they are not there the
    rest is done without it. Nothing is written.

    Raises:
        UserError: For a folder that is no run and for a recipe.yaml that does not fit.
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
    return Examined(run, (*health.diagnose([*rows, *probed], recipe), *damaged), tuple(checked))


def _checkpoints(folder: Path, step: int) -> tuple[list[HealthFinding], int]:
    """A finding about each damaged checkpoint, the best one included, and how many are whole."""
    best = folder / checkpoint.BEST
    paths = checkpoint.found(folder) + ([best] if best.is_dir() else [])
    reasons = {path: checkpoint.problem(path) for path in paths}
    damaged = [
        HealthFinding(
            "checkpoint-damaged", step, f"{path}: {reason}",
            "the disk failed or was full, or the file was changed; resuming goes back to the newest whole checkpoint",
            "free or check the disk and delete the folder; a larger train.keep leaves more to go back to",
        )
        for path, reason in reasons.items() if reason is not None
    ]
    return damaged, len(paths) - len(damaged)


def _probed(folder: Path, recipe: Recipe) -> tuple[list[dict], str]:
    """Rows of probes of the newest whole checkpoint on batches of its data, and a line that says so, or why not."""
    path, _ = checkpoint.newest_whole(folder)
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
    batches = job.batches_of(data, *parts, recipe, system)
    rows = []
    for turn in range(health.PROBES):
        batch = batches.at(max(step - 1 - turn, 0))  # of steps that were trained, so with views of their size
        values = health.probe(system, batch.real, batch.seen if system.reads is not Reads.NOTHING else None, turn)
        rows.append({"event": "probed", "step": step, **values})
    return rows, f"networks: {path.name}, on {health.PROBES} batches of its training data"


def _opened(recipe: Recipe) -> OpenedData | OpenedImages | None:
    """The recipe's data where all of them are prepared; None, before anything is prepared, where some are not."""
    events = job.prepared(recipe, stop=lambda: True)
    try:
        next(events)  # the first event is the news that a source will be prepared
    except StopIteration as opened:
        return opened.value
    events.close()
    return None
