"""How good a run's checkpoints were, one after the other, and what the curve extrapolates to.

    python benchmarks/learning_curve.py RUN [RUN ...] --on data/chairs [--count 200] [--points 10] [--json FILE]
                                        [--plot FILE] [--pictures FILE]

RUN: the folder of a run of a system that makes images; it must have kept its checkpoints (--train.save-steps 500
--train.keep 40). So many points of them, evenly over the run, are measured: a checkpoint's averaged weights make
`count` images, the same latents each time, whose Frechet distance from held-out images is taken in the features of the
bundled model's encoder, as `maquette evaluate` does. The control is the distance of as many training images. What lies
above the control is fitted as a power of the steps, by least squares of the logarithms over the checkpoints from a
quarter of the run on; what that says of steps that were never taken is a guess, and the more so the further they are.
The pictures are the same twelve latents of each run before the first step, and at some checkpoints up to the last, a
row each.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from maquette import recipe as recipes
from maquette.evaluation.fields.measures import encoder_features, frechet_repeats
from maquette.evaluation.images.sets import open_real_images
from maquette.io.atomic import atomic_path
from maquette.models.hub import Model, load
from maquette.models.networks import model_of
from maquette.models.sampling import batches_of_images
from maquette.systems import SYSTEMS
from maquette.training import checkpoint

FIRST = 0.25
"""Share of the run from which the curve is fitted."""
FURTHER = (1, 3, 10, 30)
"""Multiples of the run's steps at which the fitted curve is read."""


SHOWN, ROWS = 12, 5
"""Latents in a row of pictures, and rows of a run."""


def model_at(run: Path, folder: Path | None) -> Model:
    """The averaged weights of a checkpoint of a run as a model; None: before the first step."""
    recipe = recipes.load(str(run / "recipe.yaml"))
    torch.manual_seed(recipe.train.seed)
    system = SYSTEMS[recipe.system](recipe.model)
    if folder is None:
        system.nets.eval()
        return model_of(run.name, system, {}, {})
    average = folder / "average.safetensors"
    system.nets.load_state_dict(load_file(folder / "weights.safetensors"))
    if average.is_file():
        system.nets.load_state_dict(load_file(average), strict=False)
    system.nets.eval()
    return model_of(run.name, system, {}, {})


def progress(run: Path) -> np.ndarray:
    """Rows of pictures of a run, uint8 `[H, W, 3]`: before the first step, and at checkpoints ever further on."""
    folders = sorted(checkpoint.list_checkpoints(run / "checkpoints"))
    chosen = np.unique(np.geomspace(1, len(folders), ROWS - 1).round().astype(int)) - 1
    rows = []
    for folder in (None, *(folders[k] for k in chosen)):
        images = np.concatenate(list(batches_of_images(model_at(run, folder), SHOWN)))
        rows.append(np.concatenate(list(images), 1))
        print(f"{run.name}: pictures of {'the start' if folder is None else folder.name}", flush=True)
    return np.concatenate(rows)


def minutes_at(run: Path, step: int) -> float:
    """The minutes after which a step was reached, by the run's metrics, between their steps in proportion."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["event"] == "stepped"]
    return float(np.interp(step, [0, *(row["step"] for row in rows)], [0, *(row["time"] / 60 for row in rows)]))


def measured(run: Path, judge: Model, held_out: np.ndarray, count: int, points: int) -> list[dict]:
    """A row for each of `points` checkpoints: step, minutes, Frechet distance, its deviation over ten subsets."""
    rows = []
    folders = sorted(checkpoint.list_checkpoints(run / "checkpoints"))
    for place in np.unique(np.linspace(len(folders) - 1, -1, points, endpoint=False).round().astype(int)):
        folder = folders[place]
        step = int(folder.name.split("-")[1])
        images = np.concatenate(list(batches_of_images(model_at(run, folder), count)))
        values = frechet_repeats(encoder_features(judge, images), held_out, count, 10)
        minutes = minutes_at(run, step)
        rows.append({"step": step, "minutes": minutes, "frechet": float(np.mean(values)),
                     "deviation": float(np.std(values))})
        print(f"| {run.name} | {step} | {minutes:.1f} | {np.mean(values):.1f} |", flush=True)
    return rows


def fitted(rows: list[dict], control: float) -> dict | None:
    """The power of the steps by which what lies above the control falls; None with fewer than four rows for it."""
    last = rows[-1]["step"]
    used = [row for row in rows if row["step"] >= FIRST * last and row["frechet"] > control]
    if len(used) < 4:
        return None
    steps = np.log([row["step"] for row in used])
    above = np.log([row["frechet"] - control for row in used])
    power, scale = np.polyfit(steps, above, 1)
    rest = above - np.polyval((power, scale), steps)
    further = {times: control + math.exp(np.polyval((power, scale), math.log(times * last))) for times in FURTHER}
    return {"power": power, "rest": float(rest.std()), "at_times_the_steps": further}


def main() -> None:
    """Print a row for each checkpoint and the fits; write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--on", required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--json", default="")
    parser.add_argument("--plot", default="")
    parser.add_argument("--pictures", default="")
    options = parser.parse_args()
    config = recipes.load(str(options.runs[0] / "recipe.yaml")).model
    real = open_real_images(options.on, (config.height, config.width) + ((3,) if config.channels == 3 else ()))
    judge = load("modelnet")
    held_out = encoder_features(judge, real.some_held_out(500))
    control = float(np.mean(frechet_repeats(encoder_features(judge, real.some(500, 0)), held_out, options.count, 10)))
    print(f"control: {control:.1f}\n\n| run | step | minutes | Frechet, encoder |\n| --- | --- | --- | --- |")
    found = {run.name: measured(run, judge, held_out, options.count, options.points) for run in options.runs}
    fits = {name: fitted(rows, control) for name, rows in found.items()}
    for name, fit in fits.items():
        if fit is None:
            print(f"{name}: too few checkpoints for a curve")
            continue
        said = ", ".join(f"{value:.1f} at {times} x" for times, value in fit["at_times_the_steps"].items())
        print(f"{name}: above the control as steps^{fit['power']:.2f} (rest {fit['rest']:.2f}): {said} the steps")
    if options.json:
        with atomic_path(options.json) as path:
            path.write_text(json.dumps({"control": control, "runs": found, "fits": fits}, indent=1))
    if options.pictures:
        with atomic_path(options.pictures) as path:
            Image.fromarray(np.concatenate([progress(run) for run in options.runs])).save(path)
    if options.plot:
        draw(found, fits, control, options.plot)


def draw(found: dict, fits: dict, control: float, target: str) -> None:
    """The curves over minutes, with the fitted powers up to ten times the run, and the control."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, rows in found.items():
        minutes = np.array([row["minutes"] for row in rows])
        (line,) = axes.plot(minutes, [row["frechet"] for row in rows], marker="o", markersize=3, label=name)
        if fits[name]:
            reach, at_end = np.geomspace(1, 10, 20), fits[name]["at_times_the_steps"][1] - control
            above = at_end * reach ** fits[name]["power"]
            axes.plot(minutes[-1] * reach, control + above, "--", color=line.get_color())
    axes.axhline(control, color="grey", label="training images")
    axes.set(xscale="log", yscale="log", xlabel="minutes", ylabel="Frechet distance, encoder")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:.0e}"[0] in "235" else "")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend()
    with atomic_path(target) as path:
        figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
