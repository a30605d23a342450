"""What a model says of what it learned from: no folder and no file of the user's is named."""

from dataclasses import replace

import numpy as np
import pytest

from maquette import recipe as recipes
from maquette.datasets.format import OWN_TERMS
from maquette.datasets.prepare import open_dataset, prepare
from maquette.models.card import write_card
from maquette.training.export import OWN_MODEL, terms, without_places
from maquette.training.warm_start import Start


@pytest.fixture
def shapes(tmp_path):
    """One shape out of a folder whose name is nobody's business, prepared."""
    (tmp_path / "Zimmermann" / "boxes").mkdir(parents=True)
    np.save(tmp_path / "Zimmermann" / "boxes" / "a.npy", np.pad(np.ones((4, 4, 4), np.float32), 2))
    list(prepare(tmp_path / "Zimmermann", tmp_path / "set", resolution=8, workers=1))
    assert "Zimmermann" not in (tmp_path / "set" / "maquette.json").read_text()
    return open_dataset(tmp_path / "set")


def secret_recipe(tmp_path, *paths: str):
    made = recipes.load("furniture")
    data = replace(made.data, path=paths, backgrounds=str(tmp_path / "Zimmermann-flat"), cache=str(tmp_path / "Zimmer"))
    return replace(made, data=data, train=replace(made.train, start=str(tmp_path / "Zimmermann-run")))


def test_no_name_of_the_users_goes_into_a_model(shapes, tmp_path):
    (tmp_path / "Zimmermann-run").mkdir()
    given = secret_recipe(tmp_path, str(tmp_path / "Zimmermann" / "knee.npz"), "furniture:chair", "Zimmermann-2.npz")
    start = Start(given.train.start, "Zimmermann-run", ("Zimmermann-run: as its owner says",))
    kept = without_places(given, start)
    assert kept.data.path == ("data", "furniture:chair", "data") and kept.data.backgrounds == "pictures"
    assert kept.train.start == OWN_MODEL
    bound = terms(shapes, given, start)
    assert bound == (OWN_TERMS, "pictures for surfaces and backgrounds: as their owners say",
                     f"{OWN_MODEL}: as its owner says")
    card = write_card(kept, ["knee"], bound, 3, {}, {"seconds": 4})
    assert "Zimmer" not in card and str(tmp_path) not in card and "Zimmer" not in recipes.dump(kept)


def test_names_that_everybody_knows_stay(shapes, tmp_path):
    given = secret_recipe(tmp_path, "furniture")
    known = Start("maquette", "maquette", ("ModelNet: academic use only",))
    assert without_places(given, known).train.start == "maquette"
    assert terms(shapes, given, known)[-1] == "ModelNet: academic use only"
    hub = Start("owner/name", "owner/name", ("owner/name: as its owner says",))
    assert without_places(given, hub).train.start == "owner/name"
    assert terms(shapes, given, hub)[-1] == "owner/name: as its owner says"
    assert without_places(replace(given, data=replace(given.data, backgrounds=""))).data.backgrounds == ""
