"""`maquette evaluate study ...`: a test of whether readers can tell real images from synthetic ones.

Heavy modules are imported inside the bodies, as in `maquette.cli.commands`.
"""

from typing import Annotated

from tyro.conf import Positional, arg


def study_make(
    model: Positional[str],
    real: str,
    out: str = "study",
    count: int = 20,
    seed: int | None = None,
    json: bool = False,
) -> int:
    """Make a page of real and synthetic images, shuffled, for readers to tell apart, and its key.

    Args:
        model: A model's or run's folder, or owner/name on the Hugging Face Hub.
        real: Real images: a prepared dataset, or a folder; held-out ones are taken first.
        out: Folder for study.html, which the readers get, and key.json, which they do not.
        count: Images of each kind.
        seed: Of choice and order, so that the study can be made again. Who knows it can work out the key; random if
            left out.
        json: Print one JSON document.
    """
    from maquette import api
    from maquette.cli.console import show_study, status

    with status(f"loading model {model}"):
        loaded = api.load(model)
    return show_study(api.make_study(loaded, real, out, count=count, seed=seed), json)


def study_score(
    key: Positional[str],
    answers: Positional[Annotated[tuple[str, ...], arg(metavar="ANSWERS...")]],
    json: str = "",
) -> int:
    """Score what the readers of a study answered: accuracy, d' and agreement.

    Args:
        key: The key.json of the study.
        answers: Files that the readers saved.
        json: File for the result; - for standard output.
    """
    from maquette import api
    from maquette.cli.console import show_evaluation

    return show_evaluation([api.score_study(key, answers)], json)
