"""Random views of a shape: the pictures from which models learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.rendering.camera import Camera
from maquette.rendering.depth import depth_picture, silhouette_picture
from maquette.rendering.framing import hull_corners, whole_frame
from maquette.rendering.pencil_style import PencilScene, render_pencil
from maquette.rendering.photo import PhotoScene, render_photo
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.textures import Pictures, load_pictures

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import UInt8

KINDS = ("photo", "pencil", "depth", "silhouette")
"""The kinds of views."""
FRONTAL = 0.4
"""Default share of photos from near the front."""

LEAST_PX, MOST_PX = 8, 4096
"""The least and the most pixels a side of a view."""


@dataclass(frozen=True)
class Views:
    """Views of one shape."""

    images: UInt8[np.ndarray, "v s s"] | UInt8[np.ndarray, "v s s 3"]
    """Grey or RGB pictures."""
    kinds: tuple[str, ...]
    """The kind of each, out of `KINDS`."""
    cameras: tuple[Camera, ...]
    """The camera of each."""

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
    in_turn: bool = False,
) -> Views:
    """Random views of a mesh; the same arguments give the same pictures.

    Args:
        mesh: In the package's frame.
        count: Number of views.
        size_px: Width and height, 8 to 4,096.
        seed: Decides all that is random.
        kinds: Out of `KINDS`; each view is of one of them, with equal chance.
        channels: 1 for grey, 3 for RGB.
        backgrounds: A folder of pictures for walls and surfaces, or None.
        frontal: Share of photos from near the front, where people stand; the others are from any side. 0 to 1.
        in_turn: The kinds take turns, so that few views show each of them; otherwise chance decides.

    Raises:
        UserError: For a size or a seed out of range, an unknown kind, another number of channels, a mesh without faces,
            and a folder that is missing or holds no picture.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise UserError(f"view kinds must be among {', '.join(KINDS)}", ", ".join(unknown) or "none")
    if channels not in (1, 3):
        raise UserError("channels must be 1 or 3", channels)
    if not LEAST_PX <= size_px <= MOST_PX:
        raise UserError(f"size_px must be from {LEAST_PX} to {MOST_PX} pixels", size_px)
    if seed < 0:
        raise UserError("seed must be 0 or more", seed)
    pictures = load_pictures(str(backgrounds), channels) if backgrounds is not None else None
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        renderer = _ViewRenderer(mesh, count, seed, pictures)
        asked = [[kinds[index % len(kinds)]] if in_turn else kinds for index in range(count)]
        drawn = [renderer.view(index, seed, size_px, asked[index], channels, frontal) for index in range(count)]
    finally:
        cv2.setNumThreads(threads)
    shape = (0, size_px, size_px) if channels == 1 else (0, size_px, size_px, 3)
    images = np.stack([image for image, _, _ in drawn]) if drawn else np.zeros(shape, np.uint8)
    return Views(images, tuple(kind for _, kind, _ in drawn), tuple(camera for _, _, camera in drawn))


class _ViewRenderer:
    """One mesh, and what its views share; each part is made for the first view that needs it."""

    def __init__(self, mesh: trimesh.Trimesh, count: int, seed: int, pictures: Pictures | None):
        self.caster = RayCaster(mesh)
        self.arrangements = int(np.clip(count // 8, 1, 4))
        self.rng = np.random.default_rng([seed, 1 << 20])
        self.pictures = pictures

    @cached_property
    def photo_scene(self) -> PhotoScene:
        """For photos."""
        return PhotoScene(self.caster, self.rng, self.arrangements, self.pictures)

    @cached_property
    def pencil_scene(self) -> PencilScene:
        """For drawings."""
        return PencilScene(self.caster)

    def view(
        self, index: int, seed: int, size_px: int, kinds: Sequence[str], channels: int, frontal: float
    ) -> tuple[UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"], str, Camera]:
        """One view, its kind and its camera; it depends on the seed and its index, not on other views."""
        rng = np.random.default_rng([seed, index])
        kind = kinds[int(rng.integers(len(kinds)))]
        if kind == "photo":
            image, camera = render_photo(self.photo_scene, rng, size_px, channels, frontal)
            return image, kind, camera
        if kind == "pencil":
            image, camera = render_pencil(self.pencil_scene, rng, size_px, channels)
            return image, kind, camera
        camera = whole_frame(hull_corners(self.caster), rng, size_px).camera
        seen = self.caster.cast(camera)
        image = depth_picture(seen.depth) if kind == "depth" else silhouette_picture(seen.mask)
        return (image if channels == 1 else np.repeat(image[..., None], 3, axis=2)), kind, camera
