"""What a model answers, and a line for the user where it is not of the kind that is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.models.hub import Model, class_hint
from maquette.models.prior import departure, likeness

if TYPE_CHECKING:
    from jaxtyping import Float

    from maquette.models.runtime import Seen

SCAN_MODEL = "scan"
"""The bundled model that reads scans."""
NOISE = 1.0
"""Deviation, in voxels, of the Gaussian that takes the noise from a shape that was asked point by point."""
CERTAIN = 0.01
"""How far from 0 and 1 log-odds are taken."""
_EMPTY = float(np.log(CERTAIN / (1 - CERTAIN)))  # of what lies outside


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model makes of one view.

    Attributes:
        occupancy: Float32 in [0, 1].
        pose: The camera, the seven values of `maquette.ways.silhouette.POSE`; None where the model estimates none.
        agrees: IoU of the answers to the view and to its mirror image, at the model's threshold.
        alike: How near the latent lies to those of what was learned: 1 for as near as these are to each other, falling
            to 0 with the distance; NaN where that is not known.
        told: How far the latent lies from the middle of the prior: about 1 where the picture tells much, near 0 where
            it tells nothing.
    """

    occupancy: Float[np.ndarray, "r r r"]
    pose: Float[np.ndarray, " 7"] | None
    agrees: float
    alike: float
    told: float


def occupancy(model: Model, seen: Seen, class_name: str = "") -> Float[np.ndarray, "batch r r r"]:
    """What a model makes of views or scans.

    Where the system says so, each is read twice, as it is and in a mirror; the mean of the two (the second mirrored
    back along x) is given.

    Args:
        model: One that reads what is given.
        seen: What it reads, as large as its config says.
        class_name: The class of all of them, for a model that takes it; empty where it is not known.

    Returns:
        Occupancy, float32 `[B, R, R, R]` in [0, 1].
    """
    label = label_of(model, class_name) if class_name else None
    straight = model.runtime.look(seen, label).occupancy
    if model.facts.points:
        straight = np.stack([calm(grid) for grid in straight])
    if label is not None or not model.facts.mirrors:
        return straight
    mirrored = model.runtime.look(_mirrored(seen)).occupancy[:, ::-1]
    return (straight + mirrored) / np.float32(2)


def label_of(model: Model, class_name: str) -> int:
    """The number of a class that is told with a view.

    Raises:
        UserError: For a model that does not take classes, and for one that it does not know.
    """
    if not model.facts.takes_class:
        raise UserError(f"model '{model.name}' does not take a class with a picture", repr(class_name))
    if class_name not in model.class_names:
        raise UserError(f"model '{model.name}' has no class of this name", repr(class_name),
                        class_hint(class_name, model.class_names))
    return model.class_names.index(class_name)


def answer(model: Model, view: Float[np.ndarray, "channel size size"], class_name: str = "") -> Answer:
    """What a model makes of one view, as `occupancy` gives it, and what else it says of it.

    Args:
        model: One that reads views.
        view: In [0, 1], as large as its config says.
        class_name: Its class, for a model that takes it; empty where it is not known.

    Raises:
        UserError: As `label_of` does.
    """
    label = label_of(model, class_name) if class_name else None
    looked = model.runtime.look(view[None], label)
    straight = looked.occupancy[0]
    mirrored = model.runtime.look(_mirrored(view[None]), label).occupancy[0, ::-1]
    both = (straight + mirrored) / np.float32(2) if model.facts.mirrors else straight
    if model.facts.points:
        both = calm(both)
    latent = model.runtime.encode(view[None]) if looked.latents is None else looked.latents
    filled = [grid >= model.threshold for grid in (straight, mirrored)]
    either = np.count_nonzero(filled[0] | filled[1])
    agrees = np.count_nonzero(filled[0] & filled[1]) / either if either else 0.0
    pose = None if looked.poses is None else looked.poses[0]
    return Answer(both, pose, agrees, likeness(model, latent), departure(model, latent))


def calm(occupancy: Float[np.ndarray, "r r r"]) -> Float[np.ndarray, "r r r"]:
    """A shape that was asked point by point, without the noise from point to point: its log-odds after a Gaussian."""
    from maquette.geometry.filters import blurred

    kept = np.clip(occupancy, CERTAIN, 1 - CERTAIN)
    smooth = blurred(np.log(kept / (1 - kept)).astype(np.float32) - _EMPTY, NOISE) + _EMPTY
    return (1 / (1 + np.exp(-smooth))).astype(np.float32)


def _mirrored(seen: Seen) -> Seen:
    """Views or scans in a mirror, left and right exchanged: x of a scan, the last axis of a view."""
    return seen[:, :, ::-1] if seen.ndim == 5 else seen[..., ::-1]


def require_pictures(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that does not read pictures.
    """
    if model.facts.reads is not Reads.VIEWS:
        hint = "it reads scans: maquette complete" if model.facts.reads is Reads.SCANS else ""
        hint = "pictures are inverted by it: maquette.api.invert" if model.facts.makes is Makes.FIELD else hint
        hint = hint or "use one trained with vae-iwgan-image"
        raise UserError(f"model '{model.name}' does not read pictures", hint=hint)
    return model


def require_scans(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that does not read scans.
    """
    if model.facts.reads is not Reads.SCANS:
        hint = f"use '{SCAN_MODEL}' or one trained with vae-iwgan-scan"
        raise UserError(f"model '{model.name}' does not read scans", hint=hint)
    return model


def require_shapes(model: Model) -> Model:
    """The model.

    Raises:
        UserError: For one that makes no shapes.
    """
    if model.facts.makes is not Makes.SHAPES:
        hint = "it makes images: sample_images, or maquette generate" if model.facts.makes.images else ""
        raise UserError(f"model '{model.name}' makes no shapes: it is a {model.facts.system}", hint=hint)
    return model
