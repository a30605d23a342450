"""The furniture maker as a source."""

import pytest

from maquette.datasets import sources
from maquette.errors import UserError


def test_furniture_is_a_source_whose_test_split_is_other_furniture():
    train = list(sources.furniture(15, seed=3))
    test = list(sources.furniture(15, seed=3, split="test"))
    assert train[0].id == "furniture-chair-000000" and train[13].id == "furniture-chair-000013"
    assert test[13].id == "furniture-test-chair-000013" and test[13].split == "test"
    seeds = [{item.load.args for item in items} for items in (train, test, sources.furniture(15, seed=4))]
    assert not (seeds[0] & seeds[1] or seeds[0] & seeds[2] or seeds[1] & seeds[2])
    assert train[1].load().is_watertight
    assert {item.label for item in sources.furniture(6, kinds=("cup", "car"))} == {"cup", "car"}
    with pytest.raises(UserError, match="furniture kinds must be among chair, .* got yacht"):
        next(sources.furniture(1, kinds=("yacht",)))
