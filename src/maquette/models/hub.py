"""Where models come from, and how they are kept.

A model is a folder: `config.json`, `model.safetensors`, and a card (`README.md` with the picture `samples.png`).
`load` takes the name of a bundled model, a folder, or `owner/name` on the Hugging Face Hub; `push` puts a model there.
Nothing is unpickled, and `config.json` carries the checksum of the weights. PyTorch is imported when a model is loaded.
"""

import dataclasses
import difflib
import errno
import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open

from maquette.errors import UserError, one_line
from maquette.io.atomic import write_together
from maquette.io.lock import locked
from maquette.io.paths import nameable
from maquette.io.trees import read_json
from maquette.models.remote import downloaded
from maquette.renamed import upgraded
from maquette.systems import SYSTEMS

if TYPE_CHECKING:
    import torch

    from maquette.systems import Config, System

BUNDLED = Path(__file__).parents[1] / "pretrained"
DEFAULT_MODEL = "maquette"
"""The bundled model that is used where nobody names one."""
FORMAT = 1
"""Of `config.json`; a greater one was written by a later version."""
DEVICES = ("cpu", "cuda", "auto")
"""What a model can be loaded onto; auto is cuda where there is one."""
CONFIG, WEIGHTS, CARD, PICTURE = "config.json", "model.safetensors", "README.md", "samples.png"
FILES = (CONFIG, WEIGHTS, CARD, PICTURE)
"""All that a model's folder holds, and all that travels to and from the Hub; the picture may be missing."""


@dataclass(frozen=True)
class Model:
    """A trained system, ready to use.

    Attributes:
        name: As it was asked for: bundled, a folder, or `owner/name`.
        system: The networks with their weights, in evaluation mode, float32.
        info: `config.json` as read: `threshold`, `class_names`, `data`, `metrics`, `recipe`, `versions` and what else
            the run wrote.
        latents: The tensors that `model.safetensors` names `latents.*`, on the CPU.
    """

    name: str
    system: "System"
    info: dict[str, Any]
    latents: dict[str, "torch.Tensor"]

    @property
    def threshold(self) -> float:
        """The occupancy at which a voxel counts as solid, picked on the validation part."""
        return float(self.info.get("threshold", 0.5))

    @property
    def class_names(self) -> list[str]:
        """The classes that it was trained on, in the order of its latents; empty where it knows none."""
        return list(self.info.get("class_names", []))

    @property
    def device(self) -> "torch.device":
        """Where its networks are."""
        return next(self.system.nets.parameters()).device


ModelOrName = Model | str | Path
"""A model, or what `load` takes: a bundled name, a folder, a run's folder, or `owner/name` on the Hub."""


def as_model(model: ModelOrName) -> Model:
    """The model itself, or the one of this name or in this folder, loaded onto the CPU.

    Raises:
        UserError: As `load` does.
    """
    return model if isinstance(model, Model) else load(model)


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


