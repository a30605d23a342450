"""`maquette loop` as a user drives it: folders, tables, the sheet, going on, stopping, errors."""

import csv
import io
import json
import os
import re
import shutil
import sys
from functools import partial

import machine
import numpy as np
import pytest
import trimesh
from command import call, names
from loops import sketch, stool
from PIL import Image
from tiny import tiny

from maquette import api, latents
from maquette.api import objects
from maquette.drawing_loop import rounds as rounds_on_disk
from maquette.drawing_loop.loop import LoopSettings, Waiting
from maquette.drawing_loop.simulation import Conditions, SimulatedPage
from maquette.errors import UserError
from maquette.events import Failed
from maquette.models import hub
from maquette.outputs import loop as outputs_loop
from maquette.plotting.svg import read_svg

FILES = ["drawing.gcode", "drawing.png", "drawing.svg", "mesh.stl", "object.png", "picture.jpg", "round.json",
         "seen.png", "shape.npz"]
SETTINGS = partial(LoopSettings, size_mm=50.0, memory=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tiny models as folders, one that reads pictures and one that does not, and a picture."""
    root = tmp_path_factory.mktemp("models")
    for name in ("vae-iwgan-image", "iwgan"):
        model = tiny(name)
        hub.save(root / name, model.system, model.info, "# A card\n", model.latents)
    Image.fromarray(sketch()).save(root / "box.png")
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small photographs and pictures; a stool whose seat is as wide as the picture's ink says."""

    def occupancy(model, seen):
        wide = 4 + int(1000 * float(1 - seen.mean())) % 5
        return stool(wide).occupancy[None]

    monkeypatch.setattr(objects, "occupancy", occupancy)
    monkeypatch.setattr(outputs_loop, "SimulatedPage",
                        partial(SimulatedPage, conditions=Conditions(side_px=640, tilt_deg=4)))
    monkeypatch.setattr(rounds_on_disk, "OBJECT_PX", 32)
    monkeypatch.setattr(outputs_loop, "CELL_PX", 48)
    monkeypatch.setattr(outputs_loop, "FRAME_PX", 48)


def loop(folder, out, rounds, **options):
    """The events of a simulated loop that are results."""
    options = {"simulate": True, "seed": 3, **options}
    model = api.load(str(folder / "vae-iwgan-image"))
    events = outputs_loop.loop_files(str(folder / "box.png"), out, model, SETTINGS(rounds), **options)
    return [event for event in events if not isinstance(event, outputs_loop.Progress)]


def measured(out):
    """The measures of all rounds, but for their times."""
    found = json.loads((out / "loop.json").read_text())["rounds"]
    return [{name: value for name, value in one.items() if name != "seconds"} for one in found]


def test_a_simulated_loop_keeps_every_round_whole(folder, tmp_path, capsys):
    out, model = tmp_path / "out", str(folder / "vae-iwgan-image")
    code = call("loop", str(folder / "box.png"), "--simulate", "--rounds", "2", "--model", model, "--out", str(out),
                "--seed", "3", "--turn-deg", "45", "--size-mm", "50", "--json")
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert code == 0 and names(out) == ["loop.csv", "loop.gif", "loop.json", "round-01", "round-02", "sheet.png"]
    assert names(out / "round-01") == names(out / "round-02") == FILES
    assert [one.get("azimuth_deg") for one in document[:2]] == [35, 80]
    assert document[0]["iou_first"] == 1.0 and document[0]["iou_previous"] is None
    assert document[3]["rounds"] == document[4]["frames"] == 2
    assert trimesh.load(out / "round-02" / "mesh.stl").extents.max() == pytest.approx(50, abs=1e-3)
    strokes = read_svg(out / "round-02" / "drawing.svg")
    assert (strokes.width, strokes.height) == pytest.approx((148, 210), abs=1e-3)
    assert len(strokes) == document[1]["strokes"] and min(strokes.bounds) > 11.9
    table = json.loads((out / "loop.json").read_text())
    assert table["settings"]["turn_deg"] == 45 and table["settings"]["page"] == "148x210mm"
    told = ("output", "unit", "up")
    assert table["rounds"] == [{key: value for key, value in one.items() if key not in told} for one in document[:2]]
    assert max(document[0]["extents_mm"]) == pytest.approx(50, abs=1e-3)
    assert (document[0]["unit"], document[0]["up"]) == ("mm", "z")
    rows = list(csv.DictReader(io.StringIO((out / "loop.csv").read_text())))
    assert [row["iou_previous"] for row in rows] == ["", str(document[1]["iou_previous"])]
    with Image.open(out / "loop.gif") as gif:
        assert gif.n_frames == 2 and gif.info["duration"] == 600 and gif.size == (3 * 48, 48 + 4)
    with Image.open(out / "round-02" / "picture.jpg") as picture:
        assert picture.size == (480, 640), "a photograph of the page"


@pytest.mark.parametrize("size_mm, says", [(50.0, ""), (800.0, "800 mm long: beyond most printers"),
                                           (3.0, "3 mm long: too small to print")])
def test_a_round_says_how_large_its_mesh_is_and_which_way_is_up(folder, tmp_path, size_mm, says):
    settings = LoopSettings(1, size_mm=size_mm)
    events = outputs_loop.loop_files(str(folder / "box.png"), tmp_path / "out", api.load(folder / "vae-iwgan-image"),
                                     settings, simulate=True)
    (line,) = [event.line for event in events if getattr(event, "source", "") == "round 1"]
    sides = re.search(r"mesh.stl is (\S+) x (\S+) x (\S+) mm, z up", line)
    assert sides and max(map(float, sides.groups())) == size_mm and says in line


def test_a_loop_of_an_earlier_release_without_sizes_goes_on(folder, tmp_path):
    loop(folder, tmp_path / "out", 1)
    measures = tmp_path / "out" / "round-01" / "round.json"
    old = json.loads(measures.read_text())
    del old["extents_mm"]
    measures.write_text(json.dumps(old))
    loop(folder, tmp_path / "out", 2, resume=True)
    assert [len(one.get("extents_mm", ())) for one in measured(tmp_path / "out")] == [0, 3]


def test_a_loop_that_goes_on_is_the_one_that_never_stopped(folder, tmp_path):
    loop(folder, tmp_path / "whole", 3)
    loop(folder, tmp_path / "parts", 1)
    half = tmp_path / "parts" / ".round-02.partial"
    half.mkdir()
    (half / "picture.jpg").write_bytes(b"half")
    first = loop(folder, tmp_path / "parts", 2, resume=True)
    assert [event.source for event in first] == ["round 2", "tables", "sheet", "animation"] and not half.exists()
    loop(folder, tmp_path / "parts", 3, resume=True)
    assert measured(tmp_path / "parts") == measured(tmp_path / "whole") and len(measured(tmp_path / "whole")) == 3
    for name in set(FILES) - {"round.json", "shape.npz"}:
        for number in (2, 3):
            one, two = (tmp_path / part / f"round-{number:02d}" / name for part in ("whole", "parts"))
            assert one.read_bytes() == two.read_bytes(), f"round {number}: {name}"
    again = loop(folder, tmp_path / "parts", 3, resume=True)
    assert [event.source for event in again] == ["tables", "sheet", "animation"], "nothing is left to do"


def test_a_stop_leaves_no_half_round(folder, tmp_path, monkeypatch):
    keep = rounds_on_disk.Rounds.commit

    def stopped(self, number):
        if number == 2:
            raise KeyboardInterrupt
        return keep(self, number)

    monkeypatch.setattr(rounds_on_disk.Rounds, "commit", stopped)
    with pytest.raises(KeyboardInterrupt):
        loop(folder, tmp_path / "out", 3)
    assert names(tmp_path / "out") == ["loop.csv", "loop.json", "round-01"] and len(measured(tmp_path / "out")) == 1
    monkeypatch.setattr(rounds_on_disk.Rounds, "commit", keep)
    loop(folder, tmp_path / "out", 2, resume=True)
    assert [one["round"] for one in measured(tmp_path / "out")] == [1, 2]


def test_a_round_that_fails_keeps_what_there_is_in_one_line(folder, tmp_path, monkeypatch, capsys):
    answers = iter([stool().occupancy[None], np.zeros((1, 16, 16, 16), np.float32)])
    monkeypatch.setattr(objects, "occupancy", lambda model, seen: next(answers))
    code = call("loop", str(folder / "box.png"), "--simulate", "--model", str(folder / "vae-iwgan-image"), "--out",
                str(tmp_path / "out"))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
    assert code == 1 and len(lines) == 1 and "round 2: " in lines[0] and lines[0].endswith("the loop ends here")
    assert names(tmp_path / "out") == ["loop.csv", "loop.json", "round-01", "sheet.png"]


def test_without_a_camera_a_line_says_how_to_go_on(folder, tmp_path, capsys):
    out = tmp_path / "out"
    command = ("loop", str(folder / "box.png"), "--model", str(folder / "vae-iwgan-image"), "--out", str(out),
               "--rounds", "3")
    assert call(*command) == 0
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("plot ")]
    assert len(lines) == 1 and str(out / "round-01" / "drawing.svg") in lines[0]
    assert lines[0].endswith("then the same command with --resume --camera PICTURE goes on")
    assert names(out / "round-01") == FILES
    shutil.copy(out / "round-01" / "drawing.png", tmp_path / "scan.png")
    assert call(*command, "--resume", "--camera", str(tmp_path / "scan.png")) == 0
    assert "round-02" in names(out) and "round-03" not in names(out)
    assert str(out / "round-02" / "drawing.svg") in capsys.readouterr().err


