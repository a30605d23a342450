"""What the package does with each kind of input, as its commands do it."""

import functools
import json
from pathlib import Path

import numpy as np


def picture(path: Path, out: Path) -> None:
    from maquette.io.pictures import read_picture

    read_picture(path)
    read_picture(path, keep_alpha=True, kept_side_px=16, bits=12)


def framed(path: Path, out: Path) -> None:
    from maquette.intake.pickup import frame_object
    from maquette.io.pictures import read_picture

    frame_object(read_picture(path, kept_side_px=128), name=str(path))


def image(path: Path, out: Path) -> None:
    """One of a folder of images."""
    from maquette.datasets.images.files import ImageFile, Limits, open_image
    from maquette.io.dicom import is_dicom

    open_image(ImageFile("image-00001", path, is_dicom(path)), Limits())


def mesh(path: Path, out: Path) -> None:
    from maquette.io.formats import read_mesh

    read_mesh(path)


def shape(path: Path, out: Path) -> None:
    from maquette.geometry.shape import Shape, read_surface

    Shape.load(path, 16)
    read_surface(path)


def drawn(path: Path, out: Path) -> None:
    from maquette.geometry.shape import read_surface
    from maquette.plotting.drawing import mesh_strokes

    mesh_strokes(read_surface(path))


def grid(path: Path, out: Path) -> None:
    from maquette.io.formats import read_grid

    read_grid(path)


def scan(path: Path, out: Path, resolution: int = 32) -> None:
    from maquette.scans import read_intrinsics, read_scan

    read_scan(path, resolution, intrinsics=read_intrinsics("60,60,32,24"))


def depth(path: Path, out: Path) -> None:
    from maquette.scans import read_intrinsics, read_scan

    read_scan(path, 32, intrinsics=read_intrinsics("60,60,32,24"), elevation_deg=20)


def scan_12(path: Path, out: Path) -> None:
    scan(path, out, 12)


def intrinsics(path: Path, out: Path) -> None:
    from maquette.scans import read_intrinsics

    read_intrinsics(path)


def recipe(path: Path, out: Path) -> None:
    from maquette import recipe as recipes

    found = recipes.load(path)
    recipes.dump(found)
    recipes.check_paths(found)


def model(path: Path, out: Path) -> None:
    from maquette.api.trained import load, model_facts

    json.dumps(model_facts(path))
    found = load(path)
    if not 0 <= found.threshold <= 1 or not all(isinstance(name, str) for name in found.class_names):
        raise AssertionError(f"threshold {found.threshold}, classes {found.class_names}")


def graph(path: Path, out: Path) -> None:
    from maquette.models import hub

    found = hub.load(path, runtime="onnx")
    facts = found.facts
    made = found.runtime.generate(np.zeros((1, facts.latent), np.float32))
    views = np.zeros((1, facts.image_channels, facts.view_size, facts.view_size), np.float32)
    looked = found.runtime.look(views).occupancy
    if not (isinstance(made, np.ndarray) and looked.shape == (1, *(facts.resolution,) * 3)):
        raise AssertionError(f"shapes of {looked.shape}")


@functools.cache
def _state():
    from strange import folders

    return folders.state()


def checkpoint(path: Path, out: Path) -> None:
    from maquette.errors import UserError
    from maquette.training import checkpoint as kept

    kept.read_best(path, "iou", 5)
    newest, _ = kept.newest_whole(path)
    if newest is None:
        raise UserError("no whole checkpoint")
    kept.restore(newest, _state())
    if (newest / "average.safetensors").is_file():
        kept.pack(newest, out)


def run(path: Path, out: Path) -> None:
    from maquette.api import learning
    from maquette.training.monitor import runs

    json.dumps(learning.runs(path))
    json.dumps(learning.runs(path.parent))
    json.dumps(runs.describe(path))
    runs.write_samples(path, out / "samples.png")


def examined(path: Path, out: Path) -> None:
    from maquette import recipe as recipes
    from maquette.training.monitor.health import diagnose
    from maquette.training.monitor.log import read_metrics
    from maquette.training.warm_start import read_start

    found = recipes.load(path / "recipe.yaml")
    read_start(path, found)
    diagnose(read_metrics(path), found)


def prepared(path: Path, out: Path) -> None:
    from maquette.datasets.audit import audit, show
    from maquette.datasets.opened import open_dataset

    data = open_dataset(path)
    rows = list(range(len(data)))
    data.voxels(rows), data.ids, data.terms
    if data.views_per_shape:
        data.views(rows, rows)
        data.cameras(rows, rows)
    if data.scans_per_shape:
        data.scans(rows, rows)
    for row in rows:
        data.view_kinds(row), data.photos(row), data.source(row)
    json.dumps(show(path).facts())
    json.dumps(audit(path).findings())


