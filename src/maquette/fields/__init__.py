"""What is taken out of a trained field: surfaces, coloured meshes, pictures, and the object of a photograph.

Read `extract` first: a latent's coloured mesh. `lattice` evaluates a field only near its surface. `pictures` renders
latents from cameras around the object, `between` interpolates the two codes of a latent. `inversion` finds the camera
and the codes of a picture: `subject` cuts the object out, `search` optimises.
"""

from maquette.fields.extract import ColouredMesh, field_mesh

__all__ = ["ColouredMesh", "field_mesh"]