def test_a_plotter_waits_for_paper_and_a_camera_that_gives_nothing_ends_it(folder, tmp_path, monkeypatch, capsys):
    drawn = []

    class Pen(outputs_loop.FilePlotter):
        def __init__(self, *options):
            drawn.append(options)

        def wants(self, number):
            return Waiting(number, f"paper for {number}", True)

    monkeypatch.setattr(outputs_loop, "GrblPlotter", Pen)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    command = ("loop", str(folder / "box.png"), "--model", str(folder / "vae-iwgan-image"), "--rounds", "2", "--port",
               "/dev/ttyUSB7")
    assert call(*command, "--out", str(tmp_path / "out"), "--lift", "servo", "--pen-up", "40") == 0
    said = capsys.readouterr().err
    assert "paper for 1, then press Enter" in said and "photograph the drawing; then the same command" in said
    port, machine, ask, control = drawn[0]
    assert (port, machine.lift, machine.pen_up, ask, control) == ("/dev/ttyUSB7", "servo", 40, True, None)
    assert call(*command, "--out", str(tmp_path / "two")) == 1, "standard input has ended"
    assert "nobody answered in round 1; --no-ask goes on unasked" in capsys.readouterr().err
    assert not (tmp_path / "two" / "round-01").exists() and not list((tmp_path / "two").glob(".*"))


