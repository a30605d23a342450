"""Generators of views of objects beside the images that they learned from, and where they are known the true shapes.

After 3DGEN (arXiv 2312.08094) and GRAF (arXiv 2007.02442), which compare renders by FID; what says whether shape and
appearance are kept apart, and whether the meshes are like the true shapes, is ours. Every number has its control.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import trimesh

from maquette.datasets.images.true_shapes import TRUE_SHAPES, TrueShapes, true_shapes
from maquette.errors import UserError
from maquette.evaluation.fields import measures
from maquette.evaluation.fields.mesh_quality import is_one_piece, mesh_quality, silhouette_iou
from maquette.evaluation.images import measures as image_measures
from maquette.evaluation.images.images import evaluate_images
from maquette.evaluation.images.page import ImageMeasureOptions
from maquette.evaluation.images.plots import GENERATED, REAL
from maquette.evaluation.images.sets import open_real
from maquette.evaluation.report import Measured
from maquette.events import Progress
from maquette.fields import field_mesh
from maquette.fields.pictures import render_latents, views_round
from maquette.geometry.curvature import edge_angle_deg, mean_curvature
from maquette.geometry.mesh import to_frame
from maquette.geometry.points import surface_points
from maquette.io.atomic import atomic_path
from maquette.models.hub import Model, load
from maquette.models.pixels import as_pixels
from maquette.models.prior import draw
from maquette.models.sampling import batches_of_images
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.rendering import sheets as previews

ENCODER = "maquette"
"""The bundled model in whose encoder's features images are compared."""
FRECHET = "Frechet, encoder"
SPREAD = "spread, encoder"
SHEET = "objects.png"
COLUMNS = ("measure", "model", "control", "the control is")
_SOLID = 0.5  # of a ray that ends on the object, from which a pixel is the object's


@dataclass(frozen=True)
class FieldMeasureOptions:
    """How much is measured.

    Attributes:
        images: Of each set at most.
        repeats: Random subsets for each distance.
        shapes: Shape codes, and appearance codes with each (and the other way round for the control).
        codes: See `shapes`.
        meshes: At most.
        resolution: Cells a side for those.
        objects: On the sheet.
        azimuths: See `objects`.
    """

    images: int = 500
    repeats: int = 10
    shapes: int = 8
    codes: int = 6
    meshes: int = 32
    resolution: int = 64
    objects: int = 6
    azimuths: int = 8


