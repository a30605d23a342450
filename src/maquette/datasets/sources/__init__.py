"""Sources of shapes: each reader yields an `Item` for each shape that it finds.

`registry` is read first: it knows which reader a path or name needs. `generated` is the furniture maker, `meshes` any
folder of meshes and grids, `modelnet` and `ikea` those datasets as they are published, `prepared` a dataset that this
package made. A new source is a file with a function `read(path)` and a few lines in `registry`.
"""

from maquette.datasets.sources.generated import FURNITURE, furniture, is_furniture
from maquette.datasets.sources.registry import items_of, mesh_of, read, terms_of

__all__ = ["FURNITURE", "furniture", "is_furniture", "items_of", "mesh_of", "read", "terms_of"]
