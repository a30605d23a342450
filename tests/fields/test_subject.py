"""The object of a picture, cut out and framed."""

import numpy as np
import pytest

from maquette.fields.subject import FILL, WHOLE, find_subject


def test_an_object_is_cut_out_and_framed():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)
    mask = np.zeros((80, 120), np.uint8)
    mask[20:50, 40:60] = 255  # 20 wide, 30 high
    cut = find_subject(np.dstack([noise, mask]), 40, 3)
    rows, columns = (np.flatnonzero((cut.mask > 0.5).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1] + 1) == (6, 34), "the longer side takes 0.7 of 40, in the middle"
    wide = columns[-1] + 1 - columns[0]
    assert columns[0] + columns[-1] + 1 == 40 and wide == pytest.approx(2 / 3 * FILL * 40, abs=1)
    assert (cut.pixels[cut.mask == 0] == 255).all() and cut.notes == ()
    plain = np.full((80, 120, 3), 90, np.uint8)
    plain[20:50, 40:60] = 200
    on_plain = find_subject(plain, 40, 1)
    assert np.array_equal(on_plain.mask, cut.mask) and on_plain.pixels.shape == (40, 40)
    assert set(np.unique(on_plain.pixels[on_plain.mask == 1])) == {200} and on_plain.pixels[0, 0] == 255
    grey = find_subject(plain[..., 0], 40, 3)
    assert np.array_equal(grey.mask, cut.mask)
    busy = find_subject(noise, 40, 3)
    assert busy.mask is None and busy.notes == (WHOLE,) and busy.pixels.shape == (40, 40, 3)
    opaque = find_subject(np.dstack([plain, np.full((80, 120), 255, np.uint8)]), 40, 3)
    assert np.array_equal(opaque.mask, cut.mask), "an alpha channel that hides nothing says nothing"
