"""`maquette generate`: new objects, images and coloured meshes out of random latents.

Heavy modules are imported inside the body, as in `maquette.cli.commands`.
"""

from typing import Annotated

from maquette.cli.marks import Mark
from maquette.cli.options import Format, Preview, writes
from maquette.errors import UserError


@writes
def generate(
    count: int = 16,
    seed: int = 0,
    model: str = "maquette",
    out: str = "out",
    class_name: Annotated[str, Mark(name="class")] = "",
    spread: float = 1.0,
    size_mm: float = 100.0,
    format: Format | None = None,
    all_parts: bool = False,
    mesh: bool = False,
    resolution: int = 128,
    level: float = 0.5,
    turntable: bool = False,
    preview: Preview = "no",
    json: bool = False,
) -> int:
    """Make new objects, or images, out of random latents.

    A sheet of them is written too. A model that learned objects from images (3dgen, graf) gives images, and with --mesh
    coloured meshes.

    Args:
        count: How many.
        seed: Same seed, same objects.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: Folder for the results.
        class_name: One of the model's classes (see `maquette models show`); any if left out.
        spread: Below 1: more typical; above 1: stranger.
        size_mm: Longest side, in millimetres (objects).
        format: Kind of file (objects); stl if left out, glb with --mesh: ply, obj and glb have colours. Images are PNG.
        all_parts: Keep loose parts too, not only the largest (objects).
        mesh: Meshes instead of images, of a model that learned objects from images.
        resolution: Cells a side of the cube in which such a mesh is found, a multiple of 16 up to 512.
        level: Occupancy at the surface of such a mesh; lower keeps more thin parts.
        turntable: With --mesh: also an animation of each object, as the model shows it all round.
        preview: html: also a page beside each mesh to turn it in (objects); the sheet is written in any case.
        json: Print one JSON document.

    Examples:
        maquette generate --count 4 --seed 7 --out out/
        maquette generate --class chair --count 2 --spread 0.8 --format 3mf
    """
    from maquette import api
    from maquette.capabilities import Makes
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.outputs import shapes as outputs

    with status(f"loading model {model}"):
        loaded = api.load(model)
    if turntable and not mesh:
        raise UserError("--turntable goes with --mesh")
    if mesh:
        from maquette.outputs import fields as outputs_fields

        if class_name and loaded.facts.makes is Makes.FIELD:
            raise UserError(f"model '{loaded.name}' knows no classes", f"--class {class_name}")
        events = outputs_fields.generate_mesh_files(
            out, loaded, count=count, seed=seed, spread=spread, resolution=resolution, level=level,
            suffix=f".{format or 'glb'}", size_mm=size_mm, largest_part=not all_parts, turntable=turntable,
            preview=preview,
        )
        return show_files(events, json, "generating")
    if loaded.facts.makes.images:
        if class_name:
            raise UserError(f"model '{loaded.name}' knows no classes", f"--class {class_name}")
        events = outputs.generate_image_files(out, loaded, count=count, seed=seed, spread=spread)
        return show_files(events, json, "generating", count + 1)
    events = outputs.generate_files(
        out, loaded, count=count, seed=seed, class_name=class_name, spread=spread, suffix=f".{format or 'stl'}",
        size_mm=size_mm, largest_part=not all_parts, preview=preview,
    )
    return show_files(events, json, "generating", count)
