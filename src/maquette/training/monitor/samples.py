"""Sheets of what the networks make at a step of their training: rendered meshes, or images."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.models.pixels import as_pixels
from maquette.recipe import Recipe
from maquette.rendering.sheets import blocks, montage
from maquette.rendering.tiles import CAMERA, TILE, tile
from maquette.systems.base import System
from maquette.training.inputs import at_training_size, encoder_input, inputs_per_shape
from maquette.training.monitor.probe import evaluating
from maquette.training.rows import Rows

RECONSTRUCTED, GENERATED = 8, 16
"""Shapes of a sheet: of a system with an encoder, and of one without."""
GENERATED_IMAGES, IMAGE_COLUMNS = 16, 4
"""Images of a sheet, and in a row of it."""
Sheet = UInt8[np.ndarray, "height width 3"]
_PAPER, _LINE, _QUIET = (255, 255, 255), (222, 225, 230), (120, 126, 138)
_Tile = UInt8[np.ndarray, "tile tile 3"]


def shape_sheet(system: System, data: OpenedData, rows: Rows, recipe: Recipe, step: int) -> Sheet | None:
    """What a system that makes shapes makes after `step` finished steps: the same shapes at every step.

    A system with an encoder shows 8 of the held-out `rows` of `data`: view or scan, the mesh of its reconstruction and
    the true one, all from one side and at one scale. One without shows 16 samples of one seed. A grid that is empty or
    full at 0.5 is a tile that says so. No random state changes and the networks keep their mode; they are used as they
    are, so put the averaged weights in first.

    Returns:
        The sheet; None where there are no rows to show.
    """
    with evaluating(system.nets), torch.no_grad():
        if system.reads is not Reads.NOTHING:
            return _reconstructions(system, data, np.asarray(rows), recipe, step) if len(rows) else None
        return _page([tile(grid) for grid in _generated(system, recipe.train.seed)], columns=4)


def image_sheet(system: System, seed: int) -> Sheet | None:
    """16 samples of a system that makes images, in four rows; None where they are not finite.

    No random state changes and the networks keep their mode.
    """
    noise = torch.randn(GENERATED_IMAGES, system.latent, generator=torch.Generator().manual_seed(seed))
    latents = system.from_normal(noise.to(next(system.nets.parameters()).device))
    with evaluating(system.nets), torch.no_grad():
        made = torch.cat([system.generate(part).float().cpu() for part in latents.split(IMAGE_COLUMNS)])
    return montage(as_pixels(made), IMAGE_COLUMNS) if made.isfinite().all() else None


def _reconstructions(system: System, data: OpenedData, rows: Rows, recipe: Recipe, step: int) -> Sheet:
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), RECONSTRUCTED)).astype(int)]
    which = np.arange(len(chosen)) % inputs_per_shape(system, data)
    seen = at_training_size(encoder_input(system, data, chosen, which), recipe.data, max(step - 1, 0))
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


def _generated(system: System, seed: int) -> Float[np.ndarray, "n r r r"]:
    noise = torch.randn(GENERATED, system.config.latent, generator=torch.Generator().manual_seed(seed))
    latent = system.from_normal(noise.to(next(system.nets.parameters()).device))
    return system.generate(latent).squeeze(1).float().cpu().numpy()


def _page(tiles: list[_Tile], columns: int, labels: Sequence[str] = ()) -> Sheet:
    """Tiles row by row with a line between them; `labels` stand above the columns, in turn."""
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


def _fitted(view: UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"]) -> _Tile:
    """A view at the size of a tile, in RGB."""
    return np.asarray(Image.fromarray(view).convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS))
