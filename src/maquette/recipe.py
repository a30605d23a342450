"""The recipe: one system, its data and every number of one training run, as frozen dataclasses read strictly from YAML.

One definition gives validation (pydantic's TypeAdapter, unknown keys refused), the command line's `--key value` (tyro)
and the `recipe.yaml` that is saved in each run and model.
"""

import dataclasses
import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from maquette.errors import UserError

RECIPES = Path(__file__).parent / "recipes"
ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class DataRecipe:
    """Where the shapes and their views come from."""

    path: tuple[str, ...] = ("furniture",)
    """Prepared datasets, raw data (an .npz, a folder of meshes or .mat files) or `furniture`, the built-in generator;
    raw data are prepared once and kept in `cache`."""
    cache: str = "data-cache"
    """Folder for what is prepared from raw data."""
    furniture: int = 2000
    """How many pieces of furniture are made where `path` says so."""
    furniture_kinds: tuple[str, ...] = ()
    """Kinds of furniture, made in turn, a kind named twice twice as often; empty: all kinds alike."""
    views: int = 12
    """Views rendered of each shape."""
    kinds: tuple[str, ...] = ("photo", "pencil")
    """Kinds of views."""
    backgrounds: str = ""
    """Folder of pictures for the backgrounds and textures of photo views; empty: procedural ones only."""
    validation: float = 0.05
    """Share of the training shapes held out to watch and to pick by."""
    flip: bool = True
    """Mirror view and shape left to right at random."""
    jitter: bool = True
    """Vary each view's framing, brightness, contrast and noise, and hide parts of it."""
    small_size: int = 0
    """Pixels a side to which views are shrunk on the steps before `small_until`: they cost less, and proportions can be
    learned from them; 0: never."""
    small_until: int = 0
    """The step from which on views keep their size."""
    turns: bool = False
    """Turn each shape about the up axis by a random multiple of 90 degrees (systems without an encoder only)."""


@dataclass(frozen=True)
class OptimRecipe:
    """Adam for each network; the schedule is a function of the absolute step."""

    lr: float = 1e-4
    """Learning rate of encoder and generator."""
    critic_lr: float = 1e-4
    """Learning rate of the critic."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Adam's betas of encoder and generator."""
    critic_betas: tuple[float, float] = (0.5, 0.9)
    """Adam's betas of the critic."""
    weight_decay: float = 0.0
    """Decoupled weight decay (AdamW) of encoder and generator."""
    warmup: int = 0
    """Steps over which the learning rate of encoder and generator rises from 0."""
    decay: int = 0
    """Step by which their learning rate has fallen along a cosine to `floor` of itself; 0: constant."""
    floor: float = 0.02
    """Share of the learning rate that is left after `decay`."""
    clip: float = 0.0
    """Largest norm of the gradient of encoder and generator; 0: not clipped."""


@dataclass(frozen=True)
class TrainRecipe:
    """The run itself."""

    steps: int = 20000
    """Steps (batches) in all."""
    batch: int = 64
    """Shapes a step."""
    seed: int = 0
    """Order of the data, noise and first weights."""
    precision: Literal["fp32", "bf16"] = "bf16"
    """bf16: autocast, more than twice as fast for 3D convolutions on CPUs that have it."""
    average: float = 0.999
    """Decay a step of the moving average of encoder and generator; 0: none."""
    device: str = "auto"
    """cpu, cuda or auto."""
    devices: int = 0
    """Devices of each machine that train together; 0: one CPU process, or all GPUs that are there."""
    nodes: int = 1
    """Machines that train together; start the same command on each under torchrun."""
    strategy: Literal["replicate", "shard"] = "replicate"
    """replicate: every device holds all weights (DDP's form); shard: encoder, generator and their optimiser state are
    spread over the devices (FSDP), for networks that do not fit one device."""
    accumulate: int = 1
    """Parts that a batch is cut into: gradients are summed over them before the weights move."""
    compile: bool = False
    """torch.compile the networks: slow to start, faster steps on GPUs."""
    channels_last: bool = True
    """Keep images and the encoder's weights with channels last, which convolutions like."""
    threads: int = 0
    """CPU threads; 0: all cores."""
    log_every: int = 50
    """Steps between two lines of metrics."""
    check_every: int = 1000
    """Steps between two measurements on the validation part."""
    sample_every: int = 2000
    """Steps between two sheets of samples, as rendered meshes; 0: none."""
    save_minutes: float = 5.0
    """Minutes between two checkpoints; 0: by steps only."""
    save_steps: int = 0
    """Steps between two checkpoints; 0: by minutes only."""
    keep: int = 2
    """Newest checkpoints kept."""
    best: str = "iou"
    """The validation metric whose best checkpoint is kept beside the newest ones (a leading `-`: lower is better), where
    it is measured; empty: none."""
    tensorboard: bool = True
    """Write TensorBoard logs beside metrics.jsonl."""


