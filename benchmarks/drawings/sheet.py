"""Write every drawing as PNG, and a sheet of them all: python benchmarks/drawings/sheet.py OUT [SEED]"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from drawings import cases  # noqa: E402
from maquette.rendering.sheets import sheet_of_images  # noqa: E402


def main(out: str, seed: int = 0) -> None:
    folder, pictures, captions = Path(out), [], []
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases(seed):
        name = f"{case.name} {case.style}".replace(", ", "-").replace(" ", "-").replace("'", "")
        small = Image.fromarray(case.pixels)
        small.save(folder / f"{name}.png")
        small.thumbnail((300, 300))
        pictures.append(np.asarray(small))
        captions.append(f"{case.name}: {case.style}")
    sheet = sheet_of_images(pictures, folder / "drawings.png", columns=12, cell_px=130, captions=captions)
    Image.open(sheet).quantize(96, dither=Image.Dither.NONE).save(sheet, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
