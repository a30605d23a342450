"""What completions lose where nobody says which side of an object its depth picture shows.

    python benchmarks/facing.py DATA/modelnet10/modelnet10_30.npz [MODEL] [--count 200]

Shapes of the test split, evenly over its rows, each seen by a depth camera of 160 pixels from a random side and 0 to 40
degrees above the horizon, without a floor; size and place are told from the points in sight. IoU with the whole shape
when the side is told, when the model guesses it, and when it is taken at random.
"""

import argparse
from functools import partial

import numpy as np
from scipy import ndimage

from maquette import api
from maquette.datasets.cache import shapes_of
from maquette.geometry.overlap import iou
from maquette.geometry.shape import Shape
from maquette.rendering import Camera, RayCaster
from maquette.scans import Intrinsics, guess_facing, read_scan


def last(events):
    """What a generator of events returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


def back(grid: np.ndarray, degrees: float) -> np.ndarray:
    """The completion of a scan whose azimuth was taken by so many degrees too large, turned back."""
    return ndimage.rotate(grid, -degrees, axes=(0, 1), reshape=False, order=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("model", nargs="?", default=api.SCAN_MODEL)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--cache", default="data-cache")
    options = parser.parse_args()
    model = api.load(options.model)
    resolution, complete = model.system.config.resolution, partial(api.occupancy, model)
    data = last(shapes_of(options.data, options.cache, "test", resolution))
    rng = np.random.default_rng(0)
    scores, off = {"told": [], "guessed": [], "at random": []}, []
    for row in np.linspace(0, len(data) - 1, options.count).astype(int):
        truth = data.voxels([row])
        camera = Camera(float(rng.uniform(0, 360)), float(rng.uniform(0, 40)), 45, 160)
        depth = RayCaster(Shape(truth[0].astype(np.float32), 0.5).surface()).cast(camera).depth
        middle = camera.size_px / 2 - 0.5
        intrinsics = Intrinsics(camera.focal_px, camera.focal_px, middle, middle)
        seen = read_scan(np.where(np.isfinite(depth), depth, 0), resolution, intrinsics=intrinsics,
                         elevation_deg=camera.elevation_deg)
        guessed, made = guess_facing(seen, complete)
        turned = guessed.placement.azimuth_deg - camera.azimuth_deg
        off.append(abs((turned + 180) % 360 - 180))
        scores["guessed"].append(iou(back(made, turned)[None], truth, model.threshold)[0])
        for name, azimuth in (("told", camera.azimuth_deg), ("at random", float(rng.uniform(0, 360)))):
            made = complete(seen.facing(azimuth).voxels[None, None].astype(np.float32))[0]
            scores[name].append(iou(back(made, azimuth - camera.azimuth_deg)[None], truth, model.threshold)[0])
    print(f"{options.count} shapes of the test split; guessed within 20 degrees: {np.mean(np.array(off) < 20):.2f}")
    for name, values in scores.items():
        print(f"side {name}: IoU {np.mean(values):.3f} (standard error {np.std(values) / len(values) ** 0.5:.3f})")


if __name__ == "__main__":
    main()
