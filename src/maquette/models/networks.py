"""Models by PyTorch: networks read from a model's files, what they answer, and the files that are written of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from maquette.errors import UserError, one_line
from maquette.models.facts import Facts
from maquette.models.hub import CONFIG, WEIGHTS, Model
from maquette.models.precision import in_half_precision
from maquette.models.runtime import Looked, Runtime
from maquette.systems import SYSTEMS, Config, System

if TYPE_CHECKING:
    from maquette.models.runtime import Made, Seen

_AT_ONCE = 32  # latents


class Networks(Runtime):
    """A trained system that answers by PyTorch.

    Args:
        system: In evaluation mode.
    """

    def __init__(self, system: System[Any]):
        self._system, self.facts = system, facts_of(system)

    @property
    def system(self) -> System[Any]:
        """The networks themselves."""
        return self._system

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.system.nets.parameters()).device

    @torch.inference_mode()
    def look(self, seen: Seen, label: int | None = None) -> Looked:
        """What views or scans show."""
        occupancy, poses = self.system.look(self._batch(seen), label)
        return Looked(_array(occupancy.squeeze(1)), None if poses is None else _array(poses))

    @torch.inference_mode()
    def encode(self, seen: Seen) -> Float32[np.ndarray, "batch latent"]:
        """The latents of views or scans."""
        return _array(self.system.encode(self._batch(seen)))

    @torch.inference_mode()
    def generate(self, latents: Float[np.ndarray, "batch latent"]) -> Made:
        """The shapes or images of latents."""
        given = torch.from_numpy(np.ascontiguousarray(latents, np.float32))
        return _array(torch.cat([self.system.generate(part.to(self.device)) for part in given.split(_AT_ONCE)]))

    def _batch(self, seen: Seen) -> Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(seen, dtype=np.float32)).to(self.device)
        return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


def _array(values: Tensor) -> Float32[np.ndarray, "*any"]:
    return values.float().cpu().numpy()


def facts_of(system: System[Any]) -> Facts:
    """What is known of a system."""
    config, latent = system.config, getattr(system.config, "latent", 0)
    size = {key: getattr(config, key, 0) for key in ("resolution", "view_size", "image_channels")}
    ends = system.from_normal(torch.tensor([-torch.inf, torch.inf]))
    return Facts(system.name, system.reads, system.makes, latent, **size, mirrors=system.mirrors,
                 takes_class=system.takes_class, by_class=system.draws_by_class(), uniform=bool(ends.isfinite().all()),
                 points="points" in system.nets)


def model_of(
    name: str, system: System[Any], info: dict[str, Any], latents: Mapping[str, Tensor | np.ndarray]
) -> Model:
    """A system as a model.

    Args:
        name: What messages call it.
        system: In evaluation mode.
        info: As `config.json` has it: `threshold`, `class_names`.
        latents: Of the classes.
    """
    return Model(name, Networks(system), info, {key: np.asarray(value) for key, value in latents.items()})


def config_of(info: dict[str, Any], where: str) -> Config:
    """The system's config out of config.json.

    Raises:
        ValueError: Naming a key or a value that does not fit.
        UserError: Naming the file, for a system that is not known.
    """
    if info["system"] not in SYSTEMS:
        raise UserError(f"{where}: unknown system {info['system']!r}", hint=f"this version knows {', '.join(SYSTEMS)}")
    kind = SYSTEMS[info["system"]].Config
    unknown = sorted(set(info["model"]) - {key.name for key in fields(kind)})
    if unknown:
        raise ValueError(f"unknown key model.{unknown[0]}")
    try:
        return kind(**{key: _tuples(value) for key, value in info["model"].items()})
    except UserError as error:
        raise ValueError(str(error)) from None


def load_networks(folder: Path, info: dict[str, Any], device: str) -> Networks:
    """The networks of a model's folder.

    Args:
        folder: Of the model; its checksum is not looked at.
        info: Its config.json.
        device: `cpu`, `cuda` or `auto`.

    Raises:
        UserError: For a file that is damaged or does not fit, and for a device that is not there.
    """
    path, target = folder / WEIGHTS, _device(device)
    try:
        config = config_of(info, str(folder / CONFIG))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{folder / CONFIG} is not a model's configuration: {one_line(error)}") from None
    try:
        with torch.device("meta"):  # sizes are held against the file before anything of such a size is made
            plan = SYSTEMS[info["system"]](config)
    except (RuntimeError, OverflowError, TypeError) as error:  # what PyTorch raises for sizes that no tensor can have
        raise UserError(f"{folder / CONFIG}: no network has these sizes", one_line(error, 120)) from None
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
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    system = SYSTEMS[info["system"]](config)
    system.nets.load_state_dict(state, strict=False)
    system.nets.eval().requires_grad_(False).to(target)
    return Networks(system)


def saved_weights(system: System[Any], latents: Mapping[str, Tensor | np.ndarray]) -> bytes:
    """`model.safetensors`: a system's networks (`System.saved_networks`) and latents, in half precision.

    A tensor with values beyond half precision is kept in full, with a warning.
    """
    tensors = {
        key: value for key, value in system.nets.state_dict().items() if key.split(".")[0] in system.saved_networks()
    }
    tensors |= {f"latents.{key}": torch.as_tensor(value) for key, value in latents.items()}
    halves = {k: v.cpu().contiguous() for k, v in in_half_precision(tensors).items()}
    return save_tensors(halves, metadata={"format": "pt"})  # save_file shuts out all other users


def config_tree(system: System[Any]) -> dict[str, Any]:
    """The system's name and config, as config.json has them."""
    return {"system": system.name, "model": asdict(system.config)}


def _device(name: str) -> torch.device:
    """The device of this name, checked."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is cuda, but PyTorch sees no GPU", hint="use cpu or auto")
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))


def _tuples(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _tuples(value) for key, value in tree.items()}
    return tuple(_tuples(value) for value in tree) if isinstance(tree, list) else tree
