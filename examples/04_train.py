"""Train a tiny model for some seconds and use it. python examples/04_train.py [RUN]"""

import sys
from pathlib import Path

import maquette


def main(run: Path) -> None:
    """Train into the folder `run`, then draw one sample from the model in it."""
    for event in maquette.train("iwgan-tiny", run, {"data.furniture": 13, "data.cache": str(run / "cache")}):
        print(event)
    shape = maquette.generate(run, count=1)[0]
    print(f"occupancy from {shape.occupancy.min():.2f} to {shape.occupancy.max():.2f}")


if __name__ == "__main__":  # data are prepared by several processes, each of which imports this file
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/example"))
