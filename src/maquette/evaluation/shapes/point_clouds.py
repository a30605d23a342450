"""Distances between point clouds, and measures of a set of generated shapes beside a set of real ones.

Clouds are drawn evenly over surfaces. A matrix of distances has the generated shapes along its rows and the real ones
along its columns. Every function names its source, since definitions differ in the field.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from maquette.errors import UserError

Cloud = Float[np.ndarray, "_ 3"]
"""Points of one surface, x, y, z in the package's frame."""
CloudDistance = Callable[[Cloud, Cloud], float]


def chamfer(a: Cloud, b: Cloud) -> float:
    """Chamfer distance: mean squared distance of each point of `a` to the nearest of `b`, plus that from `b` to `a`.

    Achlioptas et al., ICML 2018. 0 for equal clouds; the clouds may differ in size.
    """
    there, back = KDTree(b).query(a)[0], KDTree(a).query(b)[0]
    return float(np.mean(there**2) + np.mean(back**2))


def earth_movers(a: Cloud, b: Cloud) -> float:
    """Earth mover's distance: mean distance under the best one-to-one matching of two clouds of equal size.

    Achlioptas et al., ICML 2018. The matching is exact and takes the cube of the number of points: keep it under 1000.

    Raises:
        UserError: For clouds of different size.
    """
    if len(a) != len(b):
        raise UserError("the earth mover's distance needs clouds of equal size", f"{len(a)} and {len(b)}")
    costs = cdist(a, b)
    return float(costs[linear_sum_assignment(costs)].mean())


def f_score(a: Cloud, b: Cloud, radius: float) -> float:
    """F-score of two clouds, 0 to 1 (Knapitsch et al. 2017).

    The harmonic mean of two shares: the points of `a` within `radius` of `b`, and those of `b` within `radius` of `a`.
    """
    precision = float(np.mean(KDTree(b).query(a)[0] <= radius))
    recall = float(np.mean(KDTree(a).query(b)[0] <= radius))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def pairwise_distances(
    a: Sequence[Cloud], b: Sequence[Cloud], distance: CloudDistance = chamfer
) -> Float[np.ndarray, "n m"]:
    """The distance of every cloud of `a` to every cloud of `b`, float64."""
    return np.array([[distance(one, other) for other in b] for one in a], dtype=np.float64).reshape(len(a), len(b))


def minimum_matching_distance(generated_to_real: Float[np.ndarray, "n m"]) -> float:
    """Mean over the real shapes of the distance to the nearest generated one (MMD, Achlioptas 2018); low is good."""
    return float(generated_to_real.min(axis=0).mean())


def coverage(generated_to_real: Float[np.ndarray, "n m"]) -> float:
    """Share of the real shapes that are the nearest one of some generated shape (Achlioptas 2018); high is good."""
    return len(np.unique(generated_to_real.argmin(axis=1))) / generated_to_real.shape[1]


def one_nearest_neighbour_accuracy(
    generated_to_generated: Float[np.ndarray, "n n"],
    generated_to_real: Float[np.ndarray, "n m"],
    real_to_real: Float[np.ndarray, "m m"],
) -> float:
    """How often the nearest other shape is of the same set, generated or real (Lopez-Paz, Oquab 2017; Yang 2019).

    0.5 is best: the two sets cannot be told apart. 1 means that they can; 0 that the generated shapes are copies.
    """
    whole = np.block([[generated_to_generated, generated_to_real], [generated_to_real.T, real_to_real]])
    np.fill_diagonal(whole, np.inf)
    is_generated = np.arange(len(whole)) < len(generated_to_generated)
    return float(np.mean(is_generated[whole.argmin(axis=1)] == is_generated))


def jensen_shannon(a: Sequence[Cloud], b: Sequence[Cloud], resolution: int = 28) -> float:
    """Jensen-Shannon divergence, in bits, of where the points of two sets of clouds lie (Achlioptas 2018).

    Args:
        a: Clouds in the cube [-0.5, 0.5]^3; points outside count in the nearest cell.
        b: The other set.
        resolution: Cells a side of the histogram.

    Returns:
        0 for equal histograms, 1 for histograms without a common cell.
    """
    p, q = (_histogram(np.concatenate(list(clouds)), resolution) for clouds in (a, b))
    middle = (p + q) / 2
    return float((_divergence(p, middle) + _divergence(q, middle)) / 2)


def novelty(generated_to_training: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """Each generated shape's distance to the nearest training shape: near 0 for copies."""
    return generated_to_training.min(axis=1)


def _histogram(points: np.ndarray, resolution: int) -> np.ndarray:
    """The share of points `[n, 3]` in each cell of the cube, `[resolution^3]`."""
    cells = np.clip(((points + 0.5) * resolution).astype(int), 0, resolution - 1)
    counts = np.bincount(np.ravel_multi_index(cells.T, (resolution,) * 3), minlength=resolution**3)
    return counts / counts.sum()


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Kullback-Leibler divergence of two histograms, in bits; q must not be 0 where p is not."""
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / q[some])))
