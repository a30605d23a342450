"""How well the drawings of `benchmarks/drawings` are obeyed, and whether a verdict warns where they are not.

python benchmarks/obey.py OUT [--model maquette] [--by auto] [--seed 0] [--only chair] [--also FILE ...]

It goes on where it was stopped: OUT/rows keeps what was done; give another OUT for another model, way or seed. Each
drawing, clean and photographed, becomes an object. Its silhouette, from where the result says that the picture shows
it, is compared with the outline that the strokes mean (not with the outline that the program found). Written into OUT:
obey.md and obey.json with a row a picture, and obey-1.png and so on with every picture beside its object from the front
and from front right, 40 to a page. `--also` adds pictures of other people, whose true outline is not known.
"""

import argparse
import json
import platform
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import trimesh
from drawings import Case, cases

from maquette import api
from maquette.api.reconstruction import Reconstruction, reconstruct
from maquette.errors import UserError
from maquette.geometry.mesh import surface, to_frame
from maquette.geometry.repair import keep_largest, repair
from maquette.intake.pickup import MARGIN, frame_object
from maquette.io.pictures import read_picture
from maquette.rendering import Camera, shade
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.sheets import sheet_of_images
from maquette.ways.choosing import by_geometry
from maquette.ways.outline import SIDE_PX, overlap, without_holes

LOW = 0.75
"""An outline below this is not obeyed."""
CELLS = 40
"""On a page."""


@dataclass
class Row:
    """Of the table: `true` is the IoU with what the strokes mean, `own` that with what the program took for it."""

    name: str
    style: str
    way: str = ""
    verdict: str = ""
    chance: float = float("nan")
    true: float = float("nan")
    own: float = float("nan")
    placed: float = float("nan")
    """Correlation of the lines that the program found with those that were drawn: whether `true` can be trusted."""
    printable: bool = False
    seconds: float = float("nan")
    said: str = ""


def in_frame(made: Reconstruction, pixels: np.ndarray) -> trimesh.Trimesh:
    """The printed mesh back in the frame of its pose."""
    if made.way == "model":
        own = surface(made.shape.occupancy, made.shape.threshold)
    else:
        own = by_geometry(pixels, made.way, "the picture").mesh
    (low, high), (start, end) = keep_largest(repair(own))[0].bounds, made.mesh.bounds
    axis = int(np.argmax((high - low)[:2]))
    scale = (high - low)[axis] / (end - start)[axis]
    middle = np.array([*(start + end)[:2] / 2, end[2]])
    target = np.array([*(low + high)[:2] / 2, high[2]])
    return trimesh.Trimesh((made.mesh.vertices - middle) * scale + target, made.mesh.faces, process=False)


