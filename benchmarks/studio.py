"""The studio in a real browser: `python benchmarks/studio.py pen|load|film`.

    pen [COUNT]       pen up to the new mesh on the screen, median and worst of COUNT drawings (50), exported page
    load [SECONDS]    8 users at once at the local server, for so long (60): answers a second, waits, nothing mixed up
    film OUT.gif      a chair, a mug and a fish drawn in the page, as a film

Needs chromium (Debian: apt-get install chromium) and playwright. The browser renders without a graphics card.
"""

import functools
import http.server
import io
import math
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from maquette.studio.export import export_studio

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "helpers")]
from studio_drawing import CHAIR, SQUARE, STAR, draw, settled  # noqa: E402
from studio_server import LocalStudio, packed, told_of  # noqa: E402

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
Place = tuple[float, float]
Stroke = list[Place]


def arc(x: float, y: float, wide: float, high: float, start: float, end: float, steps: int = 24) -> Stroke:
    """A part of an ellipse, degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, steps))
    return [(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles]


MUG: list[Stroke] = [
    arc(440, 260, 220, 60, 0, 360, 40), [(220, 262), (228, 760)], arc(440, 760, 212, 58, 180, 0),
    [(652, 760), (660, 262)], arc(648, 490, 175, 165, -87, 87), arc(646, 490, 105, 100, -84, 84),
]
FISH: list[Stroke] = [
    [*arc(430, 500, 300, 180, 20, 340, 40), (860, 330), (820, 500), (860, 680), arc(430, 500, 300, 180, 20, 340)[0]],
]
THINGS = {"chair": CHAIR, "square": SQUARE, "star": STAR, "mug": MUG, "fish": FISH}


@contextmanager
def browser(url: str, **options: Any) -> Iterator[Page]:
    """The page at an address, ready."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=found, args=FLAGS)
        usual = {"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"}
        page = opened.new_context(**{**usual, **options}).new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        yield page
        opened.close()


@contextmanager
def exported() -> Iterator[str]:
    """The address of the exported page behind a tiny server."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with tempfile.TemporaryDirectory() as folder:
        list(export_studio(Path(folder) / "site"))
        handler = functools.partial(Quiet, directory=str(Path(folder) / "site"))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def wobbly(strokes: list[Stroke], chance: random.Random) -> list[Stroke]:
    """The strokes of another hand: larger or smaller, elsewhere, and not quite where they were."""
    size, right, down = chance.uniform(0.75, 1.0), chance.uniform(-40, 40), chance.uniform(-40, 40)
    return [[(500 + (x - 500) * size + right + chance.gauss(0, 6), 500 + (y - 500) * size + down + chance.gauss(0, 6))
             for x, y in stroke] for stroke in strokes]


def pen(count: int = 50) -> None:
    """Pen up to the new mesh on the screen."""
    chance = random.Random(1)
    with exported() as url, browser(url) as page:
        for number in range(count + 2):  # two to warm up
            strokes = wobbly(list(THINGS.values())[number % len(THINGS)], chance)
            page.click("#clear")
            draw(page, strokes)
            settled(page)
            if number == 1:
                page.evaluate("performance.clearMeasures()")
        waits = page.evaluate("performance.getEntriesByName('pen-to-mesh').map(entry => entry.duration)")
    waits = sorted(waits)
    print(f"{count} drawings, {len(waits)} times pen up: median {np.median(waits):.0f} ms, nine of ten within "
          f"{np.percentile(waits, 90):.0f} ms, worst {waits[-1]:.0f} ms")


def load(seconds: float = 60.0) -> None:
    """Eight users at once: each asks for solids of its own size, and for objects of a drawing."""
    def square(side: int) -> bytes:
        picture = np.full((300, 300), 255, np.uint8)
        picture[150 - side // 2 : 150 + side // 2, 150 - side // 2 : 150 + side // 2] = 0
        return bytes(cv2.imencode(".png", picture)[1])

    examples = Path(__file__).parents[1] / "src" / "maquette" / "examples"
    chair = packed((examples / "chair.png").read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        studio = LocalStudio(Path(folder))
        until = time.monotonic() + seconds
        studio.ask("POST", "/api/object?size_mm=70", chair)  # the model is loaded

        def user(number: int) -> list[tuple[float, bool]]:
            side, found, turn = 60 + 20 * number, [], 0
            while time.monotonic() < until:
                start, turn = time.monotonic(), turn + 1
                if turn % 2:
                    _, _, data = studio.ask("POST", f"/api/relief?size_mm={side}&thickness_mm=2", packed(square(200)))
                    good = abs(told_of(data)["volume_mm3"] / (2 * side * side) - 1) < 1e-3
                else:
                    _, _, data = studio.ask("POST", f"/api/object?size_mm={side}", chair)
                    good = abs(max(told_of(data)["extents_mm"]) - side) < 1e-3
                found.append((time.monotonic() - start, good))
            return found

        with ThreadPoolExecutor(8) as users:
            told = [one for found in users.map(user, range(8)) for one in found]
        status = studio.stop()
    waits = [wait for wait, _ in told]
    print(f"8 users, {seconds:.0f} s: {len(told)} answers ({len(told) / seconds:.1f} a second), wait median "
          f"{np.median(waits):.2f} s, worst {max(waits):.2f} s; {sum(not good for _, good in told)} mixed up; the "
          f"server ended with {status}")


def film(out: str) -> None:
    """A chair, a mug and a fish drawn in the page."""
    frames: list[Image.Image] = []
    waits: list[int] = []

    def shot(page: Page, wait_ms: int) -> None:
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        frames.append(picture.resize((720, round(720 * picture.height / picture.width)), Image.Resampling.LANCZOS))
        waits.append(wait_ms)

    with exported() as url, browser(url, viewport={"width": 1200, "height": 800}) as page:
        shot(page, 700)
        for strokes in (CHAIR, MUG, FISH):
            page.click("#clear")
            box = page.locator("#pad").bounding_box()
            assert box is not None
            unit, left = box["height"] / 1000, box["x"] + (box["width"] - box["height"]) / 2
            for stroke in strokes:
                x, y = stroke[0]
                page.mouse.move(left + x * unit, box["y"] + y * unit)
                page.mouse.down()
                for number, (x, y) in enumerate(stroke[1:]):
                    page.mouse.move(left + x * unit, box["y"] + y * unit, steps=6)
                    if number % 6 == 3:
                        shot(page, 60)
                page.mouse.up()
                settled(page)
                shot(page, 160)
            shot(page, 700)
            room = page.locator("#viewer").bounding_box()
            assert room is not None
            middle = (room["x"] + room["width"] / 2, room["y"] + room["height"] / 2)
            page.mouse.move(*middle)
            page.mouse.down()
            for step in range(1, 15):
                page.mouse.move(middle[0] + 22 * step, middle[1] + 2 * step)
                page.wait_for_timeout(60)
                shot(page, 80)
            page.mouse.up()
            shot(page, 600)
    first, *others = [frame.quantize(96, dither=Image.Dither.NONE) for frame in frames]
    first.save(out, save_all=True, append_images=others, duration=waits, loop=0, optimize=True)
    print(f"{out}: {len(frames)} frames, {Path(out).stat().st_size / 1e6:.1f} MB, {sum(waits) / 1000:.0f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["pen"]:
        pen(*map(int, sys.argv[2:]))
    elif sys.argv[1:2] == ["load"]:
        load(*map(float, sys.argv[2:]))
    elif sys.argv[1:2] == ["film"] and len(sys.argv) == 3:
        film(sys.argv[2])
    else:
        sys.exit(__doc__)
