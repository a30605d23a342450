"""Kills a training 20 times and resumes it each time; run by test_kill.py. Prints one JSON line.

This process imports PyTorch once and computes nothing; every try is a fork of it, killed with SIGKILL at a random time.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from boxes import job

from maquette.training import checkpoint, loop


def attempt(run: Path, steps: int, tell: int) -> None:
    """Train to the end, from the newest whole checkpoint if there is one; writes a line once steps are being made."""
    torch.set_num_threads(1)
    path, damaged = checkpoint.newest_whole(run / "checkpoints")
    run.mkdir(parents=True, exist_ok=True)
    os.write(tell, f"{path.name if path else 'none'} {len(damaged)}\n".encode())

    def stop() -> bool:  # asked after each step: the parent counts
        os.write(tell, b"step\n")
        return False

    parts = job(steps, "iwgan-tiny", save_steps=2, log_every=3, batch=4)
    for _ in loop.train(*parts, run, resume=path is not None, stop=stop):
        pass


def main(folder: Path, steps: int, kills: int, seed: int) -> None:
    """Kill until `kills` tries have died, then let one finish."""
    chance = random.Random(seed)
    found, damaged, unfinished = [], 0, 0
    while True:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                attempt(folder / "killed", steps, writer)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(3)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as said:
            name, bad = said.readline().split()
            found.append(name)
            damaged += int(bad)
            if len(found) <= kills:
                for _ in range(chance.randint(1, 9)):
                    said.readline()
                time.sleep(chance.uniform(0, 0.04))  # somewhere in the next step, or in the writing of a checkpoint
                os.kill(child, signal.SIGKILL)
            said.read()
        _, status = os.waitpid(child, 0)
        unfinished += len(list((folder / "killed" / "checkpoints").glob(".*.partial")))
        if os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            break
    print(json.dumps({"kills": len(found) - 1, "found": found, "damaged": damaged, "cut_short": unfinished,
                      "exit": code}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
