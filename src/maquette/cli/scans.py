"""`maquette complete`: depth scans in, printable meshes out.

Heavy modules are imported inside the body, as in `maquette.cli.commands`.
"""

import sys
from typing import Annotated, Literal

from tyro.conf import Positional, arg

Scans = Positional[Annotated[tuple[str, ...], arg(metavar="SCAN...")]]
Format = Literal["stl", "obj", "ply", "glb", "3mf", "off", "binvox", "npy", "npz", "mat"]


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
    preview: bool = False,
    threshold: float | None = None,
    all_parts: bool = False,
    min_wall_mm: float = 0.8,
    json: bool = False,
) -> int:
    """Turn depth scans, seen from one side, into whole printable meshes.

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
        preview: Also write a PNG of the scan's voxels beside the mesh from four sides.
        threshold: Occupancy from which a voxel is solid; the model's own if left out. Lower keeps more thin parts.
        all_parts: Keep loose parts too, not only the largest.
        min_wall_mm: The thinnest wall that your printer can print.
        json: Print one JSON document.
    """
    if not inputs:
        print("maquette complete: name at least one scan or a folder", file=sys.stderr, flush=True)
        return 2
    from maquette import api
    from maquette.cli.console import show_files, status
    from maquette.outputs import shapes as outputs

    with status(f"loading model {model}"):
        loaded = api.load(model)
    events = outputs.complete_files(
        inputs, out, loaded, suffix=f".{format}", preview=preview, intrinsics=intrinsics, depth_scale=depth_scale,
        azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, up=up, size_mm=size_mm, threshold=threshold,
        largest_part=not all_parts, min_wall_mm=min_wall_mm,
    )
    return show_files(events, next(events), json, "completing")
