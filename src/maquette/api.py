"""The verbs that the command line, notebooks and the studio share. Nothing here prints or parses arguments.

What takes long yields events as it goes; whoever asked shows them.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import trimesh

from maquette import formats, hub
from maquette import preview as previews
from maquette.errors import UserError
from maquette.hub import Model, load
from maquette.mesh import Dropped, Printability, printability, to_frame
from maquette.pencil.pickup import Pickup, find_inputs, pick_up, read_picture
from maquette.shape import Shape

DEFAULT_MODEL = "maquette"
EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Reconstruction:
    """One picture's object.

    shape: the occupancy with the model's threshold. mesh: in millimetres, ready to print. pickup: what was found in the
    picture. dropped: loose parts that were left out. report: whether it can be printed.
    """

    name: str
    shape: Shape
    mesh: trimesh.Trimesh
    pickup: Pickup
    dropped: Dropped
    report: Printability


@dataclass(frozen=True)
class Written:
    """One result on disk. `summary` is what `--json` prints of it."""

    source: str
    paths: tuple[Path, ...]
    line: str
    summary: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """One input that gave no result, and why, in one line."""

    source: str
    reason: str


@torch.inference_mode()
def occupancy(model: Model, images: np.ndarray) -> np.ndarray:
    """Views float32 `[B, C, S, S]` in [0, 1] to occupancy float32 `[B, R, R, R]` in [0, 1].

    Each view is read twice, as it is and in a mirror; the mean of the two (the second mirrored back along x) is given.
    """
    batch = torch.from_numpy(np.ascontiguousarray(images)).contiguous(memory_format=torch.channels_last)
    system = model.system
    straight = system.generate(system.encode(batch))
    mirrored = system.generate(system.encode(batch.flip(3))).flip(2)
    return ((straight + mirrored) / 2).squeeze(1).numpy()


def reconstruct(
    picture: np.ndarray | str | Path,
    model: Model | str = DEFAULT_MODEL,
    *,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Reconstruction:
    """The object in a picture as a printable mesh.

    picture: a file, or pixels uint8 `[H, W]` or `[H, W, 3]`. size_mm: the longest side. threshold: the occupancy at
    which a voxel is solid; None: the model's own. Raises UserError for a picture that cannot be read or holds nothing,
    and for an empty result.
    """
    model = load(model) if isinstance(model, str) else model
    if not model.system.reads_images:
        raise UserError(f"model '{model.name}' does not read pictures", hint="use one trained with vae-iwgan-image")
    name = "picture" if isinstance(picture, np.ndarray) else str(picture)
    pixels = picture if isinstance(picture, np.ndarray) else read_picture(picture)
    config = model.system.config
    found = pick_up(pixels, config.image_size, config.image_channels, name)
    shape = Shape(occupancy(model, found.image[None])[0], model.threshold if threshold is None else threshold)
    mesh, dropped = shape.printable(size_mm, largest_part)
    return Reconstruction(name, shape, mesh, found, dropped, printability(mesh, min_wall_mm))


def reconstruct_files(
    inputs: Iterable[str],
    out: str | Path,
    model: Model | str = DEFAULT_MODEL,
    *,
    suffix: str = ".stl",
    preview: bool = False,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Written | Failed]:
    """Reconstruct files and folders; yields first how many there are, then one Written or Failed for each.

    out: a folder, or one file with a known suffix where there is one input. A bad input is named, the others still
    done.
    """
    model = load(model) if isinstance(model, str) else model
    out = Path(out)
    sources, failed = [], []
    for path in inputs:
        try:
            sources += [source for source in find_inputs([path]) if source not in sources]
        except UserError as error:
            failed.append(Failed(str(path), str(error)))
    single = out.suffix.lower() in formats.MESHES + formats.GRIDS
    if single and len(sources) > 1:
        raise UserError(f"--out {out} is one file, but there are {len(sources)} inputs", hint="give a folder")
    yield len(sources) + len(failed)
    yield from failed
    taken: set[str] = set()
    for source in sources:
        started = time.perf_counter()
        try:
            made = reconstruct(
                source, model, size_mm=size_mm, threshold=threshold, largest_part=largest_part, min_wall_mm=min_wall_mm
            )
            stem = _free_name("stdin" if str(source) == "-" else Path(source).stem, taken)
            target = out if single else out / f"{stem}{suffix}"
            _write(target, made.shape, made.mesh)
            paths = [target]
            if preview:
                paths.append(target.with_name(f"{target.stem}.preview.png"))
                pixels = read_picture(source) if str(source) != "-" else _as_pixels(made.pickup.image)
                previews.preview(pixels, made.mesh, paths[1], title=made.report.line())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        notes = [note for note in (made.dropped.line(), *made.pickup.notes) if note]
        line = "; ".join([made.report.line(), *notes])
        report = made.report
        yield Written(
            str(source),
            tuple(paths),
            line,
            {
                "input": str(source),
                "output": [str(path) for path in paths],
                "kind": made.pickup.kind,
                "watertight": report.watertight,
                "parts": report.parts,
                "volume_cm3": _number(report.volume_cm3),
                "thinnest_wall_mm": _number(report.thinnest_wall_mm),
                "printable": report.ok,
                "notes": notes,
                "seconds": round(time.perf_counter() - started, 4),
            },
        )


@torch.inference_mode()
def generate(
    model: Model | str = DEFAULT_MODEL, count: int = 16, seed: int = 0, *, kind: str = "", spread: float = 1.0
) -> list[Shape]:
    """New shapes from random latents.

    kind: a class that the model knows ("chair"), or empty for the prior. spread: scales the latents' deviation; below 1
    gives more typical shapes. Model, seed and place in the count decide a shape, whatever the count.
    """
    model = load(model) if isinstance(model, str) else model
    if count < 1:
        raise UserError("count must be at least 1", count)
    latents = torch.stack([_latent(model, seed, index, kind) for index in range(count)])
    centre = _class_row(model, kind, "mean") if kind else 0.0
    latents = centre + spread * (latents - centre)
    made = torch.cat([model.system.generate(part) for part in latents.split(32)]).squeeze(1)
    return [Shape(grid, model.threshold) for grid in made.numpy()]


def generate_files(
    out: str | Path,
    model: Model | str = DEFAULT_MODEL,
    *,
    count: int = 16,
    seed: int = 0,
    kind: str = "",
    spread: float = 1.0,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
) -> Iterator[Written | Failed]:
    """`generate`, written to the folder `out` with a sheet of them all, `sheet.png`; yields one event a file."""
    model = load(model) if isinstance(model, str) else model
    out = Path(out)
    meshes = []
    for index, shape in enumerate(generate(model, count, seed, kind=kind, spread=spread)):
        name = f"{kind or 'sample'}-{seed}-{index:03d}"
        try:
            mesh, dropped = shape.printable(size_mm, largest_part)
            _write(out / f"{name}{suffix}", shape, mesh)
        except UserError as error:
            yield Failed(name, str(error))
            continue
        meshes.append(mesh)
        report = printability(mesh)
        line = "; ".join(part for part in (report.line(), dropped.line()) if part)
        summary = {"output": [str(out / f"{name}{suffix}")], "parts_dropped": dropped.parts, "printable": report.ok}
        yield Written(name, (out / f"{name}{suffix}",), line, summary)
    if meshes:
        previews.sheet(meshes, out / "sheet.png")
        yield Written("sheet", (out / "sheet.png",), f"{len(meshes)} samples", {"output": [str(out / "sheet.png")]})


def train(recipe, run: str | Path, *, resume: bool = False) -> Iterator[object]:
    """Train a recipe into a run's folder; yields the events of `maquette.train.job.run`."""
    from maquette.train import job

    yield from job.run(recipe, Path(run), resume=resume)


