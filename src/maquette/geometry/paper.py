"""Paper sizes, and lengths with a unit."""

import re

from maquette.errors import UserError

SIZES_MM = {
    "a2": (420.0, 594.0),
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "a6": (105.0, 148.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height of the named sizes in millimetres, upright."""
MAX_SIDE_MM = 2000.0
"""Longest side of a page, in millimetres."""
_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4, "": 1.0}


def millimetres(text: str, name: str = "a length") -> float:
    """A length in millimetres from text such as `12`, `12mm`, `1.2cm` or `0.5in`.

    Args:
        text: A number, 0 to 99,999, with mm, cm, in or no unit; without one it is in millimetres.
        name: What the error line calls the length.

    Raises:
        UserError: For any other text.
    """
    found = re.fullmatch(r"(\d{1,5}(?:\.\d{1,6})?|\.\d{1,6})\s*(mm|cm|in|)", text.strip().lower())
    if not found:
        raise UserError(f"{name} is a number with mm, cm or in", repr(text), "as in 12mm or 0.5in")
    return float(found[1]) * _UNITS[found[2]]


def page_size(text: str, landscape: bool = False) -> tuple[float, float]:
    """Width and height of a page in millimetres.

    Args:
        text: A name in `SIZES_MM`, or two numbers such as `200x150`, `200x150mm` or `8x6in`.
        landscape: Turn a named page on its side; a page in numbers stays as given.

    Raises:
        UserError: For any other text, an empty page, and one with a side of more than 2 m.
    """
    name = text.strip().lower()
    if name in SIZES_MM:
        width, height = SIZES_MM[name]
        return (height, width) if landscape else (width, height)
    found = re.fullmatch(r"([\d.]+)\s*x\s*([\d.]+)\s*(mm|cm|in|)", name)
    if not found:
        raise UserError("unknown page", repr(text), f"known: {' '.join(SIZES_MM)}, or a size as 200x150mm")
    width, height = (millimetres(found[side] + found[3], "a side of the page") for side in (1, 2))
    if not (0 < min(width, height) and max(width, height) <= MAX_SIDE_MM):
        raise UserError(f"a page has sides of more than 0 and at most {MAX_SIDE_MM:g} mm", f"{width:g} x {height:g} mm")
    return width, height
