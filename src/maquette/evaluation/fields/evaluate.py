"""Generators of views of objects beside the images that they learned from, and beside the true shapes where known.

After 3DGEN (arXiv 2312.08094) and GRAF (arXiv 2007.02442), which compare renders by FID; what says whether shape and
appearance are separate, and whether the meshes are like the true shapes, is ours. Every number has its control.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float
from torch import Tensor

from maquette.datasets.images.true_shapes import TRUE_SHAPES, TrueShapes, true_shapes
from maquette.errors import UserError
from maquette.evaluation.fields import measures
from maquette.evaluation.fields.measures import SplitHalfScores
from maquette.evaluation.fields.mesh_quality import MeshQuality, is_one_piece, mesh_quality, silhouette_iou
from maquette.evaluation.images import measures as image_measures
from maquette.evaluation.images.evaluate import evaluate_images
from maquette.evaluation.images.options import ImageMeasureOptions
from maquette.evaluation.images.plots import GENERATED, REAL
from maquette.evaluation.images.sets import ImageSet, open_real_images
from maquette.evaluation.report import Cell, Details, Measured
from maquette.events import Progress
from maquette.fields import field_mesh
from maquette.fields.pictures import render_latents, views_round
from maquette.geometry.curvature import edge_angle_deg, mean_curvature
from maquette.geometry.mesh import to_frame
from maquette.geometry.points import surface_points
from maquette.io.atomic import atomic_path
from maquette.io.replacing import check_free
from maquette.models.hub import Model, load
from maquette.models.pixels import as_pixels
from maquette.models.prior import draw
from maquette.models.sampling import batches_of_images
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.rendering import sheets as previews
from maquette.systems.graf import FieldSystem, ViewsConfig

ENCODER = "modelnet"
"""The bundled model in whose encoder's features images are compared."""
FRECHET = "Frechet, encoder"
SPREAD = "spread, encoder"
SHEET = "objects.png"
"""The picture of several objects from several azimuths."""
COLUMNS = ("measure", "model", "control", "the control is")
_SOLID = 0.5  # share of a ray that ends on the object, from which a pixel belongs to the object

Row = tuple[Cell, ...]
"""One row of the table: the entries of `COLUMNS`."""
Part = tuple[list[Row], Details, list[str]]
"""One part of the measurement: rows of the table, details and notes."""


@dataclass(frozen=True)
class FieldMeasureOptions:
    """How much is measured."""

    images: int = 500
    """Images of each set at most."""
    repeats: int = 10
    """Random subsets for each distance."""
    shapes: int = 8
    """Shape codes that are shown with several appearance codes."""
    codes: int = 6
    """Appearance codes with each shape code; and, for the control, shape codes with one appearance code."""
    meshes: int = 32
    """Meshes at most."""
    resolution: int = 64
    """Cells a side for the meshes."""
    objects: int = 6
    """Objects on the sheet."""
    azimuths: int = 8
    """Views of each object on the sheet."""


