"""What a published method is to the training loop: networks, and a table of phases.

A `Phase` is frozen data. The whole difference between the papers is the table that `System.phases()` returns; the loop
(`maquette.training.loop`) runs any such table and knows no paper and no network by its name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.keys import check
from maquette.nets.types import Images, Latent, Voxels

Nets = nn.ModuleDict
"""The system's networks by name."""
GENERATOR, ENCODER, CRITIC = "generator", "encoder", "critic"
"""The names of the networks that many systems have; other names are a system's own."""
NetT = TypeVar("NetT", bound=nn.Module)


def network(nets: Nets, name: str, kind: type[NetT]) -> NetT:
    """A network with its type, for attributes and methods that `nn.Module` lacks; the type is not checked.

    Args:
        nets: The system's networks.
        name: Of the network.
        kind: Its class. A test may put another network with the same attributes in its place.
    """
    return cast(NetT, nets[name])


@dataclass(frozen=True)
class Config:
    """The keys of one system: the section `model` of its recipes. Every config has these."""

    section_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Defaults that the system changes in other sections: `{"data": {"flip": False}}`. A recipe's values come first."""

    def __post_init__(self) -> None:
        check("model", self)

    def random_backgrounds(self) -> bool:
        """Whether training puts the objects, by their masks, on backgrounds of random colours."""
        return False

    # Keys of this section that the monitor of a run names in its advice (`maquette.training.monitor.health`).

    def generator_interval(self) -> int:
        """Batches from one update of the generator to the next."""
        return 1

    def has_gradient_penalty(self) -> bool:
        """Whether the critic is a Wasserstein critic whose slope `penalty_weight` keeps at 1."""
        return False

    def critic_key(self) -> str:
        """The key that makes the critic stronger or weaker; empty where there is none."""
        return ""

    def occupancy_key(self) -> str:
        """The key that balances filled and empty voxels; empty where there is none."""
        return ""

    def alike_keys(self) -> tuple[str, ...]:
        """The keys whose values make all samples alike when too large; empty: then a weak critic is the cause."""
        return ()


ConfigT = TypeVar("ConfigT", bound=Config, covariant=True)


