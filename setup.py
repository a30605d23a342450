"""The page on a package index: README.md with its links made absolute. All else is in pyproject.toml."""

import re
from pathlib import Path

HOME = "https://github.com/maquette3d/maquette"


def absolute(text: str) -> str:
    """Markdown whose links into the repository lead there from anywhere, pictures to their raw files."""

    def link(found: re.Match) -> str:
        kind = "raw" if found[1] else "blob"
        return f"{found[1]}[{found[2]}]({HOME}/{kind}/main/{found[3]})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)]+)\)", link, text)


if __name__ == "__main__":
    from setuptools import setup

    readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    setup(long_description=absolute(readme), long_description_content_type="text/markdown")
