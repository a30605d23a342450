"""Small valid folders of every kind: models, runs, datasets, and folders of which one file is strange."""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from strange import Files
from strange.seeds import dicoms, grid, grids, in_folder, meshes, npy_bytes, pictures, saved


@functools.cache
def system(name: str):
    """A tiny system whose weights are zero, so that a file of them packs small."""
    import torch
    from tiny import CONFIGS

    from maquette.recipe import load
    from maquette.systems import SYSTEMS

    config = CONFIGS.get(name) or load(f"{name}-tiny").model
    made = SYSTEMS[name](config)
    with torch.no_grad():
        for parameter in made.nets.parameters():
            parameter.zero_()
    return made


def models() -> list[Files]:
    import torch

    from maquette.models import hub

    info = {"threshold": 0.4, "class_names": ["chair", "sofa"], "data": ["furniture: no terms"], "run": {"seconds": 3}}
    latents = {"mean": torch.zeros(2, 6), "factor": torch.zeros(2, 3, 6), "rest": torch.ones(2, 6)}
    found = []
    for name in ("iwgan", "vae-iwgan-image", "graf", "wgan-gp", "classifier"):
        own = latents if name == "vae-iwgan-image" else {}
        found += in_folder(
            lambda folder, name=name, own=own: hub.save(
                folder, system(name), info, "# A model\n", own, np.zeros((8, 8, 3), np.uint8)
            )
        )
    return found


def models_with_graphs() -> list[Files]:
    """A model that answers by ONNX Runtime."""
    from maquette.models import hub
    from maquette.models.graph_export import export_graphs

    def write(folder: Path) -> None:
        hub.save(folder, system("vae-iwgan-image"), {"threshold": 0.4, "class_names": []}, "", {})
        export_graphs(folder)

    return in_folder(write)


def state():
    """The live objects of a tiny run, as a checkpoint takes and fills them."""
    from maquette import recipe
    from maquette.training import checkpoint
    from maquette.training.ema import Average
    from maquette.training.optim import make_optimisers

    own, written = system("iwgan"), recipe.load("iwgan-tiny")
    return checkpoint.State(
        own.nets,
        Average(own, 0.9).tensors,
        make_optimisers(own, written.optim, fused=False),
        recipe.dump(written),
        own.adversaries(),
    )


def checkpoints() -> list[Files]:
    from maquette.training import checkpoint

    def write(folder: Path) -> None:
        whole = state()
        for optimiser in whole.optimisers.values():
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    parameter.grad = parameter.detach().clone()
            optimiser.step()
        checkpoint.save(folder, 2, whole, 3)
        checkpoint.save_best(folder, 2, whole, "iou", 0.5)

    def small(folder: Path) -> None:
        write(folder / "whole")
        checkpoint.pack(folder / "whole" / "step-0000002", folder / "packed")

    packed = {
        name.removeprefix("packed/"): data for name, data in in_folder(small)[0].items() if name.startswith("packed")
    }
    return [*in_folder(write), packed]


def runs() -> list[Files]:
    from maquette import recipe
    from maquette.training.monitor.log import Log

    def write(folder: Path) -> None:
        (folder / "recipe.yaml").write_text(recipe.dump(recipe.load("iwgan-tiny")))
        (folder / "environment.json").write_text(json.dumps({"python": "3.12", "torch": "2", "processor": "x"}))
        (folder / "start.json").write_text(json.dumps({"given": "", "name": "m", "terms": ["furniture"]}))
        with Log(folder, 8, 0, False) as log:
            for step in (5, 10):
                log.write_row(
                    "stepped", step, {"critic/loss": -0.5, "critic/wasserstein": 1.0, "samples_per_second": 9}
                )
                log.write_row("checked", step, {"iou": 0.3, "precision": 0.5})
            log.write_row("probed", 10, {"gradient/critic": 1.0, "nonfinite/critic": 0})
            log.write_row(
                "diverged", 10, {"phase": "critic", "term": "loss", "value": "nan", "last_good": "step-0000005"}
            )

    return in_folder(write)


