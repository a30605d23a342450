"""The IKEA layout: a tiny copy, and the real one where it is."""

from collections import Counter

import numpy as np
import pytest
from scipy.io import savemat

from maquette.datasets import sources
from maquette.datasets.sources import ikea
from maquette.errors import UserError


@pytest.fixture
def folder(tmp_path):
    for name in ("Images", "Lists", "Voxels"):
        (tmp_path / name).mkdir()
    (tmp_path / "Lists" / "Images.txt").write_text("a.jpg\nb.jpg\nc.jpg\n")
    models = ("IKEA_sofa_KLIPPAN/x_obj0_object", "IKEA_table_LACK/y", "IKEA_sofa_KLIPPAN/x")
    (tmp_path / "Lists" / "Model.txt").write_text("\n".join(models))
    (tmp_path / "Lists" / "ModelID.txt").write_text("12\n3\n12\n")
    grid = np.zeros((20, 20, 20), np.uint8)
    grid[:, 5:15, 3:9] = 1
    savemat(tmp_path / "Voxels" / "12.mat", {"grid": grid})
    return tmp_path


def test_a_line_is_a_photo_and_a_model_is_one_item(folder):
    photos = ikea.photos(folder)
    assert [(photo.image.name, photo.label, photo.model_id) for photo in photos] == [
        ("a.jpg", "sofa", 12), ("b.jpg", "table", 3), ("c.jpg", "sofa", 12)]
    assert photos[0].grid().sum() == 20 * 10 * 6
    items = list(sources.read(folder))
    found = [(item.id, item.label, item.split) for item in items]
    assert found == [("sofa/12", "sofa", "test"), ("table/3", "table", "test")]
    assert np.array_equal(items[0].load(), photos[2].grid())
    with pytest.raises(UserError, match="cannot read .*3.mat"):
        items[1].load()


def test_what_is_wrong_is_named(folder):
    savemat(folder / "Voxels" / "3.mat", {"other": 1})
    with pytest.raises(UserError, match="3.mat: a grid has three axes"):
        ikea.photos(folder)[1].grid()
    (folder / "Lists" / "Model.txt").write_text("IKEA_sofa_KLIPPAN/x\n")
    with pytest.raises(UserError, match="one line a photo each, got .*'Model': 1"):
        ikea.photos(folder)
    (folder / "Lists" / "Model.txt").write_text("sofa\nsofa\nsofa\n")
    with pytest.raises(UserError, match="cannot understand a line .* got sofa 12"):
        ikea.photos(folder)
    (folder / "Lists" / "Images.txt").unlink()
    with pytest.raises(UserError, match="Images.txt"):
        ikea.photos(folder)


def test_the_real_set(shared):
    photos = ikea.photos(shared / "ikea")
    assert len(photos) == 512 and all(photo.image.is_file() for photo in photos)
    classes = Counter(photo.label for photo in photos)
    assert "bed" not in classes and {"bookcase", "chair", "desk", "sofa", "table"} <= set(classes)
    for item in ikea.read(shared / "ikea"):
        grid = item.load()
        assert grid.shape == (20, 20, 20)
        used = np.argwhere(grid)
        assert (used.max(0) - used.min(0)).max() + 1 >= 19  # the longest side fills the grid
