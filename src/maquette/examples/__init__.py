"""Example inputs for every command of the README: drawings, photo-like renders, a page on a desk, a depth scan.

All were made by programs (`benchmarks/example_pictures.py` and the renderers), none by a camera. `photo-*.png` and the
other pictures at the top are what `maquette demo` reconstructs.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from maquette.events import Note, Written
from maquette.io.atomic import atomic_path

FOLDER = Path(__file__).parent


def example_files() -> list[Path]:
    """The files of the examples."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))


def copy_examples(out: str | Path = "examples") -> Iterator[Written | Note]:
    """Copy the examples into a folder; a file that is there already is left as it is.

    Args:
        out: The folder; made if it is not there.

    Yields:
        A Note for each file that was left as it is because it is another one, then one Written.
    """
    out, copied, same = Path(out), [], 0
    for source in example_files():
        target = out / source.relative_to(FOLDER)
        if target.exists():
            if target.is_file() and target.read_bytes() == source.read_bytes():
                same += 1
            else:
                yield Note(f"kept {target}: a file of this name is there already and was not written over")
            continue
        with atomic_path(target) as path:
            shutil.copyfile(source, path)
        copied.append(target)
    there = f", {same} {'was' if same == 1 else 'were'} there already" if same else ""
    line = f"{len(copied)} file{'' if len(copied) == 1 else 's'} copied{there}"
    summary = {"folder": str(out), "copied": [str(path) for path in copied], "there_already": same}
    yield Written(str(out), (), line, summary)
