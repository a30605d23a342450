"""From a recipe to a model: data prepared and split, checks while it trains, the model and its card at the end."""

import hashlib
import json
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.datasets.format import Info, OpenedData, is_prepared, open_dataset
from maquette.datasets.images import OpenedImages
from maquette.datasets.orientations import shape_id
from maquette.datasets.prepare import FORMAT, prepare
from maquette.datasets.sources import FURNITURE, is_furniture
from maquette.errors import UserError
from maquette.events import Note
from maquette.geometry.overlap import iou
from maquette.io.atomic import atomic_path
from maquette.models import hub
from maquette.models.card import write_card
from maquette.recipe import DataRecipe, Recipe
from maquette.systems import SYSTEMS, System
from maquette.systems.capabilities import Makes, Reads
from maquette.training import image_batches as of_images
from maquette.training import inputs, loop
from maquette.training import warm_start as starts
from maquette.training.batches import Batches
from maquette.training.distributed import Engine
from maquette.training.monitor import health, samples
from maquette.training.monitor.environment import environment
from maquette.training.warm_start import Start

CHECKED_SHAPES = 384
"""Validation shapes that a check looks at: enough for a standard error of about 0.01 of the mean IoU."""
THRESHOLDS = tuple(np.round(np.arange(0.2, 0.65, 0.05), 2).tolist())


Data = OpenedData | OpenedImages


@dataclass(frozen=True)
class Started(Note):
    """Training begins: the run's folder, the shapes or images (`what`) that it learns from and those held out."""

    run: Path
    train_shapes: int
    validation_shapes: int
    parameters: dict[str, int]
    processes: int = 1
    what: str = "shapes"


@dataclass(frozen=True)
class Exported:
    """The result of a run that came to its end: its model was written."""

    path: Path


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
        if isinstance(event, loop.Stopped):
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


