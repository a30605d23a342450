"""The items of several sources."""

import pytest
import trimesh

from maquette.datasets import sources
from maquette.errors import UserError


def wedge() -> trimesh.Trimesh:
    """A box that is longest along x, and off centre."""
    return trimesh.creation.box(bounds=[(0, 0, 0), (4, 2, 1)])


def test_count_is_spread_over_the_source(tmp_path):
    for number in range(10):
        (tmp_path / f"class{number // 5}").mkdir(exist_ok=True)
        wedge().export(tmp_path / f"class{number // 5}" / f"{number}.stl")
    chosen = [item.id for item in sources.items_of([tmp_path], count=4, keep_names=True)]
    assert chosen == ["class0/0", "class0/2", "class1/5", "class1/7"]
    with pytest.raises(UserError, match="has no shapes in the split 'test'"):
        sources.items_of([tmp_path], split="test")
    with pytest.raises(UserError, match="same id, got class0/0"):
        sources.items_of([tmp_path, tmp_path], keep_names=True)
