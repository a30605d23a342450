"""What a published method is to the loop: networks, and a table of phases.

A `Phase` is frozen data. The whole difference between the papers is the table that `System.phases()` returns; the loop
(`maquette.training.loop`) runs any such table and knows no paper and no network by its name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.keys import check
from maquette.systems.capabilities import Makes, Reads

Nets = nn.ModuleDict
"""The system's networks by name."""
GENERATOR, ENCODER, CRITIC = "generator", "encoder", "critic"
"""The names that networks of every system have; others are the system's own."""


@dataclass(frozen=True)
class Config:
    """The keys of one system: the section `model` of its recipes. Every config has these."""

    section_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Other defaults of other sections: `{"data": {"flip": False}}`. A recipe's own values come before them."""

    def __post_init__(self) -> None:
        check("model", self)

    def random_backgrounds(self) -> bool:
        """Whether images of objects are to be laid on backgrounds of any colour, by the masks of the data."""
        return False

    # What a run's health is told by (`maquette.training.monitor.health`): keys of this section, for its advice.

    def generator_interval(self) -> int:
        """Batches from one update of the generator to the next."""
        return 1

    def has_gradient_penalty(self) -> bool:
        """Whether the critic is a Wasserstein critic, held to a slope of 1 by `penalty_weight`."""
        return False

    def critic_key(self) -> str:
        """The key that says how strong the critic is; empty where there is none."""
        return ""

    def occupancy_key(self) -> str:
        """The key that balances filled and empty voxels; empty where there is none."""
        return ""

    def alike_keys(self) -> tuple[str, ...]:
        """The keys whose values, too large, make all samples alike; empty: the critic is too weak then."""
        return ()


ConfigT = TypeVar("ConfigT", bound=Config, covariant=True)


@dataclass
class Batch:
    """One batch on its device, and the noise that belongs to it.

    Attributes:
        voxels: `[B, 1, R, R, R]` in [0, 1]; None for a system that makes images.
        images: What an encoder reads, `[B, C, S, S]` in [0, 1]; for a system that makes images what it learns from,
            `[B, C, H, W]` in [-1, 1]; None for a system that reads none.
        seed: All noise of this batch is drawn from it, so that a step is a function of (weights, seed, step) alone.
        labels: `[B]`, the number of each shape's class, or None.
        part: (which, of how many) equal parts of the step's whole batch this is. Noise is drawn for the whole and the
            part takes its own, so that cutting a batch over devices changes no sample's noise.
        poses: `[B, 7]`, where each view was taken from (`maquette.nets.pixel_aligned`), or None.
        scans: `[B, 1, R, R, R]` of 0 and 1, the voxels that a depth camera saw, or None.
        carry: What a phase leaves for a later phase of the same batch (detached), instead of computing it twice.
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
    _noise: torch.Generator | None = None

    def __len__(self) -> int:
        return len(self.real)

    @property
    def real(self) -> Tensor:
        """What a generator learns to make: shapes, or images."""
        return self.need("images") if self.voxels is None else self.voxels

    @property
    def seen(self) -> Tensor | None:
        """What an encoder reads of these shapes: views or scans, or None."""
        return self.images if self.scans is None else self.scans

    def need(self, name: str) -> Tensor:
        """A tensor that this system's batches always have.

        Raises:
            TypeError: If the batch was made for another kind of system.
        """
        value = getattr(self, name)
        if not isinstance(value, Tensor):
            raise TypeError(f"this batch has no {name}")
        return value

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

    def tensors(self) -> dict[str, Tensor]:
        """Those of its tensors that are there, by name; not what phases carry."""
        names = ("voxels", "images", "labels", "poses", "scans", "held_out")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def to(self, device: torch.device) -> "Batch":
        """This batch, its tensors moved to a device."""
        for name, value in self.tensors().items():
            setattr(self, name, value.to(device, non_blocking=True))
        return self

    def cut(self, count: int) -> list["Batch"]:
        """The batch in `count` equal parts, each with its part of the noise."""
        if count == 1:
            return [self]
        which, of = self.part
        pieces = {name: value.chunk(count) for name, value in self.tensors().items()}
        parts = [{"voxels": None} | {name: piece[i] for name, piece in pieces.items()} for i in range(count)]
        return [Batch(**own, seed=self.seed, part=(which * count + i, of * count), run=self.run)  # type: ignore[arg-type]  # tensors by name
                for i, own in enumerate(parts)]

    def _own(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        if self._noise is None:
            self._noise = torch.Generator(self.real.device).manual_seed(self.seed)
        return self._part(draw, shape, self._noise)

    def _part(self, draw: Callable[..., Tensor], shape: tuple[int, ...], noise: torch.Generator) -> Tensor:
        """This part of the noise of the whole batch."""
        which, of = self.part
        whole = draw(shape[0] * of, *shape[1:], generator=noise, device=noise.device)
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
        name: What logs call it.
        trains: The networks whose weights this phase moves; every other network is held still while its loss is
            computed.
        loss: `(nets, batch, step) -> Terms`.
        every: The phase runs on steps divisible by it.
        start: The first step on which it runs.
        step_if: A condition on this very pass's terms; where it is false the gradients are dropped and the networks
            stay as they are.
        adversary: The networks that it trains judge the others: they move by `optim.critic_lr` and `critic_betas` at a
            constant rate, may enter a run later, and are neither compiled nor spread over devices, since penalties
            differentiate through them twice.
    """

    name: str
    trains: tuple[str, ...]
    loss: Callable[[Nets, Batch, int], Terms]
    every: int = 1
    start: int = 0
    step_if: Callable[[Terms], bool] | None = None
    adversary: bool = False

    def runs_at(self, step: int) -> bool:
        """Whether the phase runs on this absolute step."""
        return step >= self.start and step % self.every == 0


