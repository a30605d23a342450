"""Sources of shapes: each reader yields an `Item` for each shape that it finds.

`registry` is read first: it knows which reader a path or name needs. `generated` has the furniture and the solids
maker, `meshes` any folder of meshes and grids, `modelnet` and `ikea` those datasets as they are published, `sweethome`
libraries of furniture, `prepared` a dataset that this package made. A new source is a file with a function `read(path)`
and a few lines in `registry`.
"""

from maquette.datasets.sources.generated import FURNITURE, MAKERS, SOLIDS, generated, is_generated, maker_of
from maquette.datasets.sources.registry import items_of, mesh_of, read, terms_of

__all__ = [
    "FURNITURE",
    "MAKERS",
    "SOLIDS",
    "generated",
    "is_generated",
    "items_of",
    "maker_of",
    "mesh_of",
    "read",
    "terms_of",
]