@dataclass
class Batch:
    """One batch on its device, and the noise that belongs to it.

    Attributes:
        voxels: Occupancy in [0, 1]; None for a system that makes images.
        images: What an encoder reads, square views in [0, 1]; for a system that makes images the images that it learns
            from, in [-1, 1]; None for a system without images.
        seed: All noise of this batch is drawn from it, so that a step is a function of (weights, seed, step) alone.
        labels: The number of each shape's class, or None.
        part: (number, count): this is one of so many equal parts of the step's whole batch. Noise is drawn for the
            whole batch and each part takes its rows, so that splitting a batch over devices changes no sample's noise.
        poses: The camera of each view (`maquette.nets.pixel_aligned`), or None.
        scans: The voxels that a depth camera saw, 0 or 1, or None.
        carry: What a phase leaves, detached, for a later phase of the same batch, which need not compute it again.
        held_out: As many images that are not learned from, on the steps for which the system asks for them.
        run: The run's seed, for noise that several batches share.
        processes: The processes that train on the step's whole batch, each on as many samples as the others.
    """

    voxels: Voxels | None
    images: Images | None = None
    seed: int = 0
    labels: Int64[Tensor, " batch"] | None = None
    part: tuple[int, int] = (0, 1)
    poses: Float[Tensor, "batch 7"] | None = None
    scans: Voxels | None = None
    carry: dict[str, Tensor] = field(default_factory=dict)
    held_out: Images | None = None
    run: int = 0
    processes: int = 1
    _noise: torch.Generator | None = None

    def __len__(self) -> int:
        return len(self.real)

    @property
    def real(self) -> Tensor:
        """What a generator learns to make: voxels, or images."""
        return self.need("images") if self.voxels is None else self.voxels

    @property
    def seen(self) -> Tensor | None:
        """What an encoder reads: views or scans, or None."""
        return self.images if self.scans is None else self.scans

    def need(self, name: str) -> Tensor:
        """A tensor that the batches of a system always have, by its name.

        Raises:
            TypeError: If this batch has none: it was made for another system.
        """
        value = getattr(self, name)
        if not isinstance(value, Tensor):
            raise TypeError(f"this batch has no {name}")
        return value

    def normal(self, *shape: int) -> Tensor:
        """Standard normal noise of this shape, samples along the first axis; every call gives new values."""
        return self._own(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform noise on [0, 1), samples along the first axis; every call gives new values."""
        return self._own(torch.rand, shape)

    def shared_normal(self, number: int, *shape: int) -> Tensor:
        """Standard normal noise of this shape, the same for this number in all batches of a run."""
        seed = int(np.random.SeedSequence([self.run, number]).generate_state(1)[0])
        return self._part(torch.randn, shape, torch.Generator(self.real.device).manual_seed(seed))

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that are not None, by name, without `carry`."""
        names = ("voxels", "images", "labels", "poses", "scans", "held_out")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def to(self, device: torch.device) -> "Batch":
        """The batch itself, after its tensors were moved to a device."""
        for name, value in self.tensors().items():
            setattr(self, name, value.to(device, non_blocking=True))
        return self

    def cut(self, count: int) -> list["Batch"]:
        """The batch in `count` equal parts, each of which draws its part of the noise."""
        if count == 1:
            return [self]
        which, of = self.part
        parts = [Batch(None, seed=self.seed, part=(which * count + i, of * count), run=self.run,
                       processes=self.processes) for i in range(count)]
        for name, value in self.tensors().items():
            for part, piece in zip(parts, value.chunk(count), strict=True):
                setattr(part, name, piece)
        return parts

    def _own(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        """This part's noise, from the batch's own generator."""
        if self._noise is None:
            self._noise = torch.Generator(self.real.device).manual_seed(self.seed)
        return self._part(draw, shape, self._noise)

    def _part(self, draw: Callable[..., Tensor], shape: tuple[int, ...], noise: torch.Generator) -> Tensor:
        """This part's rows of the noise of the whole batch."""
        which, of = self.part
        whole = draw(shape[0] * of, *shape[1:], generator=noise, device=noise.device)
        return whole[which * shape[0] : (which + 1) * shape[0]]


@dataclass(frozen=True)
class Terms:
    """The values that one phase computed.

    Attributes:
        minimised: The terms of the loss by name, which are summed and differentiated.
        watched: Other numbers by name, which are only reported.
    """

    minimised: dict[str, Tensor]
    watched: dict[str, Tensor] = field(default_factory=dict)

    def total(self) -> Tensor:
        """The loss: the sum of the minimised terms."""
        return torch.stack([term.float() for term in self.minimised.values()]).sum()


@dataclass(frozen=True)
class Phase:
    """One kind of update inside a system.

    Attributes:
        name: Its name in logs.
        trains: The networks whose weights it updates; all others are frozen while its loss is computed.
        loss: Its loss, a function of (nets, batch, step).
        every: The phase runs on steps divisible by it.
        start: The first step on which it runs.
        step_if: A condition on the terms of this very pass; where it is false the gradients are dropped and the
            networks stay as they are.
        adversary: Whether it trains the critic. Such networks have `optim.critic_lr` and `critic_betas` and a constant
            learning rate, may enter a run later, and are neither compiled nor spread over devices, since penalties
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


@dataclass(frozen=True)
class Graph:
    """A computation of a trained system that is written as an ONNX graph (`maquette.models.graph_export`).

    Attributes:
        answer: From tensors to tensors.
        inputs: Tensors of the shapes and types that it takes, by name; a graph takes no others.
        outputs: The names of what it gives.
    """

    answer: Callable[..., tuple[Tensor, ...]]
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


class System(Generic[ConfigT]):
    """A published method: its config, its networks, the phases that train them, and how a trained one is used.

    A subclass sets `name`, `Config`, and what it `reads` and `makes`, and defines `make_networks` and `phases`. Its
    other methods say how a trained one is used; most systems keep them as they are here.

    Args:
        config: The keys of the system.

    Attributes:
        config: The keys of the system.
        nets: Its networks by name, with fresh weights.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Config]]
    reads: ClassVar[Reads] = Reads.NOTHING
    makes: ClassVar[Makes] = Makes.SHAPES
    takes_class: ClassVar[bool] = False
    """Whether the class of a view may be told with it."""
    mirrors: ClassVar[bool] = True
    """Whether the mean of the answers to a view and to its mirror image is better than one answer."""
    config: ConfigT
    nets: Nets

    def __init__(self, config: ConfigT):
        self.config = config
        self.nets = nn.ModuleDict(self.make_networks())

    def make_networks(self) -> dict[str, nn.Module]:
        """The system's networks by name (GENERATOR, ENCODER, CRITIC), with weights drawn in this order."""
        raise NotImplementedError

    def phases(self) -> tuple[Phase, ...]:
        """The table of updates, in the order in which a step runs them."""
        raise NotImplementedError

    @property
    def generator(self) -> nn.Module:
        """The network that turns latents into shapes or images."""
        return self.nets[GENERATOR]

    @property
    def encoder(self) -> nn.Module | None:
        """The network that reads views or scans, where there is one."""
        return self.nets[ENCODER] if ENCODER in self.nets else None

    @property
    def critic(self) -> nn.Module | None:
        """The network that tells real samples from generated ones, where there is one."""
        return self.nets[CRITIC] if CRITIC in self.nets else None

    @property
    def latent(self) -> int:
        """Values of a latent."""
        return self.config.latent  # type: ignore[attr-defined]  # all configs but the classifier's have it

    def generate(self, latent: Latent) -> Voxels | Images:
        """The shapes of latents: occupancy in [0, 1] (the generator itself gives logits).

        A system that makes images returns those, in [-1, 1].
        """
        return self.generator(latent).sigmoid()

    def from_normal(self, noise: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch latent"]:
        """Standard normal noise to latents from the prior that `generate` was trained with."""
        return noise

    def draws_by_class(self) -> bool:
        """Whether new shapes come from one Gaussian for each class, instead of one prior for all."""
        return False

    def encode(self, seen: Images | Voxels) -> Latent:
        """The latents of views in [0, 1] or of scans: the means of the posteriors.

        Raises:
            UserError: For a system without an encoder.
        """
        if self.encoder is None:
            raise UserError(f"a {self.name} model has no image encoder", hint="use one trained with vae-iwgan-image")
        return self.encoder(seen)[0]

    def reconstruct(self, seen: Images | Voxels) -> Voxels:
        """The occupancy in [0, 1] of the shapes that views in [0, 1] or scans show.

        Raises:
            UserError: For a system without an encoder.
        """
        return self.generate(self.encode(seen))

    def look(
        self, seen: Images | Voxels, label: int | None = None
    ) -> tuple[Voxels, Float[Tensor, "batch 7"] | None]:
        """What `reconstruct` gives, and the cameras of the views where the system estimates them.

        The cameras are poses as `maquette.nets.pixel_aligned` has them. `label` is the class of all views, for a system
        that takes it (`takes_class`).

        Raises:
            UserError: For a system without an encoder.
        """
        return self.reconstruct(seen), None

    def graphs(self) -> dict[str, Graph]:
        """The graphs by which a trained system answers without PyTorch, by name; empty where it needs PyTorch.

        `picture` and `scan` give the occupancy, the latent and, where it is estimated, the pose; `latent` gives shapes
        or images. Each takes one sample at a time.
        """
        if self.makes is not Makes.SHAPES and self.makes is not Makes.IMAGES:
            return {}
        made = "occupancy" if self.makes is Makes.SHAPES else "images"
        latent = torch.zeros(1, self.latent)
        found = {"latent": Graph(lambda given: (self.generate(given),), {"latent": latent}, (made,))}
        if self.reads is Reads.VIEWS:
            size = self.config.view_size  # type: ignore[attr-defined]  # all that read views have both
            shown = torch.zeros(1, self.config.image_channels, size, size)  # type: ignore[attr-defined]
            found["picture"] = Graph(self._seen, {"picture": shown}, ("occupancy", "latent", "pose"))
        if self.reads is Reads.SCANS:
            scan = torch.zeros(1, 1, *[self.config.resolution] * 3)  # type: ignore[attr-defined]  # they make shapes
            found["scan"] = Graph(self._seen, {"scan": scan}, ("occupancy", "latent"))
        return found

    def _seen(self, seen: Images | Voxels) -> tuple[Tensor, ...]:
        """Occupancy, latent and, where it is estimated, the camera."""
        made, pose = self.look(seen)
        return (made, self.encode(seen)) if pose is None else (made, self.encode(seen), pose)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Check that the system can be trained on data with these classes; a system without classes always can.

        Raises:
            UserError: If it cannot be.
        """

    def begin(self) -> None:
        """Prepare fresh weights for a new run, for example from a network trained on something else.

        Raises:
            UserError: If what is needed is not installed.
        """

    def needs_poses(self) -> bool:
        """Whether training needs the camera of each view (`Batch.poses`)."""
        return False

    def wants_held_out(self, step: int) -> bool:
        """Whether the batch of this step needs images that are not learned from (`Batch.held_out`)."""
        return False

    def averaged(self) -> tuple[str, ...]:
        """The networks that `generate` and `encode` run: their moving average is kept and is used after training."""
        return (GENERATOR,) if self.reads is Reads.NOTHING else (ENCODER, GENERATOR)

    def saved_networks(self) -> tuple[str, ...]:
        """The networks that are saved in a model.

        Those of `averaged`, and the critic of a system without an encoder: shapes are classified by its features
        (`maquette.evaluation.shapes.recognition`).
        """
        return self.averaged() + ((CRITIC,) if self.critic is not None and self.reads is Reads.NOTHING else ())

    def adversaries(self) -> frozenset[str]:
        """The names of the networks that adversarial phases train (`Phase.adversary`)."""
        return frozenset(name for phase in self.phases() if phase.adversary for name in phase.trains)


def check_phases(system: System[Any]) -> None:
    """Check the table of phases once, at the start of a run.

    Raises:
        TypeError: If a phase trains a network that does not exist, if two phases have one name, or if one network is
            trained both as an adversary and not.
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
