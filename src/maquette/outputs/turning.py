"""One page with an object in it, to turn: a single file that needs no other, nothing from the network and no server.

The page's parts are those of the studio. Modules that import each other by their place cannot do so within one file, so
each is written into the page's import map under a name.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.io.atomic import write_bytes

if TYPE_CHECKING:
    from jaxtyping import UInt8

    from maquette.geometry.plain import Mesh

PAGE = Path(__file__).parents[1] / "studio" / "page"
"""The studio's page."""
MAIN = "turn/turn.js"
"""What the page runs."""
_IMPORT = re.compile(r'(\bfrom\s+|\bimport\s+)"(\.{1,2}/[^"]+)"')


def write_turning(
    path: str | Path, mesh: Mesh, title: str, line: str, colours: UInt8[np.ndarray, "n 3"] | None = None
) -> Path:
    """Write a page to turn a mesh in.

    Args:
        path: The file, `.html`.
        mesh: In millimetres, z up.
        title: The page's.
        line: What the report says of it.
        colours: Red, green and blue of each vertex.

    Returns:
        The path.

    Raises:
        UserError: If it cannot be written.
    """
    stored = {"vertices": _packed(np.asarray(mesh.vertices, "<f4")), "faces": _packed(np.asarray(mesh.faces, "<u4")),
              "file": f"{Path(path).name.partition('.')[0]}.stl"}
    if colours is not None:
        stored["colours"] = _packed(np.asarray(colours, np.uint8)[:, :3])
    modules = _modules(MAIN)
    filled = {
        "TITLE": html.escape(title), "LINE": html.escape(line), "OBJECT": json.dumps(stored), "MAIN": modules.pop(MAIN),
        "STYLE": (PAGE / "style.css").read_text(encoding="utf-8"),
        "IMPORTS": json.dumps({"imports": {name: _as_address(text) for name, text in modules.items()}}),
    }
    whole = (PAGE / "turn" / "turn.html").read_text(encoding="utf-8")
    whole = re.sub("|".join(filled), lambda found: filled[found[0]], whole)
    write_bytes(path, whole.encode())
    return Path(path)


def _modules(first: str) -> dict[str, str]:
    """A module and all that it imports, by their names in the page, with imports by name."""
    found: dict[str, str] = {}
    to_do = [first]
    while to_do:
        name = to_do.pop()
        if name in found:
            continue
        text = (PAGE / name).read_text(encoding="utf-8")
        folder = posixpath.dirname(name)

        def named(one: re.Match[str], folder: str = folder) -> str:
            return f'{one[1]}"{posixpath.normpath(posixpath.join(folder, one[2]))}"'

        found[name] = re.sub(_IMPORT, named, text)
        to_do += [posixpath.normpath(posixpath.join(folder, one[2])) for one in _IMPORT.finditer(text)]
    return found


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(gzip.compress(values.tobytes(), 6, mtime=0)).decode("ascii")


def _as_address(text: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode("ascii")