def evaluate_fields(
    model: Model, path: str | Path, out: str | Path, *, shapes: str | Path = "", inception: str = "",
    plan: FieldMeasureOptions | None = None, image_plan: ImageMeasureOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Measure a model of GRAF or 3DGEN beside an image set.

    Args:
        path: A prepared dataset of images, or a plain folder.
        shapes: An image set whose true shapes meshes are compared with; `path` itself where it has them.
        out: Folder for the report of `evaluate_images` and `objects.png`, several objects from several azimuths.
        inception: See there.

    Yields:
        Progress, then a table.

    Raises:
        UserError: As there does, and for true shapes that are damaged or not there.
    """
    plan, out = plan or FieldMeasureOptions(), Path(out)
    true = _true_shapes(path, shapes)
    config = model.system.config
    shape = (config.height, config.width) + ((3,) if config.channels == 3 else ())
    name = Path(model.name).name
    kept = _Kept(partial(batches_of_images, model, seed=seed))
    image_plan = image_plan or ImageMeasureOptions(most=plan.images)
    report = yield from _last(evaluate_images(kept, shape, path, out, model=name, inception=inception, plan=image_plan,
                                              seed=seed))
    rows, details, notes = _of_images(report)
    for part in (_distances(kept, path, shape, plan, seed), _codes(model, plan, seed),
                 _meshes(model, true, plan, seed)):
        more, found, said = yield from part
        rows, details, notes = rows + more, details | found, notes + said
    yield from _sheet(model, out / SHEET, plan, seed)
    details = {"model": name, "system": model.system.name, "seed": seed, "plan": asdict(plan), **details,
               "images": report.to_json()}
    title = f"{report.title}; shapes, appearances and meshes"
    yield Measured(title, COLUMNS, tuple(rows), details, (*notes, *report.notes, f"objects: {out / SHEET}"))


class _Kept:
    """Images of a maker, made once and given again."""

    def __init__(self, make: Callable[[int], Iterable[np.ndarray]]):
        self.make, self.images = make, np.empty(0, np.uint8)

    def __call__(self, count: int) -> Iterator[np.ndarray]:
        parts = []
        for part in self.make(count):
            parts.append(part)
            yield part
        self.images = np.concatenate(parts)


def _last(events: Iterable) -> Generator[Progress, None, Measured]:
    """The events up to the table, which is returned."""
    for event in events:
        if isinstance(event, Measured):
            return event
        yield event
    raise ValueError("nothing was measured")


def _true_shapes(path: str | Path, shapes: str | Path) -> TrueShapes | None:
    if shapes:
        if not Path(shapes).exists():
            raise UserError("no image set with true shapes there", repr(str(shapes)), "name one with --data.path")
        return true_shapes(shapes)
    return true_shapes(path) if (Path(path) / TRUE_SHAPES).is_file() else None


def _row(name: str, model: float, control: float | None = None, what: str = "") -> tuple:
    return name, float(model), "" if control is None else float(control), what


def _of_images(report: Measured) -> tuple[list[tuple], dict, list[str]]:
    """The lines of the report on images that belong in the table."""
    rows = []
    for name in (image_measures.FID, image_measures.KID, image_measures.SLICED, image_measures.ALIKE):
        if name in report.details["measures"]:
            columns = report.details["measures"][name]
            what = "training images beside held-out ones" if name != image_measures.ALIKE else "training images"
            rows.append(_row(name, columns[GENERATED]["mean"], columns[REAL]["mean"], what))
    return rows, {}, []


def _distances(kept: _Kept, path: str | Path, shape: tuple[int, ...], plan: FieldMeasureOptions, seed: int):
    """Distance and spread in the features of the bundled encoder; yields progress."""
    judge, real = load(ENCODER), open_real(path, shape)
    sets = {"generated": kept.images[: plan.images], "training": real.some(plan.images, seed),
            "held-out": real.some_held_out(plan.images, seed)}
    features = {}
    for number, (name, images) in enumerate(sets.items()):
        yield Progress("reading images with the bundled encoder", number, len(sets))
        features[name] = measures.encoder_features(judge, images)
    yield Progress("reading images with the bundled encoder", len(sets), len(sets))
    size = min(map(len, sets.values()))
    found = {name: measures.frechet_repeats(features[name], features["held-out"], size, plan.repeats, seed)
             for name in ("generated", "training")}
    wide = {name: measures.spread(of_set) for name, of_set in features.items()}
    rows = [_row(FRECHET, np.mean(found["generated"]), np.mean(found["training"]),
                 "training images beside held-out ones"),
            _row(SPREAD, wide["generated"], wide["training"], "training images")]
    length = features["training"].shape[1]
    details = {"encoder": {
        "features": f"means of the posterior of the bundled model '{ENCODER}', {length} values", "images": size,
        "frechet": {name: {"mean": float(np.mean(values)), "deviation": float(np.std(values)), "repeats": len(values)}
                    for name, values in found.items()}, "spread": wide}}
    grey = " and of grey copies alone" if judge.system.config.image_channels == 1 else ""
    notes = [f"{FRECHET}: the Frechet distance of {size} images and {size} held-out ones in the {length} values that "
             f"the encoder of the bundled model '{ENCODER}' reads from a picture. It was trained on furniture in "
             f"drawings and photos{grey}: beside the control it says which is nearer, and it is no FID"]
    return rows, details, notes


@torch.no_grad()
def seen(system, latents: torch.Tensor, views: Views) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 `[n, H, W]` or `[n, H, W, 3]` of latents `[n, latent]` from views, and bool masks `[n, H, W]`."""
    side = system.config.height
    places = rays.pixel_places(side, latents)[None]
    found = [system.look(latents[k : k + 1], views[k : k + 1], places) for k in range(len(latents))]
    colours = torch.stack([colour.T.reshape(-1, side, side) for colour, _ in found])
    masks = torch.stack([mask.view(side, side) for _, mask in found])
    return as_pixels(colours), masks.cpu().numpy() >= _SOLID


def _codes(model: Model, plan: FieldMeasureOptions, seed: int):
    """Whether appearance leaves the outline alone; yields progress.

    Each row of pictures has one camera: of one shape in several appearances, and of several shapes in one appearance.
    """
    system, config = model.system, model.system.config
    drawn = torch.stack([draw(model, seed, index) for index in range(plan.shapes + plan.codes)])
    bases, others = drawn[: plan.shapes], drawn[plan.shapes :]
    ends = {"appearance": (config.shape_code, config.shape_code + config.appearance_code),
            "shape": (0, config.shape_code)}
    shown, masks, total = {name: [] for name in ends}, {name: [] for name in ends}, len(ends) * plan.shapes
    for number, (name, base) in enumerate((name, base) for name in ends for base in bases):
        yield Progress("changing one code of two", number, total)
        latents = base.repeat(plan.codes, 1)
        first, end = ends[name]
        latents[:, first:end] = others[:, first:end]
        row, solid = seen(system, latents, system.views(latents))
        shown[name].append(row)
        masks[name].append(solid)
    yield Progress("changing one code of two", total, total)
    iou = {name: silhouette_iou(np.stack(masks[name])) for name in ends}
    change = {name: measures.colour_change(np.stack(shown[name]), np.stack(masks[name])) for name in ends}
    rows, notes = [], []
    for label, found in (("outline IoU, appearances", iou), ("colour change, appearances", change)):
        if np.isfinite(list(found.values())).all():
            rows.append(_row(label, found["appearance"], found["shape"], "shape codes instead"))
    if len(rows) < 2:
        notes.append("the model shows too little to compare outlines and colours of different codes")
    details = {"codes": {"outline_iou": iou, "colour_change_levels": change, "shapes": plan.shapes,
                         "codes": plan.codes}}
    return rows, details, notes


def _meshes(model: Model, true: TrueShapes | None, plan: FieldMeasureOptions, seed: int):
    """Meshes beside the true shapes, where there are some; yields progress."""
    generator, made, failed = model.system.nets["generator"], [], []
    count = min(plan.meshes, len(true.points)) if true is not None and len(true.points) > 1 else plan.meshes
    for index in range(count):
        yield Progress("making meshes", index, count)
        try:
            made.append(to_frame(field_mesh(generator, draw(model, seed, index), plan.resolution).mesh))
        except UserError as error:
            failed.append(str(error))
            made.append(trimesh.Trimesh())
    yield Progress("making meshes", count, count)
    solid = [mesh for mesh in made if len(mesh.faces)]
    notes = [f"{len(failed)} of {count} samples have no mesh, the first: {failed[0]}"] if failed else []
    if not solid:
        return [], {"meshes": {"made": count, "without": len(failed)}}, notes
    whole = sum(is_one_piece(mesh) for mesh in solid) / count
    rows = [_row("watertight, one piece", whole)]
    details = {"made": count, "without": len(failed), "resolution": plan.resolution, "watertight_one_piece": whole,
               "bend": float(np.mean([mean_curvature(mesh) for mesh in solid])),
               "edge_angle_deg": float(np.mean([edge_angle_deg(mesh) for mesh in solid]))}
    if true is None or not len(true.points):
        rows += [_row("bend", details["bend"]), _row("edge angle, degrees", details["edge_angle_deg"])]
        notes.append("no true shapes are known, so meshes are compared with none; image sets of maquette data render "
                     "images keep them, and --data.path names such a set")
        return rows, {"meshes": details}, notes
    some = _evenly(true.points, count)
    low, high = model.system.config.azimuth_deg
    angle = measures.best_turn([surface_points(mesh, 256, seed) for mesh in solid], some) if high - low >= 360 else 0.0
    for mesh in solid:
        mesh.vertices = measures.turned(mesh.vertices, angle)
    yield Progress("comparing meshes with true shapes", 0, 1)
    quality, floor = mesh_quality(made, some, seed=seed), measures.halves(_evenly(true.points, 2 * count))
    yield Progress("comparing meshes with true shapes", 1, 1)
    what = f"{floor.shapes} true shapes beside as many others" if floor else ""
    rows += [
        _row("coverage", quality.coverage, floor and floor.coverage, what),
        _row("1-NN accuracy", quality.one_nearest_neighbour, floor and floor.one_nearest_neighbour, what),
        _row("MMD x1000", 1000 * quality.minimum_matching_distance,
             floor and 1000 * floor.minimum_matching_distance, what),
        _row("bend", quality.mean_curvature, float(np.nanmean(true.mean_curvature)), "true shapes"),
        _row("edge angle, degrees", quality.edge_angle_deg),
    ]
    notes.append(f"meshes at {plan.resolution} cells a side, each brought into the frame, beside {len(some)} true "
                 f"shapes, by Chamfer distance over {quality.points} points")
    if high - low >= 360:
        notes.append(f"all meshes were turned by {angle:g} degrees about the up axis, the best of {measures.TURNS} "
                     "turns: no camera was told, so the model knows no front")
    return rows, {"meshes": details | asdict(quality) | {
        "true_shapes": len(some), "turned_deg": angle, "halves": asdict(floor) if floor else None,
        "true_bend": float(np.nanmean(true.mean_curvature))}}, notes


def _evenly(points: np.ndarray, count: int) -> np.ndarray:
    """At most `count` rows, evenly over all."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]


def _sheet(model: Model, path: Path, plan: FieldMeasureOptions, seed: int):
    """Several objects, a row each, from azimuths evenly over the model's range; yields progress."""
    views, _ = views_round(model.system.config, plan.azimuths)
    cells = []
    for index in range(plan.objects):
        yield Progress("drawing objects", index, plan.objects)
        cells += render_latents(model, draw(model, seed, index).expand(plan.azimuths, -1), views)
    from PIL import Image

    with atomic_path(path) as unfinished:
        Image.fromarray(previews.montage(np.stack(cells), plan.azimuths)).save(unfinished, format="PNG")
    yield Progress("drawing objects", plan.objects, plan.objects)
