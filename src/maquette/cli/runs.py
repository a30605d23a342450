"""`maquette models ...`, `maquette runs ...` and `maquette doctor`: what there is, and how it is.

Heavy modules are imported inside the bodies, as in `maquette.cli.commands`.
"""

import json as json_format
from typing import Annotated

from maquette.cli.marks import POSITIONAL, Mark
from maquette.cli.options import writes
from maquette.errors import UserError


def models_list(json: bool = False) -> int:
    """List the bundled models.

    Args:
        json: Print one JSON document.

    Examples:
        maquette models list
    """
    from maquette import api

    found = api.models()
    if json:
        _print_json(found)
    for facts in [] if json else found:
        print(f"{facts['name']:<12} {facts['system']}, {facts['resolution']} voxels, {facts['megabytes']} MB")
        print(f"{'':<12} {', '.join(facts['class_names'])}")
    return 0


def models_show(model: Annotated[str, POSITIONAL] = "maquette", json: bool = False) -> int:
    """Show a model's card.

    Args:
        model: A bundled model, a folder, or owner/name on the Hugging Face Hub.
        json: Print one JSON document.

    Examples:
        maquette models show furniture
    """
    from maquette import api

    facts = api.model_facts(model)
    if json:
        _print_json(facts)
    else:
        print(facts["card"])
    return 0


def doctor(run: Annotated[str, POSITIONAL], json: bool = False) -> int:
    """Look for the usual faults in a run.

    Numbers that are not finite, dead or runaway critics, shapes all alike.

    Args:
        run: The run's folder.
        json: Print one JSON document.

    Examples:
        maquette train iwgan-tiny --run runs/tiny
        maquette doctor runs/tiny
    """
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_doctor

    with status(f"examining {run}"):
        examined = api.doctor(run)
    return show_doctor(examined, json)


def models_export(
    model: Annotated[str, Mark(metavar="MODEL", positional=True)],
    out: str = "",
) -> int:
    """Write the graphs for answers without PyTorch.

    Training writes them; this is for models of earlier versions. They are ONNX files beside model.safetensors, which
    keeps the weights.

    Args:
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        out: A new folder for a copy of the model; the model's own folder if left out.

    Examples:
        maquette models export runs/tiny
        maquette models export owner/name --out name
    """
    from maquette import api
    from maquette.cli.console import status
    from maquette.io.replacing import guard

    with status(f"writing graphs of {model}"), guard([], overwrite=True):  # the model's folder is what is written
        written = api.export_model(model, out)
    if not written:
        raise UserError(f"model '{model}' answers by PyTorch alone: its system has no graphs")
    print("\n".join(str(path) for path in written))
    return 0


def models_push(
    model: Annotated[str, Mark(metavar="MODEL", positional=True)],
    to: Annotated[str, Mark(metavar="OWNER/NAME", positional=True)],
    private: bool = False,
) -> int:
    """Upload a model to the Hugging Face Hub.

    Args:
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        to: The repository on the Hugging Face Hub; made if it is not there.
        private: Only you can see it.

    Examples:
        maquette models push runs/tiny owner/name --private
    """
    from maquette import api

    print(api.push_model(model, to, private=private))
    return 0


def runs_list(folder: Annotated[str, POSITIONAL] = "runs", json: bool = False) -> int:
    """List the runs in a folder, and how far they are.

    With what they measured, and whether they go on.

    Args:
        folder: Folder that holds the runs.
        json: Print one JSON document.

    Examples:
        maquette runs list
    """
    from maquette import api
    from maquette.cli.charts import show_runs

    return show_runs(api.runs(folder), folder, json)


def runs_pack(run: Annotated[str, POSITIONAL], out: str) -> int:
    """Write a small copy of a run, to go on elsewhere.

    Half precision, no optimiser state.

    Args:
        run: A run's folder.
        out: Folder for the copy.

    Examples:
        maquette train iwgan-tiny --run runs/tiny
        maquette runs pack runs/tiny --out packed
    """
    from maquette import api

    print(f"written to {api.pack_run(run, out)}; go on there with: maquette train --resume {out}")
    return 0


@writes
def runs_show(run: Annotated[str, POSITIONAL], out: str = "", json: bool = False) -> int:
    """Show a run's curves and its newest samples.

    They are written as curves.png and samples.png.

    Args:
        run: A run's folder.
        out: Folder for the pictures; the run's own if left out.
        json: Print one JSON document.

    Examples:
        maquette train iwgan-tiny --run runs/tiny
        maquette runs show runs/tiny
    """
    from maquette import api
    from maquette.cli.charts import show_run
    from maquette.io.replacing import own

    if not out:
        own(run, told=True)
    return show_run(api.run_facts(run, out), json)


def _print_json(document: object) -> None:
    print(json_format.dumps(document, indent=1))
