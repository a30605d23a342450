"""The data of a recipe: raw sources prepared once and kept, prepared ones opened and checked against the networks.

A system that makes images learns from one prepared dataset of images, all others from datasets of shapes.
"""

import hashlib
import json
from collections.abc import Callable, Generator
from pathlib import Path

from maquette.datasets.format import Info, OpenedData, is_prepared, open_dataset
from maquette.datasets.images import ImageInfo, OpenedImages, is_images, open_images
from maquette.datasets.prepare import FORMAT, Finished, prepare
from maquette.datasets.sources import FURNITURE, SOLIDS, is_generated, maker_of
from maquette.errors import UserError
from maquette.events import Event, Note
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.capabilities import Reads
from maquette.training.image_batches import one_background, wants_random_backgrounds
from maquette.training.rows import Data


def prepare_data(recipe: Recipe, stop: Callable[[], bool]) -> Generator[Event | Finished, None, Data | None]:
    """Prepare what is raw and open everything that the recipe names.

    Datasets of images are not prepared here: a user should look through the images first.

    Args:
        recipe: Names the data and says how they are prepared.
        stop: Asked after each shape that is prepared.

    Yields:
        The events of `maquette.datasets.prepare.prepare`, before each source a Note.

    Returns:
        The dataset, whose rows fit the recipe's networks; None when stopped.

    Raises:
        UserError: For data that do not fit the recipe's networks.
    """
    if SYSTEMS[recipe.system].makes.images:
        return open_image_data(recipe)
    return (yield from _prepare_shapes(recipe, stop))


def _prepare_shapes(recipe: Recipe, stop: Callable[[], bool]) -> Generator[Event | Finished, None, OpenedData | None]:
    system, keys = SYSTEMS[recipe.system], recipe.data
    orientations = keys.orientations
    if orientations > 1 and system.reads is not Reads.NOTHING:
        raise UserError("data.orientations is for systems without an encoder, whose views and scans would have to turn "
                        "too", f"{orientations} and {recipe.system}", "leave it at 1")
    image = system.reads is Reads.VIEWS
    resolution = recipe.model.resolution
    views = keys.views if image else 0
    view_size = recipe.model.view_size if image else 0
    channels = recipe.model.image_channels if image else 1
    scans = keys.scans if system.reads is Reads.SCANS else 0
    held = f"{views}x{view_size}"
    newer = {}  # options that are left out of the cache's name at their defaults: older caches stay valid
    if scans:
        held, newer["scans"] = f"{scans}scans", scans
    if orientations > 1:
        held, newer["orientations"] = f"{orientations}turns", orientations
    folders = []
    for source in keys.path:
        if source == FURNITURE and keys.furniture_classes:
            source = f"{FURNITURE}:{','.join(keys.furniture_classes)}"
        path = Path(source)
        _refuse_images(path, recipe.system)
        if is_prepared(path):
            folders.append(path)
            continue
        name = path.stem.split(":")[0] or "data"
        count = {FURNITURE: keys.furniture, SOLIDS: keys.solids}.get(maker_of(source))
        backgrounds = keys.backgrounds or None
        named = {"resolution": resolution, "views": views, "view_size": view_size, "channels": channels, **newer,
                 "kinds": keys.kinds, "count": count, "seed": recipe.train.seed, "backgrounds": backgrounds,
                 "split": "train"}
        key = hashlib.sha256(json.dumps([FORMAT, str(path.resolve()), named], default=str).encode()).hexdigest()[:8]
        folder = Path(keys.cache) / f"{name}-{resolution}-{held}-{key}"
        if not is_prepared(folder):
            yield Note(f"preparing {source} into {folder} (once; it is kept there)")
            for event in prepare(
                source, folder, resolution=resolution, views=views, view_size=view_size, channels=channels, count=count,
                seed=recipe.train.seed, kinds=keys.kinds, backgrounds=backgrounds, split="train", scans=scans,
                orientations=orientations,
            ):
                yield event
                if stop():
                    return None
        folders.append(folder)
    data = open_dataset(folders)
    for folder, info in zip(folders, data.infos, strict=True):
        _check_fit(folder, info, recipe)
    if keys.classes:
        data.keep_classes(keys.classes)
    return data


def open_image_data(recipe: Recipe) -> OpenedImages:
    """The dataset of images that a recipe names.

    Raises:
        UserError: If the recipe names anything else, or images of another size or number of channels than the model's.
    """
    model, paths = recipe.model, recipe.data.path
    again = (f"maquette data prepare images DIR --size {model.width}x{model.height}"
             f"{' --grey' if model.channels == 1 else ''} --out OUT")
    if len(paths) > 1:
        raise UserError(f"a {recipe.system} model learns from one dataset of images", f"{len(paths)} paths",
                        "put the images into one folder")
    path = paths[0]
    if is_prepared(path) or is_generated(path):
        raise UserError(f"data.path {path} holds shapes; a {recipe.system} model learns from images",
                        hint=f"make a dataset of them with: {again}")
    if not is_images(path):
        raise UserError(f"data.path {path} is not a prepared dataset of images", hint=f"make one with: {again}")
    _check_images(Path(path), ImageInfo.load(path), recipe, again)
    data = open_images(path)
    if wants_random_backgrounds(recipe) and not data.info.masks and one_background(data) is not None:
        raise UserError(f"the recipe has random backgrounds, the images of {path} have all the same, and no masks to "
                        "change it by", hint="set model.background white, or prepare the images again with --masks")
    return data


def _check_fit(folder: Path, info: Info, recipe: Recipe) -> None:
    """Raise UserError if a prepared dataset of shapes is not what the recipe's networks read."""
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


def _refuse_images(path: Path, system: str) -> None:
    """Raise UserError if a path that should hold shapes is a dataset of images."""
    if is_images(path):
        raise UserError(f"data.path {path} holds images; a {system} model learns from shapes",
                        hint="recipes for images: wgan-gp, wgan-gp-plus")


def _check_images(folder: Path, info: ImageInfo, recipe: Recipe, again: str) -> None:
    """Raise UserError if the images have another form than those that the recipe's model makes."""
    model = recipe.model
    theirs, ours = (f"{x.width}x{x.height} and {x.channels} channel{'s' if x.channels > 1 else ''}"
                    for x in (info, model))
    if theirs != ours:
        raise UserError(f"{folder} has images of {theirs}, the recipe's model makes {ours}",
                        hint=f"prepare them again ({again}), or set model.width, model.height and model.channels")
