"""The names that keys had in the first release, 0.1.

They are read in recipes, on the command line and in the `config.json` of models until release 0.3, with a warning that
gives the new name.
"""

import warnings
from collections.abc import Mapping
from typing import Any

from maquette.errors import RenamedWarning

KEYS = {
    "model": {
        "kl": "kl_weight",
        "penalty": "penalty_weight",
        "penalty_every": "penalty_interval",
        "delta": "reconstruction_weight",
        "judged": "critic_fraction",
        "prior_share": "prior_fraction",
        "critic_from": "critic_start",
        "adversarial_from": "adversarial_start",
        "poses_until": "true_pose_until",
        "image_size": "view_size",
        "foreground_least": "min_foreground",
    },
    "data": {"furniture_kinds": "furniture_classes"},
}
"""Old name to new name, for each section of a recipe."""
CONFIG_KEYS = {"labels": "class_names"}
"""Old name to new name, at the top of a model's `config.json`."""


def upgraded(section: str, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of one section of a recipe under the present names of their keys, with a warning for each old name.

    Args:
        section: `model` or `data`; the others have no old keys. Empty: the top of a `config.json`.
        values: Keys and values as they were read. Where a key is there under both names, the new one counts.
        where: The file, for the warning.
    """
    names = KEYS.get(section, {}) if section else CONFIG_KEYS
    found = {}
    for key, value in values.items():
        new = names.get(key, key) if isinstance(key, str) else key
        if new != key:
            prefix = f"{section}." if section else ""
            warnings.warn(RenamedWarning(f"{where}: {prefix}{key} is called {prefix}{new} now"), stacklevel=2)
            if new in values:
                continue
        found[new] = value
    return found


def upgraded_recipe(tree: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A recipe as nested dicts, under the present names of its keys, with a warning for each old name.

    Args:
        tree: The recipe as it was read.
        where: The file, for the warning.
    """
    return {name: upgraded(name, values, where) if name in KEYS and isinstance(values, Mapping) else values
            for name, values in tree.items()}


def upgraded_option(word: str) -> str:
    """An option of the command line (`--model.penalty-every`) under its present name, with a warning for an old name.

    Args:
        word: One word of the command line; a word that is no option is returned unchanged.
    """
    option, equals, value = word.partition("=")
    if not option.startswith("--"):
        return word
    section, _, key = option.removeprefix("--").rpartition(".")
    new = KEYS.get(section, {}).get(key.replace("-", "_"))
    if new is None:
        return word
    name = f"--{section}.{new.replace('_', '-')}"
    warnings.warn(RenamedWarning(f"{option} is called {name} now"), stacklevel=2)
    return f"{name}{equals}{value}"
