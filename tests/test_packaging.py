"""What a package index shows, and what is installed: links that lead somewhere, the stub, the recipes."""

import re
import runpy
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_links_of_the_readme_are_absolute_on_a_package_index():
    absolute = runpy.run_path(str(ROOT / "setup.py"), run_name="read")["absolute"]
    home = FACTS["project"]["urls"]["Source"]
    assert absolute("![a](docs/a.png) [b](docs/b.md#c) [d](https://e.org) [f](#g)") == (
        f"![a]({home}/raw/main/docs/a.png) [b]({home}/blob/main/docs/b.md#c) [d](https://e.org) [f](#g)")
    readme = absolute((ROOT / "README.md").read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)]+)\)", readme)
    assert len(targets) > 10 and all(target.startswith(("https://", "#")) for target in targets)


def test_the_stubs_and_the_marker_of_types_are_installed():
    patterns = FACTS["tool"]["setuptools"]["package-data"]["maquette"]
    package = ROOT / "src" / "maquette"
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    assert {package / "py.typed", package / "__init__.pyi", package / "api" / "__init__.pyi"} <= installed
    assert package / "recipes" / "iwgan-tiny.yaml" in installed


def test_every_dependency_of_the_tests_is_pinned():
    pinned = {line.split("==")[0].lower().replace("_", "-")
              for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()}
    project = FACTS["project"]
    needs = [need for extra in project["optional-dependencies"].values() for need in extra] + project["dependencies"]
    names = {re.match(r"[\w-]+", need)[0].lower().replace("_", "-") for need in needs} - {"maquette"}
    assert names <= pinned, sorted(names - pinned)


def test_the_pages_of_the_project_have_absolute_addresses():
    assert all(url.startswith("https://") for url in FACTS["project"]["urls"].values())
