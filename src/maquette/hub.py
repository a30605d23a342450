"""Where models come from and how they are kept: `config.json` + `model.safetensors` + a card (`README.md`) in one
folder.

`load` takes the name of a bundled model, a folder, or `owner/name` on the Hugging Face Hub. Nothing is unpickled.
"""

import dataclasses
import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from maquette.errors import UserError
from maquette.files import atomic_path
from maquette.systems import SYSTEMS, System

BUNDLED = Path(__file__).parent / "pretrained"
FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A trained system, ready to use.

    system: with its weights, in evaluation mode, float32. info: config.json as read: `threshold`, `labels`, `data`,
    `metrics`, `recipe`, `versions` and what else the run wrote. latents: tensors named in `model.safetensors` as
    `latents.*`.
    """

    name: str
    system: System
    info: dict[str, Any]
    latents: dict[str, torch.Tensor]

    @property
    def threshold(self) -> float:
        """The occupancy at which a voxel counts as solid, picked on the validation part."""
        return float(self.info.get("threshold", 0.5))


def bundled() -> list[str]:
    """The names of the models that come with the package; the first is the default."""
    found = sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))
    return sorted(found, key=lambda name: name != "maquette")


def locate(name: str) -> Path:
    """The folder of this model; UserError naming the nearest known one where there is none."""
    if name in bundled():
        return BUNDLED / name
    folder = Path(name)
    if (folder / "config.json").is_file():
        return folder
    if (folder / "model" / "config.json").is_file():  # a run
        return folder / "model"
    if folder.exists():
        raise UserError(f"{folder} is not a model: it has no config.json")
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return _from_hub(name)
    close = difflib.get_close_matches(name, bundled(), 1)
    hint = f"did you mean '{close[0]}'?" if close else f"bundled models: {', '.join(bundled()) or 'none'}"
    raise UserError("no model or folder of this name", repr(name), hint)


def load(name: str = "maquette") -> Model:
    """Load a bundled model, a model's folder, a run's folder or a model of the Hub, onto the CPU.

    UserError for a name that is unknown, and for a file that is damaged or does not fit: it says which tensor and
    which shapes.
    """
    folder = locate(name)
    info = read_config(folder)
    config = TypeAdapter(SYSTEMS[info["system"]].Config).validate_python(_tuples(info["model"]))
    system = SYSTEMS[info["system"]](config)
    path = folder / "model.safetensors"
    latents: dict[str, torch.Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            known = set(file.keys())
            state = {}
            for key, own in system.nets.state_dict().items():
                if key.split(".")[0] not in system.averaged():
                    continue
                if key not in known:
                    raise UserError(f"{path}: tensor {key} is missing")
                shape = tuple(file.get_slice(key).get_shape())
                if shape != tuple(own.shape):
                    raise UserError(f"{path}: tensor {key} has shape {shape}, config.json needs {tuple(own.shape)}")
                state[key] = file.get_tensor(key).to(own.dtype)
            for key in known:
                if key.startswith("latents."):
                    latents[key.removeprefix("latents.")] = file.get_tensor(key).float()
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    system.nets.load_state_dict(state, strict=False)
    system.nets.eval().requires_grad_(False)
    return Model(name, system, info, latents)


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` of a model's folder, checked for what every model needs."""
    path = folder / "config.json"
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        system = info["system"]
        if system not in SYSTEMS:
            raise UserError(f"{path}: unknown system {system!r}", hint=f"this version knows {', '.join(SYSTEMS)}")
        TypeAdapter(SYSTEMS[system].Config).validate_python(_tuples(info["model"]))
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise UserError(f"{path} is not a model's configuration: {str(error).splitlines()[0]}") from None
    return info


def save(folder: Path, system: System, info: dict[str, Any], card: str, latents: dict[str, torch.Tensor]) -> Path:
    """Write a model: the networks that are used after training, in half precision, its config and its card."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    tensors = {key: value for key, value in system.nets.state_dict().items() if key.split(".")[0] in system.averaged()}
    tensors |= {f"latents.{key}": value for key, value in latents.items()}
    halves = {k: (v.half() if v.is_floating_point() else v).cpu().contiguous() for k, v in tensors.items()}
    config = {"format": FORMAT, "system": system.name, "model": dataclasses.asdict(system.config), **info}
    with atomic_path(folder / "model.safetensors") as path:
        save_file(halves, path, metadata={"format": "pt"})
    with atomic_path(folder / "config.json") as path:
        path.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    with atomic_path(folder / "README.md") as path:
        path.write_text(card, encoding="utf-8")
    return folder


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["config.json", "model.safetensors", "README.md"]))
    except Exception as error:  # the hub client raises dozens of kinds: no network, no such repository, no access
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"model '{name}' is neither here nor to be had from the Hugging Face Hub", line) from None


def _tuples(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _tuples(value) for key, value in tree.items()}
    return tuple(_tuples(value) for value in tree) if isinstance(tree, list) else tree
