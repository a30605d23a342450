"""The furniture maker as a source."""

import numpy as np
import pytest

from maquette.datasets import sources
from maquette.datasets.solids import HELD_OUT, KINDS
from maquette.errors import UserError


def test_furniture_is_a_source_whose_test_split_is_other_furniture():
    train = list(sources.generated("furniture", 15, seed=3))
    test = list(sources.generated("furniture", 15, seed=3, split="test"))
    assert train[0].id == "furniture-chair-000000" and train[13].id == "furniture-chair-000013"
    assert test[13].id == "furniture-test-chair-000013" and test[13].split == "test"
    seeds = [{item.load.args for item in items} for items in (train, test, sources.generated("furniture", 15, seed=4))]
    assert not (seeds[0] & seeds[1] or seeds[0] & seeds[2] or seeds[1] & seeds[2])
    assert train[1].load().is_watertight
    assert {item.label for item in sources.generated("furniture:cup,car", 6)} == {"cup", "car"}
    with pytest.raises(UserError, match="furniture kinds must be among chair, .* got yacht"):
        next(sources.generated("furniture:yacht", 1))


def test_solids_for_training_are_of_no_kind_that_is_kept_for_testing():
    train = list(sources.generated("solids", 82, seed=1))
    test = list(sources.generated("solids", 16, seed=1, split="test"))
    labels = [item.label for item in train]
    assert labels[:3] == ["construction", "mug", "jug"] and labels.count("construction") == 10
    assert {item.label for item in test} == set(HELD_OUT) and not set(labels) & set(HELD_OUT)
    assert set(labels) | set(HELD_OUT) == set(KINDS)
    assert test[0].id == "solids-test-teapot-000000" and train[1].load().is_watertight
    assert np.array_equal(train[1].load().vertices, sources.mesh_of("solids:mug:2000001").vertices)
    assert [item.label for item in sources.generated("solids:teapot", 1)] == ["teapot"]  # whoever names it gets it
    with pytest.raises(UserError, match="solids kinds must be among construction, .* got yacht"):
        next(sources.generated("solids:yacht", 1))
