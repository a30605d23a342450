"""How crisp results are: flat faces and sharp edges of boxes and tables that are reconstructed from drawings.

    python benchmarks/crisp.py --model MODEL [--count 20] [--as-read] [--sheet crisp.png]

Boxes (random proportions) and tables of the furniture maker, drawn by the renderer's pen from random sides. Each result
is turned about the up axis so that its faces lie along the axes as well as they can. Then, over its area: *flat* is the
share whose normal is within 10 degrees of an axis (1 for a box), *between* the share more than 25 degrees from every
axis, which is what rounded edges, dents and stairs have (0 for a box). *thin legs* is the share of the tables whose
legs are all there: the result reaches the floor in as many places as the truth. The truth's own values are given too.
"""

import argparse
import datetime
from pathlib import Path

import numpy as np
import trimesh
from scipy import ndimage

import maquette
from maquette.datasets.sources import mesh_of
from maquette.geometry.voxelise import voxelise
from maquette.rendering import render_views
from maquette.rendering.sheets import contact_sheet

FLAT_DEG, BETWEEN_DEG = 10.0, 25.0


def box(seed: int) -> trimesh.Trimesh:
    """A box of random proportions."""
    sides = np.random.default_rng([seed, 5]).uniform(0.3, 1.0, 3)
    return trimesh.creation.box(sides / sides.max())


def along_axes(mesh: trimesh.Trimesh) -> tuple[float, float]:
    """The shares of the area that are flat and between, after the best turn about the up axis."""
    normals, area = np.asarray(mesh.face_normals), np.asarray(mesh.area_faces) / mesh.area
    best = (0.0, 1.0)
    for degrees in np.arange(0, 90, 1.0):
        turn = np.radians(degrees)
        x = normals[:, 0] * np.cos(turn) - normals[:, 1] * np.sin(turn)
        y = normals[:, 0] * np.sin(turn) + normals[:, 1] * np.cos(turn)
        nearest = np.abs(np.stack([x, y, normals[:, 2]])).max(0)
        flat = float(area[nearest >= np.cos(np.radians(FLAT_DEG))].sum())
        if flat > best[0]:
            best = flat, float(area[nearest < np.cos(np.radians(BETWEEN_DEG))].sum())
    return best


def feet(mesh: trimesh.Trimesh) -> int:
    """In how many places a mesh reaches the floor."""
    low, high = mesh.bounds
    unit = trimesh.Trimesh((mesh.vertices - (low + high) / 2) / (high - low).max(), mesh.faces, process=False)
    voxels = voxelise(unit, 64)
    floor = np.flatnonzero(voxels.any((0, 1)))[0]
    return int(ndimage.label(voxels[:, :, floor : floor + 3].any(2), np.ones((3, 3)))[1])


def main() -> None:
    """Measure, print a table, and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="maquette")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--as-read", action="store_true")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    model, cells = maquette.load(options.model), list[np.ndarray | trimesh.Trimesh]()
    print(f"{options.model}, seed {options.seed}, {datetime.date.today()}")
    print("| things | flat | between | all feet | the truth: flat, between |\n| --- | --- | --- | --- | --- |")
    for name in ("boxes", "tables"):
        rows, truths, standing = [], [], 0
        for number in range(options.count):
            seed = options.seed * 1000 + number
            mesh = box(seed) if name == "boxes" else mesh_of(f"furniture:table:{1_000_000 + seed}")
            drawn = render_views(mesh, count=1, size_px=256, seed=seed, kinds=("pencil",), channels=3).images[0]
            made = maquette.reconstruct(drawn, model, by="model", obeying=not options.as_read)
            rows.append(along_axes(made.mesh))
            truths.append(along_axes(mesh))
            standing += feet(made.mesh) == feet(mesh)
            if number < 6:
                cells += [drawn, made.mesh]
        (flat, between), true = np.mean(rows, axis=0), np.mean(truths, axis=0)
        print(f"| {options.count} {name} | {flat:.3f} | {between:.3f} | {standing} | {true[0]:.3f}, {true[1]:.3f} |",
              flush=True)
    if options.sheet:
        contact_sheet(cells, options.sheet, columns=6, cell_px=220)


if __name__ == "__main__":
    main()
