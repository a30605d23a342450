"""What a published method is to the loop: networks, and a table of phases.

A `Phase` is frozen data. The whole difference between the papers is the table that `System.phases()` returns; the loop
(`maquette.training.loop`) runs any such table and knows no paper.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.systems.capabilities import Makes, Reads

Nets = nn.ModuleDict
"""The system's networks by name."""


@dataclass
class Batch:
    """One batch on its device, and the noise that belongs to it.

    Attributes:
        voxels: `[B, 1, R, R, R]` in [0, 1], or None for a system that makes images.
        images: `[B, C, S, S]` in [0, 1], or None for a system that reads none; for one that makes images what it learns
            from, `[B, C, H, W]` in [-1, 1].
        scans: `[B, 1, R, R, R]` of 0 and 1, the voxels that a depth camera saw, or None.
        labels: `[B]`, the number of each shape's class, or None.
        seed: All noise of this batch is drawn from it, so that a step is a function of (weights, seed, step) alone.
        part: (which, of how many) equal parts of the step's whole batch this is; noise is drawn for the whole and the
            part takes its own, so that cutting a batch over devices changes no sample's noise.
        poses: `[B, 7]`, where each view was taken from (`maquette.nets.pixel_aligned`), or None. kept: what a phase
            leaves for a later phase of the same batch (detached), instead of computing it twice.
        held_out: As many images that are not learned from, on the steps on which the system wants them.
        run: The run's seed, for noise that several batches share.
    """

    voxels: Tensor | None
    images: Tensor | None = None
    seed: int = 0
    labels: Tensor | None = None
    part: tuple[int, int] = (0, 1)
    poses: Tensor | None = None
    scans: Tensor | None = None
    carry: dict[str, Tensor] = field(default_factory=dict)
    held_out: Tensor | None = None
    run: int = 0
    _generator: torch.Generator | None = None

    def __len__(self) -> int:
        return len(self.real)

    @property
    def real(self) -> Tensor:
        """What a generator learns to make: shapes, or images."""
        return self.images if self.voxels is None else self.voxels

    @property
    def seen(self) -> Tensor | None:
        """What an encoder reads of these shapes: views or scans, or None."""
        return self.images if self.scans is None else self.scans

    def normal(self, *shape: int) -> Tensor:
        """Fresh standard normal noise of this shape, samples along the first axis; each call draws on."""
        return self._own(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Fresh uniform noise on [0, 1), samples along the first axis; each call draws on."""
        return self._own(torch.rand, shape)

    def shared_normal(self, number: int, *shape: int) -> Tensor:
        """Standard normal noise of this shape, the same in all batches of a run that ask for this number."""
        seed = int(np.random.SeedSequence([self.run, number]).generate_state(1)[0])
        return self._part(torch.randn, shape, torch.Generator(self.real.device).manual_seed(seed))

    def cut(self, count: int) -> list["Batch"]:
        """The batch in `count` equal parts, each with its part of the noise."""
        if count == 1:
            return [self]
        which, of = self.part
        pieces = {
            name: [None] * count if value is None else value.chunk(count)
            for name, value in (("voxels", self.voxels), ("images", self.images), ("labels", self.labels),
                                ("poses", self.poses), ("scans", self.scans), ("held_out", self.held_out))
        }
        parts = [{name: piece[i] for name, piece in pieces.items()} for i in range(count)]
        return [Batch(**own, seed=self.seed, part=(which * count + i, of * count), run=self.run)
                for i, own in enumerate(parts)]

    def _own(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        if self._generator is None:
            self._generator = torch.Generator(self.real.device).manual_seed(self.seed)
        return self._part(draw, shape, self._generator)

    def _part(self, draw: Callable[..., Tensor], shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """This part of the noise of the whole batch."""
        which, of = self.part
        whole = draw(shape[0] * of, *shape[1:], generator=generator, device=generator.device)
        return whole[which * shape[0] : (which + 1) * shape[0]]


@dataclass(frozen=True)
class Terms:
    """What one phase computed: `minimised` terms are summed and differentiated, `watched` ones are only reported."""

    minimised: dict[str, Tensor]
    watched: dict[str, Tensor] = field(default_factory=dict)

    def total(self) -> Tensor:
        """The sum of what is minimised."""
        return torch.stack([term.float() for term in self.minimised.values()]).sum()


@dataclass(frozen=True)
class Phase:
    """One kind of update inside a system.

    Attributes:
        trains: The networks whose weights this phase moves; every other network is held still while its loss is
            computed.
        loss: `(nets, batch, step) -> Terms`.
        every: The phase runs on steps divisible by it.
        start: The first step on which it runs.
        step_if: A condition on this very pass's terms; where it is false the gradients are dropped and the networks
            stay as they are.
    """

    name: str
    trains: tuple[str, ...]
    loss: Callable[[Nets, Batch, int], Terms]
    every: int = 1
    start: int = 0
    step_if: Callable[[Terms], bool] | None = None

    def runs_at(self, step: int) -> bool:
        """Whether the phase runs on this absolute step."""
        return step >= self.start and step % self.every == 0


class System:
    """A published method: `Config`, the networks that it makes, the phases that train them, and how it is used.

    Attributes:
        reads: What its encoder reads.
        makes: What its generator makes. Subclasses set `name`, `Config` and the traits below, build `self.nets` in
            `__init__`, and define `phases`. How a trained one is used is the same for all whose networks are called
            `generator` (and `encoder`).
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    reads: ClassVar[Reads] = Reads.NOTHING
    makes: ClassVar[Makes] = Makes.SHAPES
    config: Any
    nets: Nets

    def phases(self) -> tuple[Phase, ...]:
        """The table of updates, in the order in which a step runs them."""
        raise TypeError(f"{type(self).__name__} defines no phases")

    def generate(self, latent: Tensor) -> Tensor:
        """Latents `[B, latent]` to occupancy `[B, 1, R, R, R]` in [0, 1]; a generator gives logits.

        A system that makes images gives those, `[B, C, H, W]` in [-1, 1].
        """
        return self.nets["generator"](latent).sigmoid()

    def from_normal(self, noise: Tensor) -> Tensor:
        """Standard normal noise `[..., latent]` to a draw from the prior that `generate` was trained with."""
        return noise

    def encode(self, seen: Tensor) -> Tensor:
        """Views `[B, C, S, S]` in [0, 1] or scans `[B, 1, R, R, R]` to latents `[B, latent]`: the posterior's mean."""
        if self.reads is Reads.NOTHING:
            raise UserError(f"a {self.name} model has no image encoder", hint="use one trained with vae-iwgan-image")
        return self.nets["encoder"](seen)[0]

    def reconstruct(self, seen: Tensor) -> Tensor:
        """Views `[B, C, S, S]` in [0, 1] or scans `[B, 1, R, R, R]` to the occupancy `[B, 1, R, R, R]` they show."""
        return self.generate(self.encode(seen))

    def check_labels(self, labels: Sequence[str]) -> None:
        """Raise UserError where the system cannot be trained on data of these classes."""

    def needs_poses(self) -> bool:
        """Whether training needs to know where each view was taken from (`Batch.poses`)."""
        return False

    def wants_held_out(self, step: int) -> bool:
        """Whether the batch of this step needs images that are not learned from (`Batch.held_out`)."""
        return False

    def averaged(self) -> tuple[str, ...]:
        """The networks whose moving average is kept and used after training: those that `generate` and `encode` run."""
        return ("encoder", "generator") if self.reads is not Reads.NOTHING else ("generator",)

    def saved_networks(self) -> tuple[str, ...]:
        """The networks that a model's file holds: those used, and the critic of a system without an encoder, whose
        responses tell shapes apart (`maquette.evaluation.shapes.recognition`).
        """
        return self.averaged() + (("critic",) if "critic" in self.nets and self.reads is Reads.NOTHING else ())


def check_phases(system: System) -> None:
    """Raise TypeError where a phase table names a network that is not there, or one name twice. Run once, at the
    start.
    """
    phases = system.phases()
    names = [phase.name for phase in phases]
    if len(set(names)) != len(names):
        raise TypeError(f"phase names of {system.name} are not unique: {names}")
    for phase in phases:
        missing = set(phase.trains) - set(system.nets)
        if missing or not phase.trains or phase.every < 1:
            raise TypeError(f"phase {phase.name} of {system.name} trains {phase.trains}, every {phase.every}")
