"""The data of a recipe: raw sources prepared once and kept, prepared ones opened and checked against the networks.

A system that makes images learns from one prepared dataset of images, all others from datasets of shapes.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from maquette.capabilities import Reads
from maquette.datasets.cache import cache_folder, fill, open_cached
from maquette.datasets.format import Info, is_prepared
from maquette.datasets.images import ImageInfo, OpenedImages, is_images, open_images
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.prepare import Finished
from maquette.datasets.sources import FURNITURE, SOLIDS, is_generated, maker_of
from maquette.errors import UserError
from maquette.events import Event, Note
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.training.image_batches import one_background, wants_random_backgrounds
from maquette.training.rows import Data


def prepare_data(
    recipe: Recipe, stop: Callable[[], bool], *, only_open: bool = False
) -> Generator[Event | Finished, None, Data | None]:
    """Prepare what is raw and open everything that the recipe names.

    What is raw is prepared into `data.cache` under a name that follows from its content (`maquette.datasets.cache`), so
    that a source that has changed is prepared again. Datasets of images are not prepared here: a user should look
    through the images first.

    Args:
        recipe: Names the data and says how they are prepared.
        stop: Asked after each shape that is prepared.
        only_open: Prepare and write nothing.

    Yields:
        The events of `maquette.datasets.prepare.prepare`, before each source a Note.

    Returns:
        The dataset, whose rows fit the recipe's networks; None when stopped, and where something is not prepared yet
        and only opening is asked for.

    Raises:
        UserError: For data that do not fit the recipe's networks.
    """
    if SYSTEMS[recipe.system].makes.images:
        return open_image_data(recipe)
    return (yield from _prepare_shapes(recipe, stop, only_open))


def _prepare_shapes(
    recipe: Recipe, stop: Callable[[], bool], only_open: bool
) -> Generator[Event | Finished, None, OpenedData | None]:
    system, keys = SYSTEMS[recipe.system], recipe.data
    orientations = keys.orientations
    if orientations > 1 and system.reads is not Reads.NOTHING:
        raise UserError("data.orientations is for systems without an encoder, whose views and scans would have to turn "
                        "too", f"{orientations} and {recipe.system}", "leave it at 1")
    folders = []
    for source in keys.path:
        if source == FURNITURE and keys.furniture_classes:
            source = f"{FURNITURE}:{','.join(keys.furniture_classes)}"
        path = Path(source)
        _refuse_images(path, recipe.system)
        if is_prepared(path):
            folders.append(path)
            continue
        options = _options(recipe, source)
        folder = cache_folder(source, keys.cache, options, remember=not only_open)
        folders.append(folder)
        if is_prepared(folder):
            open_cached(folder)  # what is damaged is named with another advice than a user's own dataset
            continue
        if only_open:
            return None
        yield Note(f"preparing {source} into {folder} (once; it is kept there)")
        for event in fill(source, folder, options):
            yield event
            if stop():
                return None
    data = open_dataset(folders)
    for folder, info in zip(folders, data.infos, strict=True):
        _check_fit(folder, info, recipe)
    if keys.classes:
        data.keep_classes(keys.classes)
    return data


def _options(recipe: Recipe, source: str) -> dict[str, Any]:
    """How a raw source is prepared for a recipe: the arguments of `prepare` that change its rows, and no others.

    So whatever else needs the same rows (`maquette evaluate`) finds them in the cache.

    Args:
        recipe: Says what its networks read.
        source: A file, a folder or a maker.
    """
    reads, keys, model = SYSTEMS[recipe.system].reads, recipe.data, recipe.model
    options: dict[str, Any] = {"resolution": model.resolution, "split": "train", "orientations": keys.orientations}
    maker = maker_of(source)
    if maker:
        options["count"] = {FURNITURE: keys.furniture, SOLIDS: keys.solids}[maker]
    if reads is Reads.VIEWS:
        backgrounds = str(Path(keys.backgrounds).resolve()) if keys.backgrounds else None
        options |= {"views": keys.views, "view_size": model.view_size, "channels": model.image_channels,
                    "kinds": keys.kinds, "backgrounds": backgrounds}
    if reads is Reads.SCANS:
        options["scans"] = keys.scans
    if maker or reads is not Reads.NOTHING:
        options["seed"] = recipe.train.seed
    return options


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
