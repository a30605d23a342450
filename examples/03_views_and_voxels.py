"""A piece of furniture, its voxels, and views as photo and drawing. python examples/03_views_and_voxels.py [OUT]"""

import sys
from pathlib import Path

import maquette
from maquette.datasets.furniture import make
from maquette.rendering.sheets import contact_sheet

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
lamp = make("lamp", seed=3)
voxels = maquette.voxelise(lamp, resolution=32)
views = maquette.render_views(lamp, count=6, size_px=160, seed=1, channels=3)
print(contact_sheet([lamp, *views.images], out / "lamp.png", columns=7))
print(f"{voxels.sum()} of {voxels.size} voxels are occupied")
