"""`maquette train`: the one command whose options are the keys of a recipe, and that can be stopped and resumed.

Heavy modules are imported only when the recipe fits.
"""

import dataclasses
import difflib
import re
import signal
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from maquette.cli.options import UsageError
from maquette.errors import UserError
from maquette.io.paths import fitted, nameable
from maquette.io.replacing import guard

if TYPE_CHECKING:
    from maquette.recipe import Recipe

FIRST = ("data.path", "data.classes", "train.steps", "train.batch", "train.seed", "train.device", "optim.lr",
         "model.resolution", "model.view_size", "model.height", "model.width")
"""The keys that people change first, as far as a recipe has them: what `--help` shows."""
OWN = {
    "--run": "Folder of the run; runs/RECIPE-TIME if left out.",
    "--resume": "The folder of a run to go on with, in place of a recipe.",
}


def train(arguments: list[str]) -> int:
    """Train a recipe, or continue a run.

    maquette train RECIPE [--run DIR] [--key value ...]
    maquette train --resume RUN [--train.steps N]

    A recipe is one of those below, or a YAML file.

    Examples:
        maquette train iwgan-tiny --run runs/tiny
        maquette train --resume runs/tiny --train.steps 60
    """
    from maquette import recipe as recipes

    options, rest = _own_options(arguments)
    asked = next((word for word in rest if word in ("-h", "--help", "--help-all")), "")
    for word in options.values():
        nameable(word)
    if options["--resume"]:
        run_dir = Path(options["--resume"])
        name = str(run_dir / "recipe.yaml")
        if not Path(name).is_file():
            raise UserError(f"{run_dir} is not a run: it has no recipe.yaml")
    elif not rest or rest[0].startswith("-"):
        print(_page_of_recipes())
        return 0 if asked else 2
    else:
        name = rest.pop(0)
        own = Path("runs") / fitted(Path(name).stem, time.strftime("-%Y%m%d-%H%M%S"))
        run_dir = Path(options["--run"] or own)
    recipe = recipes.load(nameable(name))
    if asked:
        _recipe_help(recipe, name, everything=asked == "--help-all")
        return 0
    recipe = recipes.from_tree(dataclasses.asdict(_with_options(recipe, rest, name)), name)
    recipes.check_paths(recipe)
    from maquette import api
    from maquette.cli.show import show_training

    with guard([] if options["--resume"] else [name], overwrite=True), _stop_asked() as stop:
        events = api.train(recipe, run_dir, resume=bool(options["--resume"]), stop=stop)
        return show_training(events, run_dir)


def type_of(kind: Any, key: str) -> Any:
    """The type of a key of a recipe, `Recipe[...]`: of `train.steps`, int."""
    from maquette.recipe import DataRecipe, OptimRecipe, TrainRecipe

    section, _, name = key.rpartition(".")
    owner = {"": kind, "data": DataRecipe, "optim": OptimRecipe, "train": TrainRecipe}.get(section) or _config(kind)
    return get_type_hints(owner, include_extras=True)[name] if section else str


def _config(kind: Any) -> type:
    """The type of a recipe's `model`."""
    return get_args(kind)[0]


def _own_options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options that are no keys, and the other words under today's names."""
    from maquette.renamed import upgraded_option

    options, rest = dict.fromkeys(OWN, ""), []
    words = iter(arguments)
    for word in words:
        key, _, value = word.partition("=")
        if key not in options:
            rest.append(upgraded_option(word))
            continue
        options[key] = value or next(words, "")
        if not options[key]:
            raise UserError(f"{key} needs a folder")
    return options, rest


def _page_of_recipes() -> str:
    """`maquette train --help`: how it is used, and each recipe in a line."""
    import yaml

    from maquette.cli.parsing import docs
    from maquette.recipe import RECIPES

    told, rows = docs(train), {}
    for path in sorted(RECIPES.glob("*.yaml"), key=lambda path: path.stem):
        about = re.search(r"^about:.*\n(?:^[ ].*\n)*", path.read_text(encoding="utf-8"), re.M)
        rows[path.stem] = _in_a_line(yaml.safe_load(about[0])["about"] if about else "")
    wide = max(map(len, rows))
    return "\n".join([told.about, "", "recipes:", *(f"  {name:<{wide}}  {line}" for name, line in rows.items()), "",
                      "maquette train RECIPE --help shows what is changed first; --help-all shows every key.", "",
                      "examples:", *(f"  {example}" for example in told.examples)])


def _in_a_line(about: str, most: int = 72) -> str:
    """What a recipe is for, up to the last stop or comma with which it fits in a line."""
    sentence = re.split(r"(?<=[.;])\s", " ".join(about.split()))[0].rstrip(".;")
    ends = [match.start() for match in re.finditer(r"[:,] ", sentence) if match.start() <= most]
    cut = sentence[: ends[-1]] if len(sentence) > most and ends else sentence
    return textwrap.shorten(cut, most, placeholder=" ...")


def _recipe_help(recipe: "Recipe", name: str, everything: bool) -> None:
    """`maquette train RECIPE --help`: the keys that people change first; with `--help-all`, every key."""
    from tyro.constructors import StructFieldSpec

    from maquette.cli.help import print_examples
    from maquette.cli.tyro_parsing import show_help
    from maquette.recipe import DataRecipe, OptimRecipe, TrainRecipe, recipe_type

    kind = recipe_type(recipe.system)
    sections = {DataRecipe: "data", OptimRecipe: "optim", TrainRecipe: "train", _config(kind): "model"}

    def shown(owner: Any, key: str) -> bool:
        if owner not in sections:
            return key not in ("system", "about")
        return everything or f"{sections[owner]}.{key}" in FIRST

    own = [StructFieldSpec(option.removeprefix("--"), str, "", text) for option, text in OWN.items()]
    show_help(kind, f"maquette train {name}", recipe.about, recipe, shown, own)
    if not everything:
        print(f"maquette train {name} --help-all shows every key.")
    print_examples((f"maquette train {name} --run runs/{Path(name).stem}",
                    f"maquette train {name} --train.steps {recipe.train.steps // 2} --train.seed 1"))


def _with_options(recipe: "Recipe", words: list[str], name: str) -> "Recipe":
    """The recipe with `--key value` of the command line in place; UsageError in one line for what does not fit."""
    from maquette.cli.parsing import read_recipe
    from maquette.recipe import keys, nearest_key, recipe_type

    kind = recipe_type(recipe.system)
    try:
        chosen, unknown = read_recipe(kind, words, recipe, name)
    except UserError as error:  # of a dataclass's own rules too
        raise UsageError(error.what, error.got, error.hint) from None
    option = next((word for word in unknown if word.startswith("-")), None)
    if option is not None:
        key = option.partition("=")[0].lstrip("-")
        meant = nearest_key(key.replace("-", "_"), kind)
        close = difflib.get_close_matches(f"--{key}", OWN, 1)
        hint = f"see maquette train {name} --help"
        if meant in keys(kind):
            hint = f"did you mean '--{meant.replace('_', '-')}'?"
        elif close:
            hint = f"did you mean '{close[0]}'?"
        raise UsageError(f"unknown option '--{key}'", hint=hint)
    if unknown:
        raise UsageError("maquette train takes one recipe, then --key value", repr(unknown[0]))
    return chosen


@contextmanager
def _stop_asked() -> Iterator[Callable[[], bool]]:
    """Within it, the first SIGINT or SIGTERM only asks training to stop after its step; a second one interrupts."""
    from maquette.cli.console import tell

    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        tell("stopping after this step; once more to stop at once")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
