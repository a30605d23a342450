"""Standard normal noise out of a seed, by NumPy: the numbers that PyTorch's generator gives on a CPU.

PyTorch's own differ in their last bits between kinds of processors. These are the same everywhere; beside PyTorch's on
one with AVX2 five of six are equal in all bits, and the others differ by three units in the last place at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float32

_BLOCK = 16  # values that are made of as many uniform ones


class Noise:
    """A stream of random numbers: MT19937, as `torch.Generator().manual_seed(seed)` has it.

    Args:
        seed: 0 to 2^32 - 1.
    """

    def __init__(self, seed: int):
        self._bits = np.random.MT19937()
        self._bits._legacy_seeding(seed)  # what np.random.RandomState(seed) begins with
        self._kept: float | None = None

    def normal(self, count: int) -> Float32[np.ndarray, " count"]:
        """As `torch.randn(count, generator=...)`."""
        if count < _BLOCK:
            return np.array([self._one() for _ in range(count)], np.float32)
        values = self._uniform(count)
        whole = count // _BLOCK * _BLOCK
        values[:whole] = _box_muller(values[:whole])
        if whole < count:  # the last block is made anew, and overlaps the one before
            values[-_BLOCK:] = _box_muller(self._uniform(_BLOCK))
        return values

    def below(self, count: int) -> int:
        """As `torch.randint(count, (1,), generator=...)`: 0 to count - 1."""
        return int(self._bits.random_raw()) % count

    def _uniform(self, count: int) -> Float32[np.ndarray, " count"]:
        raw = self._bits.random_raw(count) & 0xFFFFFF
        return (raw / 2**24).astype(np.float32)

    def _one(self) -> float:
        """One value; they are made two by two."""
        if self._kept is not None:
            value, self._kept = self._kept, None
            return value
        angle, away = (self._double() for _ in range(2))
        radius, turn = np.sqrt(-2 * np.log1p(-away)), 2 * np.pi * angle
        self._kept = float(radius * np.sin(turn))
        return float(radius * np.cos(turn))

    def _double(self) -> float:
        high, low = (int(part) for part in self._bits.random_raw(2))
        return (((high << 32) | low) & ((1 << 53) - 1)) / 2**53


def _box_muller(uniform: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
    """Blocks of 16 uniform values to normal ones: each value and the one eight places on make two."""
    blocks = uniform.reshape(-1, 2, _BLOCK // 2)
    away = np.log((np.float32(1) - blocks[:, 0]).astype(np.float64)).astype(np.float32)
    radius = np.sqrt(np.float32(-2) * away)
    turn = (np.float32(2 * np.pi) * blocks[:, 1]).astype(np.float64)
    both = [radius * np.cos(turn).astype(np.float32), radius * np.sin(turn).astype(np.float32)]
    return np.stack(both, axis=1).reshape(-1)
