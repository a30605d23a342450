"""What goes to the page and comes from it: several pictures in one body, and a mesh with what is known of it."""

import json
import math
import struct
from typing import Any

import numpy as np
import trimesh

from maquette.errors import UserError

MOST_PICTURES = 8
_LARGEST_HEADER = 2**20
MOST_FACES = 3_000_000
"""Of a mesh from the page."""


def pictures_in(body: bytes) -> list[bytes]:
    """The pictures of a body: of each its length, uint32 little-endian, then its bytes.

    Raises:
        UserError: For a body that does not add up, and for none or more than `MOST_PICTURES`.
    """
    found, at = list[bytes](), 0
    while at < len(body):
        if len(found) == MOST_PICTURES:
            raise UserError(f"at most {MOST_PICTURES} pictures at once")
        length = struct.unpack_from("<I", body, at)[0] if at + 4 <= len(body) else -1
        at += 4
        if not 0 < length <= len(body) - at:
            raise UserError("the pictures of the page are cut off")
        found.append(body[at : at + length])
        at += length
    if not found:
        raise UserError("there is no picture")
    return found


def mesh_out(mesh: trimesh.Trimesh, facts: dict[str, Any]) -> bytes:
    """A mesh as the page reads it.

    Args:
        mesh: In millimetres.
        facts: What is known of it, plain values.

    Returns:
        The length of a JSON text, uint32, and the text, with blanks at its end so that it takes a multiple of 4 bytes;
        then the vertices, float32 `[n, 3]`, and the faces, uint32 `[m, 3]`; all little-endian.
    """
    told = {**facts, "vertices": len(mesh.vertices), "faces": len(mesh.faces)}
    text = json.dumps(_plain(told), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, np.asarray(mesh.vertices, "<f4").tobytes(),
                     np.asarray(mesh.faces, "<u4").tobytes()])


def mesh_in(body: bytes) -> trimesh.Trimesh:
    """The mesh of a body in the form of `mesh_out`; of its text only the counts are read.

    Raises:
        UserError: For a body that does not add up, too many faces, and numbers that are no vertices.
    """
    try:
        length = struct.unpack_from("<I", body)[0]
        if not 2 <= length <= min(_LARGEST_HEADER, len(body) - 4) or length % 4:
            raise ValueError
        told = json.loads(body[4 : 4 + length])
        vertices, faces = told["vertices"], told["faces"]
        if type(vertices) is not int or type(faces) is not int or not (3 <= vertices and 1 <= faces <= MOST_FACES):
            raise ValueError
        if len(body) != 4 + length + 12 * (vertices + faces):
            raise ValueError
    except (struct.error, ValueError, KeyError, TypeError, RecursionError):
        raise UserError("the page sent no mesh") from None
    points = np.frombuffer(body, "<f4", 3 * vertices, 4 + length).reshape(-1, 3).astype(np.float64)
    corners = np.frombuffer(body, "<u4", 3 * faces, 4 + length + 12 * vertices).reshape(-1, 3).astype(np.int64)
    if not (np.isfinite(points).all() and np.abs(points).max() < 1e6 and corners.max() < vertices):
        raise UserError("the page sent no mesh")
    return trimesh.Trimesh(points, corners, process=False)


def _plain(value: Any) -> Any:
    """The value with None for numbers that are not finite, which JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
