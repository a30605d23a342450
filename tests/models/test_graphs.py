"""Models by ONNX Runtime: the answers of PyTorch, from graphs that hold no weights and point nowhere else."""

import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from onnx import external_data_helper as external

from maquette import api
from maquette import recipe as recipes
from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.examples import FOLDER as EXAMPLES
from maquette.intake.pickup import frame_object, read_picture
from maquette.models import graph_export, hub
from maquette.models import graphs as running
from maquette.models.facts import Facts
from maquette.models.networks import facts_of
from maquette.models.predict import answer, occupancy
from maquette.scans import read_intrinsics, read_scan
from maquette.systems import SYSTEMS

APART = 1e-5
"""What two runtimes may differ by."""


def untrained(name: str, folder):
    """A model of the system's tiny recipe with fresh weights, and its system."""
    torch.manual_seed(0)
    system = SYSTEMS[name](recipes.load(f"{name}-tiny").model)
    for net in system.nets.values():  # weights and statistics that differ from layer to layer
        for layer in net.modules():
            if getattr(layer, "running_var", None) is not None:
                layer.running_var.uniform_(0.5, 2)
                layer.running_mean.normal_(0, 0.1)
    info = {"threshold": 0.5, "class_names": ["chair", "sofa"]}
    return hub.save(folder / name, system, info, "# A card\n", {})


ANSWER = [name for name in SYSTEMS if SYSTEMS[name].makes in (Makes.SHAPES, Makes.IMAGES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", ANSWER)
def test_every_system_that_answers_gives_the_answers_of_pytorch(name, folder):
    model = untrained(name, folder)
    written = graph_export.export_graphs(model)
    assert {path.name for path in written} == {f"{graph}.onnx" for graph in running.needed(hub.load(model).facts)}
    both = [hub.load(model, runtime=runtime) for runtime in hub.RUNTIMES]
    assert both[0].facts == both[1].facts and hub.load(model).runtime.__class__ is running.Graphs
    rng = np.random.default_rng(1)
    facts = both[0].facts
    latents = rng.random((3, facts.latent), np.float32)
    made = [one.runtime.generate(latents) for one in both]
    assert made[0].shape == made[1].shape and np.abs(made[0] - made[1]).max() <= APART
    if facts.reads is Reads.NOTHING:
        return
    if facts.reads is Reads.VIEWS:
        seen = rng.random((2, facts.image_channels, facts.view_size, facts.view_size), np.float32)
    else:
        seen = (rng.random((2, 1, *[facts.resolution] * 3)) > 0.9).astype(np.float32)
    for label in (None, 1)[: 1 + facts.takes_class]:
        looked = [one.runtime.look(seen, label) for one in both]
        assert np.abs(looked[0].occupancy - looked[1].occupancy).max() <= APART
        assert (looked[0].poses is None) == (looked[1].poses is None)
        assert looked[0].poses is None or np.abs(looked[0].poses - looked[1].poses).max() <= APART
    assert np.abs(both[0].runtime.encode(seen) - both[1].runtime.encode(seen)).max() <= APART


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - set(ANSWER)))
def test_the_others_say_that_they_need_pytorch(name, folder, capsys):
    from command import call

    assert call("models", "export", str(untrained(name, folder))) == 1
    assert "answers by PyTorch alone: its system has no graphs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["maquette", "modelnet"])
def test_on_the_examples_no_voxel_is_another(name):
    onnx_model, torch_model = (hub.load(name, runtime=runtime) for runtime in hub.RUNTIMES)
    facts, threshold = onnx_model.facts, onnx_model.threshold
    for path in sorted(EXAMPLES.glob("*.png")):
        view = frame_object(read_picture(path), facts.view_size, facts.image_channels, path.name).image
        ours, theirs = (answer(model, view) for model in (onnx_model, torch_model))
        assert np.abs(ours.occupancy - theirs.occupancy).max() <= APART, path.name
        flipped = (ours.occupancy >= threshold) != (theirs.occupancy >= threshold)
        assert np.abs(ours.occupancy[flipped] - threshold).max(initial=0) <= APART, path.name  # as good as on it
        assert flipped.sum() <= flipped.size // 100_000, path.name
        assert np.abs(ours.pose - theirs.pose).max() <= APART
        numbers = [(one.alike, one.told) for one in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], abs=APART)
        assert ours.agrees == pytest.approx(theirs.agrees, abs=1e-4)  # of voxels, one may be on the edge


