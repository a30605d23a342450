"""The verbs that the command line, notebooks and the studio share. Nothing here prints or parses arguments.

What takes long yields events as it goes; whoever asked shows them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import trimesh

from maquette import latents
from maquette.datasets import sources
from maquette.errors import UserError
from maquette.events import Progress
from maquette.fields.extract import ColouredMesh, field_mesh, require_field
from maquette.fields.inversion import Inverted, Search
from maquette.fields.inversion import invert as inverted
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.geometry.shape import Shape
from maquette.intake.pickup import Pickup, frame_object, read_picture
from maquette.latents import Combined, Fit, Interpolated, Projected, Suggested
from maquette.models import hub
from maquette.models.hub import Model, load
from maquette.models.predict import SCAN_MODEL, occupancy, require_pictures, require_scans, require_shapes
from maquette.models.prior import draw as draw_latent
from maquette.models.sampling import sample_images as sample_images
from maquette.plotting import drawing as drawings
from maquette.plotting.drawing import Drawing
from maquette.plotting.drawing import plot as plot
from maquette.plotting.settings import Machine, Paper, ViewOptions
from maquette.scans import Intrinsics, Scan, guess_facing, read_intrinsics, read_scan

DEFAULT_MODEL = "maquette"


@dataclass(frozen=True)
class Reconstruction:
    """One picture's object.

    Attributes:
        shape: The occupancy with the model's threshold.
        mesh: In millimetres, ready to print.
        pickup: What was found in the picture.
        dropped: Loose parts that were left out.
        report: Whether it can be printed.
    """

    name: str
    shape: Shape
    mesh: trimesh.Trimesh
    pickup: Pickup
    dropped: Dropped
    report: Printability


@dataclass(frozen=True)
class Completion:
    """The whole object of one scan.

    Attributes:
        shape: The occupancy with the model's threshold.
        mesh: In millimetres, ready to print.
        scan: The partial grid that the model read, and how it was placed.
        dropped: Loose parts that were left out.
        report: Whether it can be printed.
    """

    name: str
    shape: Shape
    mesh: trimesh.Trimesh
    scan: Scan
    dropped: Dropped
    report: Printability


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

    Args:
        picture: A file, or pixels uint8 `[H, W]` or `[H, W, 3]`.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid; None: the model's own.

    Raises:
        UserError: For a picture that cannot be read or holds nothing, and for an empty result.
    """
    model = load(model) if isinstance(model, str) else model
    require_pictures(model)
    name = "picture" if isinstance(picture, np.ndarray) else str(picture)
    pixels = picture if isinstance(picture, np.ndarray) else read_picture(picture)
    config = model.system.config
    found = frame_object(pixels, config.view_size, config.image_channels, name)
    shape = Shape(occupancy(model, found.image[None])[0], model.threshold if threshold is None else threshold)
    mesh, dropped = shape.printable(size_mm, largest_part)
    return Reconstruction(name, shape, mesh, found, dropped, printability(mesh, min_wall_mm))


def invert(
    picture: np.ndarray | str | Path, model: Model | str, *, search: Search | None = None
) -> Iterator[Progress | Inverted]:
    """The camera and the codes with which a model of 3DGEN or GRAF shows what is in a picture, by optimisation.

    Args:
        picture: A file, or pixels uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`.
        search: How, and how long.

    Yields:
        Progress, then one Inverted (see `maquette.fields.inversion.invert`); `maquette.fields.field_mesh` makes a mesh
            of its latent.
    """
    return inverted(load(model) if isinstance(model, str) else model, picture, search)


