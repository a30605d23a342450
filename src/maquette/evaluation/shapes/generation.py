"""Generated shapes beside a test split: surfaces, features of a classifier, copies and loose parts.

Clouds of points follow Achlioptas et al., ICML 2018 (MMD, coverage, JSD) and Yang et al., ICCV 2019 (1-NN accuracy);
the Fréchet distance is Heusel et al. 2017's, in the features of a 3D classifier of this project (not Inception's).
The model's column has a control beside it: training shapes in its place, as many where sets are compared by features,
which a perfect model could match.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from maquette.datasets.cache import shapes_of
from maquette.datasets.opened import OpenedData
from maquette.datasets.orientations import check
from maquette.errors import UserError
from maquette.evaluation.feature_distances import frechet_distance
from maquette.evaluation.report import Cell, Measured
from maquette.evaluation.shapes import point_clouds
from maquette.evaluation.shapes.point_clouds import Cloud
from maquette.events import Progress
from maquette.geometry.overlap import is_connected
from maquette.geometry.points import surface_points
from maquette.geometry.shape import Shape

GenerateShapes = Callable[[Sequence[str]], Float[np.ndarray, "count r r r"]]
"""The class of each wanted shape to its occupancy in [0, 1]; a model without classes ignores the names."""
ShapeFeatures = Callable[[Float[Tensor, "batch 1 r r r"]], Float[Tensor, "batch features"]]
"""Shapes to the features of a classifier."""
MEASURES = ("minimum matching distance x1000", "coverage", "1-NN accuracy (0.5 is best)",
            "minimum matching distance, EMD", "coverage, EMD", "1-NN accuracy, EMD (0.5 is best)",
            "Jensen-Shannon divergence", "Fréchet distance, 3D classifier", "nearest training shape, 1 - IoU",
            "one connected part")
"""The rows of the table."""


@dataclass(frozen=True)
class GenerationOptions:
    """How much is measured."""

    samples: int = 100
    """Generated shapes whose surfaces are compared with as many of the test split; fewer where that has fewer."""
    points: int = 512
    """Points of each surface for the Chamfer distance."""
    emd_points: int = 128
    """Points of each surface for the earth mover's distance, which takes the cube of their number."""
    many: int = 1000
    """Generated shapes for the Fréchet distance; it needs more of them than there are features."""
    turns: int = 1
    """Orientations about z of the test and training shapes, as in the model's training: 1, 2, 3, 4, 6 or 12; 1: all
    shapes face one way."""

    def __post_init__(self) -> None:
        for name in ("samples", "points", "emd_points", "many"):
            if getattr(self, name) < 2:
                raise UserError(f"{name} must be 2 or more", getattr(self, name))
        check("turns", self.turns)
        if self.many < self.samples:
            raise UserError("many must be samples or more", f"{self.many} and {self.samples}")


