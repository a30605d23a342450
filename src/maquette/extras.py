"""Libraries that only some users need, and the line that says what to install where one is missing.

`pyproject.toml` lists them by extra: `train`, `hub`, `plotter`, `dicom`, `studio`.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from maquette.errors import UserError


def require(module: str, extra: str) -> ModuleType:
    """Import a library of an extra.

    Args:
        module: The library, as it is imported.
        extra: The extra of this package that brings it.

    Returns:
        The module.

    Raises:
        UserError: Where the library is not installed; it says which extra to install.
    """
    try:
        with log_untouched():
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise  # the library is there, and something that it needs is not
        raise UserError(f"{module} is not installed", hint=f"pip install 'maquette[{extra}]'") from None


@contextmanager
def log_untouched() -> Iterator[None]:
    """Within it, a library may set up the log of the whole program, as vpype does; it is put back at the end.

    To whom log lines go is the program's to say: through such a handler those of other libraries reach the terminal.
    """
    import logging

    before = logging.root.handlers[:]
    try:
        yield
    finally:
        for handler in [one for one in logging.root.handlers if one not in before]:
            logging.root.removeHandler(handler)
