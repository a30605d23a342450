"""The model card: a Hugging Face README written from the run, so that a model says itself what it is."""

from collections.abc import Mapping, Sequence

import yaml

from maquette import recipe as recipes
from maquette.capabilities import Makes, Reads
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS

_READS_PICTURES = """```
maquette reconstruct chair.jpg --model MODEL
```

```python
import maquette

model = maquette.load("MODEL")
made = maquette.reconstruct("chair.jpg", model, size_mm=100)
made.save("chair.stl")
```"""
_COMPLETES_SCANS = """```
maquette complete chair.ply --model MODEL
```

```python
import maquette

model = maquette.load("MODEL")
made = maquette.complete("chair.ply", model, elevation_deg=20)
made.save("chair.stl")
```"""
_MAKES_SHAPES = """```
maquette generate --count 16 --seed 7 --model MODEL
```

```python
import maquette

model = maquette.load("MODEL")
for number, shape in enumerate(maquette.generate(model, count=4, seed=7)):
    shape.save(f"shape-{number}.stl", size_mm=100)
```"""

_MAKES_IMAGES = """```
maquette generate --count 16 --seed 7 --model MODEL --out out/
```

```python
from maquette import sample_images

pixels = sample_images("MODEL", count=4, seed=7)  # uint8 [4, height, width], or [4, height, width, 3] in colour
```

Images like those that it learned from; nothing keeps one from coming close to one of them: compare before you publish.
"""

_MEASURES = """Its features measure what other models make:

```
maquette evaluate OTHER --on generation --data.path DATA --classifier MODEL
```"""


def write_card(
    recipe: Recipe,
    labels: Sequence[str],
    terms: Sequence[str],
    shapes: int,
    metrics: Mapping[str, float],
    facts: Mapping[str, object],
    picture: str | None = None,
) -> str:
    """The card as Markdown with its YAML head.

    Args:
        recipe: As it goes into the model, without the machine's folders.
        labels: The classes of the data.
        terms: The terms of use of the data, each once.
        shapes: How many shapes, or images, were trained on.
        metrics: What was measured on the validation part, by name.
        facts: Of the run, by name, each a row of a table: `seconds` and the versions, commit and machine of
            `maquette.training.monitor.environment`.
        picture: The file of the samples beside the card; None for no picture.

    Returns:
        The text of `README.md`.
    """
    system = SYSTEMS[recipe.system]
    usage = (
        _READS_PICTURES
        if system.reads is Reads.VIEWS
        else _COMPLETES_SCANS
        if system.reads is Reads.SCANS
        else _MAKES_SHAPES
    )
    usage = usage if system.makes is Makes.SHAPES else _MAKES_IMAGES if system.makes.images else _MEASURES
    learned = f"{shapes} images" if system.makes.images else (
        f"{shapes} shapes of {len(labels)} classes: {', '.join(labels)}")
    task = (
        "image-to-3d"
        if system.reads is Reads.VIEWS
        else "unconditional-image-generation"
        if system.makes.images
        else ""
    )
    parts = [
        _head(recipe.system, task, ("images",) if system.makes.images else ("3d", "voxels")),
        f"# A {recipe.system} model of maquette",
        recipe.about.strip(),
        f"![What the model makes]({picture})" if picture else "",
        "## How to use it",
        "With `maquette` installed; MODEL is this folder, or the model's `owner/name` on the Hugging Face Hub.",
        usage,
        "## Training data and their terms",
        f"Trained for {recipe.train.steps} steps of {recipe.train.batch} on {learned}.",
        f"Training started from the weights of `{recipe.train.start}`, so the terms of its data are among these."
        if recipe.train.start else "",
        "What may be done with the model is what these terms leave:",
        _list(terms),
        "## Measured on the validation part",
        _table(("", "value"), {name: f"{value:.3f}" for name, value in metrics.items()}) or "Nothing.",
        "## The run",
        _table(("", "value"), _rows(recipe, facts)),
        f"The whole recipe:\n\n```yaml\n{recipes.dump(recipe)}```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def duration(seconds: float) -> str:
    """Seconds in words of hours, minutes and seconds: `1 h 12 min`, `3 min 4 s`, `20 s`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _head(system: str, task: str, tags: Sequence[str]) -> str:
    fields = {
        "license": "other",
        "license_name": "terms-of-the-training-data",
        "library_name": "maquette",
        **({"pipeline_tag": task} if task else {}),
        "tags": ["maquette", *tags, "gan", system],
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False)}---"


def _rows(recipe: Recipe, facts: Mapping[str, object]) -> dict[str, object]:
    """The run's facts, those of the recipe first; what is empty is left out."""
    rows = {"steps": recipe.train.steps, "seed": recipe.train.seed, "precision": recipe.train.precision, **facts}
    if "seconds" in rows:
        rows = {("time" if name == "seconds" else name): value for name, value in rows.items()}
        rows["time"] = duration(float(str(rows["time"])))
    return {name: value for name, value in rows.items() if value not in ("", None)}


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- none known"


def _table(head: Sequence[str], rows: Mapping[str, object]) -> str:
    """A Markdown table of two columns; empty where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows.items()]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
