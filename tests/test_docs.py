"""Every command that README and docs show exists, with every option that they give it."""

import re
from pathlib import Path

import pytest

from maquette import cli, recipe

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
    name = " ".join(words[:2]) if " ".join(words[:2]) in cli.COMMANDS else words[0]
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
