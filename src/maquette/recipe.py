"""The recipe: one system, its data and every number of one training run, as frozen dataclasses read strictly from YAML.

One definition gives validation (pydantic's TypeAdapter, unknown keys refused), the command line's `--key value` (tyro)
and the `recipe.yaml` that is saved in each run and model. Neither PyTorch nor the data are touched: a recipe that does
not fit is refused at once.
"""

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from maquette.configs import NOT_NEGATIVE, ORIENTATIONS, POSITIVE, SHARE, Rule, check
from maquette.errors import UserError
from maquette.renamed import upgraded_recipe
from maquette.systems import SYSTEMS

RECIPES = Path(__file__).parent / "recipes"
FURNITURE_KINDS = ("chair", "table", "desk", "bed", "sofa", "bookcase", "cabinet", "monitor", "toilet", "bathtub",
                   "lamp", "cup", "car")
"""What the furniture maker can make."""
VIEW_KINDS = ("photo", "pencil", "depth", "silhouette")
"""What can be rendered of a shape."""
_BETAS = Rule("two numbers in [0, 1)", lambda betas: all(0 <= beta < 1 for beta in betas))
_BELOW_1 = Rule("in [0, 1)", lambda value: 0 <= value < 1)
_BETWEEN = Rule("between 0 and 1", lambda value: 0 < value < 1)
_SMALL_SIZE = Rule("0 or at least 16", lambda pixels: pixels == 0 or pixels >= 16)
_AT_LEAST_2 = Rule("at least 2", lambda count: count >= 2)
_DEVICE = Rule("auto, cpu or cuda", lambda name: name in ("auto", "cpu", "cuda"))
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
    furniture: int = 2000
    """How many pieces of furniture are made where `path` says so."""
    furniture_classes: tuple[str, ...] = ()
    """Kinds of furniture, made in turn, a kind named twice twice as often; empty: all kinds alike."""
    views: int = 12
    """Views rendered of each shape."""
    scans: int = 15
    """Scans made of each shape, for systems that read scans."""
    kinds: tuple[str, ...] = ("photo", "pencil")
    """Kinds of views."""
    backgrounds: str = ""
    """Folder of pictures for the backgrounds and textures of photo views; empty: procedural ones only."""
    validation: float = 0.05
    """Share of the training shapes or images held out to watch and to pick by."""
    flip: bool = True
    """Mirror view or scan, and shape, left to right at random; systems that make images start from false, for
    radiographs have sides."""
    jitter: bool = True
    """Vary each view's framing, brightness, contrast and noise, and hide parts of it; move each scan by up to a voxel,
    leave out some of its voxels and add stray ones."""
    occluded: float = 0.0
    """Share of the photos in which a piece of another photo hides a part, as things in front of an object do."""
    small_size: int = 0
    """Pixels a side to which views are shrunk on the steps before `small_until`: they cost less, and proportions can be
    learned from them; 0: never."""
    small_until: int = 0
    """The step from which on views keep their size."""
    turns: bool = False
    """Turn each shape about the up axis by a random multiple of 90 degrees (systems without an encoder only)."""
    orientations: int = 1
    """Orientations about the up axis in which each shape is prepared and seen, each 360 degrees / orientations further:
    1, 2, 3, 4, 6 or 12 (systems without an encoder only; `maquette.datasets.orientations`)."""

    def __post_init__(self):
        check("data", self, {"furniture": POSITIVE, "views": POSITIVE, "scans": POSITIVE, "validation": _BETWEEN,
                             "occluded": SHARE, "small_size": _SMALL_SIZE, "small_until": NOT_NEGATIVE,
                             "orientations": ORIENTATIONS})
        if not self.path:
            raise UserError("data.path must name at least one source", "none")
        if not self.kinds:
            raise UserError("data.kinds must name at least one kind of view", "none", f"known: {', '.join(VIEW_KINDS)}")
        _check_names("data.kinds", "kind of view", self.kinds, VIEW_KINDS)
        _check_names("data.furniture_classes", "kind of furniture", self.furniture_classes, FURNITURE_KINDS)


