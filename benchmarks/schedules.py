"""Draws what changes in the course of a training on rays, from the defaults of `3dgen`.

    python benchmarks/schedules.py docs/images/schedules.png [--steps 300000]
"""

import argparse

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from maquette.rays import schedules
from maquette.systems.gen3d import Gen3DConfig


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("--steps", type=int, default=300000)
    options = parser.parse_args()
    config, steps = Gen3DConfig(), np.linspace(0, options.steps, 400).astype(int).tolist()
    curves = {
        "half length of the interval (sides of the cube)": [schedules.interval_half_width(
            step, config.interval_start, config.interval_rate, config.interval_end) for step in steps],
        "smallest side of a patch (sides of the image)": [schedules.smallest_scale(
            step, config.scale_rate, config.scale_least) for step in steps],
    }
    figure = Figure(figsize=(7.5, 2.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, values) in enumerate(curves.items(), 1):
        axes = figure.add_subplot(1, 2, place)
        axes.plot([step / 1000 for step in steps], values, color=f"C{place - 1}")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("thousand steps", fontsize=8)
        axes.set_ylim(0)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(options.picture)


if __name__ == "__main__":
    main()
