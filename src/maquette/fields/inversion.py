"""The object of one picture in a generator of views: its camera and both codes, by optimisation from several starts.

Inversion of a generator by gradient descent on its latent (Creswell, Bharath, arXiv 1802.05701), here with the camera,
which a picture does not tell. Cameras all around are tried first, without a gradient, each with a few codes. The best
are followed by Adam on random rays, and the worse half is dropped after each third of the steps. For each start is
minimised

    mean |c - c_picture|^2 + silhouette mean (m - m_picture)^2 + prior_weight |z|^2 / 2L

with colours c in [-1, 1] on white and masks m in [0, 1].

The frame is the object's: a start's silhouette is laid on the picture's by its box, and its size and place are refined
with the rest, so that it does not matter how a picture was cropped.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from maquette.capabilities import Makes
from maquette.errors import UserError
from maquette.events import Progress
from maquette.fields.search import GRID, Poses, PoseSearch, Search
from maquette.fields.subject import Subject, find_subject
from maquette.io.pictures import read_picture
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels

LOOKING = 0.4
"""Share of the time that the tries without a gradient may take."""



@dataclass(frozen=True, eq=False)
class Inverted:
    """A picture's object as a model makes it.

    Attributes:
        seen: The picture as it was compared.
        latent: Codes and camera.
        azimuth_deg: Of the camera.
        elevation_deg: Of the camera.
        centre: Middle of the frame in the camera's image, whose upper left corner is (0, 0) and whose side is 1.
        extent: Side of the frame, in sides of the camera's image.
        pixels: What the model shows there, of the size of `seen.pixels`.
        iou: Overlap of the outlines; None if the picture's is not known.
        difference: Root mean square of the pixels' differences, in levels of 255.
        start: Where the search that found it began.
        steps: Updates that were done.
        cut: Whether the time ended before all steps were done.
    """

    seen: Subject
    latent: Float[Tensor, " latent"]
    azimuth_deg: float
    elevation_deg: float
    centre: tuple[float, float]
    extent: float
    pixels: UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"]
    iou: float | None
    difference: float
    start: str
    steps: int
    cut: bool

    def line(task) -> str:
        """The result in one line."""
        outline = "" if task.iou is None else f"outline IoU {task.iou:.2f}, "
        return (f"seen from azimuth {task.azimuth_deg:.0f}, elevation {task.elevation_deg:.0f}, {outline}"
                f"pixels differ by {task.difference:.0f} of 255")


def invert(
    model: Model,
    picture: np.ndarray | str | Path,
    search: Search | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress | Inverted]:
    """Find a picture's camera and codes.

    The same model, picture and search give the same result, unless the time ends the search.

    Args:
        model: A model of 3DGEN or GRAF.
        picture: A file, or pixels uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`. The object is found by the alpha channel
            or on a plain background.
        search: How, and how long.
        clock: Seconds, for tests.

    Yields:
        Progress, then one Inverted.

    Raises:
        UserError: For a model without a field, for a picture that cannot be read or shows nothing, and for a model that
            shows nothing or values that are not finite.
    """
    search, began = search or Search(), clock()
    if model.system.makes is not Makes.FIELD:
        raise UserError(f"model '{model.name}' makes no views of objects: it is a {model.system.name}",
                        hint="use one trained with 3dgen or graf")
    config = model.system.config
    name = "the picture" if isinstance(picture, np.ndarray) else str(picture)
    pixels = picture if isinstance(picture, np.ndarray) else read_picture(picture, keep_alpha=True)
    seen = find_subject(pixels, config.height, config.channels, name)
    task = PoseSearch(model, seen, search)
    cameras = task.cameras()
    tried: list[tuple[float, Poses] | None] = []
    for number, angles in enumerate(cameras):
        if tried and clock() - began > LOOKING * search.seconds:
            break
        tried.append(task.try_camera(angles, number))
        yield Progress("looking for the camera", number + 1, len(cameras))
    cut = len(tried) < len(cameras)
    pictured = (clock() - began) / len(tried)  # seconds that one picture of _GRID x _GRID takes, at most
    poses = task.select([one for one in tried if one is not None])
    first = poses.at(torch.tensor([0])).copy()
    best: tuple[Poses, float] | None = None
    yield Progress("looking for the object", 0, search.steps)
    draws = torch.Generator().manual_seed(search.seed)
    optimiser: torch.optim.Optimizer | None = None
    stages = {search.steps * part // 3 for part in (1, 2)} if search.steps >= 3 else set()
    done, longest, before = 0, 0.0, math.inf
    while done < search.steps:
        now = clock() - began
        longest, before = max(longest, now - before), now
        if now + longest + pictured * (len(poses) + 1 + (config.height / GRID) ** 2) > search.seconds:
            cut = True
            break
        if optimiser is None:
            optimiser = task.optimiser(poses)
        task.step(poses, optimiser, draws, 1 - done / search.steps)
        done += 1
        if done in stages:
            best, poses = task.halve(best, poses)
            optimiser = None
        yield Progress("looking for the object", done, search.steps)
    if done:
        first, _ = task.better(task.better(best, poses), first)
    yield _result(task, first, done, cut)


def _result(task: PoseSearch, pose: Poses, steps: int, cut: bool) -> Inverted:
    """What was found: the one start of `pose`, as the model shows it."""
    azimuth, elevation = task.cameras()[int(pose.numbers[0])]
    start = f"azimuth {azimuth:.0f}, elevation {elevation:.0f}"
    side = task.config.height
    colour, mask = task.render_frames(pose, side)
    pixels = as_pixels(colour[0].T.reshape(1, -1, side, side))[0]
    iou = None
    if task.seen.mask is not None:
        ours, theirs = mask[0].view(side, side).cpu().numpy() >= 0.5, task.seen.mask >= 0.5
        iou = float((ours & theirs).sum() / max(1, (ours | theirs).sum()))
    apart = pixels.astype(np.float64) - task.seen.pixels
    low, high = task.config.azimuth_deg
    azimuth = float(pose.angles[0, 0])
    azimuth = low + (azimuth - low) % 360 if task.around else azimuth
    pose = replace(pose, angles=pose.angles.new_tensor([[azimuth, float(pose.angles[0, 1])]]))
    return Inverted(
        task.seen, task.latents(pose)[0].cpu(), azimuth, float(pose.angles[0, 1]),
        (float(pose.frame[0, 1]), float(pose.frame[0, 2])), float(pose.frame[0, 0].exp()), pixels, iou,
        float(np.sqrt(np.mean(apart**2))), start, steps, cut)
