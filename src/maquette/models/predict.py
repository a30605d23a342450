"""What a model answers, and a line for the user where it is not of the kind that is asked."""

import numpy as np
from jaxtyping import Float, Shaped

from maquette.errors import UserError
from maquette.models.hub import Model
from maquette.systems.capabilities import Makes, Reads

SCAN_MODEL = "scan"
"""The bundled model that reads scans."""
Seen = Shaped[np.ndarray, "batch channel size size"] | Shaped[np.ndarray, "batch 1 r r r"]
"""Views or scans, numbers in [0, 1]."""


def occupancy(model: Model, seen: Seen) -> Float[np.ndarray, "batch r r r"]:
    """What a model makes of views or scans.

    Each is read twice, as it is and in a mirror; the mean of the two (the second mirrored back along x) is given.

    Args:
        model: One that reads what is given.
        seen: What it reads, as large as its config says.

    Returns:
        Occupancy, float32 `[B, R, R, R]` in [0, 1].
    """
    import torch

    with torch.inference_mode():
        batch, across = torch.from_numpy(np.ascontiguousarray(seen, dtype=np.float32)).to(model.device), 2
        if batch.dim() == 4:
            batch, across = batch.contiguous(memory_format=torch.channels_last), 3
        straight = model.system.reconstruct(batch)
        mirrored = model.system.reconstruct(batch.flip(across)).flip(2)
        return ((straight + mirrored) / 2).squeeze(1).cpu().numpy()


def require_pictures(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that does not read pictures.
    """
    if model.system.reads is not Reads.VIEWS:
        hint = "it reads scans: maquette complete" if model.system.reads is Reads.SCANS else ""
        hint = "pictures are inverted by it: maquette.api.invert" if model.system.makes is Makes.FIELD else hint
        hint = hint or "use one trained with vae-iwgan-image"
        raise UserError(f"model '{model.name}' does not read pictures", hint=hint)
    return model


def require_scans(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that does not read scans.
    """
    if model.system.reads is not Reads.SCANS:
        hint = f"use '{SCAN_MODEL}' or one trained with vae-iwgan-scan"
        raise UserError(f"model '{model.name}' does not read scans", hint=hint)
    return model


def require_shapes(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that makes no shapes.
    """
    if model.system.makes is not Makes.SHAPES:
        hint = "it makes images: sample_images, or maquette generate" if model.system.makes.images else ""
        raise UserError(f"model '{model.name}' makes no shapes: it is a {model.system.name}", hint=hint)
    return model
