"""A worker process that lives long, and the one that takes its place after a crash or 10 seconds."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from strange import Files, seeds
from strange.canaries import CANARIES
from strange.kinds import KINDS

SECONDS = 10.0
"""Of processor time, where the system tells it: a busy machine makes no input slow."""
WARM_UP_S = 180.0
"""For the first input of a kind, whose readers are imported then."""
RENEWED = 1500
"""Inputs after which a worker is replaced, so that what libraries keep does not add up to a shortage of memory."""


@dataclass(frozen=True)
class Result:
    """What came of one input."""

    outcome: str
    """`read`, `refused` or `failed`."""
    sort: str = ""
    """Of a failure: `exception`, `memory`, `recursion`, `signal`, `timeout`, `output`, `left` or `message`."""
    detail: str = ""
    where: str = ""
    """Where in the code it happened; failures of one sort at one place are one finding."""


class Worker:
    """One process that reads inputs, replaced whenever it has to be."""

    def __init__(self, seconds: float = SECONDS):
        self.seconds = seconds
        self._root = Path(tempfile.mkdtemp(prefix="strange-"))
        self._process: subprocess.Popen | None = None
        self._warm: set[str] = set()
        self._count = 0

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def run(self, kind: str, files: Files) -> Result:
        """Hand one input to the readers of its kind, in a process that has read others."""
        if self._count >= RENEWED:
            self._stop()
        if kind not in self._warm:
            known = (KINDS | CANARIES)[kind]
            result = self._asked(kind, known.seeds()[0], WARM_UP_S)
            if result.outcome == "failed":
                return Result("failed", result.sort, f"a valid {kind}: {result.detail}", result.where)
            self._warm.add(kind)
        return self._asked(kind, files, self.seconds)

    def run_afresh(self, kind: str, files: Files) -> Result:
        """The same in a new process."""
        self._stop()
        return self.run(kind, files)

    def _asked(self, kind: str, files: Files, seconds: float) -> Result:
        if self._process is None:
            self._start()
        self._count += 1
        folder, work = self._root / "given", self._root / "work"
        for path in (folder, work):
            shutil.rmtree(path, ignore_errors=True)
        (work / "out").mkdir(parents=True)
        folder.mkdir()
        seeds.write(files, folder)
        known = (KINDS | CANARIES)[kind]
        path = folder if known.folder else folder / next(iter(files))
        request = {"kind": kind, "path": str(path), "folder": str(folder), "out": str(work / "out")}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            return self._died()
        line = self._line(seconds)
        if line is None:
            return self._stuck(seconds)
        if not line:
            return self._died()
        return Result(**json.loads(line))

    def _start(self) -> None:
        read, write = os.pipe()
        log = self._root / "log"
        log.write_bytes(b"")
        here = Path(__file__).parents[1]
        source = here.parents[1] / "src"
        paths = [str(here), str(here.parent / "helpers"), str(source)]
        work = self._root / "work"
        work.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(work),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "PYTHONWARNINGS": "",
            "MPLCONFIGDIR": str(self._root / "matplotlib"),
            "HF_HOME": str(self._root / "hub"),
            "MALLOC_ARENA_MAX": "1",
            "TORCHINDUCTOR_CACHE_DIR": str(self._root / "torch"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "strange.worker", str(write), str(log)],
            text=True,
            stdin=subprocess.PIPE,
            pass_fds=(write,),
            env=environment,
            cwd=self._root,
        )
        os.close(write)
        self._answers = read
        self._warm.clear()
        self._count = 0

    def _line(self, seconds: float) -> str | None:
        """The answer; an empty text where the process died, None where it took too long."""
        began, used, data = time.monotonic(), self._used(), b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([self._answers], [], [], 0.2)
            if ready:
                part = os.read(self._answers, 1 << 16)
                if not part:
                    return ""
                data += part
            elif self._used() - used > seconds or time.monotonic() - began > 6 * seconds:
                return None
        return data.decode()

    def _used(self) -> float:
        """Seconds of processor that the process has used; of the clock where the system does not say."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            return time.monotonic()

    def _stuck(self, seconds: float) -> Result:
        os.kill(self._process.pid, signal.SIGUSR1)
        time.sleep(0.3)
        where = self._logged()
        self._stop()
        return Result("failed", "timeout", f"more than {seconds:g} s in {where}", where)

    def _died(self) -> Result:
        code = self._process.wait()
        where = self._logged()
        self._stop()
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return Result("failed", "signal", f"{name} in {where}", f"{name} {where}")

    def _logged(self) -> str:
        """The innermost places of the last traceback in the worker's log."""
        lines = (self._root / "log").read_text(errors="replace").splitlines()
        frames = [line.split('"')[1] + line.rpartition('"')[2] for line in lines if line.strip().startswith('File "')]
        own = [frame for frame in frames if "/maquette/" in frame and "site-packages" not in frame]
        return " < ".join(Path(frame.split(",")[0]).name + frame.partition(",")[2] for frame in (frames[:1] + own[:1]))

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        os.close(self._answers)
        self._process = None
        self._warm.clear()
        self._count = 0
