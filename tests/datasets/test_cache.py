"""What is prepared once is found again by what is in the files, and by nothing else."""

import os
import shutil
import time

import pytest
import trimesh

from maquette.datasets import cache as caching
from maquette.datasets.cache import cache_folder, cached, content_of
from maquette.errors import UserError


def box(path, height=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.creation.box((1, 1, height)).export(path)


def opened(source, cache, **options):
    events = cached(source, cache, "reading", {"resolution": 8, "split": "train", **options})
    try:
        while True:
            next(events)
    except StopIteration as stop:
        return stop.value


def test_more_meshes_or_others_are_another_dataset(tmp_path):  # A2
    box(tmp_path / "in" / "a.stl")
    box(tmp_path / "in" / "b.stl", 0.5)
    cache = tmp_path / "cache"
    assert len(opened(tmp_path / "in", cache)) == 2
    box(tmp_path / "in" / "c.stl", 0.25)
    assert len(opened(tmp_path / "in", cache)) == 3
    before = opened(tmp_path / "in", cache).voxels([0]).sum()
    box(tmp_path / "in" / "a.stl", 0.25)  # the same name, another shape
    assert opened(tmp_path / "in", cache).voxels([0]).sum() < before
    (tmp_path / "in" / "c.stl").unlink()
    assert len(opened(tmp_path / "in", cache)) == 2


def test_the_same_files_are_the_same_wherever_and_whenever(tmp_path, monkeypatch):  # A2, F16
    monkeypatch.chdir(tmp_path)
    box(tmp_path / "in" / "a.stl")
    first = cache_folder(tmp_path / "in", "cache", {"resolution": 8})
    shutil.copytree(tmp_path / "in", tmp_path / "elsewhere" / "in")
    os.utime(tmp_path / "elsewhere" / "in" / "a.stl", (time.time() - 1e6,) * 2)
    (tmp_path / "elsewhere" / "in" / ".hidden").write_text("")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cache_folder("in", "cache", {"resolution": 8, "views": 0, "workers": 3}) == first
    assert cache_folder("in", "cache", {"resolution": 9}) != first
    here = cache_folder("furniture:chair", "cache", {"count": 3})
    monkeypatch.chdir(tmp_path)
    assert cache_folder("furniture:chair", "cache", {"count": 3}) == here
    assert "chair" not in here.name and here.name.startswith("furniture-32-")


def test_a_source_is_read_once(tmp_path, monkeypatch):  # A2
    box(tmp_path / "in" / "a.stl")
    os.utime(tmp_path / "in" / "a.stl", (time.time() - 60,) * 2)
    first = content_of(tmp_path / "in", tmp_path / "cache")
    monkeypatch.setattr("hashlib.file_digest", None)
    assert content_of(tmp_path / "in", tmp_path / "cache") == first
    monkeypatch.undo()
    (tmp_path / "cache" / "contents.json").write_text("[" * 10**5)
    assert content_of(tmp_path / "in", tmp_path / "cache") == first
    with pytest.raises(UserError, match="no such source: nowhere"):
        content_of("nowhere", tmp_path / "cache")


@pytest.mark.parametrize("ahead", [-1, 3600])
def test_a_file_that_changes_within_its_date_or_under_a_clock_that_went_back_is_read_again(tmp_path, ahead):
    """Same name, same size, same date: only the bytes differ."""
    file, date = tmp_path / "in" / "a.stl", (int(time.time()) + ahead,) * 2
    file.parent.mkdir()
    found = []
    for content in (b"one", b"two"):
        file.write_bytes(content)
        os.utime(file, date)
        found.append(content_of(tmp_path / "in", tmp_path / "cache"))
    assert found[0] != found[1]


def test_a_damaged_dataset_of_the_cache_says_what_helps_and_that_helps(tmp_path):
    box(tmp_path / "in" / "a.stl")
    folder = opened(tmp_path / "in", tmp_path / "cache").paths[0]
    for file in (folder / "train").glob("*.arrow"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match=f"delete {folder}, and it is prepared again"):
        opened(tmp_path / "in", tmp_path / "cache")
    shutil.rmtree(folder)
    assert len(opened(tmp_path / "in", tmp_path / "cache")) == 1


def test_the_key_of_a_maker_is_what_is_made_and_not_where(tmp_path, monkeypatch):  # F16
    def key(source="furniture", **options):
        return cache_folder(source, tmp_path, {"resolution": 16, "count": 4, **options}).name

    first = key()
    monkeypatch.chdir(tmp_path)
    assert key() == first == key(seed=0, workers=1)
    others = {key(count=5), key(seed=1), key(resolution=32), key(views=2), key("furniture:chair"), key("solids"),
              key("furniture:lamp")}
    assert len(others) == 7 and first not in others
    monkeypatch.setattr(caching, "FORMAT", caching.FORMAT + 1)
    assert key() != first, "rows that are made otherwise are another dataset"
