"""Small made-up radiographs: one dark-edged pattern that all share, and a pattern of its own in each."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 160, 80


def radiograph(number: int) -> np.ndarray:
    """uint8 [80, 160], levels 20 to 220; the same number gives the same."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    shared = 110 * np.exp(-2 * (x**2 + y**2))
    own = np.random.default_rng(number).normal(0, 1, (10, 20)).astype(np.float32)
    own = cv2.resize(own, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(50 + shared + 18 * own, 20, 220).astype(np.uint8)


def write(path: Path, pixels: np.ndarray, **options) -> Path:
    """Writes a picture by its suffix, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def fill(folder: Path, count: int) -> Path:
    """A folder of `00.png`, `01.png`, ..."""
    for number in range(count):
        write(folder / f"{number:02d}.png", radiograph(number))
    return folder


def dataset(folder: Path, count: int = 16, size: str = "64x32", grey: bool = True) -> Path:
    """A prepared dataset of such pictures, two of them for testing."""
    from maquette.datasets.images import prepare_images

    fill(folder / "pictures", count)
    list(prepare_images(folder / "pictures", folder / "set", size=size, grey=grey, holdout=2, workers=1))
    return folder / "set"


def dicom(path: Path, stored: np.ndarray, *, uid: str = "1.2.3", syntax: str = "1.2.840.10008.1.2.1", **fields) -> Path:
    """A DICOM file of uint16 [H, W], 12 bits stored, of a patient called Quirinus Zimmermann; fields by their names."""
    from pydicom.dataset import Dataset, FileMetaDataset

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid
    data.PatientName, data.PatientID, data.PatientBirthDate = "Zimmermann^Quirinus", "Q-77231", "19510203"
    data.Rows, data.Columns = stored.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.PixelData = stored.astype("<u2").tobytes()
    for name, value in fields.items():
        setattr(data, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path
