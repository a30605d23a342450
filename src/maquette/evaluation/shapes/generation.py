"""A set of made shapes beside a test split: surfaces, features of a classifier, copies and loose parts.

Clouds of points follow Achlioptas et al., ICML 2018 (MMD, coverage, JSD) and Yang et al., ICCV 2019 (1-NN accuracy);
the Fréchet distance is Heusel et al. 2017's, in the features of a 3D classifier of this project (not Inception's).
Beside the model's column stands one for as many training shapes in its place: what a perfect model could hope for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maquette.datasets.cache import shapes_of
from maquette.datasets.format import OpenedData
from maquette.datasets.orientations import check
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes import generated
from maquette.events import Progress
from maquette.geometry.overlap import is_connected
from maquette.geometry.points import surface_points
from maquette.geometry.shape import Shape

Features = Callable[[Tensor], Tensor]
"""Shapes `[B, 1, R, R, R]` to features `[B, F]`."""
NAMES = ("minimum matching distance x1000", "coverage", "1-NN accuracy (0.5 is best)",
         "minimum matching distance, EMD", "coverage, EMD", "1-NN accuracy, EMD (0.5 is best)",
         "Jensen-Shannon divergence", "Fréchet distance, 3D classifier", "nearest training shape, 1 - IoU",
         "one connected part")


@dataclass(frozen=True)
class GenerationOptions:
    """How much is measured.

    Attributes:
        samples: Made shapes whose surfaces are compared with as many of the test split; fewer, if that has fewer.
        points: Of each surface for the Chamfer distance.
        emd_points: For the earth mover's, which takes the cube of it.
        many: Made shapes for the Fréchet distance, which needs more than it has features.
        turns: 1: shapes face one way; 2, 3, 4, 6 or 12: the test and training shapes come in so many orientations about
            z, as the model was trained.
    """

    samples: int = 100
    points: int = 512
    emd_points: int = 128
    many: int = 1000
    turns: int = 1

    def __post_init__(self):
        for name in ("samples", "points", "emd_points", "many"):
            if getattr(self, name) < 2:
                raise UserError(f"{name} must be 2 or more", getattr(self, name))
        check("turns", self.turns)
        if self.many < self.samples:
            raise UserError("many must be samples or more", f"{self.many} and {self.samples}")


def evaluate_generation(
    make: Callable[[Sequence[str]], np.ndarray], features: Features | None, path: str | Path, cache: str | Path, *,
    resolution: int, threshold: float, kind: str = "", plan: GenerationOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Measure made shapes against a test split, its classes as frequent as in training; yields progress, then a table.

    Args:
        make: A class for each shape, as frequent as in the training split, to occupancy float32 `[count, R, R, R]`; a
            model of no classes makes as many of any.
        features: Of the classifier; None leaves its line out.
        kind: One class of the data; empty: all.
    """
    plan = plan or GenerationOptions()
    train = yield from shapes_of(path, cache, "train", resolution, orientations=plan.turns)
    test = yield from shapes_of(path, cache, "test", resolution, orientations=plan.turns)
    rng = np.random.default_rng(seed)
    (training, kinds), (tested, labels) = (_voxels(data, kind, plan.turns, rng) for data in (train, test))
    classes = [train.class_names[number] for number in kinds]
    alike = matched(labels, np.array([classes.count(name) for name in test.class_names]), rng)
    if len(alike) < 2:
        raise UserError("the test split has too few shapes of the training split's classes to measure by", len(alike))
    tested, labels = tested[alike], labels[alike]
    yield Progress("making shapes", 0, plan.many)
    names = [test.class_names[label] for label in labels]
    asked = [names[place] for place in np.random.default_rng([seed, 1]).integers(len(names), size=plan.many)]
    made = make(asked) >= threshold
    empty = ~made.any((1, 2, 3))
    if empty.all():
        raise UserError("every shape that the model made is empty", hint=f"the threshold is {threshold:g}")
    yield Progress("making shapes", plan.many, plan.many)

    few = min(plan.samples, len(tested))
    pick = rng.permutation(len(tested))[:few]
    stand_in = training[rng.permutation(len(training))[: plan.many]]
    sets = {"real": tested[pick], "made": made[~empty][:few], "training": stand_in[:few]}
    clouds: dict[str, list[np.ndarray]] = {}
    for name, voxels in sets.items():
        clouds[name] = []
        for number, grid in enumerate(voxels):
            clouds[name].append(_cloud(grid, plan.points, seed + number))
            if number % 20 == 19:
                yield Progress(f"points on {name} surfaces", number + 1, len(voxels))

    columns: dict[str, list[float]] = {}
    for column, measured, whole in (("made", "made", made), ("training", "training", stand_in)):
        values: list[float] = []
        for distance, count in ((chamfers, plan.points), (earth_movers, plan.emd_points)):
            a, real = ([cloud[:count] for cloud in clouds[name]] for name in (measured, "real"))
            matrices = []
            for step, (left, right) in enumerate(((a, a), (a, real), (real, real))):
                matrices.append(distance(left, right))
                yield Progress(f"{distance.__name__.replace('_', ' ')} of the {column} shapes", step + 1, 3)
            scale = 1000 if distance is chamfers else 1
            values += [scale * generated.minimum_matching_distance(matrices[1]), generated.coverage(matrices[1]),
                       generated.one_nearest_neighbour_accuracy(*matrices)]
        values.append(generated.jensen_shannon(clouds[measured], clouds["real"]))
        values.append(_frechet(features, whole, tested) if features else float("nan"))
        values.append(float(nearest(sets[measured], training, itself=column == "training").mean()))
        values.append(float(np.mean([is_connected(grid) for grid in whole])))
        columns[column] = values
    rows = [(name, *cells) for name, *cells in zip(NAMES, *columns.values(), strict=True)
            if features or "Fréchet" not in name]
    details = {"made": dict(zip(NAMES, columns["made"], strict=True)), "empty": float(empty.mean()),
               "samples": len(sets["made"]), "real": few, "many": len(made), "turns": plan.turns, "kind": kind,
               "threshold": threshold, "seed": seed}
    title = f"{len(sets['made'])} made shapes beside {few} of the test split{f' ({kind})' if kind else ''}"
    yield Measured(title, ("", "the model", "training shapes"), tuple(rows), details)


