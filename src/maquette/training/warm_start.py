"""A warm start (`train.start`): a run begins with the weights of a model instead of fresh ones.

Such a run has learned from that model's data too, so their terms of use are kept with the run, as `start.json` in its
folder. The model itself is not needed to resume.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.io.atomic import write_bytes
from maquette.models import hub
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.base import Config
from maquette.training.monitor.log import START

READ_BY = ("view_size", "standardise")
"""Keys that decide how a view is read but no tensor's shape: a difference is noted."""


@dataclass(frozen=True)
class Start:
    """The model that a run was started from."""

    given: str
    """`train.start` as the recipe gives it."""
    name: str
    """The same without folders."""
    terms: tuple[str, ...]
    """Terms of use of the data that the model had learned from."""


@dataclass(frozen=True)
class StartWeights:
    """The tensors of a model that a recipe's networks have too."""

    start: Start
    tensors: dict[str, Tensor]
    """By their names in the networks."""
    note: str
    """A line for the user: what is started from what, and what differs."""

    def load_into(self, nets: nn.ModuleDict) -> None:
        """Load them into the networks; tensors that the model's file does not hold stay as they are."""
        nets.load_state_dict(self.tensors, strict=False)


def load_start_weights(recipe: Recipe) -> StartWeights:
    """The weights of the model that `train.start` names, checked against the recipe's networks.

    Raises:
        UserError: For a model that is not there or damaged (`maquette.models.hub.load`), for one of another system, and
            for a tensor that does not fit: the message names it, both shapes and the keys that differ.
    """
    given = recipe.train.start
    try:
        model = hub.load(given, runtime="torch")
    except UserError as error:
        raise UserError(f"train.start: {error.what}", error.got, error.hint) from None
    name, theirs = _name(given), model.system
    if theirs.name != recipe.system:
        raise UserError(f"train.start must be a model of the recipe's system, {recipe.system}",
                        f"{name} of {theirs.name}")
    ours = _networks(recipe.system, recipe.model)
    shared = [net for net in ours if net in theirs.saved_networks()]
    tensors = {key: value for key, value in theirs.nets.state_dict().items() if key.split(".")[0] in shared}
    misfit = _misfit(tensors, _shapes(ours, shared), name)
    if misfit:
        raise UserError(f"train.start: {misfit}", hint=_differing(recipe, theirs.config, shared))
    fresh = [net for net in ours if net not in shared and any(True for _ in ours[net].parameters())]
    unused = [net for net in theirs.saved_networks() if net not in shared]
    parts = [f"starts from {name}"]
    parts += [f"fresh: {', '.join(fresh)}"] if fresh else []
    parts += [f"left out: {', '.join(unused)}"] if unused else []
    parts += [_difference(key, theirs.config, recipe.model) for key in READ_BY
              if hasattr(recipe.model, key) and getattr(recipe.model, key) != getattr(theirs.config, key)]
    return StartWeights(Start(given, name, _terms(model.info, name)), tensors, "; ".join(parts))


def write_start(folder: Path, start: Start | None) -> None:
    """Write `start.json` into a new run's folder; without a start, remove one that was left there."""
    if start is None:
        (folder / START).unlink(missing_ok=True)
    else:
        write_bytes(folder / START, json.dumps(dataclasses.asdict(start), indent=1).encode())


def read_start(folder: Path, recipe: Recipe) -> Start | None:
    """The model that a run was started from; None for fresh weights.

    Raises:
        UserError: If the recipe names another model by now, or if `start.json` cannot be read.
    """
    path, given = folder / START, recipe.train.start
    if not path.is_file():
        if given:
            raise UserError(f"{folder} was not started from a model, it has no {START}", repr(given),
                            "train.start is for a new run")
        return None
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        start = Start(str(tree["given"]), str(tree["name"]), tuple(str(line) for line in tree["terms"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read", f"{type(error).__name__}: {error}",
                        "it names the terms of the model that the run was started from") from None
    if start.given != given:
        raise UserError(f"{folder} was started from {start.given!r}", repr(given), "train.start is for a new run")
    return start


def _networks(system: str, config: Config) -> nn.ModuleDict:
    """The networks without any memory for their weights."""
    with torch.device("meta"):
        return SYSTEMS[system](config).nets


def _shapes(nets: nn.ModuleDict, names: list[str]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in nets.state_dict().items() if key.split(".")[0] in names}


def _misfit(tensors: Mapping[str, Tensor], needed: Mapping[str, tuple[int, ...]], name: str) -> str:
    """What is wrong with the first tensor that does not fit; empty where all do."""
    for key, shape in needed.items():
        if key not in tensors:
            return f"tensor {key} is not in {name}, the recipe's has shape {shape}"
        if tuple(tensors[key].shape) != shape:
            return f"tensor {key} has shape {tuple(tensors[key].shape)} in {name}, the recipe's has {shape}"
    over = next((key for key in tensors if key not in needed), None)
    if over is None:
        return ""
    return f"tensor {over} of {name}, shape {tuple(tensors[over].shape)}, is none of the recipe's"


def _differing(recipe: Recipe, theirs: Config, shared: list[str]) -> str:
    """The keys of the recipe whose values in the model would give the shared networks other shapes."""
    keys = [field.name for field in dataclasses.fields(recipe.model)]
    found = [key for key in keys if getattr(recipe.model, key) != getattr(theirs, key)
             and _decides(key, recipe.system, recipe.model, theirs, shared)]
    return ", ".join(_difference(key, theirs, recipe.model) for key in found)


def _decides(key: str, system: str, ours: Config, theirs: Config, shared: list[str]) -> bool:
    """Whether a key alone changes the shared networks' shapes; true for one that cannot change without others."""
    for config, other in ((ours, theirs), (theirs, ours)):
        try:
            changed = dataclasses.replace(config, **{key: getattr(other, key)})
        except UserError:
            continue
        return _shapes(_networks(system, changed), shared) != _shapes(_networks(system, config), shared)
    return True


def _difference(key: str, theirs: Config, ours: Config) -> str:
    there, here = (_plain(getattr(config, key)) for config in (theirs, ours))
    return f"model.{key} is {there} there and {here} here"


def _plain(value: object) -> str:
    """A key's value as it stands in YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def _name(given: str) -> str:
    """A model's name as others may read it: of a folder its own name, of a run's `model` the run's."""
    if given in hub.bundled() or not Path(given).exists():  # bundled or of the Hub
        return given
    path = Path(given).resolve()
    return path.parent.name if path.name == "model" else path.name


def _terms(info: Mapping[str, Any], name: str) -> tuple[str, ...]:
    lines = info.get("data")
    if not isinstance(lines, list) or not lines:
        return (f"{name}: as its owner says",)
    return tuple(" ".join(str(line).split()) for line in lines)