def image_set(path: Path, out: Path) -> None:
    from maquette.datasets.images import open_images

    data = open_images(path)
    data.pixels(range(len(data))), data.ids, data.terms


def true_shapes(path: Path, out: Path) -> None:
    from maquette.datasets.images.true_shapes import true_shapes as read

    read(path)


def svg(path: Path, out: Path) -> None:
    from maquette.plotting.drawing import load_svg
    from maquette.plotting.gcode import require_on_page

    require_on_page(load_svg(path).strokes)


def gcode(path: Path, out: Path) -> None:
    from maquette.plotting.gcode import check_program, leaves_pen_down, lifting_lines, program_seconds, read_gcode
    from maquette.plotting.settings import Machine

    machine = Machine()
    lines, page = read_gcode(path)
    made = check_program(lines, *(page or (210.0, 297.0)), machine)
    lifting_lines(made, machine)
    leaves_pen_down(made, machine)
    if not program_seconds(made, machine) >= 0:
        raise AssertionError("a program takes no time at all")


def dicom(path: Path, out: Path) -> None:
    from maquette.io.dicom import anonymous_name, read_dicom

    anonymous_name(path)
    read_dicom(path, "the file", max_pixels=100_000_000)


def film(path: Path, out: Path) -> None:
    from maquette.intake.sources import read_frame

    read_frame(path)
    read_frame(path, at_s=0.2)


@functools.cache
def _shaping():
    from tiny import tiny

    return tiny("iwgan")


def latent(path: Path, out: Path) -> None:
    from maquette.latents.operands import read_operand

    for _ in read_operand(_shaping(), path):
        pass


def textured(path: Path, out: Path) -> None:
    from maquette.datasets.sources import textured_obj
    from maquette.io.formats import file_bytes

    def find(name: str) -> bytes | None:
        """The files beside the model, as an archive has them."""
        beside = {file.name: file for file in path.parent.iterdir() if file.is_file()}
        return beside[name].read_bytes() if name in beside else None

    textured_obj.read(file_bytes(path, 1 << 27), find)


def source(path: Path, out: Path) -> None:
    """A source of shapes, each of which is loaded; it is refused where it is no source, or none of its shapes."""
    from maquette.datasets.rows import RowOptions, make_rows
    from maquette.datasets.sources import items_of
    from maquette.errors import UserError

    made, refused = 0, None
    for item in items_of([path]):
        try:
            made += len(make_rows(item, RowOptions(8, 0, 0, 1, (), None, 0, 0.4)))
        except UserError as error:
            refused = refused or error
    if refused and not made:
        raise refused


def terms(path: Path, out: Path) -> None:
    from maquette.datasets.sources.registry import terms_of

    for line in terms_of([path]):
        if "\n" in line or not line.isprintable():
            raise AssertionError(f"terms of more than one line: {line!r}")


def study(path: Path, out: Path) -> None:
    from maquette.evaluation.reader_study.score import score_study

    score_study(path / "key.json", [path / "answers.json"])


def audited_images(path: Path, out: Path) -> None:
    """One bad file never ends the audit of the others."""
    from maquette.datasets.images.audit import audit_images

    *_, found = audit_images(path, out / "audit", workers=1)
    if found.images < _good(path):
        raise AssertionError(f"{found.images} images of {_good(path)} good ones")


def prepared_images(path: Path, out: Path) -> None:
    from maquette.datasets.images import prepare_images

    *_, found = prepare_images(path, out / "set", size="16x16", holdout=0, workers=1)
    if found.count < _good(path):
        raise AssertionError(f"{found.count} images of {_good(path)} good ones")


def prepared_shapes(path: Path, out: Path) -> None:
    from maquette.datasets.audit import audit
    from maquette.datasets.prepare import prepare

    *_, found = prepare(path, out / "set", resolution=8, workers=1)
    if found.count < _good(path):
        raise AssertionError(f"{found.count} shapes of {_good(path)} good ones")
    audit(out / "set")


def _good(path: Path) -> int:
    """How many files of a folder were left as they were: mutations of the good ones count too."""
    from strange import folders

    whole = {
        name: data for files in (folders.image_folders(), folders.shape_folders()) for name, data in files[0].items()
    }
    return sum(
        file.is_file() and file.read_bytes() == whole.get(file.name)
        for file in path.iterdir()
        if file.name.startswith("good")
    )
