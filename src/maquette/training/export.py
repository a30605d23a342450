"""The model at the end of a run: its latents of classes, its facts, its terms of use and its card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.datasets.format import OpenedData
from maquette.datasets.images import OpenedImages
from maquette.models import hub
from maquette.models.card import write_card
from maquette.recipe import DataRecipe, Recipe
from maquette.systems.base import System
from maquette.systems.capabilities import Makes, Reads
from maquette.training import image_batches as of_images
from maquette.training import inputs
from maquette.training.monitor.environment import environment
from maquette.training.rows import shapes_in
from maquette.training.validation import Validator
from maquette.training.warm_start import Start

Data = OpenedData | OpenedImages


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
