"""The sets of images that a measurement compares: training images, held-out ones, generated ones, and noise."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int, UInt8

from maquette.datasets.images import ImageOptions, fit, is_images, open_images, split_by_name
from maquette.datasets.images.files import Limits, find_images, open_image
from maquette.errors import UserError
from maquette.events import Progress

ImageSet = UInt8[np.ndarray, "_ _ _"] | UInt8[np.ndarray, "_ _ _ 3"]
"""Images of one size, grey or colour, 0 to 255: number, height, width, channels."""
GenerateImages = Callable[[int], Iterable[ImageSet]]
"""A number of images to that many of them, some at a time."""
FEWEST = 4
"""Images that each split must have."""
HOLDOUT = 16
"""Images of a plain folder that count as held out."""
MAX_BYTES = 2**32
"""A plain folder's images are held in memory up to this size."""
_CHUNK = 256


@dataclass(frozen=True)
class RealImages:
    """Real images of one size, in two splits."""

    name: str
    """What reports call them; never the name of their folder."""
    train: Callable[[Int[np.ndarray, " n"]], ImageSet]
    """Row numbers to the training images of these rows."""
    train_count: int
    """How many training images there are."""
    held_out: ImageSet
    """All held-out images."""
    notes: tuple[str, ...] = ()
    """What a reader of the report must know of them; no file is named there."""
    skipped: tuple[str, ...] = ()
    """Why each file that cannot be read was left out. They name files, so they belong in no report."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, 3) of one image."""
        return self.held_out.shape[1:]

    def some(self, most: int, seed: int = 0) -> ImageSet:
        """At most `most` training images, chosen at random."""
        rows = np.random.default_rng(seed).permutation(self.train_count)[:most]
        return self.train(np.sort(rows))

    def some_held_out(self, most: int, seed: int = 0) -> ImageSet:
        """At most `most` held-out images, chosen at random: neighbours in the file can be views of one object."""
        return self.held_out[np.sort(np.random.default_rng(seed).permutation(len(self.held_out))[:most])]

    def chunks(self) -> Iterator[ImageSet]:
        """All training images, some at a time."""
        for start in range(0, self.train_count, _CHUNK):
            yield self.train(np.arange(start, min(start + _CHUNK, self.train_count)))


def open_real_images(path: str | Path, shape: tuple[int, ...]) -> RealImages:
    """The real images of a prepared dataset, or those of a plain folder, brought to one size.

    Args:
        path: A prepared dataset of images, or a folder of pictures.
        shape: (H, W) or (H, W, 3) of the images that they are compared with. A prepared dataset must have it; a
            folder's images are cropped about their centre and resized to it.

    Raises:
        UserError: For a path that is neither, for another size, and for a split of fewer than four images.
    """
    path = Path(path)
    return _from_dataset(path, shape) if is_images(path) else _from_folder(path, shape)


def size_text(shape: tuple[int, ...]) -> str:
    """A size for the user: `512x256, grey`."""
    return f"{shape[1]}x{shape[0]}, {'grey' if len(shape) == 2 else 'colour'}"


def _from_dataset(path: Path, shape: tuple[int, ...]) -> RealImages:
    """The images of a prepared dataset, in its own splits."""
    data = open_images(path)
    if data.info.shape != shape:
        grey = " --grey" if len(shape) == 2 else ""
        raise UserError(f"the images of {path} must be as the model's, {size_text(shape)}", size_text(data.info.shape),
                        f"prepare them with --size {shape[1]}x{shape[0]}{grey}")
    train, test = data.split("train"), data.split("test")
    for name, rows in (("held-out", test), ("training", train)):
        if len(rows) < FEWEST:
            raise UserError(f"{path} must have {FEWEST} {name} images or more", len(rows),
                            "prepare it with --holdout 16" if name == "held-out" else "prepare it of more images")
    name = data.info.name or "real images"
    return RealImages(name, lambda rows: data.pixels(train[rows]), len(train), data.pixels(test))


