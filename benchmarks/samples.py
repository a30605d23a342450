"""How sound the samples of models are: the share that is one connected object, and their number of parts.

    python benchmarks/samples.py [--count 512] MODEL ...

Seed 7, classes at random; voxels joined by their faces. Parts smaller than 1 in 500 of a shape count too.
"""

import argparse

import numpy as np
from scipy import ndimage

from maquette import api


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--count", type=int, default=512)
    options = parser.parse_args()
    print("| model | samples | one object | standard error | mean parts | median parts |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.models:
        parts = np.array([ndimage.label(shape.voxels)[1] for shape in api.generate(name, options.count, seed=7)])
        whole = float((parts == 1).mean())
        error = (whole * (1 - whole) / len(parts)) ** 0.5
        print(f"| {name} | {len(parts)} | {whole:.3f} | {error:.3f} | {parts.mean():.2f} | {np.median(parts):g} |")


if __name__ == "__main__":
    main()
