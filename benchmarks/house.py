"""The structure of the package in numbers: `python benchmarks/house.py [FOLDER OF THE PACKAGE]`.

Files at the top, packages, files over 400 lines, imports that go up through the floors of `pyproject.toml`, keys of
systems that are declared more than once, and lines by package.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONG = 400


def floors() -> dict[str, int]:
    """The floor of each room, the lowest being the largest, as import-linter holds them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return {room: number for number, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}


def upward(package: Path) -> set[tuple[str, str]]:
    """(who, what) of every import of a higher floor."""
    rank = floors()
    names = {module(path, package): path for path in package.rglob("*.py")}
    found = set()
    for name, path in names.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maquette"):
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    target = whole if whole in names else node.module or ""
                    here, there = (rank.get(place.split(".")[1]) if "." in place else None for place in (name, target))
                    if here is not None and there is not None and there < here:
                        found.add((name, target))
    return found


def module(path: Path, package: Path) -> str:
    """`maquette.io.atomic`."""
    parts = [part for part in path.relative_to(package).with_suffix("").parts if part != "__init__"]
    return ".".join(["maquette", *parts])


def declared(package: Path) -> Counter[str]:
    """How often each key of a system's config is declared."""
    count: Counter[str] = Counter()
    for path in [*(package / "systems").glob("*.py"), *package.glob("configs*.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Config"):
                count.update(key.target.id for key in node.body if isinstance(key, ast.AnnAssign)
                             and isinstance(key.target, ast.Name) and "ClassVar" not in ast.dump(key.annotation))
    return count


def main() -> None:
    """Print the table."""
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src" / "maquette"
    sizes = {path.relative_to(package): len(path.read_text().splitlines()) for path in package.rglob("*.py")}
    rooms: Counter[str] = Counter()
    for path, lines in sizes.items():
        rooms[path.parts[0] if len(path.parts) > 1 else "(top)"] += lines
    keys, up = declared(package), upward(package)
    print(f"files at the top      {len(list(package.glob('*.py')))}")
    print(f"packages              {len(list(package.rglob('__init__.py'))) - 1}")
    print(f"files over {LONG} lines  {sum(lines > LONG for lines in sizes.values())}")
    print(f"upward imports        {len(up)}" + "".join(f"\n  {who} -> {what}" for who, what in sorted(up)))
    print(f"keys of systems       {len(keys)}, declared {sum(keys.values())} times")
    print(f"lines                 {sum(sizes.values())}")
    for room, lines in sorted(rooms.items()):
        print(f"  {room:<18}  {lines}")


if __name__ == "__main__":
    main()
