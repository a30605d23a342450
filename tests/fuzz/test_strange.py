"""Strange files: a short seeded round over every kind, every finding of earlier rounds, and the fuzzer's own senses."""

import hashlib
import json

import pytest
from strange import mutate
from strange.canaries import SORTS
from strange.kinds import KINDS
from strange.pool import Worker
from strange.rounds import fuzz, inputs, keep, kept, opened, packed, seed_inputs, shares, smaller, table
from strange.structured import mended

SEED, EACH = 20261127, 2


@pytest.fixture(scope="module")
def worker():
    with Worker() as one:
        yield one


@pytest.mark.parametrize("kind", KINDS)
def test_strange_files_are_read_or_refused_in_one_line(worker, kind):  # F14, F16
    tally = fuzz(worker, kind, SEED, EACH)
    assert not tally.findings, "\n".join(f"{r.sort}: {r.detail}" for r, _ in tally.findings.values())
    assert sum(tally.outcomes.values()) == EACH


@pytest.mark.parametrize("kind, path", kept(), ids=lambda value: getattr(value, "name", value))
def test_what_was_once_a_finding_is_none_any_more(worker, kind, path):
    result = worker.run(kind, opened(path))
    assert result.outcome in ("read", "refused"), f"{result.sort}: {result.detail}"


@pytest.mark.parametrize("kind", KINDS)
def test_valid_files_of_every_kind_are_read(worker, kind):
    assert worker.run(kind, seed_inputs(kind)[0]).outcome == "read"


@pytest.fixture(scope="module")
def quick():
    with Worker(seconds=1.0) as one:
        yield one


@pytest.mark.parametrize("way", SORTS)
def test_the_fuzzer_notices(quick, way):
    result = quick.run("canary", {"a.txt": way.encode()})
    assert (result.outcome, result.sort) == ("failed", SORTS[way]), result
    assert quick.run("canary", {"a.txt": b"refused"}).outcome == "refused"
    assert quick.run("canary", {"a.txt": b"fine"}).outcome == "read"


def test_an_input_follows_from_its_seed_and_number_alone():
    first, again, other = (list(inputs("grid-npz", seed, 20)) for seed in (3, 3, 4))
    assert first == again and first != other
    assert list(inputs("grid-npz", 3, 5)) == first[:5]


def test_checksums_fit_what_was_changed():
    whole = seed_inputs("checkpoint")[0]
    name = next(name for name in whole if name.endswith("step-0000002/weights.safetensors"))
    made = mended(whole | {name: b"x"})
    state = json.loads(made["step-0000002/state.json"])
    assert state["sha256"]["weights.safetensors"] == hashlib.sha256(b"x").hexdigest()
    assert state["step"] == json.loads(whole["step-0000002/state.json"])["step"]


@pytest.mark.parametrize("kind", KINDS)
def test_most_inputs_are_changed_and_none_is_endless(kind):
    whole = list(seed_inputs(kind))
    made = list(inputs(kind, 1, 10))
    assert sum(files in whole for files in made) <= 2
    assert all(len(data or b"") <= mutate.MOST_BYTES for files in made for data in files.values())


def test_a_finding_is_made_smaller_and_kept(quick, tmp_path, monkeypatch):
    from strange.canaries import CANARIES

    monkeypatch.setitem(KINDS, "canary", CANARIES["canary"])
    files = {"a.txt": b"print"}
    result = quick.run("canary", files)
    assert smaller(quick, "canary", files | {"more.txt": b"x" * 100}, result) == files
    path = keep("canary", files, tmp_path)
    assert path.parent == tmp_path / "canary" and opened(path) == {"a.txt": b"print"}
    assert kept(tmp_path) == [("canary", path)]
    many = {"a/b.txt": b"x", "c": None}
    (tmp_path / "a.zip").write_bytes(packed(many))
    assert opened(tmp_path / "a.zip") == many


def test_the_table_adds_up():
    tallies = {}
    with Worker(seconds=1.0) as one:
        for kind in ("intrinsics", "grid-binvox"):
            tallies[kind] = fuzz(one, kind, 1, 4)
    rows = [row.split("|")[1:-1] for row in table(tallies).splitlines()]
    assert rows[0][0].strip() == "kind" and rows[-1][:2] == [" all ", " 8 "]
    assert shares(20_000) and sum(shares(20_000).values()) == 20_000 and min(shares(46).values()) >= 1