@dataclass(frozen=True)
class OptimRecipe:
    """An optimiser for each network; the schedule is a function of the absolute step."""

    name: Literal["adam", "rmsprop"] = "adam"
    """adam; or rmsprop, which has no betas (its squares are remembered by 0.99) and no weight decay."""
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

    def __post_init__(self):
        check("optim", self, {"lr": POSITIVE, "critic_lr": POSITIVE, "betas": _BETAS, "critic_betas": _BETAS,
                              "weight_decay": NOT_NEGATIVE, "warmup": NOT_NEGATIVE, "decay": NOT_NEGATIVE,
                              "floor": SHARE, "clip": NOT_NEGATIVE})
        if self.name == "rmsprop" and self.weight_decay:
            raise UserError("optim.weight_decay is of optim.name adam only", f"{self.weight_decay:g} with rmsprop",
                            "set optim.weight-decay 0")


@dataclass(frozen=True)
class TrainRecipe:
    """The run itself."""

    steps: int = 20000
    """Steps (batches) in all."""
    batch: int = 64
    """Shapes or images a step."""
    seed: int = 0
    """Order of the data, noise and first weights."""
    start: str = ""
    """A model whose weights training starts from: bundled, folder, run or Hub name; empty: fresh weights."""
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
    """torch.compile all networks but critics: slow to start, faster steps on GPUs."""
    channels_last: bool = True
    """Keep images and the weights that they meet with channels last, which convolutions like."""
    threads: int = 0
    """CPU threads; 0: all cores."""
    log_every: int = 50
    """Steps between two lines of metrics."""
    check_every: int = 1000
    """Steps between two measurements on the validation part."""
    sample_every: int = 2000
    """Steps between two sheets of samples, as rendered meshes or as images; 0: none."""
    save_minutes: float = 5.0
    """Minutes between two checkpoints; 0: by steps only."""
    save_steps: int = 0
    """Steps between two checkpoints; 0: by minutes only."""
    keep: int = 2
    """Newest checkpoints kept."""
    best: str = "iou"
    """The validation metric whose best checkpoint is kept beside the newest ones (a leading `-`: lower is better),
    where it is measured; empty: none."""
    tensorboard: bool = True
    """Write TensorBoard logs beside metrics.jsonl."""

    def __post_init__(self):
        check("train", self, {"steps": POSITIVE, "batch": _AT_LEAST_2, "seed": NOT_NEGATIVE, "average": _BELOW_1,
                              "device": _DEVICE, "devices": NOT_NEGATIVE, "nodes": POSITIVE, "accumulate": POSITIVE,
                              "threads": NOT_NEGATIVE, "log_every": POSITIVE, "check_every": POSITIVE,
                              "sample_every": NOT_NEGATIVE, "save_minutes": NOT_NEGATIVE, "save_steps": NOT_NEGATIVE,
                              "keep": POSITIVE})
        if self.batch % self.accumulate or self.batch // self.accumulate < 2:
            raise UserError("train.batch must be a multiple of train.accumulate, with 2 samples or more in each part",
                            f"{self.batch} and {self.accumulate}")


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


def recipe_type(system: str) -> type[Recipe]:
    """`Recipe` with the config of this system; UserError with the nearest name where there is none of that name."""
    if system not in SYSTEMS:
        raise UserError("unknown system", repr(system), nearest(system, list(SYSTEMS)))
    return Recipe[SYSTEMS.config(system)]


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load(name_or_path: str) -> Recipe:
    """The recipe of this name, or in this YAML file.

    Raises:
        UserError: For one that is missing or does not fit.
    """
    path = RECIPES / f"{name_or_path}.yaml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        raise UserError("no recipe or file of this name", repr(name_or_path), nearest(name_or_path, names()))
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
    try:
        tree = upgraded_recipe(tree, where)
        kind = recipe_type(tree["system"])
        recipe = TypeAdapter(kind).validate_python(_with_tuples(_with_starts(tree)))
    except UserError as error:
        raise UserError(f"{where}: {error.what}", error.got, error.hint) from None
    except ValidationError as error:
        raise _misfit(error.errors()[0], kind, where) from None
    flag = _flag_for_number(tree, to_tree(recipe))
    if flag:
        raise UserError(f"{where}: {flag} must not be true or false")
    return recipe


