"""MATLAB 5 files (`save -v6` and `-v7`): the arrays of numbers in them, and nothing else; and a file of one array.

Our own reader, since SciPy's is compiled code that trusts the sizes and types in a file: 264 bytes can end the process.
Layout: "MAT-File Format", The MathWorks, Level 5.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Num

_COMPRESSED, _MATRIX = 15, 14
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""The types in which values are stored, by their number in a tag."""
_CLASSES = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function", 17: "opaque"}
"""The classes that are no plain arrays of numbers."""
_NUMBERS = range(6, 16)
"""The classes of arrays of numbers: double to uint64."""


@dataclass(frozen=True)
class Entry:
    """One variable of a file, whose values are not read yet."""

    name: str
    shape: tuple[int, ...]
    kind: str
    """`number`, or what else it is: `cell`, `struct`, ..."""
    content: memoryview
    """Its elements, from the values on."""
    order: Literal["<", ">"]

    def values(self) -> Num[np.ndarray, " ..."]:
        """Its values.

        Raises:
            ValueError: If they are not numbers or not all there.
        """
        if self.kind != "number":
            raise ValueError(f"'{self.name}' is a {self.kind}, not a grid of numbers")
        code, data, _ = _element(self.content, self.order)
        if code not in _TYPES:
            raise ValueError(f"'{self.name}' holds values of an unknown type, {code}")
        stored = np.dtype(self.order + _TYPES[code])
        count = 1
        for length in self.shape:
            count *= length
        if len(data) != count * stored.itemsize:
            raise ValueError(f"'{self.name}' has the shape {self.shape} and {len(data)} bytes of values")
        return np.frombuffer(data, stored).reshape(self.shape, order="F")


def entries(data: bytes, most_bytes: int) -> list[Entry]:
    """The variables of a file, in its order.

    Args:
        data: The content of the file.
        most_bytes: The most bytes that compressed variables may unpack to, all together.

    Raises:
        ValueError: For other kinds of files and for damaged ones.
    """
    if data[:8] == b"\x89HDF\r\n\x1a\n" or data[:19] == b"MATLAB 7.3 MAT-file":
        raise ValueError("it is a MATLAB 7.3 (HDF5) file; save it with '-v7'")
    if len(data) < 136 or data[126:128] not in (b"IM", b"MI"):
        raise ValueError("it has no MATLAB 5 header; save it with '-v7'")
    order: Literal["<", ">"] = "<" if data[126:128] == b"IM" else ">"
    found, unpacked = [], 0
    for code, content in _top(memoryview(data)[128:], order):
        if code == _COMPRESSED:
            inner = _unpacked(content, most_bytes - unpacked, order)
            unpacked += len(inner)
            code, content, _ = _element(memoryview(inner), order)
        if code == _MATRIX and len(content) and (entry := _entry(content, order)) is not None:
            found.append(entry)
    return found


def mat_bytes(name: str, values: Num[np.ndarray, " ..."]) -> bytes:
    """The content of a compressed file of one array; the same for the same array, and without a date.

    Args:
        name: Of the variable: up to 31 letters, digits and underscores.
        values: Of two axes or more, uint8 or float32.
    """
    kind, code = {"uint8": (9, 2), "float32": (7, 7)}[values.dtype.name]

    def element(code: int, content: bytes) -> bytes:
        return np.array([code, len(content)], "<u4").tobytes() + content + bytes(-len(content) % 8)

    matrix = element(6, np.array([kind, 0], "<u4").tobytes()) + element(5, np.array(values.shape, "<i4").tobytes())
    little = values.astype(values.dtype.newbyteorder("<"))
    matrix += element(1, name.encode("ascii")) + element(code, little.tobytes("F"))
    packed = zlib.compress(element(_MATRIX, matrix))
    head = b"MATLAB 5.0 MAT-file, written by maquette".ljust(116) + bytes(8) + b"\x00\x01IM"
    return head + np.array([_COMPRESSED, len(packed)], "<u4").tobytes() + packed


def _top(data: memoryview, order: Literal["<", ">"]) -> Iterator[tuple[int, memoryview]]:
    """The type and the content of each element at the top of a file; these are not padded."""
    at = 0
    while at + 8 <= len(data):
        code, length = (int(number) for number in np.frombuffer(data[at : at + 8], f"{order}u4"))
        if at + 8 + length > len(data):
            raise ValueError("it ends early")
        yield code, data[at + 8 : at + 8 + length]
        at += 8 + length


def _unpacked(packed: memoryview, most: int, order: Literal["<", ">"]) -> bytes:
    """The content of a compressed element, no more of it than the element in it says it has, and at most `most` bytes.

    Raises:
        ValueError: If it is larger or not whole.
    """
    stream = zlib.decompressobj()
    head = stream.decompress(packed, 8)
    if len(head) < 8:
        raise ValueError("a compressed variable ends early")
    length = int(np.frombuffer(head[4:], f"{order}u4")[0])
    if length > most:
        raise ValueError(f"it unpacks to more than {most >> 20} MB")
    return head + stream.decompress(stream.unconsumed_tail, length) if length else head


def _element(data: memoryview, order: Literal["<", ">"]) -> tuple[int, memoryview, memoryview]:
    """The type and the content of the element that `data` begins with, and what follows it."""
    if len(data) < 8:
        raise ValueError("it ends early")
    first, length = (int(number) for number in np.frombuffer(data[:8], f"{order}u4"))
    if first >> 16:  # a small element: type and length in four bytes, then up to four bytes of content
        length, first = first >> 16, first & 0xFFFF
        if length > 4:
            raise ValueError("a small element is longer than 4 bytes")
        return first, data[4 : 4 + length], data[8:]
    if 8 + length > len(data):
        raise ValueError("it ends early")
    return first, data[8 : 8 + length], data[8 + length + -length % 8 :]


def _entry(content: memoryview, order: Literal["<", ">"]) -> Entry | None:
    """The variable in a matrix element; None for one without a name, which holds what functions refer to."""
    code, flags, rest = _element(content, order)
    if code != 6 or len(flags) != 8:
        raise ValueError("a variable has no array flags")
    number = int(np.frombuffer(flags[:4], f"{order}u4")[0]) & 0xFF
    if number == 17:  # an object of a class, whose parts are other ones
        _, name, _ = _element(rest, order)
        return Entry(bytes(name).decode("latin-1"), (), _CLASSES[17], rest, order)
    code, sizes, rest = _element(rest, order)
    if code != 5 or len(sizes) % 4 or not 8 <= len(sizes) <= 128:
        raise ValueError("a variable has no sizes")
    shape = tuple(int(length) for length in np.frombuffer(sizes, f"{order}i4"))
    if min(shape) < 0:
        raise ValueError(f"a variable has the shape {shape}")
    code, name, rest = _element(rest, order)
    if code not in (1, 16):
        raise ValueError("a variable has no name")
    if not len(name):
        return None
    kind = "number" if number in _NUMBERS else _CLASSES.get(number, "unknown")
    return Entry(bytes(name).decode("latin-1"), shape, kind, rest, order)
