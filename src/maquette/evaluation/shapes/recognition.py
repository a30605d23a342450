"""Recognition by what a discriminator has learned without labels: its responses and a linear SVM.

Wu et al., NIPS 2016 (arXiv 1610.07584), section 4.2: the responses of the second, third and fourth layer, max-pooled to
2x2x2 places (kernels 8, 4 and 2 at 64 voxels), concatenated, and a linear SVM on them.

Differs from the paper: each shape is shown in `turns` orientations about the up axis. Each orientation is one sample
for the SVM, and a test shape's class is that of the margins summed over its orientations; 1 gives the paper's form. The
SVM's C is picked on a tenth of the training split.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from maquette.datasets.cache import shapes_of
from maquette.datasets.opened import OpenedData
from maquette.datasets.orientations import check
from maquette.evaluation.report import Cell, Measured
from maquette.events import Progress
from maquette.extras import require

COSTS = (0.0003, 0.001, 0.003, 0.01, 0.03)
"""The values of the SVM's C that are tried."""


@runtime_checkable
class _LinearSVM(Protocol):
    """What is used of scikit-learn's fitted LinearSVC, which has no types."""

    classes_: np.ndarray

    def fit(self, samples: np.ndarray, labels: np.ndarray) -> "_LinearSVM":
        """Fit to samples `[s, F]` of classes `[s]`."""

    def decision_function(self, samples: np.ndarray) -> np.ndarray:
        """The margins of samples `[s, F]`: `[s, K]`, or `[s]` for two classes."""


def critic_responses(critic: nn.Module, voxels: Float[Tensor, "batch 1 r r r"]) -> Float[Tensor, "batch features"]:
    """Responses of a critic's second, third and fourth layer, each max-pooled to 2x2x2 and flattened.

    Args:
        critic: A critic of shapes; its `layers` are a sequence in which a LeakyReLU ends each layer. A critic of three
            layers gives the responses of its second and third.
        voxels: Occupancy in [0, 1].

    Raises:
        TypeError: For a network without such layers.
    """
    layers = critic.get_submodule("layers")
    if not isinstance(layers, nn.Sequential):
        raise TypeError(f"a critic's layers must be a Sequential, got {type(layers).__name__}")
    pooled: list[Tensor] = []
    x: Tensor = voxels
    for layer in layers:
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            pooled.append(F.adaptive_max_pool3d(x, 2).flatten(1))
        if len(pooled) == 4:
            break
    return torch.cat(pooled[1:], dim=1).float()


def evaluate_recognition(
    critic: nn.Module, path: str | Path, cache: str | Path, *, resolution: int, turns: int = 4, seed: int = 0,
    limit: int | None = None,
) -> Iterator[Progress | Measured]:
    """Accuracy, on the test split, of a linear SVM that is trained on a critic's responses to the training split.

    Args:
        critic: See `critic_responses`; in evaluation mode.
        path: ModelNet's archive or tree.
        cache: Folder for the prepared shapes, which are used again.
        resolution: Voxels a side that the critic reads.
        turns: Orientations of each shape, 1, 2, 3, 4, 6 or 12; time and memory grow with them.
        seed: Of the part of the training split on which C is picked, and of the SVM.
        limit: Shapes of each split at most; None for all.

    Yields:
        Progress, then the accuracy by class and over all shapes.

    Raises:
        UserError: For another number of orientations and for data that cannot be prepared.
    """
    check("turns", turns)
    train = yield from shapes_of(path, cache, "train", resolution, limit, turns)
    test = yield from shapes_of(path, cache, "test", resolution, limit, turns)
    train_x = yield from _responses_to_all(critic, train, turns, "reading the train shapes' responses")
    test_x = yield from _responses_to_all(critic, test, turns, "reading the test shapes' responses")
    names = train.class_names
    train_y = train.labels[::turns]
    test_y = np.array([names.index(test.class_names[k]) for k in test.labels[::turns]])
    samples, length = train_x.shape[0] * turns, train_x.shape[2]
    doing = f"training the SVM on {samples} samples of {length} responses ({samples * length * 8 / 1e9:.1f} GB)"
    yield Progress(doing, 0, len(COSTS) + 1)
    mean, deviation = train_x.mean((0, 1)), train_x.std((0, 1))
    deviation[deviation < 1e-6] = 1  # a response that is always the same
    for responses in (train_x, test_x):  # in place: 12 turns of ModelNet10 are most of a gigabyte
        responses -= mean
        responses /= deviation
    held_out = np.random.default_rng(seed).permutation(len(train_y)) < max(len(train_y) // 10, 1)
    scores = []
    for number, cost in enumerate(COSTS):
        svm = _fit_svm(train_x[~held_out], train_y[~held_out], cost, seed)
        scores.append(float((_predict_classes(svm, train_x[held_out]) == train_y[held_out]).mean()))
        yield Progress(doing, number + 1, len(COSTS) + 1)
    cost = COSTS[int(np.argmax(scores))]
    right = _predict_classes(_fit_svm(train_x, train_y, cost, seed), test_x) == test_y
    yield Progress(doing, len(COSTS) + 1, len(COSTS) + 1)
    rows: list[tuple[Cell, ...]] = [
        (name, int((test_y == k).sum()), float(right[test_y == k].mean()))
        for k, name in enumerate(names) if (test_y == k).any()]
    rows.append(("all shapes", len(test_y), float(right.mean())))
    details = {"accuracy": float(right.mean()), "cost": cost, "held_out_accuracy": max(scores), "turns": turns,
               "features": train_x.shape[2], "training_shapes": len(train_y), "seed": seed}
    title = f"Recognition on the test split: a linear SVM (C {cost:g}) on the critic's responses, {turns} turns"
    yield Measured(title, ("class", "shapes", "accuracy"), tuple(rows), details)


def _responses_to_all(
    critic: nn.Module, data: OpenedData, turns: int, doing: str
) -> Generator[Progress, None, Float[np.ndarray, "n turns features"]]:
    """The responses to every shape in each orientation, float32. data: one row for each orientation."""
    parts = []
    for start in range(0, len(data), 64):
        voxels = torch.from_numpy(data.voxels(range(start, min(start + 64, len(data))))).float()
        with torch.inference_mode():
            parts.append(critic_responses(critic, voxels.unsqueeze(1)).numpy())
        yield Progress(doing, min(start + 64, len(data)), len(data))
    return np.concatenate(parts).reshape(len(data) // turns, turns, -1)


def _fit_svm(
    features: Float[np.ndarray, "n turns features"], labels: Int[np.ndarray, " n"], cost: float, seed: int
) -> _LinearSVM:
    """A linear SVM, one class against the rest; every orientation is one sample."""
    require("sklearn", "train")
    from sklearn.svm import LinearSVC

    samples = features.reshape(-1, features.shape[2])
    svm: _LinearSVM = LinearSVC(C=cost, dual=False, random_state=seed)
    return svm.fit(samples, labels.repeat(features.shape[1]))


def _predict_classes(svm: _LinearSVM, features: Float[np.ndarray, "n turns features"]) -> Int[np.ndarray, " n"]:
    """The class of each shape: that of the largest margin, summed over its orientations."""
    margins = svm.decision_function(features.reshape(-1, features.shape[2]))
    if margins.ndim == 1:  # two classes: the margin of the second
        margins = np.stack([-margins, margins], axis=1)
    return svm.classes_[margins.reshape(len(features), features.shape[1], -1).sum(1).argmax(1)]
