"""The studio's server: whom it answers, what it takes, and that nothing of strangers reaches a file."""

import http.client
import json
import signal
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from grbl_machine import Grbl
from pages import corners_of, paper, photographed
from studio_server import LocalStudio, packed, told_of

from maquette.studio.server import fields as asked
from maquette.studio.server.guard import MOST_BYTES

EXAMPLES = Path(__file__).parents[2] / "src" / "maquette" / "examples"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One server for all tests that do not end it."""
    running = LocalStudio(tmp_path_factory.mktemp("studio"))
    yield running
    assert running.stop() == 0


def square(side: int, of: int = 300) -> bytes:
    """A PNG of a filled square of so many pixels."""
    picture = np.full((of, of), 255, np.uint8)
    low = (of - side) // 2
    picture[low : low + side, low : low + side] = 0
    return bytes(cv2.imencode(".png", picture)[1])


@pytest.mark.parametrize("change, status", [
    ({"x-maquette-token": None}, 401), ({"x-maquette-token": "x" * 32}, 401), ({"x-maquette-token": ""}, 401),
    ({"origin": None}, 403), ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403),
    ({"origin": "http://localhost"}, 403), ({"sec-fetch-site": None}, 403), ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403), ({"host": "evil.example"}, 421), ({"host": "127.0.0.1"}, 421),
    ({"host": "127.0.0.1.evil.example:80"}, 421), ({"host": ""}, 421),
])
def test_nobody_but_the_page_is_answered(studio, change, status):
    headers = {name: value for name, value in {**studio.own, **change}.items() if value is not None}
    got, answered, data = studio.ask("POST", "/api/object", packed(square(200)), headers)
    assert got == status and set(json.loads(data)) == {"error"}
    assert not [name for name in answered if name.lower().startswith("access-control")]


def test_reading_needs_the_token_too_and_the_page_itself_does_not(studio):
    assert studio.ask("GET", "/api/about", headers={})[0] == 401
    assert studio.ask("GET", "/api/about", headers={**studio.own, "sec-fetch-site": "cross-site"})[0] == 403
    status, headers, data = studio.ask("GET", "/", headers={"host": f"localhost:{studio.port}"})
    assert status == 200 and b"<title>Maquette" in data and studio.token.encode() not in data
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH"):
        assert studio.ask(method, "/api/object")[0] in (404, 405)


@pytest.mark.parametrize("path", [
    "/../pyproject.toml", "/js/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
    "/js/%2e%2e/server", "/js/main.js/..", "/package.json", "/js/main.js%00.png", "/C:%5Cwindows%5Cwin.ini", "/js",
    "/files.json/",
])
def test_only_the_files_of_the_page_are_served(studio, path):
    status, _, data = studio.ask("GET", path, headers={})
    assert status in (400, 404) and b"root:" not in data


PLACES = ("../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "~", "C:\\", "..%2f..", "a\0b", "x" * 5000)
BY_ADDRESS = {"object": asked.ObjectFields, "scan": asked.ScanFields, "relief": asked.ReliefFields,
              "drawing": asked.DrawingFields, "page": asked.NoFields, "picture": asked.NoFields}


@pytest.mark.parametrize("address, field", [(address, field) for address, kind in BY_ADDRESS.items()
                                            for field in [*kind.model_fields, "unknown"]])
def test_no_field_takes_a_path(studio, address, field):
    from urllib.parse import quote

    needed = "kind=npy&" if address == "scan" and field != "kind" else ""
    for place in PLACES:
        status, line = studio.error("POST", f"/api/{address}?{needed}{field}={quote(place)}", packed(square(150)))
        assert status == 400 and "root:" not in line and len(line) < 700


def test_numbers_beyond_their_range_and_fields_twice_are_refused(studio):
    for query in ("size_mm=nan", "size_mm=inf", "size_mm=0", "size_mm=1e9", "size_mm=1&size_mm=2", "threshold=1",
                  "by=magic", "base_mm=-1", "min_wall_mm=0"):
        status, line = studio.error("POST", f"/api/object?{query}", packed(square(150)))
        assert status == 400 and line.startswith(("size_mm", "threshold", "by", "base_mm", "min_wall", "a field is"))


@pytest.mark.parametrize("body, says", [
    (b"", "there is no picture"), (b"\1", "cut off"), (b"\xff\xff\xff\xff", "cut off"), (b"\0\0\0\0", "cut off"),
    (packed(*[b"x"] * 9), "at most 8 pictures"), (packed(b"GIF89a nothing"), "picture"),
    (packed(b"x" * 100), "picture"),
])
def test_bodies_that_are_no_pictures(studio, body, says):
    status, line = studio.error("POST", "/api/object", body)
    assert status == 400 and says in line


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_a_picture_of_60000_pixels_a_side_is_refused_before_it_is_decoded(studio):
    header = chunk(b"IHDR", (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0]))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    start = time.monotonic()
    for address in ("object", "page", "picture", "relief"):
        status, line = studio.error("POST", f"/api/{address}", packed(bomb))
        assert status == 400 and "60000" in line.replace(",", "").replace(" ", "")
    assert time.monotonic() - start < 10


def beginning(studio, last: str) -> bytes:
    """The first lines of a request of the page, by hand."""
    own = [f"{name}: {value}" for name, value in studio.own.items()]
    lines = [f"POST /api/object HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}", *own, last, "", ""]
    return "\r\n".join(lines).encode()


def test_a_body_of_ten_gigabytes_is_refused_at_once(studio):
    connection = socket.create_connection(("127.0.0.1", studio.port), 20)
    connection.sendall(beginning(studio, "Content-Length: 10737418240"))
    assert connection.recv(1000).startswith(b"HTTP/1.1 413")
    connection.close()


def test_a_body_without_end_is_cut_off(studio):
    connection = socket.create_connection(("127.0.0.1", studio.port), 20)
    connection.sendall(beginning(studio, "Transfer-Encoding: chunked"))
    part, sent = b"100000\r\n" + bytes(2**20) + b"\r\n", 0
    try:
        while sent < 4 * MOST_BYTES:
            connection.sendall(part)
            sent += 2**20
    except OSError:
        pass  # it hung up
    connection.close()
    assert sent < 2 * MOST_BYTES
    assert studio.ask("GET", "/api/about")[0] == 200


def test_a_drawing_becomes_the_object_that_the_command_makes(studio, tmp_path):
    from maquette import api

    picture = (EXAMPLES / "chair.png").read_bytes()
    status, headers, data = studio.ask("POST", "/api/object?size_mm=80", packed(picture))
    told, made = told_of(data), api.reconstruct(EXAMPLES / "chair.png", size_mm=80)
    assert status == 200 and headers["cache-control"] == "no-store"
    assert told["way"] == made.way and told["sure"] == (made.judgement.verdict == "sure")
    assert told["volume_mm3"] == pytest.approx(made.report.volume_mm3) and max(told["extents_mm"]) == pytest.approx(80)
    assert told["faces"] == len(made.mesh.faces) and told["report"] == made.report.line()


def test_eight_users_at_once_get_each_their_own(studio):
    sides = [60 + 20 * number for number in range(8)]

    def of(side: int) -> list[float]:
        path = f"/api/relief?size_mm={side}&thickness_mm=2"
        answers = [studio.ask("POST", path, packed(square(200))) for _ in range(2)]
        assert [status for status, _, _ in answers] == [200, 200]
        return [told_of(data)["volume_mm3"] for _, _, data in answers]

    with ThreadPoolExecutor(8) as users:
        for side, volumes in zip(sides, users.map(of, sides), strict=True):
            assert volumes == pytest.approx([2 * side * side] * 2, rel=1e-3)


def test_a_tab_that_is_closed_holds_nobody_up(studio):
    for _ in range(4):
        connection = http.client.HTTPConnection("127.0.0.1", studio.port)
        connection.request("POST", "/api/object", packed((EXAMPLES / "sofa.png").read_bytes()), studio.own)
        connection.close()
    assert studio.ask("POST", "/api/relief?size_mm=60", packed(square(200)))[0] == 200


def test_a_photograph_of_paper_comes_off_it(studio):
    dark = np.zeros((1485, 1050))  # 5 pixels a millimetre
    cv2.circle(dark, (525, 740), 300, 1.0, 6, cv2.LINE_AA)
    photo = photographed(paper(dark), corners_of(210, 297, tilt_deg=20, turn_deg=12), shadow=0.3)
    for pixels in (photo, cv2.rotate(photo, cv2.ROTATE_180)):
        status, headers, data = studio.ask("POST", "/api/page", packed(bytes(cv2.imencode(".png", pixels)[1])))
        assert status == 200 and headers["content-type"] == "image/png"
        found = cv2.imdecode(np.frombuffer(data, np.uint8), 0)
        assert np.median(found) > 240, "the paper is white"
        assert found.shape[0] == pytest.approx(found.shape[1], rel=0.03), "a circle is as high as wide"


def test_a_scan_is_completed_and_its_temporary_file_is_not_named(studio):
    camera = json.loads((EXAMPLES / "scans" / "camera.json").read_text())
    query = "&".join(f"{name}={camera[name]}" for name in ("fx", "fy", "cx", "cy"))
    data = (EXAMPLES / "scans" / "chair.png").read_bytes()
    status, _, made = studio.ask("POST", f"/api/scan?kind=png&size_mm=90&{query}", data)
    assert status == 200 and max(told_of(made)["extents_mm"]) == pytest.approx(90)
    status, line = studio.error("POST", "/api/scan?kind=ply", b"ply\nnothing")
    assert status == 400 and "the scan" in line and "/tmp" not in line and "maquette-studio" not in line
    assert "fx, fy, cx and cy go together" in studio.error("POST", "/api/scan?kind=png&fx=3", data)[1]


def test_a_drawing_by_pen_as_numbers_and_as_files(studio):
    _, _, made = studio.ask("POST", "/api/relief?size_mm=60&thickness_mm=30", packed(square(200)))
    status, _, data = studio.ask("POST", "/api/drawing?page=a5&azimuth_deg=0&elevation_deg=0&margin_mm=20", made)
    told = json.loads(data)
    assert status == 200 and told["page_mm"] == [148, 210]
    places = np.concatenate([np.array(line) for line in told["strokes"]])
    assert places.min() >= 20 - 0.01 and places[:, 0].max() == pytest.approx(128, abs=0.1)
    gcode = studio.ask("GET", f"/api/drawing/{told['drawing']}?kind=gcode")[2].decode("ascii")
    assert gcode.count("G1") >= 4 and "G21" in gcode
    assert studio.error("GET", "/api/drawing/99999")[1] == "this drawing is no longer there; draw it again"
    for body in (b"", b"\4\0\0\0{}  ", made[:-4], made + b"x"):
        assert studio.error("POST", "/api/drawing", body) == (400, "the page sent no mesh")


def test_plotters_are_those_of_the_list(studio):
    assert json.loads(studio.ask("GET", "/api/about")[2])["plotters"] == []
    assert studio.error("POST", "/api/plotters/0?drawing=1")[0] == 400
    assert studio.ask("POST", "/api/plotters/../dev/ttyUSB0?drawing=1")[0] in (404, 405)


def test_a_plotter_draws_after_a_click_and_lifts_its_pen_when_the_server_ends(tmp_path):
    board = Grbl(line_s=0.02)
    running = LocalStudio(tmp_path, "--plotters", board.port)
    try:
        _, _, made = running.ask("POST", "/api/relief?size_mm=60", packed(square(200)))
        told = json.loads(running.ask("POST", "/api/drawing?hatch=4", made)[2])
        assert not board.lines, "nothing moves before the click"
        status, _, data = running.ask("POST", f"/api/plotters/0?drawing={told['drawing']}")
        assert status == 200 and json.loads(data)["state"] == "drawing"
        until = time.monotonic() + 30
        while not board.path and time.monotonic() < until:
            time.sleep(0.02)
        again, line = running.error("POST", f"/api/plotters/0?drawing={told['drawing']}")
        assert again == 400 and "drawing already" in line
        assert running.ask("POST", "/api/plotters/0/press?key=pause")[0] == 200
        assert running.ask("POST", "/api/plotters/0/press?key=resume")[0] == 200
        assert running.stop(signal.SIGTERM) == 0
        assert board.path and board.z > 0, "the pen is up"
    finally:
        running.stop()
        board.stop()


def test_sigterm_while_busy_ends_it_soon(tmp_path):
    running = LocalStudio(tmp_path)
    picture = packed((EXAMPLES / "chair.png").read_bytes())

    def ask() -> None:
        try:
            running.ask("POST", "/api/object", picture)
        except OSError:
            pass

    users = [threading.Thread(target=ask, daemon=True) for _ in range(6)]
    for user in users:
        user.start()
    time.sleep(0.5)
    start = time.monotonic()
    assert running.stop(signal.SIGTERM) == 0 and time.monotonic() - start < 20
    assert running.said == ""


def test_a_port_that_is_taken_is_one_line(tmp_path, studio, capsys):
    from command import call, lines

    assert call("studio", "--port", studio.port, "--no-browser") == 1
    (line,) = lines(capsys)
    assert line.startswith(f"maquette: port {studio.port} cannot be used: ")
    assert line.endswith("choose another with --port")


def test_runs_are_known_by_number(tmp_path):
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    rows = [{"event": "stepped", "step": step, "time": 1.0, "autoencoder/loss": 1 / step} for step in (1, 2, 4)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "runs" / "secret.txt").write_text("secret")
    running = LocalStudio(tmp_path)
    try:
        (told,) = json.loads(running.ask("GET", "/api/runs")[2])
        assert (told["number"], told["name"], told["step"]) == (0, "mine", 4)
        curves = json.loads(running.ask("GET", "/api/runs/0")[2])["curves"]
        assert curves["autoencoder/loss"] == {"steps": [1, 2, 4], "values": [1, 0.5, 0.25]}
        assert running.ask("GET", "/api/runs/0/samples")[0] == 204
        assert running.error("GET", "/api/runs/1")[0] == 400
        for path in ("/api/runs/mine", "/api/runs/..%2f..", "/api/runs/-1"):
            assert running.ask("GET", path)[0] in (400, 404)
        assert running.stop(signal.SIGINT) == 0
    finally:
        running.stop()
