"""What a loaded model gives to the measures that ask for its networks or for new shapes."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from maquette.errors import UserError
from maquette.evaluate.generation import Plan, evaluate_generation
from maquette.evaluate.recognition import evaluate_recognition
from maquette.hub import Model, load
from maquette.latent.prior import decode, draw


def recognition(model: Model, path: str, cache: str, **options) -> Iterator[object]:
    """`evaluate_recognition` with the model's critic; UserError for a model that came without it."""
    if "critic" not in model.system.kept():
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

    known = set(model.info.get("labels", [])) if "mean" in model.latents else set()

    def make(kinds: Sequence[str]) -> np.ndarray:
        latents = torch.stack([draw(model, seed, k, name if name in known else "") for k, name in enumerate(kinds)])
        return decode(model, latents)

    yield from evaluate_generation(
        make, features, path, cache, resolution=resolution, threshold=model.threshold, kind=kind,
        plan=Plan(samples=limit or Plan.samples, many=max(Plan.many, limit or 0), turns=turns), seed=seed,
    )
