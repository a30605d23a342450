"""Whether the data that a recipe names exist."""

import dataclasses

import pytest

from maquette import recipe as recipes
from maquette.errors import UserError


def with_data(**data) -> recipes.Recipe:
    recipe = recipes.load("iwgan-tiny")
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, **data))


def test_paths_that_are_missing_are_named_with_the_nearest(tmp_path):
    (tmp_path / "modelnet10").mkdir()
    (tmp_path / "modelnet10" / "shapes.npz").write_bytes(b"")
    (tmp_path / "textures").mkdir()
    (tmp_path / "texturez.txt").write_bytes(b"")

    def problem(**data) -> str:
        with pytest.raises(UserError) as caught:
            recipes.check_paths(with_data(**data))
        return str(caught.value)

    there = tmp_path / "modelnet10" / "shapes.npz"
    recipes.check_paths(with_data(path=("furniture", "furniture:chair,lamp", str(there)),
                                  backgrounds=str(tmp_path / "textures")))
    line = problem(path=("furniture", str(tmp_path / "modelnet10" / "shape.npz")))
    assert "data.path names data that are not there" in line and f"did you mean '{there}'?" in line
    line = problem(path=(str(tmp_path / "modlnet10" / "shapes.npz"),))
    assert f"did you mean '{tmp_path / 'modelnet10'}'?" in line
    assert "did you mean 'furniture'?" in problem(path=("furnitur",))
    assert "got 'chiar'; did you mean 'chair'?" in problem(path=("furniture:lamp,chiar",))
    assert "give a file, a folder, 'furniture' or 'solids'" in problem(path=(str(tmp_path / "zzzz"),))
    assert "give a file" in problem(path=("",))
    line = problem(backgrounds=str(tmp_path / "texture"))
    assert "data.backgrounds" in line and f"did you mean '{tmp_path / 'textures'}'?" in line, "a folder, not the file"


def test_a_recipe_whose_data_are_elsewhere_can_still_be_read():
    recipe = with_data(path=("gone.npz",), backgrounds="gone")
    assert recipes.from_tree(recipes.to_tree(recipe), "x") == recipe
