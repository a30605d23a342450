"""The sources that need no files: the furniture maker and the solids maker."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import trimesh

from maquette.datasets.item import Item
from maquette.errors import UserError
from maquette.makers import MAKERS

FURNITURE, SOLIDS = MAKERS
"""The names of the sources; `furniture:chair,chair,lamp` makes two chairs for each lamp."""
_BETWEEN = 8
"""Kinds of everyday things between two constructions, of which there are endless ones."""


def maker_of(source: str | Path) -> str:
    """The maker that a source names, out of `MAKERS`; empty for a file or folder, also one of a maker's name."""
    name = str(source).split(":")[0]
    return name if name in MAKERS and not Path(source).exists() else ""


def is_generated(source: str | Path) -> bool:
    """Whether a source is one of the makers and not a file or folder."""
    return bool(maker_of(source))


def generated(source: str | Path, count: int, *, seed: int = 0, split: str = "train") -> Iterator[Item]:
    """Objects of a maker, the kinds taking turns; ids are `furniture-chair-000123`.

    Args:
        source: `furniture` or `solids`, with the kinds behind a colon where not all are wanted; one that is named twice
            is made twice as often.
        count: How many.
        seed: Another seed gives other objects.
        split: `train` or `test`; no object is in both, whatever the seed. Solids whose kinds are not named are of
            kinds that no other split has (`maquette.datasets.solids.HELD_OUT`).

    Raises:
        UserError: For a kind that the maker does not have.
    """
    name, _, listed = str(source).partition(":")
    known = kinds_of(name)
    chosen = [kind for kind in listed.split(",") if kind] or _in_turn(known, name, split)
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise UserError(f"{name} kinds must be among {', '.join(known)}", ", ".join(unknown))
    base = seed * 2_000_000 + (1_000_000 if split == "test" else 0)
    for number in range(count):
        kind = chosen[number % len(chosen)]
        begin = name if split == "train" else f"{name}-{split}"
        yield Item(f"{begin}-{kind}-{number:06d}", kind, split, name, partial(make, name, kind, base + number))


def kinds_of(maker: str) -> tuple[str, ...]:
    """What a maker makes."""
    if maker == FURNITURE:
        from maquette.datasets.furniture import KINDS

        return KINDS
    from maquette.datasets.solids import KINDS as SOLID_KINDS

    return SOLID_KINDS


def make(maker: str, kind: str, number: int) -> trimesh.Trimesh:
    """One object of a maker, in the frame; the same kind and number always give the same mesh.

    Raises:
        UserError: For a kind that the maker does not have.
    """
    if maker == FURNITURE:
        from maquette.datasets import furniture

        return furniture.make(kind, number)
    from maquette.datasets import solids

    return solids.make(kind, number)


def _in_turn(kinds: Sequence[str], maker: str, split: str) -> list[str]:
    """The kinds that a maker makes for a split where none are named, those first of which there are more."""
    if maker == FURNITURE:
        return list(kinds)
    from maquette.datasets.solids import HELD_OUT

    if split == "test":
        return list(HELD_OUT)
    others = [kind for kind in kinds if kind not in (*HELD_OUT, "construction")]
    return [kind for place in range(0, len(others), _BETWEEN)
            for kind in ("construction", *others[place : place + _BETWEEN])]
