"""Looking at a prepared dataset: what it holds, a sheet of some of it, and what is wrong with it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from maquette.datasets.format import Info, OpenedData, open_dataset
from maquette.datasets.orientations import shape_id
from maquette.errors import UserError
from maquette.io.atomic import atomic_path

MANY_PARTS = 4
"""A shape of so many loose parts or more is worth a look."""


@dataclass(frozen=True)
class Summary:
    """What a prepared dataset holds."""

    path: Path
    shapes: int
    counts: dict[str, dict[str, int]]
    """Shapes by class, then by split."""
    info: Info
    size_bytes: int
    """On disk."""
    filled: float
    """Mean share of occupied voxels, of at most 500 shapes."""

    def facts(self) -> dict[str, object]:
        """All of it by name, in numbers and words for the user."""
        views = f"{self.info.views} of {self.info.view_size} px" if self.info.views else "none"
        return {
            "shapes": self.shapes,
            "splits": dict(self.info.counts),
            "classes": {label: sum(by_split.values()) for label, by_split in self.counts.items()},
            "resolution": self.info.resolution,
            "views": views,
            "scans": self.info.scans or "none",
            "orientations": self.info.orientations,
            "filled": f"{100 * self.filled:.1f} % of the voxels on average",
            "megabytes": round(self.size_bytes / 1e6, 1),
            "terms": "; ".join(self.info.terms),
        }


@dataclass(frozen=True)
class Audit:
    """What is wrong with a prepared dataset; every list is empty where all is well. Shapes are named by their ids."""

    shapes: int
    empty: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    """Every voxel is occupied, which in truth only a cube may do."""
    duplicates: list[list[str]] = field(default_factory=list)
    """Groups of shapes with exactly the same voxels; a shape that is the same from several sides is named once."""
    leaks: list[list[str]] = field(default_factory=list)
    """Those groups of `duplicates` that lie on both sides of the split."""
    many_parts: list[tuple[str, int]] = field(default_factory=list)
    """(id, loose parts) from MANY_PARTS on, voxels that touch at a corner being connected."""
    blank_views: list[tuple[str, int]] = field(default_factory=list)
    """(id, number of the view) of views whose pixels are all the same."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(id, reason) of what was skipped when the dataset was prepared."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found at all."""
        return not any((self.empty, self.full, self.duplicates, self.many_parts, self.blank_views, self.unreadable))

    def findings(self) -> list[dict[str, object]]:
        """One entry a finding, with `kind`, the `shapes` and a `line` for the user."""
        found: list[dict[str, object]] = []

        def add(kind: str, shapes: list, what: str) -> None:
            found.extend({"kind": kind, "shapes": item, "line": f"{what}: {_words(item)}"} for item in shapes)

        add("leak", self.leaks, "the same voxels in training and test split")
        add("duplicate", [group for group in self.duplicates if group not in self.leaks], "the same voxels twice")
        add("empty", self.empty, "no voxel occupied")
        add("full", self.full, "every voxel occupied")
        add("parts", self.many_parts, "many loose parts")
        add("blank", self.blank_views, "a view with nothing on it")
        add("skipped", self.unreadable, "skipped when it was prepared")
        return found


def _words(item: object) -> str:
    return item if isinstance(item, str) else ", ".join(str(part) for part in item)


def show(path: str | Path, sheet: str | Path | None = None, *, rows: int = 8, seed: int = 0) -> Summary:
    """What a dataset holds; with `sheet` also a PNG of `rows` random shapes, see `draw_sheet`.

    Raises:
        UserError: Where the path is no prepared dataset.
    """
    data = open_dataset(path)
    info = data.infos[0]
    counts: dict[str, dict[str, int]] = {}
    splits = [split for split in ("train", "test") if len(data.split(split))]
    for label, name in enumerate(data.class_names):
        chosen = data.splits[data.labels == label]
        counts[name] = {split: int((chosen == split).sum()) for split in splits}
    some = np.unique(np.linspace(0, len(data) - 1, min(len(data), 500)).astype(int)) if len(data) else []
    filled = float(data.voxels(some).mean()) if len(some) else 0.0
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    if sheet is not None:
        draw_sheet(data, sheet, rows=rows, seed=seed)
    return Summary(Path(path), len(data), counts, info, size, filled)


def draw_sheet(
    data: OpenedData, path: str | Path, *, rows: int = 8, columns: int = 5, cell: int = 128, seed: int = 0
) -> Path:
    """A PNG of random shapes, a row each: up to columns - 1 of its views, and its voxels as a shaded block model.

    Args:
        cell: Pixels a side of each picture.

    Raises:
        UserError: For a dataset without rows and where the file cannot be written.
    """
    from PIL import Image

    from maquette.rendering.sheets import blocks

    if not len(data):
        raise UserError("the dataset has no shapes to show")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:rows])
    views = min(data.views_per_shape, columns - 1)
    canvas = np.full((len(chosen) * cell, (views + 1) * cell, 3), 255, np.uint8)
    for row, index in enumerate(chosen):
        pictures = [data.views([index], [view])[0] for view in range(views)]
        pictures.append(blocks(data.voxels([index])[0], cell))
        for column, picture in enumerate(pictures):
            colour = Image.fromarray(picture).convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
            canvas[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = np.asarray(colour)
    with atomic_path(path) as unfinished:
        Image.fromarray(canvas).save(unfinished, format="PNG")
    return Path(path)


def audit(path: str | Path) -> Audit:
    """Looks through every shape and view of a dataset.

    Raises:
        UserError: Where the path is no prepared dataset.
    """
    data = open_dataset(path)
    ids = data.ids
    empty, full, many, blank = [], [], [], []
    same: dict[bytes, list[int]] = {}
    corners = np.ones((3, 3, 3))
    for start in range(0, len(data), 64):
        part = range(start, min(start + 64, len(data)))
        for index, grid in zip(part, data.voxels(part), strict=True):
            same.setdefault(hashlib.sha256(np.packbits(grid)).digest(), []).append(index)
            if not grid.any():
                empty.append(ids[index])
            elif grid.all():
                full.append(ids[index])
            else:
                parts = int(ndimage.label(grid, corners)[1])
                if parts >= MANY_PARTS:
                    many.append((ids[index], parts))
            for view in range(data.view_count(index) if data.views_per_shape else 0):
                pixels = data.views([index], [view])
                if pixels.min() == pixels.max():
                    blank.append((ids[index], view))
    groups = [list({shape_id(ids[row]): row for row in reversed(rows)}.values())[::-1] for rows in same.values()]
    groups = [rows for rows in groups if len(rows) > 1]
    leaks = [rows for rows in groups if len(set(data.splits[rows])) > 1]
    named = [[[ids[row] for row in rows] for rows in some] for some in (groups, leaks)]
    unreadable = [pair for info in data.infos for pair in info.skipped]
    return Audit(len(data), empty, full, named[0], named[1], many, blank, unreadable)
