"""Furniture libraries of Sweet Home 3D (`.sh3f`): textured models of real things with their sizes and their makers.

A library is a zip archive with `PluginFurnitureCatalog.properties` (Java properties), which describes each model by
numbered keys (`name#7`, `model#7`, `width#7` in centimetres, ...), and the models themselves: OBJ with materials and
pictures, in folders or in archives of their own. Its frame is right-handed with y up; a model's front faces +z.
Nothing is extracted to disk, and no size that the archive claims is believed.
"""

import io
import math
import posixpath
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import trimesh

from maquette.datasets.item import Item
from maquette.datasets.sources import textured_obj
from maquette.errors import UserError
from maquette.io.archives import entry_bytes
from maquette.rendering.materials import FACE_COLOURS

SUFFIX = ".sh3f"
CATALOGUE = "PluginFurnitureCatalog.properties"
HELD_OUT = ("bathroom", "staircases", "vehicles")
"""Categories that are the split `test` unless said otherwise: kinds of things that training then never sees. In the
five libraries that Debian packages they are 80 of 820 models: cars and bicycles, baths and toilets, two staircases."""

MAX_ENTRIES = 50_000
"""Files of a library, and models of it."""
MAX_CATALOGUE_BYTES = 16 << 20
MAX_FILE_BYTES = 128 << 20
"""The largest file of a library that is read, unpacked: a model, a picture, an archive with a model."""
MAX_SIZE_CM = 100_000
"""The largest width, depth or height of a model that is believed."""
_ARCHIVES = (".zip", ".jar")


@dataclass(frozen=True)
class Model:
    """One entry of a library's catalogue, as it stands there."""

    number: int
    id: str
    """`KatorLegazModels/towel-rack`: unique among the models of a library."""
    name: str
    category: str
    """A label: `living-room`."""
    creator: str
    keys: Mapping[str, str] = field(repr=False)
    """What the catalogue says of it, by the names of the keys without their number."""


@dataclass(frozen=True)
class Library:
    """What a library says of itself, and its models in the order of their numbers."""

    path: Path
    id: str
    name: str
    licence: str
    models: tuple[Model, ...] = field(repr=False)


@dataclass(frozen=True)
class Creator:
    """Someone who made models of a library, and on which terms they may be used."""

    name: str
    library: str
    licence: str
    items: tuple[str, ...]
    """The ids of the items that are theirs."""


def is_sweethome(path: str | Path) -> bool:
    """Whether this is a furniture library by its name, or a folder in which some lie."""
    path = Path(path)
    if path.is_dir():
        return any(file.suffix.lower() == SUFFIX for file in path.iterdir())
    return path.suffix.lower() == SUFFIX and path.is_file()


def read(path: str | Path, *, held_out: Collection[str] = HELD_OUT) -> Iterator[Item]:
    """Every model of a library, or of each library in a folder; ids are `KatorLegazModels/towel-rack`.

    A model is loaded as a mesh in centimetres, z up, facing +y, resting on z = 0, with its real width, depth and
    height, and the colour of each face, sRGB, as `face_attributes["maquette colour"]`, uint8 [F, 3].

    Args:
        path: A `.sh3f` file or a folder of them.
        held_out: The labels that are the split `test`; all others are `train`.

    Yields:
        One item a model, labelled by its category: `living-room`, `kitchen`.

    Raises:
        UserError: There is no such file, or it is no library. A broken model raises it when it is loaded.
    """
    for one in libraries(path):
        for model in one.models:
            split = "test" if model.category in held_out else "train"
            yield Item(model.id, model.category, split, one.id, partial(load, one.path, model))


def libraries(path: str | Path) -> tuple[Library, ...]:
    """The library in a file, or those in a folder by their names.

    Raises:
        UserError: There is none, or one cannot be read.
    """
    path = Path(path)
    files = sorted(f for f in path.iterdir() if f.suffix.lower() == SUFFIX) if path.is_dir() else [path]
    if not files:
        raise UserError(f"no furniture library ({SUFFIX}) in {path}")
    return tuple(_library(file) for file in files)


def creators(path: str | Path, items: Collection[str] | None = None) -> tuple[Creator, ...]:
    """Who made the models of a library (or of those in a folder), by library and name.

    Args:
        path: A `.sh3f` file or a folder of them.
        items: Ids of items that were used; only their makers are named then. All unless said.

    Returns:
        One entry for each maker and library, with the ids of the items that are theirs.

    Raises:
        UserError: There is no library, or one cannot be read.
    """
    found = []
    for one in libraries(path):
        theirs: dict[str, list[str]] = {}
        for model in one.models:
            if items is None or model.id in items:
                theirs.setdefault(model.creator, []).append(model.id)
        found += [Creator(name, one.name, one.licence, tuple(theirs[name])) for name in sorted(theirs, key=str.lower)]
    return tuple(found)


