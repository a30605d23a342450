"""Random views of a shape: the pictures that models learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.rendering.camera import Camera
from maquette.rendering.depth import depth_picture, silhouette_picture
from maquette.rendering.framing import outline, whole_frame
from maquette.rendering.pencil_style import Board, pencil
from maquette.rendering.photo import Stage, photo
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.studio import shade
from maquette.rendering.textures import Pictures, pictures

__all__ = ["KINDS", "Views", "render_views", "shade"]

KINDS = ("photo", "pencil", "depth", "silhouette")


FRONTAL = 0.4
"""Share of photos from near the front, unless said otherwise."""


@dataclass(frozen=True)
class Views:
    """Views of one shape. images: uint8 [V, S, S] or [V, S, S, 3]; kinds and cameras: one for each view."""

    images: np.ndarray
    kinds: tuple[str, ...]
    cameras: tuple[Camera, ...]

    def __len__(self) -> int:
        return len(self.images)


def render_views(
    mesh: trimesh.Trimesh,
    *,
    count: int,
    size_px: int,
    seed: int,
    kinds: Sequence[str] = ("photo", "pencil"),
    channels: int = 1,
    backgrounds: str | Path | None = None,
    frontal: float = FRONTAL,
) -> Views:
    """Random views of a mesh in the package's frame; the same arguments give the same pictures.

    Args:
        count: How many.
        size_px: Width and height.
        kinds: Out of `KINDS`, each view takes one at random with equal chance.
        channels: 1 for grey, 3 for RGB.
        backgrounds: A folder of pictures for walls and surfaces (optional).
        frontal: The share of photos taken from near the front, as people take them; the others from any side.

    Raises:
        UserError: For an unknown kind, a bad number of channels or a folder that is not there.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise UserError(f"view kinds must be among {', '.join(KINDS)}", ", ".join(unknown) or "none")
    if channels not in (1, 3):
        raise UserError("channels must be 1 or 3", channels)
    found = pictures(str(backgrounds), channels) if backgrounds is not None else None
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        studio = _Studio(mesh, count, seed, found)
        drawn = [studio.view(index, seed, size_px, kinds, channels, frontal) for index in range(count)]
    finally:
        cv2.setNumThreads(threads)
    shape = (0, size_px, size_px) if channels == 1 else (0, size_px, size_px, 3)
    images = np.stack([image for image, _, _ in drawn]) if drawn else np.zeros(shape, np.uint8)
    return Views(images, tuple(kind for _, kind, _ in drawn), tuple(camera for _, _, camera in drawn))


class _Studio:
    """One mesh with what its views share, each part made when the first view asks for it."""

    def __init__(self, mesh: trimesh.Trimesh, count: int, seed: int, found: Pictures | None):
        self.caster = RayCaster(mesh)
        self.arrangements = int(np.clip(count // 8, 1, 4))
        self.rng = np.random.default_rng([seed, 1 << 20])
        self.found = found

    @cached_property
    def stage(self) -> Stage:
        return Stage(self.caster, self.rng, self.arrangements, self.found)

    @cached_property
    def board(self) -> Board:
        return Board(self.caster)

    def view(self, index, seed, size_px, kinds, channels, frontal) -> tuple[np.ndarray, str, Camera]:
        """One view, a function of the seed and its number alone."""
        rng = np.random.default_rng([seed, index])
        kind = kinds[int(rng.integers(len(kinds)))]
        if kind == "photo":
            image, camera = photo(self.stage, rng, size_px, channels, frontal)
            return image, kind, camera
        if kind == "pencil":
            image, camera = pencil(self.board, rng, size_px, channels)
            return image, kind, camera
        camera = whole_frame(outline(self.caster), rng, size_px).camera
        seen = self.caster.cast(camera)
        image = depth_picture(seen.depth) if kind == "depth" else silhouette_picture(seen.mask)
        return (image if channels == 1 else np.repeat(image[..., None], 3, axis=2)), kind, camera
