"""The process that reads: one line of JSON in for each input, one line out for what came of it.

It may use 2 GB. What anybody writes to its standard output or standard error, at whatever level, is kept and counts.
"""

import ctypes
import faulthandler
import io
import json
import os
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

MEMORY_BYTES = 2 << 30
"""Of data: heap, stacks and private memory maps. Libraries alone take 0.6 GB of it."""
LONGEST_LINE = 1000
"""Letters of an error line, its path not counted."""


class Wrong(Exception):
    """What an input did that none may do: the sort of it, and a line about it."""

    def __init__(self, sort: str, detail: str):
        super().__init__(detail)
        self.sort, self.detail = sort, detail


def main() -> None:
    """Answer until the input ends. The first argument is the file descriptor of the answers, the second a log file."""
    answers = os.fdopen(int(sys.argv[1]), "w")
    log = open(sys.argv[2], "r+b")
    faulthandler.enable(log)
    if hasattr(faulthandler, "register"):
        import signal

        faulthandler.register(signal.SIGUSR1, log, chain=False)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.resetwarnings()
    for quiet in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):  # as users have them
        warnings.simplefilter("ignore", quiet)
    heard = tempfile.TemporaryFile()
    requests = os.fdopen(os.dup(0), "r")
    for number, descriptor in ((0, os.open(os.devnull, os.O_RDONLY)), (1, heard.fileno()), (2, heard.fileno())):
        os.dup2(descriptor, number)
    sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(os.dup(n), "wb", 0), write_through=True) for n in (1, 2))
    for request in requests:
        print(json.dumps(answer(json.loads(request), heard)), file=answers, flush=True)


def answer(asked: dict, heard) -> dict[str, str]:
    """What came of one input: `outcome` read, refused or failed, and of failures `sort`, `detail` and `where`."""
    from strange.canaries import CANARIES
    from strange.kinds import KINDS

    kind = (KINDS | CANARIES)[asked["kind"]]
    path, folder, out = Path(asked["path"]), Path(asked["folder"]), Path(asked["out"])
    os.chdir(out.parent)
    outcome = ""
    for reader in kind.readers:
        name = getattr(reader, "__name__", "reader")
        try:
            line = called(reader, path, folder, out, heard)
        except Wrong as wrong:
            return {
                "outcome": "failed",
                "sort": wrong.sort,
                "detail": f"{name}: {wrong.detail}"[:400],
                "where": getattr(wrong, "where", name),
            }
        outcome = outcome or ("refused" if line else "read")
    return {"outcome": outcome}


def called(reader, path: Path, folder: Path, out: Path, heard) -> str:
    """The error line of a reader, or an empty text; raises Wrong for what no input may cause."""
    from maquette.errors import PlainWarning, RenamedWarning, UserError

    warnings.simplefilter("always")
    for quiet in (
        DeprecationWarning,
        PendingDeprecationWarning,
        ImportWarning,
        ResourceWarning,
        RenamedWarning,
        PlainWarning,
    ):
        warnings.simplefilter("ignore", quiet)
    before = _state(folder)
    line = ""
    try:
        reader(path, out)
    except UserError as error:
        line = str(error)
        _check_line(line, path)
    except BaseException as error:  # PyO3's panics are no Exception
        wrong = Wrong(_sort(error), f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        wrong.where = f"{type(error).__name__} {_where(error)}"
        raise wrong from None
    finally:
        said = _heard(heard)
    if said:
        raise Wrong("output", said)
    if (now := _state(folder)) != before:
        raise Wrong("left", f"beside the input: {sorted(set(now) ^ set(before)) or 'changed'}")
    left = [str(file) for file in out.parent.iterdir() if file != out]
    if left:
        raise Wrong("left", f"in the working or temporary folder: {left}")
    return line


def _check_line(line: str, path: Path) -> None:
    """Raises Wrong for what is no line for a terminal, or tells of folders that the user did not name."""
    if not line.strip() or "\n" in line or not line.isprintable():
        raise Wrong("message", f"no printable line: {line!r}")
    bare = line.replace(str(path), "IT").replace(str(path.parent), "DIR")
    if len(bare) > LONGEST_LINE:
        raise Wrong("message", f"{len(bare)} letters: {bare[:150]!r}")
    if tempfile.gettempdir() in bare:
        raise Wrong("message", f"a temporary path: {bare!r}")
    if "more memory than there is" in line:
        raise Wrong("memory", bare)


def _sort(error: BaseException) -> str:
    if isinstance(error, MemoryError) or "allocate" in str(error):
        return "memory"
    return "recursion" if isinstance(error, RecursionError) else "exception"


def _where(error: BaseException) -> str:
    """The last place of the package in a traceback, and the last place of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f"{Path(f.filename).name}:{f.lineno}"
        for f in frames
        if "maquette" in f.filename and "site-packages" not in f.filename
    ]
    last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{own[-1] if own else ''} {last}"


def _heard(heard) -> str:
    """What was written to the terminal since the last call."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    size = os.fstat(heard.fileno()).st_size
    if not size:
        return ""
    said = os.pread(heard.fileno(), 300, 0)
    os.ftruncate(heard.fileno(), 0)
    os.lseek(heard.fileno(), 0, os.SEEK_SET)
    return " ".join(said.decode(errors="replace").split())


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of the input, with sizes and times."""
    found = {}
    for file in folder.rglob("*"):
        stat = file.lstat()
        found[file.name] = (stat.st_size if file.is_file() else 0, stat.st_mtime_ns if file.is_file() else 0)
    return found


if __name__ == "__main__":
    main()
