"""What a prepared dataset of shapes holds, a picture of some of it, and what is wrong with it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypedDict

import numpy as np

from maquette.datasets.format import Info
from maquette.datasets.item import is_left_out
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.orientations import shape_id
from maquette.errors import UserError
from maquette.geometry.parts import voxel_parts
from maquette.io.atomic import atomic_path

MANY_PARTS = 4
"""From so many loose parts on a shape is a finding."""


Offender: TypeAlias = str | list[str] | tuple[str, int] | tuple[str, str]
"""What a finding is about: an id, the ids of a group, or an id with a number or a reason."""


class ShapeFinding(TypedDict):
    """One thing that is wrong with shapes of a prepared dataset."""

    kind: str
    shapes: Offender
    line: str


@dataclass(frozen=True)
class Summary:
    """What a prepared dataset holds."""

    path: Path
    shapes: int
    """Rows; a shape in several orientations counts as often."""
    counts: dict[str, dict[str, int]]
    """Rows by class, then by split."""
    info: Info
    """What all rows share; of several folders, the first's."""
    size_bytes: int
    """Bytes on disk."""
    filled: float
    """Mean share of occupied voxels, over 500 rows at most."""

    def facts(self) -> dict[str, int | str | Mapping[str, int] | float]:
        """The summary by name, as numbers and words for the user."""
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
    """What is wrong with a prepared dataset, shapes named by their ids; every list is empty where all is well."""

    shapes: int
    """Rows that were looked at."""
    empty: list[str] = field(default_factory=list)
    """No voxel is occupied."""
    full: list[str] = field(default_factory=list)
    """Every voxel is occupied, which is right for a cube only."""
    duplicates: list[list[str]] = field(default_factory=list)
    """Groups of shapes with exactly the same voxels; a shape that equals itself in another orientation counts once."""
    leaks: list[list[str]] = field(default_factory=list)
    """Those groups of `duplicates` with shapes in both splits."""
    many_parts: list[tuple[str, int]] = field(default_factory=list)
    """(id, number of loose parts) from MANY_PARTS on; voxels that touch at a corner are connected."""
    blank_views: list[tuple[str, int]] = field(default_factory=list)
    """(id, number of the view) of views whose pixels are all the same."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(id, reason) of each shape that could not be read when the dataset was prepared."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not any((self.empty, self.full, self.duplicates, self.many_parts, self.blank_views, self.unreadable))

    def findings(self) -> list[ShapeFinding]:
        """One entry a finding, with its `kind`, the `shapes` and a `line` for the user."""
        found: list[ShapeFinding] = []

        def add(kind: str, offenders: Sequence[Offender], what: str) -> None:
            found.extend(ShapeFinding(kind=kind, shapes=one, line=f"{what}: {_words(one)}") for one in offenders)

        add("leak", self.leaks, "the same voxels in training and test split")
        add("duplicate", [group for group in self.duplicates if group not in self.leaks], "the same voxels twice")
        add("empty", self.empty, "no voxel occupied")
        add("full", self.full, "every voxel occupied")
        add("parts", self.many_parts, "many loose parts")
        add("blank", self.blank_views, "a view with nothing on it")
        add("skipped", self.unreadable, "skipped when it was prepared")
        return found


def _words(offender: Offender) -> str:
    return offender if isinstance(offender, str) else ", ".join(str(part) for part in offender)


def show(path: str | Path, sheet: str | Path | None = None, *, rows: int = 8, seed: int = 0) -> Summary:
    """What a dataset holds; with `sheet` also a picture of some of it, by `draw_sheet`.

    Args:
        path: A prepared dataset.
        sheet: The PNG to write; None for none.
        rows: The most shapes in the picture.
        seed: Chooses the shapes of the picture.

    Raises:
        UserError: If the path is no prepared dataset, or the picture cannot be written.
    """
    data = open_dataset(path)
    info = data.infos[0]
    counts: dict[str, dict[str, int]] = {}
    splits = [split for split in ("train", "test") if len(data.split(split))]
    for label, name in enumerate(data.class_names):
        chosen = data.splits[data.labels == label]
        counts[name] = {split: int((chosen == split).sum()) for split in splits}
    some = np.unique(np.linspace(0, len(data) - 1, min(len(data), 500)).astype(int)) if len(data) else ()
    filled = float(data.voxels(some).mean()) if len(some) else 0.0
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    if sheet is not None:
        draw_sheet(data, sheet, rows=rows, seed=seed)
    return Summary(Path(path), len(data), counts, info, size, filled)


def draw_sheet(
    data: OpenedData, path: str | Path, *, rows: int = 8, columns: int = 5, cell: int = 128, seed: int = 0
) -> Path:
    """Writes a PNG of random shapes, a row each: some of its views, then its voxels as a shaded block model.

    Args:
        data: The dataset.
        path: The PNG to write.
        rows: The most shapes.
        columns: The most pictures of a shape, the block model included.
        cell: Pixels a side of each picture.
        seed: Chooses the shapes.

    Returns:
        The path.

    Raises:
        UserError: If the dataset has no rows, or the file cannot be written.
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
    """Looks through every shape and view of a prepared dataset.

    Raises:
        UserError: If the path is no prepared dataset.
    """
    data = open_dataset(path)
    ids = data.ids
    empty: list[str] = []
    full: list[str] = []
    many: list[tuple[str, int]] = []
    blank: list[tuple[str, int]] = []
    same: dict[bytes, list[int]] = {}
    for start in range(0, len(data), 64):
        part = range(start, min(start + 64, len(data)))
        for index, grid in zip(part, data.voxels(part), strict=True):
            same.setdefault(hashlib.sha256(np.packbits(grid).tobytes()).digest(), []).append(index)
            if not grid.any():
                empty.append(ids[index])
            elif grid.all():
                full.append(ids[index])
            else:
                parts = voxel_parts(grid)[0]
                if parts >= MANY_PARTS:
                    many.append((ids[index], parts))
            for view in range(data.view_count(index) if data.views_per_shape else 0):
                pixels = data.views([index], [view])
                if pixels.min() == pixels.max():
                    blank.append((ids[index], view))
    groups = [list({shape_id(ids[row]): row for row in reversed(rows)}.values())[::-1] for rows in same.values()]
    groups = [rows for rows in groups if len(rows) > 1]
    leaks = [rows for rows in groups if len(set(data.splits[rows])) > 1]
    duplicates, leaked = ([[ids[row] for row in rows] for rows in chosen] for chosen in (groups, leaks))
    unreadable = [(id, why) for info in data.infos for id, why in info.skipped if not is_left_out(id, why)]
    return Audit(len(data), empty, full, duplicates, leaked, many, blank, unreadable)
