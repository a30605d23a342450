"""The pictures of README and docs, and how many of 64 samples are one connected object.

python benchmarks/pictures.py OUT [MODEL] [DRAWING ...]
"""

import sys
from pathlib import Path

from maquette import api
from maquette.geometry.overlap import is_connected
from maquette.io.pictures import read_picture
from maquette.outputs.pictures import EXAMPLES
from maquette.rendering.sheets import contact_sheet, preview


def main(out: str, model: str = "maquette", *drawings: str) -> None:
    """Write readme.png, samples.png and one preview a drawing into `out`."""
    folder, loaded = Path(out), api.load(model)
    cells = []
    for path in sorted(EXAMPLES.glob("*.png")):
        cells += [read_picture(path), api.reconstruct(path, loaded).mesh]
    contact_sheet(cells, folder / "readme.png", columns=8, cell_px=180)
    shapes = api.generate(loaded, 64, seed=7)
    whole = sum(is_connected(shape.voxels, connectivity=6) for shape in shapes)
    largest = [shape.printable(largest_part=False)[0] if shape.voxels.any() else None for shape in shapes]
    contact_sheet(largest, folder / "samples.png", columns=8, cell_px=150)
    print(f"{whole} of 64 samples (seed 7) are one object, voxels joined by their faces")
    for path in drawings:
        made = api.reconstruct(path, loaded)
        picture = folder / f"drawing-{Path(path).stem}.png"
        preview(read_picture(path), made.mesh, picture, title=made.report.line())
        print(f"{picture}: {made.report.line()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