@dataclass(frozen=True)
class Recipe(Generic[ConfigT]):
    """One training run."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    system: str
    """The published method, by its name in `maquette.systems.SYSTEMS`."""
    model: ConfigT
    """The system's networks and losses."""
    data: DataRecipe = field(default_factory=DataRecipe)
    optim: OptimRecipe = field(default_factory=OptimRecipe)
    train: TrainRecipe = field(default_factory=TrainRecipe)
    about: str = ""
    """What the recipe is for, with the time and memory that it takes."""

    def __post_init__(self):
        rules = (
            (self.train.steps > 0, "train.steps must be positive", self.train.steps),
            (self.train.batch > 1, "train.batch must be at least 2", self.train.batch),
            (0 <= self.train.average < 1, "train.average must be in [0, 1)", self.train.average),
            (0 < self.data.validation < 1, "data.validation must be between 0 and 1", self.data.validation),
            (self.optim.lr > 0, "optim.lr must be positive", self.optim.lr),
            (self.data.views > 0, "data.views must be positive", self.data.views),
            (self.data.small_size == 0 or self.data.small_size >= 16, "data.small_size must be 0 or at least 16",
             self.data.small_size),
            (len(self.data.path) > 0, "data.path must name at least one source", "none"),
        )
        for holds, rule, got in rules:
            if not holds:
                raise UserError(rule, got)


def recipe_type(system: str) -> type[Recipe]:
    """`Recipe` with the config of this system; UserError with the nearest name where there is none of that name."""
    from maquette.systems import SYSTEMS

    if system not in SYSTEMS:
        raise UserError("unknown system", repr(system), _nearest(system, list(SYSTEMS)))
    return Recipe[SYSTEMS[system].Config]


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load(name_or_path: str) -> Recipe:
    """The recipe of this name, or in this YAML file. UserError for one that is missing or does not fit."""
    path = RECIPES / f"{name_or_path}.yaml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        raise UserError("no recipe or file of this name", repr(name_or_path), _nearest(name_or_path, names()))
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as YAML", str(error).replace("\n", " ")) from None
    return from_tree(tree, str(path))


def from_tree(tree: Any, where: str) -> Recipe:
    """A recipe out of nested dicts; UserError naming the key that does not fit, and the nearest right one."""
    if not isinstance(tree, dict) or not isinstance(tree.get("system"), str):
        raise UserError(f"{where}: a recipe is a mapping with the key 'system'", type(tree).__name__)
    kind = recipe_type(tree["system"])
    try:
        return TypeAdapter(kind).validate_python(_with_tuples(tree))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            hint = _nearest(str(first["loc"][-1]), _keys_beside(kind, first["loc"]))
            raise UserError(f"{where}: unknown key '{key}'", hint=hint) from None
        raise UserError(f"{where}: {key}: {first['msg']}", repr(first.get("input"))[:80], hint) from None


def to_tree(recipe: Recipe) -> dict:
    """Nested dicts of plain values, as they stand in YAML and JSON; `from_tree` is the inverse."""
    return _plain(dataclasses.asdict(recipe))


def dump(recipe: Recipe) -> str:
    """The whole resolved recipe as YAML."""
    return yaml.safe_dump(to_tree(recipe), sort_keys=False, width=100)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value


def _keys_beside(kind: type, loc: tuple) -> list[str]:
    tree: Any = {field.name: {} for field in dataclasses.fields(Recipe)}
    from maquette.systems import SYSTEMS

    parts: dict[str, list[type]] = {"data": [DataRecipe], "optim": [OptimRecipe], "train": [TrainRecipe]}
    parts["model"] = [system.Config for system in SYSTEMS.values()]
    if len(loc) > 1 and loc[0] in parts:
        return [f.name for owner in parts[loc[0]] for f in dataclasses.fields(owner)]
    return list(tree)


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
