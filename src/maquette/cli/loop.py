"""`maquette loop`: a camera sees, the network imagines, a plotter draws.

Heavy modules are imported inside the body, as in `maquette.cli.commands`.
"""

import sys
from typing import Annotated, Literal

from maquette.cli.marks import Mark
from maquette.cli.options import Preview, bad_usage, say
from maquette.errors import UserError

Start = Annotated[str, Mark(metavar="START", positional=True)]


def loop(
    start: Start = "",
    rounds: int = 20,
    simulate: bool = False,
    camera: str = "",
    port: str = "",
    out: str = "loop",
    resume: bool = False,
    model: str = "maquette",
    turn_deg: float = 30.0,
    azimuth_deg: float = 35.0,
    elevation_deg: float = 20.0,
    page: str = "a5",
    hatch: int = 0,
    hatch_mm: float | None = None,
    low: int | None = None,
    project: bool = False,
    memory: float = 0.97,
    threshold: float | None = None,
    seed: int = 0,
    size_mm: float = 100.0,
    ask: bool = True,
    wait_s: float = 3600.0,
    lift: Literal["z", "servo"] = "z",
    pen_up: float | None = None,
    pen_down: float | None = None,
    preview: Preview = "no",
    json: bool = False,
) -> int:
    """See, imagine, draw from the next angle, and again.

    A round is a picture, a mesh of what it shows, and a drawing of that from the next angle, which is the next picture.
    Without --camera, and without --simulate, one round is made and a line says how to go on.

    Args:
        start: The first picture: a file, camera:0, or a folder that a scanner writes into.
        rounds: How many.
        simulate: No hardware: each drawing becomes a made-up phone photograph of a pencil drawing on a desk.
        camera: Where the picture of each drawing comes from: camera:0, the folder that a scanner writes into (a fresh
            file is waited for), or one picture of the last drawing.
        port: Serial port of a GRBL plotter that draws, as /dev/ttyUSB0; if left out, the SVG and G-code of each round
            are there to be plotted.
        out: Folder for the rounds, their table, the sheet and the animation.
        resume: Go on after the last whole round; all else as it began, but for --rounds and the hardware.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        turn_deg: How far the object is turned from one drawing to the next.
        azimuth_deg: The side seen in the first drawing; 0: the object's front, 90: its left.
        elevation_deg: Of the eye above the horizon.
        page: a2 to a6, letter, legal, tabloid, or a size as 200x150mm.
        hatch: Tones of hatching by light, 0 to 4.
        hatch_mm: Between the lines of the hatching; if left out, as close as a model can still tell them apart.
        low: Pixels a side that are taken up from each picture; as many as the model sees if left out.
        project: Bring each object to the closest that the model makes of a latent; slow.
        memory: How much of each object is kept in the next, 0 to 1; with 0 it drifts.
        threshold: Occupancy from which a voxel is solid; the model's own if left out.
        seed: Of the simulated photographs, and of --project.
        size_mm: Longest side of the meshes, in millimetres.
        ask: Wait for the Enter key when a sheet has to be changed or laid under the camera.
        wait_s: How long a fresh file in a scanner's folder is waited for, in seconds.
        lift: What lifts the plotter's pen: a z axis, or a servo at the spindle's output.
        pen_up: Where the pen is up: millimetres (3) or the servo's value (0).
        pen_down: Where the pen is down: millimetres (0) or the servo's value (1000).
        preview: html: also a page in each round to turn its object in; its pictures are written in any case.
        json: Print one JSON document.

    Examples:
        maquette loop examples/chair.png --simulate --rounds 3 --out loop/
        maquette loop examples/chair.png --simulate --rounds 4 --out loop/ --resume
    """
    if not start:
        return bad_usage("loop", "name the picture to start from, as in: maquette loop chair.jpg --simulate")
    from maquette import api
    from maquette.cli.console import closed, status
    from maquette.cli.plot_console import keyboard
    from maquette.cli.show import show_files
    from maquette.drawing_loop.loop import LoopSettings, hatching_mm
    from maquette.geometry.paper import page_size
    from maquette.outputs import loop as outputs_loop
    from maquette.plotting.one_stop import one_stop
    from maquette.plotting.settings import Machine, Paper, ViewOptions

    sheet = Paper(*page_size(page), 12.0, 0.5)
    spacing = hatching_mm(sheet) if hatch_mm is None else hatch_mm
    look = ViewOptions(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, hatch=hatch, hatch_mm=spacing)
    settings = LoopSettings(rounds, turn_deg, look, sheet, low, size_mm, memory)
    machine = Machine(lift=lift, pen_up=pen_up, pen_down=pen_down)
    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = outputs_loop.loop_files(
        start, out, loaded, settings, simulate=simulate, camera=camera, port=port, machine=machine, ask=ask,
        control=keyboard() if port else None, wait_s=wait_s, project=project, threshold=threshold, seed=seed,
        resume=resume, turning=preview == "html",
    )
    with one_stop(halting=False), closed(events):  # closing lifts the pen, whatever happens here
        return show_files(events, json, "drawing rounds", other=_ask)


def _ask(event: object) -> None:
    """Say what a person is to do, and wait for the Enter key where it must be done first."""
    from maquette.drawing_loop.loop import Waiting

    if not isinstance(event, Waiting):
        raise TypeError(f"no event of the loop: {event!r}")
    say(event.line + (", then press Enter" if event.ask else ""))
    if event.ask:
        try:
            if not sys.stdin.readline():
                raise EOFError
        except (EOFError, OSError):
            raise UserError(f"nobody answered in round {event.number}", hint="--no-ask goes on unasked") from None
