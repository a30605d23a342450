"""What a run depends on beside its recipe: versions, the commit of the source, the kind of machine."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import maquette

PACKAGES = ("maquette", "torch", "lightning-fabric", "numpy", "trimesh", "embreex", "scikit-image", "safetensors")


def environment() -> dict[str, str]:
    """Versions of packages, `commit`, `machine`, `processor`, `threads` and, where there is one, `gpu`.

    Names and paths of this machine are left out.
    """
    import torch

    facts = {name: version for name in PACKAGES if (version := _version(name))}
    facts |= {
        "python": platform.python_version(),
        "commit": commit(Path(maquette.__file__).parent),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": str(torch.get_num_threads()),
    }
    return facts | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def commit(package: Path) -> str:
    """The git commit of the work tree that a package lies in, with `+changes` where its files differ from the commit.

    Args:
        package: The package's folder.

    Returns:
        The commit; empty where git is missing or the package is installed, even into a folder inside the work tree of
        another project.
    """
    if not _git(package, "ls-files", "--error-unmatch", "__init__.py"):
        return ""
    found = _git(package, "rev-parse", "HEAD").strip()
    return f"{found}+changes" if found and _git(package, "status", "--porcelain", "--", ".").strip() else found


def _git(folder: Path, *words: str) -> str:
    """What git prints, run in this folder; empty where it fails."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    variables["GIT_OPTIONAL_LOCKS"] = "0"  # only look: another git may be at work in the tree
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], env=variables, capture_output=True, text=True,
                              encoding="utf-8", errors="replace", timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """The processor's trade name, or as much as the system knows of it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
