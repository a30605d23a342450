"""Writing the graphs by which a model answers without PyTorch (`maquette.models.graphs` runs them).

PyTorch's exporter writes an operator for each step of a network. The weights are then taken out: they are in
`model.safetensors` already, in half precision, and the graph points at their bytes and makes float32 of them.
"""

import logging
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from maquette.errors import PlainWarning, UserError, one_line
from maquette.extras import log_untouched, require
from maquette.io.atomic import write_together
from maquette.io.lock import locked
from maquette.models import hub
from maquette.models.graphs import NAMES, WEIGHTS, check_graph, graph_file, stored_tensors
from maquette.models.networks import Networks, load_networks
from maquette.systems.base import Graph, System

if TYPE_CHECKING:
    import onnx_ir

OPSET = 20
"""Of ONNX: the first that looks up places in volumes (GridSample)."""
_FOLDED = 64 * 1024  # numbers of a constant that may be computed beforehand, at most
_TYPES = {"F16": "FLOAT16", "F32": "FLOAT", "I64": "INT64"}  # of safetensors, in ONNX


def add_graphs(folder: Path) -> None:
    """Write the graphs of a model that was just made; a PlainWarning where that cannot be: the model is whole."""
    try:
        export_graphs(folder)
    except UserError as error:
        warnings.warn(PlainWarning(f"{folder} has no graphs and answers by PyTorch alone: {error}"), stacklevel=2)


def export_copy(folder: Path, out: Path) -> tuple[Path, ...]:
    """Copy a model into a new folder and write its graphs there, as `export_graphs` does.

    Args:
        folder: Of the model.
        out: A folder that is empty or not there yet.

    Raises:
        UserError: As `export_graphs` does, for a folder that holds anything, and for one that cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder", hint="choose another name")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in set(hub.FILES) - set(hub.GRAPHS):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, out / name)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from None
    return export_graphs(out)


def export_graphs(folder: Path) -> tuple[Path, ...]:
    """Write the graphs of a model into its folder, and what is known of it into its config.json.

    Args:
        folder: Of a model, whole.

    Returns:
        The graphs; none for a system that needs PyTorch (`System.graphs`).

    Raises:
        UserError: For a model that is damaged, and where onnxscript is not installed.
    """
    require("onnxscript", "train")
    with locked(folder):
        info = hub.read_config(folder)
        networks = load_networks(folder, info, "cpu")
        hub.check_sum(folder / WEIGHTS, info)
        files = graph_bytes(networks.system, folder / WEIGHTS)
        if not files:
            return ()
        own = {folder / graph_file(name): data for name, data in files.items()}
        write_together({**own, folder / hub.CONFIG: hub.config_bytes(_told(info, networks, folder, files))})
        for name in set(NAMES) - set(files):
            (folder / graph_file(name)).unlink(missing_ok=True)
        for path in own:
            check_graph(path)
    return tuple(own)


def _told(info: dict[str, Any], networks: Networks, folder: Path, files: dict[str, bytes]) -> dict[str, Any]:
    """config.json with the facts, and the checksums of weights and graphs."""
    sums = {WEIGHTS: hub.sha256((folder / WEIGHTS).read_bytes())}
    sums |= {graph_file(name): hub.sha256(data) for name, data in files.items()}
    return {**info, "answers": networks.facts.tree(), "sha256": sums}


def graph_bytes(system: System[Any], weights: Path) -> dict[str, bytes]:
    """The graphs of a system, by name.

    Args:
        system: With the weights of the file, in evaluation mode, on the CPU.
        weights: `model.safetensors`, into which they point.
    """
    with torch.no_grad():
        return {name: _exported(system, graph, weights) for name, graph in system.graphs().items()}


class _Answer(nn.Module):
    """A graph's function as a module, whose weights keep their names."""

    def __init__(self, nets: nn.ModuleDict, graph: Graph):
        super().__init__()
        self.nets, self.answer = nets, graph.answer

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        return self.answer(*given)


def _exported(system: System[Any], graph: Graph, weights: Path) -> bytes:
    """One graph as an ONNX file."""
    import onnx_ir
    from onnx_ir.passes import common
    from onnxscript import optimizer

    module = _Answer(system.nets, graph).eval()
    count = len(module(*graph.inputs.values()))
    with warnings.catch_warnings(), log_untouched():
        warnings.simplefilter("ignore")  # of libraries that are not there, and of what will change in torch
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                module, tuple(graph.inputs.values()), input_names=list(graph.inputs), opset_version=OPSET, dynamo=True,
                output_names=list(graph.outputs[:count]), optimize=False, verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise UserError(f"no graph can be written of this {system.name}", one_line(error, 120)) from error
    assert program is not None, "a dynamo export gives a program"
    model = program.model
    known = set(module.state_dict())
    for node in model.graph.all_nodes():
        if node.op_type in ("Conv", "ConvTranspose") and len(node.inputs) > 2:
            bias = node.inputs[2]
            if bias is not None and bias.name not in known:  # zeros of a wrong size: this layer has none
                node.resize_inputs(2)
        source = node.inputs[0] if node.inputs else None
        if node.op_type == "Transpose" and source is not None:
            order = list(node.attributes["perm"].as_ints())
            if order == sorted(order):  # it changes nothing, and folded it would be a copy of the weights
                node.outputs[0].replace_all_uses_with(source)
    onnx_ir.passes.Sequential(
        common.InlinePass(), common.CommonSubexpressionEliminationPass(), common.RemoveUnusedNodesPass(),
    )(model)
    optimizer.fold_constants(model, output_size_limit=_FOLDED)
    onnx_ir.passes.Sequential(
        common.RemoveUnusedNodesPass(), common.RemoveUnusedFunctionsPass(), common.RemoveUnusedOpsetsPass(),
        common.ClearMetadataAndDocStringPass(),
    )(model)
    _point_at(model, weights)
    model.producer_name, model.producer_version, model.graph.name = "maquette", None, "answer"
    return onnx_ir.to_proto(model).SerializeToString(deterministic=True)


def _point_at(model: "onnx_ir.Model", weights: Path) -> None:
    """Take the weights out of a graph and let it point at their bytes in the file."""
    import onnx_ir

    stored = stored_tensors(weights)
    for name, value in list(model.graph.initializers.items()):
        kind, shape, at, size = stored.get(name.removeprefix("nets."), ("", (), 0, 0))
        if not kind:  # a constant that is no weight, and is small
            continue
        if kind not in _TYPES:
            raise UserError(f"{weights}: a graph cannot point at tensors of type {kind}")
        own = onnx_ir.DataType[_TYPES[kind]]
        whole = value.const_value
        assert whole is not None and tuple(whole.shape.numpy()) == shape, f"{name} is not as it is stored"
        told = onnx_ir.ExternalTensor(WEIGHTS, at, size, own, shape=onnx_ir.Shape(shape), name=name,
                                      base_dir=weights.parent)
        if own == whole.dtype:
            value.const_value = told
            continue
        told.name = f"{name}.half"
        half = onnx_ir.Value(name=told.name, shape=onnx_ir.Shape(shape), type=onnx_ir.TensorType(own),
                             const_value=told)
        cast = onnx_ir.node("Cast", [half], {"to": int(whole.dtype)})
        cast.outputs[0].shape, cast.outputs[0].dtype = onnx_ir.Shape(shape), whole.dtype
        del model.graph.initializers[name]
        value.replace_all_uses_with(cast.outputs[0])
        cast.outputs[0].name = name
        model.graph.register_initializer(half)
        model.graph.insert_before(model.graph[0], cast)
