"""Values that no writer writes, in models, runs, lists and scans: one line each, and nothing on the terminal."""

import json
import warnings

import numpy as np
import pytest
from tiny import tiny

from maquette.api.trained import model_facts
from maquette.datasets.sources import ikea
from maquette.errors import UserError
from maquette.io.formats import write_grid
from maquette.models import hub
from maquette.scans import place, read_intrinsics, read_scan
from maquette.training.monitor import runs


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    hub.save(folder, tiny("iwgan").system, {"threshold": 0.4, "class_names": ["chair"], "data": ["mine"]}, "# card", {})
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def written(whole, folder, **changes):
    for name, data in whole.items():
        (folder / name).write_bytes(data)
    tree = json.loads(whole["config.json"])
    (folder / "config.json").write_text(json.dumps(tree | changes))
    return folder


@pytest.mark.parametrize(
    "changes, line",
    [
        ({"threshold": [0.5]}, "threshold must lie between 0 and 1"),
        ({"threshold": True}, "threshold must lie between 0 and 1"),
        ({"threshold": 2}, "threshold must lie between 0 and 1"),
        ({"class_names": "chair"}, "class_names must be a list of texts"),
        ({"class_names": [["chair"]]}, "class_names must be a list of texts"),
        ({"data": [1]}, "data must be a list of texts"),
        ({"system": "A" * 3000}, "unknown system"),
    ],
)
def test_facts_of_a_model_that_are_none(whole, tmp_path, changes, line):  # F14
    with pytest.raises(UserError) as caught:
        hub.load(written(whole, tmp_path, **changes))
    assert line in str(caught.value) and len(str(caught.value)) < 1000


def test_sizes_that_no_network_has(whole, tmp_path):  # F14
    config = json.loads(whole["config.json"])["model"] | {"critic_channels": [2**31, 2**31]}
    with pytest.raises(UserError, match="config.json: no network has these sizes"):
        hub.load(written(whole, tmp_path, model=config))


def test_a_configuration_without_end_and_a_card_that_is_no_text(whole, tmp_path):  # F14
    written(whole, tmp_path)
    (tmp_path / "README.md").write_bytes(b"# M\xff\xfe")
    assert model_facts(tmp_path)["card"] == "# M\ufffd\ufffd"
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="its values are nested too deep"):
        hub.load(tmp_path)


def test_weights_that_are_complex_numbers(whole, tmp_path):  # F14
    import torch
    from safetensors.torch import load, save

    tensors = load(whole["model.safetensors"])
    name = next(name for name, value in tensors.items() if value.is_floating_point())
    tensors[name] = tensors[name].to(torch.complex64)
    folder = written(whole | {"model.safetensors": save(tensors)}, tmp_path, sha256={})
    with pytest.raises(UserError, match=f"tensor {name} holds complex numbers"):
        hub.load(folder)


@pytest.mark.parametrize(
    "recipe",
    [
        "train: {steps: iou}",
        "train: {steps: [3]}",
        "train: 3",
        "steps: " + "9" * 5000,
        "a: 2020-13-45",
        "[" * 100_000,
        "\x00",
        "train: !!timestamp 1",
    ],
)
@pytest.mark.parametrize(
    "row",
    [
        {},
        {"step": 10**300},
        {"step": True},
        {"step": -1},
        {"samples": "x"},
        {"time": [1]},
        {"critic/loss": 10**400},
        {"event": 3},
        {"time": float("nan")},
    ],
)
def test_a_run_with_odd_values_is_listed(tmp_path, recipe, row):  # F14
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.yaml").write_text(recipe)
    rows = [{"event": "stepped", "step": 3, "samples": 24, "time": 1.5, "critic/loss": 0.5}]
    rows.append({**rows[0], "step": 4, **row})
    (run / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows) + "[" * 100_000)
    (run / "environment.json").write_text("[" * 100_000)
    (found,) = runs.list_runs(tmp_path)
    assert found["step"] == (3 if row else 4) and found["steps"] == 0
    assert runs.describe(run)["curves"]["critic/loss"][1][0] == 0.5


def test_lists_of_ikea_that_are_no_text(tmp_path):  # F14
    (tmp_path / "Lists").mkdir()
    (tmp_path / "Voxels").mkdir()
    write_grid(tmp_path / "Voxels" / "1.mat", np.ones((4, 4, 4)))
    lists = {"Images": b"a\xff.jpg\n", "Model": b"IKEA_sofa_A/x\n", "ModelID": b"1\n"}
    for name, data in lists.items():
        (tmp_path / "Lists" / f"{name}.txt").write_bytes(data)
    (photo,) = ikea.photos(tmp_path)
    assert photo.label == "sofa" and photo.grid().all()
    for number in ("²", "٣", "9" * 5000):
        (tmp_path / "Lists" / "ModelID.txt").write_text(f"{number}\n", encoding="utf-8")
        with pytest.raises(UserError, match="cannot understand a line of the lists"):
            ikea.photos(tmp_path)


@pytest.mark.parametrize(
    "scale, line",
    [
        (1e300, "coordinates that are too large for any unit"),
        (1e-300, "all points lie in one place"),
        (1e50, ""),
        (1e-50, ""),
    ],
)
def test_scans_in_any_unit_that_there_could_be(scale, line):  # F14
    points = np.random.default_rng(0).normal((0, 0, 5), 0.3, (500, 3)) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if not line:
            assert place(points, 16, elevation_deg=20)[0].any()
            return
        with pytest.raises(UserError, match=line):
            place(points, 16, elevation_deg=20)


@pytest.mark.parametrize("depth", [1e38, 1e-40, 1e308])
def test_depths_beyond_any_sensor(depth):  # F14, F16
    values = np.where(np.eye(64, k=1) + np.eye(64) > 0, depth, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read_scan(values, 16, intrinsics=read_intrinsics("1e-9,1e-9,32,32"), elevation_deg=20)
        except UserError as error:
            assert str(error).isprintable()


def test_a_uid_that_is_a_list_of_unknown_fields_is_read_in_silence(tmp_path):  # F16
    from radiographs import dicom, radiograph

    from maquette.io.dicom import anonymous_name

    path = dicom(tmp_path / "a.dcm", radiograph(1).astype(np.uint16))
    data = path.read_bytes()
    at = data.index(b"\x08\0\x18\0UI")
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    inner = b"\x14\0\x5a\x69\0\0\0\0"  # a field that no dictionary knows, with an implicit form
    item = b"\xfe\xff\x00\xe0" + len(inner).to_bytes(4, "little") + inner
    path.write_bytes(
        data[:at] + b"\x08\0\x18\0SQ\0\0" + len(item).to_bytes(4, "little") + item + data[at + 8 + length :]
    )
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        anonymous_name(path)
    assert not heard
