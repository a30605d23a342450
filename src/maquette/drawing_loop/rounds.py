"""A loop on disk: one folder for each round, `round-01` and so on, complete or not there, and a table of them all."""

import csv
import errno
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from maquette.drawing_loop.loop import Measures, Resume, Round, on_paper
from maquette.errors import UserError
from maquette.geometry.shape import Shape
from maquette.geometry.strokes import Strokes
from maquette.io import formats
from maquette.io.atomic import atomic_path, write_bytes
from maquette.io.trees import json_value
from maquette.plotting.gcode import write_gcode
from maquette.plotting.settings import Machine, Paper
from maquette.plotting.svg import read_svg, write_svg
from maquette.rendering.tiles import tile

Fact = str | int | float | bool | None
"""A plain value that is compared when a loop goes on."""

TABLE, CSV = "loop.json", "loop.csv"
PICTURE, SEEN, OBJECT, MESH, GRID = "picture.jpg", "seen.png", "object.png", "mesh.stl", "shape.npz"
SVG, DRAWN_PNG, PROGRAM, MEASURES = "drawing.svg", "drawing.png", "drawing.gcode", "round.json"
ALL_ROUNDS = ("sheet.png", "loop.gif")
"""The pictures of all rounds: a contact sheet and an animation."""
OBJECT_PX, DRAWING_PX = 240, 720
"""Pixels a side of the picture of a round's object, and of the longer side of the picture of its drawing."""
_NUMBER = (int, float)
_KINDS: dict[str, tuple[type, ...]] = {  # of what `Measures` holds
    "round": (int,), "azimuth_deg": _NUMBER, "iou_first": _NUMBER, "iou_previous": (*_NUMBER, type(None)),
    "voxels": (int,), "strokes": (int,), "drawn_mm": _NUMBER, "travel_mm": _NUMBER, "seconds": _NUMBER,
    "notes": (list,),
}
_MAX_JSON = 4 << 20  # bytes of a JSON file that is read
_ZOOM = 1.1  # so that all of the grid is in the picture


