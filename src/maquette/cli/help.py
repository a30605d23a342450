"""What `maquette --help` and `maquette COMMAND --help` print."""

from collections.abc import Callable, Mapping
from typing import Any

from maquette.cli.parsing import docs

NEEDS_EXAMPLES = "The files of examples/ come with: maquette examples"
OPTIONS = {
    "--version": "Say which version this is.",
    "--install-completion": "Let the Tab key complete commands (bash, zsh, fish).",
    "--show-completion": "Print the script that does it, for a shell.",
}
"""What can stand in place of a command."""


def overview(groups: Mapping[str, Mapping[str, Callable[..., Any]]], within: str = "") -> str:
    """The first page: each command in a line, below headings.

    Args:
        groups: Headings, and below each names of commands and their functions.
        within: Only the commands that begin with this word.
    """
    shown = {heading: {name: docs(command).line for name, command in commands.items()
                       if not within or name.startswith(f"{within} ")} for heading, commands in groups.items()}
    if not within:
        shown["Other"] = {**shown.get("Other", {}), **OPTIONS}
    wide = max(len(name) for commands in shown.values() for name in commands)
    lines = [f"usage: maquette {within} COMMAND ..." if within else "usage: maquette COMMAND ...", "",
             "A pencil sketch, a photo or a depth scan in, a printable mesh out.", ""]
    for heading, commands in shown.items():
        if commands:
            lines += [heading, *(f"  {name:<{wide}}  {line}" for name, line in commands.items()), ""]
    return "\n".join([*lines, "maquette COMMAND --help lists the options of a command, with examples."])


def command_help(command: Callable[..., Any], name: str) -> None:
    """Print a command's help: what it does, its options, examples."""
    from maquette.cli.tyro_parsing import show_help

    told = docs(command)
    show_help(command, f"maquette {name}", told.about)
    print_examples(told.examples)


def print_examples(examples: tuple[str, ...]) -> None:
    """Print commands that work as typed, each on a line of its own, however long."""
    print("\nexamples:" if len(examples) > 1 else "\nexample:")
    for example in examples:
        print(f"  {example}")
    if any(" examples/" in example for example in examples):
        print(NEEDS_EXAMPLES)
