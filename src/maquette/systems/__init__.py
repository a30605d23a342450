"""The published methods. `SYSTEMS` is the only list of them.

Nothing here imports PyTorch: a system's networks are imported when it is asked for, and its config, with which recipes
are validated, without them.
"""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maquette.configs import (
    Classifier3DConfig,
    GAN3DConfig,
    IWGAN3DConfig,
    VAEGAN3DConfig,
    VAEIWGAN3DConfig,
    VAEIWGAN3DScanConfig,
    WGANGPConfig,
)
from maquette.configs_fields import Gen3DConfig, GRAFConfig

if TYPE_CHECKING:
    from maquette.systems.base import Batch, Phase, System, Terms, check_phases


@dataclass(frozen=True)
class Entry:
    """Where a system is: the file in this folder, the class in it, and the class of its config."""

    file: str
    name: str
    config: type


class Systems(Mapping[str, type["System"]]):
    """Systems by name, each imported when it is looked up; `config` gives the class of its config without that."""

    def __init__(self, entries: dict[str, Entry]):
        self._entries = entries

    def __getitem__(self, name: str) -> type["System"]:
        entry = self._entries[name]
        return getattr(importlib.import_module(f"{__name__}.{entry.file}"), entry.name)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def config(self, name: str) -> type:
        """The class of this system's config."""
        return self._entries[name].config


SYSTEMS = Systems({
    "gan3d": Entry("gan3d", "GAN3D", GAN3DConfig),
    "vae-gan-image": Entry("vaegan3d", "VAEGAN3D", VAEGAN3DConfig),
    "iwgan": Entry("iwgan3d", "IWGAN3D", IWGAN3DConfig),
    "vae-iwgan-image": Entry("vaeiwgan3d", "VAEIWGAN3D", VAEIWGAN3DConfig),
    "vae-iwgan-scan": Entry("vaeiwgan3d_scan", "VAEIWGAN3DScan", VAEIWGAN3DScanConfig),
    "wgan-gp": Entry("wgan_gp", "WGANGP", WGANGPConfig),
    "graf": Entry("graf", "GRAF", GRAFConfig),
    "3dgen": Entry("gen3d", "Gen3D", Gen3DConfig),
    "classifier": Entry("classifier3d", "Classifier3D", Classifier3DConfig),
})

__all__ = ["SYSTEMS", "Batch", "Phase", "System", "Terms", "check_phases"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.base"), name)
