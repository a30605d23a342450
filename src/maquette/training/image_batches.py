"""Training on images: what `maquette.training.run` needs for a system that makes them.

Sheets hold made images only. The data may be patients', and sheets travel with a model.
"""

from pathlib import Path

import numpy as np
import torch

from maquette.datasets.format import is_prepared
from maquette.datasets.images import ImageInfo, OpenedImages, is_images, open_images
from maquette.datasets.sources import is_furniture
from maquette.errors import UserError
from maquette.models.pixels import as_pixels, from_pixels
from maquette.recipe import Recipe
from maquette.rendering.sheets import montage
from maquette.systems.base import Batch, System
from maquette.training.batches import Batches
from maquette.training.monitor import health

SHOWN, COLUMNS = 16, 4
"""Images of a sheet, and in a row of it."""
LOOKED_AT = 64
"""Images whose backgrounds are looked at."""
ALIKE = 6
"""Levels of 255 up to which backgrounds are one colour."""


def opened(recipe: Recipe) -> OpenedImages:
    """The dataset of images that a recipe names.

    Raises:
        UserError: For anything else, and for images of another form.
    """
    model, paths = recipe.model, recipe.data.path
    again = (f"maquette data prepare images DIR --size {model.width}x{model.height}"
             f"{' --grey' if model.channels == 1 else ''} --out OUT")
    if len(paths) > 1:
        raise UserError(f"a {recipe.system} model learns from one dataset of images", f"{len(paths)} paths",
                        "put the images into one folder")
    path = paths[0]
    if is_prepared(path) or is_furniture(path):
        raise UserError(f"data.path {path} holds shapes; a {recipe.system} model learns from images",
                        hint=f"make a dataset of them with: {again}")
    if not is_images(path):
        raise UserError(f"data.path {path} is not a prepared dataset of images", hint=f"make one with: {again}")
    _check_fit(Path(path), ImageInfo.load(path), recipe, again)
    data = open_images(path)
    if wants_random_backgrounds(recipe) and not data.info.masks and one_background(data) is not None:
        raise UserError(f"the recipe has random backgrounds, the images of {path} have all the same, and no masks to "
                        "change it by", hint="set model.background white, or prepare the images again with --masks")
    return data


def wants_random_backgrounds(recipe: Recipe) -> bool:
    """Whether the model draws its objects on plain backgrounds of any colour."""
    return bool(recipe.model.random_backgrounds())


def one_background(data: OpenedImages) -> torch.Tensor | None:
    """The colour `[C, 1, 1]` in [-1, 1] that the images are on, None where it differs: the median of their rims."""
    rows = np.unique(np.linspace(0, len(data) - 1, LOOKED_AT).astype(int))
    pixels = data.pixels(rows).reshape(len(rows), data.height, data.width, data.channels)
    rims = np.concatenate([pixels[:, [0, -1]].reshape(len(rows), -1, data.channels),
                           pixels[:, :, [0, -1]].reshape(len(rows), -1, data.channels)], 1)
    colours = np.median(rims, axis=1)  # [n, C]
    usual = np.median(colours, axis=0)
    if np.mean(np.abs(colours - usual).max(axis=1) <= ALIKE) < 0.9:
        return None
    return torch.from_numpy(usual).float().div(127.5).sub(1).view(-1, 1, 1)


def refuse(path: Path, system: str) -> None:
    """UserError where a path that should hold shapes is a dataset of images."""
    if is_images(path):
        raise UserError(f"data.path {path} holds images; a {system} model learns from shapes",
                        hint="recipes for images: wgan-gp, wgan-gp-plus")


def _check_fit(folder: Path, info: ImageInfo, recipe: Recipe, again: str) -> None:
    model = recipe.model
    theirs, ours = (f"{x.width}x{x.height} and {x.channels} channel{'s' if x.channels > 1 else ''}"
                    for x in (info, model))
    if theirs != ours:
        raise UserError(f"{folder} has images of {theirs}, the recipe's model makes {ours}",
                        hint=f"prepare them again ({again}), or set model.width, model.height and model.channels")


