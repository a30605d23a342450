"""Binary STL: each face with its normal and its corners, in single precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl_bytes(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> bytes:
    """The content of a file, as trimesh writes it: the header is empty, and so is the normal of a face without an area.

    Args:
        vertices: Positions.
        faces: Vertices at the corners of each face.
    """
    packed = np.zeros(len(faces), _FACE)
    corners = np.asarray(vertices, np.float64)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    packed["normal"] = np.divide(normals, length, out=np.zeros_like(normals), where=length > 1e-13)
    packed["corners"] = corners
    return bytes(80) + len(faces).to_bytes(4, "little") + packed.tobytes()
