"""From a recipe to a model: data prepared and split, training with its checks, the model and its card at the end."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from maquette import recipe as recipes
from maquette.capabilities import Makes, Reads
from maquette.datasets.images import OpenedImages
from maquette.datasets.prepare import Finished
from maquette.errors import UserError
from maquette.events import Event, Note
from maquette.io.atomic import atomic_path, remove_unfinished, write_bytes
from maquette.io.lock import InUse, locked
from maquette.models import hub
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS, System
from maquette.training import checkpoint, loop
from maquette.training.batches import Batches, SeededBatches
from maquette.training.data import prepare_data
from maquette.training.distributed import Engine
from maquette.training.export import export
from maquette.training.image_batches import ImageBatches
from maquette.training.monitor import health
from maquette.training.monitor.environment import environment
from maquette.training.monitor.estimate import warning
from maquette.training.monitor.log import DATA, SAMPLES
from maquette.training.news import Exported, Started, Stopped
from maquette.training.rows import Data, Rows, classes_without, shapes_in, signature, split
from maquette.training.validation import ImageValidator, Validation, Validator
from maquette.training.warm_start import load_start_weights, read_start, write_start

News = Event | Finished | Stopped | Exported
"""What a run yields: events, the end of a preparation, and as the last the result of the run."""


def train_recipe(
    recipe: Recipe, folder: Path, *, resume: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[News]:
    """Everything from the data to the model.

    Args:
        recipe: What to train, on what.
        folder: The run's folder.
        resume: Go on with the run that the folder holds; one that is finished stays as it is.
        stop: Asked after each shape that is prepared and after each step of training. A run that was stopped exports no
            model; `resume` goes on with it.

    Yields:
        The events of the preparation, Started, a Note where the run is far too large for this machine, the events of
        the loop, and Exported or Stopped.

    Raises:
        UserError: For data or a start model that do not fit, for a folder that holds a run, that another training works
            on or that cannot be written.
        TrainingDiverged: If a loss term is not finite, or a weight that is to be saved.
    """
    if not resume and checkpoint.list_checkpoints(folder / "checkpoints"):
        raise UserError(f"{folder} already holds a run", hint=f"go on with --resume {folder}, or choose another --run")
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    engine = Engine(recipe.train)
    folder = Path(engine.share(str(folder)))
    with contextlib.ExitStack() as held:
        refused = engine.share(_enter(held, folder) if engine.first else None)
        if refused:
            raise InUse(*refused)
        if engine.first:
            checkpoint.tidy(folder / "checkpoints")
            for place in (folder, folder / SAMPLES, folder / "model"):
                remove_unfinished(place)
        engine.wait()
        for event in _finished(folder, recipe) if resume else ():
            if engine.first:
                yield event
            if isinstance(event, Exported):
                engine.close()
                return
        for event in _events(recipe, folder, engine, resume, stop):
            if engine.first:
                yield event
        engine.close()


def _enter(held: contextlib.ExitStack, folder: Path) -> tuple[str, None, str] | None:
    """Take the lock on a run's folder, for all processes of the training; what `InUse` says where another has it."""
    try:
        held.enter_context(locked(folder))
    except InUse:
        return (f"another training works on {folder} now", None, "wait for it, or choose another --run")
    return None


def _finished(folder: Path, recipe: Recipe) -> Iterator[News]:
    """A Note and the model, where a run has done all steps that are asked for and has exported its model."""
    newest, _ = checkpoint.newest_whole(folder / "checkpoints")
    if newest is None or checkpoint.step_of(newest) < recipe.train.steps:
        return
    try:
        info = hub.read_config(folder / "model")
        made_at = info["recipe"]["train"]["steps"]
    except (UserError, LookupError, TypeError):
        return  # it is exported again
    if made_at != checkpoint.step_of(newest):
        return
    yield Note(f"{folder} is finished, all {made_at} steps are done; go further with --train.steps {2 * made_at}")
    yield Exported(folder / "model")


