"""Texts that are kept in files: what a command says must not change unseen."""

import difflib
from pathlib import Path


class Snapshot:
    """Texts in files of a folder."""

    def __init__(self, folder: Path, update: bool):
        self.folder, self.update = folder, update

    def check(self, name: str, text: str) -> None:
        """Fails with what differs where the file of this name holds another text; writes it where that is asked for."""
        path = self.folder / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        kept = path.read_text(encoding="utf-8") if path.is_file() else ""
        if kept != text:
            lines = difflib.unified_diff(kept.splitlines(), text.splitlines(), str(path), "what is said now", "", "", 1)
            raise AssertionError("\n".join([*lines, "if this is meant: pytest --update-snapshots"]))
