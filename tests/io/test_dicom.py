"""DICOM files: the picture as a viewer shows it, nothing of the patient, and one clear line for a bad file."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from radiographs import dicom, radiograph

from maquette.datasets.images import prepare_images
from maquette.datasets.images.audit import audit_images
from maquette.datasets.images.files import find_images
from maquette.errors import UserError
from maquette.io.dicom import anonymous_name, is_dicom, read_dicom, windowed

STORED = (np.arange(4096).reshape(64, 64)).astype(np.uint16)


def read(path, limit: int = 100_000_000) -> np.ndarray:
    return read_dicom(path, "it", max_pixels=limit).pixels


def window(centre: float, width: float, function: str = "") -> Dataset:
    data = Dataset()
    data.WindowCenter, data.WindowWidth = centre, width
    if function:
        data.VOILUTFunction = function
    return data


def test_windows_are_those_of_the_standard():
    values = np.array([[0.0, 1047.5, 1999.5, 2951.5, 4000.0]])
    linear = windowed(values, window(2000, 1905))  # ends at 1999.5 -+ 952
    assert linear == pytest.approx(np.array([[0, 0, 0.5, 1, 1]]), abs=1e-12)
    exact = windowed(np.array([[0.0, 500, 1000, 1500, 2000]]), window(1000, 1000, "LINEAR_EXACT"))
    assert exact == pytest.approx(np.array([[0, 0, 0.5, 1, 1]]), abs=1e-12)
    sigmoid = windowed(np.array([[1000.0, 1250.0, -1e9]]), window(1000, 1000, "SIGMOID"))
    assert sigmoid == pytest.approx(np.array([[0.5, 1 / (1 + np.exp(-1)), 0]]), abs=1e-12)
    assert windowed(np.array([[1.0, 2.0, 3.0]]), window(2.5, 1)).tolist() == [[0, 0, 1]]
    several = Dataset()
    several.WindowCenter, several.WindowWidth = [2000, 5], [1905, 5]
    assert np.array_equal(windowed(values, several), linear), "the first of several windows"


def test_rescale_and_window_against_the_formula(tmp_path):
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 3000, "WindowWidth": 2001}
    path = dicom(tmp_path / "a.dcm", STORED, **rescale)
    rescaled = 2.0 * STORED - 1000
    expected = np.clip((rescaled - 2999.5) / 2000 + 0.5, 0, 1) * 255
    assert np.abs(read(path).astype(float) - expected).max() <= 0.5 + 1e-9
    inverted = dicom(tmp_path / "b.dcm", STORED, PhotometricInterpretation="MONOCHROME1", **rescale)
    assert np.array_equal(read(inverted), 255 - read(path))


def test_without_a_window_the_range_is_the_pictures_own(tmp_path):
    pixels = read(dicom(tmp_path / "a.dcm", STORED // 8 + 700))
    assert (pixels.min(), pixels.max()) == (0, 255) and pixels.dtype == np.uint8
    flat = read(dicom(tmp_path / "b.dcm", np.full((8, 8), 77, np.uint16)))
    assert not flat.any()


def test_padding_is_black_and_counts_for_nothing(tmp_path):
    stored = np.array([[4000, 100, 300], [4000, 500, 4050]])
    whole = dicom(tmp_path / "a.dcm", stored, PixelPaddingValue=4000, PixelPaddingRangeLimit=4095)
    assert read_dicom(whole, "a", max_pixels=100).pixels.tolist() == [[0, 0, 128], [0, 255, 0]]
    turned = dicom(tmp_path / "b.dcm", stored, PixelPaddingValue=4000, PhotometricInterpretation="MONOCHROME1",
                   WindowCenter=300, WindowWidth=401)
    assert read_dicom(turned, "b", max_pixels=100).pixels[:, 0].tolist() == [0, 0]
    none = dicom(tmp_path / "c.dcm", np.full((2, 2), 7), PixelPaddingValue=7)
    assert read_dicom(none, "c", max_pixels=100).pixels.max() == 0


def test_a_lookup_table_is_applied(tmp_path):
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 12], np.arange(4096)[::-1].astype("<u2").tobytes()
    pixels = read(dicom(tmp_path / "a.dcm", STORED, VOILUTSequence=[table]))
    assert np.array_equal(pixels, np.rint((4095 - STORED) * (255 / 4095)).astype(np.uint8))


def test_colour_and_declared_text(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (8, 6, 3)).astype(np.uint8)
    path = dicom(tmp_path / "a.dcm", STORED[:8, :6], SamplesPerPixel=3, PlanarConfiguration=0, BitsAllocated=8,
                 BitsStored=8, HighBit=7, PhotometricInterpretation="RGB", PixelData=colours.tobytes(),
                 BurnedInAnnotation="YES")
    image = read_dicom(path, "it", max_pixels=1000)
    assert np.array_equal(image.pixels, colours) and image.burnt_in


def bad(path, name: str) -> None:
    """Writes a bad file of a kind."""
    if name == "garbage":
        path.write_bytes(bytes(128) + b"DICM" + b"garbage" * 20)
    elif name == "text":
        path.write_text("Zimmermann")
    elif name == "short":
        dicom(path, STORED, PixelData=STORED.tobytes()[:1000])
    elif name == "none":
        dicom(path, STORED, Rows=0)
    elif name == "frames":
        dicom(path, STORED, NumberOfFrames=300)
    elif name == "large":
        dicom(path, STORED, Rows=60000, Columns=60000)
    elif name == "deflated":
        dicom(path, STORED, syntax="1.2.840.10008.1.2.1.99")
    elif name == "unknown":
        dicom(path, STORED, syntax="1.2.840.10008.1.2.4.80", PixelData=encapsulate([b"Zimmermann" * 10]))


BAD = [
    ("garbage", "it is a DICOM file without a picture, or damaged; leave it out"),
    ("text", "it is damaged or no DICOM file; export it again"),
    ("short", "it is damaged or no DICOM file; export it again"),
    ("none", "it is a DICOM file without a picture, or damaged; leave it out"),
    ("frames", "it holds 300 pictures, not one; export the one that you want"),
    ("large", "it is larger than 100 megapixels, got 60000x60000 (3600 megapixels); raise --max-megapixels"),
    ("deflated", "it is deflated as a whole, which is not read here; export it uncompressed"),
    ("unknown", "it is damaged, or compressed in a way that cannot be read here, got JPEG-LS Lossless Image "
                "Compression; export it uncompressed, or install pylibjpeg with its decoders"),
]


@pytest.mark.parametrize("name, says", BAD)
def test_bad_files_are_one_clear_line_each(tmp_path, name, says):
    bad(tmp_path / "it.dcm", name)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "it.dcm")
    assert str(caught.value) == says


def test_changed_bytes_are_a_picture_or_one_line_without_a_name(tmp_path, caplog):
    random, path = np.random.default_rng(5), tmp_path / "it.dcm"
    whole = dicom(path, STORED[:8, :8], WindowCenter="2000", WindowWidth="900", RescaleSlope="1.5",
                  RescaleIntercept="0", PhotometricInterpretation="MONOCHROME1").read_bytes()
    refused = 0
    for _ in range(1000):
        changed = np.frombuffer(whole, np.uint8).copy()
        places = random.integers(0, len(changed), random.choice([1, 2, 8]))
        changed[places] = random.integers(0, 256, len(places))
        path.write_bytes(changed.tobytes()[: random.integers(100, 2 * len(changed))])
        try:
            assert read(path).dtype == np.uint8
        except UserError as error:
            refused += 1
            assert "\n" not in str(error) and "zimmermann" not in str(error).lower()
    assert 100 < refused < 900 and not caplog.records


def test_names_say_nothing_and_are_the_same_again(tmp_path):
    folder = tmp_path / "in"
    dicom(folder / "zimmermann_quirinus", STORED, uid="1.2.3")  # no suffix: known by its content
    dicom(folder / "zimmermann_again.dcm", STORED, uid="1.2.3")
    dicom(folder / "other.DCM", STORED, uid="1.2.4")
    bad(folder / "zz_zimmermann.dcm", "text")
    (folder / "notes.txt").write_text("Zimmermann")
    assert is_dicom(folder / "zimmermann_quirinus") and not is_dicom(folder / "notes.txt")
    names = [file.id for file in find_images(folder)]
    name = anonymous_name(folder / "zimmermann_quirinus")
    assert names == [anonymous_name(folder / "other.DCM"), name, f"{name}-2", "dicom-file-00004"]
    assert name.startswith("dicom-") and len(name) == 22 and name != names[0]
    assert [file.id for file in find_images(folder, keep_names=True)] == [
        "other.DCM", "zimmermann_again.dcm", "zimmermann_quirinus", "zz_zimmermann.dcm"]


def test_nothing_of_a_patient_goes_on(tmp_path):
    for number in range(4):
        stored = radiograph(number).astype(np.uint16) * 16
        dicom(tmp_path / "in" / f"Zimmermann_{number}.dcm", stored, uid=f"1.2.{number}")
    bad(tmp_path / "in" / "Zimmermann_bad.dcm", "unknown")
    list(audit_images(tmp_path / "in", tmp_path / "out", fix=tmp_path / "fixed", workers=1))
    events = list(prepare_images(tmp_path / "in", tmp_path / "set", size="64x32", grey=True, holdout=1, workers=1))
    assert events[-1].count == 4 and len(events[-1].skipped) == 1
    written = [file for name in ("out", "fixed", "set") for file in (tmp_path / name).rglob("*") if file.is_file()]
    assert len(written) > 10
    for file in written:
        assert "zimmermann" not in file.name.lower()
        content = file.read_bytes().lower()
        assert not any(word in content for word in (b"zimmermann", b"quirinus", b"q-77231", b"19510203")), file
