"""What one server offers: models, runs, plotters and cameras, all named when it is started."""

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.models.facts import Facts
from maquette.models.hub import BUNDLED, CONFIG, Model, bundled, load, locate
from maquette.plotting.settings import Machine
from maquette.training.monitor.runs import is_run

PORT = 8765
"""Where the page is served, where nothing else was asked for."""
MODELS_KEPT = 4
"""Loaded models that stay in memory."""


@dataclass(frozen=True)
class Offer:
    """What the page may choose from.

    Attributes:
        models: Names or folders of models beside the bundled ones.
        runs: A folder of runs: their curves are shown, and their models are offered.
        plotters: Serial ports of GRBL machines.
        machine: How they lift their pen.
        cameras: Numbers of cameras at this computer.
    """

    models: tuple[str, ...] = ()
    runs: Path | None = None
    plotters: tuple[str, ...] = ()
    machine: Machine = Machine()
    cameras: tuple[int, ...] = ()


@dataclass
class Models:
    """The models of an offer, loaded when they are first used.

    Attributes:
        offer: Names what there is beside the bundled ones.
    """

    offer: Offer
    _loaded: "OrderedDict[str, Model]" = field(default_factory=OrderedDict)

    def folders(self) -> dict[str, Path]:
        """The models' folders by the names under which the page knows them."""
        found = {name: BUNDLED / name for name in bundled()}
        for name in self.offer.models:
            folder = locate(name)
            found.setdefault(folder.parent.name if folder.name == "model" else folder.name, folder)
        for run in self.runs():
            if (run / "model" / CONFIG).is_file():
                found.setdefault(f"run {run.name}", run / "model")
        return found

    def runs(self) -> list[Path]:
        """The folders of the runs, by name."""
        folder = self.offer.runs
        if folder is None or not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))

    def told(self) -> list[dict[str, Any]]:
        """Of each model `name`, `reads` (`views` or `scans`), `classes` that may be told to it, and `terms`."""
        found = []
        for name, folder in self.folders().items():
            try:
                info = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
                facts = Facts.of_tree(info["answers"])
            except (OSError, ValueError, KeyError):
                continue
            if facts.makes is Makes.SHAPES and facts.reads in (Reads.VIEWS, Reads.SCANS):
                classes = [str(one) for one in info.get("class_names", [])] if facts.takes_class else []
                found.append({"name": name, "reads": facts.reads.value, "classes": classes,
                              "threshold": float(info.get("threshold", 0.5)),
                              "terms": [str(line) for line in info.get("data", [])]})
        return found

    def get(self, name: str, default: str) -> Model:
        """A model of the list by its name there, or the default one for an empty name.

        Raises:
            UserError: For a name that is not in the list.
        """
        folder = self.folders().get(name or default)
        if folder is None:
            raise UserError("no model of this name is offered", repr(name))
        key = str(folder)
        if key not in self._loaded:
            self._loaded[key] = load(key)
            while len(self._loaded) > MODELS_KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]
