"""Things that no model was trained on, drawn with a wobbly pencil: is the object right, and is the outline obeyed?

    python benchmarks/unseen.py --model MODEL --each 60 [--views 3] [--library /usr/share/sweethome3d/furniture]

Three groups: whole kinds of solids that are kept for testing, random constructions of other seeds, and categories of
Sweet Home 3D's library that are kept for testing. Each object is drawn by the renderer's pencil from one random side
(or from several, which make one object); the mesh that `reconstruct` makes is turned about the up axis to where it
agrees best with the true shape, and IoU is measured at 32 voxels. The outline's IoU is that of the result's silhouette
from the camera that was found, with the true silhouette from the true camera. Everything follows from --seed.
"""

import argparse
import datetime
import json
import platform
import time
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Bool

import maquette
from maquette.datasets.item import Item
from maquette.datasets.rows import mesh_of
from maquette.datasets.sources import generated, read
from maquette.geometry.voxelise import voxelise
from maquette.rendering import RayCaster, render_views
from maquette.ways.outline import overlap, without_holes
from maquette.ways.views import turned

RESOLUTION = 32
SIDE_PX = 256
STEP_DEG = 7.5


def items(each: int, seed: int, library: str) -> dict[str, list[Item]]:
    """So many objects of each group."""
    groups = {
        "held-out kinds": list(generated("solids", each, seed=seed, split="test")),
        "constructions": list(generated("solids:construction", each, seed=seed, split="test")),
    }
    if library:
        found = [item for item in read(library) if item.split == "test"]
        groups["held-out categories"] = [found[k * len(found) // each] for k in range(min(each, len(found)))]
    return groups


def best_turn(made: trimesh.Trimesh, truth: Bool[np.ndarray, "r r r"]) -> float:
    """IoU after the best turn about the up axis."""
    grid = voxelise(trimesh.Trimesh(made.vertices / 1.42, made.faces, process=False), 48).astype(np.float32)
    best = 0.0
    for degrees in np.arange(0, 360, STEP_DEG):
        filled = np.argwhere(turned(grid, float(degrees)) > 0.5)
        if len(filled):
            low, high = filled.min(0), filled.max(0) + 1
            best = max(best, _overlap_in_cube(filled, low, high, truth))
    return best


def _overlap_in_cube(
    filled: np.ndarray, low: np.ndarray, high: np.ndarray, truth: Bool[np.ndarray, "r r r"]
) -> float:
    """IoU of the truth and of filled cells, brought to the cube as the truth is: centred, longest side 1."""
    side = float((high - low).max())
    line = (np.arange(RESOLUTION) + 0.5) / RESOLUTION - 0.5
    at = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=3) * side + (low + high) / 2
    grid = np.zeros((48, 48, 48), bool)
    grid[tuple(filled.T)] = True
    cell = np.floor(at).astype(int)
    inside = ((cell >= 0) & (cell < 48)).all(3)
    cell = cell.clip(0, 47)
    found = grid[cell[..., 0], cell[..., 1], cell[..., 2]] & inside
    return float((found & truth).sum() / max((found | truth).sum(), 1))


def in_its_box(mask: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "128 128"]:
    """A region centred in a square, as large as its box."""
    import cv2

    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = 128 / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA) > 0.5
    square = np.zeros((128, 128), bool)
    top, left = (128 - size[1]) // 2, (128 - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def measure(item: Item, model: maquette.Model, views: int, seed: int, threshold: float | None) -> dict | None:
    """One object: IoU, outline, verdict; None where the picture or the result was refused."""
    mesh = mesh_of(item.id, item.load())
    drawn = render_views(mesh, count=views, size_px=SIDE_PX, seed=seed, kinds=("pencil",), channels=3)
    try:
        if views > 1:
            made = maquette.reconstruct_one(list(drawn.images), model, threshold=threshold)
        else:
            made = maquette.reconstruct(drawn.images[0], model, by="model", threshold=threshold)
    except maquette.UserError as error:
        print(f"{item.id}: {error}")
        return None
    outline = float("nan")
    if made.pose is not None:
        truth = without_holes(RayCaster(mesh).cast(drawn.cameras[0]).mask)
        own = made.shape.surface()
        seen = without_holes(RayCaster(own).cast(made.pose.camera(SIDE_PX)).mask)
        outline = overlap(in_its_box(truth), in_its_box(seen)) if seen.any() else 0.0
    return {"id": item.id, "label": item.label, "iou": best_turn(_unit(made.mesh), voxelise(mesh, RESOLUTION)),
            "outline": outline, "verdict": made.judgement.verdict, "printable": made.printable}


def _unit(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    low, high = mesh.bounds
    return trimesh.Trimesh((mesh.vertices - (low + high) / 2) / (high - low).max(), mesh.faces, process=False)


def main() -> None:
    """Measure, print a table, and write every row as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="maquette")
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--library", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    model = maquette.load(options.model)
    started, rows = time.time(), []
    print(f"{options.model}, {options.views} view(s), seed {options.seed}, {datetime.date.today()}, "
          f"{platform.machine()}")
    print("| group | objects | IoU | at least 0.5 | outline IoU | called sure |\n| --- | --- | --- | --- | --- | --- |")
    for group, chosen in items(options.each, options.seed, options.library).items():
        found = [measure(item, model, options.views, options.seed, options.threshold) for item in chosen]
        kept = [{"group": group, **row} for row in found if row is not None]
        rows += kept
        ious = np.array([row["iou"] for row in kept] + [0.0] * (len(chosen) - len(kept)))
        outlines = np.array([row["outline"] for row in kept])
        sure = sum(row["verdict"] == "sure" for row in kept)
        print(f"| {group} | {len(chosen)} | {ious.mean():.3f} | {(ious >= 0.5).sum()} | {np.nanmean(outlines):.3f} | "
              f"{sure} |", flush=True)
    print(f"{time.time() - started:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
