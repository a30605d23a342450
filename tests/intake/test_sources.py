"""Cameras that are not there, films, and folders that a scanner is still writing into."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from maquette.errors import UserError
from maquette.intake import sources as source
from maquette.intake.sources import read_frame


@pytest.fixture
def film(tmp_path):
    """Thirty frames at 10 a second: a grey of 8 a frame, the one at 1.6 s with a sharp pattern."""
    path = tmp_path / "page.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (160, 120))
    for index in range(30):
        frame = np.full((120, 160, 3), 8 * index, np.uint8)
        if index == 16:
            frame[::8] = 255
        writer.write(frame)
    writer.release()
    return path


def test_a_film_gives_its_sharpest_frame_or_the_one_asked_for(film):
    found = read_frame(film)
    assert found.pixels.shape == (120, 160, 3) and found.notes == ("taken at 1.6 s of the film",)
    assert found.pixels[::8].mean() > 200
    at = read_frame(str(film), at_s=0.5)
    assert at.notes == ("taken at 0.5 s of the film",) and at.pixels.mean() == pytest.approx(40, abs=3)
    with pytest.raises(UserError, match=r"page.avi is shorter than that, got 9 s of 3.0 s"):
        read_frame(film, at_s=9)


def test_a_film_in_colour_is_red_where_it_was_red(tmp_path):
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 64))
    writer.write(np.full((64, 64, 3), (0, 0, 220), np.uint8))
    writer.release()
    assert np.abs(read_frame(path).pixels.reshape(-1, 3).mean(0) - (220, 0, 0)).max() < 12


@pytest.mark.parametrize("name, options, message", [
    ("camera:77", {}, "camera 77 cannot be opened; is it plugged in"),
    ("camera:left", {}, "a camera is called camera:0, camera:1 and so on, got 'camera:left'"),
    ("gone.mp4", {}, "gone.mp4 does not exist"),
    ("gone.png", {}, "gone.png does not exist"),
    ("camera:0", {"timeout_s": -1}, "the time to wait must be 0 or more seconds, got -1"),
    ("a.mp4", {"at_s": float("nan")}, "the second of a film must be 0 or more, got nan"),
])
def test_what_gives_no_picture_is_one_clear_line(name, options, message, capfd):
    with pytest.raises(UserError, match=message):
        read_frame(name, **options)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_film(tmp_path, capfd):
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    with pytest.raises(UserError, match="bad.mp4 cannot be read as a film; save it as MP4"):
        read_frame(path)
    assert capfd.readouterr() == ("", "")


def test_films_that_are_too_large_or_hold_nothing_and_folders_that_cannot_be_read(film, tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(source, "MAX_PIXELS", 10_000)
        with pytest.raises(UserError, match="page.avi is larger than 0.01 megapixels, got 160x120"):
            read_frame(film)
        patch.setattr(source, "MAX_PIXELS", 1_000_000)
        patch.setattr(source, "MAX_FRAMES", 0)
        with pytest.raises(UserError, match="page.avi cannot be read as a film, got no picture in it; save it as MP4"):
            read_frame(film)
        patch.setattr(type(tmp_path), "iterdir", refuse)
        with pytest.raises(UserError, match="the folder .* cannot be read, got Permission denied"):
            read_frame(tmp_path)


def test_a_camera_warms_up_and_gives_its_sharpest_frame(monkeypatch):
    class Camera:
        def __init__(self, _number):
            self.count = 0

        def isOpened(self):  # noqa: N802
            return True

        def read(self):
            self.count += 1
            frame = np.full((20, 30, 3), self.count, np.uint8)
            if self.count in (3, source.WARM_UP + 2):
                frame[::2] = (0, 0, 99)
            return True, frame

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    found = read_frame("camera:1")
    assert found.name == "camera 1" and (found.pixels[1] == source.WARM_UP + 2).all()
    assert (found.pixels[0] == (99, 0, 0)).all()
    monkeypatch.setattr(Camera, "read", lambda self: (False, None))
    with pytest.raises(UserError, match="camera 0 gives no picture"):
        read_frame("camera")


def png(value):
    out = io.BytesIO()
    Image.new("L", (40, 30), value).save(out, "PNG")
    return out.getvalue()


class Time:
    """A clock whose sleep runs what happens meanwhile."""

    def __init__(self, **at):
        self.now, self.todo = 0.0, sorted((float(key[1:].replace("_", ".")), do) for key, do in at.items())

    def sleep(self, seconds):
        self.now += seconds
        while self.todo and self.todo[0][0] <= self.now:
            self.todo.pop(0)[1]()

    @property
    def options(self):
        return {"sleep": self.sleep, "clock": lambda: self.now}


def test_the_newest_file_of_a_folder_once_it_is_whole(tmp_path):
    (tmp_path / "old.png").write_bytes(png(10))
    whole = png(200)
    path = tmp_path / "scan.png"
    time = Time(t0_5=lambda: path.write_bytes(whole[:40]), t1=lambda: path.write_bytes(whole[:60]),
                t1_5=lambda: path.write_bytes(whole), t1_6=lambda: (tmp_path / "notes.txt").write_text("newer"))
    found = read_frame(tmp_path, **time.options)
    assert found.pixels[0, 0, 0] == 200 and found.notes == (f"the newest picture in {tmp_path} is scan.png",)
    assert 2.4 < time.now < 3.2


def test_only_what_is_new(tmp_path):
    (tmp_path / "old.png").write_bytes(png(10))
    assert read_frame(tmp_path, **Time().options).pixels[0, 0, 0] == 10
    time = Time(t2=lambda: (tmp_path / "new.png").write_bytes(png(90)))
    assert read_frame(tmp_path, fresh=True, **time.options).pixels[0, 0, 0] == 90
    with pytest.raises(UserError, match=r"no whole new picture came into the folder .* within 3 s; scan the page"):
        read_frame(tmp_path, fresh=True, timeout_s=3, **Time().options)


def test_a_scanner_that_stops_half_way(tmp_path):
    time = Time(t1=lambda: (tmp_path / "a.png").write_bytes(png(5)[:40]))
    with pytest.raises(UserError, match="a.png is damaged or cut short"):
        read_frame(tmp_path, timeout_s=5, **time.options)
    time = Time(**{f"t{k}": lambda k=k: (tmp_path / "b.png").write_bytes(bytes(k + 1)) for k in range(1, 9)})
    with pytest.raises(UserError, match="within 5 s, got b.png, which was still being written; scan the page"):
        read_frame(tmp_path, timeout_s=5, **time.options)