def true_mask(case: Case, made: Reconstruction) -> tuple[np.ndarray, float]:
    """What the strokes mean, in the square in which the object was framed, and how well the lines agree there."""
    side, (x0, y0, x1, y1) = case.drawing.ink.shape[0], made.pickup.box
    photo = made.pickup.kind == "photo"
    scale = SIDE_PX * (1 if photo else 1 - 2 * MARGIN) / max(x1 - x0, y1 - y0)
    to_square = np.array([[scale, 0, SIDE_PX / 2 - scale * (x0 + x1) / 2],
                          [0, scale, SIDE_PX / 2 - scale * (y0 + y1) / 2], [0, 0, 1]]) @ case.placed
    if photo:
        return _warped(case.drawing.meant, to_square), float("nan")
    found = frame_object(_rgb(case.pixels), SIDE_PX, 1, kind=made.pickup.kind).image[0]
    lines = cv2.GaussianBlur(1 - found, (0, 0), 3)
    if "cropped to the sheet of paper" in made.pickup.notes:  # straightened: from the box of the ink, then refined
        rows, columns = (np.flatnonzero((case.drawing.ink > 0.3).any(axis)) for axis in (1, 0))
        size = max(np.ptp(rows), np.ptp(columns)) + 1
        scale = SIDE_PX * (1 - 2 * MARGIN) / size
        to_square = np.array([[scale, 0, SIDE_PX / 2 - scale * (columns[0] + columns[-1]) / 2],
                              [0, scale, SIDE_PX / 2 - scale * (rows[0] + rows[-1]) / 2], [0, 0, 1]])
    drawn = cv2.resize(case.drawing.ink, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    drawn = cv2.GaussianBlur(drawn, (0, 0), 3 / np.sqrt(abs(np.linalg.det(to_square[:2, :2]))) / 2)
    half = np.diag([2.0, 2.0, 1.0])
    back = np.linalg.inv(to_square @ half).astype(np.float32)
    try:
        agree, back = cv2.findTransformECC(lines, drawn, back / back[2, 2], cv2.MOTION_HOMOGRAPHY,
                                           (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 150, 1e-6), None, 1)
    except cv2.error:  # lines that do not agree at all: what was found is not what was drawn
        agree = 0.0
    return _warped(case.drawing.meant, np.linalg.inv(half @ back)), float(agree)


def _warped(mask: np.ndarray, to_square: np.ndarray) -> np.ndarray:
    fine = np.diag([4.0, 4.0, 1.0]) @ to_square
    big = cv2.warpPerspective(255 * mask.astype(np.uint8), fine, (4 * SIDE_PX, 4 * SIDE_PX), flags=cv2.INTER_LINEAR)
    return cv2.resize(big, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) > 127


def _rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def views(mesh: trimesh.Trimesh) -> list[np.ndarray]:
    """From the front and from front right."""
    framed = to_frame(mesh)
    caster = RayCaster(framed)
    return [shade(framed, Camera(azimuth, elevation, 28, 180), caster=caster)
            for azimuth, elevation in ((0, 8), (38, 20))]


def measure(pixels: np.ndarray, row: Row, case: Case | None, model, by: str) -> list[np.ndarray | None]:
    """Fill the row; the pictures for the sheet."""
    share = 360 / max(pixels.shape)
    small = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    started = time.perf_counter()
    try:
        made = reconstruct(pixels, model, by=by)
    except UserError as error:
        row.verdict, row.said, row.seconds = "refused", str(error), time.perf_counter() - started
        return [small, None, None]
    row.seconds = time.perf_counter() - started
    row.way, row.verdict, row.chance = made.way, made.judgement.verdict, made.judgement.probability
    row.own, row.printable, row.said = made.outline, made.printable, made.line()
    if case is not None and made.pose is not None:
        true, row.placed = true_mask(case, made)
        seen = RayCaster(in_frame(made, _rgb(pixels))).cast(made.pose.camera(SIDE_PX)).mask
        row.true = overlap(without_holes(seen), without_holes(true))
    return [small, *views(made.mesh)]


def summary(rows: list[Row], what: str) -> str:
    # a drawing that was refused, or whose object has no place in the picture, obeys nothing
    got = np.array([0.0 if np.isnan(row.true) else row.true for row in rows])
    low = [row for row, value in zip(rows, got, strict=True) if value < LOW]
    sure = sum(row.verdict == "sure" for row in low)
    return (f"{what}: {len(rows)} pictures, mean outline {got.mean():.3f}, {len(low)} below {LOW}, "
            f"{sure} of these called sure; {sum(row.verdict == 'sure' for row in rows)} sure, "
            f"{sum(row.verdict == 'refused' for row in rows)} refused, {sum(row.printable for row in rows)} printable, "
            f"median {np.median([row.seconds for row in rows]):.1f} s")


def table(rows: list[Row]) -> list[str]:
    lines = ["| drawing | hand, pen | way | verdict | outline | found outline | printable | s |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        true, own = ("" if np.isnan(value) else f"{value:.3f}" for value in (row.true, row.own))
        lines.append(f"| {row.name} | {row.style} | {row.way or '-'} | {row.verdict} | {true} | {own} | "
                     f"{'yes' if row.printable else 'no'} | {row.seconds:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--model", default="maquette")
    parser.add_argument("--by", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--also", nargs="*", default=[])
    given = parser.parse_args()
    out, model = Path(given.out), api.load(given.model)
    kept, asked = out / "rows", {"model": given.model, "by": given.by, "seed": given.seed}
    kept.mkdir(parents=True, exist_ok=True)
    if (kept / "asked.json").exists() and json.loads((kept / "asked.json").read_text()) != asked:
        raise SystemExit(f"{kept} is of another model, way or seed: give another OUT")
    (kept / "asked.json").write_text(json.dumps(asked))
    rows, cells, captions = list[Row](), list[np.ndarray | None](), list[str]()
    ours = [(partial(getattr, case, "pixels"), Row(case.name, case.style), case)
            for case in cases(given.seed, given.only)]
    others = [(partial(read_picture, path), Row(Path(path).stem, "somebody's own"), None) for path in given.also]
    for read, row, case in ours + others:
        place = kept / f"{row.name} {row.style}".replace(",", "").replace(" ", "-")
        if not place.with_suffix(".json").exists():
            seen = measure(read(), row, case, model, given.by)
            np.savez_compressed(place.with_suffix(".npz"), *[image for image in seen if image is not None])
            place.with_suffix(".json").write_text(json.dumps(vars(row)))
            print(f"{row.name}: {row.style}: {row.way} {row.verdict} {row.chance:.2f} true {row.true:.3f} "
                  f"own {row.own:.3f} placed {row.placed:.2f} {row.seconds:.1f} s", flush=True)
        row = Row(**json.loads(place.with_suffix(".json").read_text()))
        with np.load(place.with_suffix(".npz")) as images:
            seen = [images[name] for name in images.files]
        cells += seen + [None] * (3 - len(seen))
        rows.append(row)
        captions += [f"{row.name}: {row.style}", f"{row.way} {row.verdict}", f"outline {row.true:.2f}"]
    ours = rows[: len(ours)]
    for page, first in enumerate(range(0, len(rows), CELLS), 1):
        part = slice(3 * first, 3 * (first + CELLS))
        sheet_of_images(cells[part], out / f"obey-{page}.png", 12, 150, captions[part])
    photographed = [row for row in ours if row.style.endswith(("paper", "board"))]
    facts = [f"model {given.model}, by {given.by}, seed {given.seed}, {time.strftime('%Y-%m-%d')}, "
             f"{platform.processor() or platform.machine()} {platform.system()}, Python {platform.python_version()}"]
    facts += [summary(part, what) for part, what in (
        (ours, "all"), ([row for row in ours if row not in photographed], "clean"), (photographed, "photographed"),
    ) if part]
    (out / "obey.md").write_text("\n\n".join([*facts, "\n".join(table(rows))]) + "\n")
    (out / "obey.json").write_text(json.dumps({"facts": facts, "rows": [vars(row) for row in rows]}, indent=1))
    print(*facts, sep="\n")


if __name__ == "__main__":
    main()
