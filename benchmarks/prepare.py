"""How long a folder of CAD meshes takes to become a dataset: `python benchmarks/prepare.py DATA/meshes`.

Copies of the folder's meshes, each scaled a little otherwise along each axis, go through `maquette data prepare`
without views and with 12, on all cores. What is printed is a thousand times the seconds a mesh.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import trimesh

from maquette import api
from maquette.datasets.sources.meshes import MESHES


def seconds(source: Path, out: Path, **options) -> float:
    """Seconds that preparing takes."""
    begun = time.perf_counter()
    for _ in api.prepare_data(str(source), str(out), **options):
        pass
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("meshes", type=Path)
    parser.add_argument("--count", type=int, default=90)
    parser.add_argument("--resolutions", type=int, nargs="+", default=[32, 64])
    options = parser.parse_args()
    files = sorted(file for file in options.meshes.iterdir() if file.suffix in MESHES)
    if not files:
        sys.exit(f"{options.meshes} holds no meshes")
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        source, faces = Path(folder) / "meshes", []
        source.mkdir()
        for number in range(options.count):
            mesh = trimesh.load(files[number % len(files)], force="mesh", process=False)
            mesh.apply_scale(rng.uniform(0.8, 1.2, 3))
            faces.append(len(mesh.faces))
            mesh.export(source / f"{number}.off")
        print(f"{options.count} meshes of {min(faces):,} to {max(faces):,} faces", flush=True)
        for resolution in options.resolutions:
            for views in (0, 12):
                took = seconds(source, Path(folder) / f"{resolution}-{views}", resolution=resolution, views=views)
                print(f"{resolution} voxels, {views:2d} views: {1000 * took / options.count:.0f} s for 1,000 meshes",
                      flush=True)


if __name__ == "__main__":
    main()
