"""From a recipe to a model: data prepared and split, training with its checks, the model and its card at the end."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from maquette import recipe as recipes
from maquette.datasets.images import OpenedImages
from maquette.datasets.prepare import Finished
from maquette.errors import UserError
from maquette.events import Event, Note
from maquette.io.atomic import atomic_path
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS, System
from maquette.systems.capabilities import Makes, Reads
from maquette.training import loop
from maquette.training.batches import Batches, SeededBatches
from maquette.training.data import prepare_data
from maquette.training.distributed import Engine
from maquette.training.export import export
from maquette.training.image_batches import ImageBatches
from maquette.training.monitor import health
from maquette.training.monitor.environment import environment
from maquette.training.monitor.estimate import warning
from maquette.training.news import Exported, Started, Stopped
from maquette.training.rows import Data, Rows, shapes_in, split
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
        resume: Go on with the run that the folder holds.
        stop: Asked after each shape that is prepared and after each step of training. A run that was stopped exports no
            model; `resume` goes on with it.

    Yields:
        The events of the preparation, Started, a Note where the run is far too large for this machine, the events of
        the loop, and Exported or Stopped.

    Raises:
        UserError: For data or a start model that do not fit, and for a folder that holds a run or cannot be written.
        TrainingDiverged: If a loss term is not finite.
    """
    if not resume and (folder / "checkpoints").exists():
        raise UserError(f"{folder} already holds a run", hint=f"go on with --resume {folder}, or choose another --run")
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    engine = Engine(recipe.train)
    folder = Path(engine.share(str(folder)))
    for event in _events(recipe, folder, engine, resume, stop):
        if engine.first:
            yield event
    engine.close()


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
        _describe(recipe, folder)
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
    began = time.monotonic()
    for event in loop.train(system, recipe, batches, folder, hooks=hooks, engine=engine, resume=resume, stop=stop):
        yield event
        if isinstance(event, Stopped):
            return
    facts = {"seconds": round(time.monotonic() - began), "processes": engine.world}
    if engine.first:
        yield Exported(export(system, recipe, data, training, folder, validation, facts, start))


def _describe(recipe: Recipe, folder: Path) -> None:
    """Write what the run is and where it runs: recipe.yaml and environment.json."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / "recipe.yaml") as path:
            path.write_text(recipes.dump(recipe), encoding="utf-8")
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
