"""Gives a loaded model to the right measurement: its answers, its networks, or new shapes and images from it."""

import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from jaxtyping import Float

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.generation import GenerationOptions, ShapeFeatures, evaluate_generation
from maquette.evaluation.shapes.recognition import evaluate_recognition
from maquette.events import Progress
from maquette.extras import require
from maquette.intake.pickup import frame_object
from maquette.models.hub import Model, load
from maquette.models.predict import occupancy, require_scans
from maquette.models.prior import decode, draw
from maquette.models.sampling import batches_of_images
from maquette.systems.base import CRITIC
from maquette.types import Pixels

if TYPE_CHECKING:
    from maquette.evaluation.reader_study.study import StudyMade

BENCHMARKS = ("modelnet10", "ikea", "scans", "recognition", "generation")
"""The names of the measurements of shapes; images are measured beside a folder or dataset of real ones."""


def measure(
    model: Model, on: str, path: str, *, views: int, limit: int | None, seed: int, cache: str, kind: str, turns: int,
    classifier: str, inception: str, out: str | Path,
) -> Iterator[Progress | Measured]:
    """Run the measurement that fits a model and a benchmark; the arguments are those of `maquette.api.evaluate`.

    Yields:
        Progress, then one `Measured`.

    Raises:
        UserError: For a model that cannot be measured so, and for data that are missing.
    """
    if on not in BENCHMARKS or model.system.makes.images:
        yield from _measure_images(model, on, out, shapes=path, inception=inception, seed=seed, limit=limit)
        return
    if on == "scans":
        require_scans(model)
    elif on in ("modelnet10", "ikea") and model.system.reads is not Reads.VIEWS:
        raise UserError(f"model '{model.name}' does not read pictures, so there is nothing to measure on {on}")
    if not path or not Path(path).exists():
        raise UserError("no data there", repr(path), "name them with --data.path")
    if on == "recognition":
        yield from _measure_recognition(model, path, cache, turns=turns or 4, seed=seed, limit=limit)
    elif on == "generation":
        yield from _measure_generation(model, path, cache, kind, turns or 1, classifier, seed, limit)
    elif on == "ikea":
        yield from _measure_photos(model, path, limit=limit, kind=kind)
    elif on == "modelnet10":
        yield from _measure_views(model, path, cache, views, limit=limit, seed=seed)
    else:
        yield from _measure_scans(model, path, cache, views, limit=limit, seed=seed)


def study(
    model: Model, real: str | Path, out: str | Path, *, count: int = 20, seed: int | None = None
) -> Iterator["Progress | StudyMade"]:
    """Make a reader study of a model's images and real ones; the arguments are those of `maquette.api.make_study`.

    Yields:
        Progress, then one `StudyMade`.

    Raises:
        UserError: For a model that makes no images, and as `make_study` does.
    """
    from maquette.evaluation.reader_study.study import make_study

    shape = _image_shape(model)
    generate = partial(batches_of_images, model, seed=secrets.randbits(31) if seed is None else seed)
    return make_study(generate, shape, real, out, count=count, seed=seed, model=Path(model.name).name)


def _measure_views(
    model: Model, path: str, cache: str, views: int, *, limit: int | None, seed: int
) -> Iterator[Progress | Measured]:
    """`evaluate_modelnet` with the model's reconstructions."""
    from maquette.evaluation.shapes.modelnet import evaluate_modelnet

    config = model.system.config
    yield from evaluate_modelnet(
        partial(occupancy, model), path, cache, resolution=config.resolution, view_size=config.view_size,
        channels=config.image_channels, threshold=model.threshold, views=views, limit=limit, seed=seed,
    )


def _measure_scans(
    model: Model, path: str, cache: str, scans: int, *, limit: int | None, seed: int
) -> Iterator[Progress | Measured]:
    """`evaluate_scans` with the model's completions."""
    from maquette.evaluation.shapes.scans import evaluate_scans

    yield from evaluate_scans(
        partial(occupancy, model), path, cache, resolution=model.system.config.resolution, threshold=model.threshold,
        scans=scans, limit=limit, seed=seed,
    )


def _measure_photos(model: Model, path: str, *, limit: int | None, kind: str) -> Iterator[Progress | Measured]:
    """`evaluate_ikea` with the model's reconstructions of the objects that are found in the photos."""
    from maquette.evaluation.shapes.ikea import evaluate_ikea

    config = model.system.config

    def reconstruct(pictures: Sequence[Pixels]) -> Float[np.ndarray, "n r r r"]:
        framed = [frame_object(picture, config.view_size, config.image_channels).image for picture in pictures]
        return occupancy(model, np.stack(framed))

    yield from evaluate_ikea(reconstruct, path, limit=limit, kind=kind)