def complete(
    scan: np.ndarray | str | Path,
    model: Model | str = SCAN_MODEL,
    *,
    intrinsics: Intrinsics | str | Path | None = None,
    depth_scale: float = 1000.0,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    up: str | None = None,
    size_mm: float | None = None,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Completion:
    """The whole object of a depth scan as a printable mesh.

    Args:
        scan: See `maquette.scans.read_scan`; intrinsics also as `fx,fy,cx,cy` or a JSON file. azimuth_deg None: the
            model guesses (`maquette.scans.facing`).
        intrinsics: See `scan`.
        depth_scale: See `scan`.
        azimuth_deg: See `scan`.
        elevation_deg: See `scan`.
        up: See `scan`.
        size_mm: The longest side; None: the scan's own where it is metric, else 100.
        threshold: The occupancy at which a voxel is solid; None: the model's own.

    Raises:
        UserError: For a scan that cannot be read or holds nothing, for a model that reads none, and for an empty
            result.
    """
    model = load(model) if isinstance(model, str) else model
    require_scans(model)
    if isinstance(intrinsics, str | Path):
        intrinsics = read_intrinsics(intrinsics)
    seen = read_scan(
        scan, model.system.config.resolution, intrinsics=intrinsics, depth_scale=depth_scale,
        azimuth_deg=azimuth_deg or 0.0, elevation_deg=elevation_deg, up=up,
    )
    if azimuth_deg is None:
        seen, made = guess_facing(seen, partial(occupancy, model))
    else:
        made = occupancy(model, seen.voxels[None, None])[0]
    shape = Shape(made, model.threshold if threshold is None else threshold)
    own = seen.cube_mm if size_mm is None else None
    mesh, dropped = shape.printable(100.0 if size_mm is None else size_mm, largest_part, cube_mm=own)
    name = "scan" if isinstance(scan, np.ndarray) else str(scan)
    return Completion(name, shape, mesh, seen, dropped, printability(mesh, min_wall_mm))


@torch.inference_mode()
def generate(
    model: Model | str = DEFAULT_MODEL, count: int = 16, seed: int = 0, *, class_name: str = "", spread: float = 1.0
) -> list[Shape]:
    """New shapes from random latents.

    Args:
        class_name: A class that the model knows ("chair"), or empty for the model's own prior: N(0, I), or any class at
            random.
        spread: Scales the latents' deviation; below 1 gives more typical shapes. Model, seed and place in the count
            decide a shape, whatever the count.
    """
    model = load(model) if isinstance(model, str) else model
    if count < 1:
        raise UserError("count must be at least 1", count)
    require_shapes(model)
    drawn = torch.stack([draw_latent(model, seed, index, class_name, spread) for index in range(count)])
    made = torch.cat([model.system.generate(part) for part in drawn.split(32)]).squeeze(1)
    return [Shape(grid, model.threshold) for grid in made.numpy()]


def generate_mesh(
    model: Model | str, seed: int = 0, index: int = 0, *, spread: float = 1.0, resolution: int = 128,
    level: float = 0.5, largest_part: bool = True,
) -> ColouredMesh:
    """One new object of a model with a field, trained with 3dgen or graf: its surface in the frame, in its colours.

    Args:
        seed: As of `generate`.
        index: See `seed`.
        spread: See `seed`.
        resolution: As of `maquette.fields.field_mesh`.
        level: See `resolution`.
        largest_part: See `resolution`.

    Raises:
        UserError: For a model without a field, and for a sample without a surface.
    """
    model = load(model) if isinstance(model, str) else model
    generator = require_field(model)
    latent = draw_latent(model, seed, index, spread=spread)
    return field_mesh(generator, latent, resolution, level, largest_part=largest_part)


def interpolate(
    operands: Sequence[str | Path | np.ndarray], model: Model | str = DEFAULT_MODEL, *, steps: int = 7,
    path: str = "straight", fit: Fit | None = None,
) -> Iterator[Progress | Interpolated]:
    """Shapes evenly between two operands or more; yields Progress, then one Interpolated.

    Args:
        operands: Seeds, classes' seeds, pictures, shapes, saved latents, or latents (`maquette.latents.operands`).
        steps: Shapes a pair, both ends among them.
        path: `straight` or `spherical`.
        fit: How shapes are projected.
    """
    model = require_shapes(load(model) if isinstance(model, str) else model)
    return latents.interpolate(model, operands, steps, path, fit)


def combine(
    expression: str | Sequence[str], model: Model | str = DEFAULT_MODEL, *, fit: Fit | None = None
) -> Iterator[Progress | Combined]:
    """The sum of latents that "A - B + 0.5*C" describes, operands as of `interpolate`; yields Progress, then one
    Combined.
    """
    return latents.combine(require_shapes(load(model) if isinstance(model, str) else model), expression, fit)


def project(
    shape: str | Path | Shape | np.ndarray, model: Model | str = DEFAULT_MODEL, *, fit: Fit | None = None
) -> Iterator[Progress | Projected]:
    """The latent whose shape is closest to a given one; yields Progress, then one Projected.

    Args:
        shape: A mesh or grid file, a Shape, or a grid `[R, R, R]` in [0, 1].
        fit: How it is looked for.
    """
    return latents.project(require_shapes(load(model) if isinstance(model, str) else model), shape, fit)


def suggest(
    picture: str | Path | np.ndarray, among: str | Path = "furniture", model: Model | str = DEFAULT_MODEL, *,
    count: int = 8, known: int | None = None, cache: str | Path = "data-cache", workers: int | None = None,
) -> Iterator[Progress | Suggested]:
    """The known objects that a picture is most like; yields Progress, then one Suggested.

    Args:
        picture: As of `reconstruct`.
        among: See `maquette.latents.catalogue`; what is known of the objects is kept in the cache.
        known: See `among`.
        cache: See `among`.
        workers: See `among`.
    """
    model = load(model) if isinstance(model, str) else model
    for event in latents.catalogue(model, among, cache, known, workers):
        yield event if isinstance(event, Progress) else latents.suggest(model, event, picture, count)


def loop(
    start, model: Model | str = DEFAULT_MODEL, settings=None, *, pen=None, eye=None, threshold: float | None = None,
    fit: Fit | None = None, past=None,
) -> Iterator[object]:
    """The drawing loop: a picture to an object, its drawing from the next angle, a picture of that, and so on; yields
    the events of `maquette.drawing_loop.loop.run_loop`.

    Args:
        start: A picture file, pixels uint8 `[H, W, 3]`, or a `Frame`; None where there is a past.
        settings: A `LoopSettings`.
        pen: What draws and what looks; both left out, a simulated page.
        eye: See `pen`.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        fit: Bring each object to the closest that the model makes.
    """
    from maquette.drawing_loop import loop as loops
    from maquette.drawing_loop.simulation import SimulatedPage
    from maquette.intake.sources import Frame

    model = load(model) if isinstance(model, str) else model
    require_pictures(model)
    settings = settings or loops.LoopSettings()
    if isinstance(start, str | Path):
        start = Frame(read_picture(start), str(start))
    elif isinstance(start, np.ndarray):
        start = Frame(start, "the picture")
    if pen is None or eye is None:
        page = SimulatedPage(pencil_mm=settings.sheet.pen)
        pen, eye = pen or page, eye or page

    def shape_of(image: np.ndarray) -> Shape:
        made = Shape(occupancy(model, image[None])[0], model.threshold if threshold is None else threshold)
        if fit is not None:
            *_, found = latents.project(model, made, fit)
            made = Shape(found.shape.occupancy, made.threshold)
        return made

    config = model.system.config
    imagination = loops.Reconstructor(config.view_size, config.image_channels, shape_of)
    yield from loops.run_loop(start, imagination, pen, eye, settings, past)


def draw(
    source: str | Path | Shape | trimesh.Trimesh | np.ndarray,
    look: ViewOptions = ViewOptions(),
    sheet: Paper = Paper(),
    machine: Machine = Machine(),
    name: str = "",
) -> Drawing:
    """A drawing for a plotter; see `maquette.plotting.drawing.make_drawing`. source: also `furniture:KIND:SEED`."""
    if isinstance(source, str) and sources.is_furniture(source):
        return drawings.make_drawing(sources.mesh_of(source), look, sheet, machine, name or source)
    return drawings.make_drawing(source, look, sheet, machine, name)


def train(
    recipe, run: str | Path, *, resume: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[object]:
    """Train a recipe into a run's folder; yields the events of `maquette.training.run.run`."""
    from maquette.recipe import check_paths

    check_paths(recipe)
    from maquette.training import run as job

    yield from job.run(recipe, Path(run), resume=resume, stop=stop)


def doctor(run: str | Path):
    """What is wrong with a run, and what was looked at: a `maquette.training.monitor.doctor.Examined`, with `findings`.

    Raises:
        UserError: For a folder that is no run and for a recipe.yaml that does not fit.
    """
    from maquette.training.monitor.doctor import examine

    return examine(Path(run))


def models() -> list[dict]:
    """What is known of each bundled model."""
    return [{"name": name, **hub.facts(hub.BUNDLED / name)} for name in hub.bundled()]


def model_facts(name: str) -> dict:
    """What is known of one model, its card included."""
    folder = hub.locate(name)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return {"name": name, "folder": str(folder), **hub.facts(folder), "card": text}


def push_model(name: str, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
    """Upload a model to the Hugging Face Hub as `owner/name`.

    See `maquette.models.hub.push`.

    Returns:
        Its address.
    """
    return hub.push(name, repo_id, private, token)


def runs(folder: str | Path = "runs") -> list[dict]:
    """What is known of each run in a folder, the newest first; see `maquette.training.monitor.runs.list_runs`."""
    from maquette.training.monitor.runs import list_runs

    return list_runs(folder)


def pack_run(run: str | Path, out: str | Path) -> Path:
    """Write a small copy of a run, from which it can go on elsewhere; see `maquette.training.monitor.runs.pack`."""
    from maquette.training.monitor import runs

    return runs.pack(run, out)


def run_facts(run: str | Path, out: str | Path = "") -> dict:
    """What is known of one run (see `maquette.training.monitor.runs.show`), its curves included.

    Its curves and its newest sheet of samples are drawn to `curves.png` and `samples.png` in the folder `out`, or in
    the run's own; `pictures` names those that there are.
    """
    from maquette.training.monitor import runs as found

    facts = found.show(run)
    folder = Path(out or run)
    pictures = [found.write_curves(run, folder / "curves.png"), found.write_samples(run, folder / "samples.png")]
    return {**facts, "pictures": [str(path) for path in pictures if path]}


def evaluate(
    model: Model | str,
    on: str,
    path: str,
    *,
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    cache: str = "data-cache",
    class_name: str = "",
    turns: int = 0,
    classifier: str = "",
    inception: str = "",
    out: str | Path = "evaluation",
) -> Iterator[object]:
    """Measure a model on data that it never saw; yields Progress, then one Measured (`maquette.evaluation.report`).

    Args:
        on: `modelnet10` (IoU of the test split, half pencil and half photo views), `ikea` (AP on photos after
            alignment), `scans` (IoU of ModelNet10's test split, completed from scans), `recognition` (a linear SVM on
            the critic's responses) or `generation` (new shapes beside the test split); or real images, a prepared
            dataset or a folder (made images beside those held out; of GRAF and 3DGEN see
            `maquette.evaluation.fields.evaluate.evaluate_fields`).
        path: Where these data are; for GRAF and 3DGEN an image set with true shapes, where `on` has none.
        views: Views or scans of each test shape.
        cache: Folder for what is prepared of them.
        class_name: One class (generation, ikea).
        turns: Orientations of each shape about z, 1, 2, 3, 4, 6 or 12; 0: 4 for recognition, 1 for generation.
        classifier: The model whose features are used (generation); none: the line is left out.
        inception: See `maquette.evaluation.images.evaluate.evaluate_images`.
        out: See `inception`.
    """
    from maquette.evaluation.dispatch import measure

    yield from measure(
        load(model) if isinstance(model, str) else model, on, path, views=views, limit=limit, seed=seed, cache=cache,
        kind=class_name, turns=turns, classifier=classifier, inception=inception, out=out,
    )


def make_study(
    model: Model | str, real: str | Path, out: str | Path = "study", *, count: int = 20, seed: int | None = None
) -> Iterator[object]:
    """Make a reader study of a model's images and real ones; yields Progress, then one StudyMade.

    Args:
        real: See `maquette.evaluation.reader_study.study.make_study`.
        out: See `real`.
        count: See `real`.
        seed: See `real`.

    Raises:
        UserError: For a model that makes none.
    """
    from maquette.evaluation.dispatch import study

    return study(load(model) if isinstance(model, str) else model, real, out, count=count, seed=seed)


def score_study(key: str | Path, answers: Sequence[str | Path]):
    """How well the readers of a study told real images from synthetic ones: a `maquette.evaluation.report.Measured`."""
    from maquette.evaluation.reader_study.score import score_study

    return score_study(key, answers)


def prepare_data(source: str, out: str, **options) -> Iterator[object]:
    """Turn shapes into a dataset folder; see `maquette.datasets.prepare.prepare` for the options and the events."""
    from maquette.datasets.prepare import prepare

    yield from prepare(source, out, **options)


def show_data(path: str, out: str = "") -> dict[str, object]:
    """What a prepared dataset holds, by name; a sheet of some of it is drawn to `out`, or to `sheet.png` in the
    folder.
    """
    from maquette.datasets.audit import show
    from maquette.datasets.images import is_images, show_images

    sheet = Path(out) if out else Path(path) / "sheet.png"
    if is_images(path):
        return show_images(path, sheet)
    return {**show(path, sheet).facts(), "sheet": str(sheet)}


def audit_data(path: str) -> list[dict[str, object]]:
    """What is wrong with a prepared dataset: one entry a finding, with `kind`, the `shapes` and a `line` for the
    user.
    """
    from maquette.datasets.audit import audit

    return audit(path).findings()
