"""What is known of a trained system without its networks: enough to use its answers, whatever computes them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from maquette.capabilities import Makes, Reads

LARGEST = 4096
"""No grid, view or latent has more values a side than this."""


@dataclass(frozen=True)
class Facts:
    """The facts of a trained system, as `config.json` keeps them under `answers`.

    Attributes:
        system: Its name.
        reads: What its encoder reads.
        makes: What it makes of latents.
        latent: Values of a latent; 0 where there is none.
        resolution: Voxels a side of its shapes; 0 where it makes none.
        view_size: Pixels a side of the views that it reads; 0 where it reads none.
        image_channels: 1 for grey views, 3 for colour; 0 where it reads none.
        mirrors: Whether the mean of the answers to a view and to its mirror image is better than one answer.
        takes_class: Whether the class of a view may be told with it.
        by_class: Whether new shapes come from one Gaussian for each class, instead of one prior for all.
        uniform: Whether latents are uniform on [0, 1] under the prior, and not standard normal.
        points: Whether a shape is asked point by point, coarsely first.
    """

    system: str
    reads: Reads
    makes: Makes
    latent: int
    resolution: int = 0
    view_size: int = 0
    image_channels: int = 0
    mirrors: bool = True
    takes_class: bool = False
    by_class: bool = False
    uniform: bool = False
    points: bool = False

    def tree(self) -> dict[str, Any]:
        """The facts as plain values; `of_tree` reads them."""
        return {**asdict(self), "reads": self.reads.value, "makes": self.makes.value}

    @classmethod
    def of_tree(cls, tree: Mapping[str, Any]) -> "Facts":
        """The facts out of plain values.

        Raises:
            ValueError: For a value that is missing, unknown, of another type or out of its range.
        """
        known = {key.name: key.type for key in fields(cls)}
        if not isinstance(tree, Mapping) or set(tree) != set(known):
            raise ValueError(f"answers must have the keys {', '.join(known)}")
        for name, kind in known.items():
            if kind in (int, bool) and type(tree[name]) is not kind:
                raise ValueError(f"answers.{name} must be {'true or false' if kind is bool else 'a whole number'}")
            if kind is int and not 0 <= tree[name] <= LARGEST:
                raise ValueError(f"answers.{name} must be from 0 to {LARGEST}, got {tree[name]}")
        if not isinstance(tree["system"], str):
            raise ValueError("answers.system must be a text")
        return cls(**{**tree, "reads": Reads(tree["reads"]), "makes": Makes(tree["makes"])})
