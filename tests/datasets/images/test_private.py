"""No name of a folder or file of the user's images is in anything that leaves: it may be a patient's."""

import csv
import json

import numpy as np
import pytest
from radiographs import dicom, fill, radiograph, write

from maquette.datasets.images import ImageInfo, open_images, prepare_images
from maquette.datasets.images.audit import audit_images
from maquette.datasets.images.files import PRIVATE
from maquette.evaluation.images.sets import open_real_images
from maquette.events import Note, Skipped

NAMES = ("zimmermann", "quirinus", "klinik")


@pytest.fixture
def patient(tmp_path):
    """DICOM files, pictures, a damaged one and masks in folders that are named after a patient."""
    folder = tmp_path / "Zimmermann_Quirinus" / "Klinik"
    fill(folder, 10)
    for number in range(10):
        (folder / f"{number:02d}.png").rename(folder / f"Quirinus-{number:02d}.png")
    for number in range(3):
        dicom(folder / f"Zimmermann-{number}.dcm", radiograph(20 + number).astype(np.uint16) * 16, uid=f"1.2.{number}")
    (folder / "Zimmermann-damaged.jpg").write_bytes(b"nothing")
    (folder / "Zimmermann-damaged.dcm").write_bytes(b"nothing")
    return folder


def everything(folder) -> str:
    """All bytes under a folder, and all names, as text in small letters."""
    parts = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    parts += [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    return "\n".join(parts).lower()


def test_a_prepared_dataset_names_neither_folder_nor_files(patient, tmp_path):
    out = tmp_path / "sets" / "out"
    events = list(prepare_images(patient, out, size="64x32", holdout=4, workers=1))
    assert not [name for name in NAMES if name in everything(out)]
    skipped = [event for event in events if isinstance(event, Skipped)]
    assert {event.id for event in skipped} == {"image-00011", "dicom-file-00004"}
    assert not [name for event in skipped for name in NAMES if name in event.reason.lower()]
    assert (out / "README.md").read_text().startswith("# Images\n") and ImageInfo.load(out).name == ""
    table = tmp_path / "sets" / f"out.{PRIVATE}"
    with table.open(newline="") as file:
        known = {row["called"]: row["file"] for row in csv.DictReader(file)}
    assert known["image-00001"] == str(patient / "Quirinus-00.png") and len(known) == 15
    assert set(open_images(out).ids) <= set(known)
    assert [event.text for event in events if isinstance(event, Note)] == [
        f"{table} says which image is which file; it is for you alone, pass it on to nobody"]


def test_what_goes_into_a_model_names_no_folder(patient, tmp_path):
    list(prepare_images(patient, tmp_path / "out", size="64x32", holdout=4, workers=1, terms="ours"))
    assert open_images(tmp_path / "out").terms == ("images: ours",)
    list(prepare_images(patient, tmp_path / "named", size="64x32", holdout=4, workers=1, name="Radiographs"))
    assert open_images(tmp_path / "named").terms == ("Radiographs: as their owner says",)
    assert (tmp_path / "named" / "README.md").read_text().startswith("# Images of Radiographs\n")


def test_a_dataset_of_an_earlier_release_does_not_hand_its_folder_on(tmp_path):
    list(prepare_images(fill(tmp_path / "in", 6), tmp_path / "out", size="64x32", holdout=2, workers=1))
    file = tmp_path / "out" / "images.json"
    content = json.loads(file.read_text())
    del content["name"]
    file.write_text(json.dumps(content | {"source": "Zimmermann", "terms": "Zimmermann: as its owner says"}))
    assert open_images(tmp_path / "out").terms == ("images: shapes of the user's own: as their owner says",)


def test_an_audit_names_neither_folder_nor_files(patient, tmp_path):
    write(patient / "Zimmermann-twice.png", radiograph(3))
    out, fixed = tmp_path / "out", tmp_path / "fixed"
    *_, audited = audit_images(patient, out, fix=fixed, workers=1)
    assert "zimmermann-twice.png" in (tmp_path / f"out.{PRIVATE}").read_text().lower()
    assert not [name for name in NAMES if name in everything(out) + everything(fixed)]
    assert "<title>Audit of images</title>" in audited.report.read_text()
    assert ("duplicate", "image-00012") in {(finding.kind, finding.id) for finding in audited.findings}
    list(audit_images(patient, out, workers=1, name="Jaws"))
    assert "<h1>Audit of Jaws</h1>" in audited.report.read_text()


def test_a_comparison_names_no_folder(patient, tmp_path):
    list(prepare_images(patient, tmp_path / "Zimmermann", size="64x32", holdout=4, workers=1))
    for path in (patient, tmp_path / "Zimmermann"):
        real = open_real_images(path, (32, 64, 3))
        assert real.name == "real images" and not [name for name in NAMES if name in str(real.notes).lower()]


def test_the_split_is_that_of_the_files_names(tmp_path):
    folder = fill(tmp_path / "in", 20)
    sets = {}
    for keep in (True, False):
        list(prepare_images(folder, tmp_path / str(keep), size="64x32", holdout=6, workers=1, keep_names=keep))
        data = open_images(tmp_path / str(keep))
        sets[keep] = data.splits.tolist(), data.pixels(range(20))
    assert sets[True][0] == sets[False][0] and np.array_equal(sets[True][1], sets[False][1])


def test_masks_are_still_found_by_the_files_names(tmp_path):
    folder = fill(tmp_path / "in", 3)
    for number in range(3):
        write(tmp_path / "masks" / f"{number:02d}.png", np.full((80, 160), 255, np.uint8))
    list(prepare_images(folder, tmp_path / "out", size="64x32", holdout=0, workers=1, masks=str(tmp_path / "masks")))
    assert open_images(tmp_path / "out").ids == ["image-00001", "image-00002", "image-00003"]
