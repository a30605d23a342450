"""The report on an audit of images: one HTML page that holds everything it shows and loads nothing."""

import html
from collections.abc import Mapping, Sequence

from maquette.datasets.images.compare import Finding
from maquette.datasets.images.measure import ImageStatistics
from maquette.io.html import inline, page

SHOWN = 200
"""The most findings of one kind that are shown; the table has them all."""
SAMPLES = 24
"""The most images without findings that are shown, for comparison."""

_BODY = """<h1>{title}</h1>
<p>{images} images, {odd} with findings.{notes}</p>
<table class="counts">{summary}</table>
<p class="note">This page holds small copies of the images: keep it as you keep the images. It loads nothing from
anywhere. The findings are made by simple rules, which are told with each; look before you act on them.</p>
{sections}"""


def html_report(
    title: str,
    images: int,
    statistics: Mapping[str, ImageStatistics],
    findings: Sequence[Finding],
    notes: Sequence[str],
    kinds: Mapping[str, str],
) -> str:
    """The report as the text of an HTML page.

    Args:
        title: What the user calls the images; empty for none. It is no name of a folder.
        images: How many images it holds.
        statistics: Of each image that could be read, by its id.
        findings: What is wrong with single images.
        notes: What is true of all images together.
        kinds: What each kind of finding means, in the order of the page.
    """
    by_kind = {kind: [f for f in findings if f.kind == kind] for kind in kinds}
    summary: list[str] = []
    sections: list[str] = []
    for kind, found in by_kind.items():
        summary.append(f"<tr><td>{len(found)}</td><td>" + (f'<a href="#{kind}">{kind}</a>' if found else kind)
                       + "</td></tr>")
        if not found:
            continue
        figures = "".join(_figure(f.id, f.detail, statistics, f.kind == "marker", f.other) for f in found[:SHOWN])
        more = f"<p>and {len(found) - SHOWN} more: see audit.csv</p>" if len(found) > SHOWN else ""
        sections.append(f'<h2 id="{kind}">{kind}: {len(found)}</h2><p class="note">{html.escape(kinds[kind])}</p>'
                        f'<div class="grid">{figures}</div>{more}')
    odd = {finding.id for finding in findings}
    fine = [name for name in statistics if name not in odd]
    if fine:
        chosen = [fine[k * len(fine) // min(SAMPLES, len(fine))] for k in range(min(SAMPLES, len(fine)))]
        figures = "".join(_figure(name, "", statistics) for name in chosen)
        sections.append(f'<h2>nothing found: {len(fine)}</h2><div class="grid">{figures}</div>')
    remarks = "".join(f" {html.escape(note[0].upper() + note[1:])}." for note in notes)
    heading = f"Audit of {title}" if title else "Audit of images"
    return page(heading, _BODY.format(
        title=html.escape(heading), images=images, odd=len(odd), notes=remarks, summary="".join(summary),
        sections="\n".join(sections)))


def _figure(
    name: str, detail: str, statistics: Mapping[str, ImageStatistics], boxes: bool = False, other: str = ""
) -> str:
    pictures = "".join(_picture(statistics[shown], boxes) for shown in (name, other) if shown in statistics)
    return (f"<figure>{pictures}<figcaption><b>{html.escape(name)}</b><br>{html.escape(detail)}</figcaption></figure>")


def _picture(seen: ImageStatistics, boxes: bool) -> str:
    marks = "".join(
        f'<span class="box" style="left:{100 * x / seen.width:.1f}%;top:{100 * y / seen.height:.1f}%;'
        f'width:{100 * w / seen.width:.1f}%;height:{100 * h / seen.height:.1f}%"></span>'
        for x, y, w, h in (seen.markers if boxes else ()))
    return f'<span class="picture"><img alt="" src="{inline(seen.jpeg, "jpeg")}">{marks}</span>'
