"""Features of Inception v3, for FID (Heusel et al. 2017) and KID (Bińkowski et al., ICLR 2018).

The weights are 90 MB and do not come with this package. They are read from a safetensors file that the user names,
never from a pickle, and nothing is downloaded.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, UInt8
from safetensors import SafetensorError, safe_open
from torch import Tensor

from maquette.errors import UserError
from maquette.evaluation.images.inception import CLASSES, SIDE_PX, InceptionV3
from maquette.extras import require

FeatureNetwork = Callable[[Float[Tensor, "b 3 299 299"]], Float[Tensor, "b features"]]
"""Images in [-1, 1] to features: `InceptionV3`."""
MAX_BYTES = 2**28
"""The largest file that is read; the right one has 95 MB in float32."""
HINT = "docs/evaluate-images.md says how to make it"


@dataclass(frozen=True)
class InceptionWeights:
    """A file of Inception weights."""

    path: Path
    sha256: str
    """Its checksum, in hexadecimal."""


def find_weights(named: str) -> InceptionWeights:
    """Find the file of Inception weights that a user names.

    Where a file `NAME.sha256` lies beside it, as sha256sum writes it, the weights must have that checksum.

    Args:
        named: A path, or `owner/name` on the Hugging Face Hub, whose model.safetensors must be in the local cache.

    Raises:
        UserError: For a name that is neither, for another kind of file, and for a wrong checksum.
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
    return InceptionWeights(path, found)


def _from_cache(named: str) -> Path:
    """The weights of a model of the Hub in the local cache; UserError where there are none."""
    require("huggingface_hub", "hub")
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


def load_inception(weights: InceptionWeights) -> InceptionV3:
    """The network with these weights, in evaluation mode and without gradients.

    Raises:
        UserError: For a damaged file, and for one that does not fit; it names the tensor.
    """
    with torch.device("meta"):
        network = InceptionV3()
    path = weights.path
    state: dict[str, torch.Tensor] = {}
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


def inception_features(
    network: FeatureNetwork, images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"], batch: int = 16
) -> Iterator[Float64[np.ndarray, "b features"]]:
    """Features of images, a batch at a time.

    Images are resized to 299x299 whatever their aspect, as is usual for FID, with a bicubic filter that does not alias
    (Parmar et al., CVPR 2022).

    Args:
        network: From `load_inception`.
        images: 0 to 255; grey ones get three equal channels.
        batch: Images at once.

    Yields:
        The features of the next batch.
    """
    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.ascontiguousarray(images[start : start + batch])).float()
        part = part.unsqueeze(1).expand(-1, 3, -1, -1) if part.dim() == 3 else part.movedim(-1, 1)  # [b, 3, H, W]
        with torch.inference_mode():
            part = F.interpolate(part, (SIDE_PX, SIDE_PX), mode="bicubic", antialias=True, align_corners=False)
            yield network(part.clamp(0, 255) / 127.5 - 1).double().numpy()
