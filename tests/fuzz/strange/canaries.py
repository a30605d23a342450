"""Readers that do what no reader may do: if the fuzzer did not see one of them, its silence would mean nothing."""

import os
import signal
import sys
import warnings
from pathlib import Path

from strange.kinds import Kind


def _misbehave(path: Path, out: Path) -> None:
    from maquette.errors import UserError

    way = path.read_text()
    if way == "exception":
        raise KeyError("x")
    if way == "memory":
        bytearray(4 << 30)
    if way == "recursion":
        _deeper(0)
    if way == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if way == "timeout":
        while True:
            pass
    if way == "print":
        print("hello")
    if way == "descriptor":
        os.write(2, b"libtiff: strange tag")
    if way == "warning":
        warnings.warn("a foreign line", RuntimeWarning, stacklevel=1)
    if way == "beside":
        path.with_suffix(".tmp").write_text("x")
    if way == "temporary":
        Path("x.tmp").write_text("x")
    if way == "lines":
        raise _uncleaned("two\nlines")
    if way == "escape":
        raise _uncleaned("red \x1b[31m")
    if way == "inner":
        raise UserError(f"cannot write {out.parent}/.hidden")
    if way == "bytes":
        raise UserError(f"{path} needs more memory than there is")
    if way == "refused":
        raise UserError(f"{path} is damaged")
    if way == "exit":
        sys.exit(3)


def _uncleaned(line: str) -> Exception:
    """A UserError as it would be without the cleaning of its line."""
    from maquette.errors import UserError

    error = UserError("x")
    error.args = (line,)
    return error


def _deeper(depth: int) -> int:
    return _deeper(depth + 1) + 1


SORTS = {
    "exception": "exception",
    "memory": "memory",
    "recursion": "recursion",
    "signal": "signal",
    "timeout": "timeout",
    "print": "output",
    "descriptor": "output",
    "warning": "output",
    "beside": "left",
    "temporary": "left",
    "lines": "message",
    "escape": "message",
    "inner": "message",
    "bytes": "memory",
    "exit": "exception",
}
"""The sort of failure of each way of misbehaving."""
CANARIES = {"canary": Kind(lambda: [{"a.txt": b"fine"}], (_misbehave,))}
