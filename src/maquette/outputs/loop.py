"""The drawing loop, written to files: a folder a round, a table of measures, a contact sheet and an animation.

Like all of `maquette.outputs` these yield events; nothing prints or parses arguments.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont, ImageOps

from maquette.api.drawings import loop
from maquette.drawing_loop.hardware import FilePlotter, GrblPlotter, SourceCamera
from maquette.drawing_loop.loop import (
    Drawn,
    Ended,
    LoopSettings,
    Measures,
    PageCamera,
    Plotter,
    Round,
    Waiting,
)
from maquette.drawing_loop.rounds import ALL_ROUNDS, CSV, DRAWN_PNG, MESH, OBJECT, PICTURE, PROGRAM, SVG, TABLE, Rounds
from maquette.drawing_loop.simulation import SimulatedPage
from maquette.errors import UserError
from maquette.events import Failed, Progress, Written
from maquette.geometry.size import size_line
from maquette.intake.sources import read_frame
from maquette.io.lock import locked
from maquette.io.pictures import read_picture
from maquette.models.hub import Model
from maquette.models.predict import require_pictures
from maquette.outputs.naming import axes_words
from maquette.outputs.turning import write_turning
from maquette.plotting.settings import Machine
from maquette.rendering import sheets as previews

if TYPE_CHECKING:
    from maquette.latents import Fit

CELL_PX, FRAME_PX = 180, 240
"""Pixels a side of a picture in the contact sheet and in the animation."""
PAGE = "object.html"
"""The page to turn a round's object in."""
FRAME_MS = 600
"""Milliseconds of a frame of the animation."""
MAX_SHOWN = 60
"""Rounds in the sheet and the animation, evenly spread where there are more."""


def loop_files(
    start: str,
    out: str | Path,
    model: Model,
    settings: LoopSettings,
    *,
    simulate: bool = False,
    camera: str = "",
    port: str = "",
    machine: Machine | None = None,
    ask: bool = True,
    control: Callable[[], str] | None = None,
    wait_s: float = 3600.0,
    project: bool = False,
    threshold: float | None = None,
    seed: int = 0,
    resume: bool = False,
    turning: bool = False,
) -> Iterator[Progress | Waiting | Written | Failed]:
    """The drawing loop in a folder: `round-01` and so on, `loop.json`, `loop.csv`, `sheet.png` and `loop.gif`.

    A round that fails ends the loop with one Failed; what was done before is kept.

    Args:
        start: A picture, `camera:0`, or a folder that a scanner writes into.
        out: The loop's folder.
        model: One that reads pictures.
        settings: How many rounds, and how each is drawn.
        simulate: No hardware: a simulated page and camera.
        camera: Where the picture of each drawing comes from; empty: the loop ends after one round and says how to go
            on.
        port: The plotter's serial port; empty: the files are there to be plotted.
        machine: The plotter.
        ask: Whether to ask for a new sheet, and for the page under the camera.
        control: What somebody wants while the plotter draws (see `maquette.plotting.grbl.send`).
        wait_s: How long a scanner's folder is watched, in seconds.
        project: Bring every object to the closest that the model makes.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        seed: Of the simulated page, and of the projection.
        resume: Go on after the last whole round, as the loop began.
        turning: Also `object.html` in each round, a page to turn its object in.

    Yields:
        Progress, Waiting where a person must do something, a Written a round and for the pictures of all, or one
        Failed.

    Raises:
        UserError: Where the first round fails, as `maquette.drawing_loop.rounds.Rounds` does, and where another command
            works on the folder.
    """
    if simulate and (camera or port):
        raise UserError("a simulated loop needs no hardware", "--simulate and " + ("--camera" if camera else "--port"))
    require_pictures(model)
    machine = machine or Machine()
    facts = _facts(start, model, settings, simulate, project, threshold, seed)
    with locked(out):
        rounds = Rounds(out, facts, settings.sheet, resume)
        past, strokes = rounds.resume_point() if rounds.count else (None, None)
        pen: Plotter
        eye: PageCamera
        if simulate:
            pen = eye = SimulatedPage(seed, settings.sheet.pen, strokes)
        else:
            pen = GrblPlotter(port, machine, ask, control) if port else FilePlotter()
            asked: bool | Literal["first"] = ask and (not port or ("first" if past else False))
            eye = SourceCamera(camera, wait_s, asked) if camera else _Nobody()
        first = None if past else read_frame(start, timeout_s=wait_s)
        fit = _fit(seed) if project else None
        try:
            events = loop(first, model, settings, pen=pen, eye=eye, threshold=threshold, fit=fit, past=past)
            with closing(events):
                yield from _followed(events, rounds, machine, settings.rounds, bool(port), turning)
        finally:
            rounds.discard()


def _fit(seed: int) -> "Fit":
    from maquette.latents import Fit

    return Fit(seed=seed)


class _Nobody:
    """An eye that sees nothing."""

    def wants(self, number: int) -> None:
        """Nothing."""

    def look(self, number: int) -> None:
        """No picture."""


