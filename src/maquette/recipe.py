"""The recipe: one system, its data and every number of one training run, as frozen dataclasses read strictly from YAML.

One definition gives validation (types with their ranges, unknown keys refused), the command line's `--key value` (tyro)
and the `recipe.yaml` that is saved in each run and model. Neither PyTorch nor the data are touched: a recipe that does
not fit is refused at once.
"""

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

import yaml

from maquette.errors import UserError
from maquette.keys import (
    Betas,
    NonNegativeFloat,
    NonNegativeInt,
    OpenShare,
    Orientations,
    PositiveFloat,
    PositiveInt,
    Share,
    ShareBelow1,
    TwoOrMore,
    check,
)
from maquette.renamed import upgraded_recipe
from maquette.systems import SYSTEMS

RECIPES = Path(__file__).parent / "recipes"
FURNITURE_CLASSES = ("chair", "table", "desk", "bed", "sofa", "bookcase", "cabinet", "monitor", "toilet", "bathtub",
                   "lamp", "cup", "car")
"""What the furniture maker can make."""
VIEW_KINDS = ("photo", "pencil", "depth", "silhouette")
"""What can be rendered of a shape."""
ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class DataRecipe:
    """Where the shapes and their views come from."""

    path: tuple[str, ...] = ("furniture",)
    """Prepared datasets, raw data (an .npz, a folder of meshes or .mat files) or `furniture`, the built-in generator;
    raw data are prepared once and kept in `cache`. Systems that make images: one prepared dataset of images."""
    cache: str = "data-cache"
    """Folder for what is prepared from raw data."""
    classes: tuple[str, ...] = ()
    """Classes of the data to learn from; empty: all."""
    furniture: PositiveInt = 2000
    """How many pieces of furniture are made where `path` says so."""
    furniture_classes: tuple[str, ...] = ()
    """Kinds of furniture, made in turn, a kind named twice twice as often; empty: all kinds alike."""
    views: PositiveInt = 12
    """Views rendered of each shape."""
    scans: PositiveInt = 15
    """Scans made of each shape, for systems that read scans."""
    kinds: tuple[str, ...] = ("photo", "pencil")
    """Kinds of views."""
    backgrounds: str = ""
    """Folder of pictures for the backgrounds and textures of photo views; empty: procedural ones only."""
    validation: OpenShare = 0.05
    """Share of the training shapes or images held out to watch and to pick by."""
    flip: bool = True
    """Mirror view or scan, and shape, left to right at random; systems that make images start from false, for
    radiographs have sides."""
    jitter: bool = True
    """Vary each view's framing, brightness, contrast and noise, and hide parts of it; move each scan by up to a voxel,
    leave out some of its voxels and add stray ones."""
    occluded: Share = 0.0
    """Share of the photos in which a piece of another photo hides a part, as things in front of an object do."""
    small_size: NonNegativeInt = 0
    """Pixels a side to which views are shrunk on the steps before `small_until`: they cost less, and proportions can be
    learned from them; 0: never."""
    small_until: NonNegativeInt = 0
    """The step from which on views keep their size."""
    turns: bool = False
    """Turn each shape about the up axis by a random multiple of 90 degrees (systems without an encoder only)."""
    orientations: Orientations = 1
    """Orientations about the up axis in which each shape is prepared and seen, each 360 degrees / orientations further:
    1, 2, 3, 4, 6 or 12 (systems without an encoder only; `maquette.datasets.orientations`)."""

    def __post_init__(self) -> None:
        check("data", self)
        if 0 < self.small_size < 16:
            raise UserError("data.small_size must be 0 or at least 16", self.small_size)
        if not self.path:
            raise UserError("data.path must name at least one source", "none")
        if not self.kinds:
            raise UserError("data.kinds must name at least one kind of view", "none", f"known: {', '.join(VIEW_KINDS)}")
        _check_names("data.kinds", "kind of view", self.kinds, VIEW_KINDS)
        _check_names("data.furniture_classes", "class of furniture", self.furniture_classes, FURNITURE_CLASSES)


