"""The known objects that a picture is most like, by what the model's encoder has learned to see.

An object's feature is the mean of the latents of its views. Each value is standardised over the catalogue, so that what
all its objects have in common counts for nothing; features are compared by cosine similarity.
"""

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int

from maquette.capabilities import Reads
from maquette.datasets.cache import cache_folder, fill, open_cached
from maquette.datasets.format import SIDECAR, is_prepared
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.sources import is_generated
from maquette.errors import UserError
from maquette.events import Progress, Skipped
from maquette.geometry.shape import Shape
from maquette.intake.pickup import Pickup, frame_object
from maquette.io.atomic import atomic_path
from maquette.io.formats import npz_arrays
from maquette.io.pictures import read_picture
from maquette.io.replacing import own
from maquette.models import prior
from maquette.models.hub import Model
from maquette.models.views import views_of

MADE = 300
"""Pieces of furniture that are made by default."""
VIEWS = 6
"""Views that are rendered of each known object; at most so many are used."""
_BATCH = 32  # objects that are encoded at once
_LEAST = 1e-3  # share of the largest deviation: values that vary less are taken to vary this much


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Known objects, and what the encoder sees in them.

    Attributes:
        data: The objects.
        features: One row for each object.
    """

    data: OpenedData
    features: Float32[np.ndarray, "n latent"]

    @property
    def skipped(self) -> int:
        """Shapes of the source that could not be read."""
        return sum(len(info.skipped) for info in self.data.infos)


@dataclass(frozen=True, eq=False)
class Known:
    """A known object.

    Attributes:
        name: Its id in the dataset.
        label: Its class.
        similarity: Cosine similarity between what the encoder sees in it and in the picture, -1 to 1.
        shape: The object itself.
        row: Its row in the catalogue.
    """

    name: str
    label: str
    similarity: float
    shape: Shape
    row: int = 0


@dataclass(frozen=True, eq=False)
class Suggested:
    """The known objects that a picture is most like.

    Attributes:
        pickup: What was found in the picture.
        nearest: The objects, the most similar first.
        seen: What the encoder sees in the picture.
    """

    pickup: Pickup
    nearest: tuple[Known, ...]
    seen: Float32[np.ndarray, " latent"]


def catalogue(
    model: Model,
    among: str | Path,
    cache: str | Path = "data-cache",
    known: int | None = None,
    workers: int | None = None,
) -> Iterator[Progress | Catalogue]:
    """Open the known objects; they are rendered and encoded unless the cache has that already.

    Args:
        model: Has the encoder.
        among: A prepared dataset, whose own views are used if the model reads views of that size; or whatever
            `maquette.datasets.sources` reads: a folder of meshes or grids, an archive, `furniture`.
        cache: The folder of the cache.
        known: How many shapes are rendered at most; all if None (of a maker: `MADE`).
        workers: Processes that render; all cores if None.

    Yields:
        Progress, then one Catalogue.

    Raises:
        UserError: For a model without an image encoder, an unknown source, and fewer than two objects.
    """
    if model.facts.reads is not Reads.VIEWS:
        raise UserError(f"model '{model.name}' does not read pictures", hint="use one trained with vae-iwgan-image")
    own(cache)
    data = yield from _opened(model, str(among), Path(cache), known, workers)
    if len(data) < 2:
        raise UserError(f"{among} has nothing to choose from", f"{len(data)} object")
    features = yield from _features(model, data, Path(cache))
    yield Catalogue(data, features)


def suggest(model: Model, found: Catalogue, picture: np.ndarray | str | Path, count: int = 8) -> Suggested:
    """The objects of a catalogue that a picture is most like.

    Args:
        model: Has the encoder.
        found: The known objects.
        picture: A file, or pixels uint8 `[H, W]` or `[H, W, 3]`.
        count: How many objects, 1 or more.

    Raises:
        UserError: For a picture that cannot be read or shows nothing.
    """
    if count < 1:
        raise UserError("count must be at least 1", count)
    name = "picture" if isinstance(picture, np.ndarray) else str(picture)
    pixels = picture if isinstance(picture, np.ndarray) else read_picture(picture)
    facts = model.facts
    pickup = frame_object(pixels, facts.view_size, facts.image_channels, name)
    seen = prior.encode(model, pickup.image[None])[0]
    rows, similarities = nearest_neighbours(found.features, seen, count)
    data = found.data
    shapes = data.voxels(rows).astype(np.float32)
    return Suggested(pickup, tuple(
        Known(data.id(row), data.class_names[data.labels[row]], float(similarity), Shape(shape), int(row))
        for row, similarity, shape in zip(rows, similarities, shapes, strict=True)
    ), seen)


def nearest_neighbours(
    features: Float[np.ndarray, "n latent"], seen: Float[np.ndarray, " latent"], count: int
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """The rows of `features` most similar to `seen`, and their cosine similarities, the most similar first.

    Of equals the earlier row comes first.
    """
    similarities = cosine_similarities(features, features, seen)
    rows = np.argsort(-similarities, kind="stable")[:count]
    return rows, similarities[rows]


def cosine_similarities(
    features: Float[np.ndarray, "n latent"],
    known: Float[np.ndarray, "k latent"],
    seen: Float[np.ndarray, " latent"],
) -> Float[np.ndarray, " k"]:
    """Cosine similarity of each of `known` with `seen`.

    All are first standardised with the mean and the standard deviation of the catalogue's `features`.
    """
    deviation = features.std(0, dtype=np.float64)
    scale = np.maximum(deviation, _LEAST * deviation.max() + 1e-12)
    middle = features.mean(0, dtype=np.float64)
    known, asked = (known - middle) / scale, (seen - middle) / scale
    return known @ asked / np.maximum(np.linalg.norm(known, axis=1) * np.linalg.norm(asked), 1e-12)


def _opened(
    model: Model, source: str, cache: Path, known: int | None, workers: int | None
) -> Generator[Progress, None, OpenedData]:
    """The source as a prepared dataset with views that the model reads: itself, or prepared into the cache."""
    if known is not None and known < 1:
        raise UserError("known must be at least 1", known)
    facts = model.facts
    if is_prepared(source):
        data = open_dataset(source)
        if data.views_per_shape and (data.view_size, data.channels) == (facts.view_size, facts.image_channels):
            return data
    if is_generated(source):
        known = known or MADE
    options = {"resolution": facts.resolution, "views": VIEWS, "view_size": facts.view_size,
               "channels": facts.image_channels, "count": known}
    folder = cache_folder(source, cache, options)
    for event in fill(source, folder, {**options, "workers": workers}):
        if isinstance(event, Progress | Skipped):
            yield Progress("rendering known objects", event.done, event.total)
    return open_cached(folder)


def _features(
    model: Model, data: OpenedData, cache: Path
) -> Generator[Progress, None, Float32[np.ndarray, "n latent"]]:
    """What the encoder sees in each row; kept in the cache under the encoder's weights."""
    prepared = [[str(path.resolve()), info.fingerprint, (path / SIDECAR).stat().st_mtime_ns]
                for path, info in zip(data.paths, data.infos, strict=True)]
    shape = (len(data), model.facts.latent)
    path = cache / f"features-{_key([_looks(model), prepared, VIEWS])[:16]}.npz"
    features = _stored(path, shape)
    if features is not None:
        return features
    features = np.zeros(shape, np.float32)
    views = min(VIEWS, data.views_per_shape)
    for start in range(0, len(data), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(data)))
        seen = [prior.encode(model, views_of(data.views(rows, np.full(len(rows), view)))) for view in range(views)]
        features[rows] = np.stack(seen).mean(0)
        yield Progress("looking at known objects", int(rows[-1]) + 1, len(data))
    with atomic_path(path) as unfinished:
        np.savez(unfinished, features=features)
    return features


def _stored(path: Path, shape: tuple[int, int]) -> Float32[np.ndarray, "n latent"] | None:
    """The features in a file of the cache; None if there is no such file, or it is damaged."""
    try:
        features = npz_arrays(path, ("features",))["features"]
    except UserError:
        return None
    fits = features.shape == shape and features.dtype == np.float32 and np.isfinite(features).all()
    return features if fits else None


def _looks(model: Model) -> list[object]:
    """What the model's encoder sees in a picture of noise, on which its features depend; rounded, for all runtimes."""
    facts = model.facts
    noise = np.random.default_rng(0).random((1, facts.image_channels, facts.view_size, facts.view_size), np.float32)
    return np.round(prior.encode(model, noise)[0].astype(np.float64), 3).tolist()


def _key(content: Sequence[object]) -> str:
    """The checksum of plain values."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
