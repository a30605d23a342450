"""`maquette data ...`: shapes and folders of pictures, prepared, rendered, shown and looked through.

Heavy modules are imported inside the bodies, as in `maquette.cli.commands`.
"""

import json as js
from pathlib import Path
from typing import Annotated, Literal

from maquette.cli.marks import POSITIONAL
from maquette.cli.options import Inputs, bad_usage, writes


def data_prepare(
    source: Annotated[str, POSITIONAL],
    out: str,
    resolution: int = 32,
    views: int = 0,
    view_size: int = 128,
    channels: Literal[1, 3] = 1,
    kinds: tuple[str, ...] = ("photo", "pencil"),
    count: int | None = None,
    seed: int = 0,
    backgrounds: str | None = None,
    frontal: float = 0.4,
    scans: int = 0,
    orientations: int = 1,
    up: Literal["z", "y"] = "z",
    keep_names: bool = False,
    name: str = "",
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Turn shapes into a dataset folder for training.

    A Hugging Face dataset; a stopped run continues where it was.

    Args:
        source: An .npz, a furniture library (.sh3f) or a folder (of libraries, ModelNet's .mat tree, meshes, grids),
            or `furniture` for the built-in generator. For pictures see: maquette data prepare images --help.
        out: Folder of the dataset.
        resolution: Voxels a side.
        views: Views rendered of each shape; 0: none.
        view_size: Pixels a side of a view.
        channels: 1: grey views; 3: colour.
        kinds: Kinds of views: photo, pencil, depth.
        count: How many shapes; all if left out (furniture: 1000).
        seed: Of furniture, views and scans.
        backgrounds: Folder of pictures for the backgrounds of photo views.
        frontal: Share of photos taken from near the front; the others from any side.
        scans: Scans of each shape, as a depth camera sees it from one side; 0: none.
        orientations: Orientations about the up axis of each shape, a row each: 1, 2, 3, 4, 6 or 12.
        up: The axis that points up in the meshes of a folder; GLB says it itself, and grids are z up.
        keep_names: Call the shapes of a folder by the paths of their files, not by hashes that say nothing.
        name: What trained models call these shapes, and the class of those that lie in no folder of a class; models
            never name the folder that is given.
        workers: Processes; all cores if left out.
        json: Print one JSON document.

    Examples:
        maquette data prepare furniture --out data/furniture --count 26 --views 2 --view-size 64
        maquette data prepare my-meshes/ --out data/mine --views 10
    """
    from maquette import api
    from maquette.cli.show import show_prepare

    events = api.prepare_data(
        source, out, resolution=resolution, views=views, view_size=view_size, channels=channels, kinds=kinds,
        count=count, seed=seed, backgrounds=backgrounds, frontal=frontal, scans=scans, orientations=orientations,
        up=up, keep_names=keep_names, name=name, workers=workers,
    )
    return show_prepare(events, out, json)


@writes
def data_render(
    inputs: Inputs,
    out: str = "out",
    count: int = 8,
    kinds: tuple[str, ...] = ("photo", "pencil", "depth"),
    size_px: int = 256,
    color: bool = False,
    seed: int = 0,
    backgrounds: str | None = None,
    json: bool = False,
) -> int:
    """Render views of meshes or grids as pictures.

    PNG files, with their cameras in cameras.json.

    For a dataset of coloured images see: maquette data render images --help.

    Args:
        inputs: Mesh or grid files, or furniture:KIND:SEED (furniture:chair:7).
        out: Folder for the pictures.
        count: Views of each input.
        kinds: Kinds of views: photo, pencil, depth.
        size_px: Pixels a side.
        color: Photos in colour.
        seed: Same seed, same views.
        backgrounds: Folder of pictures for the backgrounds of photo views.
        json: Print one JSON document.

    Examples:
        maquette data render furniture:chair:7 --out views/ --count 4 --kinds photo pencil
    """
    if not inputs:
        return bad_usage("data render", "name at least one mesh, or furniture:chair:7")
    from maquette.cli.show import show_files
    from maquette.outputs import shapes as outputs

    events = outputs.render_files(
        inputs, out, count=count, kinds=kinds, size_px=size_px, channels=3 if color else 1, seed=seed,
        backgrounds=backgrounds,
    )
    return show_files(events, json, "rendering", len(inputs))


def data_render_images(
    source: Annotated[str, POSITIONAL],
    out: str,
    size_px: int = 64,
    views: int = 8,
    count: int | None = None,
    classes: tuple[str, ...] = (),
    holdout: int | None = None,
    background: Literal["white", "random"] = "white",
    azimuth: tuple[float, float] = (0.0, 360.0),
    elevation: tuple[float, float] = (0.0, 45.0),
    fov: float = 30.0,
    radius: float = 2.9,
    seed: int = 0,
    up: Literal["z", "y"] = "z",
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Make a dataset of coloured images of shapes.

    Without their cameras, for networks that learn objects from images alone; a stopped run continues where it was. The
    cameras and the true shapes of the test split are kept beside it, for measuring.

    Args:
        source: An .npz or a folder (ModelNet .mat tree, meshes, grids, a prepared dataset), or furniture:chair for the
            built-in generator.
        out: Folder of the dataset.
        size_px: Pixels a side.
        views: Images of each shape, each from a camera of its own.
        count: How many shapes to learn from; all if left out (furniture: 1000).
        classes: Classes of the source; all if left out.
        holdout: Shapes for testing: of the source's own test split, or chosen by a hash of their names; if left out a
            fifth as many as to learn from, 100 at most.
        background: white, or random: one plain colour a picture.
        azimuth: Cameras: from and to, in degrees; 0 sees the front.
        elevation: Cameras: from and to, in degrees above the horizon.
        fov: Cameras: field of view in degrees, from edge to edge.
        radius: Cameras: distance to the object's centre, in its longest sides.
        seed: Of furniture, colours and cameras.
        up: The axis that points up in the meshes of a folder; GLB says it itself, and grids are z up.
        workers: Processes; all cores if left out.
        json: Print one JSON document.

    Examples:
        maquette data render images furniture:chair --out data/chairs --count 20 --views 4 --holdout 4 --size-px 32
    """
    from maquette.cli.show import show_prepare
    from maquette.datasets.images.render import CameraRange, render_images

    cameras = CameraRange(azimuth, elevation, fov, radius)
    events = render_images(source, out, size=size_px, views=views, count=count, classes=classes, holdout=holdout,
                           background=background, cameras=cameras, seed=seed, up=up, workers=workers)
    return show_prepare(events, out, json, "images")


@writes
def data_show(path: Annotated[str, POSITIONAL], out: str = "", json: bool = False) -> int:
    """Say what a prepared dataset holds, with a sheet of it.

    Args:
        path: A prepared dataset.
        out: PNG for the sheet; PATH/sheet.png if left out.
        json: Print one JSON document.

    Examples:
        maquette data prepare furniture --out data/furniture --count 26
        maquette data show data/furniture
    """
    from maquette import api
    from maquette.io.replacing import own

    if not out:
        own(path, told=True)
    facts = api.show_data(path, out)
    if json:
        print(js.dumps(facts, indent=1))
    else:
        for key, value in facts.items():
            print(f"{key:<14} {value}")
    return 0


@writes
def data_audit(
    path: Annotated[str, POSITIONAL],
    out: str = "out",
    fix: str = "",
    keep_names: bool = False,
    name: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Look for what is wrong with images, or with shapes.

    Images: unreadable, near duplicates, blank, inverted, badly exposed, odd sizes, colour, borders, burnt-in letters.
    Shapes: empty or full grids, duplicates, loose parts, blank views.

    Args:
        path: A folder of images (pictures or DICOM files), or a prepared dataset of shapes.
        out: Folder for the report on images, audit.html and audit.csv.
        fix: Folder for a cleaned copy of the images; the originals stay as they are.
        keep_names: Call images by the names of their files in the report and the copy, not by numbers that say nothing.
        name: What the report calls the images; it never names their folder.
        bits: Bits a pixel of greys deeper than 8 that are used; 0: the smallest usual range of each picture.
        max_megapixels: Larger pictures are refused before they are decoded.
        workers: Processes; all cores if left out.
        json: Print one JSON document.

    Examples:
        maquette data audit examples/ --out report
        maquette data audit data/furniture
    """
    from maquette.datasets.format import SIDECAR
    from maquette.datasets.images import is_images
    from maquette.errors import UserError

    if is_images(path):
        raise UserError(f"{path} is a dataset of images that was prepared already",
                        hint="audit the folder that it was made from")
    if (Path(path) / SIDECAR).is_file():
        return _audit_shapes(path, json)
    from maquette.cli.show import show_image_audit
    from maquette.datasets.images.audit import audit_images

    events = audit_images(path, out, fix=fix or None, keep_names=keep_names, name=name, bits=bits,
                          max_megapixels=max_megapixels, workers=workers)
    return show_image_audit(events, json)


def _audit_shapes(path: str, json: bool) -> int:
    from maquette import api
    from maquette.datasets.private import private_names

    findings = api.audit_data(path)
    if json:
        print(js.dumps(findings, indent=1))
        return 0
    for finding in findings:
        print(finding["line"])
    if findings and private_names(Path(path)).is_file():
        print(f"which shape is which file: {private_names(Path(path))}")
    print(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}" if findings else "nothing found")
    return 0


def data_prepare_images(
    folder: Annotated[str, POSITIONAL],
    out: str,
    size: str = "256x256",
    crop: str = "centre",
    grey: bool = False,
    holdout: int = 16,
    keep_names: bool = False,
    name: str = "",
    terms: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    masks: str = "",
    background: Literal["white", "grey", "black"] = "white",
    margin: float = 0.1,
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Turn a folder of images into a dataset for training.

    A Hugging Face dataset; a stopped run continues where it was.

    Args:
        folder: Folder of pictures or DICOM files, folders in it included.
        out: Folder of the dataset.
        size: Width x height of every image in pixels: 512x256 is wide.
        crop: centre: cut about the centre to the aspect of the size; x,y,w,h: this part, in pixels or as fractions,
            then the same; none: the whole picture with black beside it; object: the object in the middle, found by its
            mask or on a plain background.
        grey: One channel; RGB if left out.
        holdout: Images kept apart for testing, chosen by a hash of their names.
        keep_names: Call images by the names of their files, not by numbers that say nothing.
        name: What the dataset's README and trained models call the images; they never name their folder.
        terms: The terms of use of the images, for the dataset's README.
        bits: Bits a pixel of greys deeper than 8 that are used; 0: the smallest usual range of each picture.
        max_megapixels: Larger pictures are refused before they are decoded.
        masks: alpha: the images' alpha channels are masks of their objects; or a folder of masks with the images'
            names, white on the object. The objects are laid on the background, and the masks are kept.
        background: What objects with masks are laid on.
        margin: About an object that is cropped to, as a share of its longer side.
        workers: Processes; all cores if left out.
        json: Print one JSON document.

    Examples:
        maquette data prepare images examples/ --out data/pictures --size 64x64 --holdout 2
    """
    from maquette.cli.show import show_prepare
    from maquette.datasets.images import prepare_images

    events = prepare_images(folder, out, size=size, crop=crop, grey=grey, holdout=holdout, keep_names=keep_names,
                            name=name, terms=terms, bits=bits, max_megapixels=max_megapixels, masks=masks,
                            background=background, margin=margin, workers=workers)
    return show_prepare(events, out, json, "images")
