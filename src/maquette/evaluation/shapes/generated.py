"""How good a set of made shapes is beside a set of real ones: distances of point clouds and what follows.

Clouds are float `[N, 3]`, drawn evenly from surfaces. A matrix of distances has the made shapes along its rows and the
real ones along its columns. Every function names its source, since definitions differ in the field.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import linalg
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from maquette.errors import UserError

Distance = Callable[[np.ndarray, np.ndarray], float]


def chamfer(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared distance of each point of `a` to the nearest of `b`, plus the other way round (Achlioptas 2018)."""
    there, back = KDTree(b).query(a)[0], KDTree(a).query(b)[0]
    return float(np.mean(there**2) + np.mean(back**2))


def earth_movers(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance under the best one-to-one matching of two clouds of equal size; exact, so keep N under 1000."""
    if len(a) != len(b):
        raise UserError("the earth mover's distance needs clouds of equal size", f"{len(a)} and {len(b)}")
    costs = cdist(a, b)
    return float(costs[linear_sum_assignment(costs)].mean())


def f_score(a: np.ndarray, b: np.ndarray, radius: float) -> float:
    """Harmonic mean of the shares of `a` within `radius` of `b` and of `b` within it of `a` (Knapitsch et al. 2017)."""
    precision = float(np.mean(KDTree(b).query(a)[0] <= radius))
    recall = float(np.mean(KDTree(a).query(b)[0] <= radius))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def distances(a: Sequence[np.ndarray], b: Sequence[np.ndarray], distance: Distance = chamfer) -> np.ndarray:
    """The distance of every cloud of `a` to every cloud of `b`, `[len(a), len(b)]`."""
    return np.array([[distance(one, other) for other in b] for one in a], dtype=np.float64).reshape(len(a), len(b))


def minimum_matching_distance(made_to_real: np.ndarray) -> float:
    """Mean over the real shapes of the distance to the nearest made one (MMD, Achlioptas 2018); lower is better."""
    return float(made_to_real.min(axis=0).mean())


def coverage(made_to_real: np.ndarray) -> float:
    """Share of the real shapes that are the nearest real one of some made shape (Achlioptas 2018); higher is better."""
    return len(np.unique(made_to_real.argmin(axis=1))) / made_to_real.shape[1]


def one_nearest_neighbour_accuracy(
    made_to_made: np.ndarray, made_to_real: np.ndarray, real_to_real: np.ndarray
) -> float:
    """How often the nearest other shape is of the same kind, made or real (Lopez-Paz, Oquab 2017; Yang et al. 2019).

    0.5 is the aim: the two sets cannot be told apart; 1 means that they can, 0 that the made ones are copies.
    """
    whole = np.block([[made_to_made, made_to_real], [made_to_real.T, real_to_real]])
    np.fill_diagonal(whole, np.inf)
    kind = np.arange(len(whole)) < len(made_to_made)
    return float(np.mean(kind[whole.argmin(axis=1)] == kind))


def jensen_shannon(a: Sequence[np.ndarray], b: Sequence[np.ndarray], resolution: int = 28) -> float:
    """Jensen-Shannon divergence, in nats, of where the points of two sets of clouds lie in the cube [-0.5, 0.5]^3
    (Achlioptas 2018); 0 to ln 2. Points outside count in the nearest cell.
    """
    p, q = (_histogram(np.concatenate(list(clouds)), resolution) for clouds in (a, b))
    middle = (p + q) / 2
    return float((_divergence(p, middle) + _divergence(q, middle)) / 2)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of the Gaussians through two sets of features `[N, F]` (Heusel et al. 2017, eq. 6).

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), covariances with N - 1.
    """
    if min(len(a), len(b)) < 2:
        raise UserError("a Fréchet distance needs 2 samples or more of each set", f"{len(a)} and {len(b)}")
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    shift = np.sum((a.mean(0) - b.mean(0)) ** 2)
    x, y = ((side - side.mean(0)) / np.sqrt(len(side) - 1) for side in (a, b))  # C = x^T x
    if max(len(a), len(b)) <= a.shape[1]:  # the root's trace is the sum of the singular values of x y^T, which is small
        return float(shift + np.sum(x**2) + np.sum(y**2) - 2 * linalg.svdvals(x @ y.T).sum())
    of_a, of_b = x.T @ x, y.T @ y
    # the root's trace is that of a symmetric matrix, which stays real where features are fewer than samples
    own, directions = linalg.eigh(of_a)
    root = (directions * np.sqrt(np.clip(own, 0, None))) @ directions.T
    values = linalg.eigvalsh(root @ of_b @ root)
    return float(shift + np.trace(of_a) + np.trace(of_b) - 2 * np.sqrt(np.clip(values, 0, None)).sum())


def novelty(made_to_training: np.ndarray) -> np.ndarray:
    """Each made shape's distance to the nearest training shape: near 0 for copies."""
    return made_to_training.min(axis=1)


def _histogram(points: np.ndarray, resolution: int) -> np.ndarray:
    cells = np.clip(((points + 0.5) * resolution).astype(int), 0, resolution - 1)
    counts = np.bincount(np.ravel_multi_index(cells.T, (resolution,) * 3), minlength=resolution**3)
    return counts / counts.sum()


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))