def terms(path: str | Path) -> tuple[str, ...]:
    """One line a library: its name, its licence and everyone who made models of it.

    Raises:
        UserError: There is no library, or one cannot be read.
    """
    lines = []
    for one in libraries(path):
        names = sorted({model.creator for model in one.models}, key=str.lower)
        lines.append(f"{one.name}: {one.licence}; models by {', '.join(names)}")
    return tuple(lines)


def load(path: str | Path, model: Model) -> trimesh.Trimesh:
    """The mesh of one model, as `read` describes it.

    Args:
        path: The library.
        model: One of its models.

    Returns:
        The mesh.

    Raises:
        UserError: The model is missing or damaged, its numbers make no sense, or it has too many faces.
    """
    try:
        size = np.array([_centimetres(model, key) for key in ("width", "depth", "height")])
        rotation = _rotation(model)
        with _opened(Path(path)) as archive:
            data, find = _files_of(archive, model.keys.get("model", ""))
            found = textured_obj.read(data, find)
    except UserError as error:
        raise UserError(f"{model.id} in {Path(path).name}: {error}") from None
    points = found.points @ rotation.T
    points = points[:, [0, 2, 1]] * (-1, 1, 1)  # y up, facing +z: to z up, facing +y
    low, high = points.min(0), points.max(0)
    extent = high - low
    flat = extent < 1e-9 * extent.max()
    points = (points - (low + high) / 2) * np.where(flat, 1, size / np.where(flat, 1, extent))
    points[:, 2] -= points[:, 2].min()
    faces = found.faces[:, ::-1] if np.linalg.det(rotation) < 0 else found.faces
    mesh = trimesh.Trimesh(points, faces, process=False)
    mesh.face_attributes[FACE_COLOURS] = found.colours
    mesh.remove_unreferenced_vertices()
    return mesh


def _library(path: Path) -> Library:
    with _opened(path) as archive:
        if CATALOGUE not in archive.NameToInfo:
            raise UserError(f"{path} is no furniture library of Sweet Home 3D: it has no {CATALOGUE}")
        try:
            entries = properties(_bytes(archive, CATALOGUE, MAX_CATALOGUE_BYTES))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
    numbered: dict[int, dict[str, str]] = {}
    for key, value in entries.items():
        name, _, number = key.partition("#")
        if number.isdecimal() and len(number) < 8:
            numbered.setdefault(int(number), {})[name] = value
    if not numbered or len(numbered) > MAX_ENTRIES:
        raise UserError(f"{path} must describe from 1 to {MAX_ENTRIES:,} models", len(numbered))
    own = _word(entries.get("id", "").rpartition("#")[2]) or _word(path.stem) or "library"
    models: list[Model] = []
    seen: set[str] = set()
    for place, keys in sorted(numbered.items()):
        name = _line(keys.get("name", ""), 80)
        word = _word(keys.get("id", "").rpartition("#")[2]) or _word(name) or str(place)
        word = f"{word}-{place}" if word in seen else word
        seen.add(word)
        label = _word(keys.get("category", "")).lower() or "object"
        creator = _line(keys.get("creator", ""), 80) or "unknown"
        models.append(Model(place, f"{own}/{word}", name, label, creator, keys))
    licence = entries.get("license") or entries.get("licence") or "licence not said"
    return Library(path, own, _line(entries.get("name", ""), 80) or own, _line(licence, 300), tuple(models))


def properties(data: bytes) -> dict[str, str]:
    r"""The keys and values of a Java properties file: ISO-8859-1, `\u00e9`, lines that go on after a backslash.

    Raises:
        UserError: An escape is not whole.
    """
    result = {}
    lines = iter(re.split(r"\r\n|\r|\n", data.decode("latin-1")))
    for line in lines:
        line = line.lstrip(" \t\f")
        if not line or line[0] in "#!":
            continue
        while (len(line) - len(line.rstrip("\\"))) % 2:
            line = line[:-1] + next(lines, "").lstrip(" \t\f")
        parts = re.fullmatch(r"((?:[^\\=: \t\f]++|\\.)*+)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.DOTALL)
        assert parts is not None  # the second group takes whatever is left
        result[_unescaped(parts[1])] = _unescaped(parts[2]).strip()
    return result


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match) -> str:
        if match[1] == "u":
            raise UserError("an escape must be \\u and four hexadecimal digits", ascii(text[match.start() :][:6]))
        return chr(int(match[1][1:], 16)) if match[1][0] == "u" else _ESCAPES.get(match[1], match[1])

    text = re.sub(r"\\(u[0-9a-fA-F]{4}|.|$)", plain, text, flags=re.DOTALL)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs of escapes are one letter


