"""Image sets made from shapes: coloured objects seen by unknown cameras, to train generators of 3D objects on.

The result is a dataset of images as `maquette.datasets.images` opens it. Its rows have pixels and masks. Only the
cameras of the test split are kept; they lie beside it with the true shapes, for measuring (`true_shapes`).
"""

import hashlib
import json
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maquette.datasets.images.format import SIDECAR, ImageInfo, features, open_images
from maquette.datasets.images.prepare import finished
from maquette.datasets.images.true_shapes import TRUE_SHAPES, keep_shape, shape_part, write_shapes
from maquette.datasets.item import Item
from maquette.datasets.orientations import shape_id
from maquette.datasets.private import write_private_names
from maquette.datasets.resumable import (
    MAX_COUNT,
    PARTS,
    Finished,
    Rows,
    assemble,
    claimed,
    make_groups,
    unfinished_groups,
    version,
    write_group,
)
from maquette.datasets.sources import is_generated, items_of, terms_of
from maquette.datasets.workers import cores
from maquette.errors import UserError
from maquette.events import Progress, Skipped
from maquette.io.atomic import write_bytes
from maquette.rendering.camera import CIRCUMSPHERE, Camera

RENDERED = "rendered.json"
"""How the images were made: the distribution of the cameras, the background, the light."""
TEST_CAMERAS = "test-cameras.json"
"""The cameras of the test split."""
FORMAT = 1
"""Changes when the same options give other rows."""
BACKGROUNDS = ("white", "random")
"""What can be behind the objects; `random` is one plain colour a picture."""
HOLDOUT = 100
"""The most shapes that are held out where nobody says how many."""
_GROUP = 64
"""Images that are written in one go, or the images of one shape if those are more."""


@dataclass(frozen=True)
class CameraRange:
    """The distribution of the cameras, which all look at the centre of the object and are upright."""

    azimuth_deg: tuple[float, float] = (0.0, 360.0)
    """From and to; uniform. 0 sees the front, and it grows counter-clockwise seen from above."""
    elevation_deg: tuple[float, float] = (0.0, 45.0)
    """From and to, above the horizon, -90 to 90; uniform over the area of the sphere, that is, its sine is uniform."""
    fov_deg: float = 30.0
    """Field of view from edge to edge of the picture, 1 to 120."""
    radius: float = 2.9
    """Distance to the centre of the object, in lengths of its longest side."""

    def __post_init__(self) -> None:
        for name, (low, high) in (("azimuth", self.azimuth_deg), ("elevation", self.elevation_deg)):
            if not (np.isfinite([low, high]).all() and low <= high):
                raise UserError(f"{name} must be two angles, the lower one first", f"{low:g} {high:g}")
        if not -90 <= self.elevation_deg[0] <= self.elevation_deg[1] <= 90:
            low, high = self.elevation_deg
            raise UserError("elevation must lie between -90 and 90 degrees", f"{low:g} {high:g}")
        if not 1 <= self.fov_deg <= 120:
            raise UserError("fov must be from 1 to 120 degrees", f"{self.fov_deg:g}")
        if not CIRCUMSPHERE < self.radius <= 1000:
            raise UserError(f"radius must be above {CIRCUMSPHERE:.3f}, so that cameras are outside of every object, "
                            "and at most 1000", f"{self.radius:g}")

    def sample(self, rng: np.random.Generator, size_px: int) -> Camera:
        """A random camera, for a picture of `size_px` pixels a side."""
        azimuth = float(rng.uniform(*self.azimuth_deg)) % 360
        low, high = np.sin(np.radians(self.elevation_deg))
        elevation = float(np.degrees(np.arcsin(np.clip(rng.uniform(low, high), -1, 1))))
        whole = 2 * np.arcsin(CIRCUMSPHERE / self.radius)  # at this field of view a Camera has this distance
        zoom = float(np.tan(whole / 2) / np.tan(np.radians(self.fov_deg) / 2))
        return Camera(azimuth, elevation, float(np.degrees(whole)), size_px, zoom=zoom)


