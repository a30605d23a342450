"""What is taken out of a trained field: `lattice` evaluates it near its surface alone, `extract` makes coloured meshes.
"""

from maquette.fields.extract import ColouredMesh, field_mesh

__all__ = ["ColouredMesh", "field_mesh"]
