"""A depth picture as a sensor takes it, completed to a whole object. python examples/05_complete.py [OUT]"""

import sys
from pathlib import Path

import numpy as np
import trimesh

import maquette
from maquette.datasets.furniture import make

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
sofa = make("sofa", seed=5)  # its longest side is 1, and 1.6 metres here
ground = trimesh.creation.box((3, 3, 0.01))
ground.apply_translation((0, 0, sofa.bounds[0, 2] - 0.005))
camera = maquette.Camera(azimuth_deg=30, elevation_deg=25, fov_deg=45, size_px=400)
depth = 1.6 * maquette.RayCaster(trimesh.util.concatenate([sofa, ground])).cast(camera).depth  # in metres
depth = np.where(np.isfinite(depth), depth + np.random.default_rng(0).normal(0, 0.003, depth.shape), 0)

middle = camera.size_px / 2 - 0.5
intrinsics = maquette.Intrinsics(camera.focal_px, camera.focal_px, middle, middle)
made = maquette.complete(depth, intrinsics=intrinsics, azimuth_deg=30, size_mm=80)
print(made.save(out / "sofa.stl"))
print(made.scan.placement.line())
print(made.report.line())
