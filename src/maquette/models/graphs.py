"""Models by ONNX Runtime: small graphs beside `model.safetensors`, into which they point for their weights.

A graph is read from who knows where. Before ONNX Runtime sees it, `check_graph` walks through its bytes: it must be one
flat graph of ONNX's own operators whose only external data are tensors of `model.safetensors`, each whole.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError, one_line
from maquette.extras import require
from maquette.geometry.coarse_to_fine import coarse_to_fine
from maquette.models.facts import Facts
from maquette.models.runtime import Looked, Runtime

if TYPE_CHECKING:
    from jaxtyping import Float, Float32
    from onnxruntime import InferenceSession

    from maquette.models.runtime import Made, Seen
    from maquette.systems.base import System

WEIGHTS = "model.safetensors"
"""The only file that a graph may point into."""
NAMES = ("picture", "scan", "latent", "points")
"""The graphs that a model may have; the file of each is NAME.onnx."""
LARGEST_GRAPH = 16 * 2**20
"""Bytes of a graph, at most: the weights are not in it."""
_LARGEST_HEADER = 100 * 2**20  # of a safetensors file, as its own library allows
_ONNX_TYPES = {"F32": 1, "I64": 7, "F16": 10}  # of safetensors: TensorProto.DataType


def graph_file(name: str) -> str:
    """The file of a graph in a model's folder."""
    return f"{name}.onnx"


def needed(facts: Facts) -> tuple[str, ...]:
    """The graphs by which a model of these facts answers all that it can; empty where it needs PyTorch."""
    if facts.makes not in (Makes.SHAPES, Makes.IMAGES):
        return ()
    reads = {Reads.VIEWS: ("picture",), Reads.SCANS: ("scan",), Reads.NOTHING: ()}[facts.reads]
    return (*reads, "latent", *["points"] * facts.points)


