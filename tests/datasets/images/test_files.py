"""The pixels of one image file."""

import numpy as np
import pytest
from radiographs import write

from maquette.datasets.images import files as image_files


@pytest.mark.parametrize("bits, expected", [(0, [0, 127, 255]), (16, [0, 8, 16]), (12, [0, 127, 255])])
def test_deep_greys_come_down_by_a_range_that_is_said(tmp_path, bits, expected):
    path = write(tmp_path / "a.png", np.array([[0, 2047, 4095]], np.uint16))
    file = image_files.ImageFile("a.png", path, False)
    pixels, _ = image_files.open_image(file, image_files.Limits(bits=bits))
    assert pixels[0, :, 0].tolist() == expected
