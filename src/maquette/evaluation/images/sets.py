"""The sets of images that a measurement compares: real ones to learn from, real ones held out, and noise to control."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.datasets.images import ImageOptions, fit, is_images, open_images, split_by_name
from maquette.datasets.images.files import Limits, find_images, open_image
from maquette.errors import UserError
from maquette.events import Progress

Make = Callable[[int], Iterable[np.ndarray]]
"""A number of images to that many of them, some at a time: uint8 `[n, H, W]` or `[n, H, W, 3]`."""
FEWEST = 4
"""Images that each split must have."""
HOLDOUT = 16
"""Images of a plain folder that count as held out."""
MAX_BYTES = 2**32
"""A plain folder's images are held in memory up to this."""
_CHUNK = 256


@dataclass(frozen=True)
class Real:
    """Real images of one size, in two splits.

    Attributes:
        name: Of their folder.
        train: Rows to uint8 `[n, H, W]` or `[n, H, W, 3]`.
        train_count: How many there are.
        held_out: All that are held out.
        notes: What must be known of them; no file is named there.
    """

    name: str
    train: Callable[[np.ndarray], np.ndarray]
    train_count: int
    held_out: np.ndarray
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Why each file that cannot be read was left out. They name files, so they belong in no report."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: (H, W) or (H, W, 3)."""
        return self.held_out.shape[1:]

    def some(self, most: int, seed: int = 0) -> np.ndarray:
        """At most so many of the training images, chosen at random."""
        rows = np.random.default_rng(seed).permutation(self.train_count)[:most]
        return self.train(np.sort(rows))

    def some_held_out(self, most: int, seed: int = 0) -> np.ndarray:
        """At most so many of the held-out images, chosen at random: those in a row can be views of one object."""
        return self.held_out[np.sort(np.random.default_rng(seed).permutation(len(self.held_out))[:most])]

    def chunks(self):
        """All training images, some at a time."""
        for start in range(0, self.train_count, _CHUNK):
            yield self.train(np.arange(start, min(start + _CHUNK, self.train_count)))


def open_real(path: str | Path, shape: tuple[int, ...]) -> Real:
    """The real images of a prepared dataset, or of a plain folder brought to a size.

    Args:
        shape: (H, W) or (H, W, 3) of what they are compared with; a prepared dataset must have it, a folder's images
            are cut about their centre to it.

    Raises:
        UserError: For what is neither or does not fit, and where a split has fewer than four images.
    """
    path = Path(path)
    return _prepared(path, shape) if is_images(path) else _folder(path, shape)


def told(shape: tuple[int, ...]) -> str:
    """A size for the user: `512x256, grey`."""
    return f"{shape[1]}x{shape[0]}, {'grey' if len(shape) == 2 else 'colour'}"


def _prepared(path: Path, shape: tuple[int, ...]) -> Real:
    data = open_images(path)
    if data.info.shape != shape:
        grey = " --grey" if len(shape) == 2 else ""
        raise UserError(f"the images of {path} must be as the model's, {told(shape)}", told(data.info.shape),
                        f"prepare them with --size {shape[1]}x{shape[0]}{grey}")
    train, test = data.split("train"), data.split("test")
    for name, rows in (("held-out", test), ("training", train)):
        if len(rows) < FEWEST:
            raise UserError(f"{path} must have {FEWEST} {name} images or more", len(rows),
                            "prepare it with --holdout 16" if name == "held-out" else "prepare it of more images")
    return Real(path.resolve().name, lambda rows: data.pixels(train[rows]), len(train), data.pixels(test))


