"""A mesh for printing, whose own export writes what the command line writes."""

from __future__ import annotations

from typing import Any

import trimesh

from maquette.geometry.plain import PlainMesh
from maquette.io.formats.meshes import GLB_FROM_MM


class PrintMesh(trimesh.Trimesh):
    """A mesh in millimetres, z up, resting on z = 0.

    Files that say nothing of their unit (STL, OBJ, PLY, OFF) and 3MF hold it as it is. glTF is in metres, y up, and
    faces +z by its specification: `export` turns the mesh so for `.glb` and `.gltf`, as `maquette.io.formats` does.
    """

    @classmethod
    def of(cls, mesh: PlainMesh) -> PrintMesh:
        """A copy of a mesh in millimetres."""
        return cls(mesh.vertices.copy(), mesh.faces.copy(), process=False)

    def export(self, file_obj: Any = None, file_type: str | None = None, **kwargs: Any) -> Any:
        """As `trimesh.Trimesh.export`, glTF in its own frame.

        Args:
            file_obj: A path or an open file; None: the content is returned.
            file_type: The format; None: the path's suffix.
            **kwargs: What trimesh's exporter of that format takes.
        """
        named = str(file_obj).rpartition(".")[2] if file_type is None else file_type.rpartition(".")[2]
        if named.lower() not in ("glb", "gltf"):
            return super().export(file_obj, file_type, **kwargs)
        turned = super().copy().apply_transform(GLB_FROM_MM)  # trimesh copies to a plain mesh
        return turned.export(file_obj, file_type, **kwargs)

    def copy(self, include_cache: bool = False, include_visual: bool = True) -> PrintMesh:
        """As `trimesh.Trimesh.copy`; the copy is a mesh for printing too."""
        copied = PrintMesh(process=False)
        copied.__dict__.update(super().copy(include_cache, include_visual).__dict__)
        return copied
