"""A size that no printer makes is said."""

import numpy as np
import pytest

from maquette.geometry.size import size_line


@pytest.mark.parametrize("longest, line", [
    (354_533.2, "354,533 mm long: beyond most printers, which make 500 mm; give --size-mm"),  # F6
    (1200, "1,200 mm long: beyond most printers, which make 500 mm; give --size-mm"),
    (500, ""), (5, ""), (0.1, "0.1 mm long: too small to print; give --size-mm"),
])
def test_a_size_beyond_any_printer_is_said(longest, line):
    assert size_line(np.array([3, longest, 4.0]) if longest >= 5 else np.array([longest, 0.0, 0.0])) == line
