"""The Tab key: what is offered, in real bash too, and where the scripts are put."""

import os
import shutil
import stat
import subprocess
import sys

import pytest
from command import call

from maquette.cli import commands as cli
from maquette.cli.completion import FILES, complete


def offered(*words: str) -> list[str]:
    return complete(list(words), cli.COMMANDS, cli.COMMANDS["train"])


@pytest.mark.parametrize("words, found", [
    (("tr",), ["train"]),
    (("data", ""), ["prepare", "render", "show", "audit"]),
    (("data", "prepare", ""), ["images", FILES]),
    (("data", "prepare", "--view"), ["--views", "--view-size"]),
    (("evaluate", "study", ""), ["make", "score"]),
    (("evaluate", "x", "--on", "re"), ["recognition", FILES]),
    (("generate", "--model", ""), ["maquette", "modelnet", "scan", FILES]),
    (("models", "show", "mo"), ["modelnet", FILES]),
    (("models", "show", "modelnet", ""), []),
    (("generate", "--format", "g"), ["glb"]),
    (("generate", "--count", ""), []),
    (("draw", "--lift", ""), ["z", "servo"]),
    (("draw", "--hatch-p"), ["--hatch-pen"]),
    (("reconstruct", "a.png", ""), [FILES]),
    (("train", "iwgan-t"), ["iwgan-tiny", FILES]),
    (("train", "--re"), ["--resume"]),
    (("train", "--resume", ""), [FILES]),
    (("train", "iwgan-tiny", "--model.gen"), ["--model.generator", "--model.generator-channels"]),
    (("train", "iwgan-tiny", "--model.generator", ""), ["paper", "subvoxel"]),
    (("train", "iwgan-tiny", "--data.path", ""), ["furniture", FILES]),
    (("train", "iwgan-tiny", "--train.steps", ""), []),
    (("train", "iwgan-tiny", "--help"), ["--help", "--help-all"]),
    (("--show-completion", ""), ["bash", "zsh", "fish"]),
    (("--ver",), ["--version"]),
    (("nothing", ""), []),
])
def test_what_is_offered(words, found):
    assert offered(*words) == found


def test_every_command_and_every_option_is_offered(capsys):
    assert {word.split()[0] for word in cli.COMMANDS} <= set(offered(""))
    for name in cli.COMMANDS:
        assert call(*name.split(), "--help") == 0
        text = capsys.readouterr().out
        options = [word for word in offered(*name.split(), "--") if name != "train" and not word.startswith("--help")]
        assert all(f"  {option}" in text for option in options), name


@pytest.fixture
def shell(tmp_path):
    """Runs bash with `maquette` on its path and the files a.png and maps/ beside it."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not here")
    command = tmp_path / "bin" / "maquette"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c 'from maquette.cli import main; main()' \"$@\"\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    work = tmp_path / "work"
    (work / "my maps").mkdir(parents=True)
    (work / "a b.png").touch()
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(tmp_path / "home"),
                   "SHELL": bash}
    environment.pop("XDG_DATA_HOME", None)

    def run(script: str) -> str:
        done = subprocess.run([bash, "--norc", "-c", script], cwd=work, env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout

    return run


def test_real_bash_completes(shell, tmp_path):
    said = shell("maquette --install-completion")
    place = tmp_path / "home" / ".local" / "share" / "bash-completion" / "completions" / "maquette"
    assert f"written to {place}" in said and f"source {place}" in said.splitlines()[-1]
    assert shell("maquette --show-completion bash") == place.read_text()
    assert shell("maquette --show-completion") == place.read_text()
    found = shell(f"""
        source '{place}'
        complete -p maquette
        press() {{
            COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
            _maquette
            printf '%s|' "${{COMPREPLY[@]}}"; echo
        }}
        press maquette rec
        press maquette data ''
        press maquette train iwgan-tiny --train.st
        press maquette models show s
        press maquette reconstruct ''
        press maquette draw --lift ''
    """).splitlines()
    assert found == ["complete -F _maquette maquette", "reconstruct|", "prepare|render|show|audit|",
                     "--train.steps|--train.start|--train.strategy|", "scan|", found[5], "z|servo|"]
    assert set(found[5].strip("|").split("|")) == {"a b.png", "my maps"}


@pytest.mark.parametrize("shell_name, place", [("zsh", ".zfunc/_maquette"),
                                               ("fish", ".config/fish/completions/maquette.fish")])
def test_the_other_scripts_are_written_where_their_shells_look(shell_name, place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert call("--install-completion", shell_name) == 0
    assert f"completion for {shell_name} written to {tmp_path / place}" in capsys.readouterr().out
    assert call("--show-completion", shell_name) == 0
    assert capsys.readouterr().out == (tmp_path / place).read_text()


def test_completion_itself_is_no_command_that_fails_loudly(capsys):
    assert call("--complete") == 0 and call("--complete", "train", "gone.yaml", "--") == 0
    assert capsys.readouterr().err == ""
