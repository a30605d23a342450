"""Damage that leaves the form of a file whole: lengths and checksums fit, and what they guard is wrong."""

import hashlib
import json
import random
from collections.abc import Callable

from strange import Files
from strange.binary import dicom, mat, npy, png, tiff, zip_bomb, zipped
from strange.graphs import onnx_graph
from strange.trees import Change, glb, json_lines, json_tree, safetensors, xml, yaml_text, yaml_tree

STRUCTURED: dict[str, tuple[Callable[[bytes, random.Random, bytes, Change], bytes], ...]] = {
    ".json": (json_tree,),
    ".jsonl": (json_lines,),
    ".yaml": (yaml_tree, yaml_text),
    ".npy": (npy,),
    ".png": (png,),
    ".npz": (zipped,) * 8 + (zip_bomb,),
    ".3mf": (zipped,) * 8 + (zip_bomb,),
    ".sh3f": (zipped,) * 8 + (zip_bomb,),
    ".zip": (zipped,),
    ".pt": (zipped,),
    ".tif": (tiff,),
    ".safetensors": (safetensors,),
    ".glb": (glb,),
    ".mat": (mat,),
    ".dcm": (dicom,),
    ".svg": (xml,),
    ".model": (xml,),
    ".onnx": (onnx_graph,) * 8,
    ".rels": (xml,),
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