def test_on_the_scan_no_voxel_is_another():
    scan = read_scan(EXAMPLES / "scans" / "chair.png", 32, intrinsics=read_intrinsics(
        str(EXAMPLES / "scans" / "camera.json"))).voxels[None, None]
    models = [hub.load("scan", runtime=runtime) for runtime in hub.RUNTIMES]
    ours, theirs = (occupancy(model, scan) for model in models)
    assert np.abs(ours - theirs).max() <= APART
    assert np.array_equal(ours >= models[0].threshold, theirs >= models[0].threshold)


@pytest.mark.parametrize("name", hub.bundled())
def test_the_bundled_graphs_are_small_and_hold_no_weights(name):
    for path in (hub.BUNDLED / name).glob("*.onnx"):
        graph = onnx.load(path, load_external_data=False).graph
        held = [tensor for tensor in graph.initializer if not external.uses_external_data(tensor)]
        assert path.stat().st_size < 200_000 and sum(len(tensor.raw_data) for tensor in held) < 100_000
        assert sum(external.uses_external_data(tensor) for tensor in graph.initializer) > 5
        assert b"/" not in b"".join(node.doc_string.encode() for node in graph.node)


@pytest.fixture
def model(tmp_path):
    """A copy of a bundled model to spoil."""
    return shutil.copytree(hub.BUNDLED / "scan", tmp_path / "model")


def problem(call, *arguments, **options) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def generate(folder) -> None:
    api.generate(hub.load(folder, runtime="onnx"), 1)


def rewritten(folder, change) -> None:
    """Change latent.onnx, and its checksum with it: a model of a stranger."""
    found = onnx.load(folder / "latent.onnx", load_external_data=False)
    change(found)
    data = found if isinstance(found, bytes) else found.SerializeToString()
    (folder / "latent.onnx").write_bytes(data)
    resum(folder, data)


def resum(folder, data: bytes) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["sha256"]["latent.onnx"] = hub.sha256(data)
    (folder / "config.json").write_text(json.dumps(config))


def pointed(model, key: str, value: str):
    """The first weight's external data, with one entry changed."""
    tensor = next(tensor for tensor in model.graph.initializer if external.uses_external_data(tensor))
    next(entry for entry in tensor.external_data if entry.key == key).value = value


@pytest.mark.parametrize("place", ["../model.safetensors", "/etc/hostname", "config.json", "", "./model.safetensors"])
def test_a_graph_points_at_no_other_file(model, place):
    rewritten(model, lambda found: pointed(found, "location", place))
    assert f"latent.onnx is not a graph of this model: it points at the file {place!r}" in problem(generate, model)


@pytest.mark.parametrize("key, value", [("offset", "0"), ("offset", "-5"), ("length", "1"), ("length", str(2**62))])
def test_a_graph_points_at_whole_tensors_only(model, key, value):
    rewritten(model, lambda found: pointed(found, key, value))
    assert "points at bytes of model.safetensors that are no tensor" in problem(generate, model)


def with_subgraph(found):
    node = found.graph.node.add(op_type="If", input=["latent"], output=["x"])
    node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g.name = "inner"


@pytest.mark.parametrize("change, says", [
    (lambda found: setattr(found.graph.node[0], "domain", "com.microsoft"), "operators that are not ONNX's own"),
    (with_subgraph, "parts that no graph of this package has"),
    (lambda found: setattr(found.functions.add(), "name", "f"), "parts that no graph of this package has"),
    (lambda found: found.graph.node[0].attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t.external_data.add(
        key="location", value="/etc/hostname"), "it points at the file '/etc/hostname'"),
])
def test_a_graph_of_another_form_is_refused(model, change, says):
    rewritten(model, change)
    assert says in problem(generate, model)


