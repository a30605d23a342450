"""Files of strangers and of phones: read, or named in one line; and nothing of foreign libraries on the terminal."""

import shutil
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from radiographs import dicom, radiograph
from sketched import chair, drawn

from maquette.datasets.images import prepare_images
from maquette.datasets.images.audit import audit_images
from maquette.datasets.images.files import find_images
from maquette.errors import UserError
from maquette.events import Skipped
from maquette.intake.sources import read_frame
from maquette.io import formats
from maquette.io.atomic import write_bytes
from maquette.io.dicom import read_dicom
from maquette.io.paths import usable
from maquette.io.pictures import find_inputs, read_picture
from maquette.scans import find_scans, read_intrinsics, read_scan

FAULTS = Path(__file__).parents[1] / "data" / "faults"


def photo(path: Path) -> np.ndarray:
    """A HEIC file as a phone writes it; returns what it shows."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    pixels = np.repeat(drawn(chair(96))[:64, :, None], 3, 2)
    Image.fromarray(pixels).save(path, "HEIF", quality=95)
    return pixels


def test_heic_is_read(tmp_path):  # F8
    shown = photo(tmp_path / "IMG_0001.HEIC")
    got = read_picture(tmp_path / "IMG_0001.HEIC")
    assert got.shape == shown.shape and np.abs(got.astype(int) - shown).mean() < 3
    assert find_inputs(tmp_path) == [tmp_path / "IMG_0001.HEIC"] and len(find_images(tmp_path)) == 1


def test_what_looks_like_a_picture_in_a_folder_is_not_passed_over(tmp_path):  # F8
    folder = tmp_path / "in"
    shutil.copytree(FAULTS / "heic-folder", folder)
    (folder / "sensor.NEF").write_bytes(b"MM\0*" + bytes(100))
    (folder / "layers.psd").write_bytes(b"8BPS" + bytes(100))
    shutil.copy(folder / "chair.png", folder / "download")
    (folder / "notes.txt").write_text("no picture")
    found = find_inputs(folder)
    assert [Path(path).name for path in found] == ["IMG_0001.HEIC", "chair.png", "download", "layers.psd", "sensor.NEF"]
    lines = {}
    for path in found:
        try:
            read_picture(path)
        except UserError as error:
            lines[Path(path).name] = str(error).replace(str(folder), "in")
    assert set(lines) == {"IMG_0001.HEIC", "layers.psd", "sensor.NEF"}
    assert lines["sensor.NEF"] == ("in/sensor.NEF is the raw picture of a camera, which is not read here; save it as "
                                   "JPEG or PNG")
    events = list(prepare_images(folder, tmp_path / "out", size="32x32", holdout=0, workers=1, keep_names=True))
    assert {event.id for event in events if isinstance(event, Skipped)} == set(lines) and events[-1].count == 2


LONG, NUL = "a" * 300, "a\0b"


@pytest.mark.parametrize("name", [f"{LONG}.png", f"{NUL}.png"])
@pytest.mark.parametrize("read", [
    read_picture, read_frame, usable, lambda path: read_scan(path, 32), lambda path: find_images(path),
    lambda path: read_dicom(path, "x", max_pixels=100), read_intrinsics, lambda path: write_bytes(path, b"x"),
    lambda path: formats.read_mesh(Path(path).with_suffix(".stl")), lambda path: formats.read_grid(path[:-4] + ".npy"),
])
def test_a_name_that_no_file_can_have_is_one_line(read, name, tmp_path):  # F9
    with pytest.raises(UserError) as caught:
        read(str(tmp_path / name))
    line = str(caught.value)
    assert "\n" not in line and "\0" not in line and len(line) < 400


@pytest.mark.parametrize("name", [LONG, NUL])
def test_such_a_name_among_inputs_costs_no_other(name, tmp_path):  # F9
    assert find_inputs([name, "-"]) == [Path(name), "-"]
    assert find_scans([name, tmp_path / "a.ply"]) == [Path(name), tmp_path / "a.ply"]


@pytest.mark.parametrize("letter", ["a", "é", "語", "\N{CHAIR}"])
def test_names_near_255_bytes_are_written(tmp_path, letter):  # F16
    count = (255 - len(".stl")) // len(letter.encode())
    path = tmp_path / f"{letter * count}.stl"
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x" and len(list(tmp_path.iterdir())) == 1


def test_libtiffs_lines_stay_off_the_terminal(tmp_path, capfd):  # F16
    picture = Image.fromarray(drawn(chair(96)))
    picture.save(tmp_path / "a.tif", compression="tiff_lzw")
    whole = (tmp_path / "a.tif").read_bytes()
    for cut in range(100, len(whole), 50):
        (tmp_path / "a.tif").write_bytes(whole[:60] + bytes([255]) * 40 + whole[cut:])
        try:
            read_picture(tmp_path / "a.tif")
        except UserError:
            pass
    assert capfd.readouterr() == ("", "")


def test_numpys_lines_stay_off_the_terminal(tmp_path, recwarn, capfd):  # F16
    with (tmp_path / "a.npy").open("wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118))
        file.write(b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 2L, 2L), }".ljust(117) + b"\n" + bytes(64))
    assert formats.read_grid(tmp_path / "a.npy").shape == (2, 2, 2)
    assert not recwarn.list and capfd.readouterr() == ("", "")


def huge_element(path: Path) -> Path:
    """A DICOM file with an element that claims almost 4 GB."""
    dicom(path, radiograph(1).astype(np.uint16) * 16)
    data = path.read_bytes()
    at = data.index(b"PN")  # the patient's name, explicit VR: its 16-bit length follows
    path.write_bytes(data[:at] + b"OB\0\0\xf0\xff\xff\xff" + data[at + 4 :])
    return path


def test_a_huge_element_of_a_dicom_file_is_one_line(tmp_path):  # F14
    path = huge_element(tmp_path / "a.dcm")
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="it is (a DICOM file without a picture, or )?damaged"):
            read_dicom(path, "it", max_pixels=10**6)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


def test_one_bad_file_does_not_end_the_audit_of_the_others(tmp_path):  # F14
    for number in range(3):
        dicom(tmp_path / "in" / f"{number}.dcm", radiograph(number).astype(np.uint16) * 16, uid=f"1.{number}")
    huge_element(tmp_path / "in" / "3.dcm")
    *_, audited = audit_images(tmp_path / "in", tmp_path / "out", workers=1, keep_names=True)
    assert audited.images == 4
    assert [(f.kind, f.id) for f in audited.findings if f.kind == "unreadable"] == [("unreadable", "3.dcm")]
