"""Sheets of what the networks make at a step of their training, as rendered meshes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from maquette.datasets.format import OpenedData
from maquette.errors import UserError
from maquette.geometry.shape import Shape
from maquette.recipe import Recipe
from maquette.rendering import Camera, shade
from maquette.rendering.sheets import blocks
from maquette.systems.base import Nets, System
from maquette.training import inputs

TILE = 104
"""Pixels a side of one picture of a sheet."""
RECONSTRUCTED, GENERATED = 8, 16
_PAPER, _LINE, _QUIET = (255, 255, 255), (222, 225, 230), (120, 126, 138)
_CAMERA = Camera(azimuth_deg=35, elevation_deg=18, fov_deg=28, size_px=TILE, zoom=1.25)
_ROUGH = 12.0  # faces between filled and empty voxels, in squares of the grid's side, from which a shape is noise


def sheet(system: System, data: OpenedData, rows: np.ndarray, recipe: Recipe, step: int) -> np.ndarray | None:
    """What the system makes after `step` finished steps: uint8 `[H, W, 3]`, the same shapes at every step.

    A system with an encoder shows 8 of the held-out `rows` of `data`: view or scan, the mesh of its reconstruction and
    the true one, all from one side and at one scale. One without shows 16 samples of one seed. A grid with nothing or
    all of it filled at 0.5 is a tile that says so. None where there are no rows to show. No random state changes and
    the networks keep their mode; they are used as they are, so put the averaged weights in first.
    """
    with _evaluating(system.nets), torch.no_grad():
        if system.has_encoder():
            return _reconstructions(system, data, np.asarray(rows), recipe, step) if len(rows) else None
        return _page([tile(grid) for grid in _generated(system, recipe.train.seed)], columns=4)


def tile(occupancy: np.ndarray, threshold: float = 0.5, size_px: int = TILE, zoom: float = 1.25) -> np.ndarray:
    """The mesh of a grid `[R, R, R]` in [0, 1], from its front right, or a word where there is none; uint8 `[S, S, 3]`.

    The grid's cube has a fixed place in the picture, so that sizes can be compared; up to a zoom of 1.1 all of it is
    in the picture.
    """
    if not np.isfinite(occupancy).all():
        return _word("not finite", size_px)
    filled = occupancy >= threshold
    if not filled.any() or filled.all():
        return _word("full" if filled.any() else "empty", size_px)
    faces = sum(np.count_nonzero(np.diff(filled, axis=axis)) for axis in range(3))
    if faces > _ROUGH * len(filled) ** 2:  # an untrained network's noise: half a million triangles that show nothing
        occupancy = ndimage.gaussian_filter(occupancy, 2.0)
    try:
        return shade(Shape(occupancy, threshold).surface(), replace(_CAMERA, size_px=size_px, zoom=zoom), ground=False)
    except UserError:  # parts that vanish in smoothing
        return _word("empty", size_px)


def _reconstructions(
    system: System, data: OpenedData, rows: np.ndarray, recipe: Recipe, step: int
) -> np.ndarray:
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), RECONSTRUCTED)).astype(int)]
    which = np.arange(len(chosen)) % inputs.per_shape(system, data)
    seen = inputs.sized(inputs.read(system, data, chosen, which), recipe.data, max(step - 1, 0))
    made = system.reconstruct(seen.to(next(system.nets.parameters()).device)).squeeze(1).float().cpu().numpy()
    if system.reads_images:
        word, shown = "view", [_fitted(view) for view in data.views(chosen, which)]
    else:
        side = _CAMERA.azimuth_deg, _CAMERA.elevation_deg, _CAMERA.zoom
        word, shown = "scan", [blocks(scan, TILE, *side) for scan in data.scans(chosen, which)]
    tiles = []
    for picture, occupancy, truth in zip(shown, made, data.voxels(chosen), strict=True):
        tiles += [picture, tile(occupancy), tile(truth.astype(np.float32))]
    return _page(tiles, columns=6 if len(chosen) > 1 else 3, labels=(word, "reconstruction", "truth"))


def _generated(system: System, seed: int) -> np.ndarray:
    noise = torch.randn(GENERATED, system.config.latent, generator=torch.Generator().manual_seed(seed))
    latent = system.from_normal(noise.to(next(system.nets.parameters()).device))
    return system.generate(latent).squeeze(1).float().cpu().numpy()


def _page(tiles: list[np.ndarray], columns: int, labels: Sequence[str] = ()) -> np.ndarray:
    """Tiles row by row with a line between them; `labels` above the columns, in turn."""
    head, cell = 16 if labels else 0, TILE + 1
    page = Image.new("RGB", (columns * cell + 1, head + -(-len(tiles) // columns) * cell + 1), _PAPER)
    draw = ImageDraw.Draw(page)
    for column in range(columns if labels else 0):
        place = ((column + 0.5) * cell, head / 2)
        draw.text(place, labels[column % len(labels)], font=ImageFont.load_default(11), fill=_QUIET, anchor="mm")
    for index, pixels in enumerate(tiles):
        x, y = index % columns * cell, head + index // columns * cell
        draw.rectangle((x, y, x + cell, y + cell), outline=_LINE)
        page.paste(Image.fromarray(pixels), (x + 1, y + 1))
    return np.asarray(page)


def _fitted(view: np.ndarray) -> np.ndarray:
    """A view uint8 `[S, S]` or `[S, S, 3]` at the size of a tile, in RGB."""
    return np.asarray(Image.fromarray(view).convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS))


def _word(word: str, size_px: int) -> np.ndarray:
    page = Image.new("RGB", (size_px, size_px), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((size_px / 2, size_px / 2), word, font=ImageFont.load_default(13), fill=_QUIET, anchor="mm")
    return np.asarray(page)


@contextmanager
def _evaluating(nets: Nets) -> Iterator[None]:
    """Within it the networks are in evaluation mode; after it each module is in the mode that it was in."""
    modes = [(module, module.training) for module in nets.modules()]
    nets.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
