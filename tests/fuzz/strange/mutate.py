"""Damage to bytes of any kind: flips, cuts, splices, and numbers replaced by those that no reader expects."""

import lzma
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import yaml

from strange import Files
from strange.structured import STRUCTURED, mended

INTS = (0, 1, -1, 2, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63))
NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2147483648",
    b"-2147483649",
    b"9223372036854775808",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"1e400",
    b"nan",
    b"inf",
    b"-inf",
    b"9" * 400,
    b"9" * 5000,
    b"0x10",
    b"1_0",
    b"",
    b"1.2.3",
    b"\xd9\xa3",
    b"65537",
    b"1000000",
    b"100000000",
    b"-0.0",
)
WORDS = (
    b"\0",
    b"\x1b[31m",
    b"\r",
    b"\n\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x92\xa9",
    b"\xed\xa0\x80",
    b"#",
    b"//",
    b"%s",
    b"{}",
    b"../../x",
    b"A" * 3000,
    b"<",
    b"&a;",
    b"'",
    b'"',
    b"\\",
    b"\t",
)
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_FORMLESS = (
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    OSError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    lzma.LZMAError,
    yaml.YAMLError,
)
MOST_BYTES = 8 << 20
"""No input grows beyond this."""

Mutator = Callable[[bytes, random.Random, bytes], bytes]
"""Makes other bytes of the first, with the bytes of another input for splices."""


def flipped(data: bytes, rng: random.Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        changed[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, rng: random.Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        changed[_place(data, rng)] = rng.choice((0, 1, 32, 48, 64, 127, 128, 254, 255, rng.randrange(256)))
    return bytes(changed)


def whole_number(data: bytes, rng: random.Random, other: bytes) -> bytes:
    size = rng.choice((1, 2, 4, 4, 8))
    at = _place(data, rng)
    at -= at % size if rng.random() < 0.5 else 0
    value = rng.choice(INTS) % 256**size
    return data[:at] + value.to_bytes(size, rng.choice(("little", "big"))) + data[at + size :]


def number_in_text(data: bytes, rng: random.Random, other: bytes) -> bytes:
    found = list(_NUMBER.finditer(data[: 1 << 16]))
    if not found:
        return flipped(data, rng, other)
    for one in sorted(rng.sample(found, min(len(found), rng.choice((1, 1, 1, 2, 5)))), key=lambda m: -m.start()):
        data = data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]
    return data


def cut(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return data[: _place(data, rng)]


def without_part(data: bytes, rng: random.Random, other: bytes) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 16, 64, len(data) // 4)) :]


def twice(data: bytes, rng: random.Random, other: bytes) -> bytes:
    at = _place(data, rng)
    end = at + rng.choice((1, 4, 16, 64, 512, len(data)))
    return data[:end] + data[at:end] * rng.choice((1, 1, 2, 50)) + data[end:]


def spliced(data: bytes, rng: random.Random, other: bytes) -> bytes:
    at, there = _place(data, rng), _place(other, rng)
    if rng.random() < 0.5:
        return data[:at] + other[there:]
    length = rng.choice((4, 32, 256))
    return data[:at] + other[there : there + length] + data[at + length * (rng.random() < 0.5) :]


def with_word(data: bytes, rng: random.Random, other: bytes) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice(WORDS) + data[at + rng.choice((0, 0, 1, 3)) :]


def lines(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """Lines left out, said twice, exchanged, or taken from the other input."""
    rows = data.split(b"\n")
    at, there = rng.randrange(len(rows)), rng.randrange(len(rows))
    way = rng.randrange(5)
    if way == 0:
        del rows[at]
    elif way == 1:
        rows.insert(there, rows[at])
    elif way == 2:
        rows[at], rows[there] = rows[there], rows[at]
    elif way == 3:
        rows.insert(at, rng.choice(other.split(b"\n")))
    else:
        words = rows[at].split(b" ")
        del words[rng.randrange(len(words))]
        rows[at] = b" ".join(words)
    return b"\n".join(rows)


def deep(data: bytes, rng: random.Random, other: bytes) -> bytes:
    at, count = _place(data, rng), rng.choice((100, 1000, 100_000))
    opened = rng.choice((b"[", b"{", b"(", b"<g>", b'{"a":', b"- ", b"? ", b"[[", b"\x80("))
    return data[:at] + opened * count + data[at:]


def nothing(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return rng.choice((b"", b"\0", b"\n", b" ", b"\0" * 4096, rng.randbytes(200), data[:8], other))


GENERIC: tuple[Mutator, ...] = (
    flipped,
    flipped,
    overwritten,
    overwritten,
    whole_number,
    whole_number,
    number_in_text,
    number_in_text,
    cut,
    without_part,
    twice,
    spliced,
    with_word,
    lines,
)
RARE: tuple[Mutator, ...] = (deep, nothing)


def mutated(files: Files, others: list[Files], rng: random.Random, checksums: bool) -> Files:
    """Another input, made of a valid one.

    Args:
        files: The valid input, which is not changed.
        others: Valid inputs of this kind and of others, for splices.
        rng: All chance comes from it.
        checksums: Whether the input has files of checksums of its other files; they are then made to fit, mostly.
    """
    made = dict(files)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = _chosen(made, rng)
        data = made[name]
        other = next((b for b in rng.choice(others).values() if b), b"x")
        if len(made) > 1 and rng.random() < 0.04:
            way = rng.randrange(3)
            if way == 0:
                made[name] = None
            elif way == 1:
                made[name] = other
            elif list(made)[0] != name:
                del made[name]
        elif data is not None:
            made[name] = changed(name, data, rng, other)[:MOST_BYTES]
    return mended(made) if checksums and rng.random() < 0.8 else made


def changed(name: str, data: bytes, rng: random.Random, other: bytes) -> bytes:
    """The content of one file, damaged once, by what its suffix says of its form or as any bytes."""
    special = STRUCTURED.get(name[name.rfind(".") :].lower(), ())
    if special and rng.random() < 0.6:
        try:
            return rng.choice(special)(data, rng, other, changed)
        except _FORMLESS:
            pass  # it was damaged before, so that its form is not known any more
    return rng.choice(RARE if rng.random() < 0.05 else GENERIC)(data or b"\0", rng, other or b"\0")


def _chosen(files: Files, rng: random.Random) -> str:
    return rng.choice([name for name, data in files.items() if data is not None] or list(files))


def _place(data: bytes, rng: random.Random) -> int:
    """A place in the data; half of the time in their first part, where headers are."""
    if rng.random() < 0.5:
        return rng.randrange(max(min(len(data), 256), 1))
    return rng.randrange(max(len(data), 1))