@dataclass(frozen=True)
class RenderOptions:
    """What decides the images of a shape, besides the shape itself."""

    size: int
    """Pixels a side."""
    views: int
    """Images of each shape."""
    background: str
    """One of `BACKGROUNDS`."""
    seed: int
    """Of the furniture, the colours and the cameras."""
    cameras: CameraRange
    """What the cameras are drawn from."""
    up: str = "z"
    """The axis that points up in the meshes of a folder."""


def render_images(
    source: str | Path,
    out: str | Path,
    *,
    size: int = 64,
    views: int = 8,
    count: int | None = None,
    classes: Sequence[str] = (),
    holdout: int | None = None,
    background: str = "white",
    cameras: CameraRange | None = None,
    seed: int = 0,
    up: str = "z",
    workers: int | None = None,
) -> Iterator[Progress | Skipped | Finished]:
    """Renders an image set, step by step as the events are asked for; the caller stops by asking for no more.

    Yields Progress or Skipped for each shape, and Finished at the end, which counts images. Each shape has one scheme
    of colours (`maquette.rendering.colours`).

    Args:
        source: What `maquette.datasets.sources.read` reads.
        out: The folder to make. Run again with the same options it goes on where it stopped; when it is finished there
            is nothing to do.
        size: Pixels a side, 8 to 512.
        views: Images of each shape, 1 to 500.
        count: The most shapes to learn from, spread evenly over the source; for furniture how many are made, 1,000 by
            default.
        classes: The classes of the source that are taken, all by default.
        holdout: Shapes for testing: from the source's own test split if it has one, otherwise those whose names have
            the smallest hashes. No shape is in both splits. None: a fifth as many as there are to learn from, at least
            1 and at most `HOLDOUT`.
        background: `white`, or `random` for one plain colour a picture.
        cameras: What the cameras are drawn from.
        seed: Of the furniture, the colours and the cameras.
        up: The axis that points up in the meshes of a folder, `z` or `y`.
        workers: Processes; by default one for each core. 1 works in this process.

    Raises:
        UserError: If an option is out of range, if `out` holds something else, if no shape at all can be rendered, and
            if the disk is full (free some space and run it again).
    """
    out = Path(out)
    options = RenderOptions(size, views, background, seed, cameras or CameraRange(), up)
    _check(options, count, holdout, workers)
    name, split = _split(source, tuple(classes), count, holdout, seed, up)
    holdout = len(split["test"]) if holdout is None else holdout
    items = [item for chosen in split.values() for item in chosen]
    decisive: dict[str, Any] = asdict(options) | asdict(options.cameras) | {"shapes": len(items), "holdout": holdout}
    del decisive["cameras"]
    content = json.dumps([FORMAT, decisive, [[item.id, item.label, item.split] for item in items]])
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    if whole := finished(out, fingerprint):
        yield whole
        return
    with claimed(out, fingerprint, json.loads(json.dumps(decisive))):
        own = [(item.id, item.file) for item in items if item.file is not None]
        if own:
            write_private_names(out, own)
        group = max(1, _GROUP // views)
        groups = {f"{part}-{number:05d}": chosen[start : start + group] for part, chosen in split.items()
                  for number, start in enumerate(range(0, len(chosen), group))}
        unfinished, done = unfinished_groups(out / PARTS, groups)
        make = partial(_make, options=options, parts=out / PARTS)
        for item, reason, ready in make_groups(unfinished, make, workers or cores()):
            done += 1
            if ready is not None:
                write_group(out / PARTS, ready, features(masks=True).arrow_schema)
            yield (Progress("preparing", done, len(items)) if reason is None
                   else Skipped(item.id, reason, done, len(items)))
        counts, skipped = assemble(out, list(groups), features(masks=True), fingerprint, "no shape")
        missing = {id for id, _ in skipped}
        tested = [item for item in split["test"] if item.id not in missing]
        listed = [{"id": f"{item.id}-{view:02d}", "shape": item.id, **asdict(camera_of(item.id, view, options))}
                  for item in tested for view in range(views)]
        write_bytes(out / TEST_CAMERAS, (json.dumps(listed, indent=1) + "\n").encode())
        write_shapes(out / TRUE_SHAPES, tested, out / PARTS)
        info = ImageInfo(
            width=size, height=size, channels=3, crop="none", holdout=holdout, name=name,
            terms="; ".join(terms_of([source])), counts=counts, skipped=skipped,
            versions={package: version(package) for package in ("maquette", "datasets", "trimesh", "numpy")},
            fingerprint=fingerprint, masks=True,
        )
        cut = _cut_off(out, info)
        facts = decisive | {"source": name, "images": counts, "test_shapes": len(tested), "cut_off": cut}
        write_bytes(out / RENDERED, (json.dumps(facts, indent=2) + "\n").encode())
        write_bytes(out / "README.md", _readme(info, options, len(tested), cut).encode())
        write_bytes(out / SIDECAR, (json.dumps(asdict(info), indent=2) + "\n").encode())
    shutil.rmtree(out / PARTS, ignore_errors=True)
    yield Finished(out, sum(counts.values()), skipped)


def camera_of(id: str, view: int, options: RenderOptions) -> Camera:
    """The camera of one image of a shape, which depends on the seed, the shape's name and the image's number alone."""
    return options.cameras.sample(np.random.default_rng([_own_seed(id, options.seed), view]), options.size)


def _own_seed(id: str, seed: int) -> int:
    return int(np.random.SeedSequence([seed, zlib.crc32(id.encode())]).generate_state(1)[0])


def _check(options: RenderOptions, count: int | None, holdout: int | None, workers: int | None) -> None:
    if not 8 <= options.size <= 512:
        raise UserError("size_px must be from 8 to 512 pixels", options.size)
    if not 1 <= options.views <= 500:
        raise UserError("views must be from 1 to 500", options.views)
    if count is not None and count < 1:
        raise UserError("count must be 1 or more", count)
    if max(count or 0, holdout or 0) > MAX_COUNT:
        raise UserError(f"count and holdout must be at most {MAX_COUNT:,}", max(count or 0, holdout or 0))
    if holdout is not None and holdout < 0:
        raise UserError("holdout must be 0 or more", holdout)
    if options.background not in BACKGROUNDS:
        raise UserError(f"background must be {' or '.join(BACKGROUNDS)}", repr(options.background))
    if options.seed < 0:
        raise UserError("seed must be 0 or more", options.seed)
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)