def check_paths(recipe: Recipe) -> None:
    """Raise UserError for data or backgrounds that are not where the recipe says, naming the nearest that are there.

    Not part of `from_tree`: a model keeps the recipe that it was trained by, without the data.
    """
    for source in recipe.data.path:
        name, _, kinds = source.partition(":")
        if name == "furniture" and not Path(source).exists():
            _check_names("data.path", "kind of furniture", kinds.split(",") if kinds else [], FURNITURE_KINDS)
        elif not source or not Path(source).exists():
            hint = _nearest_path(Path(source), ["furniture"]) or "give a file, a folder, or 'furniture'"
            raise UserError("data.path names data that are not there", repr(source), hint)
    pictures = recipe.data.backgrounds
    if pictures and not Path(pictures).is_dir():
        hint = _nearest_path(Path(pictures), folders=True) or "give a folder of pictures"
        raise UserError("data.backgrounds names a folder that is not there", repr(pictures), hint)


def keys(kind: type[Recipe]) -> list[str]:
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


def nearest_key(key: str, kind: type[Recipe]) -> str:
    """The key that was meant by an unknown one (`train.stepz`, `lr`): of that name elsewhere, or the most alike; or
    empty.
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


def _with_starts(tree: dict) -> dict:
    """The tree with what the system starts from in other sections than its own, where the tree says nothing of it."""
    for section, values in getattr(SYSTEMS.config(tree["system"]), "section_defaults", {}).items():
        if isinstance(tree.get(section, {}), dict):
            tree = {**tree, section: {**values, **tree.get(section, {})}}
    return tree


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value


def _sections(kind: type[Recipe]) -> dict[str, type]:
    """The parts of a recipe of this type and their dataclasses."""
    return {"model": get_args(kind)[0], "data": DataRecipe, "optim": OptimRecipe, "train": TrainRecipe}


def _misfit(found: Any, kind: type[Recipe], where: str) -> UserError:
    """pydantic's first finding as one line."""
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        section = f"{key.rpartition('.')[0]}." if "." in key else ""
        meant = nearest_key(key, kind).removeprefix(section)
        beside = [full.removeprefix(section) for full in keys(kind) if full.startswith(section)]
        beside = dict.fromkeys(name.split(".")[0] for name in beside)
        hint = f"did you mean '{meant}'?" if meant else f"known: {', '.join(beside)}"
        return UserError(f"{where}: unknown key '{key}'", hint=hint)
    if found["type"] in ("missing", "missing_argument"):
        return UserError(f"{where}: the key '{key}' is missing")
    return UserError(f"{where}: {key}: {found['msg']}", repr(found.get("input"))[:80])


def _check_names(key: str, what: str, names: Sequence[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{key} names no {what}", repr(name), nearest(name, known))


def _flag_for_number(tree: Any, read: Any, key: str = "") -> str:
    """The first key with true or false where a number or a word was read out of it; empty where there is none."""
    if isinstance(tree, bool) and not isinstance(read, bool):
        return key
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(tree, dict):
        pairs = [(name, value, read[name]) for name, value in tree.items()]
    elif isinstance(tree, list | tuple):
        pairs = [(number, value, read[number]) for number, value in enumerate(tree)]
    return next(filter(None, (_flag_for_number(t, r, f"{key}.{name}".lstrip(".")) for name, t, r in pairs)), "")


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
