"""The page in a real browser: a drawing becomes a printable file, also offline, on a phone and without a mouse."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from studio_drawing import CHAIR, SQUARE, STAR, draw, settled

from maquette.io.formats import read_mesh

EXAMPLES = Path(__file__).parents[2] / "src" / "maquette" / "examples"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def downloaded(page, button: str, folder: Path) -> trimesh.Trimesh:
    with page.expect_download() as waiting:
        page.click(button)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return read_mesh(path)


def test_a_drawn_chair_is_a_printable_stl_of_the_size_asked_for(opened, tmp_path):
    page = opened()
    draw(page, CHAIR)
    settled(page)
    page.fill("#size", "80")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /80[.]0/.test(document.getElementById('measures').textContent)")
    mesh = downloaded(page, "#stl", tmp_path)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
    assert mesh.extents.max() == pytest.approx(80, abs=0.01) and mesh.bounds[0, 2] == pytest.approx(0, abs=1e-4)
    shown = [float(number) for number in page.inner_text("#measures").removesuffix(" mm").split(" × ")]
    assert np.allclose(mesh.extents, shown, atol=0.06)


def test_all_formats_hold_the_same_object(opened, tmp_path):
    page = opened()
    draw(page, SQUARE)
    settled(page)
    page.click("[data-way=extrude]")
    settled(page)
    meshes = [downloaded(page, button, tmp_path) for button in ("#stl", "#threemf", "#glb")]
    for mesh in meshes:
        assert mesh.is_watertight and mesh.volume == pytest.approx(100 * 100 * 20, rel=0.01)
        assert np.allclose(mesh.extents, [100, 20, 100], rtol=0.03)
        assert np.allclose(mesh.bounds, meshes[0].bounds, atol=1e-3)


def test_a_base_lies_below_the_object(opened, tmp_path):
    page = opened()
    draw(page, STAR)
    settled(page)
    page.click("[data-way=extrude]")
    settled(page)
    plain = downloaded(page, "#stl", tmp_path)
    before = page.get_attribute("html", "data-shown")
    page.select_option("#base", "3")
    page.wait_for_function("before => document.documentElement.dataset.shown !== before", arg=before)
    based = downloaded(page, "#stl", tmp_path)
    assert based.is_watertight and based.extents[1] > plain.extents[1] + 5
    low = based.vertices[based.vertices[:, 2] < 0.5]
    assert np.ptp(low[:, 0]) > 60, "it stands on a plate and not on two tips"


def test_offline_after_the_server_has_stopped(opened, server, tmp_path):
    page = opened()
    page.wait_for_selector("html[data-offline]", timeout=60_000)
    server.stop()
    page.reload()
    page.wait_for_selector("html[data-ready]", timeout=120_000)
    draw(page, CHAIR)
    settled(page)
    assert downloaded(page, "#stl", tmp_path).is_watertight


def test_a_phone_needs_no_sideways_scrolling_and_draws_by_finger(opened):
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    draw(page, CHAIR)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate("""[...document.querySelectorAll('button')].filter(b => b.offsetParent && !b.matches('.link'))
        .filter(b => Math.min(b.offsetWidth, b.offsetHeight) < 40).map(b => b.id || b.textContent)""")
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_finds(opened, scheme):
    page = opened(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    find = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))])"
    assert page.evaluate(find) == []
    draw(page, SQUARE)
    settled(page)
    assert page.evaluate(find) == []


def test_undo_redo_and_the_eraser(opened):
    page = opened()
    assert page.is_disabled("#undo")
    draw(page, CHAIR)
    settled(page)
    for _ in CHAIR:
        page.keyboard.press("Control+z")
    assert page.is_disabled("#undo") and page.is_visible("#hint") and page.is_hidden("#controls")
    for _ in CHAIR:
        page.click("#redo")
    settled(page)
    assert page.is_disabled("#redo")
    page.click("#eraser")
    draw(page, [[(100, 130), (900, 170)]])
    page.click("#undo")
    settled(page)
    assert page.is_enabled("#redo"), "the eraser's stroke is one step"


def test_a_drawing_by_keyboard_alone(opened):
    page = opened()
    page.focus("#pad")
    page.keyboard.press(" ")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        for _ in range(6):
            page.keyboard.press(f"Shift+{key}")
    page.keyboard.press(" ")
    settled(page)
    assert page.inner_text("#said").startswith("New object: ")
    page.focus("#ways [aria-checked=true]")
    before = page.get_attribute("#ways [aria-checked=true]", "data-way")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.get_attribute("#ways [aria-checked=true]", "data-way") != before
    assert page.evaluate("document.activeElement.getAttribute('aria-checked')") == "true"


def test_a_second_side_is_joined_and_the_first_can_be_taken_up_again(opened):
    page = opened()
    draw(page, CHAIR)
    settled(page)
    first = page.inner_text("#measures")
    page.click("#other-side")
    assert page.is_visible("#side-note")
    draw(page, [[(1000 - x, y) for x, y in stroke] for stroke in CHAIR])
    page.wait_for_selector("#verdict:has-text('Two sides joined.')", timeout=60_000)
    settled(page)
    assert page.locator("#objects li").count() == 2
    page.locator("#objects button").last.click()
    page.wait_for_function("first => document.getElementById('measures').textContent === first", arg=first)


@pytest.mark.parametrize("name", ["chair.png", "photo-sofa.png"])
def test_a_picture_becomes_an_object(opened, name):
    page = opened()
    page.set_input_files("#file", EXAMPLES / name)
    settled(page)
    assert page.is_visible("#underlay") and page.is_hidden("#error")
    page.check("#trace")
    assert page.is_hidden("#controls"), "a picture that is only traced makes no object"


def test_what_is_no_picture_is_told_in_a_sentence(opened, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    page = opened()
    page.set_input_files("#file", tmp_path / "notes.png")
    page.wait_for_selector("#error:not([hidden])")
    assert page.inner_text("#error") == "This file is not a picture that the browser can read."


def test_german_by_the_browser_and_by_the_switch(opened):
    page = opened(locale="de-DE")
    assert page.inner_text("#drawing-title") == "Zeichnung" and page.get_attribute("html", "lang") == "de"
    page.select_option("#language", "en")
    assert page.inner_text("#drawing-title") == "Drawing" and page.get_attribute("html", "lang") == "en"


def test_a_page_with_one_object_turns_it_without_a_network(chromium, tmp_path):
    from maquette.outputs.turning import write_turning

    cube = trimesh.creation.box((30, 20, 10))
    colours = np.tile(np.array([[200, 30, 30]], np.uint8), (8, 1))
    write_turning(tmp_path / "cube.html", cube, "a <cube>", "watertight", colours)
    context = chromium.new_context(viewport={"width": 800, "height": 700}, offline=True, accept_downloads=True)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((tmp_path / "cube.html").as_uri())
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    assert page.title() == "a <cube>" and page.inner_text("#measures") == "30.0 × 20.0 × 10.0 mm"
    mesh = downloaded(page, "#stl", tmp_path)
    assert mesh.is_watertight and np.allclose(mesh.extents, [30, 20, 10]) and (tmp_path / "cube.stl").is_file()
    before = page.screenshot()
    page.focus("#viewer")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert page.screenshot() != before
    context.close()
    assert said == []
