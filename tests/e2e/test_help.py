"""Help as a user reads it; every page is kept in tests/data/help.txt (pytest --update-snapshots writes it anew)."""

import re
import resource
import shlex
import subprocess
import sys

import pytest
from command import call
from snapshots import Snapshot

from maquette import recipe as recipes
from maquette.cli import commands as cli
from maquette.cli.parsing import docs

PAGES = ["--help", *(f"{name} --help" for name in cli.COMMANDS), "data --help", "evaluate study --help",
         "train iwgan-tiny --help", "train wgan-gp-tiny --help"]


@pytest.fixture
def page(capsys, monkeypatch):
    """The help that a line asks for, at a width."""

    def read(line: str, columns: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        assert call(*line.split()) == 0
        return capsys.readouterr().out

    return read


def test_the_pages_are_as_they_were(page, snapshot):
    snapshot.check("help.txt", "\n".join(f"$ maquette {line}\n{page(line)}" for line in PAGES))


def test_a_changed_page_fails(page, snapshot, tmp_path):
    kept = (snapshot.folder / "help.txt").read_text()
    (tmp_path / "help.txt").write_text(kept.replace("(default: 16)", "(default: 17)", 1))
    with pytest.raises(AssertionError, match="default: 17"):
        test_the_pages_are_as_they_were(page, Snapshot(tmp_path, False))


@pytest.mark.parametrize("line", PAGES)
def test_defaults_are_said_once_and_only_where_they_say_something(line, page):
    text = page(line)
    for odd in ("{None}", "None", "(default: )", "(default: '')", "(default: False)", "default: True", "--no-json"):
        assert odd not in text, odd
    assert not re.search(r"left out[^\n]*\(default", text)
    options = re.split(r"\n  (?=-)", text)
    assert not [option for option in options if option.count("(default:") > 1]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_page_ends_with_examples_that_can_be_copied(name, page):
    ends = re.split(r"\nexamples?:\n", page(f"{name} --help", 40))
    assert len(ends) == 2
    shown = [line.strip() for line in ends[1].splitlines() if line.startswith("  ")]
    assert tuple(shown) == docs(cli.COMMANDS[name]).examples, "whatever the width, they are not wrapped"
    assert any(line.startswith(f"maquette {name}") for line in shown)


@pytest.mark.parametrize("line", [example for command in cli.COMMANDS.values() for example in docs(command).examples])
def test_the_options_of_the_examples_are_there(line, page):
    words = shlex.split(line)[1:]
    name, rest = cli.split(words)
    assert name in cli.COMMANDS
    known = page("train iwgan-tiny --help-all" if name == "train" else f"{name} --help")
    assert not [word for word in rest if word.startswith("--") and word not in known]


def test_the_first_page_groups_the_commands_with_a_line_each(page):
    text = page("--help", 80)
    headings = [line for line in text.splitlines() if re.fullmatch(r"[A-Z][a-z ]+", line)]
    assert headings == ["Make objects", "Draw and plot", "Research", "Data", "Models and runs", "Other"]
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(docs(command).line)}$", text, re.M)
    assert max(map(len, text.splitlines())) <= 80


def test_a_group_shows_its_own_commands(page):
    text = page("models --help")
    assert "models push" in text and "runs list" not in text and "--version" not in text


def test_the_recipes_are_listed_with_a_line_each(page):
    lines = page("train --help").splitlines()
    for name in recipes.names():
        line = next(line for line in lines if line.startswith(f"  {name} "))
        assert len(line.split(maxsplit=1)[1]) > 10 and len(line) < 120


def test_a_recipe_shows_what_is_changed_first_and_the_rest_on_request(page):
    short, long = page("train vae-iwgan-image --help"), page("train vae-iwgan-image --help-all")
    first = ("--run", "--resume", "--data.path", "--data.classes", "--train.steps", "--train.batch", "--train.seed",
             "--train.device", "--optim.lr", "--model.resolution")
    assert all(f"  {option} " in short for option in first) and "--help-all shows every key" in short
    shown = re.findall(r"^  (--[a-z][\w.-]+)", short, re.M)
    assert set(shown) == {*first, "--model.view-size"}
    assert shown == [option for option in re.findall(r"^  (--[a-z][\w.-]+)", long, re.M) if option in shown]
    assert "(default: 32)" in short and "--about" not in short
    kind = recipes.recipe_type("vae-iwgan-image")
    keys = {f"--{key.replace('_', '-')}" for key in recipes.keys(kind)} - {"--system", "--about"}
    assert not [key for key in keys if f"  {key}" not in long]


def test_help_takes_little_time_and_nothing_heavy():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = ("import sys; from maquette import cli; cli.run(['--help']); "
            "print({'torch', 'rich', 'numpy'} & set(sys.modules))")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found.stdout.strip().endswith("set()")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_what_a_plotter_s_heights_are_follows_from_what_lifts_the_pen():
    from maquette.cli.parsing import parsed

    machine = parsed(cli.COMMANDS["draw"], ["a.stl", "--lift", "servo"], "draw")["machine"]
    assert (machine.pen_up, machine.pen_down) == (0, 1000)
    machine = parsed(cli.COMMANDS["draw"], ["a.stl", "--pen-up", "None", "--no-preview"], "draw")["machine"]
    assert (machine.pen_up, machine.pen_down) == (3, 0)
