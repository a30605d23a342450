"""Does an object hold while it is drawn, looked at and imagined again and again?

    python benchmarks/loop.py [--rounds 20] [--starts 10] [--model maquette] [--out loop-benchmark]

Simulated loops (`maquette loop --simulate`) from ten starts, none of them picked by result: the eight bundled examples,
and of the first two of the furniture maker's kinds that the examples lack a drawing (bed 0) and a photo (cabinet 0).
Each goes through every way of drawing in `WAYS`. Measured is the overlap (IoU) of each round's object with that of
round 1, with that of the round before, and with that of a whole turn before; for the starts out of the furniture maker
also with the true object.

An object *holds* where the mean overlap with round 1 in the last five rounds is 0.7 or more, else it *drifted*. It has
*settled* where each of the last five rounds overlaps by 0.95 or more with the round before, or with the one a whole
turn before (a cycle). Written are loop.csv (every round), loop.json (the table) and loop.png.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from maquette import api
from maquette.datasets.furniture import make
from maquette.drawing_loop.loop import Ended, LoopSettings, Round, hatching_mm
from maquette.drawing_loop.simulation import SimulatedPage
from maquette.geometry.overlap import iou
from maquette.geometry.voxelise import voxelise
from maquette.intake.sources import Frame
from maquette.io.pictures import read_picture
from maquette.models.hub import Model
from maquette.outputs.pictures import EXAMPLES
from maquette.plotting.settings import ViewOptions
from maquette.rendering.views import render_views
from maquette.ways.obeying import FINE

WAYS = {
    "lines, 30 degrees a round": (30.0, 0),
    "lines, 90 degrees a round": (90.0, 0),
    "lines, always from one side": (0.0, 0),
    "hatched, 30 degrees a round": (30.0, 2),
}
"""Turn in degrees and tones of hatching."""
MADE = (("bed", "pencil"), ("cabinet", "photo"))
LAST, HELD, SETTLED = 5, 0.7, 0.95


def starts(model: Model) -> Iterator[tuple[str, Frame, np.ndarray | None]]:
    """Name, picture and, where it is known, the true object."""
    for path in sorted(EXAMPLES.glob("*.png")):
        yield path.stem, Frame(read_picture(path), path.name), None
    for kind, way in MADE:
        mesh = make(kind, 0)
        picture = render_views(mesh, count=1, size_px=384, seed=0, kinds=(way,), channels=3).images[0]
        yield f"{kind} ({way})", Frame(picture, kind), voxelise(mesh, max(model.facts.resolution, FINE))


def go(model: Model, start: Frame, settings: LoopSettings, seed: int) -> tuple[list[Round], str]:
    """The rounds of one loop, and why it ended early."""
    page = SimulatedPage(seed, settings.sheet.pen)
    rounds, reason = [], ""
    for event in api.loop(start, model, settings, pen=page, eye=page):
        if isinstance(event, Round):
            rounds.append(event)
        elif isinstance(event, Ended):
            reason = event.reason
    return rounds, reason


def measured(rounds: list[Round], turn_deg: float, truth: np.ndarray | None) -> list[dict]:
    """A row a round."""
    cycle = round(360 / turn_deg) if turn_deg else 1
    rows = []
    for index, one in enumerate(rounds):
        turned = rounds[index - cycle] if index >= cycle else None
        rows.append({
            "round": one.number, "iou_first": one.iou_first, "iou_previous": one.iou_previous,
            "iou_turn": None if turned is None else float(iou(one.shape.voxels, turned.shape.voxels)),
            "iou_truth": None if truth is None else float(iou(one.shape.voxels, truth)),
            "voxels": int(one.shape.voxels.sum()), "strokes": len(one.strokes), "seconds": one.seconds,
        })
    return rows


def verdict(rows: list[dict], rounds: int) -> str:
    """Whether the object held or drifted, and whether it has settled."""
    if len(rows) < rounds:
        return "ended"
    last = rows[1:][-LAST:]
    held = "held" if np.mean([row["iou_first"] for row in last]) >= HELD else "drifted"
    for word, name in (("settled", "iou_previous"), ("cycle", "iou_turn")):
        if all(row[name] is not None and row[name] >= SETTLED for row in last):
            return f"{held}, {word}"
    return held


def picture(table: dict[str, list[list[float]]], path: Path) -> None:
    """IoU with round 1 by round: every start thin, the mean thick, a panel a way."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(table), figsize=(4 * len(table), 3.2), sharey=True, squeeze=False)
    for axis, (way, curves) in zip(panels[0], table.items(), strict=True):
        for curve in curves:
            axis.plot(range(1, len(curve) + 1), curve, color="0.75", linewidth=0.8)
        mean = [np.mean([curve[i] for curve in curves if i < len(curve)]) for i in range(max(map(len, curves)))]
        axis.plot(range(1, len(mean) + 1), mean, color="black", linewidth=2)
        axis.set(title=way, xlabel="round", ylim=(0, 1.02))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    panels[0][0].set_ylabel("IoU with round 1")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--ways", type=int, default=len(WAYS))
    parser.add_argument("--model", default=api.DEFAULT_MODEL)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="loop-benchmark")
    options = parser.parse_args()
    out, model = Path(options.out), api.load(options.model)
    out.mkdir(parents=True, exist_ok=True)
    given = list(starts(model))[: options.starts]
    every, curves, summary, began = [], {}, {}, time.perf_counter()
    for way, (turn, tones) in list(WAYS.items())[: options.ways]:
        sheet = LoopSettings().sheet
        look = ViewOptions(azimuth_deg=35.0, hatch=tones, hatch_mm=hatching_mm(sheet))
        settings = LoopSettings(rounds=options.rounds, turn_deg=turn, look=look, sheet=sheet)
        print(f"\n{way}\n{'start':<24}" + "".join(f"{f'round {n}':>10}" for n in shown(options.rounds)) + "  verdict")
        curves[way], summary[way] = [], {}
        for name, start, truth in given:
            rounds, reason = go(model, start, settings, options.seed)
            rows = measured(rounds, turn, truth)
            every += [{"way": way, "start": name, **row} for row in rows]
            curves[way].append([row["iou_first"] for row in rows])
            summary[way][name] = verdict(rows, options.rounds)
            print(line(name, curves[way][-1], options.rounds) + f"  {summary[way][name]} {reason}".rstrip(), flush=True)
        for word, of in (("mean", np.mean), ("deviation", np.std), ("least", np.min)):
            values = [of([c[i] for c in curves[way] if i < len(c)]) for i in range(max(map(len, curves[way])))]
            print(line(word, values, options.rounds))
    seconds = [row["seconds"] for row in every]
    print(f"\n{len(every)} rounds, {np.mean(seconds):.2f} s each (median {np.median(seconds):.2f}) without the "
          f"photograph; {time.perf_counter() - began:.0f} s in all")
    with open(out / "loop.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(every[0]))
        writer.writeheader()
        writer.writerows(every)
    (out / "loop.json").write_text(json.dumps({"model": model.name, "seed": options.seed, "iou_first": curves,
                                               "verdict": summary}, indent=1))
    picture(curves, out / "loop.png")


def shown(rounds: int) -> list[int]:
    return sorted({n for n in (1, 2, 3, 5, 10, 15, rounds) if n <= rounds})


def line(name: str, values: list[float], rounds: int) -> str:
    cells = (f"{values[n - 1]:>10.3f}" if n <= len(values) else f"{'-':>10}" for n in shown(rounds))
    return f"{name:<24}" + "".join(cells)


if __name__ == "__main__":
    main()