class Rounds:
    """The rounds of one loop on disk.

    Args:
        out: The loop's folder.
        facts: Plain values that must not change while the loop goes on, by their names as options.
        sheet: The paper.
        resume: Go on with the rounds that are there; without it there must be none. What a killed loop left half done
            is removed.

    Raises:
        UserError: If rounds are in the way, are missing, belong to a loop with other facts, or cannot be read.
    """

    def __init__(self, out: str | Path, facts: Mapping[str, Fact], sheet: Paper, resume: bool = False) -> None:
        self.out, self.facts, self.sheet = Path(out), json.loads(json.dumps(facts)), sheet
        self.measures: list[Measures] = []
        count = 0
        while self.folder(count + 1).is_dir():
            count += 1
        if count and not resume:
            raise UserError(f"{self.out} holds {count} round{'s' if count > 1 else ''} of a loop already",
                            hint="go on with --resume, or choose another folder")
        begun = not count and self._is_begun()  # stopped after the table and before the first round was whole
        listed = () if begun else (TABLE, CSV)
        in_the_way = [] if resume else [self.out / name for name in (*listed, *ALL_ROUNDS)]
        if found := next((path for path in in_the_way if path.exists()), None):
            raise UserError(f"{found} is there already", hint="choose another folder")
        if resume:
            if not count and not begun:
                raise UserError(f"{self.out} holds no loop to go on with", hint="leave out --resume")
            self._check()
            self.measures = [self._measures(number) for number in range(1, count + 1)]
            self._write_table()  # it may have been stopped between a round and the tables
        self.discard()

    def folder(self, number: int) -> Path:
        """The folder of a round, whether it is there or not."""
        return self.out / f"round-{number:02d}"

    @property
    def count(self) -> int:
        """Number of complete rounds."""
        return len(self.measures)

    def resume_point(self) -> tuple[Resume, Strokes]:
        """What a loop needs to go on after the last complete round, and the strokes of that round."""
        threshold = float(self.facts["threshold"])
        first, last = (Shape.load(self.folder(n) / GRID, threshold=threshold) for n in (1, self.count))
        strokes = read_svg(self.folder(self.count) / SVG)
        return Resume(self.count, first.voxels, last), on_paper(strokes, self.sheet)

    def write(self, made: Round, machine: Machine) -> Path:
        """Write a round's files into a folder that does not count yet.

        Args:
            made: The round.
            machine: The plotter, for the G-code.

        Returns:
            The folder; what else belongs to the round may be written into it.

        Raises:
            UserError: If they cannot be written.
        """
        folder = self._partial(made.number)
        self.discard()
        _save(folder / PICTURE, made.picture, quality=92)
        seen = np.rint(made.seen * 255).astype(np.uint8)
        _save(folder / SEEN, seen[0] if len(seen) == 1 else np.moveaxis(seen, 0, -1))
        _save(folder / OBJECT, tile(made.shape.occupancy, made.shape.threshold, OBJECT_PX, _ZOOM))
        formats.write_mesh(folder / MESH, made.mesh)
        formats.write_grid(folder / GRID, made.shape.occupancy, made.shape.threshold)
        write_svg(folder / SVG, made.strokes, self.sheet.pen)
        write_gcode(folder / PROGRAM, made.strokes, machine)
        px_per_mm = DRAWING_PX / max(self.sheet.width, self.sheet.height)
        _save(folder / DRAWN_PNG, made.strokes.to_picture(px_per_mm, self.sheet.pen))
        write_bytes(folder / MEASURES, json.dumps(made.measures(), indent=1).encode())
        return folder

    def commit(self, number: int) -> Measures:
        """Make the folder of a round count from now on, and write the table anew.

        Returns:
            The round's measures.

        Raises:
            UserError: If that cannot be written.
        """
        if number == 1:  # the facts come first: a loop of one round can be gone on with
            self._write_table()
        try:
            os.replace(self._partial(number), self.folder(number))
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "something of that name is in the way" if error.errno in (errno.ENOTEMPTY, errno.EEXIST) else ""
            raise UserError(f"cannot write {self.folder(number)}: {reason}", hint=hint) from None
        self.measures.append(self._measures(number))
        self._write_table()
        return self.measures[-1]

    def discard(self) -> None:
        """Remove what is left of rounds that were not completed."""
        if self.out.is_dir():
            for path in self.out.iterdir():
                if re.fullmatch(r"\.round-\d{2,3}\.partial", path.name) and path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)

    def _partial(self, number: int) -> Path:
        """The folder of a round that is not complete."""
        return self.out / f".round-{number:02d}.partial"

    def _write_table(self) -> None:
        """Write the facts and all measures, as JSON and as CSV."""
        table = {"settings": self.facts, "rounds": self.measures}
        write_bytes(self.out / TABLE, (json.dumps(table, indent=1) + "\n").encode())
        text = io.StringIO()
        names = list(self.measures[0]) if self.measures else []
        writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "notes": "; ".join(row.get("notes", [])),
                          "extents_mm": " x ".join(f"{side:g}" for side in row.get("extents_mm", []))}
                         for row in self.measures)
        write_bytes(self.out / CSV, text.getvalue().encode())

    def _is_begun(self) -> bool:
        """Whether there is a table of no rounds: that of a loop of which no round is whole yet."""
        try:
            return self._read(self.out / TABLE).get("rounds") == []
        except UserError:  # none there, or something else
            return False

    def _check(self) -> None:
        """Raise UserError if the loop in the folder has other facts."""
        before: object = self._read(self.out / TABLE).get("settings")
        if not isinstance(before, dict):
            raise UserError(f"{self.out / TABLE} is not the table of a loop")
        before = {"memory": 0.0, **before}  # loops of earlier releases
        for name, value in self.facts.items():
            if before.get(name) != value:
                raise UserError(f"the loop in {self.out} has --{name.replace('_', '-')} {before.get(name)}", value,
                                "go on as it began, or choose another folder")

    def _measures(self, number: int) -> Measures:
        """Read a round's measures."""
        path = self.folder(number) / MEASURES
        found = self._read(path)
        notes = found.get("notes")
        whole = all(isinstance(found.get(name), kinds) for name, kinds in _KINDS.items())
        whole &= isinstance(notes, list) and all(isinstance(note, str) for note in notes)
        sides = found.get("extents_mm", [1.0] * 3)  # rounds of earlier releases have none
        whole &= isinstance(sides, list) and len(sides) == 3 and all(isinstance(side, _NUMBER) for side in sides)
        if found.get("round") != number or not whole:
            raise UserError(f"{path} is damaged: it does not hold the measures of round {number}")
        return cast(Measures, found)

    @staticmethod
    def _read(path: Path) -> dict[str, object]:
        """Read a JSON object."""
        try:
            found = json_value(formats.file_bytes(path, _MAX_JSON))
        except ValueError:
            raise UserError(f"{path} is damaged: it is no JSON") from None
        if not isinstance(found, dict):
            raise UserError(f"{path} is damaged: it holds no table")
        return found


def _save(
    path: Path, pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"], quality: int | None = None
) -> None:
    """Write a picture in the format of the suffix, whole or not at all; quality: of a JPEG."""
    with atomic_path(path) as unfinished:
        if quality is None:
            Image.fromarray(pixels).save(unfinished)
        else:
            Image.fromarray(pixels).save(unfinished, quality=quality)
