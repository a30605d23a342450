"""The published methods. `SYSTEMS` is the only list of them."""

from maquette.systems.base import Batch, Phase, System, Terms, check_phases
from maquette.systems.iwgan3d import IWGAN3D
from maquette.systems.vaeiwgan3d import VAEIWGAN3D

SYSTEMS: dict[str, type[System]] = {system.name: system for system in (IWGAN3D, VAEIWGAN3D)}

__all__ = ["SYSTEMS", "Batch", "Phase", "System", "Terms", "check_phases"]
