"""Random strokes, and whether two drawings have the same lines."""

import numpy as np

from maquette.geometry.strokes import Strokes


def some(count=6, width=210, height=297, seed=0, pens=1) -> Strokes:
    rng = np.random.default_rng(seed)
    lines = tuple(rng.uniform(20, (width - 20, height - 20), (rng.integers(2, 5), 2)) for _ in range(count))
    return Strokes(lines, width, height, tuple(1 + i % pens for i in range(count)))


def as_sets(strokes: Strokes) -> list:
    """The lines, each in the direction that comes first, in order of their points."""
    both = [(np.round(line, 2), np.round(line[::-1], 2)) for line in strokes.lines]
    return sorted(min(a.tolist(), b.tolist()) for a, b in both)


def same_lines(first: Strokes, second: Strokes) -> bool:
    """Whether both have the same lines to 0.011 mm, whatever their order and direction."""
    pairs = zip(as_sets(first), as_sets(second), strict=True)
    return all(len(a) == len(b) and np.allclose(a, b, rtol=0, atol=0.011) for a, b in pairs)
