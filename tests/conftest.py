"""One thread a process (two busy cores make tiny 3D convolutions a hundred times slower), and enforced shapes."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from jaxtyping import install_import_hook

_hook = install_import_hook(os.environ.get("MAQUETTE_TYPED", "maquette.systems.losses").split(","), "typed.check")

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)



def pytest_addoption(parser):
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots in tests/data anew")


@pytest.fixture
def snapshot(request):
    """Compares texts with those of a file in tests/data, which `--update-snapshots` writes anew."""
    from snapshots import Snapshot

    return Snapshot(Path(__file__).parent / "data", request.config.getoption("--update-snapshots"))


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository; the test skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("real data are not here: ../shared/data is missing")
    return SHARED