class Graphs(Runtime):
    """A trained system that answers by ONNX Runtime, on the CPU.

    Args:
        folder: The model's, with the graphs that `needed` names; each is read when it is first used.
        facts: What is known of the system.
        info: Its config.json, for the networks themselves.
    """

    def __init__(self, folder: Path, facts: Facts, info: dict[str, Any]):
        self.folder, self.facts, self._info = folder, facts, info
        self._sessions: dict[str, InferenceSession] = {}
        self._networks: System[Any] | None = None

    @property
    def system(self) -> System[Any]:
        """The networks themselves, by PyTorch; they are read once."""
        if self._networks is None:
            require("torch", "train")
            from maquette.models.networks import load_networks

            self._networks = load_networks(self.folder, self._info, "cpu").system
        return self._networks

    def look(self, seen: Seen, label: int | None = None) -> Looked:
        """What views or scans show."""
        found = [self._look(one[None].astype(np.float32), label) for one in seen]
        occupancy = np.stack([one["occupancy"] for one in found])
        poses = np.concatenate([one["pose"] for one in found]) if "pose" in found[0] else None
        latents = np.concatenate([one["latent"] for one in found]) if label is None else None
        return Looked(occupancy, poses, latents)

    def encode(self, seen: Seen) -> Float32[np.ndarray, "batch latent"]:
        """The latents of views or scans."""
        return np.concatenate([self._read(one[None].astype(np.float32), None)["latent"] for one in seen])

    def generate(self, latents: Float[np.ndarray, "batch latent"]) -> Made:
        """The shapes or images of latents."""
        name = "occupancy" if self.facts.makes is Makes.SHAPES else "images"
        return np.concatenate([self._run("latent", {"latent": one[None].astype(np.float32)})[name] for one in latents])

    def _look(self, one: Float32[np.ndarray, " 1 *any"], label: int | None) -> dict[str, np.ndarray]:
        """What one view or scan shows: `occupancy` `[r, r, r]`, `latent` `[1, latent]`, and maybe `pose` `[1, 7]`."""
        read = self._read(one, label)
        if not self.facts.points:
            return {**read, "occupancy": self._grid(read["occupancy"][0, 0])}
        beside = {key: read.pop(key) for key in ("volume", "logits")} | {"pose": read["pose"]}
        count = self._session("points").get_inputs()[0].shape[1]

        def filled(points: Float32[np.ndarray, "points 3"]) -> Float32[np.ndarray, " points"]:
            parts = []
            for start in range(0, len(points), count):
                part = points[start : start + count]
                asked = np.concatenate([part, np.zeros((count - len(part), 3), np.float32)])[None]
                parts.append(self._run("points", {"points": asked, **beside})["occupancy"][0, : len(part)])
            return np.concatenate(parts)

        return {**read, "occupancy": self._grid(coarse_to_fine(filled, self.facts.resolution))}

    def _read(self, one: Float32[np.ndarray, " 1 *any"], label: int | None) -> dict[str, np.ndarray]:
        """What the first graph gives of one view or scan."""
        name = "picture" if self.facts.reads is Reads.VIEWS else "scan"
        given = {name: one}
        if self.facts.takes_class:
            given["label"] = np.array([-1 if label is None else label], np.int64)
        return self._run(name, given)

    def _grid(self, occupancy: np.ndarray) -> np.ndarray:
        if occupancy.shape != (self.facts.resolution,) * 3:
            raise UserError(f"{self.folder}: its graphs do not fit its config.json", f"shapes of {occupancy.shape}")
        return occupancy

    def _run(self, name: str, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a graph by name."""
        session = self._session(name)
        names = [output.name for output in session.get_outputs()]
        try:
            return dict(zip(names, session.run(names, given), strict=True))
        except Exception as error:  # ONNX Runtime raises a dozen kinds, without a parent of their own
            raise _unusable(self.folder / graph_file(name), error) from None

    def _session(self, name: str) -> InferenceSession:
        if name not in self._sessions:
            self._sessions[name] = _opened(self.folder / graph_file(name))
        return self._sessions[name]


def _opened(path: Path) -> InferenceSession:
    """A graph, checked, ready to run."""
    check_graph(path)
    say_nothing()
    from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

    options = SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL  # they take longer than one answer
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():
        options.intra_op_num_threads = min(int(threads), 256)
    try:
        return InferenceSession(path, options, ["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # as in _run
        raise _unusable(path, error) from None


def say_nothing() -> None:
    """Keep ONNX Runtime from telling its makers of its use: since 1.29 its builds do so unless they are asked not to.

    Source:
        ONNX Runtime, docs/Privacy.md: the variable counts before the library starts; the call, after it.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["ORT_TELEMETRY_DISABLED"] = "1"  # its name before
    from onnxruntime import disable_telemetry_events

    disable_telemetry_events()


def _unusable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} cannot be used: {one_line(error, 160)}", hint="maquette models export writes it anew")


def check_graph(path: Path) -> None:
    """Check that a graph is one that could have been written here, and points at nothing but its model's weights.

    Args:
        path: NAME.onnx in a model's folder, beside the weights.

    Raises:
        UserError: Where it does not.
    """
    try:
        if path.stat().st_size > LARGEST_GRAPH:
            raise ValueError(f"it is larger than {LARGEST_GRAPH // 2**20} MB")
        tensors = stored_tensors(path.parent / WEIGHTS)
        known = {(at, size, _ONNX_TYPES.get(kind)) for kind, _, at, size in tensors.values()}
        for location, offset, length, kind in _external(path.read_bytes()):
            if location != WEIGHTS:
                raise ValueError(f"it points at the file {location[:60]!r}")
            if (offset, length, kind) not in known:
                raise ValueError(f"it points at bytes of {WEIGHTS} that are no tensor")
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a graph of this model: {one_line(error)}",
                        hint="maquette models export writes it anew") from None


