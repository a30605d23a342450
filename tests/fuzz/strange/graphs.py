"""Damage to ONNX graphs that leaves them graphs: other sizes, operators, wires and places of weights."""

import random
from typing import Any

from strange.trees import Change

SIZES = (-(2**63), -(2**31), -1, 0, 1, 2, 3, 7, 64, 4096, 2**20, 2**31 - 1, 2**31, 2**40, 2**62)
FLOATS = (0.0, -1.0, 1e-45, 1e38, float("inf"), float("nan"))
PLACES = ("../secret", "/etc/passwd", "config.json", "model.safetensors", "", "model.safetensors/..", "\0", "x" * 500)
OPERATORS = ("Loop", "If", "Expand", "ConstantOfShape", "Tile", "Range", "Reshape", "Gather", "Conv", "ConvTranspose",
             "GridSample", "Resize", "Pad", "NonZero", "MatMul", "Einsum", "QuantizeLinear", "Identity",
             "Sum", "nothing")


def onnx_graph(data: bytes, rng: random.Random, other: bytes, change: Change) -> bytes:
    """One to three changes of a graph."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_from_string(data)
    except DecodeError:  # damaged before
        return data
    for _ in range(rng.randint(1, 3)):
        rng.choice((_number, _number, _size, _place, _operator, _wire, _less, _domain))(model, rng)
    return model.SerializeToString()


def _attributes(model: Any) -> list[Any]:
    return [attribute for node in model.graph.node for attribute in node.attribute]


def _tensors(model: Any) -> list[Any]:
    return [*model.graph.initializer, *(one.t for one in _attributes(model) if one.HasField("t"))]


def _number(model: Any, rng: random.Random) -> None:
    """A number of an attribute, or in a constant, which may be a shape."""
    found = [one for one in _attributes(model) if one.ints or one.HasField("i") or one.HasField("f")]
    constants = [one for one in _tensors(model) if one.raw_data and one.data_type == 7]
    if constants and rng.random() < 0.5:
        one = rng.choice(constants)
        at = 8 * rng.randrange(len(one.raw_data) // 8)
        value = rng.choice(SIZES).to_bytes(8, "little", signed=True)
        one.raw_data = one.raw_data[:at] + value + one.raw_data[at + 8 :]
    elif found:
        one = rng.choice(found)
        if one.ints:
            one.ints[rng.randrange(len(one.ints))] = rng.choice(SIZES)
        elif one.HasField("f"):
            one.f = rng.choice(FLOATS)
        else:
            one.i = rng.choice(SIZES)


def _size(model: Any, rng: random.Random) -> None:
    """A side of a tensor, of an input or of an output."""
    tensors = [one for one in _tensors(model) if one.dims]
    shapes = [one.type.tensor_type for one in (*model.graph.input, *model.graph.output, *model.graph.value_info)]
    if rng.random() < 0.6 and tensors:
        one = rng.choice(tensors)
        one.dims[rng.randrange(len(one.dims))] = rng.choice(SIZES)
    elif shapes:
        one = rng.choice(shapes)
        if rng.random() < 0.3:
            one.elem_type = rng.choice((0, 1, 2, 7, 8, 9, 10, 11, 99))
        elif one.shape.dim:
            rng.choice(one.shape.dim).dim_value = rng.choice(SIZES)


def _place(model: Any, rng: random.Random) -> None:
    """Where the bytes of a weight are."""
    entries = [entry for one in _tensors(model) for entry in one.external_data]
    if entries:
        entry = rng.choice(entries)
        entry.value = rng.choice(PLACES) if entry.key == "location" else str(rng.choice(SIZES))


def _operator(model: Any, rng: random.Random) -> None:
    """What a node does."""
    node = rng.choice(model.graph.node)
    node.op_type = rng.choice(OPERATORS + tuple(one.op_type for one in model.graph.node))


def _wire(model: Any, rng: random.Random) -> None:
    """What goes into a node: another's output, its own, or nothing."""
    node = rng.choice(model.graph.node)
    if node.input:
        names = [name for one in model.graph.node for name in one.output]
        node.input[rng.randrange(len(node.input))] = rng.choice((*names, *node.output, "", "nowhere"))


def _less(model: Any, rng: random.Random) -> None:
    """A node, an attribute or an input less."""
    node = rng.choice(model.graph.node)
    if node.attribute and rng.random() < 0.5:
        del node.attribute[rng.randrange(len(node.attribute))]
    elif node.input and rng.random() < 0.5:
        del node.input[rng.randrange(len(node.input)) :]
    else:
        del model.graph.node[rng.randrange(len(model.graph.node))]


def _domain(model: Any, rng: random.Random) -> None:
    """Whose operators, and of which version."""
    if rng.random() < 0.5:
        rng.choice(model.graph.node).domain = rng.choice(("com.microsoft", "ai.onnx.ml", "x"))
    else:
        rng.choice(model.opset_import).version = rng.choice((0, 1, 7, 99, 2**40))
