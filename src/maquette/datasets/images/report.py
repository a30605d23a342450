"""The report of an audit of images as one HTML page that needs nothing else and asks for nothing from anywhere."""

import html

from maquette.datasets.images.measure import ImageStatistics
from maquette.io.html import inline, page

SHOWN = 200
"""Thumbnails of one kind of finding at most; the table has them all."""
SAMPLES = 24
"""Images without findings that are shown for comparison."""

_BODY = """<h1>Audit of {title}</h1>
<p>{images} images, {odd} with findings.{notes}</p>
<table class="counts">{summary}</table>
<p class="note">This page holds small copies of the images: keep it as you keep the images. It loads nothing from
anywhere. The findings are made by simple rules, which are told with each; look before you act on them.</p>
{sections}"""


def html_report(
    title: str, images: int, looks: dict[str, ImageStatistics], findings, notes, kinds: dict[str, str]
) -> str:
    """The page. findings: with `kind`, `id`, `detail` and `other`, see `maquette.datasets.images.audit`; kinds: what
    each kind means, in the order of the page.
    """
    by_kind = {kind: [f for f in findings if f.kind == kind] for kind in kinds}
    summary, sections = [], []
    for kind, found in by_kind.items():
        summary.append(f"<tr><td>{len(found)}</td><td>" + (f'<a href="#{kind}">{kind}</a>' if found else kind)
                       + "</td></tr>")
        if not found:
            continue
        figures = "".join(_figure(f.id, f.detail, looks, f.kind == "marker", f.other) for f in found[:SHOWN])
        more = f"<p>and {len(found) - SHOWN} more: see audit.csv</p>" if len(found) > SHOWN else ""
        sections.append(f'<h2 id="{kind}">{kind}: {len(found)}</h2><p class="note">{html.escape(kinds[kind])}</p>'
                        f'<div class="grid">{figures}</div>{more}')
    odd = {finding.id for finding in findings}
    fine = [name for name in looks if name not in odd]
    if fine:
        chosen = [fine[k * len(fine) // min(SAMPLES, len(fine))] for k in range(min(SAMPLES, len(fine)))]
        figures = "".join(_figure(name, "", looks) for name in chosen)
        sections.append(f'<h2>nothing found: {len(fine)}</h2><div class="grid">{figures}</div>')
    told = "".join(f" {html.escape(note[0].upper() + note[1:])}." for note in notes)
    return page(f"Audit of {title}", _BODY.format(
        title=html.escape(title), images=images, odd=len(odd), notes=told, summary="".join(summary),
        sections="\n".join(sections)))


def _figure(name: str, detail: str, looks: dict[str, ImageStatistics], boxes: bool = False, other: str = "") -> str:
    pictures = "".join(_picture(looks[shown], boxes) for shown in (name, other) if shown in looks)
    return (f"<figure>{pictures}<figcaption><b>{html.escape(name)}</b><br>{html.escape(detail)}</figcaption></figure>")


def _picture(seen: ImageStatistics, boxes: bool) -> str:
    marks = "".join(
        f'<span class="box" style="left:{100 * x / seen.width:.1f}%;top:{100 * y / seen.height:.1f}%;'
        f'width:{100 * w / seen.width:.1f}%;height:{100 * h / seen.height:.1f}%"></span>'
        for x, y, w, h in (seen.markers if boxes else ()))
    return f'<span class="picture"><img alt="" src="{inline(seen.jpeg, "jpeg")}">{marks}</span>'
