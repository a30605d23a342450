"""What a loaded model gives to each of the measures: its answers, its networks, or new shapes and images."""

import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from maquette.errors import UserError
from maquette.evaluation.shapes.generation import GenerationOptions, evaluate_generation
from maquette.evaluation.shapes.recognition import evaluate_recognition
from maquette.intake.pickup import frame_object
from maquette.models.hub import Model, load
from maquette.models.predict import occupancy, require_scans
from maquette.models.prior import decode, draw
from maquette.models.sampling import batches_of_images
from maquette.systems.capabilities import Makes, Reads

BENCHMARKS = ("modelnet10", "ikea", "scans", "recognition", "generation")
"""What shapes are measured on, by name; images are measured on images."""


def measure(
    model: Model, on: str, path: str, *, views: int, limit: int | None, seed: int, cache: str, kind: str, turns: int,
    classifier: str, inception: str, out: str | Path,
) -> Iterator[object]:
    """See `maquette.api.evaluate`."""
    if on not in BENCHMARKS or model.system.makes.images:
        yield from images(model, on, out, shapes=path, inception=inception, seed=seed, limit=limit)
        return
    if on == "scans":
        require_scans(model)
    elif on in ("modelnet10", "ikea") and model.system.reads is not Reads.VIEWS:
        raise UserError(f"model '{model.name}' does not read pictures, so there is nothing to measure on {on}")
    if not path or not Path(path).exists():
        raise UserError("no data there", repr(path), "name them with --data.path")
    if on == "recognition":
        yield from recognition(model, path, cache, turns=turns or 4, seed=seed, limit=limit)
    elif on == "generation":
        yield from generation(model, path, cache, kind, turns or 1, classifier, seed, limit)
    elif on == "ikea":
        yield from photos(model, path, limit=limit, kind=kind)
    else:
        test_split = views_of_shapes if on == "modelnet10" else scans_of_shapes
        yield from test_split(model, path, cache, views, limit=limit, seed=seed)


def views_of_shapes(model: Model, path: str, cache: str, views: int, **options) -> Iterator[object]:
    """`evaluate_modelnet` with the model's reconstructions."""
    from maquette.evaluation.shapes.modelnet import evaluate_modelnet

    config = model.system.config
    yield from evaluate_modelnet(
        partial(occupancy, model), path, cache, resolution=config.resolution, view_size=config.view_size,
        channels=config.image_channels, threshold=model.threshold, views=views, **options,
    )


def scans_of_shapes(model: Model, path: str, cache: str, scans: int, **options) -> Iterator[object]:
    """`evaluate_scans` with the model's completions."""
    from maquette.evaluation.shapes.scans import evaluate_scans

    yield from evaluate_scans(
        partial(occupancy, model), path, cache, resolution=model.system.config.resolution, threshold=model.threshold,
        scans=scans, **options,
    )


def photos(model: Model, path: str, **options) -> Iterator[object]:
    """`measure_ikea` with the model's reconstructions of what is found in the photos."""
    from maquette.evaluation.shapes.ikea import measure_ikea

    config = model.system.config

    def predict(pictures: list[np.ndarray]) -> np.ndarray:
        found = [frame_object(picture, config.view_size, config.image_channels).image for picture in pictures]
        return occupancy(model, np.stack(found))

    yield from measure_ikea(predict, path, **options)


def recognition(model: Model, path: str, cache: str, **options) -> Iterator[object]:
    """`evaluate_recognition` with the model's critic; UserError for a model that came without it."""
    if "critic" not in model.system.saved_networks():
        raise UserError(f"model '{model.name}' came without its critic, whose responses are measured here",
                        hint="models of 3D-GAN and 3D-IWGAN have theirs")
    critic, resolution = model.system.nets["critic"], model.system.config.resolution
    yield from evaluate_recognition(critic, path, cache, resolution=resolution, **options)


def generation(
    model: Model, path: str, cache: str, kind: str, turns: int, classifier: str, seed: int, limit: int | None
) -> Iterator[object]:
    """`evaluate_generation` with shapes that the model makes, in the features of a classifier (its name, or empty)."""
    resolution, features = model.system.config.resolution, None
    if classifier:
        judge = load(classifier)
        if judge.system.name != "classifier":
            hint = "train one: maquette train classifier"
            raise UserError(f"model '{classifier}' is no classifier", judge.system.name, hint)
        if judge.system.config.resolution != resolution:
            reads = judge.system.config.resolution
            raise UserError(f"the classifier must read the model's {resolution} voxels a side", reads)
        features = judge.system.nets["classifier"].features

    known = set(model.info.get("class_names", [])) if "mean" in model.latents else set()

    def make(kinds: Sequence[str]) -> np.ndarray:
        latents = torch.stack([draw(model, seed, k, name if name in known else "") for k, name in enumerate(kinds)])
        return decode(model, latents)

    yield from evaluate_generation(
        make,
        features,
        path,
        cache,
        resolution=resolution,
        threshold=model.threshold,
        kind=kind,
        plan=GenerationOptions(
            samples=limit or GenerationOptions.samples, many=max(GenerationOptions.many, limit or 0), turns=turns
        ),
        seed=seed,
    )


def images(
    model: Model, on: str, out: str | Path, *, shapes: str = "", inception: str, seed: int, limit: int | None
) -> Iterator[object]:
    """`evaluate_images` with images that the model makes; `evaluate_fields` of one that makes views of objects."""
    from maquette.evaluation.images.images import evaluate_images
    from maquette.evaluation.images.page import ImageMeasureOptions

    if not Path(on).exists():
        if on in BENCHMARKS:
            raise UserError(f"model '{model.name}' makes images, which are not measured on {on}",
                            hint="name real images with --on DIR")
        hint = f"it knows {', '.join(BENCHMARKS)}, and prepared datasets and folders of images"
        raise UserError("nothing of this name to measure on", repr(on), hint)
    shape = _shape_of_images(model)
    if limit is not None and limit < 8:
        raise UserError("limit must be 8 images or more", limit)
    if model.system.makes is Makes.FIELD:
        from maquette.evaluation.fields import fields

        plan = (
            fields.FieldMeasureOptions()
            if limit is None
            else fields.FieldMeasureOptions(images=limit, meshes=min(limit, fields.FieldMeasureOptions.meshes))
        )
        yield from fields.evaluate_fields(model, on, out, shapes=shapes, inception=inception, plan=plan, seed=seed)
        return
    make = partial(batches_of_images, model, seed=seed)
    yield from evaluate_images(make, shape, on, out, model=Path(model.name).name, inception=inception,
                               plan=ImageMeasureOptions(most=limit or ImageMeasureOptions.most), seed=seed)


def study(
    model: Model, real: str | Path, out: str | Path, *, count: int = 20, seed: int | None = None
) -> Iterator[object]:
    """`make_study` with images that the model makes."""
    from maquette.evaluation.reader_study.study import make_study

    shape = _shape_of_images(model)
    make = partial(batches_of_images, model, seed=secrets.randbits(31) if seed is None else seed)
    return make_study(make, shape, real, out, count=count, seed=seed, model=Path(model.name).name)


def _shape_of_images(model: Model) -> tuple[int, ...]:
    """(H, W) or (H, W, 3) of the images that it makes; UserError for a model that makes none."""
    if not model.system.makes.images:
        raise UserError(f"model '{model.name}' makes no images: it is a {model.system.name}",
                        hint="use one trained with wgan-gp")
    config = model.system.config
    return (config.height, config.width) + ((3,) if config.channels == 3 else ())
