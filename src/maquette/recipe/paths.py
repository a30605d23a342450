"""Whether the data that a recipe names exist."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maquette.errors import UserError
from maquette.io.paths import nameable
from maquette.makers import FURNITURE_CLASSES, MAKERS
from maquette.recipe.hints import check_names
from maquette.recipe.sections import Recipe


def check_paths(recipe: Recipe[Any]) -> None:
    """Check that the data and backgrounds that a recipe names exist.

    `from_tree` does not check it, since a model keeps its recipe without the data.

    Raises:
        UserError: For the first that does not exist; the hint has the nearest that does.
    """
    for source in recipe.data.path:
        nameable(source)
        name, _, kinds = source.partition(":")
        if name in MAKERS and not Path(source).exists():
            if name == "furniture":
                check_names("data.path", "class of furniture", kinds.split(",") if kinds else [], FURNITURE_CLASSES)
        elif not source or not Path(source).exists():
            hint = _nearest_path(Path(source), MAKERS) or "give a file, a folder, 'furniture' or 'solids'"
            raise UserError("data.path names data that are not there", repr(source), hint)
    pictures = recipe.data.backgrounds
    nameable(pictures)
    nameable(recipe.data.cache)
    if pictures and not Path(pictures).is_dir():
        hint = _nearest_path(Path(pictures), folders=True) or "give a folder of pictures"
        raise UserError("data.backgrounds names a folder that is not there", repr(pictures), hint)


def _nearest_path(path: Path, also: Sequence[str] = (), folders: bool = False) -> str:
    """A hint: the name most like the first missing part of a path, in the folder where it should be; or empty.

    Args:
        path: A path that does not exist.
        also: Names beside those in the folder, for a path of one part.
        folders: Whether only folders are offered.
    """
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    try:
        there = [entry.name for entry in missing.parent.iterdir() if entry.is_dir() or not folders]
    except OSError:
        there = []
    names = [*there, *(also if len(path.parts) == 1 else ())]
    close = difflib.get_close_matches(missing.name, names, 1)
    if not close:
        return ""
    return f"did you mean '{close[0] if close[0] in also else missing.parent / close[0]}'?"
