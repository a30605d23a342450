"""Damage to what is a tree of values: JSON, YAML, XML, and the headers of weights and of binary glTF."""

import json
import math
import random
import re
import struct
from collections.abc import Callable
from typing import Any

import yaml

Change = Callable[[str, bytes, random.Random, bytes], bytes]
"""Damages the content of a file inside of another, by its name."""
BIG, DEEP = "@BIG@", "@DEEP@"
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    7,
    2**31,
    2**63,
    10**300,
    1e308,
    -1e308,
    1e-320,
    math.nan,
    math.inf,
    -math.inf,
    0.5,
    "",
    "x",
    "\0",
    "\x1b[31m",
    "a\nb",
    "\ud800",
    "A" * 3000,
    "../../x",
    "/dev/zero",
    "nan",
    "1",
    [],
    {},
    [[]],
    [0],
    [-1, 2**40],
    {"a": 1},
    BIG,
    DEEP,
)


def _nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree of mappings and lists, as the container and the key; of what is there twice, once."""
    found, seen, waiting = [], set(), [tree]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list) and id(holder) not in seen:
            seen.add(id(holder))
            places = list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder))
            found += [(holder, key) for key, _ in places]
            waiting += [value for _, value in places]
    return found


def odd_tree(tree: Any, rng: random.Random) -> Any:
    """A tree of plain values with one or two of its values or keys replaced."""
    for _ in range(rng.choice((1, 1, 1, 2))):
        places = _nodes(tree)
        if not places or rng.random() < 0.02:
            return rng.choice(ODD)
        holder, key = rng.choice(places)
        way = rng.random()
        if way < 0.7:
            holder[key] = rng.choice(ODD)
        elif way < 0.8:
            del holder[key]
        elif way < 0.9 and isinstance(holder, dict):
            holder[rng.choice(("x", "", "steps", str(key) + "z", "a" * 300))] = holder.pop(key)
        elif isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = rng.choice((-1, 2, 1000, 1e6, -0.5)) * holder[key]
        else:
            holder[key] = [holder[key]]
    return tree


def _filled(text: str, rng: random.Random) -> bytes:
    """A text with marks replaced by what no writer writes: numbers of 5,000 digits, lists of 100,000 levels."""
    depth = rng.choice((900, 5000, 100_000))
    text = text.replace(f'"{BIG}"', "9" * 5000).replace(BIG, "9" * 5000)
    deep = "[" * depth + "]" * depth
    return text.replace(f'"{DEEP}"', deep).replace(DEEP, deep).encode("utf-8", "surrogatepass")


def json_tree(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    return _filled(json.dumps(odd_tree(json.loads(data), rng)), rng)


def json_lines(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    rows = data.splitlines()
    at = rng.randrange(len(rows))
    rows[at] = json_tree(rows[at], rng, other, change)
    return b"\n".join(rows) + b"\n"


def yaml_tree(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    return _filled(yaml.safe_dump(odd_tree(yaml.safe_load(data), rng), sort_keys=False), rng)


def yaml_text(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """What only YAML has: tags, anchors, dates, numbers in other bases, several documents."""
    words = (
        b"!!python/object/apply:os.system [ls]",
        b"&a [*a]",
        b"*a",
        b"2026-01-01",
        b"2026-13-41",
        b"0o17",
        b"1:30",
        b"!!binary x",
        b"!!set {a}",
        b"!!timestamp 1",
        b"!!int x",
        b"!!float []",
        b"? [a]",
        b"|\n  text",
        b"~",
        b"=",
        b"<<",
        b"{<<: [1]}",
        b"9" * 5000,
        b"{[1]: 2}",
        b"--- a",
        b"%YAML 9.9",
        b"@",
        b"1e999",
        b".nan",
        b"\x07",
    )
    rows = data.split(b"\n")
    at = rng.randrange(len(rows))
    key, colon, _ = rows[at].partition(b":")
    rows[at] = key + colon + b" " + rng.choice(words) if colon and rng.random() < 0.8 else rng.choice(words)
    if rng.random() < 0.05:
        laughs = [b"a0: &a0 [x, x]"] + [
            b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)
        ]
        rows = laughs + rows
    return b"\n".join(rows)


def safetensors(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """Weights whose header is another, as long as it says."""
    length = struct.unpack("<Q", data[:8])[0]
    head, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    names = [name for name in head if name != "__metadata__"]
    entry = head[rng.choice(names)]
    way = rng.random()
    if way < 0.25:
        entry["dtype"] = rng.choice(
            ("F16", "F32", "F64", "BF16", "I64", "I8", "BOOL", "U16", "F8_E4M3", "F8_E5M2", "C64", "F4", "x")
        )
    elif way < 0.4 and entry["shape"]:
        entry["shape"][rng.randrange(len(entry["shape"]))] = rng.choice((0, -1, 1, 2**31, 2**63, 1.5))
    elif way < 0.5:
        entry["data_offsets"] = rng.choice(([0, 0], [0, 2**63], [10, 0], [0, 2**40], entry["data_offsets"][::-1]))
    elif way < 0.65:
        one, two = rng.choice(names), rng.choice(names)
        head[one], head[two] = head[two], head[one]
    elif way < 0.75:
        for value in (b"\xff\xff", b"\0\x7c", b"\0\x7e"):
            if rng.random() < 0.5:
                body = value * (len(body) // 2)
        body = body.ljust(len(data) - 8 - length, b"\0")
    else:
        head = odd_tree(head, rng)
    coded = _filled(json.dumps(head), rng)
    return struct.pack("<Q", len(coded)) + coded + body


def glb(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A binary glTF whose JSON is another, as long as it says."""
    length = struct.unpack("<I", data[12:16])[0]
    tree, rest = json.loads(data[20 : 20 + length]), data[20 + length :]
    coded = _filled(json.dumps(odd_tree(tree, rng)), rng)
    coded += b" " * (-len(coded) % 4)
    return (
        b"glTF"
        + struct.pack("<II", 2, 20 + len(coded) + len(rest))
        + struct.pack("<I", len(coded))
        + b"JSON"
        + coded
        + rest
    )


