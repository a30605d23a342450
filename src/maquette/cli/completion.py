"""Completion by the Tab key: `maquette --install-completion` and what it calls.

The scripts below are short: they ask `maquette --complete WORDS...`, so that what they offer is always what this
version knows. The answer is a candidate a line; the line `:files` asks the shell for files beside them.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maquette.cli.help import OPTIONS
from maquette.cli.options import NO_FILES, UsageError
from maquette.cli.parsing import Option, option_of, options_of
from maquette.io.atomic import atomic_path

FILES = ":files"
BASH = """\
# Completion of maquette for bash.
_maquette() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = ":files" ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        else
            COMPREPLY+=("$line")
        fi
    done < <("${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _maquette maquette
"""
ZSH = """\
#compdef maquette
# Completion of maquette for zsh.
_maquette() {
    local -a found
    found=("${(@f)$("${words[1]}" --complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if (( ${found[(Ie):files]} )); then
        found=("${(@)found:#:files}")
        _files
    fi
    found=("${(@)found:#}")
    (( ${#found} )) && compadd -- "${found[@]}"
}
if [ "$funcstack[1]" = "_maquette" ]; then _maquette "$@"; else compdef _maquette maquette; fi
"""
FISH = """\
# Completion of maquette for fish.
function __maquette_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] --complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c maquette -f -a '(__maquette_complete)'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
_MODELS = ("model", "classifier")
"""Parameters that a model is asked for by."""
_USUAL = {
    "on": ("modelnet10", "ikea", "scans", "recognition", "generation"),
    "page": ("a2", "a3", "a4", "a5", "a6", "letter", "legal", "tabloid"),
    "crop": ("centre", "none", "object"),
    "kinds": ("photo", "pencil", "depth"),
    "among": ("furniture",),
    "data.path": ("furniture",),
    "data.kinds": ("photo", "pencil"),
    "train.device": ("auto", "cpu", "cuda"),
}
"""What some texts usually are."""


def script(shell: str = "") -> str:
    """The script of a shell; of the user's own where none is named."""
    shell = shell or _own_shell()
    if shell not in SHELLS:
        raise UsageError("completion is there for bash, zsh and fish", repr(shell),
                         "name one, as in: maquette --show-completion bash")
    return SHELLS[shell]


def install(shell: str = "") -> list[str]:
    """Write the script to the place where the user's shell looks for it.

    Returns:
        Lines that say where it is, and what is left to do.
    """
    shell = shell or _own_shell()
    text = script(shell)
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    place, then = {
        "bash": (data / "bash-completion" / "completions" / "maquette",
                 "new shells find it where the package bash-completion is there; else put this line into ~/.bashrc:\n"
                 "  source {place}"),
        "zsh": (home / ".zfunc" / "_maquette",
                "new shells find it with these lines in ~/.zshrc:\n"
                "  fpath=(~/.zfunc $fpath)\n  autoload -U compinit && compinit"),
        "fish": (config / "fish" / "completions" / "maquette.fish", "new shells find it"),
    }[shell]
    with atomic_path(place) as path:
        path.write_text(text, encoding="utf-8")
    return [f"completion for {shell} written to {place}", then.format(place=place)]


def complete(words: list[str], commands: Mapping[str, Callable[..., Any]], train: Callable[..., Any]) -> list[str]:
    """What can stand in place of the last word.

    Args:
        words: What was typed after `maquette`; the last one is still being typed, and may be empty.
        commands: All commands.
        train: The one whose options are the keys of a recipe.
    """
    *before, current = words or [""]
    found = _next_words(before, commands)
    if not before:
        found += ["--help", *OPTIONS]
    elif before[0] in ("--show-completion", "--install-completion"):
        return _that_begin(SHELLS, current)
    if " ".join(before) not in commands and _next_words(before, commands):
        return _that_begin(dict.fromkeys(found), current)  # no command yet: `data`, `evaluate study`
    name = next((name for count in (3, 2, 1) if (name := " ".join(before[:count])) in commands), "")
    if name:
        rest = before[len(name.split()) :]
        found += _of_recipe(rest, current) if commands[name] is train else _of_command(commands[name], rest, current)
    return _that_begin(dict.fromkeys(found), current)


def _that_begin(found: Any, current: str) -> list[str]:
    return [word for word in found if word == FILES or word.startswith(current)]


def _next_words(before: list[str], commands: Mapping[str, Any]) -> list[str]:
    """The next words of all commands that begin with these."""
    count = len(before)
    return [words[count] for name in commands if len(words := name.split()) > count and words[:count] == before]


def _of_command(command: Callable[..., Any], rest: list[str], current: str) -> list[str]:
    options = options_of(command)
    if current.startswith("-"):
        return ["--help", *(option.name for option in options if not option.positional)]
    asked = next((option for option in options if rest and option.name == rest[-1] and option.takes_value), None)
    arguments = [option for option in options if option.positional]
    given = sum(not word.startswith("-") for word in rest)
    if asked is None and arguments and (given < len(arguments) or arguments[-1].many):
        asked = arguments[min(given, len(arguments) - 1)]
    return _values(asked) if asked else []


def _values(option: Option) -> list[str]:
    """What an option can be: its choices, the known models, files, or nothing that is known."""
    key = option.parameter.rpartition(".")[2]
    if option.choices:
        return list(option.choices)
    if key in _MODELS or option.metavar == "MODEL":
        return [*_models(), FILES]
    return [*_USUAL.get(option.parameter, ()), *([FILES] if option.text and key not in NO_FILES else [])]


def _of_recipe(rest: list[str], current: str) -> list[str]:
    """Recipes, and the keys of the one that was named."""
    from maquette import recipe as recipes
    from maquette.cli.train import type_of

    own = ["--run", "--resume", "--help", "--help-all"]
    named = next((word for word in rest if not word.startswith("-")), "") if rest[:1] != ["--resume"] else ""
    if rest and rest[-1] in own[:2]:
        return [FILES]
    if not rest:
        return own if current.startswith("-") else [*recipes.names(), FILES]
    if named not in recipes.names() and not Path(named).is_file():
        return own
    kind = recipes.recipe_type(recipes.load(named).system)
    keys = {f"--{key.replace('_', '-')}": key for key in recipes.keys(kind)}
    if current.startswith("-"):
        return [*own, *keys]
    key = keys.get(rest[-1], "")
    return _values(option_of(key, type_of(kind, key))) if key else []


def _models() -> list[str]:
    """The models that come with the package."""
    folder = Path(__file__).parents[1] / "pretrained"
    return sorted(path.name for path in folder.iterdir() if (path / "config.json").is_file())


def _own_shell() -> str:
    return Path(os.environ.get("SHELL", "")).name
