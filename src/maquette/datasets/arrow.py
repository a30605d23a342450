"""The columns of prepared datasets, straight out of the memory map of their Arrow files."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy.typing import NDArray

from maquette.errors import UserError
from maquette.io.trees import read_json

BinaryColumn: TypeAlias = Any
"""A pyarrow.BinaryArray. PyArrow ships no types, and importing it takes 0.2 s: it is imported where it is used."""
ListColumn: TypeAlias = Any
"""A pyarrow.ListArray."""
RecordBatch: TypeAlias = Any
"""A pyarrow.RecordBatch."""
Schema: TypeAlias = Any
"""A pyarrow.Schema."""
Features: TypeAlias = Any
"""A datasets.Features, the columns of a dataset; `datasets` ships no types either."""

CAMERA = 7
"""Numbers of one camera: azimuth, elevation, field of view, roll (degrees), zoom, shift right and down."""


def record_batches(folder: Path, columns: Sequence[str]) -> list[RecordBatch]:
    """The record batches of a split, in the order of its files, memory-mapped.

    Args:
        folder: The folder of one split; an empty list where it is not there.
        columns: The columns that every file must have.

    Raises:
        UserError: If a column is missing, and for a damaged file.
    """
    import pyarrow as pa

    state = folder / "state.json"
    if not state.is_file():
        return []
    try:
        names = [entry["filename"] for entry in read_json(state)["_data_files"]]
        result: list[RecordBatch] = []
        for name in names:
            with pa.memory_map(str(folder / Path(name).name)) as mapped, pa.ipc.open_stream(mapped) as stream:
                _check_types(stream.schema)
                missing = set(columns) - set(stream.schema.names)
                if missing:
                    raise UserError(f"{folder / name} is not of this form", f"no column {', '.join(sorted(missing))}")
                for batch in stream:
                    batch.validate(full=True)
                    if any(column.null_count for column in batch.columns):
                        raise ValueError("values are missing")
                    result += [batch] * bool(len(batch))
        return result
    except UserError:
        raise
    except (*_DAMAGED, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"cannot read the dataset in {folder}", reason, "prepare it again") from error


_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, MemoryError, RecursionError, OverflowError)
_TYPES = {"id": "string", "label": "int64", "source": "string", "resolution": "int32", "voxels": "binary",
          "views": "binary", "view_kinds": "list<string>", "cameras": "list<list<float>>", "scans": "binary",
          "pixels": "binary", "mask": "binary", "height": "int32", "width": "int32", "channels": "int32"}
"""The types of the columns, as PyArrow writes them without the names of the items of lists."""


def _check_types(schema: Schema) -> None:
    """Refuses columns of other types: the bytes of a column are read as what it should be."""
    for field in schema:
        wanted = _TYPES.get(field.name)
        if wanted is not None and re.sub(r"\w+: ", "", str(field.type)) != wanted:
            raise ValueError(f"the column {field.name} holds {field.type}")


def column_bytes(column: BinaryColumn) -> tuple[Int32[np.ndarray, " offsets"], UInt8[np.ndarray, " bytes"]]:
    """The bytes of all values of a binary column, without a copy; value k lies between offsets k and k + 1."""
    _, places, data = column.buffers()
    offsets = np.frombuffer(places, np.int32)[column.offset : column.offset + len(column) + 1]
    return offsets, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def column_photos(column: ListColumn) -> tuple[Int32[np.ndarray, " offsets"], Bool[np.ndarray, " views"]]:
    """Which views are photos, from the column of the kinds of views; row k has those between offsets k and k + 1."""
    import pyarrow.compute as compute

    return column.offsets.to_numpy(), compute.equal(column.values, "photo").to_numpy(zero_copy_only=False).astype(bool)


def column_cameras(column: ListColumn) -> tuple[Int32[np.ndarray, " offsets"], Float32[np.ndarray, "views 7"]] | None:
    """The cameras of all views, from the column of cameras; row k has those between offsets k and k + 1.

    None if a camera has fewer numbers than `CAMERA`, as in datasets of an older form.
    """
    each = column.values
    lengths: NDArray[np.int_] = each.value_lengths().to_numpy(zero_copy_only=False) if len(each) else np.zeros(0, int)
    if (lengths != CAMERA).any():
        return None
    flat = each.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, CAMERA)
    return column.offsets.to_numpy(), flat
