"""The picture of completions: `python benchmarks/completions.py DATA/modelnet10/modelnet10_30.npz PICTURE`.

Shapes of the test split, evenly over its rows: what one camera saw of each, the completion, and the whole shape.
"""

import sys

import numpy as np
from facing import last

from maquette import api
from maquette.datasets.cache import shapes_of
from maquette.geometry.shape import Shape
from maquette.models.predict import occupancy
from maquette.rendering.sheets import SIDES, blocks, contact_sheet
from maquette.scans import scans


def main(data: str, picture: str, model: str = api.SCAN_MODEL, cache: str = "data-cache") -> None:
    loaded = api.load(model)
    test = last(shapes_of(data, cache, "test", loaded.system.config.resolution))
    cells = []
    for row in np.linspace(0, len(test) - 1, 18).astype(int)[1:-1]:
        whole = Shape(test.voxels([row])[0].astype(np.float32), 0.5).surface()
        seen = scans(whole, test.resolution, count=1, seed=int(row))
        made = Shape(occupancy(loaded, seen[None].astype(np.float32))[0], loaded.threshold)
        cells += [blocks(seen[0], 200, *SIDES["front"]), made.surface(), whole]
    contact_sheet(cells, picture, columns=12, cell_px=150)
    print(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
