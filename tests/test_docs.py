"""README and docs: their commands and Python run, or at least fit; every recipe and key is explained with its default;
every file, module, key and heading that a page names is there.

A page's commands and blocks are run in order in a folder with the example pictures under the names that the pages use,
made lighter by options after their own. What would take minutes, or needs hardware, data or a network, is in `NOT_RUN`
with its reason: of these lines every command, option and value is parsed.
"""

import ast
import contextlib
import dataclasses
import importlib
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from command import call
from PIL import Image

from maquette import recipe, renamed
from maquette.cli import commands as cli
from maquette.cli.parsing import parsed
from maquette.cli.train import FIRST, OWN, _with_options
from maquette.errors import UserError
from maquette.examples import FOLDER as EXAMPLES
from maquette.models import hub
from maquette.systems import SYSTEMS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "RESULTS.md", *sorted((ROOT / "docs").rglob("*.md"))]


def steps_of(page: Path) -> list[str]:
    """The commands and the blocks of Python in a page, in order; a block has more lines than one, or no `maquette `."""
    found = []
    for language, block in re.findall(r"```([a-z]*)\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        if language == "python":
            found.append(block)
        else:
            lines = [line for line in block.replace("\\\n", " ").splitlines() if line.startswith("maquette ")]
            found += [re.sub(r" +", " ", line.split("  #")[0]).strip() for line in lines]
    return found


def is_python(step: str) -> bool:
    return not step.startswith("maquette ")


STEPS = {page: steps_of(page) for page in PAGES}
COMMANDS = [(page.name, line) for page, steps in STEPS.items() for line in steps if not is_python(line)]

NOT_RUN = {
    r"RESULTS.md .*": "figures of hours, kept in RESULTS.md",
    r"(your-shapes|train|scale|classifier|gan3d|graf|iwgan|3dgen|vae-\S+|wgan-gp|evaluate-images).md maquette .*":
        "trains, or works on what was trained; tiny recipes are trained in tests/training and tests/e2e",
    r"images.md maquette .*": "a folder of pictures of its own; tests/datasets/images runs these commands",
    r"data.md maquette data (prepare|render images|show|audit) .*": "minutes of rendering; tests/datasets runs these",
    r"README.md maquette train .*": "seconds to minutes; tests/e2e/test_terminal.py trains this recipe",
    r"\S+ maquette (pickup|loop) .*camera:0.*": "needs a camera",
    r"loop.md maquette loop .*(--camera|chair.jpg --out loop/).*": "waits for a scanner or a photograph",
    r"pickup.md maquette pickup (film|scans).*": "needs a film, or a scanner that writes into the folder",
    r"\S+ maquette plot .*--port.*": "needs a plotter; tests/e2e/test_plot_commands.py has one that is simulated",
    r"\S+ maquette reconstruct .*--model RUN.*": "needs a trained model; tests/e2e/test_inversion_commands.py has one",
    r"\S+ maquette suggest .*--among furniture.*": "renders 300 objects; the line below it runs with a few",
    r"completion.md maquette --(install|show).*": "tests/e2e/test_completion.py runs these",
    r"studio.md (maquette studio( --models .*)?|pip install .*|python -m http.server .*)":
        "serves until it is ended; tests/studio has it in a browser",
    r"evaluate-images.md .*import hashlib.*": "needs the weights of an Inception network",
    r"plotter.md .*api.plot.*": "needs a plotter",
    r"data.md .*(mesh_quality|data/rooms).*": "needs meshes of a trained model, and scenes of rooms",
}
"""What is parsed but not run: a pattern of `PAGE COMMAND`, and why."""
LIGHTER = {
    "reconstruct": "--format stl --no-preview",
    "complete": "--no-preview",
    "generate": "--count 1",
    "interpolate": "--steps 2 --frames 1",
    "project": "--steps 2 --starts 1 --draws 1",
    "suggest": "--known 4 --count 2 --workers 1",
    "loop": "--rounds 1",
    "data render": "--count 1 --size-px 32",
    "relief": "--detail-px 60",
}
"""Options that make a command take seconds, put after its own."""


def reason(page: str, step: str) -> str:
    """Why a step is not run; empty where it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.fullmatch(pattern, f"{page} {step}", re.S)), "")


@pytest.mark.parametrize("page, line", COMMANDS)
def test_every_command_option_and_value_fits(page, line):
    words = shlex.split(re.sub(r"\(.*?\)", "", line))[1:]
    if words[0].startswith("--") or "..." in words[:3]:
        return
    name, rest = cli.split(words)
    assert name in cli.COMMANDS, line
    if name != "train":
        parsed(cli.COMMANDS[name], rest, name)
        return
    own = [rest.index(option) for option in OWN if option in rest]
    for place in sorted(own, reverse=True):
        del rest[place : place + 2]
    named = rest.pop(0) if rest and rest[0] in recipe.names() else "bundled"
    _with_options(recipe.load(named), rest, named)


def test_every_reason_is_needed():
    steps = [f"{page.name} {step}" for page, steps in STEPS.items() for step in steps]
    assert not [pattern for pattern in NOT_RUN if not any(re.fullmatch(pattern, step, re.S) for step in steps)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all that the pages name, to be copied for each page."""
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for source, *targets in [("chair.png", "chair.png", "sketch.png", "sketches/chair.png", "front.jpg", "side.jpg"),
                             ("sofa.png", "sofa.png", "back.jpg"),
                             ("drawings/fish.png", "fish.png"), ("drawings/vase.png", "vase.png"),
                             ("drawings/page.jpg", "desk.jpg"), ("photo-sofa.png", "photo.png"),
                             ("scans/chair.png", "depth.png"), ("scans/camera.json", "camera.json")]:
        for target in targets:
            (folder / target).parent.mkdir(exist_ok=True)
            shutil.copyfile(EXAMPLES / source, folder / target)
    Image.open(EXAMPLES / "photo-chair.png").convert("RGB").save(folder / "chair.jpg")
    box = trimesh.creation.box((0.6, 0.5, 1.0))
    for name in ("chair.stl", "chair.off"):
        box.export(folder / name)
    solid = np.zeros((32, 32, 32), bool)
    solid[4:28, 8:24, 8:24] = True
    for name in ("sofa.npz", "edited.npz"):
        np.savez(folder / name, voxels=solid)
    with contextlib.chdir(folder):
        assert call("draw", "chair.stl", "--out", "drawing.svg") == 0
        for name, system, kept in (("chairs", "3dgen-tiny", {}), ("panoramic", "wgan-gp-tiny", {})):
            torch.manual_seed(0)
            made = recipe.load(system)
            hub.save(folder / "runs" / name, SYSTEMS[made.system](made.model), kept, "not trained", {})
        prepare = ("data", "prepare", "images", "examples", "--size", "64x32", "--holdout", "2", "--workers", "1")
        assert call(*prepare, "--out", "data/panoramic") == 0
    return folder


RUNNABLE = {page.stem: run for page, steps in STEPS.items() if (run := [s for s in steps if not reason(page.name, s)])}


@pytest.mark.parametrize("page", RUNNABLE)
def test_what_a_page_shows_works(page, place, tmp_path, monkeypatch, capsys):
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for step in RUNNABLE[page]:
        if is_python(step):
            exec(compile(light(step), f"{page}.md", "exec"), {"__name__": "__docs__"})
            continue
        name, rest = cli.split(shlex.split(step)[1:])
        if name == "examples":
            shutil.rmtree(tmp_path / "examples")
        code = call(*name.split(), *rest, *shlex.split(LIGHTER.get(name, "")))
        assert code == 0, f"{step}\n{capsys.readouterr().err}"


def light(block: str) -> str:
    """A block of Python with smaller numbers."""
    smaller = {"rounds=5": "rounds=1", "steps=5)": "steps=3)", "steps=300, seconds=120": "steps=1, seconds=0.5",
               "resolution=128": "resolution=32", "count=100": "count=2", "found.latent)": "found.latent, 32)"}
    for many, few in smaller.items():
        block = block.replace(many, few)
    return block


def test_a_command_that_does_not_fit_is_found():
    with pytest.raises(UserError, match="unknown option '--colour'"):
        test_every_command_option_and_value_fits("x.md", "maquette draw chair.stl --colour red")
    with pytest.raises(UserError, match="--hatch must be a whole number"):
        test_every_command_option_and_value_fits("x.md", "maquette draw chair.stl --hatch red")
    with pytest.raises(UserError, match="unknown option '--train.stepz'"):
        test_every_command_option_and_value_fits("x.md", "maquette train iwgan-tiny --run x --train.stepz 3")
    with pytest.raises(AssertionError):
        test_every_command_option_and_value_fits("x.md", "maquette drow chair.stl")


def test_the_keys_that_are_shown_first_are_keys():
    keys = {key for name in recipe.names() for key in recipe.keys(recipe.recipe_type(recipe.load(name).system))}
    assert set(FIRST) <= keys


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
    named = re.findall(r"(?<![\w/.])(?:src|tests|benchmarks)/[\w./-]*\w", page.read_text(encoding="utf-8"))
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
    names = set(re.findall(r"(?<![\w/])maquette(?:\.[A-Za-z_]\w*)+", text))
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


FILES = {"model.safetensors", "data.json"}
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
               "classifier": "C", "wgan-gp": "I", "graf": "GR", "3dgen": "DG", "vae-iwgan-view": "VV"}
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


def test_every_promise_names_a_test_that_is_there():
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!promise |---)(.+) \| (\S+) \|$", page, re.M)
    assert len(rows) > 30 and len(rows) == sum(line.startswith("|") for line in page.splitlines()) - 8
    for promise, test in rows:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{promise}: {test}"