def _events(recipe: Recipe, folder: Path, engine: Engine, resume: bool, stop: Callable[[], bool]) -> Iterator[News]:
    weights = None
    with engine.first_only():
        if recipe.train.start and not resume:
            weights = load_start_weights(recipe)
        start = read_start(folder, recipe) if resume else weights.start if weights else None
        data = yield from prepare_data(recipe, stop)
    if data is None:
        yield Note("stopped; the same command goes on with the preparation where it was")
        return
    training, held_out = split(data, recipe.data.validation)
    if engine.first:
        changed = _data_changed(folder, data) if resume else ""
        if changed:
            yield Note(changed)
        _describe(recipe, folder, data)
        write_start(folder, start)
    torch.manual_seed(recipe.train.seed)
    system = SYSTEMS[recipe.system](recipe.model)
    system.check_labels(data.class_names)
    if weights:
        weights.load_into(system.nets)
    elif not resume:
        system.begin()
    batches = make_batches(data, training, held_out, recipe, system, (engine.rank, engine.world))
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in system.nets.items()}
    counts = shapes_in(data, training), shapes_in(data, held_out)
    line = (f"run {folder}: {counts[0]} {data.what} to learn from, {counts[1]} held out\nparameters: "
            + ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in sizes.items())
            + f"; stop any time, go on with: maquette train --resume {folder}")
    yield Started(line, folder, *counts, sizes, engine.world, data.what)
    if weights:
        yield Note(weights.note)
    missing = classes_without(data, training)
    if missing:
        yield Note(f"no shape to learn from is of the class {' or '.join(missing)}; they are held out or test shapes")
    if engine.first and not resume:
        slow = warning(recipe, engine.device, sum(sizes.values()), engine.world)
        if slow:
            yield Note(slow)
    validation: Validation
    if isinstance(data, OpenedImages):
        validation = ImageValidator(data, training, held_out, recipe)
    else:
        validation = Validator(data, held_out, recipe)
    hooks = loop.Hooks(
        check=validation.check if system.reads is not Reads.NOTHING else None,
        sample=validation.sheet if system.makes is not Makes.LABELS else None,
        probe=validation.probe,
        diagnose=lambda rows: health.diagnose(rows, recipe),
    )
    seconds = yield from loop.train(system, recipe, batches, folder, hooks=hooks, engine=engine, resume=resume,
                                    stop=stop)
    if seconds is None:
        return
    facts = {"seconds": round(seconds), "processes": engine.world}
    if engine.first:
        yield Exported(export(system, recipe, data, training, folder, validation, facts, start))


def _data_changed(folder: Path, data: Data) -> str:
    """A line where the data are not those that the run learned from so far; empty where they are, or are unknown."""
    try:
        known = json.loads((folder / DATA).read_text(encoding="utf-8"))
        rows, before = int(known["rows"]), str(known["signature"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""
    if before == signature(data):
        return ""
    return (f"the data are not those that this run began with ({rows} rows then, {len(data)} now): it goes on with "
            "today's, and ends otherwise than without a stop")


def _describe(recipe: Recipe, folder: Path, data: Data) -> None:
    """Write what the run is, what it learns from and where it runs: recipe.yaml, data.json and environment.json."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / "recipe.yaml") as path:
            path.write_text(recipes.dump(recipe), encoding="utf-8")
        write_bytes(folder / DATA, json.dumps({"rows": len(data), "signature": signature(data)}).encode())
        with atomic_path(folder / "environment.json") as path:
            path.write_text(json.dumps(environment(), indent=1), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from None


def make_batches(
    data: Data, training: Rows, held_out: Rows, recipe: Recipe, system: System, part: tuple[int, int] = (0, 1)
) -> SeededBatches:
    """Batches of the shapes or images that are learned from."""
    if isinstance(data, OpenedImages):
        return ImageBatches(data, training, held_out, recipe, system, part)
    return Batches(data, training, recipe, system, part)
