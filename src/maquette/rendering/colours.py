"""Random colour schemes of objects: one albedo for each face."""

import numpy as np
import trimesh
from jaxtyping import Float32, Float64

from maquette.rendering.materials import ATTRIBUTE, FACE_COLOURS, MATERIALS

COVERS = ("b03a2e", "c8743a", "d9a93c", "6f8f3f", "2f7d5b", "2f8f9d", "2f6db0", "3d4c9e", "7a4fa3", "b34a7d", "8c5a3c",
          "c9b79c", "5c6670", "39424c", "d7d2c8")
"""Fabrics, lacquers and single-coloured objects, sRGB."""
FRAMES = ("3b2a20", "6b4428", "9a6a3a", "c39a62", "d8bd8c", "22262a", "8d949a", "dadbd8")
"""Woods, black, metal and white, sRGB."""
PAINTS = ("b3222b", "d4572a", "dfb02f", "2f7a45", "1f8a94", "2463b5", "27306f", "6d3b86", "7d2338", "d9d9d4", "a7adb3",
          "5e666e", "25282c", "b79f7c")
"""Paints of cars, sRGB."""
FIXED = {"glass": "33424d", "tyre": "1d1e20", "hub": "a3a9ae", "lamp": "ded7b4"}
"""Parts of cars that have the same colour on all, sRGB."""
GAMMA = 2.2
"""Of sRGB, near enough."""
JITTER = 0.12
"""Each channel of a palette's colour is made brighter or darker by up to this share."""


def linear(colour: str) -> Float64[np.ndarray, " 3"]:
    """A colour such as `b03a2e` as linear RGB in [0, 1]."""
    return (np.frombuffer(bytes.fromhex(colour), np.uint8) / 255.0) ** GAMMA


def scheme(mesh: trimesh.Trimesh, seed: int) -> Float32[np.ndarray, "f 3"]:
    """A random albedo for each face, linear RGB; the same seed gives the same colours.

    A mesh with materials (`maquette.rendering.materials`) gets a colour for each: a frame and a cover, alike one time
    in four, or a car's paint with dark windows and tyres. A mesh that has its own colours keeps them, whatever the
    seed. Any other mesh gets one colour.
    """
    if FACE_COLOURS in mesh.face_attributes:
        return ((np.asarray(mesh.face_attributes[FACE_COLOURS], np.float64) / 255.0) ** GAMMA).astype(np.float32)
    rng = np.random.default_rng(seed)

    def drawn(palette: tuple[str, ...]) -> Float64[np.ndarray, " 3"]:
        colour = linear(palette[int(rng.integers(len(palette)))])
        return np.clip(colour * rng.uniform(1 - JITTER, 1 + JITTER, 3), 0.005, 0.8)

    cover, frame, paint = drawn(COVERS), drawn(FRAMES), drawn(PAINTS)
    if rng.random() < 0.25:
        frame = cover
    trim = paint if rng.random() < 0.6 else linear("2b2d30")
    of = {"cover": cover, "frame": frame, "paint": paint, "trim": trim} | {k: linear(v) for k, v in FIXED.items()}
    table = np.array([of[name] for name in MATERIALS], np.float32)
    material = mesh.face_attributes.get(ATTRIBUTE)
    return table[np.zeros(len(mesh.faces), np.uint8) if material is None else np.asarray(material)]
