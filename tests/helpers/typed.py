"""The type checker of the tests, and what to do where it speaks before the code under test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from beartype import BeartypeConf, beartype

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(checked):
    """beartype, with an int where a float is declared, as PEP 484 and mypy have it.

    Sections of recipes are left out: they check their own keys (`maquette.keys`), with messages that tests read.
    """
    if re.search(r"(Config|Recipe)\.__init__$", checked.__qualname__):
        return checked
    return _beartype(checked)


@contextmanager
def refused(message: str) -> Iterator[None]:
    """A value of a wrong type is refused with this message; where types are enforced the checker may do it first."""
    from jaxtyping import TypeCheckError

    from maquette.errors import UserError  # not above: whatever is checked imports this module

    with pytest.raises((UserError, TypeCheckError)) as caught:
        yield
    assert isinstance(caught.value, TypeCheckError) or re.search(message, str(caught.value))
