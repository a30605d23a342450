"""Faults of the machine: commands that are killed at random moments, and disks that are full at the n-th write.

Used by tests/test_machine.py in short and by benchmarks/machine_faults.py at length.
"""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAQUETTE = [sys.executable, "-m", "maquette"]
TWO_PROCESSES = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "--",
                 "maquette"]
ALL, FIRST, LAST = "all", "first", "last"
"""Whom a kill hits: the command with all its processes, as when the machine stops, or one of its workers alone."""


def environment() -> dict[str, str]:
    """One thread a process, this work tree's package, no network."""
    paths = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": paths}


def descendants(pid: int) -> list[int]:
    """The processes below one, of Linux's /proc, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, open_ends = [], [pid]
    while open_ends:
        below = children.get(open_ends.pop(0), [])
        found += below
        open_ends += below
    return found


def alive(pids: list[int]) -> list[int]:
    """Those that still run; one that only waits for its parent to notice does not."""
    left = []
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                left.append(pid)
        except OSError:
            continue
    return left


def killed(
    words: list[str], ready: Callable[[], bool], wait_s: float, whom: str = ALL, cwd: Path | None = None
) -> tuple[bool, list[int]]:
    """Start a command and kill it with SIGKILL `wait_s` seconds after `ready`.

    Returns:
        Whether it was killed (and had not ended by itself), and its processes that outlive it by five seconds.
    """
    command = subprocess.Popen(words, env=environment(), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not ready() and command.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(wait_s)
        below = descendants(command.pid)
        ended = command.poll() is not None
        victims = {ALL: [command.pid, *below], FIRST: below[:1], LAST: below[-1:]}[whom] or [command.pid]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        command.wait(60)
        until = time.monotonic() + 5
        while (left := alive(below)) and time.monotonic() < until:
            time.sleep(0.05)
        return not ended, left
    finally:
        command.kill()
        command.wait()
        for pid in alive(below):
            os.kill(pid, signal.SIGKILL)


def finished(words: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Run a command to its end."""
    return subprocess.run(words, env=environment(), cwd=cwd, capture_output=True, text=True, timeout=600)


@contextmanager
def full_at(number: int, folder: Path) -> Iterator[list[str]]:
    """A disk that is full at the n-th opening for writing below a folder; yields the names that were opened.

    Files are opened through Python's `open` and `os.open` by everything but PyTorch's and safetensors' own writers,
    which are asked through their functions.
    """
    import builtins
    import io

    import safetensors.torch
    import torch

    from maquette.training import checkpoint

    opened: list[str] = []

    def count(path: object) -> None:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder):
            opened.append(Path(path).name)
            if len(opened) == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def opening(real):
        def guarded(file, mode="r", *rest, **options):
            if set(mode) & set("wax+"):
                count(file)
            return real(file, mode, *rest, **options)

        return guarded

    def saving(real, place: int):
        def guarded(*arguments, **options):
            count(arguments[place])
            return real(*arguments, **options)

        return guarded

    before = builtins.open, io.open, torch.save, checkpoint.save_file, safetensors.torch.save_file
    builtins.open, io.open = opening(before[0]), opening(before[1])
    torch.save, checkpoint.save_file = saving(before[2], 1), saving(before[3], 1)
    try:
        yield opened
    finally:
        builtins.open, io.open, torch.save, checkpoint.save_file, safetensors.torch.save_file = before


def moments(count: int, seed: int, most_s: float) -> Iterator[float]:
    """So many random waits in [0, most_s)."""
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.uniform(0, most_s)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names in it, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
