"""The prepared form of a dataset, a folder that `datasets.load_from_disk` opens; `opened` reads its rows.

`train/` and `test/` hold Arrow files, one row a shape: what it is called, its voxels as bits and its views as raw
pixels. `maquette.json` beside them says what all rows share.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Int

from maquette.datasets.arrow import Features, Schema
from maquette.errors import UserError, one_line
from maquette.extras import require
from maquette.io.trees import read_json

SIDECAR = "maquette.json"
"""The file beside the rows that says what they share."""
COLUMNS = ("id", "label", "source", "resolution", "voxels", "views", "view_kinds", "cameras")
"""The columns that the rows of every dataset have."""
Rows: TypeAlias = Sequence[SupportsIndex] | Int[np.ndarray, " n"]
"""Numbers of rows, or a number for each of some rows."""
_FILE_KEYS = {"class_names": "label_names"}
"""What fields of `Info` are called in the file, where that is another name."""


OWN_TERMS = "shapes of the user's own: as their owner says"
"""The terms of shapes of which none are known."""


def neutral_terms(line: str) -> str:
    """A line of terms without the name of a folder, which the first release wrote before "as its owner says"."""
    return OWN_TERMS if line.endswith(": as its owner says") else line


def sidecar_values(kind: type, file: Path, keys: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values that a JSON file has for the fields of a dataclass.

    Args:
        kind: The dataclass, with a field `skipped`.
        file: The JSON file, one object. Keys that are no field are left out.
        keys: The key in the file of each field that is called otherwise there; the field's own name is read too.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not JSON.
    """
    content = read_json(file)
    if not isinstance(content, dict):
        raise ValueError(f"it is no object but {type(content).__name__}")
    for name, key in (keys or {}).items():
        if key in content:
            content[name] = content[key]
    known = {f.name: content[f.name] for f in fields(kind) if f.name in content}
    known["skipped"] = tuple((a, b) for a, b in known.get("skipped", ()))
    return known


Sidecar = TypeVar("Sidecar")


def typed(kind: type[Sidecar], values: Mapping[str, Any]) -> Sidecar:
    """A dataclass of values out of a file, whose types are held against its annotations.

    Raises:
        ValueError: For a value that is missing or of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg'].lower()}") from None


@dataclass(frozen=True)
class Info:
    """What all rows of a prepared dataset share; the content of `maquette.json`."""

    resolution: int
    """Voxels a side."""
    views: int
    """Views of each shape; 0 for shapes alone."""
    view_size: int
    """Pixels a side."""
    channels: int
    """1 for grey views, 3 for RGB."""
    kinds: tuple[str, ...]
    """The kinds of views that were drawn from: `photo`, `pencil`, `depth`, `silhouette`."""
    class_names: tuple[str, ...]
    """The classes; `label` is an index into this."""
    scans: int = 0
    """Scans of each shape; 0: the rows have no column of that name."""
    orientations: int = 1
    """Rows of each shape, one after the other, each turned further; see `maquette.datasets.orientations`."""
    up: str = "z"
    """The axis that pointed up in the meshes; in the rows it is z."""
    seed: int = 0
    """Of the furniture, the views and the scans."""
    sources: tuple[str, ...] = ()
    """What the shapes were read from, as it was given."""
    terms: tuple[str, ...] = ()
    """The terms of use of the sources."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each split."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(id, reason) of each shape that could not be prepared."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the packages that prepared it."""
    fingerprint: str = ""
    """A hash of the options and the shapes that the dataset was prepared with."""

    def __post_init__(self) -> None:
        limits = {"resolution": (1, 1024), "views": (0, 10**6), "view_size": (0, 4096), "scans": (0, 10**6)}
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least} to {most}, got {getattr(self, name)}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels}")
        if self.orientations < 1 or (self.views and not self.view_size):
            raise ValueError(f"{self.orientations} orientations, {self.views} views of {self.view_size} px")

    @property
    def view_shape(self) -> tuple[int, ...]:
        """Shape of one view: (size, size) or (size, size, 3)."""
        return (self.view_size, self.view_size) + ((3,) if self.channels == 3 else ())

    def to_json(self) -> str:
        """The content of `maquette.json`. The classes keep the key that they had in the first release."""
        values = {_FILE_KEYS.get(name, name): value for name, value in asdict(self).items()}
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def load(cls, folder: str | Path) -> "Info":
        """Reads the `maquette.json` of a folder.

        Raises:
            UserError: If the folder is no prepared dataset, or the file is damaged.
        """
        file = Path(folder) / SIDECAR
        if not file.is_file():
            raise UserError(f"{folder} is not a prepared dataset: it has no {SIDECAR}",
                            hint="make one with: maquette data prepare SOURCE --out DIR")
        try:
            known = sidecar_values(cls, file, _FILE_KEYS)
            for name in ("kinds", "class_names", "sources", "terms"):
                known[name] = tuple(known.get(name, ()))
            info = typed(cls, known)
            return replace(info, terms=tuple(dict.fromkeys(neutral_terms(line) for line in info.terms)))
        except (ValueError, TypeError, OSError) as error:
            raise UserError(f"cannot read {file}", one_line(error), "prepare the dataset again") from error


def features(class_names: Sequence[str], scans: bool = False) -> Features:
    """The columns of a prepared dataset as `datasets.Features`.

    Args:
        class_names: The classes; the column `label` is an index into them.
        scans: Whether the rows hold scans.
    """
    require("datasets", "train")
    from datasets import ClassLabel, Features, Value

    columns = {
        "id": Value("string"),
        "label": ClassLabel(names=list(class_names)),
        "source": Value("string"),
        "resolution": Value("int32"),
        "voxels": Value("binary"),  # np.packbits of the bool grid, C order
        "views": Value("binary"),  # uint8 [V, S, S] or [V, S, S, 3]
        "view_kinds": [Value("string")],
        "cameras": [[Value("float32")]],  # [V, 7], see `CAMERA`
    }
    if scans:
        columns["scans"] = Value("binary")  # np.packbits of each bool grid, [S, R^3 / 8]
    return Features(columns)


def arrow_schema(class_names: Sequence[str], scans: bool = False) -> Schema:
    """The Arrow schema of the files, with the features in its metadata; the arguments are those of `features`."""
    return features(class_names, scans).arrow_schema


def is_prepared(path: str | Path) -> bool:
    """Whether a path is a finished prepared dataset."""
    return (Path(path) / SIDECAR).is_file() and (Path(path) / "dataset_dict.json").is_file()