def test_the_page_is_asked_for_under_the_camera_but_not_after_the_plotter(folder, tmp_path, monkeypatch, capsys):
    eyes = []

    class Eye:
        def __init__(self, source, timeout_s, ask):
            eyes.append((source, timeout_s, ask))

        def wants(self, number):
            return Waiting(number, "lay it there", True)

        def look(self, number):
            return None

    monkeypatch.setattr(outputs_loop, "SourceCamera", Eye)
    monkeypatch.setattr(outputs_loop, "GrblPlotter", lambda *options: outputs_loop.FilePlotter())
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n\n"))
    command = ("loop", str(folder / "box.png"), "--model", str(folder / "vae-iwgan-image"), "--rounds", "2",
               "--camera", "camera:0", "--wait-s", "5", "--out", str(tmp_path / "out"))
    assert call(*command) == 0
    svg = tmp_path / "out" / "round-01" / "drawing.svg"
    assert f"plot {svg}; lay it there, then press Enter" in capsys.readouterr().err
    for options in (["--port", "COM3", "--resume"], ["--resume", "--no-ask"]):
        assert call(*command, *options) == 0
    assert call(*command[:-1], str(tmp_path / "two"), "--port", "COM3") == 1, "standard input has ended"
    assert eyes == [("camera:0", 5, True), ("camera:0", 5, "first"), ("camera:0", 5, False), ("camera:0", 5, False)]


def test_projecting_brings_each_object_to_what_the_model_makes(folder, tmp_path, monkeypatch):
    model = api.load(str(folder / "vae-iwgan-image"))
    fits = []

    def project(model, shape, fit):
        fits.append(fit)
        yield outputs_loop.Progress("projecting", 0, 1)
        yield type("Projected", (), {"shape": stool(5)})

    monkeypatch.setattr(latents, "project", project)
    events = outputs_loop.loop_files(str(folder / "box.png"), tmp_path, model, SETTINGS(2), simulate=True, seed=9,
                                     project=True)
    list(events)
    assert [fit.seed for fit in fits] == [9, 9]
    assert [one["voxels"] for one in measured(tmp_path)] == [5 * 8 * 4 + 24] * 2 and measured(tmp_path)[1][
        "iou_first"] == 1.0


