"""Damage that leaves the form of a file whole: lengths and checksums fit, and what they guard is wrong."""

import functools
import hashlib
import io
import json
import math
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import yaml

from strange import Files

Change = Callable[[str, bytes, random.Random, bytes], bytes]
"""Damages the content of a file inside of another, by its name."""
BIG, DEEP = "@BIG@", "@DEEP@"
ODD: tuple[Any, ...] = (None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**300, 1e308, -1e308, 1e-320, math.nan, math.inf,
                        -math.inf, 0.5, "", "x", "\0", "\x1b[31m", "a\nb", "\ud800", "A" * 3000, "../../x", "/dev/zero",
                        "nan", "1", [], {}, [[]], [0], [-1, 2**40], {"a": 1}, BIG, DEEP)


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
    words = (b"!!python/object/apply:os.system [ls]", b"&a [*a]", b"*a", b"2026-01-01", b"2026-13-41", b"0o17", b"1:30",
             b"!!binary x", b"!!set {a}", b"!!timestamp 1", b"!!int x", b"!!float []", b"? [a]", b"|\n  text", b"~", b"=",
             b"<<", b"{<<: [1]}", b"9" * 5000, b"{[1]: 2}", b"--- a", b"%YAML 9.9", b"@", b"1e999", b".nan", b"\x07")
    rows = data.split(b"\n")
    at = rng.randrange(len(rows))
    key, colon, _ = rows[at].partition(b":")
    rows[at] = key + colon + b" " + rng.choice(words) if colon and rng.random() < 0.8 else rng.choice(words)
    if rng.random() < 0.05:
        laughs = [b"a0: &a0 [x, x]"] + [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9))
                                        for n in range(1, 12)]
        rows = laughs + rows
    return b"\n".join(rows)