def _folder(path: Path, shape: tuple[int, ...]) -> Real:
    files = find_images(path)
    if len(files) < 2 * FEWEST:
        count = f"{len(files)} image{'s' if len(files) > 1 else ''}"
        raise UserError(f"{2 * FEWEST} real images or more are needed to compare with", f"{count} in {path}")
    if len(files) * int(np.prod(shape)) > MAX_BYTES:
        raise UserError(f"{path} holds too many images to be read at once", len(files),
                        "prepare them first: maquette data prepare images")
    options = ImageOptions(shape[1], shape[0], len(shape) == 2, "centre", Limits().max_pixels, 0)
    splits: dict[str, list[np.ndarray]] = {}
    cropped, bad = 0, []
    for split, chosen in split_by_name(files, min(HOLDOUT, len(files) // 2)).items():
        splits[split] = []
        for file in chosen:
            try:
                pixels, _ = open_image(file, Limits())
                splits[split].append(fit(pixels, options))
            except UserError as error:
                bad.append(str(error))
                continue
            height, width = pixels.shape[:2]
            cropped += abs(width * shape[0] - height * shape[1]) > max(width, height)
    for split, found in splits.items():
        if len(found) < FEWEST:
            hint = f"{len(bad)} cannot be read, the first: {bad[0]}" if bad else ""
            raise UserError(f"{2 * FEWEST} images that can be read are needed to compare with", hint=hint)
        splits[split] = np.stack(found)
    count = sum(map(len, splits.values()))
    notes = [f"a plain folder: each image was brought to {told(shape)}, and {cropped} of {count} were cut about their "
             "centre to its aspect",
             f"held out are the {len(splits['test'])} images whose names have the smallest hash, as data prepare "
             "images does; they are new to the model only if it was trained without them"]
    notes += [f"left out: {len(bad)} that cannot be read"] if bad else []
    train, skipped = splits["train"], tuple(f"left out: {reason}" for reason in bad)
    return Real(path.resolve().name, lambda rows: train[rows], len(train), splits["test"], tuple(notes), skipped)


def made_images(make: Make, count: int, shape: tuple[int, ...]) -> Generator[Progress, None, np.ndarray]:
    """`count` images of a maker, `[count, *shape]`; yields progress.

    Raises:
        ValueError: Where it gives others.
    """
    made, done = np.empty((count, *shape), np.uint8), 0
    yield Progress("making images", 0, count)
    for part in make(count):
        if part.dtype != np.uint8 or part.shape[1:] != shape or done + len(part) > count:
            raise ValueError(f"{count} images uint8 of {shape} were asked for, got {part.dtype} {part.shape}")
        made[done : done + len(part)] = part
        done += len(part)
        yield Progress("making images", done, count)
    if done < count:
        raise ValueError(f"{count} images were asked for, got {done}")
    return made


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of every pixel over the training images, float64 `[H, W]` or `[H, W, 3]`."""

    mean: np.ndarray
    deviation: np.ndarray


def statistics(real: Real) -> Statistics:
    """Of all training images."""
    total, squares = np.zeros(real.shape), np.zeros(real.shape)
    for images in real.chunks():
        total += images.sum(axis=0, dtype=np.float64)
        squares += np.square(images, dtype=np.float64).sum(axis=0)
    mean = total / real.train_count
    return Statistics(mean, np.sqrt(np.maximum(squares / real.train_count - mean**2, 0)))


def gaussian_noise(known: Statistics, count: int, seed: int = 0) -> np.ndarray:
    """Images of independent Gaussian pixels, each of the mean and deviation that the real images have there."""
    return _drawn(known.mean, known.deviation, count, seed)


def radial_noise(known: Statistics, count: int, seed: int = 0) -> np.ndarray:
    """Images of independent Gaussian pixels whose mean and deviation depend only on the distance from the centre: those
    of all real pixels at that distance, in rings of one pixel. (The dental project names radial noise and does not
    define it; this is what is meant by it here.)
    """
    height, width = known.mean.shape[:2]
    y, x = np.mgrid[:height, :width]
    ring = np.rint(np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)).astype(int)
    amount = np.maximum(np.bincount(ring.ravel()), 1)  # a ring may have no pixel
    channels = known.mean.reshape(height, width, -1)
    second = (known.deviation**2 + known.mean**2).reshape(height, width, -1)
    mean, deviation = np.empty_like(channels), np.empty_like(channels)
    for channel in range(channels.shape[2]):
        own = np.bincount(ring.ravel(), channels[..., channel].ravel())
        spread = np.bincount(ring.ravel(), second[..., channel].ravel())
        of_ring = own / amount
        around = np.sqrt(np.maximum(spread / amount - of_ring**2, 0))
        mean[..., channel], deviation[..., channel] = of_ring[ring], around[ring]
    return _drawn(mean.reshape(known.mean.shape), deviation.reshape(known.mean.shape), count, seed)


def _drawn(mean: np.ndarray, deviation: np.ndarray, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = np.empty((count, *mean.shape), np.uint8)
    for image in made:
        image[:] = np.clip(np.rint(rng.normal(mean, deviation)), 0, 255)
    return made
