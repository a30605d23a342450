"""The sections of a recipe and their keys, as frozen dataclasses."""

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args

from maquette.errors import UserError
from maquette.keys import (
    Betas,
    NonNegativeFloat,
    NonNegativeInt,
    OpenShare,
    Orientations,
    PositiveFloat,
    PositiveInt,
    PositiveShare,
    Share,
    ShareBelow1,
    TwoOrMore,
    check,
)
from maquette.makers import FURNITURE_CLASSES
from maquette.recipe.hints import check_names, did_you_mean
from maquette.systems import SYSTEMS

VIEW_KINDS = ("photo", "pencil", "depth", "silhouette")
"""The kinds of views that can be rendered of a shape."""
ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class DataRecipe:
    """Where the shapes and their views come from."""

    path: tuple[str, ...] = ("furniture",)
    """Prepared datasets, raw data (an .npz, a folder of meshes or .mat files) or the name of a maker, `furniture` or
    `solids`; raw data are prepared once and kept in `cache`. Systems that make images: one prepared dataset of
    images."""
    cache: str = "data-cache"
    """Folder for what is prepared from raw data."""
    classes: tuple[str, ...] = ()
    """Classes of the data to learn from; empty: all."""
    furniture: PositiveInt = 2000
    """How many pieces of furniture are made where `path` says so."""
    solids: PositiveInt = 3000
    """How many solids, everyday things and constructions of simple bodies, are made where `path` says so."""
    furniture_classes: tuple[str, ...] = ()
    """Classes of furniture, made in turn; one that is named twice is made twice as often; empty: all equally often."""
    views: PositiveInt = 12
    """Views rendered of each shape."""
    scans: PositiveInt = 15
    """Scans made of each shape, for systems that read scans."""
    kinds: tuple[str, ...] = ("photo", "pencil")
    """Kinds of views."""
    backgrounds: str = ""
    """Folder of pictures for the backgrounds and textures of photo views; empty: procedural ones only."""
    validation: OpenShare = 0.05
    """Share of the training shapes or images held out for validation and for choosing the best checkpoint."""
    flip: bool = True
    """Mirror view or scan, and shape, left to right at random; false by default for systems that make images, since the
    sides of a radiograph differ."""
    jitter: bool = True
    """Vary each view's framing, brightness, contrast and noise, and hide parts of it; move each scan by up to a voxel,
    leave out some of its voxels and add stray ones."""
    occluded: Share = 0.0
    """Share of the photos in which a piece of another photo hides a part of the object."""
    small_size: NonNegativeInt = 0
    """Pixels a side to which views are shrunk on the steps before `small_until`: they cost less, and proportions can be
    learned from them; 0: never."""
    small_until: NonNegativeInt = 0
    """The step from which on views keep their size."""
    turns: bool = False
    """Turn each shape about the up axis by a random multiple of 90 degrees (systems without an encoder only)."""
    orientations: Orientations = 1
    """Orientations about the up axis in which each shape is prepared, 360 degrees / orientations apart: 1, 2, 3, 4, 6
    or 12 (systems without an encoder only; `maquette.datasets.orientations`)."""

    def __post_init__(self) -> None:
        check("data", self)
        if 0 < self.small_size < 16:
            raise UserError("data.small_size must be 0 or at least 16", self.small_size)
        if not self.path:
            raise UserError("data.path must name at least one source", "none")
        if not self.kinds:
            raise UserError("data.kinds must name at least one kind of view", "none", f"known: {', '.join(VIEW_KINDS)}")
        check_names("data.kinds", "kind of view", self.kinds, VIEW_KINDS)
        check_names("data.furniture_classes", "class of furniture", self.furniture_classes, FURNITURE_CLASSES)


@dataclass(frozen=True)
class OptimRecipe:
    """An optimiser for each network; the schedule is a function of the absolute step."""

    name: Literal["adam", "rmsprop"] = "adam"
    """adam; or rmsprop, which has no betas (its squares are remembered by 0.99) and no weight decay."""
    lr: PositiveFloat = 1e-4
    """Learning rate of encoder and generator."""
    encoder_share: PositiveShare = 1.0
    """Learning rate of the encoder as a share of `lr`; of one that starts from ImageNet, of its weights from there."""
    critic_lr: PositiveFloat = 1e-4
    """Learning rate of the critic."""
    betas: Betas = (0.5, 0.9)
    """Adam's betas of encoder and generator."""
    critic_betas: Betas = (0.5, 0.9)
    """Adam's betas of the critic."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay (AdamW) of encoder and generator."""
    warmup: NonNegativeInt = 0
    """Steps over which the learning rate of encoder and generator rises from 0."""
    decay: NonNegativeInt = 0
    """Step at which their learning rate has fallen along a cosine to the share `floor`; 0: constant."""
    floor: Share = 0.02
    """Share of the learning rate that is left after `decay`."""
    clip: NonNegativeFloat = 0.0
    """Largest norm of the gradient of encoder and generator; 0: not clipped."""

    def __post_init__(self) -> None:
        check("optim", self)
        if self.name == "rmsprop" and self.weight_decay:
            raise UserError("optim.weight_decay is of optim.name adam only", f"{self.weight_decay:g} with rmsprop",
                            "set optim.weight-decay 0")