def _followed(
    events: Iterator, rounds: Rounds, machine: Machine, total: int, plotted: bool, turning: bool
) -> Iterator[Progress | Waiting | Written | Failed]:
    """The loop's events, its rounds written and kept."""
    for event in events:
        if isinstance(event, Round):
            folder = rounds.write(event, machine)
            if turning:
                sides = " x ".join(f"{side:.4g}" for side in event.mesh.extents)
                write_turning(folder / PAGE, event.mesh, f"round {event.number}", f"{sides} mm")
        elif isinstance(event, Drawn):
            measures = rounds.commit(event.number)
            yield _written(rounds, measures)
            yield Progress("drawing rounds", event.number, total)
        elif isinstance(event, Ended):
            rounds.discard()
            if event.reason:
                yield Failed(f"round {event.number}", f"round {event.number}: {event.reason}; the loop ends here")
            else:
                folder = rounds.folder(event.number - 1)
                plot = "photograph the drawing" if plotted else f"plot {folder / SVG} (or {PROGRAM}) and photograph it"
                yield Waiting(event.number, f"{plot}; then the same command with --resume --camera PICTURE goes on")
        elif isinstance(event, Waiting) and not plotted:
            yield replace(event, line=f"plot {rounds.folder(event.number - 1) / SVG}; {event.line}")
        else:
            yield event
    if rounds.count:
        yield from _pictures(rounds)


def _written(rounds: Rounds, measures: Measures) -> Written:
    number = measures["round"]
    folder = rounds.folder(number)
    overlap = f"IoU {measures['iou_first']:.3f} with round 1"
    if number > 2:
        overlap += f", {measures['iou_previous']:.3f} with round {number - 1}"
    line = (f"{overlap}; {measures['strokes']} strokes, {measures['drawn_mm'] / 1000:.2f} m, seen from "
            f"{measures['azimuth_deg']:g} degrees")
    summary = {**measures, "output": [str(folder)]}
    if sides := measures.get("extents_mm"):
        beyond = size_line(np.array(sides))
        line += f"; {MESH} is {' x '.join(f'{side:.4g}' for side in sides)} mm, {axes_words(Path(MESH))}"
        line += f"; {beyond}" if beyond else ""
        summary |= {"unit": "mm", "up": "z"}
    return Written(f"round {number}", (folder,), line, summary)


def _pictures(rounds: Rounds) -> Iterator[Written]:
    """The contact sheet: of each round the picture, the object and the drawing; and the same as an animation."""
    cells, captions, frames = [], [], []
    for index in np.unique(np.linspace(0, rounds.count - 1, min(rounds.count, MAX_SHOWN)).astype(int)).tolist():
        measures, folder = rounds.measures[index], rounds.folder(index + 1)
        parts = [_square(read_picture(folder / name)) for name in (PICTURE, OBJECT, DRAWN_PNG)]
        overlap = f"IoU {measures['iou_first']:.2f}"
        cells += parts
        captions += [f"round {index + 1}: seen", f"{overlap} with round 1",
                     f"drawn from {measures['azimuth_deg']:g} degrees"]
        frames.append(_frame(parts, f"round {index + 1}   {overlap}"))
    columns = 3 if len(frames) < 4 else 6
    path = previews.sheet_of_images(cells, rounds.out / ALL_ROUNDS[0], columns, CELL_PX, captions)
    tables = (rounds.out / TABLE, rounds.out / CSV)
    yield Written("tables", tables, "measures of each round", {"output": [str(path) for path in tables]})
    yield Written("sheet", (path,), f"{len(frames)} rounds", {"output": [str(path)], "rounds": len(frames)})
    if len(frames) > 1:
        made = previews.animation(frames, rounds.out / ALL_ROUNDS[1], FRAME_MS, back=False)
        line = f"{len(frames)} frames, {made.stat().st_size / 1000:.0f} kB"
        yield Written("animation", (made,), line, {"output": [str(made)], "frames": len(frames)})


def _square(pixels: np.ndarray) -> UInt8[np.ndarray, "side side 3"]:
    """The whole picture in a white square."""
    return np.asarray(ImageOps.pad(Image.fromarray(pixels), (FRAME_PX, FRAME_PX), color=(255, 255, 255)))


def _frame(parts: list[np.ndarray], text: str) -> UInt8[np.ndarray, "height width 3"]:
    """Squares beside each other with a line beneath."""
    foot = FRAME_PX // 10
    page = Image.new("RGB", (len(parts) * FRAME_PX, FRAME_PX + foot), (255, 255, 255))
    for place, part in enumerate(parts):
        page.paste(Image.fromarray(part), (place * FRAME_PX, 0))
    font = ImageFont.load_default(max(9, foot // 2))
    ImageDraw.Draw(page).text((foot / 2, FRAME_PX + foot / 2), text, font=font, fill=(38, 42, 50), anchor="lm")
    return np.asarray(page)


def _facts(
    start: str, model: Model, settings: LoopSettings, simulate: bool, project: bool, threshold: float | None, seed: int
) -> dict:
    """What may not change while a loop goes on, by the names of the options."""
    look, sheet = settings.look, settings.sheet
    return {
        "start": str(start), "model": model.name, "threshold": model.threshold if threshold is None else threshold,
        "simulate": simulate, "project": project, "seed": seed, "low": settings.low, "turn_deg": settings.turn_deg,
        "azimuth_deg": look.azimuth_deg, "elevation_deg": look.elevation_deg, "hatch": look.hatch,
        "hatch_mm": look.hatch_mm, "page": f"{sheet.width:g}x{sheet.height:g}mm", "margin": sheet.margin,
        "pen": sheet.pen, "size_mm": settings.size_mm, "memory": settings.memory,
    }
