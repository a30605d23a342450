"""Error lines: one printable line of a length that a terminal bears, whatever a file holds."""

import pytest

from maquette.errors import UserError, printable


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain, é and 語", "plain, é and 語"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("a\r\x0bb", "a  b"),
        ("red \x1b[31m", r"red \x1b[31m"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\ud83d", r"\ud83d"),
        ("a\u2028b", "a b"),
        ("right to left \u202e", r"right to left \u202e"),
    ],
)
def test_what_a_terminal_cannot_print_is_escaped(text, shown):
    assert printable(text) == shown and printable(text).isprintable()
    assert str(UserError(text, text, text)) == f"{shown}, got {shown}; {shown}"


def test_no_line_is_endless():
    line = str(UserError("begin " + "a" * 5000 + " end", "b" * 5000, "the hint"))
    assert (
        line.startswith("begin aaa") and " end, got bbb" in line and line.endswith("...; the hint") and len(line) < 950
    )
    short = UserError("x" * 600, "y" * 300)
    assert str(short) == "x" * 600 + ", got " + "y" * 300
    assert (short.what, short.got) == ("x" * 600, "y" * 300)
