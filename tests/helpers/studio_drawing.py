"""Drawing in the studio's page by pointer events."""

import math

CHAIR = [
    [(330, 170), (600, 130)], [(330, 170), (330, 560)], [(600, 130), (600, 500)], [(330, 270), (600, 225)],
    [(330, 560), (600, 500), (760, 600), (480, 680), (330, 560)], [(345, 572), (345, 800)], [(480, 680), (480, 910)],
    [(760, 600), (760, 820)], [(600, 640), (600, 735)],
]
SQUARE = [[(200, 200), (800, 200), (800, 800), (200, 800), (200, 200)]]
STAR = [[(500 + reach * math.cos(angle), 520 + reach * math.sin(angle)) for k in range(11)
         for reach, angle in [(160 if k % 2 else 390, math.radians(-90 + 36 * k))]]]


def draw(page, strokes) -> None:
    """Draw with the mouse; places are on a square of 1000 in the middle of the pad."""
    box = page.locator("#pad").bounding_box()
    unit = box["height"] / 1000
    left = box["x"] + (box["width"] - box["height"]) / 2

    def at(place):
        return left + place[0] * unit, box["y"] + place[1] * unit

    for stroke in strokes:
        page.mouse.move(*at(stroke[0]))
        page.mouse.down()
        for place in stroke[1:]:
            page.mouse.move(*at(place), steps=5)
        page.mouse.up()


def settled(page) -> None:
    """Wait until the object of what was drawn is shown and nothing more is being made."""
    page.wait_for_selector("#controls:not([hidden])", timeout=60_000)
    page.wait_for_selector("#progress[hidden]", state="attached", timeout=60_000)
    page.wait_for_timeout(300)
    page.wait_for_selector("#progress[hidden]", state="attached", timeout=60_000)