def prepared() -> list[Files]:
    from maquette.datasets.prepare import prepare

    def write(folder: Path) -> None:
        list(prepare("furniture", folder, resolution=8, views=2, view_size=16, scans=2, count=3, workers=1))

    return in_folder(write)


def image_sets() -> list[Files]:
    from radiographs import fill

    from maquette.datasets.images import prepare_images

    def write(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as inside:
            fill(Path(inside) / "in", 4)
            list(prepare_images(Path(inside) / "in", folder, size="16x8", holdout=1, workers=1))

    return [{name: data for name, data in files.items() if not name.startswith("..")} for files in in_folder(write)]


def true_shapes() -> list[Files]:
    from maquette.datasets.images import true_shapes as kept

    def write(folder: Path) -> None:
        values = {
            "ids": np.array(["a/1"]),
            "labels": np.array(["a"]),
            "bend": np.ones(1),
            "points": np.zeros((1, kept.POINTS, 3), np.float32),
            "voxels": np.zeros((1, kept.RESOLUTION**3 // 8), np.uint8),
        }
        np.savez_compressed(folder / kept.TRUE_SHAPES, **values)

    return in_folder(write)


def ikeas() -> list[Files]:
    grid = grids(".mat")[0]["a.mat"]
    return [
        {
            "Lists/Images.txt": b"a.jpg\nb.jpg\n",
            "Lists/Model.txt": b"IKEA_sofa_A/x\nIKEA_table_B/y\n",
            "Lists/ModelID.txt": b"1\n2\n",
            "Voxels/1.mat": grid,
            "Voxels/2.mat": grid,
        }
    ]


def studies() -> list[Files]:
    key = {
        "format": "maquette-study-key-1",
        "study": "s",
        "model": "m",
        "images": {
            "a": {"kind": "real", "split": "test", "row": 1},
            "b": {"kind": "synthetic", "sample": 0},
            "c": {"kind": "synthetic", "sample": 1},
        },
    }
    answers = {
        "format": "maquette-study-answers-1",
        "study": "s",
        "reader": "R",
        "answers": [
            {"id": "a", "answer": "real", "ms": 90},
            {"id": "b", "answer": "real", "ms": 9},
            {"id": "c", "answer": "synthetic"},
        ],
    }
    return [{"key.json": json.dumps(key).encode(), "answers.json": json.dumps(answers).encode()}]


def image_folders() -> list[Files]:
    """Three pictures of which one will be damaged."""
    from radiographs import radiograph

    good = {f"good-{n}.png": saved(Image.fromarray(radiograph(n)[::2, ::2]), "PNG") for n in range(2)}
    strange = [
        pictures("png")[0]["a.png"],
        pictures("jpeg")[0]["a.jpg"],
        pictures("tiff")[1]["a.tif"],
        pictures("heif")[0]["a.heic"],
        dicoms()[0]["a.dcm"],
    ]
    names = ("bad.png", "bad.jpg", "bad.tif", "bad.heic", "bad.dcm")
    return [{name: data, **good} for name, data in zip(names, strange, strict=True)]


def shape_folders() -> list[Files]:
    """Three shapes of which one will be damaged."""
    good = {f"good-{n}.npy": npy_bytes((grid() > 0.3 * n).astype(np.uint8)) for n in range(1, 3)}
    strange = {
        "bad.mat": grids(".mat")[0]["a.mat"],
        "bad.stl": meshes(".stl")[0]["a.stl"],
        "bad.glb": meshes(".glb")[0]["a.glb"],
        "bad.npz": grids(".npz")[0]["a.npz"],
        "bad.off": meshes(".off")[0]["a.off"],
    }
    return [{name: data, **good} for name, data in strange.items()]
