"""YAML of strangers: plain values, or one line at once."""

import time
import tracemalloc

import pytest

from maquette.errors import UserError
from maquette.io.yaml_files import MAX_BYTES, MAX_VALUES, read_yaml

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n  k{n}: 1\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("&a [*a]", "its values are nested more than 20 deep"),
        ("a: &a {b: *a}", "its values are nested more than 20 deep"),
        (LAUGHS, "it has more than 10,000 values"),
        (MERGES, "it has more than 10,000 values"),
        ("[" * 100_000, "its values are nested more than 20 deep"),
        ("a: " + "[" * 100 + "]" * 100, "its values are nested more than 20 deep"),
        ("- " * 100_000, "its values are nested more than 20 deep"),
        ("{a: " * 99, "its values are nested more than 20 deep"),
        ("a: " + "9" * 5000, "a number in it has too many digits"),
        ("a: 2020-13-45", "month must be in 1..12"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor for the tag"),
        ("a: \x1b[31m", "special characters are not allowed"),
        ("a: !!timestamp 1", "NoneType"),
        ("a" * (MAX_BYTES + 1), "it is larger than 1 MB"),
        ("a\t: [", "while"),
    ],
)
def test_what_is_no_recipe_is_one_line_at_once(tmp_path, text, reason):  # F10
    path = tmp_path / "a.yaml"
    path.write_text(text)
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(UserError) as caught:
            read_yaml(path)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith(f"{path} cannot be read as YAML: ") and reason in line and line.isprintable()
    assert time.process_time() - began < 8


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match="cannot be read as YAML: 'utf-8' codec"):
        read_yaml(tmp_path / "a.yaml")
    with pytest.raises(UserError, match="cannot be read as YAML: No such file"):
        read_yaml(tmp_path / "b.yaml")
    with pytest.raises(UserError, match="cannot be read as YAML: Is a directory"):
        read_yaml(tmp_path)


def test_what_is_within_the_limits_is_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("base: &b {x: 1, y: 1e-4}\nmine:\n  <<: *b\n  x: 2.5e3\nlist: [*b, *b]\n")
    assert read_yaml(path) == {
        "base": {"x": 1, "y": 1e-4},
        "mine": {"x": 2500.0, "y": 1e-4},
        "list": [{"x": 1, "y": 1e-4}] * 2,
    }
    path.write_text(f"[{', '.join(['1'] * (MAX_VALUES - 1))}]")
    assert len(read_yaml(path)) == MAX_VALUES - 1
