"""Training GRAF and 3DGEN on a prepared folder of images to pictures on disk, with exact resuming."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from radiographs import dataset
from safetensors.torch import load_file

from maquette import api
from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.models.sampling import sample_images
from maquette.training import news
from maquette.training import run as job
from maquette.training.monitor.log import read_metrics

PLANES = {"field": "planes", "field_width": 16, "field_depth": 2, "plane_side": 8, "plane_features": 2,
          "plane_width": 6}
RUNS = {"graf": ("graf-tiny", {}), "mlp": ("3dgen-tiny", {}), "planes": ("3dgen-tiny", PLANES)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A prepared dataset of 16 coloured images of 16x16, two of them for testing."""
    return dataset(tmp_path_factory.mktemp("objects"), size="16x16", grey=False)


def recipe_of(which: str, data, **train) -> recipes.Recipe:
    name, keys = RUNS[which]
    recipe = recipes.load(name)
    train = {"steps": 6, "save_steps": 3, "sample_every": 0, "tensorboard": False, "check_every": 3, **train}
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, path=(str(data),)),
                               model=dataclasses.replace(recipe.model, **keys),
                               train=dataclasses.replace(recipe.train, **train))


@pytest.mark.parametrize("which", RUNS)
def test_a_run_that_is_stopped_and_resumed_ends_bit_for_bit_as_one_that_never_was(which, data, tmp_path):
    recipe = recipe_of(which, data)
    events = list(job.train_recipe(recipe, tmp_path / "never"))
    assert any(isinstance(event, news.Exported) for event in events)
    asked = []
    events = list(job.train_recipe(recipe, tmp_path / "run", stop=lambda: asked.append(0) or len(asked) >= 4))
    assert isinstance(events[-1], news.Stopped) and events[-1].step == 4
    list(job.train_recipe(recipe, tmp_path / "run", resume=True))
    for name in ("weights.safetensors", "average.safetensors"):
        one, other = (load_file(tmp_path / run / "checkpoints" / "step-0000006" / name) for run in ("never", "run"))
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one), name
    rows = read_metrics(tmp_path / "never")
    probed = [row for row in rows if row["event"] == "probed"]
    assert {"critic/train", "critic/real", "samples/variety"} <= set(probed[-1])
    assert np.isfinite([value for key, value in probed[-1].items() if "/" in key]).all()
    sheet = np.asarray(Image.open(tmp_path / "never" / "model" / "samples.png"))
    assert sheet.shape == (4 * 17 + 1, 4 * 17 + 1, 3)
    model = api.load(str(tmp_path / "never"))
    few, many = sample_images(model, 2, seed=5, batch=4), sample_images(model, 4, seed=5, batch=4)
    assert few.shape == (2, 16, 16, 3) and few.dtype == np.uint8 and few.std() > 0
    assert np.array_equal(few, many[:2]) and not np.array_equal(few, sample_images(model, 2, seed=6, batch=4))


def test_images_of_another_form_are_refused(data, tmp_path):
    recipe = recipe_of("mlp", data)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, height=32, width=32))
    with pytest.raises(UserError, match="has images of 16x16 and 3 channels, the recipe's model makes 32x32 and 3 ch"):
        list(job.train_recipe(recipe, tmp_path / "run"))
