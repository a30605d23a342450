"""Where models come from, and how they are kept.

A model is a folder: `config.json`, `model.safetensors`, graphs that point into it (`picture.onnx`, ...), and a card
(`README.md` with the picture `samples.png`). `load` takes the name of a bundled model, a folder, or `owner/name` on the
Hugging Face Hub; `push` puts a model there. Nothing is unpickled, and `config.json` carries the checksums of weights
and graphs. A model with graphs answers by ONNX Runtime (`graphs`), one without by PyTorch (`networks`).
"""

from __future__ import annotations

import difflib
import errno
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from maquette.errors import UserError, one_line
from maquette.extras import require
from maquette.io.atomic import write_together
from maquette.io.lock import locked
from maquette.io.paths import nameable
from maquette.io.trees import read_json
from maquette.models.facts import Facts
from maquette.models.graphs import NAMES, WEIGHTS, Graphs, graph_file, needed
from maquette.models.remote import downloaded
from maquette.models.runtime import Runtime
from maquette.renamed import upgraded

if TYPE_CHECKING:
    import torch
    from jaxtyping import UInt8

    from maquette.systems import System

BUNDLED = Path(__file__).parents[1] / "pretrained"
DEFAULT_MODEL = "maquette"
SHOWN = 15
"""Classes of a model that a message names."""
"""The bundled model that is used where nobody names one."""
FORMAT = 1
"""Of `config.json`; a greater one was written by a later version."""
DEVICES = ("cpu", "cuda", "auto")
"""What a model can be loaded onto; auto is cuda where there is one."""
RUNTIMES = ("onnx", "torch")
"""What can compute a model's answers."""
CONFIG, CARD, PICTURE = "config.json", "README.md", "samples.png"
GRAPHS = tuple(graph_file(name) for name in NAMES)
FILES = (CONFIG, WEIGHTS, CARD, PICTURE, *GRAPHS)
"""All that a model's folder may hold, and all that travels to and from the Hub."""


@dataclass(frozen=True)
class Model:
    """A trained system, ready to use.

    Attributes:
        name: As it was asked for: bundled, a folder, or `owner/name`.
        runtime: Computes its answers.
        info: `config.json` as read: `threshold`, `class_names`, `data`, `metrics`, `recipe`, `versions` and what else
            the run wrote.
        latents: The tensors that `model.safetensors` names `latents.*`, float32.
    """

    name: str
    runtime: Runtime
    info: dict[str, Any]
    latents: dict[str, np.ndarray]

    @property
    def facts(self) -> Facts:
        """What is known of the system."""
        return self.runtime.facts

    @property
    def system(self) -> System[Any]:
        """The networks with their weights, in evaluation mode, float32, for what goes deeper than its answers.

        Raises:
            UserError: Where PyTorch is not installed.
        """
        return self.runtime.system

    @property
    def threshold(self) -> float:
        """The occupancy at which a voxel counts as solid, picked on the validation part."""
        return float(self.info.get("threshold", 0.5))

    @property
    def class_names(self) -> list[str]:
        """The classes that it was trained on, in the order of its latents; empty where it knows none."""
        return list(self.info.get("class_names", []))


ModelOrName = Model | str | Path
"""A model, or what `load` takes: a bundled name, a folder, a run's folder, or `owner/name` on the Hub."""


def as_model(model: ModelOrName) -> Model:
    """The model itself, or the one of this name or in this folder, loaded onto the CPU.

    Raises:
        UserError: As `load` does.
    """
    return model if isinstance(model, Model) else load(model)


def class_hint(word: str, names: Sequence[str]) -> str:
    """What is said of a class that a model does not know: the nearest that it knows, or the first of them."""
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"did you mean '{close[0]}'?"
    if len(names) <= SHOWN:
        return f"it knows {', '.join(names)}"
    return f"it knows {', '.join(names[:SHOWN])} and {len(names) - SHOWN} more (maquette models show)"


def bundled() -> list[str]:
    """The names of the models that come with the package; the first is the default."""
    found = sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))
    return sorted(found, key=lambda name: name != "maquette")


def locate(name: str | Path) -> Path:
    """The folder of a model.

    Args:
        name: As for `load`.

    Raises:
        UserError: Where there is none; it names the nearest known one.
    """
    name = str(name)
    if name in bundled():
        return BUNDLED / name
    folder = nameable(name)
    if (folder / "config.json").is_file():
        return folder
    if (folder / "model" / "config.json").is_file():  # a run
        return folder / "model"
    if folder.exists():
        stopped = max(folder.glob("checkpoints/step-*"), default=None)
        hint = "" if stopped is None else (
            f"a model of a run that was stopped: maquette train --resume {folder} "
            f"--train.steps {stopped.name.removeprefix('step-').lstrip('0')}")
        raise UserError(f"{folder} is not a model: it has no config.json", hint=hint)
    if _may_be_on_hub(name):
        return downloaded(name, FILES, CONFIG)
    close = difflib.get_close_matches(name, bundled(), 1)
    hint = f"did you mean '{close[0]}'?" if close else f"bundled models: {', '.join(bundled()) or 'none'}"
    raise UserError("no model or folder of this name", repr(name), hint)


