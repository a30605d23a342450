"""The source that needs no files: the furniture maker."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from maquette.datasets.item import Item
from maquette.errors import UserError

FURNITURE = "furniture"
"""The name of the source; `furniture:chair,chair,lamp` makes two chairs for each lamp."""


def is_furniture(source: str | Path) -> bool:
    """Whether a source is the furniture maker and not a file or folder of that name."""
    return str(source).split(":")[0] == FURNITURE and not Path(source).exists()


def furniture(
    count: int, *, seed: int = 0, split: str = "train", kinds: Sequence[str] | None = None
) -> Iterator[Item]:
    """Pieces from the furniture maker, the classes taking turns; ids are `furniture-chair-000123`.

    Args:
        count: How many.
        seed: Another seed gives other pieces.
        split: `train` or `test`; no piece is in both, whatever the seed.
        kinds: The classes, all by default; one that is named twice is made twice as often.

    Raises:
        UserError: For a class that the furniture maker does not have.
    """
    from maquette.datasets.furniture import KINDS, make

    kinds = tuple(kinds or KINDS)
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise UserError(f"furniture kinds must be among {', '.join(KINDS)}", ", ".join(unknown))
    base = seed * 2_000_000 + (1_000_000 if split == "test" else 0)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        name = f"furniture-{kind}-{number:06d}" if split == "train" else f"furniture-{split}-{kind}-{number:06d}"
        yield Item(name, kind, split, FURNITURE, partial(make, kind, base + number))
