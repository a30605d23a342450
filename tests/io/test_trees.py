"""YAML and JSON of strangers: what is too deep, too large, repeated or no number is one line, at once."""

import json
import time

import pytest

from maquette.io.trees import JSON_BYTES, MAX_DIGITS, YAML_BYTES, json_value, read_json, read_yaml

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{before}'] * 10)}]\n" for before, this in zip("abcdefgh", "bcdefghi", strict=True))
YAMLS = {
    "laughs": (LAUGHS, "anchors and aliases"),
    "self": ("&a\nsystem: iwgan\nmodel: *a\n", "anchors and aliases"),
    "deep": ("system: iwgan\nmodel: " + "[" * 100_000, "nested too deep"),
    "deep and whole": ("model: " + "[" * 5000 + "]" * 5000, "nested too deep"),
    "date": ("about: 2020-13-45\n", "month must be in 1..12"),
    "digits": ("train: {steps: " + "9" * 5000 + "}\n", "a number has 5,000 digits"),
    "hexadecimal": ("steps: 0x" + "f" * 5000, "a number has 5,002 digits"),
    "object": ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    "bytes": (b"\xff\xfe\x00a: 1", "utf-8"),
    "large": ("# " + "x" * YAML_BYTES, "larger than 1 MB"),
    "tabs": ("a:\n\t- b\n", "cannot start any token"),
}


@pytest.mark.parametrize("kind", YAMLS)
def test_a_strange_yaml_is_one_line_at_once(kind, tmp_path):
    text, line = YAMLS[kind]
    (tmp_path / "a.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.monotonic()
    with pytest.raises(ValueError, match=line) as found:
        read_yaml(tmp_path / "a.yaml")
    assert "\n" not in str(found.value) and len(str(found.value)) < 400 and time.monotonic() - began < 5


def test_plain_yaml_is_read_as_it_is_meant(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("system: iwgan\nlr: 1e-4\nsteps: 20\nwidths: [1, 2]\nflip: true\nnone: null\nabout: 'a: b'\n")
    assert read_yaml(path) == {"system": "iwgan", "lr": 1e-4, "steps": 20, "widths": [1, 2], "flip": True, "none": None,
                               "about": "a: b"}
    path.write_text("n: " + "9" * MAX_DIGITS)
    assert read_yaml(path) == {"n": int("9" * MAX_DIGITS)}


@pytest.mark.parametrize("text, line", [
    ("[" * 100_000, "nested too deep"), ('{"a": ' + "9" * 5000 + "}", "a number has 5,000 digits"), ("{", "Expecting"),
    ('{"a": 1', "Expecting"), ("", "Expecting value"),
])
def test_a_strange_json_is_one_line(text, line, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=line):
        read_json(tmp_path / "a.json")


def test_a_large_json_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(JSON_BYTES + 1)  # no byte of it is on the disk
    with pytest.raises(ValueError, match="larger than 64 MB"):
        read_json(tmp_path / "a.json")


def test_plain_json_is_read_with_and_without_a_mark():
    assert json_value(b'\xef\xbb\xbf{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    assert json_value(json.dumps({"a": {"b": -3}})) == {"a": {"b": -3}}
    assert json_value('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(ValueError, match="a name is given twice"):
        json_value('{"a": 1, "a": 2}', once=True)
