"""Writing the model at the end of a run: latents of classes, facts, terms of use, and the card."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from maquette import recipe as recipes
from maquette.capabilities import Makes, Reads
from maquette.datasets.opened import OpenedData
from maquette.datasets.sources import is_generated
from maquette.models import graph_export, hub
from maquette.models.card import write_card
from maquette.nets.types import Pretrained
from maquette.recipe import DataRecipe, Recipe
from maquette.systems.base import System
from maquette.training.inputs import encoder_input, inputs_per_shape
from maquette.training.monitor.environment import environment
from maquette.training.rows import Data, Rows, shapes_in
from maquette.training.validation import Validation
from maquette.training.warm_start import Start

OWN_DATA, OWN_PICTURES, OWN_MODEL = "data", "pictures", "a model of the user's own"
"""What a model calls the sources that it learned from, whatever their folders are called."""
CLASS_SHAPES = 400
"""Training shapes of a class whose latents are looked at, at most."""
Latents = Float[Tensor, "classes latent"] | Float[Tensor, "classes rank latent"]


def class_latents(system: System, data: OpenedData, rows: Rows, rank: int = 24) -> dict[str, Latents]:
    """A Gaussian over the latents of each class's training views or scans.

    Sampling from it gives shapes of one class ("ex-post density estimation", Ghosh et al. 2020, section 4); the prior
    N(0, I) gives shapes of any class.

    Args:
        system: A system with an encoder.
        data: The dataset.
        rows: The rows to learn from.
        rank: Principal directions that are kept.

    Returns:
        `mean`; `factor`, the principal directions times their standard deviations; and `rest`, the standard deviation
        that is left along each axis. A class without rows has N(0, I), the prior of all.
    """
    means, factors, rests = [], [], []
    labels = np.asarray(data.labels)
    device = next(system.nets.parameters()).device
    for label in range(len(data.class_names)):
        mine = rows[labels[rows] == label][:CLASS_SHAPES]
        found = []
        for start in range(0, len(mine), 64):
            part = mine[start : start + 64]
            which = np.arange(len(part)) % inputs_per_shape(system, data)
            with torch.no_grad():
                found.append(system.encode(encoder_input(system, data, part, which).to(device)).float().cpu())
        latents = torch.cat(found) if found else torch.zeros(1, system.latent)
        centred = latents - latents.mean(0)
        _, spread, directions = torch.linalg.svd(centred / max(len(latents) - 1, 1) ** 0.5, full_matrices=False)
        factor = torch.zeros(rank, latents.shape[1])
        kept = min(rank, len(spread))
        factor[:kept] = directions[:kept] * spread[:kept, None]
        means.append(latents.mean(0))
        factors.append(factor)
        rest = (centred.var(0, correction=0) - factor.square().sum(0)).clamp(min=0).sqrt()
        rests.append(rest if found else torch.ones_like(rest))
    return {"mean": torch.stack(means), "factor": torch.stack(factors), "rest": torch.stack(rests)}


def export(
    system: System,
    recipe: Recipe,
    data: Data,
    training: Rows,
    folder: Path,
    validation: Validation,
    facts: Mapping[str, object],
    start: Start | None = None,
) -> Path:
    """Write `folder/model` from a system that holds its averaged weights.

    Args:
        system: The trained system.
        recipe: What it was trained by.
        data: What it was trained on.
        training: The rows that it learned from.
        folder: The run's folder.
        validation: Measures the model and draws its picture.
        facts: Of the run, for the card.
        start: The model that the run was started from, whose terms of use bind the new one too.

    Returns:
        The model's folder.
    """
    recipe = without_places(recipe, start)
    origins = [net.origin for net in system.nets.modules() if isinstance(net, Pretrained)]
    bound = tuple(dict.fromkeys([*terms(data, recipe, start), *origins]))
    latents: dict[str, Latents] = {}
    metrics: dict[str, float] = {}
    if system.reads is not Reads.NOTHING and isinstance(data, OpenedData):
        metrics = validation.check(system, recipe.train.steps)
        latents = class_latents(system, data, training)
    picture = None if system.makes is Makes.LABELS else validation.sheet(system, recipe.train.steps)
    facts = {**facts, **environment()}
    info = {
        **({} if system.makes.images else {"threshold": validation.threshold}),
        "class_names": list(data.class_names),
        "data": list(bound),
        "validation": metrics,
        "run": facts,
        "recipe": recipes.to_tree(recipe),
    }
    shown = None if picture is None else hub.PICTURE
    text = write_card(recipe, data.class_names, bound, shapes_in(data, training), metrics, facts, shown)
    made = hub.save(folder / "model", system, info, text, latents, picture)
    graph_export.add_graphs(made)
    return made


def without_places(recipe: Recipe, start: Start | None = None) -> Recipe:
    """The recipe as a model keeps it: without the name of any folder or file of the user's.

    A source that this package makes itself (`furniture:chair`) keeps its name, every other is called `data`, pictures
    for backgrounds `pictures`. A model that training started from keeps its name where it is bundled or on the Hugging
    Face Hub.
    """
    data = replace(
        recipe.data,
        path=tuple(source if is_generated(source) else OWN_DATA for source in recipe.data.path),
        cache=DataRecipe().cache,
        backgrounds=OWN_PICTURES if recipe.data.backgrounds else "",
    )
    return replace(recipe, data=data, train=replace(recipe.train, start=_public_name(start) if start else ""))


def _public_name(start: Start) -> str:
    """What a model that training started from is called outside of this machine."""
    local = Path(start.given).exists() and start.given not in hub.bundled()
    return OWN_MODEL if local else start.name


def terms(data: Data, recipe: Recipe, start: Start | None = None) -> tuple[str, ...]:
    """The terms of use of everything that was learned from, also by the model that training started from; each once."""
    lines = [*data.terms]
    if recipe.data.backgrounds:
        lines.append("pictures for surfaces and backgrounds: as their owners say")
    for line in start.terms if start else ():
        unnamed = line == f"{start.name}: as its owner says" if start else False
        lines.append(f"{_public_name(start)}: as its owner says" if start and unnamed else line)
    return tuple(dict.fromkeys(lines))
