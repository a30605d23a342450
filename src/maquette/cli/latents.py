"""The commands that work on latents: `maquette interpolate`, `combine`, `project` and `suggest`.

Each body is one call into `outputs_latent` and the printing of its events; heavy modules are imported inside.
"""

from typing import Annotated, Literal

from maquette.cli.marks import Mark
from maquette.cli.options import Format, Inputs, Preview, bad_usage, writes
from maquette.errors import UserError

Operands = Annotated[tuple[str, ...], Mark(metavar="OPERAND...", positional=True)]
Expression = Annotated[tuple[str, ...], Mark(metavar="EXPRESSION", positional=True)]


@writes
def interpolate(
    operands: Operands,
    steps: int = 7,
    path: Literal["straight", "spherical"] = "straight",
    what: Literal["both", "shape", "appearance"] = "both",
    gif: bool = True,
    frames: int = 24,
    model: str = "maquette",
    out: str = "out",
    size_mm: float = 100.0,
    format: Format | None = None,
    resolution: int = 128,
    all_parts: bool = False,
    preview: Preview = "no",
    json: bool = False,
) -> int:
    """Make the shapes between two operands or more.

    A sheet of them and an animation are written too.

    Args:
        operands: Each a seed (7), a class's seed (chair:7), a picture, a mesh or grid, or a saved latent (.npy).
        steps: Shapes a pair, both ends among them.
        path: straight, or spherical: the distance from the prior's middle kept on the way.
        what: The code that changes, the other stays the first operand's; shape or appearance for models with both
            (3dgen, graf), whose operands are seeds and saved latents.
        gif: Also write interpolation.gif, which goes there and back.
        frames: Frames of the animation between two operands, at least.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        size_mm: Longest side, in millimetres.
        format: Kind of file; stl if left out, glb with colours for models with a field (3dgen, graf).
        resolution: Cells a side of a field's mesh, a multiple of 16 up to 512 (3dgen, graf).
        all_parts: Keep loose parts too, not only the largest.
        preview: html: also a page beside each mesh to turn it in; the sheet is written in any case.
        json: Print one JSON document.

    Examples:
        maquette interpolate chair:7 sofa:3 --steps 5 --out out/
        maquette interpolate examples/chair.png examples/sofa.png --path spherical
    """
    if not operands:
        return bad_usage("interpolate", "name two operands at least, as in: maquette interpolate chair:7 sofa.jpg")
    from maquette import api
    from maquette.capabilities import Makes
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.outputs import latents as outputs_latent

    with status(f"loading model {model}"):
        loaded = api.load(model)
    if loaded.facts.makes is Makes.FIELD:
        from maquette.outputs import fields as outputs_fields

        events = outputs_fields.interpolate_field_files(
            operands, out, loaded, steps=steps, path=path, what=what, gif=gif, frames=frames, resolution=resolution,
            suffix=f".{format or 'glb'}", size_mm=size_mm, largest_part=not all_parts, preview=preview,
        )
        return show_files(events, json, "interpolating")
    if what != "both":
        raise UserError(f"model '{loaded.name}' has no {what} code of its own: it is a {loaded.facts.system}",
                        f"--what {what}")
    events = outputs_latent.interpolate_files(
        operands, out, loaded, steps=steps, path=path, gif=gif, frames=frames, suffix=f".{format or 'stl'}",
        size_mm=size_mm, largest_part=not all_parts, preview=preview,
    )
    return show_files(events, json, "interpolating")


@writes
def combine(
    expression: Expression,
    model: str = "maquette",
    out: str = "out",
    size_mm: float = 100.0,
    format: Format = "stl",
    all_parts: bool = False,
    preview: Preview = "no",
    json: bool = False,
) -> int:
    """Add and subtract shapes, as in "A - B + C".

    Shapes are added by their latents.

    Args:
        expression: Operands as of `maquette interpolate` with + or - between spaces; 0.5*A is half of A.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        size_mm: Longest side, in millimetres.
        format: Kind of file.
        all_parts: Keep loose parts too, not only the largest.
        preview: html: also a page to turn the mesh in; the sheet is written in any case.
        json: Print one JSON document.

    Examples:
        maquette combine "chair:7 - chair:8 + sofa:9" --out out/
    """
    if not expression:
        return bad_usage("combine", 'write an expression, as in: maquette combine "chair:7 - chair:8 + sofa:9"')
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.outputs import latents as outputs_latent

    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = outputs_latent.combine_files(
        expression, out, loaded, suffix=f".{format}", size_mm=size_mm, largest_part=not all_parts,
        preview=preview,
    )
    return show_files(events, json, "combining")