@functools.cache
def bomb() -> bytes:
    """A raw deflate stream that unpacks to 4 GB of zeros, in 4 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * 4096 + packer.flush()


def zipped(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A zip archive with one entry damaged inside, renamed, doubled or left out; its own checksums fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
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
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
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
    types = ("|O", "<f2", "<f4", "<f8", "<f16", "<c16", "<U5", ">i8", "|V8", "<M8[ns]", "|b1", "|u1", "<i8", "x", "", "<U0",
             "<f0", "|S3", "<U99999999")
    shapes = ("()", "(0,)", "(-1, 4, 4)", "(2147483648,)", "(99999999999999999999,)", "(65536, 65536, 65536)", "(1, 1, 1)",
              "(True, 2, 2)", "(1.5, 2)", "4", "(4, 4, 4, 4)", "(0, 99999999, 9)", "(512, 512, 512)", "(4,)", "(7, 3)",
              "(1, 1, 1, 1, 4, 4, 4)", "(2L, 2L, 2L)", "(" * 50 + ")" * 50, "None", "(3037000500, 3037000500)")
    way = rng.randrange(5)
    if way == 0:
        head = re.sub(r"'descr': '[^']*'", f"'descr': '{rng.choice(types)}'", head)
    elif way == 1:
        head = re.sub(r"'shape': \([^)]*\)", f"'shape': {rng.choice(shapes)}", head)
    elif way == 2:
        head = rng.choice((head.replace("False", "True"), head.replace("'descr'", "'x'"), "{" * 200, "1" * 5000, "[]",
                           head.replace("'<f8'", "[('a', '<f8')]"), "__import__('os')", "{'a': " * 300, "\0"))
    elif way == 3:
        body = rng.choice((body[: len(body) // 2], body * 2, b"\xff" * len(body), b"\x7f" * len(body), b""))
    version = rng.choice((b"\2\0", b"\3\0", b"\1\0", b"\xff\0")) if way == 4 else b"\1\0"
    coded = head.encode("latin-1", "replace")[:65535]
    return b"\x93NUMPY" + version + struct.pack("<H", len(coded)) + coded + body


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
        fields[place] = (rng.choice((0, 1, 3, 7, 33, 4096, 14_000, 32_768, 65_536, 2**31 - 1, 2**32 - 1)) if place < 2
                         else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255)))
        chunks[at] = (kind, struct.pack(">IIBBBBB", *fields))
    elif kind == b"IDAT" and way < 0.8:
        raw = zlib.decompress(content)
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
        made = rng.choice(((b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 22))), (b"zTXt", b"a\0\0" + zlib.compress(
            bytes(1 << 27), 9)), (b"tRNS", b"\0" * 300), (b"PLTE", bytes(3)), (b"gAMA", bytes(4)), (b"eXIf", rng.randbytes(40)),
            (b"iTXt", b"a\0\1\0\0\0" + bytes(20)), (b"acTL", struct.pack(">II", 2**31, 0)), (b"fcTL", bytes(26)),
            (b"\0\0\0\0", b""), (b"IDAT", b""), (b"IEND", b"x"), (b"fdAT", bytes(8)), (b"pHYs", b"\xff" * 9)))
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
        tag = rng.choice((256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 330, 338, 339, 347,
                          530, 700, 34665, 34675))
    elif way == 1:
        kind = rng.randrange(20)
    elif way == 2:
        number = rng.choice(big)
    else:
        value = rng.choice(big)
    return data[:place] + struct.pack("<HHII", tag, kind, number, value) + data[place + 12 :]


def safetensors(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """Weights whose header is another, as long as it says."""
    length = struct.unpack("<Q", data[:8])[0]
    head, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    names = [name for name in head if name != "__metadata__"]
    entry = head[rng.choice(names)]
    way = rng.random()
    if way < 0.25:
        entry["dtype"] = rng.choice(("F16", "F32", "F64", "BF16", "I64", "I8", "BOOL", "U16", "F8_E4M3", "F8_E5M2", "C64", "F4",
                                     "x"))
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
    return (b"glTF" + struct.pack("<II", 2, 20 + len(coded) + len(rest)) + struct.pack("<I", len(coded)) + b"JSON" + coded
            + rest)


def mat(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A MATLAB file with a variable damaged inside of its compressed element, which is whole."""
    length = struct.unpack("<I", data[132:136])[0]
    inner = change("inner.bin", zlib.decompress(data[136 : 136 + length]), rng, other)
    packed = b"\x78\x9c" + bomb() if rng.random() < 0.01 else zlib.compress(inner)
    return data[:128] + struct.pack("<II", 15, len(packed)) + packed + data[136 + length :]


