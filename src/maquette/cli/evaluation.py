"""`maquette evaluate`, and `evaluate study`: whether readers can tell real images from synthetic ones.

Heavy modules are imported inside the bodies, as in `maquette.cli.commands`.
"""

from typing import Annotated

from maquette.cli.marks import POSITIONAL, Mark
from maquette.cli.options import writes


@writes
def evaluate(
    model: Annotated[str, POSITIONAL] = "maquette",
    on: str = "modelnet10",
    data_path: Annotated[str, Mark(name="data.path")] = "",
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    class_name: Annotated[str, Mark(name="class")] = "",
    turns: int = 0,
    classifier: str = "",
    inception: str = "",
    out: str = "evaluation",
    json: str = "",
) -> int:
    """Measure a model on data that it never saw.

    A test of whether readers can tell a model's images from real ones is made with: maquette evaluate study make.

    Args:
        model: A bundled model, a model's or run's folder, or owner/name on the Hugging Face Hub.
        on: modelnet10: IoU on the test split, half pencil and half photo views; ikea: AP on photos, after alignment;
            scans: IoU on ModelNet10's test split, completed from scans; recognition: a linear SVM on the critic's
            responses; generation: new shapes beside the test split. A prepared dataset of images, or a folder of
            them: images that the model makes beside those held out, with a report; of 3dgen and graf also shape beside
            appearance, and meshes.
        data_path: Where the data are; of 3dgen and graf an image set with true shapes, where --on has none.
        views: Views or scans of each test shape (modelnet10, scans).
        limit: Stop after so many shapes or photos; generation: so many made shapes (100 if left out); images: so many
            of each set at most (500 if left out).
        seed: Of the views or scans that are made (modelnet10, scans), of the shapes or images that are made.
        class_name: One class of the data (generation, ikea).
        turns: Orientations about the up axis of each shape: 1, 2, 3, 4, 6 or 12 (recognition: 4 if left out;
            generation: 1).
        classifier: A model of the system classifier, for the Frechet distance in its features (generation).
        inception: Weights for FID and KID of images: a .safetensors file, or owner/name in the Hugging Face Hub's
            cache; without them both are left out.
        out: Folder for the report on images: report.html, report.json, report.csv; objects.png (3dgen, graf).
        json: File for the result; - for standard output.

    Examples:
        maquette evaluate --on modelnet10 --data.path modelnet10_30.npz --limit 50
        maquette evaluate runs/tiny --on recognition --data.path modelnet10_30.npz
    """
    from maquette import api
    from maquette.cli.show import show_evaluation
    from maquette.io.replacing import check_free

    if json not in ("", "-"):
        check_free(json)
    events = api.evaluate(model, on, data_path, views=views, limit=limit, seed=seed, class_name=class_name, turns=turns,
                          classifier=classifier, inception=inception, out=out)
    return show_evaluation(events, json)


def study_make(
    model: Annotated[str, POSITIONAL],
    real: str,
    out: str = "study",
    count: int = 20,
    seed: int | None = None,
    json: bool = False,
) -> int:
    """Make a page of real and made images for readers.

    The images are shuffled, and the key is kept apart from the page.

    Args:
        model: A model's or run's folder, or owner/name on the Hugging Face Hub.
        real: Real images: a prepared dataset, or a folder; held-out ones are taken first.
        out: Folder for study.html, which the readers get, and key.json, which they do not.
        count: Images of each kind.
        seed: Of choice and order, so that the study can be made again. Who knows it can work out the key; random if
            left out.
        json: Print one JSON document.

    Examples:
        maquette evaluate study make runs/teeth --real data/teeth --out study --count 20
    """
    from maquette import api
    from maquette.cli.console import status
    from maquette.cli.show import show_study

    with status(f"loading model {model}"):
        loaded = api.load(model, runtime="torch")
    return show_study(api.make_study(loaded, real, out, count=count, seed=seed), json)


@writes
def study_score(
    key: Annotated[str, POSITIONAL],
    answers: Annotated[tuple[str, ...], Mark(metavar="ANSWERS...", positional=True)],
    json: str = "",
) -> int:
    """Score what the readers of a study answered.

    Accuracy, d' and agreement.

    Args:
        key: The key.json of the study.
        answers: Files that the readers saved.
        json: File for the result; - for standard output.

    Examples:
        maquette evaluate study score study/key.json answers/anna.json answers/ben.json
    """
    from maquette import api
    from maquette.cli.show import show_evaluation

    return show_evaluation([api.score_study(key, answers)], json)
