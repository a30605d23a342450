"""Sheets of what the networks make at a step of their training, as rendered meshes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from maquette.datasets.format import OpenedData
from maquette.recipe import Recipe
from maquette.rendering.sheets import blocks
from maquette.rendering.tiles import CAMERA, TILE, tile
from maquette.systems.base import Nets, System
from maquette.systems.capabilities import Reads
from maquette.training import inputs

RECONSTRUCTED, GENERATED = 8, 16
_PAPER, _LINE, _QUIET = (255, 255, 255), (222, 225, 230), (120, 126, 138)


def sheet(system: System, data: OpenedData, rows: np.ndarray, recipe: Recipe, step: int) -> np.ndarray | None:
    """What the system makes after `step` finished steps: uint8 `[H, W, 3]`, the same shapes at every step.

    A system with an encoder shows 8 of the held-out `rows` of `data`: view or scan, the mesh of its reconstruction and
    the true one, all from one side and at one scale. One without shows 16 samples of one seed. A grid with nothing or
    all of it filled at 0.5 is a tile that says so. None where there are no rows to show. No random state changes and
    the networks keep their mode; they are used as they are, so put the averaged weights in first.
    """
    with _evaluating(system.nets), torch.no_grad():
        if system.reads is not Reads.NOTHING:
            return _reconstructions(system, data, np.asarray(rows), recipe, step) if len(rows) else None
        return _page([tile(grid) for grid in _generated(system, recipe.train.seed)], columns=4)


def _reconstructions(
    system: System, data: OpenedData, rows: np.ndarray, recipe: Recipe, step: int
) -> np.ndarray:
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), RECONSTRUCTED)).astype(int)]
    which = np.arange(len(chosen)) % inputs.per_shape(system, data)
    seen = inputs.sized(inputs.read(system, data, chosen, which), recipe.data, max(step - 1, 0))
    made = system.reconstruct(seen.to(next(system.nets.parameters()).device)).squeeze(1).float().cpu().numpy()
    if system.reads is Reads.VIEWS:
        word, shown = "view", [_fitted(view) for view in data.views(chosen, which)]
    else:
        side = CAMERA.azimuth_deg, CAMERA.elevation_deg, CAMERA.zoom
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
