"""Text formats as strangers write them: byte order marks, line ends of three sorts, letters of any encoding."""

import re

_BOM = b"\xef\xbb\xbf"
_SHORT_POINT = re.compile(rb"^[ \t]*v[ \t]+\S++(?:[ \t]+\S++)?[ \t]*$", re.MULTILINE)
_FACE_OF_NONE = re.compile(rb"^[ \t]*f(?:[ \t]+\S++)*?[ \t]+[-+]?0+(?=[/ \t]|$)", re.MULTILINE)


def plain_text(data: bytes) -> bytes:
    """A text file as UTF-8 with lines that end in a line feed; one that is so already is returned as it is."""
    data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        data.decode()
    except UnicodeDecodeError:  # names in the encoding of an old program; numbers are the same in all of them
        data = data.decode("latin-1").encode()
    return data


def check_obj(data: bytes) -> None:
    """Refuses an OBJ file with a point that lacks a coordinate, or a face that names point 0: the first is 1.

    Args:
        data: As `plain_text` gives it.

    Raises:
        ValueError: Naming the line.
    """
    for pattern, what in ((_SHORT_POINT, "a point has fewer than three coordinates"),
                          (_FACE_OF_NONE, "a face names point 0, the first is 1")):
        if wrong := pattern.search(data):
            line = data.count(b"\n", 0, wrong.start()) + 1
            raise ValueError(f"line {line}: {what}: {wrong.group()[:40].decode(errors='replace').strip()}")
