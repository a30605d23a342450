"""What a run says of where it ran: true versions, the true commit, and nothing that names the machine."""

import platform
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from maquette.training.monitor import environment as module
from maquette.training.monitor.environment import commit, environment


def git(folder, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *words],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path):
    """A package in a work tree of its own, committed."""
    folder = tmp_path / "tree" / "src" / "thing"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("a = 1\n")
    (tmp_path / "tree" / "notes.txt").write_text("1")
    (tmp_path / "tree" / ".gitignore").write_text("venv/\n")
    git(tmp_path / "tree", "init", "-q")
    git(tmp_path / "tree", "add", ".")
    git(tmp_path / "tree", "commit", "-q", "-m", "first")
    return folder


def test_versions_are_those_that_run():
    facts = environment()
    assert facts["torch"] == torch.__version__ and facts["numpy"] == np.__version__
    assert facts["python"] == platform.python_version() and facts["threads"] == str(torch.get_num_threads())
    assert facts["lightning-fabric"] and facts["processor"] and facts["machine"].split()[0] == platform.system()
    assert all(isinstance(value, str) for value in facts.values())


def test_nothing_names_the_machine(monkeypatch):
    def asked(*_arguments):
        raise AssertionError("the machine's name is nobody's business")

    for owner, name in ((socket, "gethostname"), (socket, "getfqdn"), (platform, "node")):
        monkeypatch.setattr(owner, name, asked)
    assert str(Path(module.__file__).parents[2]) not in " ".join(environment().values())


def test_the_commit_says_whether_the_source_is_changed(package):
    tree = package.parents[1]
    head = git(tree, "rev-parse", "HEAD")
    assert len(head) == 40 and commit(package) == head
    (tree / "notes.txt").write_text("2")
    assert commit(package) == head, "what is not source does not count"
    (package / "__init__.py").write_text("a = 2\n")
    assert commit(package) == f"{head}+changes"
    git(tree, "checkout", "-q", ".")
    (package / "new.py").write_text("")
    assert commit(package) == f"{head}+changes", "a file that git does not know may be imported as well"


def test_an_installed_package_has_no_commit(package, tmp_path, monkeypatch):
    inside = package.parents[1] / "venv" / "thing"
    inside.mkdir(parents=True)
    (inside / "__init__.py").write_text("")
    assert commit(inside) == "", "the work tree around it is another project's"
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "loose").mkdir()
    assert commit(tmp_path / "loose") == ""
    monkeypatch.setenv("PATH", "")
    assert commit(package) == "", "no git, no commit, no error"
