"""Maquette: a sketch, a photo or a depth scan in, a printable 3D object out; and the adversarial networks that do it.

    import maquette
    made = maquette.reconstruct("chair.jpg")      # a mesh in millimetres, watertight
    made.mesh.export("chair.stl")

The names below are the whole public interface; each is imported when it is first used.
"""

import importlib

_HOME = {
    "reconstruct": "maquette.api",
    "complete": "maquette.api",
    "generate": "maquette.api",
    "train": "maquette.api",
    "evaluate": "maquette.api",
    "prepare_data": "maquette.api",
    "load": "maquette.models.hub",
    "Model": "maquette.models.hub",
    "Shape": "maquette.geometry.shape",
    "load_recipe": "maquette.recipe",
    "voxelise": "maquette.geometry.voxelise",
    "render_views": "maquette.rendering",
    "Camera": "maquette.rendering",
    "SYSTEMS": "maquette.systems",
    "UserError": "maquette.errors",
}
_RENAMED = {"load_recipe": "load"}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'maquette' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), _RENAMED.get(name, name))


def __dir__() -> list[str]:
    return sorted(__all__)
