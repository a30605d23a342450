"""Keeps what foreign libraries print off the terminal: their warnings, their log, and what compiled ones write."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

for _name in ("PIL", "pydicom", "trimesh", "vpype"):  # their logs go where a program sends them, and to no terminal
    logging.getLogger(_name).addHandler(logging.NullHandler())


@contextmanager
def quiet_parsing() -> Iterator[None]:
    """Within it, Python's warnings and NumPy's lines are dropped: errors say as much."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Drops what compiled decoders (libtiff, FFmpeg, OpenCV) write to standard error themselves."""
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
