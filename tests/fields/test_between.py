"""Ways in shape, in appearance and in both; cameras round an object and pictures from them."""

import dataclasses

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.fields.between import field_path
from maquette.latents import paths
from maquette.models import networks
from maquette.models.hub import Model
from maquette.systems import SYSTEMS

SHAPE, APPEARANCE, CAMERA = slice(0, 6), slice(6, 11), slice(11, 14)  # of the tiny recipes


def model_of(name: str = "3dgen-tiny", **keys) -> Model:
    torch.manual_seed(0)
    recipe = recipes.load(name)
    system = SYSTEMS[recipe.system](dataclasses.replace(recipe.model, **keys))
    system.nets.eval().requires_grad_(False)
    return networks.model_of("tiny", system, {}, {})


@pytest.mark.parametrize("what, moved", [("shape", [SHAPE]), ("appearance", [APPEARANCE]),
                                         ("both", [SHAPE, APPEARANCE])])
@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_each_code_moves_by_itself_and_the_rest_stays(what, moved, path):
    ends = list(np.random.default_rng(0).standard_normal((3, 14), np.float32))
    latents = field_path(model_of(), ends, 4, path, what)
    assert latents.shape == (7, 14)
    for part in (SHAPE, APPEARANCE, CAMERA):
        path_of_part = paths.path_through([end[part] for end in ends], 4, path)
        wanted = path_of_part if part in moved else np.tile(ends[0][part], (7, 1))
        assert np.array_equal(latents[:, part], wanted)
        assert (part in moved) == np.array_equal(latents[3, part], ends[1][part])


def test_a_way_in_something_else_is_refused():
    with pytest.raises(UserError) as caught:
        field_path(model_of(), list(np.zeros((2, 14), np.float32)), 3, "straight", "size")
    assert str(caught.value) == "what must be both, shape or appearance, got 'size'"