def evaluate_fields(
    model: Model, path: str | Path, out: str | Path, *, shapes: str | Path = "", inception: str = "",
    options: FieldMeasureOptions | None = None, image_options: ImageMeasureOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Measure a model of GRAF or 3DGEN beside an image set.

    Args:
        model: The model.
        path: A prepared dataset of images, or a plain folder.
        out: Folder for the report of `evaluate_images` and for `objects.png`, several objects from several azimuths.
        shapes: An image set whose true shapes the meshes are compared with; empty: those of `path` where it has some.
        inception: Inception's weights, see `evaluate_images`.
        options: How much is measured; None for the defaults.
        image_options: How much is measured of the images; None: as many images as `options` says.
        seed: Of the samples and all choices.

    Yields:
        Progress, then a table.

    Raises:
        UserError: As `evaluate_images` does, and for true shapes that are damaged or missing.
    """
    options, out = options or FieldMeasureOptions(), Path(out)
    check_free(out / SHEET)
    true = _true_shapes(path, shapes)
    config = model.system.config
    shape = (config.height, config.width) + ((3,) if config.channels == 3 else ())
    name = Path(model.name).name
    generate = _RecordedImages(partial(batches_of_images, model, seed=seed))
    image_options = image_options or ImageMeasureOptions(most=options.images)
    report = yield from _measured(evaluate_images(generate, shape, path, out, model=name, inception=inception,
                                                  options=image_options, seed=seed))
    rows = _image_rows(report)
    details: Details = {}
    notes: list[str] = []
    for part in (_encoder_distances(generate, path, shape, options, seed), _separate_codes(model, options, seed),
                 _meshes(model, true, options, seed)):
        more_rows, more_details, more_notes = yield from part
        rows, details, notes = rows + more_rows, details | more_details, notes + more_notes
    yield from _sheet(model, out / SHEET, options, seed)
    details = {"model": name, "system": model.system.name, "seed": seed, "plan": asdict(options), **details,
               "images": report.to_json()}
    title = f"{report.title}; shapes, appearances and meshes"
    yield Measured(title, COLUMNS, tuple(rows), details, (*notes, *report.notes, f"objects: {out / SHEET}"))


class _RecordedImages:
    """A generator of images that keeps what it made, so that other measures can use the same images.

    Args:
        generate: The model.
    """

    def __init__(self, generate: Callable[[int], Iterable[np.ndarray]]) -> None:
        self.generate = generate
        self.images: np.ndarray = np.empty((0, 0, 0), np.uint8)
        """All images, once they were made."""

    def __call__(self, count: int) -> Iterator[ImageSet]:
        """Make `count` images, some at a time."""
        parts = []
        for part in self.generate(count):
            parts.append(part)
            yield part
        self.images = np.concatenate(parts)


def _measured(events: Iterable[Progress | Measured]) -> Generator[Progress, None, Measured]:
    """The progress of a measurement, whose table is returned."""
    for event in events:
        if isinstance(event, Measured):
            return event
        yield event
    raise ValueError("nothing was measured")


def _true_shapes(path: str | Path, shapes: str | Path) -> TrueShapes | None:
    """The true shapes of the named image set; else those of `path`, or None where it has none."""
    if shapes:
        if not Path(shapes).exists():
            raise UserError("no image set with true shapes there", repr(str(shapes)), "name one with --data.path")
        return true_shapes(shapes)
    return true_shapes(path) if (Path(path) / TRUE_SHAPES).is_file() else None


def _row(name: str, model: float, control: float | None = None, what: str = "") -> Row:
    """A row of the table; what: what the control is."""
    return name, float(model), "" if control is None else float(control), what


def _image_rows(report: Measured) -> list[Row]:
    """The rows of the report on images that belong in the table."""
    rows = []
    for name in (image_measures.FID, image_measures.KID, image_measures.SLICED, image_measures.MS_SSIM):
        if name in report.details["measures"]:
            columns = report.details["measures"][name]
            what = "training images" if name == image_measures.MS_SSIM else "training images beside held-out ones"
            rows.append(_row(name, columns[GENERATED]["mean"], columns[REAL]["mean"], what))
    return rows


def _encoder_distances(
    generated: _RecordedImages, path: str | Path, shape: tuple[int, ...], options: FieldMeasureOptions, seed: int
) -> Generator[Progress, None, Part]:
    """Distance and spread in the features of the bundled encoder; yields progress."""
    judge, real = load(ENCODER, runtime="torch"), open_real_images(path, shape)
    sets = {"generated": generated.images[: options.images], "training": real.some(options.images, seed),
            "held-out": real.some_held_out(options.images, seed)}
    features = {}
    for number, (name, images) in enumerate(sets.items()):
        yield Progress("reading images with the bundled encoder", number, len(sets))
        features[name] = measures.encoder_features(judge, images)
    yield Progress("reading images with the bundled encoder", len(sets), len(sets))
    size = min(map(len, sets.values()))
    distances = {name: measures.frechet_repeats(features[name], features["held-out"], size, options.repeats, seed)
                 for name in ("generated", "training")}
    spreads = {name: measures.spread(own) for name, own in features.items()}
    rows = [_row(FRECHET, float(np.mean(distances["generated"])), float(np.mean(distances["training"])),
                 "training images beside held-out ones"),
            _row(SPREAD, spreads["generated"], spreads["training"], "training images")]
    length = features["training"].shape[1]
    details = {"encoder": {
        "features": f"means of the posterior of the bundled model '{ENCODER}', {length} values", "images": size,
        "frechet": {name: {"mean": float(np.mean(values)), "deviation": float(np.std(values)), "repeats": len(values)}
                    for name, values in distances.items()}, "spread": spreads}}
    grey = " and of grey copies alone" if judge.system.config.image_channels == 1 else ""
    notes = [f"{FRECHET}: the Frechet distance of {size} images and {size} held-out ones in the {length} values that "
             f"the encoder of the bundled model '{ENCODER}' reads from a picture. It was trained on furniture in "
             f"drawings and photos{grey}: beside the control it says which is nearer, and it is no FID"]
    return rows, details, notes


@torch.no_grad()
def render_with_masks(
    system: FieldSystem[ViewsConfig], latents: Float[Tensor, "n latent"], views: Views
) -> tuple[ImageSet, Bool[np.ndarray, "n h w"]]:
    """Render objects.

    Args:
        system: Of GRAF or 3DGEN, whose images are square.
        latents: One for each object.
        views: The camera of each object.

    Returns:
        The pictures, 0 to 255, and masks of the pixels that belong to the object.
    """
    side = system.config.height
    places = rays.pixel_places(side, latents)[None]
    rendered = [system.render_rays(latents[k : k + 1], views[k : k + 1], places) for k in range(len(latents))]
    colours = torch.stack([colour.T.reshape(-1, side, side) for colour, _ in rendered])
    masks = torch.stack([mask.view(side, side) for _, mask in rendered])
    return as_pixels(colours), masks.cpu().numpy() >= _SOLID


def _separate_codes(
    model: Model, options: FieldMeasureOptions, seed: int
) -> Generator[Progress, None, Part]:
    """Whether appearance leaves the outline alone; yields progress.

    Each row of pictures has one camera. In one kind of row one shape has several appearances; in the other, the
    control, several shapes have one appearance.
    """
    system = _field_system(model)
    config = system.config
    drawn = torch.stack([torch.from_numpy(draw(model, seed, index)) for index in range(options.shapes + options.codes)])
    bases, others = drawn[: options.shapes], drawn[options.shapes :]
    ends = {"appearance": (config.shape_code, config.shape_code + config.appearance_code),
            "shape": (0, config.shape_code)}
    images: dict[str, list[np.ndarray]] = {name: [] for name in ends}
    masks: dict[str, list[np.ndarray]] = {name: [] for name in ends}
    total = len(ends) * options.shapes
    for number, (name, base) in enumerate((name, base) for name in ends for base in bases):
        yield Progress("changing one code of two", number, total)
        latents = base.repeat(options.codes, 1)
        first, end = ends[name]
        latents[:, first:end] = others[:, first:end]
        row_images, row_masks = render_with_masks(system, latents, system.views(latents))
        images[name].append(row_images)
        masks[name].append(row_masks)
    yield Progress("changing one code of two", total, total)
    iou = {name: silhouette_iou(np.stack(masks[name])) for name in ends}
    change = {name: measures.colour_change(np.stack(images[name]), np.stack(masks[name])) for name in ends}
    rows, notes = [], []
    for label, values in (("outline IoU, appearances", iou), ("colour change, appearances", change)):
        if np.isfinite(list(values.values())).all():
            rows.append(_row(label, values["appearance"], values["shape"], "shape codes instead"))
    if len(rows) < 2:
        notes.append("the model shows too little to compare outlines and colours of different codes")
    details = {"codes": {"outline_iou": iou, "colour_change_levels": change, "shapes": options.shapes,
                         "codes": options.codes}}
    return rows, details, notes


def _field_system(model: Model) -> FieldSystem[ViewsConfig]:
    """The model's system; TypeError for one that makes no fields."""
    if not isinstance(model.system, FieldSystem):
        raise TypeError(f"a system of GRAF or 3DGEN is needed, got {model.system.name}")
    return model.system


def _meshes(
    model: Model, true: TrueShapes | None, options: FieldMeasureOptions, seed: int
) -> Generator[Progress, None, Part]:
    """Meshes beside the true shapes, where there are some; yields progress."""
    generator = model.system.generator
    meshes: list[trimesh.Trimesh] = []
    failed: list[str] = []
    count = min(options.meshes, len(true.points)) if true is not None and len(true.points) > 1 else options.meshes
    for index in range(count):
        yield Progress("making meshes", index, count)
        try:
            latent = torch.from_numpy(draw(model, seed, index))
            meshes.append(to_frame(field_mesh(generator, latent, options.resolution).mesh))
        except UserError as error:
            failed.append(str(error))
            meshes.append(trimesh.Trimesh())
    yield Progress("making meshes", count, count)
    solid = [mesh for mesh in meshes if len(mesh.faces)]
    notes = [f"{len(failed)} of {count} samples have no mesh, the first: {failed[0]}"] if failed else []
    if not solid:
        return [], {"meshes": {"made": count, "without": len(failed)}}, notes
    whole = sum(is_one_piece(mesh) for mesh in solid) / count
    rows = [_row("watertight, one piece", whole)]
    details = {"made": count, "without": len(failed), "resolution": options.resolution, "watertight_one_piece": whole,
               "bend": float(np.mean([mean_curvature(mesh) for mesh in solid])),
               "edge_angle_deg": float(np.mean([edge_angle_deg(mesh) for mesh in solid]))}
    if true is None or not len(true.points):
        rows += [_row("bend", details["bend"]), _row("edge angle, degrees", details["edge_angle_deg"])]
        notes.append("no true shapes are known, so meshes are compared with none; image sets of maquette data render "
                     "images keep them, and --data.path names such a set")
        return rows, {"meshes": details}, notes
    some = _evenly(true.points, count)
    low, high = model.system.config.azimuth_deg
    angle = 0.0
    if high - low >= 360:
        angle = measures.best_rotation_deg([surface_points(mesh, 256, seed) for mesh in solid], list(some))
    for mesh in solid:
        mesh.vertices = measures.rotated_about_z(np.asarray(mesh.vertices), angle)
    yield Progress("comparing meshes with true shapes", 0, 1)
    quality = mesh_quality(meshes, some, seed=seed)
    floor = measures.split_half_scores(_evenly(true.points, 2 * count))
    yield Progress("comparing meshes with true shapes", 1, 1)
    true_bend = float(np.nanmean(true.mean_curvature))
    rows += _quality_rows(quality, floor, true_bend)
    notes.append(f"meshes at {options.resolution} cells a side, each brought into the frame, beside {len(some)} true "
                 f"shapes, by Chamfer distance over {quality.points} points")
    if high - low >= 360:
        notes.append(f"all meshes were turned by {angle:g} degrees about the up axis, the best of {measures.TURNS} "
                     "turns: no camera was told, so the model knows no front")
    return rows, {"meshes": details | asdict(quality) | {
        "true_shapes": len(some), "turned_deg": angle, "halves": asdict(floor) if floor else None,
        "true_bend": true_bend}}, notes


def _quality_rows(quality: MeshQuality, floor: SplitHalfScores | None, true_bend: float) -> list[Row]:
    """The rows on meshes beside true shapes; floor: what true shapes score beside each other."""
    bend = [_row("bend", quality.mean_curvature, true_bend, "true shapes"),
            _row("edge angle, degrees", quality.edge_angle_deg)]
    if floor is None:
        return [_row("coverage", quality.coverage), _row("1-NN accuracy", quality.one_nearest_neighbour),
                _row("MMD x1000", 1000 * quality.minimum_matching_distance), *bend]
    what = f"{floor.shapes} true shapes beside as many others"
    return [
        _row("coverage", quality.coverage, floor.coverage, what),
        _row("1-NN accuracy", quality.one_nearest_neighbour, floor.one_nearest_neighbour, what),
        _row("MMD x1000", 1000 * quality.minimum_matching_distance, 1000 * floor.minimum_matching_distance, what),
        *bend,
    ]


def _evenly(points: Float[np.ndarray, "n ..."], count: int) -> Float[np.ndarray, "m ..."]:
    """At most `count` rows, evenly over all."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]


def _sheet(model: Model, path: Path, options: FieldMeasureOptions, seed: int) -> Iterator[Progress]:
    """Draw several objects, a row each, from azimuths evenly over the model's range."""
    from PIL import Image

    views, _ = views_round(model.system.config, options.azimuths)
    cells: list[np.ndarray] = []
    for index in range(options.objects):
        yield Progress("drawing objects", index, options.objects)
        cells += render_latents(model, torch.from_numpy(draw(model, seed, index)).expand(options.azimuths, -1), views)
    with atomic_path(path) as unfinished:
        Image.fromarray(previews.montage(np.stack(cells), options.azimuths)).save(unfinished, format="PNG")
    yield Progress("drawing objects", options.objects, options.objects)
