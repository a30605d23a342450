"""How far the verdict `sure` can be believed, and the weights of `maquette.ways.verdict`.

    python benchmarks/sure.py CACHE.json [--model maquette] [--seed 0] [--known furniture,solids] [--unlearned]
                              [--fit] [--show OUT.png]

200 pictures of kinds that a model has learned (renderings of the makers' test split, own drawings) and 200 of other
things (doodles, noise, text, faces, rooms, textures) go through the model's way; their signs are kept in CACHE.json,
so that all that follows takes seconds. `--known` says which of the first the model has learned: the others are left
out, or with `--unlearned` count as unknown, for a verdict that prefers a way without a model for them. A picture that
is refused counts as the least sure of all. `--fit` fits the weights on one half of the pictures and measures on the
other, instead of taking those of `verdict.py`, and prints them; it writes no code. `--show` lays out the worst
mistakes.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import numpy as np
from drawings import cases
from drawings.others import UNKNOWN
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from maquette import api
from maquette.api.reconstruction import _Seen
from maquette.datasets.item import Item
from maquette.datasets.solids import HELD_OUT
from maquette.datasets.sources.generated import generated, kinds_of
from maquette.errors import UserError
from maquette.rendering import render_views
from maquette.rendering.sheets import sheet_of_images
from maquette.ways.verdict import WEIGHTS, Signs, judge

FURNITURE = ("chair", "table", "bookcase", "desk", "sofa", "cabinet", "bed", "lamp", "cup", "car", "monitor", "toilet",
             "bathtub")
OWN = {"chair, front", "chair, three quarters", "table with drawer", "sofa", "bed", "table lamp", "bookcase",
       "armchair", "car", "mug", "cup", "stool"}
"""Drawings of kinds that the furniture maker makes."""
OTHERS = {"bottle", "house", "star", "rocket", "tree", "heart", "key", "hammer", "duck", "person", "mushroom", "bucket"}
"""Drawings of kinds that the solids maker makes and the furniture maker does not."""
RENDERED = {"furniture": (50, 45), "solids": (28, 29)}
"""Drawings and photos of each maker."""


class _Looked(_Seen):
    """A picture of which the signs alone are wanted: no mesh is mended, levelled and measured."""

    def _finished(self, shape, own, way, pose, signs, notes, doubts=()):
        return signs


def pictures(seed: int) -> Iterator[tuple[bool, str, Callable[[], np.ndarray]]]:
    """Whether it is known, the kind, and how the picture is made; each depends on the seed and its own place only."""
    solids = [kind for kind in kinds_of("solids") if kind not in (*HELD_OUT, "construction")]
    for maker, counts in RENDERED.items():
        kinds = FURNITURE if maker == "furniture" else [solids[k] for k in range(seed % 2, len(solids), 2)]
        for style, count in zip(("pencil", "photo"), counts, strict=True):
            items = generated(f"{maker}:{','.join(kinds)}", count, seed=900 + seed, split="test")
            for number, item in enumerate(items):  # drawings and photos are of the same objects, seen from other sides
                yield True, f"{maker} {style}", partial(rendered, item, style, 7000 * (seed + 1) + number)
    for maker, names in (("furniture", OWN), ("solids", OTHERS)):
        for case in cases(seed, names):
            style = "by hand, photographed" if case.photographed else "by hand"
            yield True, f"{maker} {style}", partial(getattr, case, "pixels")
    for place, (kind, (make, count)) in enumerate(UNKNOWN.items()):
        for number in range(count):
            yield False, kind, partial(make, np.random.default_rng([seed, place, number]))


def rendered(item: Item, style: str, seed: int) -> np.ndarray:
    """One view of an object; drawings are on paper, photos in a room."""
    return render_views(item.load(), count=1, size_px=320, seed=seed, kinds=(style,), channels=3).images[0]


def measured(path: Path, model_name: str, seed: int) -> list[dict]:
    """The signs of all pictures, from the cache as far as they are there."""
    kept = json.loads(path.read_text()) if path.exists() else {"model": model_name, "seed": seed, "rows": {}}
    if (kept["model"], kept["seed"]) != (model_name, seed):
        raise SystemExit(f"{path} is of model {kept['model']} and seed {kept['seed']}: give another file")
    model, rows = None, kept["rows"]
    for number, (known, kind, make) in enumerate(pictures(seed)):
        if str(number) in rows:
            continue
        model = model or api.load(model_name)
        row = {"place": number, "known": known, "kind": kind, "photo": None, "signs": None, "said": ""}
        try:
            seen = _Looked.of(make(), model, True, 100.0, None, True, 0.8)
            row |= {"photo": seen.pickup.kind == "photo", "signs": asdict(seen.made("model"))}
        except UserError as error:
            row["said"] = str(error)
        rows[str(number)] = row
        if number % 10 == 9:
            _write(path, kept)
            print(f"{number + 1} {kind} {row['said'] or row['signs']}", flush=True)
    if model is not None:
        _write(path, kept)
    return sorted(rows.values(), key=lambda row: row["place"])


def _write(path: Path, kept: dict) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(kept))
    os.replace(unfinished, path)


def chances(rows: list[dict], in_view: bool) -> np.ndarray:
    """How sure `verdict.judge` is of each; 0 where it was refused."""
    return np.array([0.0 if row["signs"] is None
                     else judge(Signs(**row["signs"]), row["photo"], in_view=in_view).probability for row in rows])


def fitted(rows: list[dict], photo: bool) -> tuple:
    """What stands in `WEIGHTS`: what each sign is compared with, its weight, and the constant.

    A sign counts for a result, never against it: those that would are left out one after the other.
    """
    chosen = [row for row in rows if row["signs"] is not None and row["photo"] == photo]
    signs = np.array([Signs(**row["signs"]).values() for row in chosen])
    known = np.array([row["known"] for row in chosen])
    count = np.isfinite(signs).sum(0)
    typical = np.where(count, np.nansum(signs, axis=0) / np.maximum(count, 1), 0.0).round(2)
    away = np.nan_to_num(signs - typical, nan=0.0)
    scale = np.sqrt((away**2).sum(0) / np.maximum(count, 1)) + 1e-6
    used = list(np.flatnonzero(count > 0.3 * len(signs)))
    while True:
        fit = LogisticRegression(C=0.3, class_weight="balanced", max_iter=2000).fit(away[:, used] / scale[used], known)
        against = [(weight, sign) for weight, sign in zip(fit.coef_[0], used, strict=True) if weight < 0]
        if not against:
            break
        used.remove(min(against)[1])
    weights = np.zeros(signs.shape[1])
    weights[used] = fit.coef_[0] / scale[used]
    return tuple(map(float, typical)), tuple(map(float, weights.round(1))), round(float(fit.intercept_[0]), 2)


def area(rows: list[dict], chance: np.ndarray, which) -> str:
    at = [number for number, row in enumerate(rows) if which(row)]
    known = [rows[number]["known"] for number in at]
    if len(set(known)) < 2:
        return "not known"
    return f"{roc_auc_score(known, chance[at]):.3f} ({sum(known)} known, {len(at) - sum(known)} not)"


def report(rows: list[dict], chance: np.ndarray, title: str) -> None:
    print(f"\n{title}: area under the curve")
    for what, which in (("drawings", lambda row: row["photo"] is False), ("photos", lambda row: row["photo"] is True),
                        ("both", lambda row: row["photo"] is not None), ("both, refused ones too", lambda row: True)):
        print(f"  {what}: {area(rows, chance, which)}")
    print("| kind | pictures | sure | refused | taken for a photo |\n| --- | --- | --- | --- | --- |")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        at = [number for number, row in enumerate(rows) if row["kind"] == kind]
        refused, photos = (sum(rows[number][key] is value for number in at)
                           for key, value in (("signs", None), ("photo", True)))
        print(f"| {kind} | {len(at)} | {sum(chance[number] >= 0.5 for number in at)} | {refused} | {photos} |")


def show(rows: list[dict], chance: np.ndarray, seed: int, out: str) -> None:
    """The pictures that were judged worst, 20 of the known and 20 of the others."""
    wrong = np.array([value if not row["known"] else 1 - value for row, value in zip(rows, chance, strict=True)])
    worst = []
    for known in (True, False):
        these = [number for number, row in enumerate(rows) if row["known"] == known]
        worst += sorted(these, key=lambda number: -wrong[number])[:20]
    seen = {rows[number]["place"]: number for number in worst}
    found = {seen[place]: make() for place, (_, _, make) in enumerate(pictures(seed)) if place in seen}
    sheet_of_images([found[number] for number in worst], out, 10, 150,
                    [f"{rows[number]['kind']} {chance[number]:.2f}" for number in worst])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache")
    parser.add_argument("--model", default="maquette")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--known", default="furniture,solids")
    parser.add_argument("--unlearned", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--show", default="")
    given = parser.parse_args()
    rows = measured(Path(given.cache), given.model, given.seed)
    learned = given.known.split(",")
    rows = [row | {"known": row["known"] and row["kind"].split()[0] in learned} for row in rows
            if given.unlearned or not row["known"] or row["kind"].split()[0] in learned]
    print(f"model {given.model}, seed {given.seed}, {time.strftime('%Y-%m-%d')}, "
          f"{platform.processor() or platform.machine()} {platform.system()}, Python {platform.python_version()}")
    in_view = api.load(given.model).facts.points
    if given.fit:
        order = np.random.default_rng(given.seed).permutation(len(rows))
        learn, rows = ([rows[number] for number in part] for part in np.array_split(order, 2))
        for photo, kind in ((False, "drawing"), (True, "photo")):
            name = kind + ", object's frame" * (not in_view)
            WEIGHTS[name] = fitted(learn, photo)
            typical, weights, constant = WEIGHTS[name]
            print(f'    "{name}": ({typical}, {weights}, {constant}),')
            for sign, weight in zip(fields(Signs), weights, strict=True):
                print(f"        {sign.name} {weight:g}")
    chance = chances(rows, in_view)
    report(rows, chance, "the other half" if given.fit else "with the weights of verdict.py")
    if given.show:
        show(rows, chance, given.seed, given.show)


if __name__ == "__main__":
    main()