def dicom(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """A DICOM file with the value of one field that describes the picture replaced."""
    tags = [(0x28, n) for n in (2, 4, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x1050, 0x1051, 0x1052, 0x1053)]
    found = [at for group, element in [*tags, (2, 0x10), (8, 0x18), (0x10, 0x10), (0x7FE0, 0x10)]
             if (at := data.find(struct.pack("<HH", group, element), 132)) > 0]
    at = rng.choice(found)
    length = struct.unpack("<H", data[at + 6 : at + 8])[0]
    way = rng.random()
    if way < 0.15:
        return data[: at + 4] + rng.choice((b"OB", b"SQ", b"UN", b"DS", b"US", b"FD", b"PN", b"\0\0", b"UI")) + data[at + 6 :]
    if way < 0.3:
        return data[: at + 6] + struct.pack("<H", rng.choice((0, 1, 2, 8, 65534, 65535))) + data[at + 8 :]
    value = rng.choice((b"\0" * length, b"\xff" * length, b"1e308".ljust(length)[:length], b"nan".ljust(length)[:length],
                        b"\1" + b"\0" * (length - 1), b"\x10" + b"\0" * (length - 1), rng.randbytes(length),
                        b"-1".ljust(length)[:length], b"\\" * length))
    return data[: at + 8] + value + data[at + 8 + length :]


def xml(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """XML with attributes replaced, elements nested, repeated or in circles, and declarations that unfold."""
    way = rng.randrange(6)
    tags = list(re.finditer(rb"<([A-Za-z]\w*)[^<>]*?/?>", data))
    tag = rng.choice(tags)
    if way == 0:
        found = list(re.finditer(rb'="([^"]*)"', data))
        one = rng.choice(found)
        odd = (b"", b"nan", b"1e308", b"-1", b"inf", b"1e-320", b"9" * 400, b"50%", b"1e9mm", b"0 0 0 0", b"M 0 0 L", b"#a",
               b"M0 0A0 0 0 0 0 1e30 1", b"rotate(1e400)", b"matrix(1)", b"scale(0)", b"translate(nan)", b"M0,0 C 1 1", b"z",
               b"url(#a)", b"&#0;", b"M" + b"1 " * 3000, b"calc(1)", b"1..2")
        return data[: one.start(1)] + rng.choice(odd) + data[one.end(1) :]
    if way == 1:
        depth = rng.choice((50, 500, 5000, 50_000))
        return data[: tag.start()] + b"<g>" * depth + data[tag.start() : tag.end()] + b"</g>" * depth + data[tag.end() :]
    if way == 2:
        return data[: tag.end()] + data[tag.start() : tag.end()] * rng.choice((1, 3, 1000)) + data[tag.end() :]
    if way == 3:
        circle = b'<g id="a"><use href="#a"/></g><g id="b"><use href="#c"/></g><g id="c"><use href="#b"/></g>'
        return data[: tag.end()] + circle + data[tag.end() :]
    if way == 4:
        kinds = b'<!DOCTYPE x [<!ENTITY a "aaaa">' + b"".join(
            b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 9 if n else b"&a;" * 9) for n in range(10)) + b"]>"
        return kinds + data[: tag.end()] + b"&a9;" + data[tag.end() :]
    extra = rng.choice((b'<rect width="1e5" height="1e5" rx="-1"/>', b'<circle r="1e300"/>', b'<path d="M0 0L1e19 0"/>',
                        b'<polyline points="1,2 3"/>', b"<text>a</text>", b'<svg viewBox="0 0 0 0"/>', b"<!-- -->", b"<?x?>",
                        b'<image href="file:///etc/passwd"/>', b'<path d="M0 0A1 1e-30 0 0 0 1 1"/>', b'<line x1="nan"/>',
                        b"<style>path{stroke-width:nan}</style>", b'<ellipse rx="1" ry="inf"/>', b"<![CDATA[x]]>"))
    return data[: tag.end()] + extra + data[tag.end() :]


STRUCTURED: dict[str, tuple[Callable[[bytes, random.Random, bytes, Change], bytes], ...]] = {
    ".json": (json_tree,), ".jsonl": (json_lines,), ".yaml": (yaml_tree, yaml_text), ".npy": (npy,), ".png": (png,),
    ".npz": (zipped,) * 8 + (zip_bomb,), ".3mf": (zipped,) * 8 + (zip_bomb,), ".sh3f": (zipped,) * 8 + (zip_bomb,),
    ".zip": (zipped,), ".pt": (zipped,), ".tif": (tiff,), ".safetensors": (safetensors,), ".glb": (glb,), ".mat": (mat,),
    ".dcm": (dicom,), ".svg": (xml,), ".model": (xml,), ".rels": (xml,),
}
"""How files are damaged within their form, by suffix."""


def mended(files: Files) -> Files:
    """An input whose own checksums fit what its files hold: of models and of checkpoints."""
    made = dict(files)
    for name, data in files.items():
        if data is None or name.rpartition("/")[2] not in ("config.json", "state.json"):
            continue
        try:
            tree = json.loads(data)
            sums = tree["sha256"]
            for key in sums:
                beside = files.get(name.rpartition("/")[0] + "/" * ("/" in name) + key)
                if beside is not None:
                    sums[key] = hashlib.sha256(beside).hexdigest()
            made[name] = json.dumps(tree).encode()
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
    return made
