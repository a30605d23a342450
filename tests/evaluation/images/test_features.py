"""Inception's features and the checks of its weights."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from maquette.errors import UserError
from maquette.evaluation.images.features import find_weights, inception_features, load_inception
from maquette.evaluation.images.inception import InceptionV3

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights, in half precision, with the last layer that the right one has."""
    torch.manual_seed(0)
    network = InceptionV3()
    for value in network.parameters():
        if value.dim() == 4:
            torch.nn.init.kaiming_normal_(value)
    state = {name: value.half() for name, value in network.state_dict().items()
             if not name.endswith("num_batches_tracked")}
    state["fc.weight"] = torch.zeros(1008, 2048, dtype=torch.half)
    path = tmp_path_factory.mktemp("inception") / "inception.safetensors"
    save_file(state, path)
    return path


def test_inception_has_the_size_of_the_papers_trunk(weights):
    network = load_inception(find_weights(str(weights)))
    # torchvision's Inception v3 has 27,161,264: less 3,326,696 of the side branch and 2,049,000 of the last layer
    assert sum(value.numel() for value in network.parameters()) == 27_161_264 - 3_326_696 - 2_049_000
    assert not network.training and not any(value.requires_grad for value in network.parameters())
    grey = RNG.integers(0, 256, (3, 20, 40), np.uint8)
    found = np.concatenate(list(inception_features(network, grey, batch=2)))
    assert found.shape == (3, 2048) and found.dtype == np.float64
    same = np.concatenate(list(inception_features(network, np.repeat(grey[..., None], 3, 3), batch=3)))
    np.testing.assert_allclose(found, same, rtol=1e-3, atol=1e-4 * found.max())
    assert np.abs(found[0] - found[1]).max() > 0.01 * found.max()


def test_a_checksum_beside_the_weights_is_held_to(weights, tmp_path):
    path, beside = tmp_path / "w.safetensors", tmp_path / "w.safetensors.sha256"
    path.write_bytes(weights.read_bytes()[:1000])
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert find_weights(str(path)).sha256 == right
    beside.write_text(f"{right}  w.safetensors\n")
    assert find_weights(str(path)).sha256 == right
    beside.write_text(f"{right[::-1]}  w.safetensors\n")
    with pytest.raises(UserError, match="does not match its checksum in w.safetensors.sha256; get the weights again"):
        find_weights(str(path))


def test_weights_that_do_not_fit_are_one_clear_line(weights, tmp_path, monkeypatch):
    def says(text: str, name: str = "w.safetensors", state: dict | None = None) -> None:
        if state is not None:
            save_file(state, tmp_path / name)
        with pytest.raises(UserError, match=text):
            load_inception(find_weights(str(tmp_path / name)))

    one = {"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 3, 3, 3)}
    says("tensor Conv2d_1a_3x3.bn.weight is missing", state=one)
    says(r"tensor Conv2d_1a_3x3.conv.weight must have shape \(32, 3, 3, 3\), got \(32, 1, 3, 3\)",
         state={"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 1, 3, 3)})
    says("another Inception v3 than FID is defined with, got 1000 classes, not 1008",
         state=one | {"fc.weight": torch.zeros(1000, 1)})
    (tmp_path / "w.safetensors").write_bytes(b"12345678 no tensors")
    says("w.safetensors is damaged")
    (tmp_path / "w.pth").write_bytes(b"a pickle")
    says("read from .safetensors only: other kinds can run code, got w.pth", "w.pth")
    (tmp_path / "d.safetensors").mkdir()
    says("Inception weights must be a file", "d.safetensors")
    says("no file of Inception weights of this name, nor a model in the Hugging Face Hub's cache", "gone.safetensors")
    with pytest.raises(UserError, match="nor a model in the Hugging Face Hub's cache, got 'owner/name'"):
        find_weights("owner/name")
    monkeypatch.setattr("maquette.evaluation.images.features.MAX_BYTES", 10)
    says("too large for Inception weights")
