"""What the first release, 0.1.0, made is still read, and what it answered is still answered."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import maquette
from maquette import recipe as recipes
from maquette.datasets.furniture import make
from maquette.errors import RenamedWarning
from maquette.intake.pickup import frame_object, read_picture
from maquette.models import hub
from maquette.models.predict import occupancy
from maquette.rendering.depth_scan import scans

WAS = {"modelnet": "maquette", "scan": "scan"}
"""What today's bundled models were called in the first release."""
FIRST = Path(__file__).parents[1] / "data" / "first-release"
EXAMPLES = Path(maquette.__file__).parent / "examples"


def answers(name: str) -> np.ndarray:
    """Occupancy float32 [n, 32, 32, 32], by model and answer: `modelnet/chair`, `scan/complete`."""
    model, _, what = name.partition("/")
    if what == "generate":
        return np.stack([shape.occupancy for shape in maquette.generate(model, 6, 7)])[:2]
    if what == "complete":
        seen = torch.from_numpy(scans(make("chair", 5), 32, 3, 1).astype(np.float32))[:, None]
        with torch.no_grad():
            return maquette.load(model).system.reconstruct(seen)[:2, 0].numpy()
    config = maquette.load(model).system.config
    framed = frame_object(read_picture(EXAMPLES / f"{what}.png"), config.view_size, config.image_channels)
    return occupancy(maquette.load(model), framed.image[None])


@pytest.mark.parametrize("name", ["modelnet/chair", "modelnet/photo-desk", "modelnet/generate", "scan/generate",
                                  "scan/complete"])
def test_answers_are_those_of_the_first_release(name):
    """Kept in half precision: processors round sums in their own way. On one machine they were bitwise the same."""
    with np.load(FIRST / "answers.npz") as kept:
        model, _, what = name.partition("/")
        before = kept[f"{WAS[model]}__{what}"].astype(np.float32)
    now = answers(name)[: len(before)]
    assert now.shape == before.shape and np.abs(now - before).max() < 2e-3
    clear = np.abs(before - 0.5) > 2e-3
    assert np.array_equal((now > 0.5)[clear], (before > 0.5)[clear])


@pytest.mark.parametrize("name", sorted(WAS))
def test_a_config_of_the_first_release_is_read_with_a_line_for_each_old_key(name, tmp_path):
    shutil.copy(hub.locate(name) / "model.safetensors", tmp_path)
    old = json.loads((FIRST / f"{WAS[name]}-config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(old))
    with pytest.warns(RenamedWarning) as said:
        model = hub.load(str(tmp_path))
    lines = {str(warning.message).removeprefix(f"{tmp_path / 'config.json'}: ") for warning in said}
    assert {"labels is called class_names now", "model.kl is called model.kl_weight now",
            "model.judged is called model.critic_fraction now"} <= lines
    today = hub.load(name)
    assert model.system.config == today.system.config
    saved, own = today.system.nets.state_dict(), today.system.saved_networks()
    assert all(torch.equal(value, saved[key]) for key, value in model.system.nets.state_dict().items()
               if key.split(".")[0] in own)
    assert model.info["class_names"] == today.info["class_names"] == old["labels"]


def test_a_recipe_of_the_first_release_is_todays_under_its_new_keys():
    old = json.loads((FIRST / "maquette-config.json").read_text())["recipe"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        read = recipes.from_tree(old, "old.yaml")
    assert "old.yaml: data.furniture_kinds is called data.furniture_classes now" in map(str, (w.message for w in said))
    assert read.model == hub.load("modelnet").system.config
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recipes.from_tree(recipes.to_tree(read), "new.yaml") == read
