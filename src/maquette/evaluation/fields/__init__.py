"""Measurements of GRAF and 3DGEN: their images, whether shape and appearance are separate, and their meshes.

`evaluate` runs all of them, those of `maquette.evaluation.images` included. `measures` has the distances in an
encoder's features, the change of colours and the alignment with true shapes; `mesh_quality` the measures of meshes.
Read `evaluate` first.
"""
