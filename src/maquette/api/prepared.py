"""Datasets: shapes into prepared ones, and what is in them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maquette.events import Note, Progress, Skipped
from maquette.extras import require

if TYPE_CHECKING:
    from maquette.datasets.audit import ShapeFinding
    from maquette.datasets.prepare import Finished


def prepare_data(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    resolution: int = 32,
    views: int = 0,
    view_size: int = 128,
    channels: int = 1,
    count: int | None = None,
    seed: int = 0,
    kinds: Sequence[str] = ("photo", "pencil"),
    backgrounds: str | Path | None = None,
    workers: int | None = None,
    split: str | None = None,
    frontal: float = 0.4,
    scans: int = 0,
    orientations: int = 1,
    up: str = "z",
    keep_names: bool = False,
    name: str = "",
) -> "Iterator[Note | Progress | Skipped | Finished]":
    """Turn shapes into a dataset folder; run again with the same options it goes on where it stopped.

    Args:
        source: `furniture`, a ModelNet `.npz` or tree, an IKEA folder, a folder of meshes and grids, a prepared
            dataset, or several of these.
        out: The folder to make.
        resolution: Voxels a side.
        views: Views of each shape; 0: none.
        view_size: Pixels a side of a view.
        channels: 1 for grey views, 3 for RGB.
        count: Shapes at most, spread over the source; of furniture how many are made (1,000 unless said).
        seed: Of the furniture, the views and the scans.
        kinds: The kinds of views that are drawn from: photo, pencil, depth, silhouette.
        backgrounds: A folder of pictures for photo views; None: procedural ones.
        workers: Processes; None: all cores, 1: this process alone.
        split: Prepare this one alone, `train` or `test`; None: both.
        frontal: Share of the photo views from near the front.
        scans: Partial grids of each shape, as one depth camera sees it.
        orientations: Orientations about z of each shape, 1, 2, 3, 4, 6 or 12; more than 1 only without views and scans.
        up: The axis that points up in the meshes of a folder, `z` or `y`.
        keep_names: Call the shapes of a folder by the paths of their files, not by hashes that say nothing.
        name: What trained models call these shapes, and the class of those that lie in no folder of a class.

    Yields:
        Notes, Progress and Skipped, then one `maquette.datasets.prepare.Finished`.

    Raises:
        UserError: For options that cannot be, for an `out` that holds something else, where no shape at all can be
            prepared, and for a full disk.
    """
    require("datasets", "train")
    from maquette.datasets.prepare import prepare

    yield from prepare(
        source, out, resolution=resolution, views=views, view_size=view_size, channels=channels, count=count, seed=seed,
        kinds=kinds, backgrounds=backgrounds, workers=workers, split=split, frontal=frontal, scans=scans,
        orientations=orientations, up=up, keep_names=keep_names, name=name,
    )


def show_data(path: str | Path, out: str | Path = "") -> dict[str, object]:
    """What a prepared dataset holds, by name; a sheet of some of it is drawn too.

    Args:
        path: The dataset's folder.
        out: The PNG of the sheet; empty: `sheet.png` in the folder.

    Raises:
        UserError: Where there is no prepared dataset.
    """
    from maquette.datasets.audit import show
    from maquette.datasets.images import is_images, show_images

    sheet = Path(out) if out else Path(path) / "sheet.png"
    if is_images(path):
        return show_images(path, sheet)
    return {**show(path, sheet).facts(), "sheet": str(sheet)}


def audit_data(path: str | Path) -> "list[ShapeFinding]":
    """What is wrong with a prepared dataset.

    Args:
        path: The dataset's folder.

    Returns:
        One entry a finding: its `kind`, the `shapes`, and a `line` for the user.

    Raises:
        UserError: Where there is no prepared dataset.
    """
    from maquette.datasets.audit import audit

    return audit(path).findings()
