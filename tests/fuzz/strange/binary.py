"""Damage to archives, arrays, pictures and radiographs that leaves their lengths and checksums right."""

import functools
import io
import random
import re
import struct
import warnings
import zipfile
import zlib

from strange.trees import Change

MOST_UNPACKED = 4 << 20


@functools.cache
def bomb() -> bytes:
    """A raw deflate stream that unpacks to 4 GB of zeros, in 4 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * 4096 + packer.flush()


def _entries(data: bytes) -> list[tuple[str, bytes]]:
    """The entries of a zip archive with the first megabytes of their content: it may be a bomb already."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = []
        for info in archive.infolist():
            with archive.open(info) as stream:
                found.append((info.filename, stream.read(MOST_UNPACKED)))
    return found


def _unpacked(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, MOST_UNPACKED)


def zipped(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A zip archive with one entry damaged inside, renamed, doubled or left out; its own checksums fit."""
    entries = _entries(data)
    at = rng.randrange(len(entries))
    name, content = entries[at]
    way = rng.random()
    if way < 0.75:
        entries[at] = (name, change(name if "." in name else name + ".bin", content, rng, other))
    elif way < 0.82:
        names = ("../../x", "/x", "a/", "", "a" * 300, name + "/b", name.upper(), "\ud83d", "a\\b", "CON")
        entries[at] = (rng.choice(names).encode("utf-8", "replace").decode(), content)
    elif way < 0.87:
        del entries[at]
    elif way < 0.92:
        entries.append((name, change(name, content, rng, other)))
    elif way < 0.94:
        entries += [(f"{number}.npy", b"") for number in range(3000)]
    packing = zipfile.ZIP_DEFLATED
    if rng.random() < 0.2:
        packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", packing) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, packing)
    made = out.getvalue()
    if way > 0.98:
        made = made.replace(b"PK\1\2", b"PK\1\2" + rng.randbytes(4), 1)
    if 0.96 < way <= 0.98:  # encrypted, by its flags
        at = made.index(b"PK\1\2")
        made = made[: at + 8] + b"\1\0" + made[at + 10 :]
    return made


def zip_bomb(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """One entry that unpacks to 4 GB, or says another size than it has."""
    entries = _entries(data)
    at, claimed = rng.randrange(len(entries)), rng.choice((100, 1 << 20, 2**31, 2**32 - 2))
    made, central = b"", b""
    for number, (name, content) in enumerate(entries):
        head = content[:200]
        packed = zlib.compress(content, 9)[2:-4]
        size, crc = len(content), zlib.crc32(content)
        if number == at and rng.random() < 0.3:
            packed, size = bomb(), claimed
            if rng.random() < 0.5:  # begins as it should
                packer = zlib.compressobj(9, zlib.DEFLATED, -15)
                packed = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH) + packed
        elif number == at:
            size = claimed
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, len(name.encode()), 0)
        central += b"PK\1\2\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(made)) + name.encode()
        made += b"PK\3\4" + fields + name.encode() + packed
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(entries), len(entries), len(central), len(made), 0)
    return made + central + end


def npy(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A NumPy array whose header is another, as long as it says."""
    length = struct.unpack("<H", data[8:10])[0]
    head, body = data[10 : 10 + length].decode("latin-1"), data[10 + length :]
    types = (
        "|O",
        "<f2",
        "<f4",
        "<f8",
        "<f16",
        "<c16",
        "<U5",
        ">i8",
        "|V8",
        "<M8[ns]",
        "|b1",
        "|u1",
        "<i8",
        "x",
        "",
        "<U0",
        "<f0",
        "|S3",
        "<U99999999",
    )
    shapes = (
        "()",
        "(0,)",
        "(-1, 4, 4)",
        "(2147483648,)",
        "(99999999999999999999,)",
        "(65536, 65536, 65536)",
        "(1, 1, 1)",
        "(True, 2, 2)",
        "(1.5, 2)",
        "4",
        "(4, 4, 4, 4)",
        "(0, 99999999, 9)",
        "(512, 512, 512)",
        "(4,)",
        "(7, 3)",
        "(1, 1, 1, 1, 4, 4, 4)",
        "(2L, 2L, 2L)",
        "(" * 50 + ")" * 50,
        "None",
        "(3037000500, 3037000500)",
    )
    way = rng.randrange(5)
    if way == 0:
        head = re.sub(r"'descr': '[^']*'", f"'descr': '{rng.choice(types)}'", head)
    elif way == 1:
        head = re.sub(r"'shape': \([^)]*\)", f"'shape': {rng.choice(shapes)}", head)
    elif way == 2:
        head = rng.choice(
            (
                head.replace("False", "True"),
                head.replace("'descr'", "'x'"),
                "{" * 200,
                "1" * 5000,
                "[]",
                head.replace("'<f8'", "[('a', '<f8')]"),
                "__import__('os')",
                "{'a': " * 300,
                "\0",
            )
        )
    elif way == 3:
        body = rng.choice((body[: len(body) // 2], body * 2, b"\xff" * len(body), b"\x7f" * len(body), b""))
    version = rng.choice((b"\2\0", b"\3\0", b"\1\0", b"\xff\0")) if way == 4 else b"\1\0"
    coded = head.encode("latin-1", "replace")[:65535]
    return b"\x93NUMPY" + version + struct.pack("<H", len(coded)) + coded + body


@functools.cache
def _chunks() -> tuple[tuple[bytes, bytes], ...]:
    """Chunks of a PNG that no writer writes."""
    large = zlib.compress(bytes(1 << 27), 9)
    return (
        (b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 22))),
        (b"zTXt", b"a\0\0" + large),
        (b"tRNS", bytes(300)),
        (b"PLTE", bytes(3)),
        (b"gAMA", bytes(4)),
        (b"eXIf", b""),
        (b"iTXt", b"a\0\1\0\0\0" + bytes(20)),
        (b"acTL", struct.pack(">II", 2**31, 0)),
        (b"fcTL", bytes(26)),
        (b"\0\0\0\0", b""),
        (b"IDAT", b""),
        (b"IEND", b"x"),
        (b"fdAT", bytes(8)),
        (b"pHYs", b"\xff" * 9),
    )


def png(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A PNG with a chunk damaged, doubled, exchanged or made up; the checksums of its chunks fit."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    way = rng.random()
    if way < 0.2 and kind != b"IHDR":
        at, (kind, content) = 0, chunks[0]
    if kind == b"IHDR" and way < 0.8:
        fields = list(struct.unpack(">IIBBBBB", content))
        place = rng.randrange(7)
        fields[place] = (
            rng.choice((0, 1, 3, 7, 33, 4096, 14_000, 32_768, 65_536, 2**31 - 1, 2**32 - 1))
            if place < 2
            else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        )
        chunks[at] = (kind, struct.pack(">IIBBBBB", *fields))
    elif kind == b"IDAT" and way < 0.8:
        raw = _unpacked(content)
        if way < 0.02:
            packed = b"\x78\x9c" + bomb()
        else:
            packed = zlib.compress(change("rows.bin", raw, rng, other))
        chunks[at] = (kind, packed)
    elif way < 0.6:
        chunks[at] = (kind, change("chunk.bin", content, rng, other))
    elif way < 0.7:
        chunks.insert(rng.randrange(len(chunks)), chunks[at])
    elif way < 0.75:
        del chunks[at]
    else:
        made = rng.choice(_chunks())
        made = (made[0], rng.randbytes(40)) if made[0] == b"eXIf" else made
        chunks.insert(rng.randrange(1, len(chunks) + 1), made)
    body = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return data[:8] + body


def tiff(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A TIFF with one field of its directory replaced."""
    at = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[at : at + 2])[0]
    place = at + 2 + 12 * rng.randrange(count)
    tag, kind, number, value = struct.unpack("<HHII", data[place : place + 12])
    way = rng.randrange(5)
    big = (0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 255, 5000, 32773, 32946, 65535, 2**31 - 1, 2**31, 2**32 - 1)
    if way == 0:
        tag = rng.choice(
            (
                256,
                257,
                258,
                259,
                262,
                273,
                274,
                277,
                278,
                279,
                284,
                317,
                320,
                322,
                323,
                330,
                338,
                339,
                347,
                530,
                700,
                34665,
                34675,
            )
        )
    elif way == 1:
        kind = rng.randrange(20)
    elif way == 2:
        number = rng.choice(big)
    else:
        value = rng.choice(big)
    return data[:place] + struct.pack("<HHII", tag, kind, number, value) + data[place + 12 :]


def mat(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A MATLAB file with a variable damaged inside of its compressed element, which is whole."""
    length = struct.unpack("<I", data[132:136])[0]
    inner = change("inner.bin", _unpacked(data[136 : 136 + length]), rng, other)
    packed = b"\x78\x9c" + bomb() if rng.random() < 0.01 else zlib.compress(inner)
    return data[:128] + struct.pack("<II", 15, len(packed)) + packed + data[136 + length :]


def dicom(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A DICOM file with the value of one field that describes the picture replaced."""
    tags = [(0x28, n) for n in (2, 4, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x1050, 0x1051, 0x1052, 0x1053)]
    found = [
        at
        for group, element in [*tags, (2, 0x10), (8, 0x18), (0x10, 0x10), (0x7FE0, 0x10)]
        if (at := data.find(struct.pack("<HH", group, element), 132)) > 0
    ]
    at = rng.choice(found)
    length = struct.unpack("<H", data[at + 6 : at + 8])[0]
    way = rng.random()
    if way < 0.15:
        return (
            data[: at + 4]
            + rng.choice((b"OB", b"SQ", b"UN", b"DS", b"US", b"FD", b"PN", b"\0\0", b"UI"))
            + data[at + 6 :]
        )
    if way < 0.3:
        return data[: at + 6] + struct.pack("<H", rng.choice((0, 1, 2, 8, 65534, 65535))) + data[at + 8 :]
    value = rng.choice(
        (
            b"\0" * length,
            b"\xff" * length,
            b"1e308".ljust(length)[:length],
            b"nan".ljust(length)[:length],
            b"\1" + b"\0" * (length - 1),
            b"\x10" + b"\0" * (length - 1),
            rng.randbytes(length),
            b"-1".ljust(length)[:length],
            b"\\" * length,
        )
    )
    return data[: at + 8] + value + data[at + 8 + length :]
