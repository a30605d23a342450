"""Distances in the features of Inception v3: FID (Heusel et al. 2017) and KID (Bińkowski et al., ICLR 2018).

The weights are 90 MB and do not come with this package. They are read from a safetensors file that the user names,
never from a pickle, and nothing is downloaded.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maquette.errors import UserError

MAX_BYTES = 2**28
"""The right file has 95 MB in float32."""
HINT = "docs/evaluate-images.md says how to make it"


@dataclass(frozen=True)
class Weights:
    """Where the weights are, and what they are known by."""

    path: Path
    sha256: str


def find_weights(named: str) -> Weights:
    """The file of a name: a path, or `owner/name` of the Hugging Face Hub where its model.safetensors is in the cache.

    Where a file `NAME.sha256` lies beside it, as sha256sum writes it, the weights must have that checksum.

    Raises:
        UserError: For a name that is neither, for another kind of file, and for a checksum that is not right.
    """
    path = Path(named)
    if not path.exists():
        path = _from_cache(named)
    if not path.is_file():
        raise UserError("Inception weights must be a file", repr(named))
    if path.suffix != ".safetensors":
        raise UserError("Inception weights are read from .safetensors only: other kinds can run code", path.name, HINT)
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path} is too large for Inception weights", f"{path.stat().st_size / 1e6:.0f} MB")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    beside = path.with_name(f"{path.name}.sha256")
    if beside.is_file():
        with beside.open("rb") as file:
            expected = file.read(64).decode("ascii", "replace").lower()
        if expected != found:
            raise UserError(f"{path} does not match its checksum in {beside.name}", hint="get the weights again")
    return Weights(path, found)


def _from_cache(named: str) -> Path:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    found = None
    if named.count("/") == 1 and not named.startswith((".", "/")):
        try:
            found = try_to_load_from_cache(named, "model.safetensors")
        except HFValidationError:
            pass
    if not isinstance(found, str):
        raise UserError("no file of Inception weights of this name, nor a model in the Hugging Face Hub's cache",
                        repr(named), HINT)
    return Path(found)


def load_inception(weights: Weights):
    """The network with these weights, to evaluate.

    Raises:
        UserError: Naming the tensor, for a file that does not fit.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    from maquette.evaluation.images.inception import CLASSES, Inception

    with torch.device("meta"):
        network = Inception()
    path, state = weights.path, {}
    try:
        with safe_open(path, "pt") as file:
            known = set(file.keys())
            if "fc.weight" in known and (rows := file.get_slice("fc.weight").get_shape()[0]) != CLASSES:
                raise UserError(f"{path} holds another Inception v3 than FID is defined with",
                                f"{rows} classes, not {CLASSES}", HINT)
            for name, own in network.state_dict().items():
                if name.endswith("num_batches_tracked"):
                    state[name] = torch.zeros((), dtype=torch.long)
                    continue
                if name not in known:
                    raise UserError(f"{path}: tensor {name} is missing", hint=HINT)
                shape = tuple(file.get_slice(name).get_shape())
                if shape != tuple(own.shape):
                    raise UserError(f"{path}: tensor {name} must have shape {tuple(own.shape)}", shape)
                state[name] = file.get_tensor(name).float()
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def features(network, images: np.ndarray, batch: int = 16) -> Iterator[np.ndarray]:
    """Features `[b, 2048]` float64 of one batch of images after another.

    Args:
        images: Uint8 `[n, H, W]` or `[n, H, W, 3]`; grey ones get three equal channels. All are brought to 299x299,
            wide ones squeezed, as is done everywhere for FID; with a bicubic filter that does not alias (Parmar et al.,
            CVPR 2022).
    """
    import torch
    import torch.nn.functional as F

    from maquette.evaluation.images.inception import SIDE_PX

    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.ascontiguousarray(images[start : start + batch])).float()
        part = part.unsqueeze(1).expand(-1, 3, -1, -1) if part.dim() == 3 else part.movedim(-1, 1)  # [b, 3, H, W]
        with torch.inference_mode():
            part = F.interpolate(part, (SIDE_PX, SIDE_PX), mode="bicubic", antialias=True, align_corners=False)
            yield network(part.clamp(0, 255) / 127.5 - 1).double().numpy()


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """KID: the squared maximum mean discrepancy of two sets of features `[n, F]` and `[m, F]` with the kernel
    (x.y / F + 1)^3, estimated without bias, so that it can be below 0 (Bińkowski et al. 2018, eq. 4).
    """
    if min(len(a), len(b)) < 2:
        raise UserError("KID needs 2 samples or more of each set", f"{len(a)} and {len(b)}")

    def among(x: np.ndarray) -> float:
        values = _kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(among(a) + among(b) - 2 * _kernel(a, b).mean())


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3
