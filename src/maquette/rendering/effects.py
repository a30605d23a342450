"""Things before the lens, and what a camera does to a picture: exposure, blur, noise, JPEG."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike

from maquette.rendering.textures import random_colour

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, UInt8


@lru_cache(maxsize=1)
def shared_noise() -> Float32[np.ndarray, "512 512 3"]:
    """Standard normal noise that all views take random windows from."""
    return np.random.default_rng(5).standard_normal((512, 512, 3), dtype=np.float32)


def noise_window(rng: np.random.Generator, size: int, channels: int) -> Float32[np.ndarray, "{size} {size} {channels}"]:
    """A random window of the shared noise, which repeats beyond its border."""
    noise = shared_noise()
    enough = -(-(256 + size) // len(noise))
    if enough > 1:
        noise = np.tile(noise, (enough, enough, 1))
    y, x = rng.integers(0, 256, 2)
    first = int(rng.integers(0, 4 - channels))
    return noise[y : y + size, x : x + size, first : first + channels]


def add_occluder(image: Float32[np.ndarray, "s s c"], rng: np.random.Generator) -> None:
    """Draws one random object before the scene into a picture in linear light, mostly at its border."""
    size, channels = image.shape[0], image.shape[2]
    mask = np.zeros((size, size), np.uint8)
    kind = rng.random()
    edge = rng.uniform(0, 1, 2)
    edge[int(rng.integers(2))] = rng.choice([-0.05, 1.05])

    def fill(points: ArrayLike) -> None:
        cv2.fillPoly(mask, [(np.asarray(points) * size * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)

    if kind < 0.3:  # a leg or a pole across the frame
        x, lean, wide = rng.uniform(0, 1), rng.normal(0, 0.15), rng.uniform(0.015, 0.07)
        top = rng.uniform(-0.1, 0.7)
        fill([(x, top), (x + wide, top), (x + wide + lean, 1.05), (x + lean, 1.05)])
    elif kind < 0.6:  # the corner of something near
        reach = rng.uniform(0.1, 0.4, 2)
        corner = rng.integers(0, 2, 2) * 1.1 - 0.05
        sign = np.where(corner > 0.5, -1, 1)
        a, b = corner + sign * reach * [1, 0], corner + sign * reach * [0, 1]
        fill([corner, a, corner + sign * reach * rng.uniform(0.6, 1.0, 2), b])
    elif kind < 0.8:  # a round thing
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = rng.uniform(0.06, 0.22) * (1 + 0.2 * np.sin(2 * turn + rng.uniform(0, 6)))
        fill(edge + np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1))
    else:  # a plant
        for _ in range(int(rng.integers(4, 14))):
            angle, length, wide = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.35), rng.uniform(0.01, 0.03)
            along = np.array([np.cos(angle), np.sin(angle)])
            across = wide * np.array([-along[1], along[0]])
            middle = edge + 0.5 * length * along
            fill([edge, middle + across, edge + length * along, middle - across])
    colour = random_colour(rng, channels)
    slope = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.2, 1), size, dtype=np.float32)
    slope = slope[:, None, None] if rng.random() < 0.5 else slope[None, :, None]
    weight = mask[..., None].astype(np.float32) / 255
    image += weight * (colour * slope - image)


def develop(linear: Float[np.ndarray, "s s c"], rng: np.random.Generator, clean: bool) -> UInt8[np.ndarray, "s s c"]:
    """A picture in linear light as a camera would save it.

    Args:
        linear: Grey or RGB, 0 and above.
        rng: Source of the randomness.
        clean: A studio picture: evenly lit, milder exposure, and half the time without blur, noise and JPEG.
    """
    size, channels = linear.shape[0], linear.shape[2]
    mean = float(linear.mean()) + 1e-4
    target = np.exp(rng.uniform(np.log(0.06), np.log(0.40)))
    gain = (target / mean) ** (0.3 if clean else rng.uniform(0.5, 1.0))
    image: np.ndarray = linear * np.float32(gain)
    if channels == 3 and rng.random() < 0.7:
        image *= np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    if not clean and rng.random() < 0.3:  # light that falls off, or a window's glare from one side
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        slope = rng.normal(0, 0.25, 2)
        image *= np.maximum(1 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :], 0.1)[..., None]
        if rng.random() < 0.5:
            image *= (1 - rng.uniform(0.1, 0.4) * (ramp[:, None] ** 2 + ramp[None, :] ** 2) / 2)[..., None]
    np.clip(image, 0, 1.0, out=image)
    gamma = 1 / rng.uniform(1.8, 2.4)
    table = (np.linspace(0, 1, 1025) ** gamma - 0.5) * rng.uniform(0.8, 1.3) + 0.5 + rng.normal(0, 0.03)
    table = np.clip(table, 0, 1).astype(np.float32)
    image = table[(image * 1024).astype(np.int32)]
    if clean and rng.random() < 0.5:
        return (image * 255 + 0.5).astype(np.uint8)
    blur = rng.random()
    if blur < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9) * size / 128)
    elif blur < 0.5:  # a picture of few pixels, enlarged
        small = int(size * rng.uniform(0.45, 0.9))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR if blur < 0.44 else cv2.INTER_CUBIC)
    elif blur < 0.6:  # sharpened
        image = cv2.addWeighted(image, 1.6, cv2.GaussianBlur(image, (0, 0), 1.0), -0.6, 0)
    image = image.reshape(size, size, channels)
    if rng.random() < 0.45:
        grain = noise_window(rng, size, channels)
        image = image + grain * np.float32(np.exp(rng.uniform(np.log(0.003), np.log(0.035))))
    image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.uniform(25, 95))
        image = jpeg_round_trip(image, quality)
    return image.reshape(size, size, channels)


def jpeg_round_trip(image: UInt8[np.ndarray, ...], quality: int) -> UInt8[np.ndarray, ...]:
    """A picture after it was saved as JPEG with this quality, 0 to 100, and read again."""
    decoded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return decoded
