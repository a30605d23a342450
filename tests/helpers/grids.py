"""Grids with known volumes, for the tests of surfaces."""

import numpy as np

R = 32


def centres(resolution: int = R) -> np.ndarray:
    return (np.indices((resolution,) * 3) + 0.5) / resolution - 0.5


def ball(radius: float, centre=(0, 0, 0), resolution: int = R) -> np.ndarray:
    """Occupancy of a ball, soft over one voxel as an antialiased one is."""
    away = np.linalg.norm(centres(resolution) - np.reshape(centre, (3, 1, 1, 1)), axis=0)
    return np.clip((radius - away) * resolution + 0.5, 0, 1).astype(np.float32)


def block(low, high, resolution: int = R) -> np.ndarray:
    grid = np.zeros((resolution,) * 3, np.float32)
    grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    return grid


def extent(grid: np.ndarray) -> list[tuple[int, int]]:
    used = np.argwhere(grid)
    return list(zip(used.min(0).tolist(), used.max(0).tolist(), strict=True))
