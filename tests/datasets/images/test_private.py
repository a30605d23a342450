"""No name of a folder or file of the user's images is in anything that leaves: it may be a patient's."""

import csv
import json
import shutil

import numpy as np
import pytest
import trimesh
from radiographs import dicom, fill, radiograph, write

from maquette.datasets.images import ImageInfo, open_images, prepare_images
from maquette.datasets.images.audit import audit_images
from maquette.datasets.images.render import render_images
from maquette.datasets.prepare import open_dataset, prepare
from maquette.datasets.private import PRIVATE, read_private_names
from maquette.datasets.sources import items_of
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


@pytest.fixture
def bones(tmp_path):
    """Meshes and a grid in class folders under a folder named after a patient, a damaged file and a copy with them."""
    folder = tmp_path / "Zimmermann_Quirinus"
    for kind, number in (("knee", 1), ("knee", 2), ("hip", 1)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        trimesh.creation.box((1, number, 2 if kind == "hip" else 3)).export(folder / kind / f"Zimmermann-{number}.stl")
    np.save(folder / "Quirinus.npy", np.pad(np.ones((4, 4, 4), np.float32), 2))
    shutil.copy(folder / "knee" / "Zimmermann-1.stl", folder / "knee" / "Zimmermann-again.stl")
    (folder / "knee" / "Zimmermann-damaged.stl").write_bytes(b"nothing")
    return folder


def test_a_prepared_dataset_of_shapes_names_neither_folder_nor_files(bones, tmp_path):
    out = tmp_path / "sets" / "out"
    events = list(prepare(bones, out, resolution=8, workers=1))
    assert not [name for name in NAMES if name in everything(out)]
    (skipped,) = [event for event in events if isinstance(event, Skipped)]
    assert "Zimmermann-damaged.stl" in skipped.reason, "on the terminal the owner is told which file it is"
    ((id, reason),) = events[-1].skipped
    assert id == skipped.id and reason.startswith(f"{id} cannot be read as stl")
    data = open_dataset(out)
    assert data.class_names == ("hip", "knee", "object") and len(data) == 5
    table = tmp_path / "sets" / f"out.{PRIVATE}"
    known = read_private_names(out)
    assert set(data.ids) | {id} == set(known) and known[id].endswith("Zimmermann-damaged.stl")
    copies = [id for id, file in known.items() if file.endswith(("knee/Zimmermann-1.stl", "-again.stl"))]
    assert sorted(copies)[1] == f"{sorted(copies)[0]}-2", "a copy has the number 2"
    (note,) = [event.text for event in events if isinstance(event, Note)]
    assert note.startswith(f"{table} says which shape is which file") and note.endswith("hip, knee, object")


def test_one_more_shape_leaves_the_ids_of_the_others(bones, tmp_path):
    before = {item.file: item.id for item in items_of([bones])}
    trimesh.creation.box((2, 2, 1)).export(bones / "hip" / "A.stl")
    after = {item.file: item.id for item in items_of([bones])}
    assert before.items() < after.items() and len(after) == len(before) + 1
    assert [item.id for item in items_of([bones], split="train")] == list(after.values())


def test_shapes_keep_their_names_or_have_one_if_wanted(bones, tmp_path):
    list(prepare(bones, tmp_path / "kept", resolution=8, workers=1, keep_names=True))
    assert "knee/Zimmermann-1" in open_dataset(tmp_path / "kept").ids
    list(prepare(bones, tmp_path / "named", resolution=8, workers=1, name="Bones"))
    named = open_dataset(tmp_path / "named")
    assert named.terms == ("Bones: as their owner says",) and named.class_names == ("Bones", "hip", "knee")
    again = {item.id for item in items_of([tmp_path / "named"])}
    assert again == set(named.ids), "a dataset that is prepared from it has the same ids"


def test_a_dataset_with_the_names_of_files_is_read_and_hands_none_on(bones, tmp_path):
    (bones / "Quirinus.npy").unlink()
    list(prepare(bones, tmp_path / "old", resolution=8, workers=1, keep_names=True))
    assert open_dataset(tmp_path / "old").id(0) == "hip/Zimmermann-1"
    list(prepare(tmp_path / "old", tmp_path / "new", resolution=8, workers=1))
    assert not [name for name in NAMES if name in everything(tmp_path / "new" / "train")]
    assert open_dataset(tmp_path / "new").ids[:2] == ["hip/00001", "knee/00002"]


def test_images_of_shapes_name_no_files(bones, tmp_path):
    out = tmp_path / "out"
    *_, made = render_images(bones, out, size=8, views=1, holdout=1, workers=1)
    assert made.count == 5 and not [name for name in NAMES if name in everything(out)]
    assert len(read_private_names(out)) == 6
