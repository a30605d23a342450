"""The page's mending by the outline against Python's."""

from dataclasses import astuple

import numpy as np
import pytest

from maquette.ways.obeying import obey
from maquette.ways.silhouette import Pose, silhouette, surface_voxels

OBEY = """async ([grid, side, mask, single, pose]) => {
    const { obey } = await import('/js/ways/obeying.js');
    return [...obey(Float32Array.from(grid), side, 0.5, Uint8Array.from(mask), 256, pose, Uint8Array.from(single))];
}"""
POSE = Pose(0.5, 0.3, 0.02, 0.1, 0.03, -0.02, 0.4)


def stool(legs: tuple[tuple[int, int], ...], deep: int = 6) -> np.ndarray:
    grid = np.zeros((32, 32, 32), np.float32)
    grid[6:26, 6:26, 20:24] = 0.9
    for x, y in legs:
        grid[x : x + 3, y : y + 3, deep:20] = 0.8
    return grid


def seen(grid: np.ndarray) -> np.ndarray:
    return silhouette(surface_voxels(grid >= 0.5), POSE, 256, 1 / 32)


@pytest.mark.parametrize("case", ["moved", "missing", "apart", "single"])
def test_the_page_mends_as_python_does(opened, case):
    legs = ((8, 8), (20, 8), (8, 20), (20, 20))
    given, mask = stool(legs), seen(stool(legs))
    single = np.zeros_like(mask)
    if case == "moved":
        mask = seen(stool(((10, 8), (19, 9), (8, 19), (20, 21))))
    elif case == "missing":
        given = stool(legs[:2])
    elif case == "apart":
        given[20:23, 20:23, 17:20] = 0.0
    else:
        body = seen(stool(()))
        given, single = stool(()), mask & ~body
        mask = body | single
    page = opened()
    found = page.evaluate(OBEY, [given.ravel().tolist(), 32, mask.ravel().astype(int).tolist(),
                                 single.ravel().astype(int).tolist(), list(astuple(POSE))])
    made, expected = np.reshape(found, given.shape), obey(given, 0.5, mask, POSE, single).occupancy
    assert np.count_nonzero((expected >= 0.5) != (given >= 0.5)) > 20  # something is mended
    assert np.count_nonzero((made >= 0.5) != (expected >= 0.5)) <= 0.006 * np.count_nonzero(expected >= 0.5)
    assert np.abs(made - expected).mean() < 0.001
