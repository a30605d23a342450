"""Options that several commands share."""

from typing import Annotated, Literal

from tyro.conf import Positional, arg

Inputs = Positional[Annotated[tuple[str, ...], arg(metavar="INPUT...")]]
Format = Literal["stl", "obj", "ply", "glb", "3mf", "off", "binvox", "npy", "npz", "mat"]