def load(name: str | Path = DEFAULT_MODEL, device: str = "cpu") -> Model:
    """Load a bundled model, a model's folder, a run's folder or a model of the Hub.

    Weights whose checksum `config.json` knows are checked against it.

    Args:
        name: Of the model, or its folder.
        device: `cpu`, `cuda`, or `auto`, which is cuda where there is one.

    Raises:
        UserError: For a name that is unknown, for a file that is damaged or does not fit (it says which tensor and
            which shapes), and for a device that is not there.
    """
    folder = locate(name)
    info = read_config(folder)
    config, target = _config(info), _device(device)
    import torch

    path = folder / WEIGHTS
    try:
        with torch.device("meta"):  # sizes are held against the file before anything of such a size is made
            plan = SYSTEMS[info["system"]](config)
    except (RuntimeError, OverflowError, TypeError) as error:  # what PyTorch raises for sizes that no tensor can have
        raise UserError(f"{folder / CONFIG}: no network has these sizes", one_line(error, 120)) from None
    latents: dict[str, torch.Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            known = set(file.keys())
            state = {}
            for key, own in plan.nets.state_dict().items():
                if key.split(".")[0] not in plan.saved_networks():
                    continue
                if key not in known:
                    raise UserError(f"{path}: tensor {key} is missing")
                shape = tuple(file.get_slice(key).get_shape())
                if shape != tuple(own.shape):
                    raise UserError(f"{path}: tensor {key} has shape {shape}, config.json needs {tuple(own.shape)}")
                value = file.get_tensor(key)
                if value.is_complex():
                    raise UserError(f"{path}: tensor {key} holds complex numbers")
                state[key] = value.to(own.dtype)
            for key in known:
                if key.startswith("latents."):
                    latents[key.removeprefix("latents.")] = file.get_tensor(key).float()
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    _check_sum(path, info)
    system = SYSTEMS[info["system"]](config)
    system.nets.load_state_dict(state, strict=False)
    system.nets.eval().requires_grad_(False).to(target)
    return Model(str(name), system, info, latents)


def _device(name: str) -> "torch.device":
    """The device of this name, checked."""
    if name not in DEVICES:
        raise UserError(f"device must be {', '.join(DEVICES[:-1])} or {DEVICES[-1]}", repr(name))
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is cuda, but PyTorch sees no GPU", hint="use cpu or auto")
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` of a model's folder, under today's keys, checked for what every model needs.

    Raises:
        UserError: Where it cannot be read, or is of a newer version.
    """
    path = folder / CONFIG
    try:
        info = upgraded("", read_json(path), str(path))
        system = info["system"]
        if system not in SYSTEMS:
            raise UserError(f"{path}: unknown system {system!r}", hint=f"this version knows {', '.join(SYSTEMS)}")
        if info.get("format", FORMAT) > FORMAT:
            raise UserError(f"{path} was made by a newer version of maquette", hint="install a newer one")
        if not isinstance(info.get("sha256", {}), dict):
            raise TypeError("sha256 is no mapping of files to checksums")
        info["model"] = upgraded("model", info["model"], str(path))
        _config(info)
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


def _config(info: dict[str, Any]) -> "Config":
    """The system's config out of config.json; ValueError naming the key that does not fit."""
    kind = SYSTEMS[info["system"]].Config
    unknown = sorted(set(info["model"]) - {key.name for key in dataclasses.fields(kind)})
    if unknown:
        raise ValueError(f"unknown key model.{unknown[0]}")
    try:
        return kind(**{key: _tuples(value) for key, value in info["model"].items()})
    except UserError as error:
        raise ValueError(str(error)) from None


def save(
    folder: Path,
    system: "System",
    info: dict[str, Any],
    card: str,
    latents: dict[str, "torch.Tensor"],
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
    from safetensors.torch import save as save_tensors

    from maquette.models.precision import in_half_precision

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    tensors = {
        key: value for key, value in system.nets.state_dict().items() if key.split(".")[0] in system.saved_networks()
    }
    tensors |= {f"latents.{key}": value for key, value in latents.items()}
    halves = {k: v.cpu().contiguous() for k, v in in_half_precision(tensors).items()}
    with locked(folder):
        weights = save_tensors(halves, metadata={"format": "pt"})  # save_file shuts out all other users
        config = {"format": FORMAT, "system": system.name, "model": dataclasses.asdict(system.config), **info,
                  "sha256": {WEIGHTS: hashlib.sha256(weights).hexdigest()}}
        shown = {} if picture is None else {folder / PICTURE: _png(picture)}
        write_together({folder / WEIGHTS: weights, folder / CARD: card.encode(), **shown,
                        folder / CONFIG: (json.dumps(config, indent=1) + "\n").encode()})
        if picture is None:
            (folder / PICTURE).unlink(missing_ok=True)  # one of an earlier model in this folder
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


def _check_sum(path: Path, info: dict[str, Any]) -> None:
    """UserError where the weights are not those that config.json was written for; models of old carry no checksum."""
    expected = info.get("sha256", {}).get(path.name)
    if expected is not None and _sha256(path) != expected:
        raise UserError(f"{path} is damaged: it does not match its checksum in {CONFIG}", hint="get the model again")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tuples(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _tuples(value) for key, value in tree.items()}
    return tuple(_tuples(value) for value in tree) if isinstance(tree, list) else tree