def evaluate_generation(
    generate: GenerateShapes, features: ShapeFeatures | None, path: str | Path, cache: str | Path, *, resolution: int,
    threshold: float, kind: str = "", options: GenerationOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Measure generated shapes against a test split in which classes are as frequent as in training.

    Args:
        generate: The model.
        features: The classifier's features for the Fréchet distance; None leaves that line out.
        path: The data: an archive or folder that `maquette data prepare` reads.
        cache: Folder for the prepared shapes, which are used again.
        resolution: Voxels a side.
        threshold: Occupancy from which a generated voxel counts as filled.
        kind: One class of the data; empty for all.
        options: How much is measured; None for the defaults.
        seed: Of all choices and points.

    Yields:
        Progress, then a table with the model's column and the control's.

    Raises:
        UserError: For an unknown class, too few test shapes, and a model whose shapes are all empty.
    """
    options = options or GenerationOptions()
    train = yield from shapes_of(path, cache, "train", resolution, orientations=options.turns)
    test = yield from shapes_of(path, cache, "test", resolution, orientations=options.turns)
    rng = np.random.default_rng(seed)
    training, training_labels = _shapes_of_class(train, kind, options.turns, rng)
    tested, labels = _shapes_of_class(test, kind, options.turns, rng)
    classes = [train.class_names[number] for number in training_labels]
    shares = np.array([classes.count(name) for name in test.class_names])
    chosen = match_class_frequencies(labels, shares, rng)
    if len(chosen) < 2:
        raise UserError("the test split has too few shapes of the training split's classes to measure by", len(chosen))
    tested, labels = tested[chosen], labels[chosen]
    yield Progress("making shapes", 0, options.many)
    names = [test.class_names[label] for label in labels]
    wanted = [names[place] for place in np.random.default_rng([seed, 1]).integers(len(names), size=options.many)]
    generated = generate(wanted) >= threshold
    empty = ~generated.any((1, 2, 3))
    if empty.all():
        raise UserError("every shape that the model made is empty", hint=f"the threshold is {threshold:g}")
    yield Progress("making shapes", options.many, options.many)

    few = min(options.samples, len(tested))
    real = tested[rng.permutation(len(tested))[:few]]
    control = training[rng.permutation(len(training))[: options.many]]
    subsets = {"real": real, "made": generated[~empty][:few], "training": control[:few]}
    clouds: dict[str, list[Cloud]] = {}
    for name, grids in subsets.items():
        clouds[name] = yield from _surface_clouds(name, grids, options.points, seed)

    alike = min(len(generated), len(control))  # the Fréchet distance is larger for fewer shapes: as many in each set
    columns: dict[str, list[float]] = {}
    for name, whole in (("made", generated), ("training", control)):
        values = yield from _cloud_measures(name, clouds[name], clouds["real"], options)
        values.append(_feature_distance(features, whole[:alike], tested) if features else float("nan"))
        nearest = distance_to_nearest_shape(subsets[name], training, skip_itself=name == "training")
        values.append(float(nearest.mean()))
        values.append(float(np.mean([is_connected(grid) for grid in whole])))
        columns[name] = values
    rows: list[tuple[Cell, ...]] = [
        (name, *cells) for name, *cells in zip(MEASURES, columns["made"], columns["training"], strict=True)
        if features or "Fréchet" not in name]
    details = {"made": dict(zip(MEASURES, columns["made"], strict=True)), "empty": float(empty.mean()),
               "samples": len(subsets["made"]), "real": few, "many": len(generated), "frechet_shapes": alike,
               "turns": options.turns,
               "kind": kind, "threshold": threshold, "seed": seed}
    title = f"{len(subsets['made'])} made shapes beside {few} of the test split{f' ({kind})' if kind else ''}"
    yield Measured(title, ("", "the model", "training shapes"), tuple(rows), details)


def match_class_frequencies(
    labels: Int[np.ndarray, " n"], shares: Int[np.ndarray, " classes"], rng: np.random.Generator
) -> Int[np.ndarray, " m"]:
    """As many rows as can be had so that each class is as frequent as wanted.

    Without it a test split with equally many shapes of each class, as ModelNet10's, is far from its own training split.

    Args:
        labels: The class of each row.
        shares: How frequent each class is to be, up to a common factor; a class without rows is left out.
        rng: Chooses the rows.

    Returns:
        Numbers of rows, in random order.
    """
    present = np.bincount(labels, minlength=len(shares))
    shares = np.where(present > 0, shares, 0)
    if not shares.any():
        return np.zeros(0, np.int64)
    wanted = shares * np.min(present[shares > 0] / shares[shares > 0])
    rows = [rng.permutation(np.flatnonzero(labels == k))[: int(np.floor(wanted[k] + 1e-9))] for k in range(len(shares))]
    return rng.permutation(np.concatenate(rows))


def pairwise_chamfer(a: Sequence[Cloud], b: Sequence[Cloud]) -> Float[np.ndarray, "n m"]:
    """`point_clouds.chamfer` of every cloud of `a` to every cloud of `b`, in batches and in float32.

    All clouds need equally many points.
    """
    others = torch.from_numpy(np.stack(b)).float()  # [m, points, 3]
    found = np.empty((len(a), len(b)))
    for row, cloud in enumerate(a):
        one = torch.from_numpy(cloud).float().expand(len(others), -1, -1)
        for start in range(0, len(b), 16):
            part = slice(start, start + 16)
            squares = torch.cdist(one[part], others[part]).square_()
            found[row, part] = (squares.amin(2).mean(1) + squares.amin(1).mean(1)).numpy()
    return found


def pairwise_earth_movers(a: Sequence[Cloud], b: Sequence[Cloud]) -> Float[np.ndarray, "n m"]:
    """`point_clouds.earth_movers` of every cloud of `a` to every cloud of `b`; half the work where `a is b`."""
    if a is not b:
        return point_clouds.pairwise_distances(a, b, point_clouds.earth_movers)
    found = np.zeros((len(a), len(a)))
    for row, cloud in enumerate(a):
        found[row, row + 1 :] = [point_clouds.earth_movers(cloud, other) for other in a[row + 1 :]]
    return found + found.T


def distance_to_nearest_shape(
    shapes: Bool[np.ndarray, "n r r r"], training: Bool[np.ndarray, "m r r r"], skip_itself: bool = False
) -> Float[np.ndarray, " n"]:
    """1 - IoU of each shape and the most similar training shape: 0 for a copy.

    Args:
        shapes: The shapes that are looked up.
        training: All training shapes.
        skip_itself: The shapes are training shapes themselves: take the second most similar one.
    """
    a = torch.from_numpy(shapes.reshape(len(shapes), -1)).float()
    both, volumes = [], torch.from_numpy(training.reshape(len(training), -1).sum(1)).float()
    for start in range(0, len(training), 512):
        part = torch.from_numpy(training[start : start + 512].reshape(-1, a.shape[1])).float()
        both.append(a @ part.T)
    shared = torch.cat(both, dim=1)
    ratio = shared / (a.sum(1, keepdim=True) + volumes - shared).clamp(min=1)
    best = ratio.topk(2 if skip_itself else 1, dim=1).values[:, -1]
    return (1 - best).numpy()


def _shapes_of_class(
    data: OpenedData, kind: str, turns: int, rng: np.random.Generator
) -> tuple[Bool[np.ndarray, "n r r r"], Int[np.ndarray, " n"]]:
    """The shapes of one class or of all, each in one of its orientations at random, and their classes' numbers."""
    if kind and kind not in data.class_names:
        raise UserError("the data have no class of this name", repr(kind), f"they have {', '.join(data.class_names)}")
    rows = np.arange(0, len(data), turns)
    if kind:
        rows = rows[data.labels[rows] == data.class_names.index(kind)]
    return data.voxels(rows + rng.integers(turns, size=len(rows))), data.labels[rows]


def _surface_clouds(
    name: str, grids: Bool[np.ndarray, "n r r r"], points: int, seed: int
) -> Generator[Progress, None, list[Cloud]]:
    """Points on the surface of each grid; name: of the set, for the progress."""
    clouds = []
    for number, grid in enumerate(grids):
        clouds.append(_surface_cloud(grid, points, seed + number))
        if number % 20 == 19:
            yield Progress(f"points on {name} surfaces", number + 1, len(grids))
    return clouds


def _surface_cloud(grid: Bool[np.ndarray, "r r r"], points: int, seed: int) -> Cloud:
    """Points on the surface of a grid; on the voxels' centres where the few voxels vanish in smoothing."""
    try:
        return surface_points(Shape(grid.astype(np.float32), 0.5).surface(), points, seed)
    except UserError:
        centres = (np.argwhere(grid) + 0.5) / len(grid) - 0.5
        return centres[np.random.default_rng(seed).integers(len(centres), size=points)]


def _cloud_measures(
    name: str, clouds: Sequence[Cloud], real: Sequence[Cloud], options: GenerationOptions
) -> Generator[Progress, None, list[float]]:
    """The first seven of `MEASURES`, for one column; name: of the column, for the progress."""
    values: list[float] = []
    for label, pairwise, points, scale in (("chamfers", pairwise_chamfer, options.points, 1000),
                                           ("earth movers", pairwise_earth_movers, options.emd_points, 1)):
        own, others = ([cloud[:points] for cloud in side] for side in (clouds, real))
        matrices = []
        for step, (a, b) in enumerate(((own, own), (own, others), (others, others))):
            matrices.append(pairwise(a, b))
            yield Progress(f"{label} of the {name} shapes", step + 1, 3)
        own_to_own, own_to_real, real_to_real = matrices
        values += [scale * point_clouds.minimum_matching_distance(own_to_real), point_clouds.coverage(own_to_real),
                   point_clouds.one_nearest_neighbour_accuracy(own_to_own, own_to_real, real_to_real)]
    values.append(point_clouds.jensen_shannon(clouds, real))
    return values


def _feature_distance(
    features: ShapeFeatures, generated: Bool[np.ndarray, "n r r r"], real: Bool[np.ndarray, "m r r r"]
) -> float:
    """The Fréchet distance of two sets of shapes in the features of a classifier."""
    sides = []
    for voxels in (generated, real):
        with torch.inference_mode():
            parts = torch.from_numpy(voxels).unsqueeze(1).split(64)
            sides.append(torch.cat([features(part.float()) for part in parts]).double().numpy())
    return frechet_distance(sides[0], sides[1])
