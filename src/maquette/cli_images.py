"""`maquette data audit` and `maquette data prepare images`: folders of pictures, looked through and made a dataset.

Heavy modules are imported inside the bodies, as in `maquette.cli`.
"""

import json as js
from pathlib import Path

from tyro.conf import Positional


def data_audit(
    path: Positional[str],
    out: str = "out",
    fix: str = "",
    keep_names: bool = False,
    bits: int = 0,
    max_megapixels: float = 100.0,
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Look for what is wrong with a folder of images, or with a prepared dataset of shapes.

    Images: unreadable, near duplicates, blank, inverted, badly exposed, odd sizes, colour, borders, burnt-in letters.
    Shapes: empty or full grids, duplicates, loose parts, blank views.

    Args:
        path: A folder of images (pictures or DICOM files), or a prepared dataset of shapes.
        out: Folder for the report on images, audit.html and audit.csv.
        fix: Folder for a cleaned copy of the images; the originals stay as they are.
        keep_names: Call DICOM files by their names in the report and the copy, not by a hash of their UID.
        bits: Bits a pixel of greys deeper than 8 that are used; 0: the smallest usual range of each picture.
        max_megapixels: Larger pictures are refused before they are decoded.
        workers: Processes; all cores if left out.
        json: Print one JSON document.
    """
    from maquette.data.images import is_images
    from maquette.data.store import SIDECAR
    from maquette.errors import UserError

    if is_images(path):
        raise UserError(f"{path} is a dataset of images that was prepared already",
                        hint="audit the folder that it was made from")
    if (Path(path) / SIDECAR).is_file():
        return _audit_shapes(path, json)
    from maquette.data.image_audit import audit_images
    from maquette.show import show_image_audit

    events = audit_images(path, out, fix=fix or None, keep_names=keep_names, bits=bits, max_megapixels=max_megapixels,
                          workers=workers)
    return show_image_audit(events, json)


def _audit_shapes(path: str, json: bool) -> int:
    from maquette import api

    findings = api.audit_data(path)
    if json:
        print(js.dumps(findings, indent=1))
        return 0
    for finding in findings:
        print(finding["line"])
    print(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}" if findings else "nothing found")
    return 0


def data_prepare_images(
    folder: Positional[str],
    out: str,
    size: str = "256x256",
    crop: str = "centre",
    grey: bool = False,
    holdout: int = 16,
    keep_names: bool = False,
    terms: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    workers: int | None = None,
    json: bool = False,
) -> int:
    """Turn a folder of images into a Hugging Face dataset folder for training; a stopped run continues where it was.

    Args:
        folder: Folder of pictures or DICOM files, folders in it included.
        out: Folder of the dataset.
        size: Width x height of every image in pixels: 512x256 is wide.
        crop: centre: cut about the centre to the aspect of the size; x,y,w,h: this part, in pixels or as fractions,
            then the same; none: the whole picture with black beside it.
        grey: One channel; RGB if left out.
        holdout: Images kept apart for testing, chosen by a hash of their names.
        keep_names: Call DICOM files by their names, not by a hash of their UID.
        terms: The terms of use of the images, for the dataset's README.
        bits: Bits a pixel of greys deeper than 8 that are used; 0: the smallest usual range of each picture.
        max_megapixels: Larger pictures are refused before they are decoded.
        workers: Processes; all cores if left out.
        json: Print one JSON document.
    """
    from maquette.data.images import prepare_images
    from maquette.show import show_prepare

    events = prepare_images(folder, out, size=size, crop=crop, grey=grey, holdout=holdout, keep_names=keep_names,
                            terms=terms, bits=bits, max_megapixels=max_megapixels, workers=workers)
    return show_prepare(events, out, json, "images")
