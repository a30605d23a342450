"""Random drawings, good and bad, random ways of making a solid of them, and what must hold of every result."""

import cv2
import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed
from maquette.relief.options import ReliefOptions
from maquette.relief.relief import relief
from maquette.relief.solids import BORDER_MM


def random_case(seed):
    """A picture uint8 [H, W, 3] of lines, loops, blobs, scribbles, gaps and specks, and how to make a solid of it."""
    rng = np.random.default_rng(seed)
    high, wide = (int(n) for n in rng.integers(60, 200, 2))
    ink = np.zeros((high, wide), np.uint8)
    for _ in range(int(rng.choice([0, 1, 1, 1, 2, 3, 5]))):
        _draw(ink, rng)
    if rng.random() < 0.2:  # gaps
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.integers(0, wide), rng.integers(0, high)
            cv2.circle(ink, (int(x), int(y)), int(rng.integers(1, 12)), 0, -1)
    picture = 255.0 - ink * rng.uniform(0.3, 1)
    if rng.random() < 0.2:
        picture = picture * rng.uniform(0.6, 1) + rng.normal(0, rng.uniform(0, 8), picture.shape)
    if rng.random() < 0.1:
        picture = 255 - picture
    picture = np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, 2)
    way = str(rng.choice(["extrude", "extrude", "extrude", "inflate", "revolve", "lithophane"]))
    size = float(rng.uniform(5, 150))
    making = ReliefOptions(
        way, size, float(rng.uniform(1, 10)) if way != "revolve" and rng.random() < 0.8 else None,
        base_mm=float(rng.choice([0, 0, 1.2])), ring_hole_mm=float(rng.choice([0, 0, 0.1 * size])),
        one_sided=bool(rng.random() < 0.5), axis=str(rng.choice(["auto", "left", "middle"])),
        drawn=str(rng.choice(["auto", "auto", "lines", "filled"])), close_mm=None if rng.random() < 0.7 else size,
        all_parts=bool(rng.random() < 0.2), detail_px=40,
    ) if way != "lithophane" else ReliefOptions(way, size, 3.0, base_mm=float(rng.choice([0, 1.2])), detail_px=40,
                                         ring_hole_mm=float(rng.choice([0, 0.1 * size])))
    return picture, making


def _draw(ink, rng):
    high, wide = ink.shape
    thick = int(rng.choice([1, 1, 2, 3, 6]))
    points = rng.integers(0, [wide, high], (int(rng.integers(2, 9)), 2))
    centre, axes = points[0].tolist(), rng.integers(3, 80, 2).tolist()
    kind = rng.choice(["line", "loop", "filled", "arc", "ellipse", "blob", "curve", "specks"])
    if kind in ("line", "loop"):
        cv2.polylines(ink, [points.astype(np.int32)], kind == "loop", 255, thick, cv2.LINE_AA)
    elif kind == "filled":
        cv2.fillPoly(ink, [points.astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == "arc":
        turn, end = rng.uniform(0, 360), rng.uniform(20, 359)
        cv2.ellipse(ink, centre, axes, turn, 0, end, 255, thick, cv2.LINE_AA)
    elif kind in ("ellipse", "blob"):
        cv2.ellipse(ink, centre, axes, rng.uniform(0, 360), 0, 360, 255, -1 if kind == "blob" else thick, cv2.LINE_AA)
    elif kind == "curve":
        turn = np.linspace(0, 2 * np.pi, 200)[:, None]
        waves = sum(rng.normal(0, 0.25 / k, 2) * np.sin(k * turn + rng.uniform(0, 6, 2)) for k in (1, 2, 3, 5))
        line = (np.array([wide, high]) * (0.5 + waves)).astype(np.int32)
        cv2.polylines(ink, [line], bool(rng.random() < 0.8), 255, thick, cv2.LINE_AA)
    else:
        ink[tuple(rng.integers(0, [[high], [wide]], (2, 30)))] = 255


def check(picture, making):
    """Make the solid and check it: None where all holds, the one line of a UserError where there is none."""
    try:
        made = relief(picture, making)
    except UserError as error:
        return str(error)
    joined = trimesh.Trimesh(made.mesh.vertices.astype(np.float32), made.mesh.faces, process=False)
    joined.merge_vertices(digits_vertex=6)
    assert made.report.watertight and is_closed(joined), making
    assert made.report.volume_mm3 > 0, making
    assert making.all_parts or made.report.parts == 1, making
    ring = making.ring_hole_mm
    room = (2 * BORDER_MM if making.base_mm else 0) + (ring + 2 * max(BORDER_MM, 0.25 * ring) if ring else 0)
    most = making.size_mm * 1.02 + room + 0.05 + (making.base_mm if making.way == "revolve" else 0)
    assert made.mesh.extents.max() <= max(most, (making.thickness_mm or 0) + making.base_mm + 0.01), making
    if making.thickness_mm and not ring and making.way == "extrude":
        assert abs(made.mesh.extents[2] - making.thickness_mm - making.base_mm) < 0.01, making
    if not ring and not making.base_mm and making.way in ("extrude", "lithophane") and not making.all_parts:
        assert abs(made.mesh.extents[:2].max() - making.size_mm) < 0.01, making
    return None
