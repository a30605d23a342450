"""Names and sizes of pages, and lengths with units."""

import pytest

from maquette.errors import UserError
from maquette.geometry.paper import millimetres, page_size


def test_pages_and_lengths():
    assert page_size("a4") == (210, 297) and page_size("A4", landscape=True) == (297, 210)
    assert page_size("200x150mm") == (200, 150) == page_size("20x15cm") == page_size("200 x 150")
    assert page_size("8x10in") == pytest.approx((203.2, 254)) and millimetres("0.5in") == 12.7 == millimetres("12.7")
    for bad, message in (("a9", "unknown page, got 'a9'; known: a2"), ("0x10mm", "a page has sides"),
                         ("9000x10mm", "a page has sides"), ("1..2x3", "a side of the page is a number")):
        with pytest.raises(UserError, match=message):
            page_size(bad)
    with pytest.raises(UserError, match="the margin is a number with mm, cm or in, got '3km'"):
        millimetres("3km", "the margin")