def xml(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """XML with attributes replaced, elements nested, repeated or in circles, and declarations that unfold."""
    way = rng.randrange(6)
    tags = list(re.finditer(rb"<([A-Za-z]\w*)[^<>]*?/?>", data))
    tag = rng.choice(tags)
    if way == 0:
        found = list(re.finditer(rb'="([^"]*)"', data))
        one = rng.choice(found)
        odd = (
            b"",
            b"nan",
            b"1e308",
            b"-1",
            b"inf",
            b"1e-320",
            b"9" * 400,
            b"50%",
            b"1e9mm",
            b"0 0 0 0",
            b"M 0 0 L",
            b"#a",
            b"M0 0A0 0 0 0 0 1e30 1",
            b"rotate(1e400)",
            b"matrix(1)",
            b"scale(0)",
            b"translate(nan)",
            b"M0,0 C 1 1",
            b"z",
            b"url(#a)",
            b"&#0;",
            b"M" + b"1 " * 3000,
            b"calc(1)",
            b"1..2",
        )
        return data[: one.start(1)] + rng.choice(odd) + data[one.end(1) :]
    if way == 1:
        depth = rng.choice((50, 500, 5000, 50_000))
        return (
            data[: tag.start()] + b"<g>" * depth + data[tag.start() : tag.end()] + b"</g>" * depth + data[tag.end() :]
        )
    if way == 2:
        return data[: tag.end()] + data[tag.start() : tag.end()] * rng.choice((1, 3, 1000)) + data[tag.end() :]
    if way == 3:
        circle = b'<g id="a"><use href="#a"/></g><g id="b"><use href="#c"/></g><g id="c"><use href="#b"/></g>'
        return data[: tag.end()] + circle + data[tag.end() :]
    if way == 4:
        kinds = (
            b'<!DOCTYPE x [<!ENTITY a "aaaa">'
            + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 9 if n else b"&a;" * 9) for n in range(10))
            + b"]>"
        )
        return kinds + data[: tag.end()] + b"&a9;" + data[tag.end() :]
    extra = rng.choice(
        (
            b'<rect width="1e5" height="1e5" rx="-1"/>',
            b'<circle r="1e300"/>',
            b'<path d="M0 0L1e19 0"/>',
            b'<polyline points="1,2 3"/>',
            b"<text>a</text>",
            b'<svg viewBox="0 0 0 0"/>',
            b"<!-- -->",
            b"<?x?>",
            b'<image href="file:///etc/passwd"/>',
            b'<path d="M0 0A1 1e-30 0 0 0 1 1"/>',
            b'<line x1="nan"/>',
            b"<style>path{stroke-width:nan}</style>",
            b'<ellipse rx="1" ry="inf"/>',
            b"<![CDATA[x]]>",
        )
    )
    return data[: tag.end()] + extra + data[tag.end() :]