def models() -> list[dict]:
    """What is known of each bundled model."""
    return [{"name": name, **_facts(hub.BUNDLED / name)} for name in hub.bundled()]


def _facts(folder: Path) -> dict:
    info = hub.read_config(folder)
    return {
        "system": info["system"],
        "resolution": info["model"]["resolution"],
        "labels": info.get("labels", []),
        "data": info.get("data", []),
        "megabytes": round((folder / "model.safetensors").stat().st_size / 1e6, 1),
    }


def model_facts(name: str) -> dict:
    """What is known of one model, its card included."""
    folder = hub.locate(name)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return {"name": name, "folder": str(folder), **_facts(folder), "card": text}


def _class_row(model: Model, kind: str, name: str) -> torch.Tensor:
    labels = list(model.info.get("labels", []))
    if kind not in labels or name not in model.latents:
        raise UserError(f"model '{model.name}' has no class of this name", repr(kind), f"it knows {', '.join(labels)}")
    return model.latents[name][labels.index(kind)]


def _latent(model: Model, seed: int, index: int, kind: str) -> torch.Tensor:
    noise = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, index]).generate_state(1)[0]))
    if not kind:
        return torch.randn(model.system.config.latent, generator=noise)
    mean, factor, rest = (_class_row(model, kind, name) for name in ("mean", "factor", "rest"))
    along = torch.randn(len(factor), generator=noise)
    return mean + along @ factor + rest * torch.randn(len(mean), generator=noise)