def split(data: Data, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and for validation.

    Its id alone decides a shape's part, so that it never changes sides; all its orientations are on the same one.
    """
    rows = data.split("train")
    ids = [shape_id(id) for id in data.ids]
    shapes = len({ids[row] for row in rows})
    if shapes < 2:
        raise UserError(f"training needs at least 2 {data.what} in the train split", shapes)
    draws = [int(hashlib.sha256(f"validation {ids[row]}".encode()).hexdigest()[:8], 16) / 2**32 for row in rows]
    held_out = np.asarray(draws) < share
    if held_out.all() or not held_out.any():
        held_out = np.asarray(draws) == min(draws)
    return rows[~held_out], rows[held_out]


def shapes_in(data: Data, rows: np.ndarray) -> int:
    """How many different shapes some rows show, in one or several orientations; or how many images."""
    ids = data.ids
    return len({shape_id(ids[row]) for row in rows})


class Validator:
    """Measures reconstructions of held-out shapes: mean IoU, also by kind of view, at the best of a few thresholds."""

    def __init__(self, data: OpenedData, rows: np.ndarray, recipe: Recipe):
        rng = np.random.default_rng(recipe.train.seed)
        self.rows = np.sort(rng.permutation(rows)[:CHECKED_SHAPES])
        self.data, self.batch, self.recipe = data, recipe.train.batch, recipe
        count = inputs.per_shape(SYSTEMS[recipe.system], data)
        self.which = np.arange(len(self.rows)) % count if count else None
        self.threshold = 0.5

    def check(self, system: System, step: int) -> dict[str, float]:
        """`iou` over all and, of views, `iou_<kind>`, at `threshold`, the one with the best mean here.

        Views have the size that training saw last, at step - 1.
        """
        scores = []
        device = next(system.nets.parameters()).device
        for start in range(0, len(self.rows), self.batch):
            part = slice(start, start + self.batch)
            seen = self._seen(system, part, step).to(device)
            truth = self.data.voxels(self.rows[part])
            with torch.no_grad():
                occupancy = system.reconstruct(seen).squeeze(1).float().cpu().numpy()
            scores.append(np.stack([iou(occupancy, truth, t) for t in THRESHOLDS], axis=1))
        table = np.concatenate(scores)  # [shapes, thresholds]
        best = int(table.mean(0).argmax())
        self.threshold = THRESHOLDS[best]
        by_kind = {}
        if system.reads is Reads.VIEWS:
            kinds = np.asarray([self.data.view_kinds(row)[w] for row, w in zip(self.rows, self.which, strict=True)])
            by_kind = {f"iou_{kind}": float(table[kinds == kind, best].mean()) for kind in sorted(set(kinds))}
        return {"iou": float(table[:, best].mean()), **by_kind, "threshold": self.threshold}

    def _seen(self, system: System, part: slice | np.ndarray, step: int) -> torch.Tensor:
        seen = inputs.read(system, self.data, self.rows[part], self.which[part])
        return inputs.sized(seen, self.recipe.data, step - 1)

    def sheet(self, system: System, step: int) -> np.ndarray | None:
        """What the system makes; see `maquette.training.monitor.samples.sheet`."""
        return samples.sheet(system, self.data, self.rows, self.recipe, step)

    def probe(self, system: System, step: int) -> dict[str, float]:
        """Numbers about the networks' health on a few held-out shapes; see `maquette.training.monitor.health.probe`."""
        places = np.linspace(0, len(self.rows) - 1, min(health.PROBED_SHAPES, len(self.rows))).astype(int)
        rows = self.rows[places]
        device = next(system.nets.parameters()).device
        voxels = torch.from_numpy(self.data.voxels(rows)).unsqueeze(1).float().to(device)
        seen = self._seen(system, places, step).to(device) if system.reads is not Reads.NOTHING else None
        return health.probe(system, voxels, seen, step)


def class_latents(system: System, data: OpenedData, rows: np.ndarray, rank: int = 24) -> dict[str, torch.Tensor]:
    """A Gaussian over the latents of each class's training views or scans: mean, principal directions, what is left.

    Sampling from it ("ex-post density estimation", Ghosh et al. 2020) gives shapes of a class that is asked for; the
    prior N(0, I) gives shapes of any class. `[K, L]`, `[K, rank, L]`, `[K, L]`.
    """
    means, factors, rests = [], [], []
    labels = np.asarray(data.labels)
    device = next(system.nets.parameters()).device
    for label in range(len(data.class_names)):
        mine = rows[labels[rows] == label][:400]
        found = []
        for start in range(0, len(mine), 64):
            part = mine[start : start + 64]
            which = np.arange(len(part)) % inputs.per_shape(system, data)
            with torch.no_grad():
                found.append(system.encode(inputs.read(system, data, part, which).to(device)).float().cpu())
        latents = torch.cat(found) if found else torch.zeros(1, system.config.latent)
        centred = latents - latents.mean(0)
        _, spread, directions = torch.linalg.svd(centred / max(len(latents) - 1, 1) ** 0.5, full_matrices=False)
        factor = torch.zeros(rank, latents.shape[1])
        kept = min(rank, len(spread))
        factor[:kept] = directions[:kept] * spread[:kept, None]
        means.append(latents.mean(0))
        factors.append(factor)
        rests.append((centred.var(0, correction=0) - factor.square().sum(0)).clamp(min=0).sqrt())
    return {"mean": torch.stack(means), "factor": torch.stack(factors), "rest": torch.stack(rests)}


def export(
    system: System,
    recipe: Recipe,
    data: Data,
    training: np.ndarray,
    folder: Path,
    watch: Validator | of_images.ImageWatch,
    facts: dict[str, object],
    start: Start | None = None,
) -> Path:
    """Write `folder/model` from a system that holds its averaged weights.

    Args:
        facts: Of the run, for the card.
        start: The model that the run was started from, whose terms are the new one's too.
    """
    recipe = without_places(recipe, start)
    bound = terms(data, recipe, start)
    latents, metrics = {}, {}
    if system.reads is not Reads.NOTHING:
        metrics = watch.check(system, recipe.train.steps)
        latents = class_latents(system, data, training)
    makes = system.makes is not Makes.LABELS
    picture = watch.sheet(system, recipe.train.steps) if makes else None
    facts = {**facts, **environment()}
    info = {
        **({} if system.makes.images else {"threshold": watch.threshold}),
        "class_names": list(data.class_names),
        "data": list(bound),
        "validation": metrics,
        "run": facts,
        "recipe": recipes.to_tree(recipe),
    }
    shown = None if picture is None else hub.PICTURE
    text = write_card(recipe, data.class_names, bound, shapes_in(data, training), metrics, facts, shown)
    return hub.save(folder / "model", system, info, text, latents, picture)


def without_places(recipe: Recipe, start: Start | None = None) -> Recipe:
    """The recipe as it goes into a model: data and the model that it was started from by name, without the folders of
    the machine that trained it.
    """
    data = replace(
        recipe.data,
        path=tuple(Path(source).name for source in recipe.data.path),
        cache=DataRecipe().cache,
        backgrounds=Path(recipe.data.backgrounds).name,
    )
    return replace(recipe, data=data, train=replace(recipe.train, start=start.name if start else ""))


def terms(data: Data, recipe: Recipe, start: Start | None = None) -> tuple[str, ...]:
    """The terms of use of everything that was trained on, by the model that training started from too, each once."""
    lines = [*data.terms]
    if recipe.data.backgrounds:
        lines.append(f"pictures for surfaces and backgrounds ({recipe.data.backgrounds}): as their owners say")
    lines += start.terms if start else ()
    return tuple(dict.fromkeys(lines))


def prepared(recipe: Recipe, stop: Callable[[], bool]) -> Generator[object, None, Data | None]:
    """Prepare what is raw, open everything; yields the events of `prepare`, returns the dataset, None when stopped.

    Images are prepared beforehand: they want looking through first.
    """
    system = SYSTEMS[recipe.system]
    if system.makes.images:
        return of_images.opened(recipe)
    orientations = recipe.data.orientations
    if orientations > 1 and system.reads is not Reads.NOTHING:
        raise UserError("data.orientations is for systems without an encoder, whose views and scans would have to turn "
                        "too", f"{orientations} and {recipe.system}", "leave it at 1")
    image = system.reads is Reads.VIEWS
    views = recipe.data.views if image else 0
    held = f"{views}x{recipe.model.view_size if image else 0}"
    wanted = {
        "resolution": recipe.model.resolution,
        "views": views,
        "view_size": recipe.model.view_size if image else 0,
        "channels": recipe.model.image_channels if image else 1,
    }
    if system.reads is Reads.SCANS:
        wanted["scans"] = recipe.data.scans
        held = f"{recipe.data.scans}scans"
    if orientations > 1:
        wanted["orientations"] = orientations
        held = f"{orientations}turns"
    folders = []
    for source in recipe.data.path:
        if source == FURNITURE and recipe.data.furniture_classes:
            source = f"{FURNITURE}:{','.join(recipe.data.furniture_classes)}"
        path = Path(source)
        of_images.refuse(path, recipe.system)
        if is_prepared(path):
            folders.append(path)
            continue
        name = path.stem.split(":")[0] or "data"
        count = recipe.data.furniture if is_furniture(source) else None
        options = {**wanted, "kinds": recipe.data.kinds, "count": count, "seed": recipe.train.seed,
                   "backgrounds": recipe.data.backgrounds or None, "split": "train"}
        key = hashlib.sha256(json.dumps([FORMAT, str(path.resolve()), options], default=str).encode()).hexdigest()[:8]
        folder = Path(recipe.data.cache) / f"{name}-{wanted['resolution']}-{held}-{key}"
        if not is_prepared(folder):
            yield Note(f"preparing {source} into {folder} (once; it is kept there)")
            for event in prepare(source, folder, **options):
                yield event
                if stop():
                    return None
        folders.append(folder)
    data = open_dataset(folders)
    for folder, info in zip(folders, data.infos, strict=True):
        _check_fit(folder, info, recipe)
    if recipe.data.classes:
        data.keep_classes(recipe.data.classes)
    return data


def _check_fit(folder: Path, info: Info, recipe: Recipe) -> None:
    """Raise UserError where a prepared dataset is not what the recipe's networks read."""
    system, model = SYSTEMS[recipe.system], recipe.model
    if info.resolution != model.resolution:
        raise UserError(f"{folder} has {info.resolution} voxels a side, model.resolution is {model.resolution}",
                        hint=f"prepare it again with --resolution {model.resolution}, or set model.resolution")
    if system.reads is Reads.SCANS and not info.scans:
        raise UserError(f"{folder} has no scans, which a {recipe.system} model learns from",
                        hint="prepare it again with --scans 15")
    orientations = recipe.data.orientations
    if orientations not in (1, info.orientations):
        raise UserError(f"data.orientations must be those that {folder} was prepared in, {info.orientations}",
                        orientations, f"prepare it again with --orientations {orientations}")
    if system.reads is not Reads.VIEWS:
        return
    size, channels = model.view_size, model.image_channels
    again = f"prepare it again with --views {recipe.data.views} --view-size {size} --channels {channels}"
    if not info.views:
        raise UserError(f"{folder} has no views, which a {recipe.system} model learns from", hint=again)
    if (info.view_size, info.channels) != (size, channels):
        raise UserError(f"{folder} has views of {info.view_size} pixels and {_channels(info.channels)}, the recipe's "
                        f"model reads {size} and {_channels(channels)}", hint=again)


def _channels(count: int) -> str:
    return f"{count} channel{'s' if count > 1 else ''}"