def matched(labels: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many rows as can be had of which each class has its share, int64 `[m]`, in random order.

    Args:
        labels: `[n]`, the class of each row.
        shares: `[K]`, how frequent each class is to be, up to a factor; a class without rows is left out. Otherwise a
            test split that is made of equally many of each class, as ModelNet10's, is far from its own training split.
    """
    present = np.bincount(labels, minlength=len(shares))
    shares = np.where(present > 0, shares, 0)
    if not shares.any():
        return np.zeros(0, np.int64)
    wanted = shares * np.min(present[shares > 0] / shares[shares > 0])
    rows = [rng.permutation(np.flatnonzero(labels == k))[: int(np.floor(wanted[k] + 1e-9))] for k in range(len(shares))]
    return rng.permutation(np.concatenate(rows))


def chamfers(a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    """`generated.chamfer` of every cloud of `a` to every one of `b`, `[len(a), len(b)]`."""
    others = torch.from_numpy(np.stack(b)).float()  # [M, P, 3]
    found = np.empty((len(a), len(b)))
    for row, cloud in enumerate(a):
        one = torch.from_numpy(cloud).float().expand(len(others), -1, -1)
        for start in range(0, len(b), 16):
            part = slice(start, start + 16)
            squares = torch.cdist(one[part], others[part]).square_()
            found[row, part] = (squares.amin(2).mean(1) + squares.amin(1).mean(1)).numpy()
    return found


def earth_movers(a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    """`generated.earth_movers` of every cloud of `a` to every one of `b`."""
    if a is not b:
        return generated.distances(a, b, generated.earth_movers)
    found = np.zeros((len(a), len(a)))
    for row, cloud in enumerate(a):
        found[row, row + 1 :] = [generated.earth_movers(cloud, other) for other in a[row + 1 :]]
    return found + found.T


def nearest(made: np.ndarray, training: np.ndarray, itself: bool = False) -> np.ndarray:
    """1 - IoU of each made shape and the most similar training shape, `[n]`: 0 for a copy.

    Args:
        made: Bool `[n, R, R, R]`.
        training: See `made`.
        itself: The made shapes are training shapes, each of which is skipped once.
    """
    a = torch.from_numpy(made.reshape(len(made), -1)).float()
    both, whole = [], torch.from_numpy(training.reshape(len(training), -1).sum(1)).float()
    for start in range(0, len(training), 512):
        part = torch.from_numpy(training[start : start + 512].reshape(-1, a.shape[1])).float()
        both.append(a @ part.T)
    shared = torch.cat(both, dim=1)
    ratio = shared / (a.sum(1, keepdim=True) + whole - shared).clamp(min=1)
    best = ratio.topk(2 if itself else 1, dim=1).values[:, -1]
    return (1 - best).numpy()


def _voxels(data: OpenedData, kind: str, turns: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The shapes of one class or all, bool `[n, R, R, R]`, each in one of its orientations, drawn at random, and the
    numbers of their classes.
    """
    if kind and kind not in data.class_names:
        raise UserError("the data have no class of this name", repr(kind), f"they have {', '.join(data.class_names)}")
    rows = np.arange(0, len(data), turns)
    if kind:
        rows = rows[data.labels[rows] == data.class_names.index(kind)]
    return data.voxels(rows + rng.integers(turns, size=len(rows))), data.labels[rows]


def _cloud(grid: np.ndarray, points: int, seed: int) -> np.ndarray:
    """Points on the surface of a grid; of one whose few voxels vanish in smoothing, the centres of these."""
    try:
        return surface_points(Shape(grid.astype(np.float32), 0.5).surface(), points, seed)
    except UserError:
        centres = (np.argwhere(grid) + 0.5) / len(grid) - 0.5
        return centres[np.random.default_rng(seed).integers(len(centres), size=points)]


def _frechet(features: Features, made: np.ndarray, real: np.ndarray) -> float:
    found = []
    for voxels in (made, real):
        with torch.inference_mode():
            parts = torch.from_numpy(voxels).unsqueeze(1).split(64)
            found.append(torch.cat([features(part.float()) for part in parts]).double().numpy())
    return generated.frechet(*found)
