"""Hints for names that are not known: the known name that was probably meant."""

import difflib
from collections.abc import Sequence

from maquette.errors import UserError


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint: the known name that is most like this word, or all known names where none is like it."""
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"


def check_names(key: str, what: str, names: Sequence[str], known: tuple[str, ...]) -> None:
    """Check that names are known.

    Args:
        key: The key that has the names, for the message.
        what: What they name, for the message: "class of furniture".
        names: As they were read.
        known: The names that exist.

    Raises:
        UserError: For the first unknown name; the hint has the nearest.
    """
    for name in names:
        if name not in known:
            raise UserError(f"{key} names no {what}", repr(name), did_you_mean(name, known))