def test_damage_is_one_line(model):
    whole = (model / "latent.onnx").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(60):
        data = bytearray(whole)
        if number % 3 == 0:
            data = data[: int(rng.integers(len(data)))]
        else:
            data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        (model / "latent.onnx").write_bytes(data)
        assert "does not match its checksum" in problem(hub.load, model), "as downloads are damaged"
        resum(model, bytes(data))
        try:  # as a stranger may make it: an answer, or one line
            generate(model)
        except UserError as error:
            assert "\n" not in str(error)
        (model / "config.json").write_bytes((hub.BUNDLED / "scan" / "config.json").read_bytes())


def test_weights_of_another_model_are_refused(model):
    shutil.copy(hub.BUNDLED / "modelnet" / "model.safetensors", model)
    assert "model.safetensors is damaged: it does not match its checksum" in problem(hub.load, model)


def test_a_graph_without_a_checksum_is_not_used(model):
    config = json.loads((model / "config.json").read_text())
    del config["sha256"]["scan.onnx"]
    (model / "config.json").write_text(json.dumps(config))
    assert "config.json has no checksum of scan.onnx" in problem(hub.load, model)


def test_where_a_graph_is_missing_pytorch_answers(model):
    (model / "scan.onnx").unlink()
    assert hub.load(model).runtime.__class__.__name__ == "Networks"
    assert "has no graphs for ONNX Runtime; maquette models export" in problem(hub.load, model, runtime="onnx")


@pytest.mark.parametrize("key, value, says", [
    ("latent", 10**9, "answers.latent must be from 0 to 4096"), ("latent", 64, "answers.latent must be model.latent"),
    ("reads", "minds", "'minds' is not a valid Reads"), ("mirrors", 1, "answers.mirrors must be true or false"),
    ("system", "iwgan", "answers.system must be vae-iwgan-scan"), ("more", 1, "answers must have the keys"),
])
def test_facts_are_not_believed(model, key, value, says):
    config = json.loads((model / "config.json").read_text())
    config["answers"][key] = value
    (model / "config.json").write_text(json.dumps(config))
    assert says in problem(hub.load, model)


def test_the_runtime_is_checked():
    assert problem(hub.load, "scan", runtime="jax") == "runtime must be onnx or torch, got 'jax'"
    assert "ONNX Runtime computes on the CPU" in problem(hub.load, "scan", "cuda", "onnx")


def test_facts_are_the_same_from_a_file_and_from_a_system():
    loaded = hub.load("maquette")
    assert facts_of(loaded.system) == loaded.facts == Facts.of_tree(loaded.facts.tree())


def test_a_copy_with_graphs_of_a_model_that_has_none(tmp_path, capsys):
    from command import call

    old = shutil.copytree(hub.BUNDLED / "scan", tmp_path / "old", ignore=shutil.ignore_patterns("*.onnx"))
    config = json.loads((old / "config.json").read_text())
    del config["answers"], config["sha256"]["latent.onnx"], config["sha256"]["scan.onnx"]
    (old / "config.json").write_text(json.dumps(config))
    assert hub.load(old).runtime.__class__.__name__ == "Networks"
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    assert call("models", "export", str(old), "--out", str(tmp_path / "new")) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "new" / name) for name in ("latent.onnx", "scan.onnx")]
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    seen = np.ones((1, 1, 32, 32, 32), np.float32)
    assert np.allclose(occupancy(hub.load(tmp_path / "new"), seen), occupancy(hub.load(old), seen), atol=APART)
    assert call("models", "export", str(old), "--out", str(tmp_path / "new")) == 1
    assert "is not an empty folder" in capsys.readouterr().err


def test_a_training_ends_with_the_graphs(graphs, tmp_path):
    changes = {"data.path": ("furniture:cup",), "data.furniture": 8, "data.cache": str(tmp_path / "cache"),
               "train.steps": 2}
    list(api.train("iwgan-tiny", tmp_path / "run", changes))
    made = [api.generate(hub.load(tmp_path / "run", runtime=runtime), 1)[0] for runtime in hub.RUNTIMES]
    assert np.abs(made[0].occupancy - made[1].occupancy).max() <= APART