def _measure_recognition(
    model: Model, path: str, cache: str, *, turns: int, seed: int, limit: int | None
) -> Iterator[Progress | Measured]:
    """`evaluate_recognition` with the model's critic; UserError for a model that came without it."""
    critic = model.system.critic
    if critic is None or CRITIC not in model.system.saved_networks():
        raise UserError(f"model '{model.name}' came without its critic, whose responses are measured here",
                        hint="models of 3D-GAN and 3D-IWGAN have theirs")
    yield from evaluate_recognition(critic, path, cache, resolution=model.system.config.resolution, turns=turns,
                                    seed=seed, limit=limit)


def _measure_generation(
    model: Model, path: str, cache: str, kind: str, turns: int, classifier: str, seed: int, limit: int | None
) -> Iterator[Progress | Measured]:
    """`evaluate_generation` with new shapes of the model; classifier: the name of a model, or empty for none."""
    resolution = model.system.config.resolution
    features = _classifier_features(classifier, resolution) if classifier else None
    known = set(model.info.get("class_names", [])) if "mean" in model.latents else set()

    def generate(classes: Sequence[str]) -> Float[np.ndarray, "count r r r"]:
        latents = np.stack([draw(model, seed, k, name if name in known else "") for k, name in enumerate(classes)])
        return decode(model, latents)

    options = GenerationOptions(
        samples=limit or GenerationOptions.samples, many=max(GenerationOptions.many, limit or 0), turns=turns)
    yield from evaluate_generation(generate, features, path, cache, resolution=resolution, threshold=model.threshold,
                                   kind=kind, options=options, seed=seed)


def _classifier_features(name: str, resolution: int) -> ShapeFeatures:
    """The features of a classifier of shapes; UserError for a model that is none or reads another resolution."""
    judge = load(name, runtime="torch")
    if judge.system.name != "classifier":
        hint = "train one: maquette train classifier"
        raise UserError(f"model '{name}' is no classifier", judge.system.name, hint)
    if judge.system.config.resolution != resolution:
        reads = judge.system.config.resolution
        raise UserError(f"the classifier must read the model's {resolution} voxels a side", reads)
    return cast(ShapeFeatures, judge.system.nets["classifier"].features)


def _measure_images(
    model: Model, on: str, out: str | Path, *, shapes: str, inception: str, seed: int, limit: int | None
) -> Iterator[Progress | Measured]:
    """`evaluate_images` with images that the model makes; `evaluate_fields` for GRAF and 3DGEN."""
    require("matplotlib", "train")
    from maquette.evaluation.images.evaluate import evaluate_images
    from maquette.evaluation.images.options import ImageMeasureOptions

    if not Path(on).exists():
        if on in BENCHMARKS:
            raise UserError(f"model '{model.name}' makes images, which are not measured on {on}",
                            hint="name real images with --on DIR")
        hint = f"it knows {', '.join(BENCHMARKS)}, and prepared datasets and folders of images"
        raise UserError("nothing of this name to measure on", repr(on), hint)
    shape = _image_shape(model)
    if limit is not None and limit < 8:
        raise UserError("limit must be 8 images or more", limit)
    if model.system.makes is Makes.FIELD:
        from maquette.evaluation.fields import evaluate
        from maquette.evaluation.fields.evaluate import FieldMeasureOptions

        options = FieldMeasureOptions()
        if limit is not None:
            options = FieldMeasureOptions(images=limit, meshes=min(limit, FieldMeasureOptions.meshes))
        yield from evaluate.evaluate_fields(model, on, out, shapes=shapes, inception=inception, options=options,
                                            seed=seed)
        return
    generate = partial(batches_of_images, model, seed=seed)
    yield from evaluate_images(generate, shape, on, out, model=Path(model.name).name, inception=inception,
                               options=ImageMeasureOptions(most=limit or ImageMeasureOptions.most), seed=seed)


def _image_shape(model: Model) -> tuple[int, ...]:
    """(H, W) or (H, W, 3) of the images that a model makes; UserError for a model that makes none."""
    if not model.system.makes.images:
        raise UserError(f"model '{model.name}' makes no images: it is a {model.system.name}",
                        hint="use one trained with wgan-gp")
    config = model.system.config
    return (config.height, config.width) + ((3,) if config.channels == 3 else ())
