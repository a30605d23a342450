"""The bundled models: small enough, whole, safe to load, and better than a guess on furniture that they never saw."""

import numpy as np
import pytest

from maquette import api
from maquette.datasets.sources import generated
from maquette.geometry.overlap import iou
from maquette.geometry.voxelise import voxelise
from maquette.models import hub
from maquette.models.predict import occupancy
from maquette.outputs import pictures as outputs
from maquette.rendering import render_views
from maquette.scans import scans


def test_they_are_small_and_carry_their_terms():
    assert hub.bundled()[0] == "maquette"
    files = [path for path in hub.BUNDLED.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md", ".onnx", ".png"}
    assert sum(path.stat().st_size for path in files) <= 15_000_000 * len(hub.bundled())
    for facts in api.models():
        assert facts["megabytes"] <= 15 and facts["data"], facts["name"]


READERS = [name for name in hub.bundled() if hub.read_config(hub.BUNDLED / name)["answers"]["reads"] == "views"]


@pytest.mark.parametrize("name", READERS)
def test_unseen_furniture_is_recognised(name):
    """Pieces of the furniture maker's test split, drawn: the right piece's overlap beats the others' on average."""
    model = api.load(name)
    facts = model.facts
    items = list(generated("furniture", 13, seed=9, split="test"))
    meshes = [item.load() for item in items]
    truth = np.stack([voxelise(mesh, facts.resolution) for mesh in meshes])
    views = np.stack([
        render_views(mesh, count=1, size_px=facts.view_size, seed=index, kinds=("pencil",), channels=3).images[0]
        for index, mesh in enumerate(meshes)
    ])
    seen = np.moveaxis(views, 3, 1)[:, :facts.image_channels].astype(np.float32) / 255
    found = occupancy(model, seen)
    overlap = np.stack([iou(found, shape[None], model.threshold) for shape in truth], axis=1)
    right = np.diag(overlap)
    assert right.mean() > 2 * (overlap.sum() - right.sum()) / (13 * 12)


def test_scans_of_unseen_furniture_are_completed():
    """From one side of each piece of the test split: most of what was not seen is there, and little that is not."""
    model = api.load(api.SCAN_MODEL)
    meshes = [item.load() for item in generated("furniture", 13, seed=9, split="test")]
    truth = np.stack([voxelise(mesh, 32) for mesh in meshes])
    seen = np.stack([scans(mesh, 32, count=1, seed=index)[0] for index, mesh in enumerate(meshes)])
    found = iou(occupancy(model, seen[:, None].astype(np.float32)), truth, model.threshold)
    assert found.mean() > 2 * iou(seen, truth).mean() and found.mean() > 0.5


def test_every_bundled_example_gives_a_printable_mesh():
    model = api.load()
    for path in sorted(outputs.EXAMPLES.glob("*.png")):
        made = api.reconstruct(path, model)
        assert made.report.watertight and made.report.parts == 1, path.name
        assert made.mesh.extents.max() == pytest.approx(100, abs=1e-3)


def test_a_scanned_drawing_becomes_an_armchair(shared):
    """The back of the scanned armchair rises behind its seat: the upper half lies at y < 0 in the package's frame."""
    made = api.reconstruct(shared / "sketches" / "armchair1_0_clean.png")
    assert made.pickup.kind == "drawing" and made.report.watertight and made.report.parts == 1
    solid = np.argwhere(made.shape.voxels)
    top = solid[solid[:, 2] > np.percentile(solid[:, 2], 75)]
    assert top[:, 1].mean() < solid[:, 1].mean() - 1
