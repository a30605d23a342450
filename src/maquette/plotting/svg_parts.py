"""What of an SVG is seen: hidden layers and patterns for other elements are no lines, and what is left out is said."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SVG = "http://www.w3.org/2000/svg"
_KEPT_APART = ("mask", "marker", "symbol", "clipPath", "pattern")
"""Elements that show nothing where they stand; others refer to them."""
_HIDING = re.compile(r"(display\s*:\s*none|visibility\s*:\s*(hidden|collapse))")


def seen_parts(root: Element) -> tuple[Element, tuple[str, ...]]:
    """The tree of an SVG with what is seen alone, and what is to be said of the rest, a short sentence each.

    Elements that are hidden (`display`, `visibility`, `opacity` 0, neither line nor filling) are left out, and masks,
    markers and symbols are moved into `defs`, so that only what refers to them shows them. Clip paths and masks are not
    applied. Rules of a style sheet are left to whoever reads the tree.

    Args:
        root: The `svg` element; it is changed.
    """
    from xml.etree.ElementTree import SubElement

    found: Counter[str] = Counter()
    _cut(root, found)
    for use in [child for child in root if _name(child) == "use"]:  # vpype repeats elements in groups only
        root.remove(use)
        SubElement(root, f"{{{_SVG}}}g", id="layer1").append(use)
    for symbol in [element for element in root.iter() if _name(element) == "symbol"]:
        symbol.tag = f"{{{_SVG}}}g"  # readers know how to repeat a group
        found["symbol"] += "viewBox" in symbol.attrib
    return root, tuple(_sentences(found))


def _cut(parent: Element, found: Counter[str]) -> None:
    from xml.etree.ElementTree import SubElement

    for child in list(parent):
        name = _name(child)
        if name == "defs":
            continue
        if name == "style":
            found["style"] += bool(_HIDING.search("".join(child.itertext())))
        elif name in _KEPT_APART:
            place = list(parent).index(child)
            defs = SubElement(parent, f"{{{_SVG}}}defs")
            parent.remove(defs)
            parent[place] = defs
            defs.append(child)
        elif _is_hidden(child):
            found["layer" if name == "g" else "element"] += 1
            parent.remove(child)
        else:
            found["clipped"] += any(_value(child, key) not in ("", "none") for key in ("clip-path", "mask"))
            found["text"] += name == "text"
            found["picture"] += name in ("image", "foreignObject")
            _cut(child, found)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _value(element: Element, key: str) -> str:
    """A property of an element: of its style, else its attribute; empty where it has none of its own."""
    for rule in (element.get("style") or "").split(";"):
        name, _, value = rule.partition(":")
        if name.strip().lower() == key:
            return value.replace("!important", "").strip().lower()
    return (element.get(key) or "").strip().lower()


def _is_hidden(element: Element) -> bool:
    if _value(element, "display") == "none" or re.fullmatch(r"0*\.?0+%?", _value(element, "opacity")):
        return True
    if len(element):  # of a group that is not visible, parts may be
        return False
    unseen = _value(element, "visibility") in ("hidden", "collapse")
    return unseen or _value(element, "stroke") == _value(element, "fill") == "none"


def _sentences(found: Counter[str]) -> list[str]:
    said = []
    for kind in ("layer", "element"):
        if found[kind]:
            said.append(f"{_counted(found[kind], f'hidden {kind}')} left out")
    if found["style"]:
        said.append("what the style sheet hides is left out")
    if found["clipped"]:
        drawn = _counted(found["clipped"], "clipped element")
        said.append(f"{drawn} drawn whole: clip paths and masks are not applied")
    if found["symbol"]:
        said.append(f"{_counted(found['symbol'], 'symbol')} drawn in its own size: its viewBox is not applied")
    if found["text"]:
        said.append(f"{_counted(found['text'], 'text')} not drawn: turn text into paths")
    if found["picture"]:
        said.append(f"{_counted(found['picture'], 'picture')} not drawn")
    return said


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s are' if count > 1 else ' is'}"
