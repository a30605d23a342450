"""`maquette reconstruct`, `complete` and `demo`: pictures and depth scans in, printable meshes out.

Heavy modules are imported inside the bodies, as in `maquette.cli.commands`.
"""

from typing import Annotated, Literal

from maquette.cli.marks import Mark
from maquette.cli.options import Format, Inputs, Preview, bad_usage, writes

Scans = Annotated[tuple[str, ...], Mark(metavar="SCAN...", positional=True)]


@writes
def reconstruct(
    inputs: Inputs,
    out: str = "out",
    model: str = "maquette",
    by: Literal["auto", "model", "revolve", "inflate", "extrude"] = "auto",
    candidates: int | None = None,
    as_read: bool = False,
    one: bool = False,
    sides: tuple[str, ...] = (),
    class_name: Annotated[str, Mark(name="class")] = "",
    size_mm: float = 100.0,
    format: Format | None = None,
    preview: Preview = "no",
    threshold: float | None = None,
    all_parts: bool = False,
    min_wall_mm: float = 0.8,
    steps: int = 200,
    seconds: float = 60.0,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Turn sketches and photos into printable meshes.

    The way that suits the picture is taken: by the model, or, for a flat drawing, turned about its axis, inflated or
    extruded. The report says which, how well the drawn outline is obeyed, and how sure it is.

    A model of 3DGEN or GRAF has no encoder: camera and codes are looked for, which takes longer, and the mesh has
    colours.

    Args:
        inputs: Pictures, folders of pictures, or - for standard input.
        out: Folder for the results, or the one file to write.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        by: The way; auto for the one that suits the picture best.
        candidates: Write so many objects of each picture, 1 to 5, the best first, and a sheet to choose from.
        as_read: Leave the model's shape as it read it, not mended by the drawn outline.
        one: All pictures show one object, from several sides: 2 to 8, drawings and photos mixed.
        sides: From where each of them was taken, in their order: front, left, back, right or degrees; not needed.
        class_name: What the pictures show, for a model that takes it (see `maquette models show`).
        size_mm: Longest side of the object, in millimetres.
        format: Kind of file; meshes are for printing, the rest are voxel grids. stl if left out, glb where the mesh has
            colours, which ply, obj and glb keep.
        preview: png: also a picture of the input beside the mesh from four sides; html: and a page to turn it in.
        threshold: Occupancy from which a voxel is solid; the model's own if left out. Lower keeps more thin parts.
        all_parts: Keep loose parts too, not only the largest.
        min_wall_mm: The thinnest wall that your printer can print.
        steps: Updates of a search (3dgen, graf).
        seconds: Longest time of a search for each picture (3dgen, graf).
        seed: Of a search (3dgen, graf).
        json: Print one JSON document.

    Examples:
        maquette reconstruct examples/chair.png --preview
        maquette reconstruct examples/ --out out/ --size-mm 80 --format 3mf
        maquette reconstruct examples/mug.png --candidates 4
        maquette reconstruct --one front.jpg side.jpg back.jpg --sides front left back
    """
    if not inputs:
        return bad_usage("reconstruct", "name at least one picture, a folder, or - for standard input")
    from maquette import api
    from maquette.capabilities import Makes
    from maquette.cli.console import status
    from maquette.cli.show import show_files

    with status(f"loading model {model}"):
        loaded = api.load(model)
    if loaded.facts.makes is Makes.FIELD:
        from maquette.fields.inversion import Search
        from maquette.outputs.inversion import invert_files

        search = Search(steps=steps, seconds=seconds, seed=seed)
        searched = invert_files(
            inputs, out, loaded, search=search, suffix=f".{format or 'glb'}", preview=preview, size_mm=size_mm,
            threshold=threshold, largest_part=not all_parts, min_wall_mm=min_wall_mm,
        )
        return show_files(searched, json, "reconstructing")
    from maquette.outputs import pictures

    if sides and not one:
        return bad_usage("reconstruct", "--sides is for several pictures of one object; add --one")
    if one:
        if by != "auto" or candidates is not None or class_name:
            return bad_usage("reconstruct", "--one is by the model; leave out --by, --candidates and --class")
        events = pictures.one_file(
            inputs, out, loaded, sides, obeying=not as_read, suffix=f".{format or 'stl'}", preview=preview,
            size_mm=size_mm, threshold=threshold, largest_part=not all_parts, min_wall_mm=min_wall_mm,
        )
    elif candidates is not None:
        if by != "auto" or as_read or class_name:
            return bad_usage("reconstruct", "--candidates tries all ways; leave out --by, --as-read and --class")
        events = pictures.candidate_files(
            inputs, out, loaded, candidates, suffix=f".{format or 'stl'}", size_mm=size_mm, threshold=threshold,
            largest_part=not all_parts, min_wall_mm=min_wall_mm,
        )
    else:
        events = pictures.reconstruct_files(
            inputs, out, loaded, by=by, class_name=class_name, obeying=not as_read, suffix=f".{format or 'stl'}",
            preview=preview, size_mm=size_mm, threshold=threshold, largest_part=not all_parts, min_wall_mm=min_wall_mm,
        )
    return show_files(events, json, "reconstructing")


@writes
def complete(
    inputs: Scans,
    model: str = "scan",
    out: str = "out",
    intrinsics: str = "",
    depth_scale: float = 1000.0,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    up: Literal["z"] | None = None,
    size_mm: float | None = None,
    format: Format = "stl",
    preview: Preview = "no",
    threshold: float | None = None,
    all_parts: bool = False,
    min_wall_mm: float = 0.8,
    json: bool = False,
) -> int:
    """Turn depth scans into whole printable meshes.

    A scan sees an object from one side; the model makes the other sides.

    Args:
        inputs: Depth pictures (16-bit PNG), point clouds (PLY, OBJ, STL, OFF, npy), partial grids, folders of these.
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub; trained on scans.
        out: Folder for the results, or the one file to write.
        intrinsics: Of the depth camera: fx,fy,cx,cy in pixels, or a JSON file with these keys or a 3x3 matrix K.
        depth_scale: Units of a depth picture a metre.
        azimuth_deg: The side that the camera saw; 0: the object's front, 90: its left. The model guesses if left out.
        elevation_deg: Of the camera above the horizon; found from the floor or table if left out.
        up: z for point clouds that stand upright already.
        size_mm: Longest side of the object, in millimetres; the scan's own if left out (100 where it has none).
        format: Kind of file; meshes are for printing, the rest are voxel grids.
        preview: png: also a picture of the scan's voxels beside the mesh from four sides; html: and a page to turn it
            in.
        threshold: Occupancy from which a voxel is solid; the model's own if left out. Lower keeps more thin parts.
        all_parts: Keep loose parts too, not only the largest.
        min_wall_mm: The thinnest wall that your printer can print.
        json: Print one JSON document.

    Examples:
        maquette complete examples/scans/chair.png --intrinsics examples/scans/camera.json --preview
    """
    if not inputs:
        return bad_usage("complete", "name at least one scan or a folder")
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.outputs import shapes as outputs

    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = outputs.complete_files(
        inputs, out, loaded, suffix=f".{format}", preview=preview, intrinsics=intrinsics, depth_scale=depth_scale,
        azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, up=up, size_mm=size_mm, threshold=threshold,
        largest_part=not all_parts, min_wall_mm=min_wall_mm,
    )
    return show_files(events, json, "completing")


@writes
def demo(out: str = "demo") -> int:
    """Reconstruct the bundled examples, and lay them out.

    Args:
        out: Folder for the results.

    Examples:
        maquette demo --out demo
    """
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.outputs.pictures import demo_files

    with status("loading the bundled model"):
        loaded = api.load("maquette")
    events = demo_files(out, loaded)
    return show_files(events, False, "reconstructing")
