"""Wherever a model is asked for, a name, a path or a model is taken; and what it is loaded onto."""

from pathlib import Path

import pytest
import torch

from maquette.errors import UserError
from maquette.models import hub


def test_a_model_stays_itself_and_a_name_or_a_folder_is_loaded():
    model = hub.load("scan")
    assert hub.as_model(model) is model
    assert hub.as_model("scan").name == "scan" and hub.as_model(hub.BUNDLED / "scan").name == str(hub.BUNDLED / "scan")
    assert hub.locate(Path("scan")) == hub.BUNDLED / "scan"
    assert model.class_names == model.info["class_names"]


def test_the_device_is_checked():
    with pytest.raises(UserError) as caught:
        hub.load("scan", device="tpu")
    assert str(caught.value) == "device must be cpu, cuda or auto, got 'tpu'"
    there = torch.cuda.is_available()
    assert hub.load("scan", device="auto", runtime="torch").runtime.device.type == ("cuda" if there else "cpu")
    if not there:
        with pytest.raises(UserError, match="^device is cuda, but PyTorch sees no GPU; use cpu or auto$"):
            hub.load("scan", device="cuda")
