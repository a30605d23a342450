"""The command line: one function a command; each body is one call into `maquette.api` and the printing of its events.

Heavy modules are imported inside the bodies, so that `maquette --help` answers at once. Exit codes: 0 done, 1 failed, 2
bad usage. Results go to standard output, progress and messages to standard error; with `--json` standard output carries
one JSON document and nothing else.
"""

import signal
import sys
from collections.abc import Callable
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from maquette.cli.data import data_audit, data_prepare, data_prepare_images, data_render, data_render_images, data_show
from maquette.cli.drawing import pickup, relief
from maquette.cli.latents import combine, interpolate, project, suggest
from maquette.cli.loop import loop
from maquette.cli.options import Format, Inputs
from maquette.cli.plotting import draw, plot
from maquette.cli.runs import doctor, models_list, models_push, models_show, runs_list, runs_pack, runs_show
from maquette.cli.scans import complete
from maquette.cli.study import study_make, study_score
from maquette.cli.train import train
from maquette.errors import UserError
from maquette.systems.capabilities import Makes


def main(argv: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    before = signal.signal(signal.SIGTERM, _interrupt)  # so that worker processes and half files are cleared away
    try:
        code = run(arguments)
    except UserError as error:
        _say(f"maquette: {error}")
        code = 1
    except KeyboardInterrupt:
        _say("maquette: stopped")
        code = 130
    except BrokenPipeError:
        code = 0
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(code)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def run(arguments: list[str]) -> int:
    """Find the command, parse its options, run it; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from maquette import __version__

        print(f"maquette {__version__}")
        return 0
    name, rest = _split(arguments)
    if name in _groups() and name not in COMMANDS:
        print(_overview(name))
        return 0 if rest else 2
    if name not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(name, COMMANDS, 1)
        _say(f"maquette: no command '{name}'" + (f"; did you mean '{close[0]}'?" if close else "; see maquette --help"))
        return 2
    command = COMMANDS[name]
    if command is train:
        return train(rest)
    about = (command.__doc__ or "").split("Args:")[0].strip()
    return tyro.cli(command, args=rest, prog=f"maquette {name}", description=about) or 0


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    """The longest command that the arguments begin with, or a group of them with nothing but a call for help, or what
    was meant for one; and what follows it.
    """
    groups, count = _groups(), 1
    while (name := " ".join(arguments[:count])) in groups and count < len(arguments):
        longer = " ".join(arguments[: count + 1])
        if longer not in COMMANDS and longer not in groups:
            if name not in COMMANDS and arguments[count] not in ("-h", "--help"):
                return longer, arguments[count + 1 :]
            break
        count += 1
    return name, arguments[count:]


def _groups() -> set[str]:
    """The words that stand before commands: `data`, `evaluate study`."""
    return {" ".join(words[:count]) for words in map(str.split, COMMANDS) for count in range(1, len(words))}


def reconstruct(
    inputs: Inputs,
    out: str = "out",
    model: str = "maquette",
    size_mm: float = 100.0,
    format: Format | None = None,
    preview: bool = False,
    threshold: float | None = None,
    all_parts: bool = False,
    min_wall_mm: float = 0.8,
    steps: int = 200,
    seconds: float = 60.0,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Turn sketches and photos into printable meshes.

    A model of 3DGEN or GRAF has no encoder: camera and codes are looked for, which takes longer, and the mesh has
    colours.

    Args:
        inputs: Pictures, folders of pictures, or - for standard input.
        out: Folder for the results, or the one file to write.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        size_mm: Longest side of the object, in millimetres.
        format: Kind of file; meshes are for printing, the rest are voxel grids. stl if left out, glb where the mesh has
            colours, which ply, obj and glb keep.
        preview: Also write a PNG of the input beside the mesh from four sides.
        threshold: Occupancy from which a voxel is solid; the model's own if left out. Lower keeps more thin parts.
        all_parts: Keep loose parts too, not only the largest.
        min_wall_mm: The thinnest wall that your printer can print.
        steps: Updates of a search (3dgen, graf).
        seconds: Longest time of a search for each picture (3dgen, graf).
        seed: Of a search (3dgen, graf).
        json: Print one JSON document.
    """
    if not inputs:
        _say("maquette reconstruct: name at least one picture, a folder, or - for standard input")
        return 2
    from maquette import api
    from maquette.cli.console import show_files
    from maquette.outputs import shapes as outputs

    with _status(f"loading model {model}"):
        loaded = api.load(model)
    default = "glb" if loaded.system.makes is Makes.FIELD else "stl"
    options = {"suffix": f".{format or default}", "preview": preview, "size_mm": size_mm, "threshold": threshold,
               "largest_part": not all_parts, "min_wall_mm": min_wall_mm}
    if loaded.system.makes is Makes.FIELD:
        from maquette.fields.inversion import Search
        from maquette.outputs.inversion import invert_files

        search = Search(steps=steps, seconds=seconds, seed=seed)
        return show_files(invert_files(inputs, out, loaded, search=search, **options), None, json, "reconstructing")
    events = outputs.reconstruct_files(inputs, out, loaded, **options)
    return show_files(events, next(events), json, "reconstructing")


def generate(
    count: int = 16,
    seed: int = 0,
    model: str = "maquette",
    out: str = "out",
    kind: str = "",
    spread: float = 1.0,
    size_mm: float = 100.0,
    format: Format | None = None,
    all_parts: bool = False,
    mesh: bool = False,
    resolution: int = 128,
    level: float = 0.5,
    turntable: bool = False,
    json: bool = False,
) -> int:
    """Make new objects out of random latents, or new images with a model that makes those; and a sheet of them.

    A model that learned objects from images (3dgen, graf) gives images, and with --mesh coloured meshes.

    Args:
        count: How many.
        seed: Same seed, same objects.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        kind: One of the model's classes (see `maquette models show`); any if left out.
        spread: Below 1: more typical; above 1: stranger.
        size_mm: Longest side, in millimetres (objects).
        format: Kind of file (objects); stl if left out, glb with --mesh: ply, obj and glb have colours. Images are PNG.
        all_parts: Keep loose parts too, not only the largest (objects).
        mesh: Meshes instead of images, of a model that learned objects from images.
        resolution: Cells a side of the cube in which such a mesh is found, a multiple of 16 up to 512.
        level: Occupancy at the surface of such a mesh; lower keeps more thin parts.
        turntable: With --mesh: also an animation of each object, as the model shows it all round.
        json: Print one JSON document.
    """
    from maquette import api
    from maquette.cli.console import show_files
    from maquette.outputs import shapes as outputs

    with _status(f"loading model {model}"):
        loaded = api.load(model)
    if turntable and not mesh:
        raise UserError("--turntable goes with --mesh")
    if mesh:
        from maquette.outputs import fields as outputs_fields

        if kind and loaded.system.makes is Makes.FIELD:
            raise UserError(f"model '{loaded.name}' knows no classes", f"--kind {kind}")
        events = outputs_fields.generate_mesh_files(
            out, loaded, count=count, seed=seed, spread=spread, resolution=resolution, level=level,
            suffix=f".{format or 'glb'}", size_mm=size_mm, largest_part=not all_parts, turntable=turntable,
        )
        return show_files(events, None, json, "generating")
    if loaded.system.makes.images:
        if kind:
            raise UserError(f"model '{loaded.name}' knows no classes", f"--kind {kind}")
        events = outputs.generate_image_files(out, loaded, count=count, seed=seed, spread=spread)
        return show_files(events, count + 1, json, "generating")
    events = outputs.generate_files(
        out, loaded, count=count, seed=seed, class_name=kind, spread=spread, suffix=f".{format or 'stl'}",
        size_mm=size_mm, largest_part=not all_parts,
    )
    return show_files(events, count, json, "generating")


def evaluate(
    model: Positional[str] = "maquette",
    on: str = "modelnet10",
    data_path: Annotated[str, arg(name="data.path")] = "",
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    kind: str = "",
    turns: int = 0,
    classifier: str = "",
    inception: str = "",
    out: str = "evaluation",
    json: str = "",
) -> int:
    """Measure a model on data that it never saw.

    A test of whether readers can tell a model's images from real ones is made with: maquette evaluate study make.

    Args:
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        on: modelnet10: IoU on the test split, half pencil and half photo views; ikea: AP on photos, after alignment;
            scans: IoU on ModelNet10's test split, completed from scans; recognition: a linear SVM on the critic's
            responses; generation: new shapes beside the test split. A prepared dataset of images, or a folder of
            them: images that the model makes beside those held out, with a report; of 3dgen and graf also shape beside
            appearance, and meshes.
        data_path: Where the data are; of 3dgen and graf an image set with true shapes, where --on has none.
        views: Views or scans of each test shape (modelnet10, scans).
        limit: Stop after so many shapes or photos; generation: so many made shapes (100 if left out); images: so many
            of each set at most (500 if left out).
        seed: Of the views or scans that are made (modelnet10, scans), of the shapes or images that are made.
        kind: One class of the data (generation, ikea).
        turns: Orientations about the up axis of each shape: 1, 2, 3, 4, 6 or 12 (recognition: 4 if left out;
            generation: 1).
        classifier: A model of the system classifier, for the Frechet distance in its features (generation).
        inception: Weights for FID and KID of images: a .safetensors file, or owner/name in the Hugging Face Hub's
            cache; without them both are left out.
        out: Folder for the report on images: report.html, report.json, report.csv; objects.png (3dgen, graf).
        json: File for the result; - for standard output.
    """
    from maquette import api
    from maquette.cli.console import show_evaluation

    events = api.evaluate(model, on, data_path, views=views, limit=limit, seed=seed, class_name=kind, turns=turns,
                          classifier=classifier, inception=inception, out=out)
    return show_evaluation(events, json)


def demo(out: str = "demo") -> int:
    """Reconstruct the bundled examples and say where the meshes and the picture are.

    Args:
        out: Folder for the results.
    """
    from maquette import api
    from maquette.cli.console import show_files
    from maquette.outputs import shapes as outputs

    with _status("loading the bundled model"):
        loaded = api.load("maquette")
    events = outputs.demo_files(out, loaded)
    return show_files(events, next(events), False, "reconstructing")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _status(text: str):
    from maquette.cli.console import status

    return status(text)


COMMANDS: dict[str, Callable] = {
    "reconstruct": reconstruct,
    "complete": complete,
    "pickup": pickup,
    "relief": relief,
    "generate": generate,
    "interpolate": interpolate,
    "combine": combine,
    "project": project,
    "suggest": suggest,
    "draw": draw,
    "plot": plot,
    "loop": loop,
    "train": train,
    "evaluate": evaluate,
    "evaluate study make": study_make,
    "evaluate study score": study_score,
    "data prepare": data_prepare,
    "data prepare images": data_prepare_images,
    "data render": data_render,
    "data render images": data_render_images,
    "data show": data_show,
    "data audit": data_audit,
    "models list": models_list,
    "models show": models_show,
    "runs list": runs_list,
    "runs show": runs_show,
    "runs pack": runs_pack,
    "models push": models_push,
    "doctor": doctor,
    "demo": demo,
}


def _overview(group: str = "") -> str:
    shown = {name: function for name, function in COMMANDS.items() if not group or name.startswith(f"{group} ")}
    wide = max(len(name) for name in shown)
    lines = [f"  {name:<{wide}} {(function.__doc__ or '').strip().splitlines()[0]}" for name, function in shown.items()]
    head = f"usage: maquette {group} COMMAND ..." if group else "usage: maquette COMMAND ..."
    return "\n".join([head, "", "A pencil sketch, a photo or a depth scan in, a printable mesh out.", "", *lines, "",
                      "maquette COMMAND --help lists the options of a command."])


if __name__ == "__main__":
    main()