class ImageBatches(Batches):
    """Training batches of a dataset of images; held_out: the rows that are not learned from."""

    def __init__(
        self, data: OpenedImages, indices: np.ndarray, held_out: np.ndarray, recipe: Recipe, system: System,
        part: tuple[int, int] = (0, 1),
    ):
        super().__init__(data, indices, recipe, system, part)
        self.held_out, self.wants_held_out = np.asarray(held_out), system.wants_held_out
        self.background = one_background(data) if wants_random_backgrounds(recipe) and data.info.masks else None

    def at(self, step: int) -> Batch:
        """This process's part of the batch of this absolute step, on the CPU."""
        seed = self.recipe.train.seed
        rng = np.random.default_rng([seed, 2, step])
        rows = self.rows(step)
        size, count = len(rows) // self.part[1], len(rows)
        own = slice(self.part[0] * size, (self.part[0] + 1) * size)
        noise_seed = int(rng.integers(2**62))
        images = self._read(rows[own], rng.random(count)[own], self._colours(rng, count, own))
        held_out = None
        if self.wants_held_out(step):
            chosen = rng.choice(self.held_out, count)[own]
            held_out = self._read(chosen, rng.random(count)[own], self._colours(rng, count, own))
        return Batch(None, images, noise_seed, part=self.part, held_out=held_out, run=seed)

    def _colours(self, rng: np.random.Generator, count: int, own: slice) -> torch.Tensor | None:
        """Backgrounds in the place of the images' own, `[B, C, 1, 1]` in [-1, 1]; None where they stay."""
        if self.background is None:
            return None
        return torch.from_numpy(2 * rng.random((count, self.data.channels, 1, 1), np.float32) - 1)[own]

    def _read(self, rows: np.ndarray, draws: np.ndarray, colours: torch.Tensor | None) -> torch.Tensor:
        """`[B, C, H, W]` in [-1, 1]; with `data.flip` those whose draw is below a half are mirrored left to right.

        Args:
            colours: Of backgrounds, on which the objects are laid by their masks.
        """
        images = from_pixels(self.data.pixels(rows))
        if colours is not None:
            uncovered = 1 - torch.from_numpy(self.data.masks(rows)).float().div(255)[:, None]
            images = images + uncovered * (colours - self.background)
        if not self.recipe.data.flip:
            return images
        return torch.where(torch.from_numpy(draws < 0.5).view(-1, 1, 1, 1), images.flip(3), images)


class ImageWatch:
    """Looks at a system that makes images: sheets, and numbers about its health on held-out images."""

    def __init__(self, data: OpenedImages, training: np.ndarray, held_out: np.ndarray, recipe: Recipe):
        rng = np.random.default_rng(recipe.train.seed)
        self.data, self.seed = data, recipe.train.seed
        chosen = [np.sort(rng.permutation(rows)[: health.PROBED_IMAGES]) for rows in (held_out, training)]
        self.rows, self.known = chosen

    def sheet(self, system: System, step: int) -> np.ndarray | None:
        """16 samples of one seed, uint8 `[H, W, 3]`, the same latents at every step; None where they are not finite."""
        return sheet(system, self.seed)

    def probe(self, system: System, step: int) -> dict[str, float]:
        """`maquette.training.monitor.health.probe` on held-out images, and what the critic says to some that it learned
        from.

        `critic/train`: their mean score; `critic/real` is that of the held-out ones. The further the two are apart
        beside `critic/train` and `critic/fake`, the more of its images the critic knows by heart.
        """
        device = next(system.nets.parameters()).device
        held_out, known = (from_pixels(self.data.pixels(rows)).to(device) for rows in (self.rows, self.known))
        values = health.probe(system, held_out, None, step)
        with health.evaluating(system.nets), torch.no_grad():
            return values | {"critic/train": float(system.critic(known).mean())}


def sheet(system: System, seed: int) -> np.ndarray | None:
    """16 samples in four rows, uint8 `[H, W, 3]`; no random state changes and the networks keep their mode."""
    noise = torch.randn(SHOWN, system.config.latent, generator=torch.Generator().manual_seed(seed))
    latents = system.from_normal(noise.to(next(system.nets.parameters()).device))
    with health.evaluating(system.nets), torch.no_grad():
        made = torch.cat([system.generate(part).float().cpu() for part in latents.split(COLUMNS)])
    return montage(as_pixels(made), COLUMNS) if made.isfinite().all() else None