def load(name: str | Path = DEFAULT_MODEL, device: str = "cpu", runtime: str | None = None) -> Model:
    """Load a bundled model, a model's folder, a run's folder or a model of the Hub.

    Files whose checksums `config.json` knows are checked against them.

    Args:
        name: Of the model, or its folder.
        device: `cpu`, `cuda`, or `auto`, which is cuda where there is one. ONNX Runtime computes on the CPU.
        runtime: `onnx` or `torch`; None: `onnx` where the model has its graphs, unless another device is asked for.
            Both give the same answers, to 1e-5.

    Raises:
        UserError: For a name that is unknown, for a file that is damaged or does not fit (it says which tensor and
            which shapes), for a device that is not there, and for a runtime that is not installed.
    """
    if device not in DEVICES:
        raise UserError(f"device must be {', '.join(DEVICES[:-1])} or {DEVICES[-1]}", repr(device))
    if runtime is not None and runtime not in RUNTIMES:
        raise UserError(f"runtime must be {' or '.join(RUNTIMES)}", repr(runtime))
    if runtime == "onnx" and device == "cuda":
        raise UserError("ONNX Runtime computes on the CPU here", "device cuda", "use runtime torch")
    folder = locate(name)
    info = read_config(folder)
    if runtime is None:
        asks = device == "cpu" or find_spec("torch") is None
        runtime = "onnx" if asks and _has_graphs(folder, info) and find_spec("onnxruntime") else "torch"
    made: Runtime
    if runtime == "onnx":
        if find_spec("onnxruntime") is None:
            raise UserError("onnxruntime is not installed", hint="pip install onnxruntime")
        made = _graphs(folder, info)
    else:
        require("torch", "train")
        from maquette.models.networks import load_networks

        made = load_networks(folder, info, device)
        check_sum(folder / WEIGHTS, info)
    return Model(str(name), made, info, _latents(folder / WEIGHTS))


def _has_graphs(folder: Path, info: dict[str, Any]) -> bool:
    """Whether all graphs are there by which the model answers."""
    names = needed(Facts.of_tree(info["answers"])) if "answers" in info else ()
    return bool(names) and all((folder / graph_file(name)).is_file() for name in names)


def _graphs(folder: Path, info: dict[str, Any]) -> Graphs:
    """The model's graphs, held against their checksums, without which none is used."""
    if not _has_graphs(folder, info):
        raise UserError(f"{folder} has no graphs for ONNX Runtime", hint=f"maquette models export {folder}")
    facts = Facts.of_tree(info["answers"])
    for name in (WEIGHTS, *(graph_file(name) for name in needed(facts))):
        if name not in info.get("sha256", {}):
            raise UserError(f"{folder / CONFIG} has no checksum of {name}", hint="maquette models export writes it")
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is missing")
        check_sum(folder / name, info)
    return Graphs(folder, facts, info)


