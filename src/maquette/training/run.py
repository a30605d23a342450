"""From a recipe to a model: data prepared and split, checks while it trains, the model and its card at the end."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.events import Note
from maquette.io.atomic import atomic_path
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS, System
from maquette.systems.capabilities import Makes, Reads
from maquette.training import image_batches as of_images
from maquette.training import loop
from maquette.training import warm_start as starts
from maquette.training.batches import Batches
from maquette.training.data import Data, prepared
from maquette.training.distributed import Engine
from maquette.training.export import export
from maquette.training.monitor import health
from maquette.training.monitor.environment import environment
from maquette.training.news import Exported, Started, Stopped
from maquette.training.rows import shapes_in, split
from maquette.training.validation import Validator


def run(
    recipe: Recipe, folder: Path, *, resume: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[object]:
    """Everything from the data to the model; yields the events of `prepare`, of the loop, and Started and Exported.

    Args:
        stop: Asked after each step of training; a run that was stopped exports no model, `resume` goes on with it.
    """
    if not resume and (folder / "checkpoints").exists():
        raise UserError(f"{folder} already holds a run", hint=f"go on with --resume {folder}, or choose another --run")
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    engine = Engine(recipe.train)
    folder = Path(engine.share(str(folder)))
    for event in _run(recipe, folder, engine, resume, stop):
        if engine.first:
            yield event
    engine.close()


def _run(recipe: Recipe, folder: Path, engine: Engine, resume: bool, stop: Callable[[], bool]) -> Iterator[object]:
    weights = None
    with engine.first_only():
        if recipe.train.start and not resume:
            weights = starts.load(recipe)
        start = starts.of_run(folder, recipe) if resume else weights and weights.start
        data = yield from prepared(recipe, stop)
    if data is None:
        yield Note("stopped; the same command goes on with the preparation where it was")
        return
    training, validation = split(data, recipe.data.validation)
    if engine.first:
        _describe(recipe, folder)
        starts.keep(folder, start)
    torch.manual_seed(recipe.train.seed)
    system = SYSTEMS[recipe.system](recipe.model)
    system.check_labels(data.class_names)
    if weights:
        weights.put(system.nets)
    batches = batches_of(data, training, validation, recipe, system, (engine.rank, engine.world))
    sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in system.nets.items()}
    counts = shapes_in(data, training), shapes_in(data, validation)
    line = (f"run {folder}: {counts[0]} {data.what} to learn from, {counts[1]} held out\nparameters: "
            + ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in sizes.items())
            + f"; stop any time, go on with: maquette train --resume {folder}")
    yield Started(line, folder, *counts, sizes, engine.world, data.what)
    if weights:
        yield Note(weights.note)
    watch: Validator | of_images.ImageWatch
    if system.makes.images:
        watch = of_images.ImageWatch(data, training, validation, recipe)
    else:
        watch = Validator(data, validation, recipe)
    hooks = loop.Hooks(
        check=watch.check if system.reads is not Reads.NOTHING else None,
        sample=watch.sheet if system.makes is not Makes.LABELS else None,
        probe=watch.probe,
        diagnose=lambda rows: health.diagnose(rows, recipe),
    )
    began = time.monotonic()
    for event in loop.train(system, recipe, batches, folder, hooks=hooks, engine=engine, resume=resume, stop=stop):
        yield event
        if isinstance(event, Stopped):
            return
    facts = {"seconds": round(time.monotonic() - began), "processes": engine.world}
    if engine.first:
        yield Exported(export(system, recipe, data, training, folder, watch, facts, start))


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


def batches_of(
    data: Data, training: np.ndarray, validation: np.ndarray, recipe: Recipe, system: System,
    part: tuple[int, int] = (0, 1),
) -> Batches:
    """Batches of the shapes or images that are learned from."""
    if system.makes.images:
        return of_images.ImageBatches(data, training, validation, recipe, system, part)
    return Batches(data, training, recipe, system, part)
