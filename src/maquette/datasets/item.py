"""One shape of a source, before it is read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import trimesh

SourceShape: TypeAlias = np.ndarray | trimesh.Trimesh
"""A shape as its source has it: a grid with three axes, occupied where it is above 0.5, or a mesh."""


LEFT_OUT = "{id} is left out: {reason}"
"""What the reason of a shape says that its source leaves out on purpose; that is no failure."""


def is_left_out(id: str, reason: str) -> bool:
    """Whether a shape was skipped on purpose, by the reason that was kept of it."""
    return reason.startswith(LEFT_OUT.format(id=id, reason=""))


@dataclass(frozen=True)
class Item:
    """One shape of a source, not yet read.

    Items are sent to worker processes, so `load` and `turned` are plain functions or a functools.partial of one.
    """

    id: str
    """Unique in its source and the same in every run; messages name the shape by it."""
    label: str
    """The class: `chair`."""
    split: str
    """`train` or `test`."""
    source: str
    """The name of the source: `modelnet10`, `furniture`, or the name of a folder."""
    load: Callable[[], SourceShape] = field(repr=False)
    """Reads the shape, a grid or a mesh with z up and the front towards +y. Size and place are free: whoever uses the
    item fits it to the cube. Raises UserError for a bad file."""
    turned: Callable[[int], SourceShape | None] | None = field(default=None, repr=False)
    """Reads the source's own copy of the shape, turned by 30 or 60 degrees about z, from x towards y; it returns None
    where the source has no such copy. None for sources that hold each shape in one orientation only."""
    file: Path | None = None
    """The user's own file, whose name is not to leave this machine; None where the id may say where a shape is from."""

    def unnamed(self, text: str) -> str:
        """A message about the shape in which its file is called by the id, so that it can be kept in a dataset."""
        if self.file is None:
            return text
        places = {str(self.file), str(self.file.resolve()), self.file.as_posix(), self.file.name}
        for place in sorted(places, key=len, reverse=True):
            text = text.replace(place, self.id)
        for folder in sorted({str(self.file.parent), str(self.file.parent.resolve())} - {".", "/"}, key=len)[::-1]:
            text = text.replace(f"{folder}/", "")
        return text
