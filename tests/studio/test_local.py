"""The page with its server behind it, in a real browser: models, paper, scans, a pen and runs."""

import io
import json
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from pages import corners_of, paper, photographed
from studio_drawing import CHAIR, SQUARE, draw, settled
from studio_server import LocalStudio

from maquette.io.formats import read_mesh

EXAMPLES = Path(__file__).parents[2] / "src" / "maquette" / "examples"
REFUSED = "Failed to load resource: the server responded with a status of 400"  # what a browser says of each refusal
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    run = folder / "runs" / "mine"
    run.mkdir(parents=True)
    rows = [{"event": "stepped", "step": step, "time": 1.0, "autoencoder/loss": 1 / step} for step in (1, 2, 4)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    studio = LocalStudio(folder)
    yield studio
    assert studio.stop() == 0


@pytest.fixture
def page(chromium, running):
    """The page of the server in a fresh profile; its console must stay silent."""
    said: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB")
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(running.link)
    opened.wait_for_selector("html[data-ready]", timeout=120_000)
    yield opened
    context.close()
    assert [line for line in said if not line.startswith(REFUSED)] == []


def test_the_token_leaves_the_address_and_the_server_makes_the_object(page, running, tmp_path):
    assert page.url == f"http://127.0.0.1:{running.port}/"
    draw(page, CHAIR)
    settled(page)
    assert page.input_value("#maker") == "maquette"
    with page.expect_download() as waiting:
        page.click("#stl")
    waiting.value.save_as(tmp_path / "chair.stl")
    mesh = read_mesh(tmp_path / "chair.stl")
    assert mesh.is_watertight and mesh.extents.max() == pytest.approx(100, abs=0.01)
    page.reload()
    page.wait_for_selector("html[data-ready]", timeout=120_000)
    assert page.locator("#maker option").count() >= 3, "the token is kept for this tab"


def test_the_page_alone_makes_objects_too(page):
    draw(page, SQUARE)
    settled(page)
    page.select_option("#maker", "")
    settled(page)
    assert page.is_visible("#verdict") and page.is_hidden("#error")


def test_a_photographed_drawing_is_taken_off_its_paper(page, tmp_path):
    dark = np.zeros((1485, 1050))
    cv2.rectangle(dark, (300, 500), (800, 900), 1.0, 7, cv2.LINE_AA)
    photo = photographed(paper(dark), corners_of(210, 297, tilt_deg=15, turn_deg=8))
    cv2.imwrite(str(tmp_path / "photo.png"), photo[..., ::-1])
    page.set_input_files("#file", tmp_path / "photo.png")
    settled(page)
    assert page.is_visible("#clean")
    page.click("#clean")
    page.wait_for_selector("#progress[hidden]", state="attached", timeout=60_000)
    settled(page)
    dark = page.evaluate("""() => { const pad = document.getElementById('pad');
        const { data } = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height);
        let [all, some] = [0, 0];
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) { all += 1; some += data[i] < 150; }
        return some / all; }""")
    assert 0.001 < dark < 0.1, "lines, and no desk around them"
    assert page.is_visible("#verdict") and page.is_hidden("#error")


def test_a_scan_and_a_relief(page):
    camera = json.loads((EXAMPLES / "scans" / "camera.json").read_text())
    page.set_input_files("#scan-file", EXAMPLES / "scans" / "chair.png")
    page.click("#scan-make")
    page.wait_for_function("() => /intrinsics/.test(document.getElementById('scan-error').textContent)")
    for name in ("fx", "fy", "cx", "cy"):
        page.fill(f"#scan-{name}", str(camera[name]))
    page.click("#scan-make")
    page.wait_for_selector("#scan-dialog", state="hidden", timeout=60_000)
    page.wait_for_function("() => /hidden sides filled in/.test(document.getElementById('verdict').textContent)")
    page.click("#clear")
    draw(page, SQUARE)
    settled(page)
    page.click("#relief-open")
    page.fill("#relief-thickness", "7")
    page.click("#relief-make")
    page.wait_for_function("() => / × 7[.]0 mm/.test(document.getElementById('measures').textContent)", timeout=60_000)
    page.fill("#size", "60")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /^60[.]0 × 60[.]0 × 7/.test(document.getElementById('measures').textContent)")


def test_the_object_by_pen(page, tmp_path):
    draw(page, SQUARE)
    settled(page)
    page.click("#plot-open")
    page.wait_for_selector("#plot-sheet svg", timeout=60_000)
    assert page.is_visible("#plot-none") and page.is_hidden("#plot-machine")
    page.select_option("#plot-page", "a5")
    page.wait_for_function("() => document.querySelector('#plot-sheet svg')?.getAttribute('viewBox') === '0 0 148 210'")
    with page.expect_download() as waiting:
        page.click("#plot-svg")
    waiting.value.save_as(tmp_path / "plot.svg")
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert root.tag.endswith("svg") and float(root.get("width").removesuffix("mm").removesuffix("cm")) > 0


def test_the_object_is_handed_to_a_slicer(page, running):
    page.evaluate("document.getElementById('slicer-link').addEventListener('click', (event) => event.preventDefault())")
    draw(page, SQUARE)
    settled(page)
    page.click("#slicer")
    page.wait_for_selector("#slicer-link[href]", state="attached")
    link = page.get_attribute("#slicer-link", "href")
    assert link.startswith("orcaslicer://open?file=http%3A%2F%2F127.0.0.1")
    address = unquote(link.partition("file=")[2])
    status, headers, data = running.ask("GET", address.partition(str(running.port))[2], headers={})
    assert status == 200 and headers["content-type"] == "model/3mf"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "3D/3dmodel.model" in archive.namelist()
    assert running.ask("GET", "/handed/guessed/maquette.3mf", headers={})[0] == 404
    assert running.error("POST", "/api/handed", b"MZ") == (400, "a 3MF file is handed on, and this is none")


def test_the_curves_of_a_training(page):
    page.click("#runs summary")
    page.click("#runs-list button")
    page.wait_for_selector("#runs-curves svg polyline", timeout=30_000)
    assert "0.250" in page.inner_text("#runs-curves figcaption") and "mine" in page.inner_text("#runs-list")


def test_no_barrier_that_axe_finds_in_the_dialogs(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    find = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))])"
    draw(page, SQUARE)
    settled(page)
    assert page.evaluate(find) == []
    for name in ("plot", "relief"):
        page.click(f"#{name}-open")
        page.wait_for_timeout(300)
        assert page.evaluate(find) == []
        page.click(f"#{name}-close")
    page.click("#runs summary")
    page.wait_for_selector("#runs-list button")
    assert page.evaluate(find) == []
