"""Trained models: which there are, what is known of them, and how one is shared."""

import warnings
from pathlib import Path
from typing import Any

from maquette.errors import PlainWarning, UserError
from maquette.extras import require
from maquette.io.paths import nameable
from maquette.models import hub
from maquette.models.hub import DEFAULT_MODEL, Model, as_model, load
from maquette.models.predict import SCAN_MODEL

__all__ = ["DEFAULT_MODEL", "SCAN_MODEL", "Model", "as_model", "export_model", "load", "model_facts", "models",
           "push_model"]


def models() -> list[dict[str, Any]]:
    """What is known of each bundled model, by name; the default model first.

    A model that is damaged is left out with a `PlainWarning`.
    """
    found = []
    for name in hub.bundled():
        try:
            found.append({"name": name, **hub.facts(hub.BUNDLED / name)})
        except UserError as error:
            warnings.warn(PlainWarning(f"left out: {error}"), stacklevel=2)
    return found


def model_facts(name: str | Path) -> dict[str, Any]:
    """What is known of one model, its card included.

    Args:
        name: As for `load`.

    Raises:
        UserError: For a name that is unknown.
    """
    folder = hub.locate(name)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    return {"name": str(name), "folder": str(folder), **hub.facts(folder), "card": text}


def export_model(name: str | Path, out: str | Path = "") -> tuple[Path, ...]:
    """Write the graphs by which a model answers without PyTorch (ONNX): training writes them, older models have none.

    Args:
        name: As for `load`.
        out: A new folder for a copy of the model; empty: the graphs go into the model's own folder.

    Returns:
        The graphs; none for a system that needs PyTorch.

    Raises:
        UserError: For a model that is damaged, for a folder that is not empty or cannot be written, and where the extra
            `train` is not installed.
    """
    require("torch", "train")
    from maquette.models import graph_export

    folder = hub.locate(name)
    return graph_export.export_copy(folder, nameable(out)) if out else graph_export.export_graphs(folder)


def push_model(name: str | Path, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
    """Upload a model to the Hugging Face Hub.

    Args:
        name: As for `load`.
        repo_id: `owner/name`, made if it is not there.
        private: Only its owner sees it.
        token: Of an account that may write there; the one of `hf auth login` or HF_TOKEN if left out.

    Returns:
        Its address.

    Raises:
        UserError: As `maquette.models.hub.push` does.
    """
    return hub.push(name, repo_id, private, token)
