"""Every kind of input, where its valid files come from, and everything in the package that reads it.

A reader is given the path of the input and a folder that it may write results into. It returns when the input was
read. An input of a kind is handed to all of the kind's readers; it counts as read when the first of them reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from strange import Files, folders, readers, seeds

Reader = Callable[[Path, Path], object]


@dataclass(frozen=True)
class Kind:
    """One kind of input."""

    seeds: Callable[[], list[Files]]
    readers: Sequence[Reader]
    folder: bool = False
    """Whether readers are given the folder, not the first file in it."""
    checksums: bool = False
    """Whether the input has checksums of its own files in it."""
    share: float = 1.0
    """How many inputs of this kind are tried, against other kinds."""


def _kinds() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for form in ("png", "jpeg", "webp", "tiff", "bmp", "gif", "heif", "avif", "jpeg2000", "ppm"):
        found[f"picture-{form}"] = Kind(partial(seeds.pictures, form), (readers.picture, readers.image, readers.framed))
    for suffix in (".stl", ".obj", ".ply", ".off", ".glb", ".3mf"):
        scanned = () if suffix in (".glb", ".3mf") else (readers.scan,)
        found[f"mesh-{suffix[1:]}"] = Kind(
            partial(seeds.meshes, suffix), (readers.mesh, readers.shape, readers.drawn, *scanned)
        )
    for suffix in (".npy", ".npz", ".mat", ".binvox"):
        found[f"grid-{suffix[1:]}"] = Kind(partial(seeds.grids, suffix), (readers.grid, readers.shape, readers.scan_12))
    for suffix in (".ply", ".obj", ".npy"):
        found[f"cloud-{suffix[1:]}"] = Kind(partial(seeds.clouds, suffix), (readers.scan,))
    return found | {
        "depth-png": Kind(seeds.depth, (readers.depth, readers.scan)),
        "depth-npy": Kind(seeds.depth_arrays, (readers.depth, readers.scan)),
        "intrinsics": Kind(seeds.intrinsics, (readers.intrinsics,)),
        "recipe": Kind(seeds.recipes, (readers.recipe,)),
        "model": Kind(folders.models, (readers.model,), folder=True, checksums=True),
        "graph": Kind(folders.models_with_graphs, (readers.graph,), folder=True, checksums=True),
        "checkpoint": Kind(folders.checkpoints, (readers.checkpoint,), folder=True, checksums=True),
        "run": Kind(folders.runs, (readers.run, readers.examined), folder=True, checksums=True),
        "prepared": Kind(folders.prepared, (readers.prepared,), folder=True),
        "image-set": Kind(folders.image_sets, (readers.image_set,), folder=True),
        "true-shapes": Kind(folders.true_shapes, (readers.true_shapes,), folder=True, share=0.5),
        "svg": Kind(seeds.svgs, (readers.svg,)),
        "gcode": Kind(seeds.gcodes, (readers.gcode,)),
        "dicom": Kind(seeds.dicoms, (readers.dicom, readers.image)),
        "film-avi": Kind(partial(seeds.films, ".avi"), (readers.film,)),
        "film-mp4": Kind(partial(seeds.films, ".mp4"), (readers.film,)),
        "latent": Kind(seeds.latents, (readers.latent,), share=0.5),
        "textured-obj": Kind(seeds.textured, (readers.textured,)),
        "sweethome": Kind(seeds.sweethomes, (readers.source, readers.terms)),
        "modelnet": Kind(seeds.modelnets, (readers.source, readers.terms)),
        "ikea": Kind(folders.ikeas, (readers.source, readers.terms), folder=True, share=0.5),
        "study": Kind(folders.studies, (readers.study,), folder=True, share=0.5),
        "image-folder": Kind(
            folders.image_folders, (readers.audited_images, readers.prepared_images), folder=True, share=0.3
        ),
        "shape-folder": Kind(folders.shape_folders, (readers.prepared_shapes,), folder=True, share=0.3),
    }


KINDS = _kinds()
