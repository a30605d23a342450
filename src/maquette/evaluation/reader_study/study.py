"""A reader study: real and synthetic images, shuffled, in one page that works without a network, and its key.

The page says nothing of what is real: all images are written alike, are called by random names and lie in random order.
The key is a file of its own that stays with whoever made the study.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.errors import UserError
from maquette.evaluation.images.sets import Make, made_images, open_real, told
from maquette.evaluation.reader_study.page import study_page
from maquette.events import Progress
from maquette.io.atomic import write_bytes
from maquette.io.html import png

KEY_FORMAT = "maquette-study-key-1"
REAL, SYNTHETIC = "real", "synthetic"
MOST = 500
"""Images of each kind at most: a page holds them all."""


@dataclass(frozen=True)
class StudyMade:
    """A study on disk. page: for the readers; key: not for them. trained_on: real images that the model was trained on.
    """

    page: Path
    key: Path
    count: int
    trained_on: int
    size: str
    notes: tuple[str, ...]


def make_study(
    make: Make, shape: tuple[int, ...], path: str | Path, out: str | Path, *, count: int = 20,
    seed: int | None = None, model: str = "the model",
) -> Iterator[Progress | StudyMade]:
    """Write `study.html` and `key.json` to a folder: `count` real and `count` synthetic images.

    Args:
        shape: Of one image, (H, W) or (H, W, 3).
        path: Real images, see `open_real`; held-out ones are taken first, then training ones.
        seed: Of the choice, the names and the order; None: nobody can work it out.

    Raises:
        UserError: For fewer real images than asked for, and where `out` holds a study already: its answers would fit no
            key.
    """
    if not 2 <= count <= MOST:
        raise UserError(f"count must be from 2 to {MOST}: images of each kind", count)
    if seed is not None and seed < 0:
        raise UserError("seed must be 0 or more", seed)
    out = Path(out)
    page, key = out / "study.html", out / "key.json"
    if key.exists() or page.exists():
        raise UserError(f"{out} holds a study already", hint="choose another folder with --out, or delete it")
    real = open_real(path, shape)
    held_out, every = len(real.held_out), len(real.held_out) + real.train_count
    if every < count:
        raise UserError(f"{count} real images were asked for", f"{every} in {path}", "lower --count")
    rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
    from_test = np.sort(rng.permutation(held_out)[:count])
    from_train = np.sort(rng.permutation(real.train_count)[: count - len(from_test)])
    made = yield from made_images(make, count, shape)

    images = [(pixels, {"kind": REAL, "split": "test", "row": int(row)})
              for row, pixels in zip(from_test, real.held_out[from_test], strict=True)]
    images += [(pixels, {"kind": REAL, "split": "train", "row": int(row)})
               for row, pixels in zip(from_train, real.train(from_train), strict=True)]
    images += [(pixels, {"kind": SYNTHETIC, "sample": number}) for number, pixels in enumerate(made)]
    images = [images[place] for place in rng.permutation(len(images))]
    names = _names(rng, len(images))
    study = rng.bytes(8).hex()
    text = study_page(study, [(name, png(pixels)) for name, (pixels, _) in zip(names, images, strict=True)],
                      real.shape[1], real.shape[0]).encode()
    known = {
        "format": KEY_FORMAT, "study": study, "model": model, "data": real.name, "seed": seed,
        "trained_on": len(from_train), "page_sha256": hashlib.sha256(text).hexdigest(),
        "images": {name: facts for name, (_, facts) in zip(names, images, strict=True)},
    }
    write_bytes(key, (json.dumps(known, indent=1) + "\n").encode())
    write_bytes(page, text)
    yield StudyMade(page, key, count, len(from_train), told(real.shape), (*real.notes, *real.skipped))


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """So many different random names."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[rng.bytes(5).hex()] = None
    return list(found)
