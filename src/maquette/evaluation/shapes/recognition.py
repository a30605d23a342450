"""Recognition by what a discriminator has learned without labels: its responses and a linear SVM.

Wu et al., NIPS 2016 (arXiv 1610.07584), section 4.2: the responses of the second, third and fourth layer, max-pooled to
2x2x2 places (kernels 8, 4 and 2 at 64 voxels), concatenated, and a linear SVM on them.

Differs from the paper: a shape is seen in `turns` orientations about the up axis, each one a sample for the SVM, and a
test shape's class is that of the summed margins over its turns; 1 gives the paper's form. The SVM's C is picked on a
tenth of the training split.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maquette.datasets.cache import shapes_of
from maquette.datasets.format import OpenedData
from maquette.datasets.orientations import check
from maquette.evaluation.report import Measured
from maquette.events import Progress
from maquette.extras import require

COSTS = (0.0003, 0.001, 0.003, 0.01, 0.03)
"""The SVM's C is one of these."""


def responses(critic: nn.Module, voxels: Tensor) -> Tensor:
    """Responses of a critic's second, third and fourth layer, each max-pooled to 2x2x2, `[B, F]`.

    Args:
        voxels: `[B, 1, R, R, R]` in [0, 1]. A critic of three layers gives those of its second and third.
    """
    found, x = [], voxels
    for layer in critic.layers:
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            found.append(F.adaptive_max_pool3d(x, 2).flatten(1))
        if len(found) == 4:
            break
    return torch.cat(found[1:], dim=1).float()


def evaluate_recognition(
    critic: nn.Module, path: str | Path, cache: str | Path, *, resolution: int, turns: int = 4, seed: int = 0,
    limit: int | None = None,
) -> Iterator[Progress | Measured]:
    """Accuracy on the test split of a linear SVM on a critic's responses to the training split.

    Args:
        critic: With `layers`, in evaluation mode.
        path: ModelNet's archive or tree.
        turns: Orientations of each shape, 1, 2, 3, 4, 6 or 12; time and memory grow with them.
        limit: Shapes of each split.

    Yields:
        Progress, then the accuracy by class and over all.
    """
    check("turns", turns)
    train = yield from shapes_of(path, cache, "train", resolution, limit, turns)
    test = yield from shapes_of(path, cache, "test", resolution, limit, turns)
    features = {}
    for name, data in (("train", train), ("test", test)):
        features[name] = yield from _features(critic, data, turns, f"reading the {name} shapes' responses")
    names = train.class_names
    known, asked = train.labels[::turns], np.array([names.index(test.class_names[k]) for k in test.labels[::turns]])
    known_x, asked_x = features["train"], features["test"]
    samples, length = known_x.shape[0] * turns, known_x.shape[2]
    doing = f"training the SVM on {samples} samples of {length} responses ({samples * length * 8 / 1e9:.1f} GB)"
    yield Progress(doing, 0, len(COSTS) + 1)
    mean, deviation = known_x.mean((0, 1)), known_x.std((0, 1))
    deviation[deviation < 1e-6] = 1  # a response that is always the same
    for found in (known_x, asked_x):  # in place: 12 turns of ModelNet10 are most of a gigabyte
        found -= mean
        found /= deviation
    held_out = np.random.default_rng(seed).permutation(len(known)) < max(len(known) // 10, 1)
    scores = []
    for number, cost in enumerate(COSTS):
        machine = _fitted(known_x[~held_out], known[~held_out], cost, seed)
        scores.append(float((_classes(machine, known_x[held_out]) == known[held_out]).mean()))
        yield Progress(doing, number + 1, len(COSTS) + 1)
    cost = COSTS[int(np.argmax(scores))]
    right = _classes(_fitted(known_x, known, cost, seed), asked_x) == asked
    yield Progress(doing, len(COSTS) + 1, len(COSTS) + 1)
    rows = [(name, int((asked == k).sum()), float(right[asked == k].mean())) for k, name in enumerate(names)
            if (asked == k).any()]
    rows.append(("all shapes", len(asked), float(right.mean())))
    details = {"accuracy": float(right.mean()), "cost": cost, "held_out_accuracy": max(scores), "turns": turns,
               "features": known_x.shape[2], "training_shapes": len(known), "seed": seed}
    title = f"Recognition on the test split: a linear SVM (C {cost:g}) on the critic's responses, {turns} turns"
    yield Measured(title, ("class", "shapes", "accuracy"), tuple(rows), details)


def _features(critic: nn.Module, data: OpenedData, turns: int, doing: str):
    """Responses to every shape in each turn, float32 `[n, turns, F]`; yields progress. data: a row for each turn."""
    found = []
    for start in range(0, len(data), 64):
        voxels = torch.from_numpy(data.voxels(range(start, min(start + 64, len(data))))).float()
        with torch.inference_mode():
            found.append(responses(critic, voxels.unsqueeze(1)).numpy())
        yield Progress(doing, min(start + 64, len(data)), len(data))
    return np.concatenate(found).reshape(len(data) // turns, turns, -1)


def _fitted(features: np.ndarray, labels: np.ndarray, cost: float, seed: int):
    """A linear SVM, one class against the rest, on every turn as a sample of its own."""
    require("sklearn", "train")
    from sklearn.svm import LinearSVC

    samples = features.reshape(-1, features.shape[2])
    return LinearSVC(C=cost, dual=False, random_state=seed).fit(samples, labels.repeat(features.shape[1]))


def _classes(machine, features: np.ndarray) -> np.ndarray:
    """The class of each shape: that of the largest margin, summed over its turns."""
    margins = machine.decision_function(features.reshape(-1, features.shape[2]))
    if margins.ndim == 1:  # two classes: the margin of the second
        margins = np.stack([-margins, margins], axis=1)
    return machine.classes_[margins.reshape(len(features), features.shape[1], -1).sum(1).argmax(1)]