def _from_folder(path: Path, shape: tuple[int, ...]) -> RealImages:
    """The images of a plain folder, cropped and resized, some of them held out."""
    files = find_images(path)
    if len(files) < 2 * FEWEST:
        images = f"{len(files)} image{'s' if len(files) > 1 else ''}"
        raise UserError(f"{2 * FEWEST} real images or more are needed to compare with", f"{images} in {path}")
    if len(files) * int(np.prod(shape)) > MAX_BYTES:
        raise UserError(f"{path} holds too many images to be read at once", len(files),
                        "prepare them first: maquette data prepare images")
    options = ImageOptions(shape[1], shape[0], len(shape) == 2, "centre", Limits().max_pixels, 0)
    fitted: dict[str, list[np.ndarray]] = {}
    cropped, bad = 0, []
    for split, chosen in split_by_name(files, min(HOLDOUT, len(files) // 2)).items():
        fitted[split] = []
        for file in chosen:
            try:
                pixels, _ = open_image(file, Limits())
                fitted[split].append(fit(pixels, options))
            except UserError as error:
                bad.append(str(error) if file.is_dicom else str(error).replace(file.id, file.name))
                continue
            height, width = pixels.shape[:2]
            cropped += abs(width * shape[0] - height * shape[1]) > max(width, height)
    for split_images in fitted.values():
        if len(split_images) < FEWEST:
            hint = f"{len(bad)} cannot be read, the first: {bad[0]}" if bad else ""
            raise UserError(f"{2 * FEWEST} images that can be read are needed to compare with", hint=hint)
    splits = {split: np.stack(images) for split, images in fitted.items()}
    count = sum(map(len, splits.values()))
    notes = [f"a plain folder: each image was brought to {size_text(shape)}, and {cropped} of {count} were cut about "
             "their centre to its aspect",
             f"held out are the {len(splits['test'])} images whose names have the smallest hash, as data prepare "
             "images does; they are new to the model only if it was trained without them"]
    notes += [f"left out: {len(bad)} that cannot be read"] if bad else []
    train, skipped = splits["train"], tuple(f"left out: {reason}" for reason in bad)
    return RealImages("real images", lambda rows: train[rows], len(train), splits["test"], tuple(notes), skipped)


def generated_images(
    generate: GenerateImages, count: int, shape: tuple[int, ...]
) -> Generator[Progress, None, ImageSet]:
    """Collect `count` generated images in one array; yields progress.

    Args:
        generate: The model.
        count: Images.
        shape: (H, W) or (H, W, 3) of one image.

    Returns:
        The images.

    Raises:
        ValueError: Where other images or another number of them come.
    """
    made, done = np.empty((count, *shape), np.uint8), 0
    yield Progress("making images", 0, count)
    for part in generate(count):
        if part.dtype != np.uint8 or part.shape[1:] != shape or done + len(part) > count:
            raise ValueError(f"{count} images uint8 of {shape} were asked for, got {part.dtype} {part.shape}")
        made[done : done + len(part)] = part
        done += len(part)
        yield Progress("making images", done, count)
    if done < count:
        raise ValueError(f"{count} images were asked for, got {done}")
    return made


@dataclass(frozen=True)
class PixelStatistics:
    """Mean and deviation of every pixel over a set of images, in grey levels."""

    mean: Float64[np.ndarray, "h w"] | Float64[np.ndarray, "h w 3"]
    deviation: Float64[np.ndarray, "h w"] | Float64[np.ndarray, "h w 3"]


def pixel_statistics(real: RealImages) -> PixelStatistics:
    """The statistics of all training images."""
    total, squares = np.zeros(real.shape), np.zeros(real.shape)
    for images in real.chunks():
        total += images.sum(axis=0, dtype=np.float64)
        squares += np.square(images, dtype=np.float64).sum(axis=0)
    mean = total / real.train_count
    return PixelStatistics(mean, np.sqrt(np.maximum(squares / real.train_count - mean**2, 0)))


def gaussian_noise(known: PixelStatistics, count: int, seed: int = 0) -> ImageSet:
    """Images of independent Gaussian pixels, each with the mean and deviation that the real images have there."""
    return _independent_pixels(known.mean, known.deviation, count, seed)


def radial_noise(known: PixelStatistics, count: int, seed: int = 0) -> ImageSet:
    """Images of independent Gaussian pixels whose mean and deviation depend only on the distance from the centre.

    They are those of all real pixels at that distance, in rings of one pixel. The dental project names radial noise
    without a definition; this one is ours.
    """
    height, width = known.mean.shape[:2]
    y, x = np.mgrid[:height, :width]
    ring = np.rint(np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)).astype(int)
    amount = np.maximum(np.bincount(ring.ravel()), 1)  # a ring may have no pixel
    channels = known.mean.reshape(height, width, -1)
    second = (known.deviation**2 + known.mean**2).reshape(height, width, -1)
    mean, deviation = np.empty_like(channels), np.empty_like(channels)
    for channel in range(channels.shape[2]):
        sums = np.bincount(ring.ravel(), channels[..., channel].ravel())
        squares = np.bincount(ring.ravel(), second[..., channel].ravel())
        ring_mean = sums / amount
        ring_deviation = np.sqrt(np.maximum(squares / amount - ring_mean**2, 0))
        mean[..., channel], deviation[..., channel] = ring_mean[ring], ring_deviation[ring]
    return _independent_pixels(mean.reshape(known.mean.shape), deviation.reshape(known.mean.shape), count, seed)


def _independent_pixels(mean: np.ndarray, deviation: np.ndarray, count: int, seed: int) -> ImageSet:
    """Images of Gaussian pixels, rounded and clipped to 0 to 255."""
    rng = np.random.default_rng(seed)
    made = np.empty((count, *mean.shape), np.uint8)
    for image in made:
        image[:] = np.clip(np.rint(rng.normal(mean, deviation)), 0, 255)
    return made
