"""What a model answers, and a line for the user where it is not of the kind that is asked."""

import numpy as np
import torch

from maquette.errors import UserError
from maquette.models.hub import Model
from maquette.systems.capabilities import Makes, Reads

SCAN_MODEL = "scan"
"""The bundled model that reads scans."""


@torch.inference_mode()
def occupancy(model: Model, seen: np.ndarray) -> np.ndarray:
    """Views float32 `[B, C, S, S]` or scans `[B, 1, R, R, R]` in [0, 1] to occupancy float32 `[B, R, R, R]` in [0, 1].

    Each is read twice, as it is and in a mirror; the mean of the two (the second mirrored back along x) is given.
    """
    batch, across = torch.from_numpy(np.ascontiguousarray(seen, dtype=np.float32)), 2
    if batch.dim() == 4:
        batch, across = batch.contiguous(memory_format=torch.channels_last), 3
    system = model.system
    straight = system.reconstruct(batch)
    mirrored = system.reconstruct(batch.flip(across)).flip(2)
    return ((straight + mirrored) / 2).squeeze(1).numpy()


def require_pictures(model: Model) -> None:
    """UserError for a model that does not read pictures."""
    if model.system.reads is not Reads.VIEWS:
        hint = "it reads scans: maquette complete" if model.system.reads is Reads.SCANS else ""
        hint = "pictures are inverted by it: maquette.api.invert" if model.system.makes is Makes.FIELD else hint
        hint = hint or "use one trained with vae-iwgan-image"
        raise UserError(f"model '{model.name}' does not read pictures", hint=hint)


def require_scans(model: Model) -> None:
    """UserError for a model that does not read scans."""
    if model.system.reads is not Reads.SCANS:
        hint = f"use '{SCAN_MODEL}' or one trained with vae-iwgan-scan"
        raise UserError(f"model '{model.name}' does not read scans", hint=hint)


def require_shapes(model: Model) -> Model:
    """The model; UserError for one that makes no shapes."""
    if model.system.makes is not Makes.SHAPES:
        hint = "it makes images: sample_images, or maquette generate" if model.system.makes.images else ""
        raise UserError(f"model '{model.name}' makes no shapes: it is a {model.system.name}", hint=hint)
    return model