class System(Generic[ConfigT]):
    """A published method: its config, the networks that it makes, the phases that train them, and how it is used.

    A subclass sets `name`, `Config`, and what it `reads` and `makes`; builds `self.nets` in `__init__`, with networks
    called as `GENERATOR`, `ENCODER` and `CRITIC` where it has such; and defines `phases`. How a trained one is used is
    the same for all of them unless a method is overridden.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Config]]
    reads: ClassVar[Reads] = Reads.NOTHING
    makes: ClassVar[Makes] = Makes.SHAPES
    config: ConfigT
    nets: Nets

    def __init__(self, config: ConfigT):
        raise NotImplementedError

    def phases(self) -> tuple[Phase, ...]:
        """The table of updates, in the order in which a step runs them."""
        raise NotImplementedError

    @property
    def generator(self) -> nn.Module:
        """The network that makes shapes or images of latents."""
        return self.nets[GENERATOR]

    @property
    def encoder(self) -> nn.Module | None:
        """The network that reads views or scans, where there is one."""
        return self.nets[ENCODER] if ENCODER in self.nets else None

    @property
    def critic(self) -> nn.Module | None:
        """The network that tells real from made, where there is one."""
        return self.nets[CRITIC] if CRITIC in self.nets else None

    @property
    def latent(self) -> int:
        """Values of a latent."""
        return self.config.latent  # type: ignore[attr-defined]  # all configs but the classifier's have it

    def generate(self, latent: Tensor) -> Tensor:
        """Latents `[B, latent]` to occupancy `[B, 1, R, R, R]` in [0, 1]; a generator gives logits.

        A system that makes images gives those, `[B, C, H, W]` in [-1, 1].
        """
        return self.generator(latent).sigmoid()

    def from_normal(self, noise: Tensor) -> Tensor:
        """Standard normal noise `[..., latent]` to a draw from the prior that `generate` was trained with."""
        return noise

    def draws_by_class(self) -> bool:
        """Whether new shapes are drawn from a Gaussian of each class, instead of from one prior for all."""
        return False

    def encode(self, seen: Tensor) -> Tensor:
        """Views `[B, C, S, S]` in [0, 1] or scans `[B, 1, R, R, R]` to latents `[B, latent]`: the posterior's mean."""
        if self.encoder is None:
            raise UserError(f"a {self.name} model has no image encoder", hint="use one trained with vae-iwgan-image")
        return self.encoder(seen)[0]

    def reconstruct(self, seen: Tensor) -> Tensor:
        """Views `[B, C, S, S]` in [0, 1] or scans `[B, 1, R, R, R]` to the occupancy `[B, 1, R, R, R]` they show."""
        return self.generate(self.encode(seen))

    def check_labels(self, labels: Sequence[str]) -> None:
        """Check that the system can be trained on data of these classes; a system without classes always can.

        Raises:
            UserError: If it cannot.
        """

    def needs_poses(self) -> bool:
        """Whether training needs to know where each view was taken from (`Batch.poses`)."""
        return False

    def wants_held_out(self, step: int) -> bool:
        """Whether the batch of this step needs images that are not learned from (`Batch.held_out`)."""
        return False

    def averaged(self) -> tuple[str, ...]:
        """The networks whose moving average is kept and used after training: those that `generate` and `encode` run."""
        return (GENERATOR,) if self.reads is Reads.NOTHING else (ENCODER, GENERATOR)

    def saved_networks(self) -> tuple[str, ...]:
        """The networks that a model's file holds.

        Those that are used, and the critic of a system without an encoder, whose responses tell shapes apart
        (`maquette.evaluation.shapes.recognition`).
        """
        return self.averaged() + ((CRITIC,) if self.critic is not None and self.reads is Reads.NOTHING else ())

    def adversaries(self) -> frozenset[str]:
        """The networks that adversarial phases train; see `Phase.adversary`."""
        return frozenset(name for phase in self.phases() if phase.adversary for name in phase.trains)


def check_phases(system: System) -> None:
    """Check a phase table once, at the start of a run.

    Raises:
        TypeError: If it names a network that is not there or one name twice, or has one network trained both as an
            adversary and not.
    """
    phases = system.phases()
    names = [phase.name for phase in phases]
    if len(set(names)) != len(names):
        raise TypeError(f"phase names of {system.name} are not unique: {names}")
    for phase in phases:
        missing = set(phase.trains) - set(system.nets)
        if missing or not phase.trains or phase.every < 1:
            raise TypeError(f"phase {phase.name} of {system.name} trains {phase.trains}, every {phase.every}")
        if not phase.adversary and system.adversaries() & set(phase.trains):
            raise TypeError(f"phase {phase.name} of {system.name} trains an adversary of another phase")