_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def _line(text: str, longest: int) -> str:
    """A name or a licence on one line, without signs that cannot be printed."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())[:longest]


def _word(text: str) -> str:
    """A text as one word for ids and labels: letters, digits, dots, dashes and underscores."""
    text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return re.sub(r"[^\w.]+", "-", text.strip())[:80].strip("-.")


def _centimetres(model: Model, key: str) -> float:
    text = model.keys.get(key, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_SIZE_CM:
        raise UserError(f"{key}#{model.number} must be from 0 to {MAX_SIZE_CM:,} centimetres", ascii(text[:20]))
    return value


def _rotation(model: Model) -> np.ndarray:
    """`modelRotation`: nine numbers, row by row, which turn the model so that y is up and its front at +z."""
    text = model.keys.get("modelRotation", "")
    if not text:
        return np.eye(3)
    try:
        matrix = np.array([float(word) for word in text.split()]).reshape(3, 3)
        fine = bool(np.abs(matrix).max() < 2 and np.abs(matrix @ matrix.T - np.eye(3)).max() < 0.02)
    except ValueError:
        fine = False
    if not fine:
        raise UserError(f"modelRotation#{model.number} must be the nine numbers of a rotation", ascii(text[:40]))
    return matrix


def _opened(source: Path | io.BytesIO) -> zipfile.ZipFile:
    """A zip archive; UserError where it is none, or has too many entries."""
    name = source if isinstance(source, Path) else "the archive of the model"
    try:
        archive = zipfile.ZipFile(source)
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError) as error:
        raise UserError(f"{name} is no zip archive, or damaged: {error}") from None
    if len(archive.filelist) > MAX_ENTRIES:
        archive.close()
        raise UserError(f"{name} may have {MAX_ENTRIES:,} files", len(archive.filelist))
    return archive


def _bytes(archive: zipfile.ZipFile, name: str, limit: int | None = None) -> bytes:
    """A file of an archive, at most `limit` bytes (MAX_FILE_BYTES), whatever its header says. Raises UserError."""
    limit = MAX_FILE_BYTES if limit is None else limit
    try:
        data = entry_bytes(archive, name, limit)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{name} cannot be unpacked: {_line(str(error), 100) or type(error).__name__}") from None
    if len(data) > limit:
        raise UserError(f"{name} is too large, at most {limit >> 20} MB are unpacked")
    return data


def _files_of(archive: zipfile.ZipFile, model: str) -> tuple[bytes, Callable[[str], bytes | None]]:
    """(the OBJ of a model, a function that finds the files that it names) for the text of its key `model`."""
    name, _, within = model.partition("!")
    name = _place(name)
    if name not in archive.NameToInfo:
        raise UserError("there is no model in the library", ascii(name[-80:]) if name else "none named")
    if posixpath.splitext(name)[1].lower() in _ARCHIVES:
        archive = _opened(io.BytesIO(_bytes(archive, name)))
        models = [entry for entry in archive.NameToInfo if entry.lower().endswith(".obj")]
        name = _place(within) if within else next(iter(models), "")
        if name not in archive.NameToInfo:
            raise UserError("the archive of the model has no OBJ in it", ascii(model[-80:]))
    if not name.lower().endswith(".obj"):
        raise UserError("only models in the form OBJ are read", ascii(posixpath.basename(name)[-40:]))
    folder = posixpath.dirname(name)
    lowered = {entry.lower(): entry for entry in archive.NameToInfo}

    def find(named: str) -> bytes | None:
        """The file of this name beside the model; case and the folders of the maker's own machine do not matter."""
        named = named.replace("\\", "/").strip()
        for candidate in (posixpath.normpath(posixpath.join(folder, named)),
                          posixpath.join(folder, posixpath.basename(named))):
            entry = lowered.get(candidate.lower())
            if entry is not None and not entry.endswith("/"):
                return _bytes(archive, entry)
        return None

    return _bytes(archive, name), find


def _place(name: str) -> str:
    """The name of an archive's entry out of a catalogue; UserError for one that leads out of the archive."""
    parts: Sequence[str] = name.replace("\\", "/").strip().strip("/").split("/")
    if ".." in parts or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name.strip()):
        raise UserError("the model lies outside the library", ascii(name[:80]))
    return "/".join(part for part in parts if part not in ("", "."))
