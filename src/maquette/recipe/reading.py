"""Recipes read from YAML and written to it, with messages that name the key and the nearest known one."""

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maquette.errors import UserError
from maquette.io.trees import read_yaml
from maquette.recipe.hints import did_you_mean
from maquette.recipe.sections import Recipe, recipe_type, section_types
from maquette.renamed import upgraded_recipe
from maquette.systems import SYSTEMS

RECIPES = Path(__file__).parents[1] / "recipes"
"""The recipes that come with the package."""


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load(name_or_path: str | Path) -> Recipe[Any]:
    """A recipe that comes with the package, by its name, or the recipe in a YAML file.

    Raises:
        UserError: If there is none, or if it does not fit.
    """
    name = str(name_or_path)
    path = RECIPES / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        raise UserError("no recipe or file of this name", repr(name), did_you_mean(name, names()))
    try:
        tree = read_yaml(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as YAML", error) from None
    return from_tree(tree, str(path))


def from_tree(tree: Any, where: str) -> Recipe[Any]:
    """A recipe from nested dicts, as they are in YAML and JSON.

    Args:
        tree: The recipe; keys that are left out have their defaults.
        where: The file, for messages.

    Raises:
        UserError: If a key is unknown (the hint has the nearest known key), or if a value does not fit.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("system"), str):
        raise UserError(f"{where}: a recipe is a mapping with the key 'system'", type(tree).__name__)
    try:
        tree = upgraded_recipe(tree, where)
        kind = recipe_type(tree["system"])
        _check_known(tree, kind)
        made: dict[str, Any] = {"system": tree["system"], "about": tree.get("about", "")}
        if not isinstance(made["about"], str):
            raise UserError("about must be a text", type(made["about"]).__name__)
        defaults = SYSTEMS[tree["system"]].Config.section_defaults
        for name, section in section_types(kind).items():
            values = {**defaults.get(name, {}), **tree.get(name, {})}
            made[name] = section(**{key: _with_tuples(value) for key, value in values.items()})
    except UserError as error:
        raise UserError(f"{where}: {error.what}", error.got, error.hint) from None
    return Recipe(**made)


def with_values(recipe: Recipe[Any], values: Mapping[str, Any], where: str = "the given values") -> Recipe[Any]:
    """A copy of a recipe with some keys changed, checked again.

    Args:
        recipe: The recipe, which is not changed.
        values: New values by dotted key: `{"train.steps": 20}`.
        where: Where the values come from, for messages.

    Raises:
        UserError: If a key is unknown or a value does not fit.
    """
    tree = to_tree(recipe)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section and not isinstance(tree.get(section), dict):
            raise UserError(f"{where}: unknown key '{key}'", hint=f"did you mean '{nearest_key(key, type(recipe))}'?")
        (tree[section] if section else tree)[name] = value
    return from_tree(tree, where)


def _check_known(tree: Mapping[str, Any], kind: Any) -> None:
    """Raise UserError for a key that a recipe of this type does not have; the hint has the nearest."""
    sections = section_types(kind)
    for name, values in tree.items():
        if name not in sections:
            if name not in ("system", "about"):
                raise _unknown(str(name), "", kind)
        elif not isinstance(values, dict):
            raise UserError(f"{name} must be a mapping of keys to values", type(values).__name__)
        else:
            known = {own.name for own in dataclasses.fields(sections[name])}
            for key in values:
                if key not in known:
                    raise _unknown(str(key), f"{name}.", kind)


def _unknown(key: str, section: str, kind: Any) -> UserError:
    """The error for an unknown key of a section (`train.`; empty: the top)."""
    meant = nearest_key(f"{section}{key}", kind).removeprefix(section)
    beside = [full.removeprefix(section) for full in keys(kind) if full.startswith(section)]
    beside = list(dict.fromkeys(name.split(".")[0] for name in beside))
    hint = f"did you mean '{meant}'?" if meant else f"known: {', '.join(beside)}"
    return UserError(f"unknown key '{section}{key}'", hint=hint)


def keys(kind: Any) -> list[str]:
    """Every key of a recipe of this type (`recipe_type`), as on the command line: `train.steps`."""
    found = []
    for top in dataclasses.fields(Recipe):
        section = section_types(kind).get(top.name)
        found += [f"{top.name}.{own.name}" for own in dataclasses.fields(section)] if section else [top.name]
    return found


def nearest_key(key: str, kind: Any) -> str:
    """The key that an unknown one probably means (`train.stepz`, `lr`), or an empty text.

    It is a key of the same name in another section, or the key whose name is most like it.

    Args:
        key: The unknown key.
        kind: The type of the recipe (`recipe_type`).
    """
    section, _, name = key.rpartition(".")
    named = {full.rpartition(".")[2]: full for full in reversed(keys(kind))}
    if name in named:
        return named[name]
    beside = {own: full for own, full in named.items() if section and full == f"{section}.{own}"}
    known = beside or named | {top: top for top in section_types(kind)}
    close = difflib.get_close_matches(name, known, 1)
    return known[close[0]] if close else ""


def to_tree(recipe: Recipe[Any]) -> dict[str, Any]:
    """A recipe as nested dicts of plain values, as they are in YAML and JSON; `from_tree` is the inverse."""
    return {key: _plain(value) for key, value in dataclasses.asdict(recipe).items()}


def dump(recipe: Recipe[Any]) -> str:
    """The whole recipe, with its defaults, as YAML."""
    return yaml.safe_dump(to_tree(recipe), sort_keys=False, width=100)


def _plain(value: Any) -> Any:
    """A value with lists for tuples."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _with_tuples(value: Any) -> Any:
    """A value with tuples for lists."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value
