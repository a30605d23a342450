"""HTML pages that need no other file and load nothing from the network: one style, every picture inside the page."""

import base64
import hashlib
import html
import io
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'{allow}">
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1200px; padding: 0 1em; color: #222 }}
table {{ border-collapse: collapse }} td, th {{ padding: 2px 14px 2px 0 }} th {{ font-weight: 600; text-align: left }}
table.counts td:first-child, table.numbers td {{ text-align: right }}
table.numbers th {{ text-align: right }} table.numbers :is(td, th):first-child {{ text-align: left }}
table.numbers tr {{ border-bottom: 1px solid #ddd }}
.grid {{ display: flex; flex-wrap: wrap; gap: 12px }}
figure {{ margin: 0; width: 200px }} figcaption {{ font-size: 12px; overflow-wrap: anywhere }}
.picture {{ position: relative; display: inline-block; line-height: 0; background: #888; max-width: 200px }}
.picture img {{ max-width: 200px }}
.box {{ position: absolute; outline: 2px solid #e30; }}
.wide {{ max-width: 100% }}
.note {{ color: #555; max-width: 60em }}
{style}</style></head><body>
{body}
{script}</body></html>
"""


def page(title: str, body: str, *, style: str = "", script: str = "") -> str:
    """A whole page, as text.

    Args:
        title: Plain text.
        body: HTML.
        style: CSS rules besides the common ones.
        script: JavaScript; the page's security policy allows this script and no other.
    """
    allow = ""
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allow, script = f"; script-src 'sha256-{digest}'", f"<script>{script}</script>\n"
    return _PAGE.format(title=html.escape(title), body=body, style=style, script=script, allow=allow)


def inline(data: bytes, kind: Literal["png", "jpeg"]) -> str:
    """The data URL of a picture, for `src`.

    Args:
        data: The picture file.
        kind: Its format.
    """
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png(pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"]) -> bytes:
    """A picture as a PNG file without metadata; the same pixels always give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=False, compress_level=9)
    return buffer.getvalue()
