"""What computes a model's answers: PyTorch (`networks`) or ONNX Runtime (`graphs`), behind one interface of arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette.models.facts import Facts

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Shaped

    Seen = Shaped[np.ndarray, "batch channel size size"] | Shaped[np.ndarray, "batch 1 r r r"]
    """Views or scans, numbers in [0, 1]."""
    Made = Float32[np.ndarray, "batch 1 r r r"] | Float32[np.ndarray, "batch channel height width"]
    """Shapes, occupancy in [0, 1]; or images, in [-1, 1]."""
    from maquette.systems.base import System


@dataclass(frozen=True, eq=False)
class Looked:
    """What a model makes of views or scans.

    Attributes:
        occupancy: In [0, 1].
        poses: The cameras, the seven values of `maquette.ways.silhouette.POSE`; None where they are not estimated.
        latents: Of the same views where they come for nothing and no class was told; else None, and `encode` gives
            them.
    """

    occupancy: Float32[np.ndarray, "batch r r r"]
    poses: Float32[np.ndarray, "batch 7"] | None
    latents: Float32[np.ndarray, "batch latent"] | None = None


class Runtime(ABC):
    """Arrays in, arrays out. Nothing is learned, and every call with the same values gives the same answer.

    Attributes:
        facts: What is known of the system.
    """

    facts: Facts

    @property
    @abstractmethod
    def system(self) -> System[Any]:
        """The networks themselves, in evaluation mode: for what is computed with gradients, or layer by layer.

        Raises:
            UserError: Where PyTorch is not installed.
        """

    @abstractmethod
    def look(self, seen: Seen, label: int | None = None) -> Looked:
        """What views or scans show; `label` is the class of all of them, where it is told."""

    @abstractmethod
    def encode(self, seen: Seen) -> Float32[np.ndarray, "batch latent"]:
        """The latents of views or scans: the means of the posteriors."""

    @abstractmethod
    def generate(self, latents: Float[np.ndarray, "batch latent"]) -> Made:
        """The shapes or images of latents."""
