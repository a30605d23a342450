"""What a prepared dataset of images holds, in facts and in one picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from maquette.datasets.images.format import open_images
from maquette.io.atomic import atomic_path


def show_images(path: str | Path, sheet: str | Path, *, count: int = 64, seed: int = 0) -> dict[str, object]:
    """What a prepared dataset of images holds, by name; writes a picture of some of them.

    Args:
        path: A prepared dataset of images.
        sheet: The PNG to write.
        count: The most images in the picture.
        seed: Chooses them.

    Raises:
        UserError: If the path is no prepared dataset of images, or the picture cannot be written.
    """
    data = open_images(path)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    across = int(np.ceil(np.sqrt(len(chosen) * data.height / data.width)))
    scale = min(1.0, 160 / max(data.width, data.height))
    cell = max(1, round(data.width * scale)), max(1, round(data.height * scale))
    canvas = Image.new("RGB", (across * cell[0], -(-len(chosen) // across) * cell[1]), "white")
    for place, pixels in enumerate(data.pixels(chosen)):
        canvas.paste(Image.fromarray(pixels).resize(cell, Image.Resampling.LANCZOS).convert("RGB"),
                     (place % across * cell[0], place // across * cell[1]))
    with atomic_path(sheet) as unfinished:
        canvas.save(unfinished, format="PNG")
    info = data.info
    return {
        "images": len(data), "splits": dict(info.counts), "size": f"{info.width}x{info.height}",
        "colour": "grey" if info.channels == 1 else "RGB", "crop": info.crop, "skipped": len(info.skipped),
        **({"masks": "kept"} if info.masks else {}), "terms": info.terms, "sheet": str(sheet),
    }
