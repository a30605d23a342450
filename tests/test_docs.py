"""README and docs: every command exists with every option, every recipe and key is explained with its default, and
every file, module and heading that a page names is there.
"""

import ast
import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from maquette import recipe, renamed
from maquette.cli import commands as cli
from maquette.systems import SYSTEMS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "RESULTS.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = [
    (page.name, line.split("#")[0].strip())
    for page in PAGES
    for block in re.findall(r"```[a-z]*\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("maquette ")
]


def help_of(arguments: list[str], capsys) -> str:
    with pytest.raises(SystemExit):
        cli.main([*arguments, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("page, line", COMMANDS)
def test_commands_of_the_docs_exist(page, line, capsys):
    words = line.split()[1:]
    name = next((known for k in (3, 2) if (known := " ".join(words[:k])) in cli.COMMANDS), words[0])
    assert name in cli.COMMANDS, f"{page}: {line}"
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    known = help_of(name.split(), capsys)
    if name == "train":
        named = [word for word in words[1:] if word in recipe.names()]
        known += "--run --resume" + help_of(["train", named[0] if named else "bundled"], capsys)
    missing = [option for option in options if option not in known]
    assert not missing, f"{page}: {line}: {missing}"


def test_pictures_and_pages_that_are_linked_are_there():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_headings_that_are_linked_are_there():
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert anchor in anchors(page.parent / target if target else page), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_are_named_are_there(page):
    named = re.findall(r"(?<![\w/.])(?:src|tests|benchmarks|examples)/[\w./-]*\w", page.read_text(encoding="utf-8"))
    assert not [path for path in named if not (ROOT / path).exists()]


def found(name: str) -> bool:
    """Whether a dotted name such as `maquette.geometry.mesh.components` is a module or an attribute of one."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


def imported(block: str) -> set[str]:
    """Every dotted name of this package that a block of Python imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "maquette"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_and_classes_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r"\bmaquette(?:\.[A-Za-z_]\w*)+", text))
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        names |= imported(block)
    assert not [name for name in names if not found(name)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_keys_that_are_named_exist(page):
    known = {f"{section}.{key.name}" for section, kind in SECTIONS.items() for key in dataclasses.fields(kind)}
    known |= {f"model.{key.name}" for system in SYSTEMS.values() for key in dataclasses.fields(system.Config)}
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:`|--)((?:model|data|optim|train)\.[a-z_][\w-]*)", text)
    assert not [key for key in named if key not in FILES and key.replace("-", "_") not in known]
    assert not re.findall(rf"`({'|'.join(renamed.KEYS['model'])})`", text), "a name of the first release"


FILES = {"model.safetensors"}
"""What looks like a key and is a file."""
SECTIONS = {"data": recipe.DataRecipe, "optim": recipe.OptimRecipe, "train": recipe.TrainRecipe}


def rows_of(page: str) -> list[list[str]]:
    """The cells of every row of the tables in a page."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]


def shown(value: object) -> str:
    """A default as the tables show it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def test_the_page_on_training_has_every_key_of_a_run_with_its_default():
    told = {row[0]: row[1] for row in rows_of("train.md") if len(row) == 3}
    known = {f"`{section}.{key.name}`": shown(key.default)
             for section, kind in SECTIONS.items() for key in dataclasses.fields(kind)}
    assert {key: told.get(key) for key in known} == known
    assert {key for key in told if key.split(".")[0] in ("`data", "`optim", "`train")} == set(known), "no key of old"


def test_the_page_on_training_has_every_key_of_the_systems_with_their_defaults():
    letters = {"gan3d": "G", "vae-gan-image": "VG", "iwgan": "W", "vae-iwgan-image": "VW", "vae-iwgan-scan": "VS",
               "classifier": "C", "wgan-gp": "I", "graf": "GR", "3dgen": "DG"}
    assert set(letters) == set(SYSTEMS)
    known: dict[tuple[str, str], str] = {}
    for system, letter in letters.items():
        for key in dataclasses.fields(SYSTEMS[system].Config):
            known[f"`model.{key.name}`", letter] = shown(key.default)
    told = {}
    for key, cell in [row[:2] for row in rows_of("train.md") if row[0].startswith("`model.")]:
        for default, letters_of in re.findall(r"([^;()]+) \(([A-Z ]+)\)", cell):
            told |= {(key, letter): default.strip() for letter in letters_of.split()}
    assert told == known


def test_the_page_on_training_has_every_recipe_with_its_system():
    rows = [row for row in rows_of("train.md") if len(row) == 6]
    told = {name: row[1] for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
    assert set(told) == set(recipe.names())
    for name, system in told.items():
        assert name.endswith("-tiny") or f"`{recipe.load(name).system}`" in system


def test_every_system_has_a_page_that_names_its_recipe_and_its_keys():
    for system in SYSTEMS:
        page = (ROOT / "docs" / "systems" / f"{system}.md").read_text(encoding="utf-8")
        assert f"maquette train {system}" in page and "## Numbers" in page, system
        if system in ("gan3d", "vae-gan-image", "iwgan", "classifier", "wgan-gp", "graf", "3dgen"):
            keys = [f"`model.{key.name}`" for key in dataclasses.fields(SYSTEMS[system].Config)]
            assert not [key for key in keys if key not in page], system
