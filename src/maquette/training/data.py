"""The data of a recipe: raw sources prepared once and kept, prepared ones opened and held against the networks."""

import hashlib
import json
from collections.abc import Callable, Generator
from pathlib import Path

from maquette.datasets.format import Info, OpenedData, is_prepared, open_dataset
from maquette.datasets.images import OpenedImages
from maquette.datasets.prepare import FORMAT, prepare
from maquette.datasets.sources import FURNITURE, is_furniture
from maquette.errors import UserError
from maquette.events import Note
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.capabilities import Reads
from maquette.training import image_batches as of_images

Data = OpenedData | OpenedImages


def prepared(recipe: Recipe, stop: Callable[[], bool]) -> Generator[object, None, Data | None]:
    """Prepare what is raw, open everything; yields the events of `prepare`, returns the dataset, None when stopped.

    Images are prepared beforehand: they want looking through first.
    """
    system = SYSTEMS[recipe.system]
    if system.makes.images:
        return of_images.opened(recipe)
    orientations = recipe.data.orientations
    if orientations > 1 and system.reads is not Reads.NOTHING:
        raise UserError("data.orientations is for systems without an encoder, whose views and scans would have to turn "
                        "too", f"{orientations} and {recipe.system}", "leave it at 1")
    image = system.reads is Reads.VIEWS
    views = recipe.data.views if image else 0
    held = f"{views}x{recipe.model.view_size if image else 0}"
    wanted = {
        "resolution": recipe.model.resolution,
        "views": views,
        "view_size": recipe.model.view_size if image else 0,
        "channels": recipe.model.image_channels if image else 1,
    }
    if system.reads is Reads.SCANS:
        wanted["scans"] = recipe.data.scans
        held = f"{recipe.data.scans}scans"
    if orientations > 1:
        wanted["orientations"] = orientations
        held = f"{orientations}turns"
    folders = []
    for source in recipe.data.path:
        if source == FURNITURE and recipe.data.furniture_classes:
            source = f"{FURNITURE}:{','.join(recipe.data.furniture_classes)}"
        path = Path(source)
        of_images.refuse(path, recipe.system)
        if is_prepared(path):
            folders.append(path)
            continue
        name = path.stem.split(":")[0] or "data"
        count = recipe.data.furniture if is_furniture(source) else None
        options = {**wanted, "kinds": recipe.data.kinds, "count": count, "seed": recipe.train.seed,
                   "backgrounds": recipe.data.backgrounds or None, "split": "train"}
        key = hashlib.sha256(json.dumps([FORMAT, str(path.resolve()), options], default=str).encode()).hexdigest()[:8]
        folder = Path(recipe.data.cache) / f"{name}-{wanted['resolution']}-{held}-{key}"
        if not is_prepared(folder):
            yield Note(f"preparing {source} into {folder} (once; it is kept there)")
            for event in prepare(source, folder, **options):
                yield event
                if stop():
                    return None
        folders.append(folder)
    data = open_dataset(folders)
    for folder, info in zip(folders, data.infos, strict=True):
        _check_fit(folder, info, recipe)
    if recipe.data.classes:
        data.keep_classes(recipe.data.classes)
    return data


def _check_fit(folder: Path, info: Info, recipe: Recipe) -> None:
    """Raise UserError where a prepared dataset is not what the recipe's networks read."""
    system, model = SYSTEMS[recipe.system], recipe.model
    if info.resolution != model.resolution:
        raise UserError(f"{folder} has {info.resolution} voxels a side, model.resolution is {model.resolution}",
                        hint=f"prepare it again with --resolution {model.resolution}, or set model.resolution")
    if system.reads is Reads.SCANS and not info.scans:
        raise UserError(f"{folder} has no scans, which a {recipe.system} model learns from",
                        hint="prepare it again with --scans 15")
    orientations = recipe.data.orientations
    if orientations not in (1, info.orientations):
        raise UserError(f"data.orientations must be those that {folder} was prepared in, {info.orientations}",
                        orientations, f"prepare it again with --orientations {orientations}")
    if system.reads is not Reads.VIEWS:
        return
    size, channels = model.view_size, model.image_channels
    again = f"prepare it again with --views {recipe.data.views} --view-size {size} --channels {channels}"
    if not info.views:
        raise UserError(f"{folder} has no views, which a {recipe.system} model learns from", hint=again)
    if (info.view_size, info.channels) != (size, channels):
        raise UserError(f"{folder} has views of {info.view_size} pixels and {_channels(info.channels)}, the recipe's "
                        f"model reads {size} and {_channels(channels)}", hint=again)


def _channels(count: int) -> str:
    return f"{count} channel{'s' if count > 1 else ''}"