def stored_tensors(path: Path) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """The tensors of a safetensors file by name: type, shape, place of the first byte in the file, bytes.

    Raises:
        OSError: Where it cannot be read.
        ValueError: Where it is no such file.
    """
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(_LARGEST_HEADER, path.stat().st_size):
            raise ValueError(f"{path.name} is no safetensors file")
        header = json.loads(file.read(length))
    found = {}
    try:
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = (int(place) for place in entry["data_offsets"])
                found[name] = (str(entry["dtype"]), tuple(entry["shape"]), 8 + length + begin, end - begin)
    except (AttributeError, KeyError, TypeError):
        raise ValueError(f"{path.name} is no safetensors file") from None
    return found


# The protocol buffers of ONNX, as far as they are needed (onnx.proto): numbers of fields.
_MODEL_GRAPH, _MODEL_OPSETS, _MODEL_ALLOWED = 7, 8, {1, 2, 3, 4, 5, 6, 7, 8, 14}
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_ALLOWED = 1, 5, {1, 2, 5, 10, 11, 12, 13, 16}
_NODE_ATTRIBUTE, _NODE_DOMAIN, _NODE_ALLOWED = 5, 7, {1, 2, 3, 4, 5, 6, 7, 9}
_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS, _ATTRIBUTE_ALLOWED = 5, 10, {1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 20}
_TENSOR_TYPE, _TENSOR_EXTERNAL = 2, 13
Fields = Iterator[tuple[int, int | bytes]]


def _external(model: bytes) -> Iterator[tuple[str, int, int, int]]:
    """File, first byte, bytes and type of all external data; ValueError for a model of another form than ours."""
    for number, graph in _fields(model, _MODEL_ALLOWED):
        if number != _MODEL_GRAPH:
            continue
        for kind, part in _fields(graph, _GRAPH_ALLOWED):
            if kind == _GRAPH_TENSOR:
                yield from _of_tensor(part)
            elif kind == _GRAPH_NODE:
                for place, value in _fields(part, _NODE_ALLOWED):
                    if place == _NODE_DOMAIN and value not in (b"", b"ai.onnx"):
                        raise ValueError("it has operators that are not ONNX's own")
                    for inner, tensor in _fields(value, _ATTRIBUTE_ALLOWED) if place == _NODE_ATTRIBUTE else ():
                        if inner in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                            yield from _of_tensor(tensor)


def _of_tensor(tensor: int | bytes) -> Iterator[tuple[str, int, int, int]]:
    """The external data of a tensor, if it has such."""
    kind, entries = 0, dict[str, str]()
    for number, value in _fields(tensor):
        if number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == _TENSOR_EXTERNAL:
            pair = {place: text.decode() for place, text in _fields(value) if isinstance(text, bytes)}
            entries[pair.get(1, "")] = pair.get(2, "")
    if entries:
        yield entries.get("location", ""), int(entries.get("offset", "-1")), int(entries.get("length", "-1")), kind


def _fields(message: int | bytes, allowed: set[int] | None = None) -> Fields:
    """The fields of a message: number, and value or bytes; ValueError where it is none, or has others than allowed."""
    if isinstance(message, int):
        raise ValueError("it is damaged")
    at, end = 0, len(message)
    while at < end:
        key, at = (message[at], at + 1) if message[at] < 128 else _varint(message, at)
        number, form = key >> 3, key & 7
        if allowed is not None and number not in allowed:
            raise ValueError("it has parts that no graph of this package has")
        if form == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if form != 2:
            size = {1: 8, 5: 4}.get(form, -1)
        elif at < end and message[at] < 128:
            size, at = message[at], at + 1
        else:
            size, at = _varint(message, at)
        if size < 0 or at + size > end:
            raise ValueError("it is damaged")
        yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for place in range(10):
        if at >= len(message):
            break
        byte, at = message[at], at + 1
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at
    raise ValueError("it is damaged")