def _latents(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a model's file that are named `latents.*`, float32."""
    try:
        with safe_open(path, "np") as file:
            return {key.removeprefix("latents."): file.get_tensor(key).astype(np.float32)
                    for key in file.keys() if key.startswith("latents.")}  # noqa: SIM118  # it is no mapping
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except (OSError, TypeError, AttributeError, SafetensorError) as error:  # numpy has not all types of safetensors
        raise UserError(f"{path} is damaged: {error}") from None


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` of a model's folder, under today's keys, checked for what every model needs.

    The system's own keys are checked where PyTorch is needed anyway: in a model without graphs.

    Raises:
        UserError: Where it cannot be read, or is of a newer version.
    """
    path = folder / CONFIG
    try:
        info = upgraded("", read_json(path), str(path))
        if not isinstance(info["system"], str):
            raise TypeError("system must be a text")
        if info.get("format", FORMAT) > FORMAT:
            raise UserError(f"{path} was made by a newer version of maquette", hint="install a newer one")
        if not isinstance(info.get("sha256", {}), dict):
            raise TypeError("sha256 is no mapping of files to checksums")
        info["model"] = upgraded("model", info["model"], str(path))
        _check_model(info, path)
        _check_facts(info)
    except RecursionError:
        raise UserError(f"{path} is not a model's configuration: its values are nested too deep") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a model's configuration: {one_line(error)}") from None
    return info


def _check_facts(info: dict[str, Any]) -> None:
    """Raise ValueError for a threshold, names or terms of another form than every reader takes them to have."""
    threshold = info.get("threshold", 0.5)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise ValueError("threshold must lie between 0 and 1")
    for key in ("class_names", "data"):
        lines = [] if info.get(key) is None else info[key]
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValueError(f"{key} must be a list of texts")


def _check_model(info: dict[str, Any], path: Path) -> None:
    """Raise ValueError where the system's config does not fit the system or, with graphs, what is known of it."""
    if "answers" not in info:
        require("torch", "train")
        from maquette.models.networks import config_of

        config_of(info, str(path))
        return
    told = Facts.of_tree(info["answers"]).tree()
    if told["system"] != info["system"]:
        raise ValueError(f"answers.system must be {info['system']}, got {told['system']}")
    for key in {"resolution", "latent", "view_size", "image_channels"} & set(info["model"]):
        if told[key] != info["model"][key]:
            raise ValueError(f"answers.{key} must be model.{key}, got {told[key]} and {info['model'][key]}")


def save(
    folder: Path,
    system: System,
    info: dict[str, Any],
    card: str,
    latents: Mapping[str, torch.Tensor | np.ndarray],
    picture: UInt8[np.ndarray, "height width 3"] | None = None,
) -> Path:
    """Write a model: its networks (see `System.saved_networks`) in half precision, its card and its config.

    A tensor with values beyond half precision is kept in full, with a warning.

    The files take their names when all are written, so that a full disk leaves an older model as it was. `config.json`
    is the last, with the checksum of the weights: a folder whose writing was cut short does not pass for a model.

    Args:
        folder: Made where it is not there.
        system: The trained system.
        info: What `config.json` says besides the system and its config.
        card: The text of the model's card, Markdown.
        latents: Tensors to keep beside the networks, by name.
        picture: What the card shows as `samples.png`; None for nothing.

    Returns:
        The folder.

    Raises:
        UserError: Where it cannot be written.
    """
    from maquette.models.networks import config_tree, saved_weights

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    weights = saved_weights(system, latents)
    with locked(folder):
        config = {"format": FORMAT, **config_tree(system), **info, "sha256": {WEIGHTS: sha256(weights)}}
        shown = {} if picture is None else {folder / PICTURE: _png(picture)}
        write_together({folder / WEIGHTS: weights, folder / CARD: card.encode(), **shown,
                        folder / CONFIG: config_bytes(config)})
        for old in (*GRAPHS, *[PICTURE] * (picture is None)):
            (folder / old).unlink(missing_ok=True)  # of an earlier model in this folder
    return folder


def _may_be_on_hub(name: str) -> bool:
    """Whether a name is OWNER/NAME and no folder that somebody meant: none below a folder that is here, or `runs`."""
    owner, slash, own = name.partition("/")
    fits = bool(re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name))
    return bool(slash and own) and fits and owner != "runs" and not Path(owner).is_dir()


def push(name: str | Path, repo_id: str, private: bool = False, token: str | None = None) -> str:
    """Upload a model to the Hugging Face Hub and return its address there.

    Args:
        name: As for `load`.
        repo_id: `owner/name`, made if it is not there.
        private: Only its owner sees it.
        token: Of an account that may write there; the one of `hf auth login` or HF_TOKEN if left out.

    Raises:
        UserError: For a model that is damaged, and for whatever the Hub refuses; a private upload is refused where a
            public repository of that name exists.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id):
        raise UserError("a model on the Hugging Face Hub is named as OWNER/NAME", repr(repo_id))
    folder = locate(name)
    with locked(folder, optional=True):  # nothing damaged is uploaded, and nothing that is just being written
        load(name)
        return _pushed(folder, repo_id, private, token)


def _pushed(folder: Path, repo_id: str, private: bool, token: str | None) -> str:
    """Upload a model's folder; its address."""
    require("huggingface_hub", "hub")
    from huggingface_hub import HfApi

    try:
        api = HfApi(token=token)
        url = str(api.create_repo(repo_id, repo_type="model", private=private, exist_ok=True))
        if private and not api.model_info(repo_id).private:
            raise UserError(f"{repo_id} is there and public", hint="choose another name, or leave out --private")
        api.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=list(FILES),
                          commit_message="Model trained with maquette")
    except UserError:
        raise
    except Exception as error:  # the hub client raises dozens of kinds: no network, no account, no right to write
        hint = "an account that may write there is needed: hf auth login, or HF_TOKEN"
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            hint = "free some space and push it again"
        raise UserError(f"{repo_id} could not be uploaded to the Hugging Face Hub", one_line(error), hint) from None
    return url


def facts(folder: Path) -> dict[str, Any]:
    """System, sizes, classes, data and megabytes of the model in a folder, by name."""
    info = read_config(folder)
    made = {key: info["model"][key] for key in ("resolution", "width", "height") if key in info["model"]}
    return {
        "system": info["system"],
        **made,
        "class_names": info.get("class_names", []),
        "data": info.get("data") or [],
        "megabytes": round(_size(folder / WEIGHTS) / 1e6, 1),
    }


def _size(file: Path) -> int:
    if not file.is_file():
        raise UserError(f"{file} is missing")
    return file.stat().st_size


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    return file.getvalue()


def config_bytes(info: dict[str, Any]) -> bytes:
    """`config.json`."""
    return (json.dumps(info, indent=1) + "\n").encode()


def check_sum(path: Path, info: dict[str, Any]) -> None:
    """Raise UserError where a file is not the one that config.json was written for; those of old have no checksum."""
    expected = info.get("sha256", {}).get(path.name)
    if expected is not None and sha256(path.read_bytes()) != expected:
        raise UserError(f"{path} is damaged: it does not match its checksum in {CONFIG}", hint="get the model again")


def sha256(data: bytes) -> str:
    """The checksum that config.json keeps of a file."""
    return hashlib.sha256(data).hexdigest()