def _split(
    source: str | Path, classes: tuple[str, ...], count: int | None, holdout: int | None, seed: int, up: str
) -> tuple[str, dict[str, list[Item]]]:
    """What a maker was asked for, empty for files (whose names go nowhere), and the items of each split."""
    if is_generated(source):
        name = str(source) if ":" in str(source) or not classes else f"{source}:{','.join(classes)}"
        train = _of_classes(items_of([name], count=count, seed=seed, split="train", up=up), classes, source)
        holdout = _usual_holdout(len(train)) if holdout is None else holdout
        test = items_of([name], count=holdout, seed=seed, split="test", up=up) if holdout else []
        return name, {"train": train, "test": [item for item in test if not classes or item.label in classes]}
    items = _of_classes(items_of([source], up=up), classes, source)
    train, test = ([item for item in items if item.split == split] for split in ("train", "test"))
    if holdout is None:
        shapes = len({shape_id(item.id) for item in train})
        wanted = min(count or shapes, shapes)  # of shapes in one split, those held out are no more to learn from
        holdout = _usual_holdout(wanted if test or wanted < shapes else round(wanted / 1.2))
    if not test:
        names = sorted({shape_id(item.id) for item in train}, key=lambda id: hashlib.sha256(id.encode()).digest())
        held = set(names[:holdout])
        test = [replace(item, split="test") for item in train if shape_id(item.id) in held]
        train = [item for item in train if shape_id(item.id) not in held]
    if not train:
        raise UserError(f"holding out {holdout} shapes leaves none to learn from",
                        f"{len(items)} shape{'s' if len(items) > 1 else ''}", "lower --holdout")
    return "", {"train": _spread(train, count), "test": _spread(test, holdout)}


