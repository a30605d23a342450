"""The published methods, one file for each paper: notes, config, networks or their assembly, losses, phases.

Read a paper's file beside the paper. `base` says what a system is to the training loop; `losses` has the losses that
several papers share. `SYSTEMS` is the only list of them: a new system is one file, one recipe and one line there. What
other packages may ask of a system is in `maquette.capabilities`. PyTorch is imported when a system is looked up, and
not before.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from maquette.extras import require

if TYPE_CHECKING:
    from maquette.systems.base import Batch, Config, Nets, Phase, System, Terms, check_phases


class Systems(Mapping[str, "type[System[Any]]"]):
    """Systems by name, each imported when it is looked up."""

    def __init__(self, places: Mapping[str, str]):
        self._places = dict(places)

    def __getitem__(self, name: str) -> "type[System[Any]]":
        file, _, kind = self._places[name].partition(":")
        require("torch", "train")
        found: type[System[Any]] = getattr(importlib.import_module(f"{__name__}.{file}"), kind)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


SYSTEMS = Systems({
    "gan3d": "gan3d:GAN3D",
    "vae-gan-image": "vaegan3d:VAEGAN3D",
    "iwgan": "iwgan3d:IWGAN3D",
    "vae-iwgan-image": "vaeiwgan3d:VAEIWGAN3DImage",
    "vae-iwgan-view": "view_volume:ViewVolumeSystem",
    "vae-iwgan-scan": "vaeiwgan3d:VAEIWGAN3DScan",
    "wgan-gp": "wgan_gp:WGANGP",
    "graf": "graf:GRAF",
    "3dgen": "gen3d:Gen3D",
    "classifier": "classifier3d:Classifier3D",
})
"""Every system: its name in recipes, the file in this folder and the class in it."""

__all__ = ["SYSTEMS", "Batch", "Config", "Nets", "Phase", "System", "Terms", "check_phases"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.base"), name)
