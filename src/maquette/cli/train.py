"""`maquette train`: the one command whose options are the keys of a recipe, and that can be stopped and resumed.

Heavy modules are imported only when the recipe fits.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tyro

from maquette.errors import UserError


def train(arguments: list[str]) -> int:
    """Train a recipe, or continue a run.

    maquette train RECIPE [--run DIR] [--key value ...]      maquette train --resume RUN [--train.steps N]
    """
    import dataclasses
    import time

    from maquette import recipe as recipes

    options, rest = {"--run": "", "--resume": ""}, []
    words = iter(arguments)
    for word in words:
        key, _, value = word.partition("=")
        if key in options:
            options[key] = value or next(words, "")
            if not options[key]:
                raise UserError(f"{key} needs a folder")
        else:
            rest.append(word)
    if options["--resume"]:
        run_dir = Path(options["--resume"])
        name = str(run_dir / "recipe.yaml")
        if not Path(name).is_file():
            raise UserError(f"{run_dir} is not a run: it has no recipe.yaml")
    elif not rest or rest[0].startswith("-"):
        print(f"{train.__doc__}\nRecipes: {', '.join(recipes.names())}\nmaquette train RECIPE --help lists every key.")
        return 0 if rest and rest[0] in ("-h", "--help") else 2
    else:
        name = rest.pop(0)
        run_dir = Path(options["--run"] or Path("runs") / f"{Path(name).stem}-{time.strftime('%Y%m%d-%H%M%S')}")
    recipe = recipes.load(name)
    kind = recipes.recipe_type(recipe.system)
    try:
        chosen = _with_options(recipe, kind, rest, name)
    except UserError as error:
        print(f"maquette: {error}", file=sys.stderr, flush=True)
        return 2
    recipe = recipes.from_tree(dataclasses.asdict(chosen), name)
    recipes.check_paths(recipe)
    from maquette import api
    from maquette.cli.console import show_training

    with _stop_asked() as stop:
        events = api.train(recipe, run_dir, resume=bool(options["--resume"]), stop=stop)
        return show_training(events, run_dir)


def _with_options(recipe, kind: type, words: list[str], name: str):
    """The recipe with `--key value` of the command line in place; UserError in one line for what does not fit."""
    import contextlib
    import io

    from maquette.recipe import keys, nearest_key

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            chosen, unknown = tyro.cli(kind, args=words, default=recipe, prog=f"maquette train {name}",
                                       description=recipe.about, return_unknown_args=True)
    except SystemExit as stopped:
        if not stopped.code:  # --help
            raise
        raise UserError(_without_frame(said.getvalue())) from None
    option = next((word for word in unknown if word.startswith("-")), None)
    if option is not None:
        key = option.partition("=")[0].lstrip("-")
        meant = nearest_key(key.replace("-", "_"), kind)
        hint = f"see maquette train {name} --help"
        if meant in keys(kind):
            hint = f"did you mean '--{meant.replace('_', '-')}'?"
        raise UserError(f"unknown option '--{key}'", hint=hint)
    if unknown:
        raise UserError("maquette train takes one recipe, then --key value", repr(unknown[0]))
    return chosen


def _without_frame(box: str) -> str:
    """The message in a frame that tyro draws, on one line: what stands above the first rule, without the heading."""
    lines = []
    for line in box.splitlines()[1:]:
        text = line.strip("\u2502|\u256d\u256e\u2570\u256f ")
        if not text.strip("\u2500-"):
            break
        lines.append(text)
    return " ".join(lines) or " ".join(box.split())


@contextmanager
def _stop_asked() -> Iterator[Callable[[], bool]]:
    """Within it, the first SIGINT or SIGTERM only asks training to stop after its step; a second one interrupts."""
    asked = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print("stopping after this step; once more to stop at once", file=sys.stderr, flush=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
