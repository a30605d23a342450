"""Seconds an image: the whole command from a cold start, warm in a process, and a folder of 100 images.

python benchmarks/reconstruct.py [MODEL]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from maquette import api
from maquette.events import Failed
from maquette.outputs import pictures as outputs


def main(model: str = "maquette") -> None:
    """Print one line for each way of running it; the pictures are the bundled examples, files read and written."""
    pictures = sorted(str(path) for path in outputs.EXAMPLES.glob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "maquette.cli.commands",
            "reconstruct",
            pictures[0],
            "--model",
            model,
            "--out",
            folder,
        ]
        cold = [_seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(5)]
        print(f"cold, whole command, one image: {min(cold):.2f} s to {max(cold):.2f} s of 5")
        loaded = api.load(model)

        def run(inputs: list[str]) -> None:
            failed = [e for e in outputs.reconstruct_files(inputs, folder, loaded) if isinstance(e, Failed)]
            assert not failed, failed

        run(pictures)
        warm = [1000 * _seconds(lambda p=p: run([p])) for _ in range(5) for p in pictures]
        print(f"warm, mesh and STL included: median {np.median(warm):.0f} ms, worst {max(warm):.0f} ms of {len(warm)}")
        copies = Path(folder) / "in"
        copies.mkdir()
        for index in range(100):
            source = Path(pictures[index % len(pictures)])
            (copies / f"{index:03d}{source.suffix}").write_bytes(source.read_bytes())
        batch = _seconds(lambda: run([str(copies)]))
        print(f"100 images in one command: {batch:.1f} s, {10 * batch:.0f} ms an image")


def _seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
