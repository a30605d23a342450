"""Gets the picture of a page: from a camera, a film, a file, or the folder that a scanner writes into."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.intake.line_art import resize
from maquette.io.paths import usable
from maquette.io.pictures import KEPT_SIDE_PX, MAX_PIXELS, SUFFIXES, read_picture
from maquette.io.quiet import quiet_decoding

if TYPE_CHECKING:
    from jaxtyping import UInt8

FILMS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
"""File name endings that are opened as films."""
WARM_UP, LIVE = 12, 5
"""Frames of a camera: those discarded while it finds its exposure, and those of which the sharpest is then taken."""
LOOKED_AT, MAX_FRAMES = 24, 20_000
"""Frames of a film, evenly spread, of which the sharpest is taken; and the most frames that are decoded."""
POLL_S = 0.2
"""Seconds between two looks at a folder."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        pixels: RGB, upright.
        name: What messages call it.
        notes: How it was chosen, for the user.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    name: str
    notes: tuple[str, ...] = ()


def read_frame(
    source: str | Path, *, at_s: float | None = None, timeout_s: float = 30.0, fresh: bool = False,
    settle_s: float = 1.0, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic,
) -> Frame:
    """One picture of a page.

    Args:
        source: A camera as `camera:0` and so on; a film, known by its suffix; a folder, of which the newest complete
            picture is taken; `-` for standard input; or a picture file.
        at_s: The time in a film, in seconds; None takes the sharpest of some frames.
        timeout_s: How long a folder is watched, in seconds.
        fresh: Takes only pictures that appear or change in the folder from now on.
        settle_s: A file is complete when its size and time have stayed the same for so many seconds.
        sleep: Waits; tests replace it.
        clock: Tells the time in seconds; tests replace it.

    Raises:
        UserError: If a camera or film gives no picture, if no picture in a folder is complete in time, and for
            whatever `read_picture` refuses.
    """
    if not (np.isfinite(timeout_s) and timeout_s >= 0):
        raise UserError("the time to wait must be 0 or more seconds", timeout_s)
    if at_s is not None and not (np.isfinite(at_s) and at_s >= 0):
        raise UserError("the second of a film must be 0 or more", at_s)
    text = str(source)
    if text == "camera" or text.startswith("camera:"):
        number = re.fullmatch(r"camera:?(\d{0,2})", text)
        if number is None:
            raise UserError("a camera is called camera:0, camera:1 and so on", repr(text))
        return _camera(int(number[1] or 0))
    if text == "-":
        return Frame(read_picture("-"), "standard input")
    path = usable(source)
    if path.suffix.lower() in FILMS:
        return _film(path, at_s)
    if path.is_dir():
        return _newest(path, timeout_s, fresh, settle_s, sleep, clock)
    return Frame(read_picture(path), text)


def _camera(number: int) -> Frame:
    """The sharpest of some frames of a camera."""
    with _opened(number) as camera:
        if not camera.isOpened():
            raise UserError(f"camera {number} cannot be opened", hint="is it plugged in, and free of other programs?")
        frames = [frame for good, frame in (camera.read() for _ in range(WARM_UP + LIVE)) if good and frame is not None]
    if not frames:
        raise UserError(f"camera {number} gives no picture", hint="is it free of other programs?")
    return Frame(_rgb(max(frames[-LIVE:], key=_sharpness)), f"camera {number}")


def _film(path: Path, at_s: float | None) -> Frame:
    """The frame of a film at a time in seconds, or the sharpest of some."""
    if not path.is_file():
        raise UserError(f"{path} does not exist", hint="check the name of the file")
    with _opened(str(path)) as film:
        width, height = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if not film.isOpened():
            raise UserError(f"{path} cannot be read as a film", hint="save it as MP4, or give a picture")
        if width * height > MAX_PIXELS:
            raise UserError(f"{path} is larger than {MAX_PIXELS / 1e6:g} megapixels", f"{width:g}x{height:g}")
        rate = film.get(cv2.CAP_PROP_FPS)
        rate = rate if np.isfinite(rate) and 0.1 < rate < 1000 else 25.0
        count = int(min(max(film.get(cv2.CAP_PROP_FRAME_COUNT), 0), MAX_FRAMES))
        wanted = None if at_s is None else round(at_s * rate)
        every = max(1, count // LOOKED_AT) if count else 10
        best, best_at, sharpest, index = None, 0, -1.0, 0
        while index < MAX_FRAMES and film.grab():
            if index == wanted or (wanted is None and index % every == 0):
                good, frame = film.retrieve()
                if good and frame is not None and (sharp := _sharpness(frame)) > sharpest:
                    best, best_at, sharpest = frame, index, sharp
                if index == wanted:
                    break
            index += 1
    if best is None and index and wanted is not None:
        raise UserError(f"{path} is shorter than that", f"{at_s:g} s of {index / rate:.1f} s")
    if best is None:
        raise UserError(f"{path} cannot be read as a film", "no picture in it", "save it as MP4, or give a picture")
    return Frame(_rgb(best), str(path), (f"taken at {best_at / rate:.1f} s of the film",))


def _newest(
    folder: Path, timeout_s: float, fresh: bool, settle_s: float, sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Frame:
    """The newest complete picture of a folder; the arguments are those of `read_frame`."""
    old = dict(_states(folder)) if fresh else {}
    began, seen, state, since, problem = clock(), None, None, clock(), None
    while True:
        files = [(times, path) for path, times in _states(folder) if old.get(path) != times]
        now = clock()
        if files:
            (modified, size), path = max(files, key=lambda file: (file[0][0], str(file[1])))
            if (path, modified, size) != (seen, *(state or (None, None))):
                seen, state, since, problem = path, (modified, size), now, None
            elif size and now - since >= settle_s and problem is None:
                try:
                    return Frame(read_picture(path), str(path), (f"the newest picture in {folder} is {path.name}",))
                except UserError as error:  # a scanner may pause before it is done
                    problem = error
        if now - began >= timeout_s:
            break
        sleep(POLL_S)
    if problem is not None:
        raise problem
    word = "new picture" if fresh else "picture"
    got = None if seen is None else f"{seen.name}, which was still being written"
    raise UserError(f"no whole {word} came into the folder {folder} within {timeout_s:g} s", got,
                    "scan the page, or wait longer")


def _states(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The time of change and the size of each picture in a folder."""
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be read", error.strerror) from None
    for path in inside:
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        try:
            found = path.stat()
        except OSError:  # renamed or removed while we look
            continue
        yield path, (found.st_mtime_ns, found.st_size)


@contextmanager
def _opened(source: int | str) -> Iterator[cv2.VideoCapture]:
    """A camera or film, closed at the end; what OpenCV and its decoders print meanwhile is dropped."""
    with quiet_decoding():
        capture = cv2.VideoCapture(source)
        try:
            yield capture
        finally:
            capture.release()


def _sharpness(frame: UInt8[np.ndarray, "h w 3"]) -> float:
    """The variance of the Laplacian of a BGR frame, which blur lowers first (Pech-Pacheco et al. 2000)."""
    return float(cv2.Laplacian(frame[..., 1], cv2.CV_32F).var())


def _rgb(frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """A BGR frame as RGB, reduced if it is much larger than pictures are kept."""
    frame = np.ascontiguousarray(frame[..., ::-1])
    scale = KEPT_SIDE_PX / max(frame.shape[:2])
    if scale > 0.5:
        return frame
    return resize(frame, round(frame.shape[1] * scale), round(frame.shape[0] * scale))