@writes
def project(
    inputs: Inputs,
    steps: int = 200,
    starts: int = 4,
    draws: int = 32,
    prior_weight: float = 0.05,
    seed: int = 0,
    preview: Preview = "no",
    model: str = "maquette",
    out: str = "out",
    size_mm: float = 100.0,
    format: Format = "stl",
    all_parts: bool = False,
    json: bool = False,
) -> int:
    """Find the closest shape that a model can make.

    Args:
        inputs: Mesh or grid files.
        steps: Updates of the latents.
        starts: Latents that are optimised side by side: the best of views, means of classes and draws.
        draws: Draws from the prior that are tried as starts.
        prior_weight: How much an unlikely latent costs; 0 follows the given shape alone.
        seed: Of the draws.
        preview: png: also a picture of the given shape beside the closest; html: and a page to turn it in.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        size_mm: Longest side, in millimetres.
        format: Kind of file.
        all_parts: Keep loose parts too, not only the largest.
        json: Print one JSON document.

    Examples:
        maquette generate --count 1 --out out/
        maquette project out/sample-0-000.stl --steps 50 --preview --out close/
    """
    if not inputs:
        return bad_usage("project", "name at least one mesh or grid file")
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.latents import Fit
    from maquette.outputs import latents as outputs_latent

    fit = Fit(steps, starts, draws, prior_weight, seed)
    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = outputs_latent.project_files(
        inputs, out, loaded, fit=fit, preview=preview, suffix=f".{format}", size_mm=size_mm, largest_part=not all_parts
    )
    return show_files(events, json, "projecting")


@writes
def suggest(
    inputs: Inputs,
    among: str = "furniture",
    count: int = 8,
    known: int | None = None,
    cache: str = "data-cache",
    meshes: bool = False,
    draw: bool = False,
    page: str = "a4",
    model: str = "maquette",
    out: str = "out",
    size_mm: float = 100.0,
    format: Format = "stl",
    all_parts: bool = False,
    preview: Preview = "no",
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Find the known objects most like a sketch or a photo.

    Args:
        inputs: Pictures, folders of pictures, or - for standard input.
        among: The known objects: a prepared dataset, a folder of meshes or grids, or `furniture`.
        count: How many of the nearest.
        known: Known objects that are rendered at most (furniture: 300, others: all).
        cache: Folder in which their views and features are kept, so that the next time is quick.
        meshes: Also write the nearest objects.
        draw: Also answer with clean drawings of them, as SVG for a plotter, from the side that the picture shows.
        page: Paper of these drawings: a2 to a6, letter, legal, tabloid, or a size as 200x150mm.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        size_mm: Longest side, in millimetres.
        format: Kind of file.
        all_parts: Keep loose parts too, not only the largest.
        preview: html: with --meshes, also a page beside each to turn it in; the sheet is written in any case.
        workers: Processes that render; all cores if left out.
        json: Print one JSON document.

    Examples:
        maquette suggest examples/chair.png --known 26 --count 4 --meshes --out out/
    """
    if not inputs:
        return bad_usage("suggest", "name at least one picture, a folder, or - for standard input")
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.geometry.paper import page_size
    from maquette.outputs import suggestions
    from maquette.plotting.settings import Paper

    width, height = page_size(page)
    sheet = Paper(width, height, 0.07 * min(width, height)) if draw else None
    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = suggestions.suggest_files(
        inputs, out, loaded, among=among, count=count, known=known, cache=cache, meshes=meshes, suffix=f".{format}",
        size_mm=size_mm, largest_part=not all_parts, workers=workers, draw=sheet,
        preview=preview,
    )
    return show_files(events, json, "suggesting")