def test_bad_calls_are_one_clear_line_each(folder, tmp_path, capsys):
    picture, model, out = str(folder / "box.png"), str(folder / "vae-iwgan-image"), tmp_path / "out"

    def says(*options):
        code = call("loop", *options, "--out", str(out))
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
        assert len(lines) == 1
        return code, lines[0]

    simulated = (picture, "--simulate", "--model", model, "--rounds", "1")
    assert says() == (2, "maquette loop: name the picture to start from, as in: maquette loop chair.jpg --simulate")
    assert says(*simulated, "--camera", "camera:0")[1].endswith("needs no hardware, got --simulate and --camera")
    assert says(*simulated, "--port", "COM3")[1].endswith("needs no hardware, got --simulate and --port")
    assert "does not read pictures" in says(picture, "--simulate", "--model", str(folder / "iwgan"))[1]
    assert "holds no loop to go on with; leave out --resume" in says(*simulated, "--resume")[1]
    assert "gone.png" in says("gone.png", *simulated[1:])[1]
    assert "unknown page" in says(*simulated, "--page", "b5")[1]
    assert not out.exists()
    assert call("loop", *simulated, "--out", str(out)) == 0
    capsys.readouterr()
    assert f"{out} holds 1 round of a loop already; go on with --resume" in says(*simulated)[1]
    code, line = says(*simulated, "--resume", "--turn-deg", "60")
    assert code == 1 and f"the loop in {out} has --turn-deg 30.0, got 60.0; go on as it began" in line


def test_damaged_loops_are_named(folder, tmp_path):
    loop(folder, tmp_path / "out", 2)
    for name, data, says in [("round-02/shape.npz", b"no", "shape.npz"), ("round-02/drawing.svg", b"no", "drawing.svg"),
                             ("round-02/round.json", b"{", "round.json is damaged: it is no JSON"),
                             ("round-01/round.json", b"[1]", "round.json is damaged: it holds no table"),
                             ("round-01/round.json", b"[" * 100_000, "round.json is damaged: it is no JSON"),
                             ("round-01/round.json", b'{"round": 1, "azimuth_deg": 35, "iou_first": 1, "notes": null}',
                              "round.json is damaged: it does not hold the measures of round 1"),
                             ("round-01/round.json", b"{}", "it does not hold the measures of round 1"),
                             ("loop.json", b"{}", "loop.json is not the table of a loop")]:
        path = tmp_path / "out" / name
        before = path.read_bytes()
        path.write_bytes(data)
        with pytest.raises(UserError, match=says):
            loop(folder, tmp_path / "out", 3, resume=True)
        path.write_bytes(before)
    (tmp_path / "out" / "round-03").write_text("a file in the way")
    with pytest.raises(UserError, match="cannot write .*round-03"):
        loop(folder, tmp_path / "out", 3, resume=True)
    assert "round-02" in names(tmp_path / "out") and len(measured(tmp_path / "out")) == 2
    (tmp_path / "out" / "round-02" / "round.json").unlink()
    with pytest.raises(UserError, match="round.json"):
        loop(folder, tmp_path / "out", 3, resume=True)


def test_the_verb_simulates_where_nothing_is_said(folder):
    events = list(api.loop(sketch(), str(folder / "vae-iwgan-image"), LoopSettings(rounds=2)))
    assert [type(event).__name__ for event in events] == ["Round", "Drawn"] * 2
    assert events[2].picture.shape == (1280, 960, 3)


def test_a_disk_that_is_full_at_any_write_of_a_loop_is_one_line_and_it_goes_on(folder, tmp_path):
    loop(folder, tmp_path / "never", 2)
    number, stride = -5, int(os.environ.get("MAQUETTE_DISK_STRIDE", "6"))
    while True:
        number += stride
        out, line = tmp_path / f"out-{number}", ""
        with machine.full_at(max(number, 1), out) as opened:
            try:
                events = loop(folder, out, 2)
                line = next((event.reason for event in events if isinstance(event, Failed)), "")
            except UserError as error:
                line = str(error)
        if len(opened) < number:
            break
        assert "No space left on device" in line and "\n" not in line, (opened[-1], line)
        whole = [path for path in sorted(out.glob("round-*"))]
        assert all(names(path) == FILES for path in whole), "a round is whole or not there"
        loop(folder, out, 2, resume=bool(whole) or number % 2 == 0 and (out / "loop.json").exists())
        assert measured(out) == measured(tmp_path / "never")
        assert len((out / "loop.csv").read_text().splitlines()) == 3
        assert not [path for path in out.iterdir() if "partial" in path.name], "nothing half is left"
    assert number > 20, opened
