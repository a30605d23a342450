"""One thread a process (two busy cores make tiny 3D convolutions 100 times slower), enforced shapes; in CI no skips."""

import os
import re

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from jaxtyping import _import_hook, install_import_hook


class _Guarded(_import_hook._JaxtypingLoader):
    """Also imports what a module imports for type checkers alone: without it those annotations would check nothing."""

    def source_to_code(self, data, path, *, _optimize=-1):
        data = bytes(data).replace(b"\nif TYPE_CHECKING:\n", b"\nif True:\n")
        data = re.sub(rb"from _typeshed import (\w+)", rb"\1 = object", data)  # there for type checkers alone
        return super().source_to_code(data, path, _optimize=_optimize)


_import_hook._JaxtypingLoader = _Guarded
_hook = install_import_hook(os.environ.get("MAQUETTE_TYPED", "maquette").split(","), "typed.check")

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


@pytest.fixture(autouse=True)
def no_graphs(request, monkeypatch):
    """A model's graphs take seconds to write: only tests that use the fixture `graphs` write them after a training."""
    if "graphs" not in request.fixturenames:
        monkeypatch.setattr("maquette.models.graph_export.add_graphs", lambda folder: None)


@pytest.fixture
def graphs():
    """Trainings of this test write the graphs of their models."""


MAY_SKIP = r"no GPU|real data are not here|\.\./shared/data|root may write everywhere|there is no SIGTERM on Windows"
"""Reasons that are the machine's and no fault of ours; in CI every other skip fails."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test has failed: what is not run there is run nowhere."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a file that is skipped as a whole."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped:
        _refuse(report)
    return report


def _refuse(report) -> None:
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not re.search(MAY_SKIP, reason):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {reason}"


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository; the test skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("real data are not here: ../shared/data is missing")
    return SHARED