def _write(path: Path, shape: Shape, mesh: trimesh.Trimesh) -> None:
    """The grid or the mesh, whichever the suffix says."""
    if formats.kind(path) == "grid":
        shape.save(path)
    else:
        formats.write_mesh(path, mesh)


def _free_name(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return name


def _as_pixels(image: np.ndarray) -> np.ndarray:
    pixels = np.round(np.moveaxis(image, 0, -1) * 255).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


def evaluate(
    model: Model | str,
    on: str,
    path: str,
    *,
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    cache: str = "data-cache",
) -> Iterator[object]:
    """Measure a model on data that it never saw; yields Progressed, then one Measured (`maquette.evaluate.report`).

    on: `modelnet10` (IoU of the test split, half pencil and half photo views) or `ikea` (AP on photos after alignment).
    path: where these data are. cache: folder for the views that are rendered for modelnet10.
    """
    model = load(model) if isinstance(model, str) else model
    if not model.system.reads_images:
        raise UserError(f"model '{model.name}' does not read pictures, so there is nothing to measure on {on}")
    if not path or not Path(path).exists():
        raise UserError("no data there", repr(path), "name them with --data.path")
    config = model.system.config
    if on == "modelnet10":
        from maquette.evaluate.modelnet import evaluate_modelnet

        yield from evaluate_modelnet(
            lambda images: occupancy(model, images), path, cache, resolution=config.resolution,
            view_size=config.image_size, channels=config.image_channels, threshold=model.threshold, views=views,
            limit=limit, seed=seed,
        )
    elif on == "ikea":
        from maquette.evaluate.ikea import measure_ikea

        def predict(pictures: list[np.ndarray]) -> np.ndarray:
            found = [pick_up(picture, config.image_size, config.image_channels).image for picture in pictures]
            return occupancy(model, np.stack(found))

        yield from measure_ikea(predict, path, limit=limit)
    else:
        raise UserError("on must be modelnet10 or ikea", repr(on))


def prepare_data(source: str, out: str, **options) -> Iterator[object]:
    """Turn shapes into a dataset folder; see `maquette.data.prepare.prepare` for the options and the events."""
    from maquette.data.prepare import prepare

    yield from prepare(source, out, **options)


def render_files(
    inputs: Iterable[str],
    out: str | Path,
    *,
    count: int = 8,
    kinds: tuple[str, ...] = ("photo", "pencil", "depth"),
    size_px: int = 256,
    channels: int = 1,
    seed: int = 0,
    backgrounds: str | None = None,
) -> Iterator[Written | Failed]:
    """Render views of mesh or grid files, or of `furniture:KIND:SEED`, as PNG files; yields one event an input."""
    from PIL import Image

    from maquette.files import atomic_path, write_bytes
    from maquette.render.views import render_views

    out, taken = Path(out), set()
    for source in inputs:
        try:
            mesh = _mesh_of(source)
            stem = _free_name(Path(source).stem.replace(":", "-"), taken)
            views = render_views(
                mesh, count=count, size_px=size_px, seed=seed, kinds=kinds, channels=channels, backgrounds=backgrounds
            )
            paths = []
            for index, (pixels, kind) in enumerate(zip(views.images, views.kinds, strict=True)):
                paths.append(out / f"{stem}-{index:03d}-{kind}.png")
                with atomic_path(paths[-1]) as path:
                    Image.fromarray(pixels).save(path)
            cameras = [
                {"file": path.name, "kind": kind, **asdict(camera)}
                for path, kind, camera in zip(paths, views.kinds, views.cameras, strict=True)
            ]
            write_bytes(out / f"{stem}-cameras.json", json.dumps(cameras, indent=1).encode())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        listing = out / f"{stem}-cameras.json"
        summary = {"input": source, "output": [str(path) for path in paths], "cameras": str(listing)}
        yield Written(source, (out,), f"{len(paths)} views and {listing.name}", summary)


def show_data(path: str, out: str = "") -> dict[str, object]:
    """What a prepared dataset holds, by name; a sheet of some of it is drawn to `out`, or to `sheet.png` in the
    folder.
    """
    from maquette.data.audit import show

    sheet = Path(out) if out else Path(path) / "sheet.png"
    found = show(path, sheet)
    counts = {label: sum(by_split.values()) for label, by_split in found.counts.items()}
    splits = {split: count for split, count in found.info.counts.items()}
    return {
        "shapes": found.shapes,
        "splits": splits,
        "classes": counts,
        "resolution": found.info.resolution,
        "views": f"{found.info.views} of {found.info.view_size} px" if found.info.views else "none",
        "filled": f"{100 * found.filled:.1f} % of the voxels on average",
        "megabytes": round(found.size_bytes / 1e6, 1),
        "terms": "; ".join(found.info.terms),
        "sheet": str(sheet),
    }


def audit_data(path: str) -> list[dict[str, object]]:
    """What is wrong with a prepared dataset: one entry a finding, with `kind`, the `shapes` and a `line` for the
    user.
    """
    from maquette.data.audit import audit

    found = audit(path)
    findings: list[dict[str, object]] = []

    def add(kind: str, shapes: list, what: str) -> None:
        findings.extend({"kind": kind, "shapes": item, "line": f"{what}: {_words(item)}"} for item in shapes)

    add("leak", found.leaks, "the same voxels in training and test split")
    add("duplicate", [group for group in found.duplicates if group not in found.leaks], "the same voxels twice")
    add("empty", found.empty, "no voxel occupied")
    add("full", found.full, "every voxel occupied")
    add("parts", found.many_parts, "many loose parts")
    add("blank", found.blank_views, "a view with nothing on it")
    add("skipped", found.unreadable, "skipped when it was prepared")
    return findings


def demo_files(out: str | Path, model: Model) -> Iterator[int | Written | Failed]:
    """Reconstruct the bundled examples with previews, and lay them out on one sheet, sketch beside mesh."""
    out = Path(out)
    sources = sorted(str(path) for path in EXAMPLES.glob("*.png"))
    yield len(sources) + 1
    cells: list[np.ndarray | trimesh.Trimesh] = []
    for source in sources:
        made = reconstruct(source, model)
        target = out / f"{Path(source).stem}.stl"
        formats.write_mesh(target, made.mesh)
        cells += [read_picture(source), made.mesh]
        yield Written(Path(source).name, (target,), made.report.line())
    picture = previews.sheet(cells, out / "demo.png", columns=4, cell_px=240)
    yield Written("picture", (picture,), "each example beside its mesh")


def _mesh_of(source: str) -> trimesh.Trimesh:
    """A mesh in the package's frame, out of a file or the furniture maker."""
    from maquette.data.sources import is_furniture

    if is_furniture(source):
        from maquette.data.furniture import make

        _, kind, number = (source.split(":") + ["", "0"])[:3]
        if not number.isdigit():
            raise UserError("furniture is asked for as furniture:KIND:SEED", repr(source), "furniture:chair:7")
        return make(kind, int(number))
    if formats.kind(source) == "grid":
        return Shape.load(source).surface()
    return to_frame(formats.read_mesh(source))


def _words(item: object) -> str:
    return item if isinstance(item, str) else ", ".join(str(part) for part in item)
