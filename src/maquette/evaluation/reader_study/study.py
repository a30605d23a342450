"""A reader study: real and synthetic images, shuffled, in one page that works without a network, and its key.

The page does not reveal which images are real: all are encoded alike, have random names and lie in random order. The
key is a separate file that stays with whoever made the study.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

import numpy as np

from maquette.errors import UserError
from maquette.evaluation.images.sets import GenerateImages, generated_images, open_real_images, size_text
from maquette.evaluation.reader_study.page import study_page
from maquette.events import Progress
from maquette.io.atomic import write_bytes
from maquette.io.html import png
from maquette.io.lock import locked

Kind = Literal["real", "synthetic"]
KEY_FORMAT = "maquette-study-key-1"
"""The format that a key names."""
REAL: Kind = "real"
SYNTHETIC: Kind = "synthetic"
MOST = 500
"""Images of each kind at most: a page holds them all."""


class ImageOrigin(TypedDict):
    """Where an image of a study comes from, as the key says."""

    kind: Kind
    split: NotRequired[str]
    """Of a real image: `train` or `test`."""
    row: NotRequired[int]
    """Of a real image: its row in that split."""
    sample: NotRequired[int]
    """Of a synthetic image: its number."""


@dataclass(frozen=True)
class StudyMade:
    """A study on disk."""

    page: Path
    """For the readers."""
    key: Path
    """Says which images are real; not for the readers."""
    count: int
    """Images of each kind."""
    trained_on: int
    """Real images among them that the model was trained on."""
    size: str
    """The images' size as text."""
    notes: tuple[str, ...]
    """What must be known of the real images, one line each."""


def make_study(
    generate: GenerateImages, shape: tuple[int, ...], path: str | Path, out: str | Path, *, count: int = 20,
    seed: int | None = None, model: str = "the model",
) -> Iterator[Progress | StudyMade]:
    """Write `study.html` and `key.json` with equally many real and synthetic images.

    Args:
        generate: The model.
        shape: (H, W) or (H, W, 3) of one image.
        path: Real images, see `open_real_images`; held-out ones are taken first, then training ones.
        out: The folder.
        count: Images of each kind, 2 to 500.
        seed: Of the choice, the names and the order; None: nobody can reconstruct them.
        model: The model's name, for the key.

    Yields:
        Progress, then one `StudyMade`.

    Raises:
        UserError: For fewer real images than asked for, and where `out` holds a study already: answers to that one
            would fit no key.
    """
    if not 2 <= count <= MOST:
        raise UserError(f"count must be from 2 to {MOST}: images of each kind", count)
    if seed is not None and seed < 0:
        raise UserError("seed must be 0 or more", seed)
    out = Path(out)
    page, key = out / "study.html", out / "key.json"
    if key.exists() or page.exists():
        raise UserError(f"{out} holds a study already", hint="choose another folder, or delete it")
    real = open_real_images(path, shape)
    held_out, every = len(real.held_out), len(real.held_out) + real.train_count
    if every < count:
        raise UserError(f"{count} real images were asked for", f"{every} in {path}", "lower --count")
    rng = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
    from_test = np.sort(rng.permutation(held_out)[:count])
    from_train = np.sort(rng.permutation(real.train_count)[: count - len(from_test)])
    synthetic = yield from generated_images(generate, count, shape)

    images: list[tuple[np.ndarray, ImageOrigin]]
    images = [(pixels, {"kind": REAL, "split": "test", "row": int(row)})
              for row, pixels in zip(from_test, real.held_out[from_test], strict=True)]
    images += [(pixels, {"kind": REAL, "split": "train", "row": int(row)})
               for row, pixels in zip(from_train, real.train(from_train), strict=True)]
    images += [(pixels, {"kind": SYNTHETIC, "sample": number}) for number, pixels in enumerate(synthetic)]
    images = [images[place] for place in rng.permutation(len(images))]
    names = _names(rng, len(images))
    study = rng.bytes(8).hex()
    text = study_page(study, [(name, png(pixels)) for name, (pixels, _) in zip(names, images, strict=True)],
                      real.shape[1], real.shape[0]).encode()
    content = {
        "format": KEY_FORMAT, "study": study, "model": model, "data": real.name, "seed": seed,
        "trained_on": len(from_train), "page_sha256": hashlib.sha256(text).hexdigest(),
        "images": {name: origin for name, (_, origin) in zip(names, images, strict=True)},
    }
    with locked(out):
        if key.exists() or page.exists():
            raise UserError(f"{out} holds a study already", hint="choose another folder, or delete it")
        write_bytes(key, (json.dumps(content, indent=1) + "\n").encode())
        write_bytes(page, text)
    yield StudyMade(page, key, count, len(from_train), size_text(real.shape), (*real.notes, *real.skipped))


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different random names."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[rng.bytes(5).hex()] = None
    return list(found)
