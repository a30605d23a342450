"""What the server does for the page: bytes and fields in, bytes and facts out; all of it in the one thread."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from maquette import api
from maquette.api.reconstruction import Reconstruction, reconstruct, reconstruct_one
from maquette.errors import UserError
from maquette.geometry.base_plate import on_base
from maquette.geometry.paper import page_size
from maquette.geometry.printability import printability
from maquette.geometry.standing import standing
from maquette.models.hub import DEFAULT_MODEL
from maquette.models.predict import SCAN_MODEL
from maquette.plotting.drawing import Drawing, make_drawing, write_drawing
from maquette.plotting.settings import Machine, Paper, ViewOptions
from maquette.relief.options import ReliefOptions
from maquette.studio.server.answers import mesh_in, mesh_out, pictures_in
from maquette.studio.server.fields import DrawingFields, ObjectFields, ReliefFields, ScanFields
from maquette.studio.server.settings import Models
from maquette.ways.verdict import REASONS

PICTURE_PX = 1600
"""The longer side of a picture that the page shows."""


def an_object(models: Models, body: bytes, asked: ObjectFields) -> bytes:
    """The object of one picture, or of several of it."""
    pictures = pictures_in(body)
    model = models.get(asked.model, DEFAULT_MODEL)
    printed: dict[str, Any] = {"size_mm": asked.size_mm, "threshold": asked.threshold,
                               "largest_part": not asked.all_parts, "min_wall_mm": asked.min_wall_mm}
    if len(pictures) > 1:
        sides = [side for side in asked.sides.split(",") if side]
        made = reconstruct_one(pictures, model, sides, **printed)
    else:
        made = reconstruct(pictures[0], model, by=asked.by, class_name=asked.class_name, **printed)
    return _mesh_out(made.mesh, asked.base_mm, asked.min_wall_mm, {**_judged(made), "model": asked.model,
                                                                   "dropped": made.dropped.parts})


def _judged(made: Reconstruction) -> dict[str, Any]:
    keys = {text: key for key, text in REASONS.items()}
    pose = made.pose
    return {
        "way": made.way, "ways": made.ways, "sure": made.judgement.verdict == "sure",
        "probability": made.judgement.probability, "outline": made.outline, "notes": made.notes,
        "reasons": [{"key": keys.get(text, ""), "text": text} for text in made.judgement.reasons],
        "pose": None if pose is None else [pose.azimuth, pose.elevation], "photo": made.pickup.kind == "photo",
        "threshold": made.shape.threshold,
    }


def a_whole(models: Models, body: bytes, asked: ScanFields) -> bytes:
    """The whole object of a scan."""
    from maquette.scans import Intrinsics

    model = models.get(asked.model, SCAN_MODEL)
    camera = None
    if asked.fx is not None:
        camera = Intrinsics(*(float(value or 0.0) for value in (asked.fx, asked.fy, asked.cx, asked.cy)))
    with tempfile.TemporaryDirectory(prefix="maquette-studio-") as folder:
        path = Path(folder) / f"scan.{asked.kind}"
        path.write_bytes(body)
        try:
            made = api.complete(path, model, intrinsics=camera, depth_scale=asked.depth_scale,
                                azimuth_deg=asked.azimuth_deg, up="z" if asked.upright else None,
                                size_mm=asked.size_mm, threshold=asked.threshold)
        except UserError as error:
            raise UserError(str(error).replace(str(path), "the scan")) from None
    facts = {"way": "scan", "ways": ["scan"], "sure": True, "reasons": [], "notes": [], "pose": None, "photo": False,
             "dropped": made.dropped.parts, "threshold": made.shape.threshold, "model": asked.model}
    return _mesh_out(made.mesh, asked.base_mm, 0.8, facts)


def a_relief(body: bytes, asked: ReliefFields) -> bytes:
    """The solid of a flat drawing."""
    picture = pictures_in(body)[0]
    options = ReliefOptions(asked.way, asked.size_mm, asked.thickness_mm, base_mm=asked.base_mm,
                            ring_hole_mm=asked.ring_hole_mm, all_parts=asked.all_parts, engrave_mm=asked.engrave_mm,
                            emboss_mm=asked.emboss_mm)
    made = api.make_relief(picture, options)
    facts = {"way": "relief", "ways": ["relief"], "sure": True, "reasons": [], "notes": made.notes, "pose": None,
             "photo": False, "dropped": 0, "flat": made.flat}
    return _mesh_out(made.mesh, 0.0, 0.8, facts)


def _mesh_out(mesh: trimesh.Trimesh, base_mm: float, min_wall_mm: float, facts: dict[str, Any]) -> bytes:
    """The mesh on its base, measured."""
    based = on_base(mesh, base_mm)
    report, stand = printability(based, min_wall_mm), standing(based)
    measured = {"report": report.line(), "printable": report.ok, "volume_mm3": report.volume_mm3,
                "wall_mm": report.thinnest_wall_mm, "wall_ok": report.wall_ok, "extents_mm": based.extents.tolist(),
                "stands": stand.stands, "falls": stand.falls}
    return mesh_out(based, {**facts, **measured})


def a_picture(body: bytes) -> bytes:
    """A picture of any kind that the package reads, HEIC say, as a PNG of at most `PICTURE_PX` a side."""
    import cv2

    from maquette.io.pictures import read_picture

    pixels = read_picture(pictures_in(body)[0], kept_side_px=PICTURE_PX)
    return bytes(cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[..., ::-1])[1])


def a_page(body: bytes) -> bytes:
    """The drawing on a photographed page as a PNG, straightened and evenly lit."""
    import cv2

    return bytes(cv2.imencode(".png", api.rectify_page(pictures_in(body)[0]).picture)[1])


def a_drawing(body: bytes, asked: DrawingFields, machine: Machine) -> Drawing:
    """A drawing for a pen, of the page's mesh or of a picture."""
    sheet = Paper(*page_size(asked.page, asked.landscape), asked.margin_mm)
    if asked.of == "picture":
        return api.draw(pictures_in(body)[0], ViewOptions(), sheet, machine, "the picture")
    look = ViewOptions(asked.azimuth_deg, asked.elevation_deg, hatch=asked.hatch)
    return make_drawing(mesh_in(body), look, sheet, machine, "the object")


def drawing_facts(drawing: Drawing) -> dict[str, Any]:
    """What the page shows of a drawing: the strokes in millimetres, and what is known of it."""
    return {"strokes": [np.round(line, 2).tolist() for line in drawing.strokes.lines], "line": drawing.line(),
            **drawing.summary()}


def drawing_file(drawing: Drawing, kind: str, machine: Machine) -> bytes:
    """A drawing as a file: `svg`, `gcode` or `hpgl`."""
    with tempfile.TemporaryDirectory(prefix="maquette-studio-") as folder:
        path = Path(folder) / f"drawing.{kind}"
        write_drawing(path, drawing, machine)
        return path.read_bytes()


def a_frame(number: int) -> bytes:
    """One picture of a camera of this computer, as a PNG."""
    import cv2

    from maquette.intake.sources import read_frame

    pixels = read_frame(f"camera:{number}").pixels
    return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])
