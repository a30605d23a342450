"""What is read without tyro, tyro reads to the same values; what is typed otherwise is left to it."""

import random
import shlex

import pytest

from maquette.cli import tyro_parsing
from maquette.cli.commands import COMMANDS
from maquette.cli.parsing import docs, options_of, with_bare
from maquette.cli.plainly import read_plainly

NAMES = sorted(set(COMMANDS) - {"train"})
VALUES = ("3", "0", "1.5", "007", "chair.png", "a b", "stl", "auto", "z", "front", "", "None", "-", "-3", "1e3", "inf",
          "x=1", "é", "１")


def by_tyro(name: str, words: list[str]) -> dict:
    values, unknown = tyro_parsing.read(COMMANDS[name], words, name)
    assert not unknown, words
    return values


def same(name: str, words: list[str]) -> bool:
    """Whether the words are read plainly; if so, tyro reads the same, type by type."""
    plain = read_plainly(COMMANDS[name], words)
    if plain is None:
        return False
    other = by_tyro(name, words)
    assert plain == other and list(plain) == list(other), words
    assert [type(value) for value in plain.values()] == [type(value) for value in other.values()], words
    return True


def lines(name: str, count: int) -> list[list[str]]:
    """Words of a command at random: its options in any order, with values that fit and that do not."""
    rng, found = random.Random(name), []
    options = options_of(COMMANDS[name])
    for _ in range(count):
        parts = []
        for option in rng.sample(options, rng.randint(0, min(4, len(options)))):
            values = [rng.choice(option.choices or VALUES) for _ in range(rng.randint(1, 3) if option.many else 1)]
            parts.append([*[option.name] * (not option.positional), *values * option.takes_value])
        parts += [[rng.choice(VALUES)]] * (rng.random() < 0.3)
        rng.shuffle(parts)
        found.append([word for part in parts for word in part])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_any_words_are_read_as_by_tyro(name):
    for words in lines(name, 60):
        same(name, words)


def test_the_examples_of_pictures_and_scans_are_read_plainly():
    for name in ("reconstruct", "complete", "generate", "relief"):
        for example in docs(COMMANDS[name]).examples:
            words = shlex.split(example)
            assert same(name, with_bare(COMMANDS[name], words[1 + len(name.split()):])), example


@pytest.mark.parametrize("line", [
    "", "--size-mm=80 a.png", "a.png --size-mm", "a.png --size-mm -80", "a.png --size-mm big", "a.png --by magic",
    "a.png --preview b.png", "a.png --no-preview", "--bie model a.png", "a.png --out a --out b", "a.png --sides",
    "a.png --size_mm 80", "--help a.png"])
def test_what_is_typed_otherwise_is_left_to_tyro(line):
    assert read_plainly(COMMANDS["reconstruct"], shlex.split(line)) is None