def _usual_holdout(shapes: int) -> int:
    """How many shapes are held out beside so many to learn from, where nobody says."""
    return min(HOLDOUT, max(1, shapes // 5))


def _of_classes(items: list[Item], classes: tuple[str, ...], source: str | Path) -> list[Item]:
    """The items of these classes; of all if none is named."""
    has = sorted({item.label for item in items})
    unknown = [label for label in classes if label not in has]
    if unknown:
        raise UserError(f"{source} has no class of this name", repr(unknown[0]), f"it has {', '.join(has)}")
    return [item for item in items if not classes or item.label in classes]


def _spread(items: list[Item], count: int | None) -> list[Item]:
    """At most `count` items, spread evenly."""
    if count is None or len(items) <= count:
        return items
    return [items[k * len(items) // count] for k in range(count)]


def _make(item: Item, options: RenderOptions, parts: Path) -> Rows:
    """(a row for each view, None), or (None, why there are none).

    The reason calls the user's own files by their ids. The true shape of a test item is written to `parts`.
    """
    from maquette.datasets.rows import mesh_of
    from maquette.rendering.coloured import coloured
    from maquette.rendering.colours import scheme
    from maquette.rendering.raycaster import RayCaster

    try:
        mesh = mesh_of(item.id, item.load())
        own = _own_seed(item.id, options.seed)
        albedo, caster = scheme(mesh, own), RayCaster(mesh)
        grounds = np.random.default_rng([own, 1 << 20]).integers(0, 256, (options.views, 3))
        if options.background == "white":
            grounds[:] = 255
        rows = []
        for view in range(options.views):
            pixels, mask = coloured(caster, camera_of(item.id, view, options), albedo, grounds[view])
            rows.append({"id": f"{item.id}-{view:02d}", "pixels": pixels.tobytes(), "height": options.size,
                         "width": options.size, "channels": 3, "mask": mask.tobytes()})
        if item.split == "test":
            keep_shape(shape_part(parts, item), mesh)
        return rows, None
    except UserError as error:
        return None, item.unnamed(str(error))
    except Exception as error:  # one strange file among thousands must not end the others
        return None, item.unnamed(f"{type(error).__name__}: {error}")


def _cut_off(out: Path, info: ImageInfo) -> int:
    """In how many images the object reaches the edge. The sidecar of the dataset need not be written yet."""
    data = open_images(out, info)
    cut = 0
    for start in range(0, len(data), 4096):
        masks = data.masks(range(start, min(start + 4096, len(data))))
        rim = masks[:, [0, -1]].any((1, 2)) | masks[:, :, [0, -1]].any((1, 2))
        cut += int(rim.sum())
    return cut


def _readme(info: ImageInfo, options: RenderOptions, tested: int, cut: int) -> str:
    rows = ", ".join(f"{count} in `{split}`" for split, count in info.counts.items())
    skipped = "\n".join(f"- {reason}" for _, reason in info.skipped) or "none"
    cameras = options.cameras
    return f"""# {f"Images of {info.name}" if info.name else "Images of shapes"}
{info.width} wide and {info.height} high, RGB, {options.views} of each shape, background: {options.background}; {rows}.
In {cut} of them the object reaches the edge. No shape is in both splits.

Cameras: azimuth {cameras.azimuth_deg[0]:g} to {cameras.azimuth_deg[1]:g} degrees, elevation
{cameras.elevation_deg[0]:g} to {cameras.elevation_deg[1]:g} degrees (even over the sphere), field of view
{cameras.fov_deg:g} degrees, {cameras.radius:g} longest sides away. Which camera took which picture is kept for the test
split alone, in `{TEST_CAMERAS}`; the {tested} true shapes of that split are in `{TRUE_SHAPES}`. Both are for measuring.

Terms of use of the shapes: {info.terms}

```python
from datasets import load_from_disk
import numpy as np
row = load_from_disk("this folder")["train"][0]
image = np.frombuffer(row["pixels"], np.uint8).reshape({info.shape})  # [height, width, 3]
mask = np.frombuffer(row["mask"], np.uint8).reshape({info.shape[:2]})  # 255 where the object covers all of a pixel
```

Skipped:
{skipped}
"""