@dataclass(frozen=True)
class OptimRecipe:
    """An optimiser for each network; the schedule is a function of the absolute step."""

    name: Literal["adam", "rmsprop"] = "adam"
    """adam; or rmsprop, which has no betas (its squares are remembered by 0.99) and no weight decay."""
    lr: PositiveFloat = 1e-4
    """Learning rate of encoder and generator."""
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
    """Step by which their learning rate has fallen along a cosine to `floor` of itself; 0: constant."""
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
    """The run itself."""

    steps: PositiveInt = 20000
    """Steps (batches) in all."""
    batch: TwoOrMore = 64
    """Shapes or images a step."""
    seed: NonNegativeInt = 0
    """Order of the data, noise and first weights."""
    start: str = ""
    """A model whose weights training starts from: bundled, folder, run or Hub name; empty: fresh weights."""
    precision: Literal["fp32", "bf16"] = "bf16"
    """bf16: autocast, more than twice as fast for 3D convolutions on CPUs that have it."""
    average: ShareBelow1 = 0.999
    """Decay a step of the moving average of encoder and generator; 0: none."""
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
    """Parts that a batch is cut into: gradients are summed over them before the weights move."""
    compile: bool = False
    """torch.compile all networks but critics: slow to start, faster steps on GPUs."""
    channels_last: bool = True
    """Keep images and the weights that they meet with channels last, which convolutions like."""
    threads: NonNegativeInt = 0
    """CPU threads; 0: all cores."""
    log_every: PositiveInt = 50
    """Steps between two lines of metrics."""
    check_every: PositiveInt = 1000
    """Steps between two measurements on the validation part."""
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
    """`Recipe` with the config of this system: `Recipe[IWGAN3DConfig]`, an alias that the command line reads.

    Raises:
        UserError: If there is no such system; the hint names the nearest.
    """
    if system not in SYSTEMS:
        raise UserError("unknown system", repr(system), nearest(system, list(SYSTEMS)))
    generic: Any = Recipe
    return generic[SYSTEMS[system].Config]


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load(name_or_path: str | Path) -> Recipe[Any]:
    """The recipe of this name, or in this YAML file.

    Raises:
        UserError: If it is missing or does not fit.
    """
    name = str(name_or_path)
    path = RECIPES / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        raise UserError("no recipe or file of this name", repr(name), nearest(name, names()))
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as YAML", str(error).replace("\n", " ")) from None
    return from_tree(tree, str(path))


class _Loader(yaml.SafeLoader):
    """Plain values only, and `1e-4` is a number, as in YAML 1.2."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
                              list("-+0123456789"))


def from_tree(tree: Any, where: str) -> Recipe[Any]:
    """A recipe out of nested dicts, as they stand in YAML and JSON.

    Args:
        tree: The recipe; keys that are left out have their defaults.
        where: The file, for messages.

    Raises:
        UserError: If a key is unknown, with the nearest right one, or if its value does not fit.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("system"), str):
        raise UserError(f"{where}: a recipe is a mapping with the key 'system'", type(tree).__name__)
    try:
        tree = upgraded_recipe(tree, where)
        kind = recipe_type(tree["system"])
        _check_known(tree, kind)
        made: dict[str, Any] = {"system": tree["system"], "about": tree.get("about", "")}
        if not isinstance(made["about"], str):
            raise UserError("about must be a text", type(made["about"]).__name__)
        defaults = SYSTEMS[tree["system"]].Config.section_defaults
        for name, section in _sections(kind).items():
            values = {**defaults.get(name, {}), **tree.get(name, {})}
            made[name] = section(**{key: _with_tuples(value) for key, value in values.items()})
    except UserError as error:
        raise UserError(f"{where}: {error.what}", error.got, error.hint) from None
    return Recipe(**made)


def with_values(recipe: Recipe[Any], values: Mapping[str, Any], where: str = "the given values") -> Recipe[Any]:
    """A recipe with some keys changed, held against their types again.

    Args:
        recipe: The recipe; it stays as it is.
        values: New values by dotted key: `{"train.steps": 20}`.
        where: Where the values are from, for messages.

    Raises:
        UserError: If a key is unknown or a value does not fit.
    """
    tree = to_tree(recipe)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section and not isinstance(tree.get(section), dict):
            raise UserError(f"{where}: unknown key '{key}'", hint=f"did you mean '{nearest_key(key, type(recipe))}'?")
        (tree[section] if section else tree)[name] = value
    return from_tree(tree, where)


