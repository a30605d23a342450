"""Learning: recipes, training, what is known of a run, and how good a model is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.extras import require
from maquette.models.hub import Model, ModelOrName, load
from maquette.recipe import Recipe
from maquette.renamed import upgraded

if TYPE_CHECKING:
    from maquette.evaluation.report import Measured
    from maquette.training.monitor.doctor import Examined

RecipeOrName = Recipe | str | Path
"""A recipe, or the name of one that comes with the package, or a YAML file."""


def load_recipe(recipe: RecipeOrName, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe, with some of its keys changed.

    Args:
        recipe: The recipe, its name, or its file.
        overrides: Values by dotted key, `{"train.steps": 20}`; checked as the command line checks its options.

    Raises:
        UserError: For a recipe that is missing or does not fit, and for a key that is unknown: it says the nearest.
    """
    name = "the recipe" if isinstance(recipe, Recipe) else str(recipe)
    found = recipe if isinstance(recipe, Recipe) else recipes.load(name)
    if not overrides:
        return found
    kind, tree = recipes.recipe_type(found.system), recipes.to_tree(found)
    known = recipes.keys(kind)
    for given, value in overrides.items():
        section, _, key = str(given).replace("-", "_").rpartition(".")
        key = next(iter(upgraded(section, {key: value}, name))) if section else key
        full = f"{section}.{key}".lstrip(".")
        if full not in known:
            meant = recipes.nearest_key(full, kind)
            raise UserError(f"{name}: unknown key '{given}'", hint=f"did you mean '{meant}'?" if meant else "")
        (tree[section] if section else tree)[key] = value
    return recipes.from_tree(tree, name)


def train(
    recipe: RecipeOrName,
    run: str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[object]:
    """Train a recipe into a run's folder.

    Args:
        recipe: The recipe, its name, or its file.
        run: The folder of the run.
        overrides: Values by dotted key, `{"train.steps": 20}`; see `load_recipe`.
        resume: Go on from the run's newest checkpoint.
        stop: Asked after each step; a run that was stopped exports no model, and can be resumed.

    Yields:
        The events of `maquette.training.run.train_recipe`.

    Raises:
        UserError: For a recipe that does not fit, for data that are not there, and where the run holds another one.
    """
    chosen = load_recipe(recipe, overrides)
    recipes.check_paths(chosen)
    require("lightning_fabric", "train")
    from maquette.training import run as job

    yield from job.train_recipe(chosen, Path(run), resume=resume, stop=stop)


def doctor(run: str | Path) -> "Examined":
    """What is wrong with a run, and what was looked at.

    Args:
        run: The run's folder.

    Returns:
        A `maquette.training.monitor.doctor.Examined`, with `findings`.

    Raises:
        UserError: For a folder that is no run and for a recipe.yaml that does not fit.
    """
    require("lightning_fabric", "train")
    from maquette.training.monitor.doctor import examine

    return examine(Path(run))


def runs(folder: str | Path = "runs") -> list[dict[str, Any]]:
    """What is known of each run in a folder, the newest first; see `maquette.training.monitor.runs.list_runs`."""
    from maquette.training.monitor.runs import list_runs

    return list_runs(folder)


def pack_run(run: str | Path, out: str | Path) -> Path:
    """Write a small copy of a run, from which it can go on elsewhere; see `maquette.training.monitor.runs.pack`."""
    require("lightning_fabric", "train")
    from maquette.training.monitor import runs

    return runs.pack(run, out)


def run_facts(run: str | Path, out: str | Path = "") -> dict[str, Any]:
    """What is known of one run (see `maquette.training.monitor.runs.describe`), its curves included.

    Args:
        run: The run's folder.
        out: Where `curves.png` and `samples.png` are drawn; empty: in the run's own folder. `pictures` names those
            that there are.

    Raises:
        UserError: For a folder that is no run.
    """
    from maquette.training.monitor import runs as found

    facts = found.describe(run)
    folder = Path(out or run)
    pictures = [found.write_curves(run, folder / "curves.png"), found.write_samples(run, folder / "samples.png")]
    return {**facts, "pictures": [str(path) for path in pictures if path]}


def evaluate(
    model: ModelOrName,
    on: str,
    path: str | Path,
    *,
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    cache: str | Path = "data-cache",
    class_name: str = "",
    turns: int = 0,
    classifier: str = "",
    inception: str = "",
    out: str | Path = "evaluation",
) -> Iterator[object]:
    """Measure a model on data that it never saw.

    Args:
        model: The model, its name, or its folder.
        on: `modelnet10` (IoU of the test split, half pencil and half photo views), `ikea` (AP on photos after
            alignment), `scans` (IoU of ModelNet10's test split, completed from scans), `recognition` (a linear SVM on
            the critic's responses) or `generation` (new shapes beside the test split); or real images, a prepared
            dataset or a folder (made images beside those held out; of GRAF and 3DGEN see
            `maquette.evaluation.fields.evaluate.evaluate_fields`).
        path: Where these data are; for GRAF and 3DGEN an image set with true shapes, where `on` has none.
        views: Views or scans of each test shape.
        limit: So many shapes, photos or images at most; None: all, or what the measure usually takes.
        seed: Of the views and scans that are made, and of the shapes and images.
        cache: Folder for what is prepared of the data.
        class_name: One class of the data (generation, ikea); empty: all.
        turns: Orientations of each shape about z, 1, 2, 3, 4, 6 or 12; 0: 4 for recognition, 1 for generation.
        classifier: The model whose features are used (generation); empty: the line is left out.
        inception: Weights for FID and KID of images; empty: both are left out. See
            `maquette.evaluation.images.evaluate.evaluate_images`.
        out: Folder for the report on images.

    Yields:
        Progress, then one `maquette.evaluation.report.Measured`.

    Raises:
        UserError: For data that are not there, and for a model that cannot be measured on them.
    """
    from maquette.evaluation.dispatch import measure

    yield from measure(
        _by_torch(model), on, str(path), views=views, limit=limit, seed=seed, cache=str(cache), kind=class_name,
        turns=turns, classifier=classifier, inception=inception, out=out,
    )


def make_study(
    model: ModelOrName, real: str | Path, out: str | Path = "study", *, count: int = 20, seed: int | None = None
) -> Iterator[object]:
    """Make a reader study: can people tell a model's images from real ones?

    Args:
        model: One that makes images, or its name or folder.
        real: Real images, a prepared dataset or a folder; held-out ones are taken first.
        out: The folder to write `study.html` and `key.json` to.
        count: So many real and so many synthetic images.
        seed: Of the choice and the order; None: another one each time.

    Yields:
        Progress, then one `maquette.evaluation.reader_study.study.StudyMade`.

    Raises:
        UserError: For a model that makes no images, and for too few real ones.
    """
    from maquette.evaluation.dispatch import study

    return study(_by_torch(model), real, out, count=count, seed=seed)


def score_study(key: str | Path, answers: Sequence[str | Path]) -> "Measured":
    """How well the readers of a study told real images from synthetic ones.

    Args:
        key: `key.json` of the study.
        answers: The files of its readers.

    Raises:
        UserError: Naming the file that cannot be read or is of another study.
    """
    require("scipy", "train")
    from maquette.evaluation.reader_study.score import score_study

    return score_study(key, answers)


def _by_torch(model: ModelOrName) -> Model:
    """A model for measuring: many answers at once, and the critic's and the classifier's features."""
    require("torch", "train")
    return model if isinstance(model, Model) else load(model, runtime="torch")
