"""The studio as files for any web host: the page, the runtime, and a model that anyone may use."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maquette.errors import UserError
from maquette.events import Written
from maquette.io.atomic import write_together
from maquette.io.replacing import check_free

PAGE = Path(__file__).parent / "page"
"""The page's own files."""
MODELS = Path(__file__).parents[1] / "pretrained"
"""The bundled models."""
MODEL = "maquette"
"""The bundled model that may be handed on by anyone."""
MOST_BYTES = 25_000_000
"""What the exported folder may take."""
FREE = re.compile(r": (made by this package, no terms$|public domain\b|creative commons attribution \d|apache license)",
                  re.IGNORECASE)
"""What a model may have learned from that is handed on by anyone (a line of `data` in its config.json)."""
BOUND = re.compile(r"non-?commercial|no-?deriv|share-?alike|\bacademic\b", re.IGNORECASE)
"""Words that bind whoever hands it on."""
_OURS = ("package.json", "package-lock.json", "three.entry.js", "fflate.entry.js")  # to make vendor/, not to run it
_GRAPHS = ("picture", "points")
_WEIGHTS = "model.safetensors"
_SPACE = """---
title: Maquette
emoji: ✏️
colorFrom: red
colorTo: yellow
sdk: static
app_file: index.html
pinned: false
license: mit
short_description: Draw a thing, turn it, print it. All in the browser.
---

# Maquette

Draw a thing, turn it, print it. The page works on any web host, without a server behind it, and offline once it was
opened. Nothing that is drawn leaves the device.

Put this folder on a host as it is, over https (or at localhost), or push it to a static Hugging Face Space: this file
is its card. To try it here: `python -m http.server`, then open http://localhost:8000

The code is under the MIT licence; `vendor/LICENSES.txt` has those of the libraries. The model `{model}` may be handed
on and sold with; `model/credits.txt` names whose work it has learned from, and has to stay with it.
"""
_CREDITS = """What the model in this folder has learned from, whose work that is, and on which terms.
This file has to stay with the model.

{}
"""


def export_studio(out: str | Path) -> Iterator[Written]:
    """Write the page into a folder.

    Args:
        out: The folder; made if it is not there. Files in it that are not the page's stay as they are.

    Yields:
        One Written.

    Raises:
        UserError: Where a file is there already and may not be replaced, where the model cannot be handed on, and where
            the whole would be larger than `MOST_BYTES`.
    """
    out = Path(out)
    files = {out / name: data for name, data in page_files().items()}
    check_free(*files)
    write_together(files)
    sizes = _by_part({path.relative_to(out).as_posix(): len(data) for path, data in files.items()})
    total = sum(sizes.values())
    parts = ", ".join(f"{name} {size / 1e6:.2f}" for name, size in sizes.items())
    line = f"{len(files)} files, {total / 1e6:.2f} MB: {parts}"
    yield Written(str(out), (out / "index.html",), line, {"folder": str(out), "files": len(files), "bytes": total,
                                                         "bytes_by_part": sizes})


def page_files(model: Path = MODELS / MODEL) -> dict[str, bytes]:
    """The files of the exported page, by their names in the folder; the service worker last.

    Args:
        model: The folder of a model that reads pictures.

    Raises:
        UserError: As `export_studio` does.
    """
    files = {path.relative_to(PAGE).as_posix(): path.read_bytes() for path in sorted(PAGE.rglob("*"))
             if path.is_file() and path.name not in _OURS and path.parent.name != "turn"}
    worker = files.pop("sw.js")
    files |= {f"model/{name}": data for name, data in model_files(model).items()}
    files["README.md"] = _SPACE.format(model=model.name).encode()
    kept = [name for name in files if name not in ("index.html", "README.md")]
    files["files.json"] = (json.dumps({"files": kept}, indent=1) + "\n").encode()
    sums = "".join(f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in files.items())
    version = hashlib.sha256(sums.encode() + worker).hexdigest()[:16]
    files["sw.js"] = worker.replace(b'"unversioned"', f'"{version}"'.encode(), 1)
    total = sum(map(len, files.values()))
    if total > MOST_BYTES:
        raise UserError(f"the page must take at most {MOST_BYTES / 1e6:g} MB", f"{total / 1e6:.1f} MB")
    return files


def model_files(folder: Path) -> dict[str, bytes]:
    """A model as the page reads it: its weights, the graphs that point into them, and what the page needs to know.

    Args:
        folder: Of a model that reads pictures.

    Raises:
        UserError: Where terms of others bind the model, and where it has no graph.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    data = config.get("data", ["unknown data"])
    if terms := [line for line in data if BOUND.search(line) or not FREE.search(line)]:
        raise UserError(f"model '{folder.name}' cannot be handed on with the page: {'; '.join(terms)}")
    graphs = {name: f"{name}.onnx" for name in _GRAPHS if (folder / f"{name}.onnx").is_file()}
    if "picture" not in graphs:
        raise UserError(f"model '{folder.name}' has no graph for pictures", hint="maquette models export writes it")
    files = {name: (folder / name).read_bytes() for name in (_WEIGHTS, *graphs.values())}
    runtime = (PAGE / "vendor" / "ort-wasm-simd-threaded.wasm.gz").stat().st_size
    told = {**_told(config), "weights": _WEIGHTS, "graphs": graphs, "bytes": sum(map(len, files.values())) + runtime}
    credits = _CREDITS.format("\n\n".join(data)).encode()
    return {"model.json": (json.dumps(told, indent=1) + "\n").encode(), "credits.txt": credits, **files}


def _told(config: dict[str, Any]) -> dict[str, Any]:
    """What the page needs of a model's config.json."""
    model, answers = config["model"], config.get("answers", {})
    return {
        "size": model["view_size"], "channels": model["image_channels"], "resolution": model["resolution"],
        "threshold": config["threshold"], "mirrors": answers.get("mirrors", True),
        "label": answers.get("takes_class", False),
    }


def _by_part(sizes: dict[str, int]) -> dict[str, int]:
    """The bytes of runtime, three.js, model and page."""
    parts = {"runtime": 0, "model": 0, "three": 0, "page": 0}
    for name, size in sizes.items():
        part = "runtime" if name.startswith("vendor/ort") else "three" if name.startswith("vendor/three") else (
            "model" if name.startswith("model/") else "page")
        parts[part] += size
    return parts