def _check_known(tree: Mapping[str, Any], kind: Any) -> None:
    """Refuse keys that a recipe of this type has not, with the nearest one that it has."""
    sections = _sections(kind)
    for name, values in tree.items():
        if name not in sections:
            if name not in ("system", "about"):
                raise _unknown(str(name), "", kind)
        elif not isinstance(values, dict):
            raise UserError(f"{name} must be a mapping of keys to values", type(values).__name__)
        else:
            known = {own.name for own in dataclasses.fields(sections[name])}
            for key in values:
                if key not in known:
                    raise _unknown(str(key), f"{name}.", kind)


def _unknown(key: str, section: str, kind: Any) -> UserError:
    meant = nearest_key(f"{section}{key}", kind).removeprefix(section)
    beside = [full.removeprefix(section) for full in keys(kind) if full.startswith(section)]
    beside = list(dict.fromkeys(name.split(".")[0] for name in beside))
    hint = f"did you mean '{meant}'?" if meant else f"known: {', '.join(beside)}"
    return UserError(f"unknown key '{section}{key}'", hint=hint)


def check_paths(recipe: Recipe) -> None:
    """Raise UserError for data or backgrounds that are not where the recipe says, naming the nearest that are there.

    Not part of `from_tree`: a model keeps the recipe that it was trained by, without the data.
    """
    for source in recipe.data.path:
        name, _, kinds = source.partition(":")
        if name == "furniture" and not Path(source).exists():
            _check_names("data.path", "class of furniture", kinds.split(",") if kinds else [], FURNITURE_CLASSES)
        elif not source or not Path(source).exists():
            hint = _nearest_path(Path(source), ["furniture"]) or "give a file, a folder, or 'furniture'"
            raise UserError("data.path names data that are not there", repr(source), hint)
    pictures = recipe.data.backgrounds
    if pictures and not Path(pictures).is_dir():
        hint = _nearest_path(Path(pictures), folders=True) or "give a folder of pictures"
        raise UserError("data.backgrounds names a folder that is not there", repr(pictures), hint)


def keys(kind: Any) -> list[str]:
    """Every key of a recipe of this type, as it stands on the command line: `train.steps`, `about`."""
    found = []
    for top in dataclasses.fields(Recipe):
        section = _sections(kind).get(top.name)
        found += [f"{top.name}.{own.name}" for own in dataclasses.fields(section)] if section else [top.name]
    return found


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint: the known name that is most like this word, or all of them where none is."""
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"


def nearest_key(key: str, kind: Any) -> str:
    """The key that was meant by an unknown one (`train.stepz`, `lr`): of that name elsewhere, or the most alike.

    Returns:
        The key; empty where none is alike.
    """
    section, _, name = key.rpartition(".")
    named = {full.rpartition(".")[2]: full for full in reversed(keys(kind))}
    if name in named:
        return named[name]
    beside = {own: full for own, full in named.items() if section and full == f"{section}.{own}"}
    known = beside or named | {top: top for top in _sections(kind)}
    close = difflib.get_close_matches(name, known, 1)
    return known[close[0]] if close else ""


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


def _sections(kind: Any) -> dict[str, type]:
    """The parts of a recipe of this type and their dataclasses."""
    return {"model": get_args(kind)[0], "data": DataRecipe, "optim": OptimRecipe, "train": TrainRecipe}


def _check_names(key: str, what: str, names: Sequence[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{key} names no {what}", repr(name), nearest(name, known))


def _nearest_path(path: Path, also: Sequence[str] = (), folders: bool = False) -> str:
    """A hint: what is most like the first missing part of a path, in the folder where that should be; or empty."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    try:
        there = [entry.name for entry in missing.parent.iterdir() if entry.is_dir() or not folders]
    except OSError:
        there = []
    names = [*there, *(also if len(path.parts) == 1 else ())]
    close = difflib.get_close_matches(missing.name, names, 1)
    if not close:
        return ""
    return f"did you mean '{close[0] if close[0] in also else missing.parent / close[0]}'?"