@dataclass(frozen=True)
class TrainRecipe:
    """How the run is done: steps, devices, checkpoints and logs."""

    steps: PositiveInt = 20000
    """Steps (batches) in all."""
    batch: TwoOrMore = 64
    """Shapes or images in a step."""
    seed: NonNegativeInt = 0
    """Decides the order of the data, the noise and the first weights."""
    start: str = ""
    """A model whose weights training starts from: bundled, folder, run or Hub name; empty: fresh weights."""
    precision: Literal["fp32", "bf16"] = "bf16"
    """bf16: autocast, more than twice as fast for 3D convolutions on CPUs that have it."""
    average: ShareBelow1 = 0.999
    """Decay per step of the moving average of encoder and generator; 0: none."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """cpu, cuda or auto."""
    devices: NonNegativeInt = 0
    """Devices of each machine that train together; 0: one CPU process, or all GPUs that are there."""
    nodes: PositiveInt = 1
    """Machines that train together; start the same command on each under torchrun."""
    strategy: Literal["replicate", "shard"] = "replicate"
    """replicate: every device holds all weights (DDP's form); shard: encoder, generator and their optimiser state are
    spread over the devices (FSDP), for networks that do not fit one device."""
    accumulate: PositiveInt = 1
    """Parts into which a batch is split: gradients are summed over them before the weights are updated."""
    compile: bool = False
    """torch.compile all networks but critics: slow to start, faster steps on GPUs."""
    channels_last: bool = True
    """Store images and the weights of their convolutions with channels last, which is faster."""
    threads: NonNegativeInt = 0
    """CPU threads; 0: all cores."""
    log_every: PositiveInt = 50
    """Steps between two lines of metrics."""
    check_every: PositiveInt = 1000
    """Steps between two measurements on the validation data."""
    sample_every: NonNegativeInt = 2000
    """Steps between two sheets of samples, as rendered meshes or as images; 0: none."""
    save_minutes: NonNegativeFloat = 5.0
    """Minutes between two checkpoints; 0: by steps only."""
    save_steps: NonNegativeInt = 0
    """Steps between two checkpoints; 0: by minutes only."""
    keep: PositiveInt = 2
    """Newest checkpoints kept."""
    best: str = "iou"
    """The validation metric whose best checkpoint is kept beside the newest ones (a leading `-`: lower is better),
    where it is measured; empty: none."""
    tensorboard: bool = True
    """Write TensorBoard logs beside metrics.jsonl."""

    def __post_init__(self) -> None:
        check("train", self)
        if self.batch % self.accumulate or self.batch // self.accumulate < 2:
            raise UserError("train.batch must be a multiple of train.accumulate, with 2 samples or more in each part",
                            f"{self.batch} and {self.accumulate}")


@dataclass(frozen=True)
class Recipe(Generic[ConfigT]):
    """One training run."""

    system: str
    """The published method, by its name in `maquette.systems.SYSTEMS`."""
    model: ConfigT
    """The system's networks and losses."""
    data: DataRecipe = field(default_factory=DataRecipe)
    optim: OptimRecipe = field(default_factory=OptimRecipe)
    train: TrainRecipe = field(default_factory=TrainRecipe)
    about: str = ""
    """What the recipe is for, with the time and memory that it takes."""


def recipe_type(system: str) -> Any:
    """The type of a system's recipes, an alias that the command line reads: `Recipe[IWGAN3DConfig]`.

    Raises:
        UserError: If there is no system of this name; the hint has the nearest.
    """
    if system not in SYSTEMS:
        raise UserError("unknown system", repr(system), did_you_mean(system, list(SYSTEMS)))
    generic: Any = Recipe
    return generic[SYSTEMS[system].Config]


def section_types(kind: Any) -> dict[str, type]:
    """The sections of a recipe of this type (`recipe_type`), and the dataclass of each."""
    return {"model": get_args(kind)[0], "data": DataRecipe, "optim": OptimRecipe, "train": TrainRecipe}
