"""The commands that work on drawings without a network: `maquette pickup` and `maquette relief`.

Each body is one call into `outputs_drawing` and the printing of its events; heavy modules are imported inside.
"""

from typing import Annotated, Literal

from maquette.cli.marks import Mark
from maquette.cli.options import Format, Preview, bad_usage, writes
from maquette.errors import UserError

Source = Annotated[str, Mark(metavar="SOURCE", positional=True)]
Drawings = Annotated[tuple[str, ...], Mark(metavar="DRAWING...", positional=True)]
Paper = Literal["auto", "as seen", "none", "a3", "a4", "a5", "a6", "letter", "legal"]


@writes
def pickup(
    source: Source,
    out: str = "page.png",
    squared: bool = False,
    low: int | None = None,
    whole_page: bool = False,
    paper: Paper = "auto",
    found: bool = True,
    at_s: float | None = None,
    wait_s: float = 30.0,
    fresh: bool = False,
    json: bool = False,
) -> int:
    """Take a drawing off a photographed or scanned page.

    The sheet is found and straightened, the light evened out, and the pencil kept alone.

    Args:
        source: A photograph; camera:0; a film; a folder that a scanner writes into (its newest picture); or - for
            standard input.
        out: PNG to write: dark pencil on white, cropped to the drawing.
        squared: Take away the ruling of squared or lined paper.
        low: Side of a square picture of low resolution, in pixels, in place of the page's own.
        whole_page: Keep the whole page, not only what is drawn.
        paper: Shape of the sheet: found out and brought to the nearest usual one (auto), as seen, a size, or none to
            take the whole picture for the page.
        found: Also write NAME.found.png, a picture of the steps.
        at_s: Second of a film; the sharpest of some of its frames if left out.
        wait_s: How long to wait for a picture in a folder, in seconds.
        fresh: Wait for a picture that comes into the folder from now on.
        json: Print one JSON document.

    Examples:
        maquette pickup examples/drawings/page.jpg --squared --out page.png
        maquette pickup examples/drawings/page.jpg --squared --low 32 --out small.png
    """
    from maquette.cli.console import status
    from maquette.cli.show import show_files
    from maquette.intake.sources import read_frame
    from maquette.outputs import drawings as outputs_drawing

    with status(f"taking a picture from {source}"):
        frame = read_frame(source, at_s=at_s, timeout_s=wait_s, fresh=fresh)
    events = outputs_drawing.pickup_file(
        frame, out, squared=squared, low=low, whole_page=whole_page, paper=paper, found=found
    )
    return show_files(events, json, "picking up", 1)


@writes
def relief(
    drawings: Drawings,
    inflate: bool = False,
    revolve: bool = False,
    lithophane: bool = False,
    out: str = "out",
    size_mm: float = 60.0,
    thickness_mm: float | None = None,
    thinnest_mm: float = 0.8,
    base_mm: float = 0.0,
    ring_hole_mm: float = 0.0,
    one_sided: bool = False,
    axis: Literal["auto", "left", "right", "middle"] = "auto",
    drawn: Literal["auto", "lines", "filled"] = "auto",
    close_mm: float | None = None,
    detail_px: int = 240,
    engrave_mm: float = 0.0,
    emboss_mm: float = 0.0,
    format: Format = "stl",
    preview: Preview = "no",
    all_parts: bool = False,
    min_wall_mm: float = 0.8,
    json: bool = False,
) -> int:
    """Make a printable solid of a flat drawing.

    No network: what the outline encloses is extruded, or inflated, or turned.

    Args:
        drawings: Pictures (clean, scanned, photographed), folders of pictures, or - for standard input.
        inflate: A smooth rounded solid over what is enclosed.
        revolve: A profile, turned about the straight line drawn beside it; without one a symmetric drawing is turned
            about its middle, half of one about its left edge.
        lithophane: A plate that shows a picture against the light: dark is thick.
        out: Folder for the results, or the one file to write.
        size_mm: Longer side of what is drawn, or of the turned solid, in millimetres; base and ring add to it.
        thickness_mm: From the flat side to the top (5; lithophane 3; inflated as round as it is wide if left out).
        thinnest_mm: Thickness of a lithophane where the picture is white.
        base_mm: Thickness of a base plate; 0 for none.
        ring_hole_mm: Diameter of a hole for a key ring, in a tab at the top; 0 for none.
        one_sided: An inflated solid with a flat back.
        axis: Axis of a profile: drawn beside it, or else its middle or left edge (auto), or its left, right or middle.
        drawn: Whether lines are edges or the ink itself is the solid; auto looks at each piece of the drawing.
        close_mm: Widest gap in an outline that is closed; 12 % of the size if left out.
        detail_px: Points along a lithophane's longer side, at most.
        engrave_mm: Make lines inside the outline grooves of this depth; small closed ones too, which are holes else.
        emboss_mm: The same, as ridges of this height.
        format: Kind of file; meshes are for printing, the rest are voxel grids.
        preview: png: also a picture of the drawing beside the solid, from four sides, a flat one from above, a
            lithophane against the light; html: and a page to turn it in. Alone it means png.
        all_parts: Keep loose parts too, not only the largest.
        min_wall_mm: The thinnest wall that your printer can print.
        json: Print one JSON document.

    Examples:
        maquette relief examples/drawings/fish.png --ring-hole-mm 4 --out fish.stl
        maquette relief examples/drawings/vase.png --revolve --preview
    """
    if not drawings:
        return bad_usage("relief", "name at least one picture, a folder, or - for standard input")
    ways: dict[Literal["inflate", "revolve", "lithophane"], bool]
    ways = {"inflate": inflate, "revolve": revolve, "lithophane": lithophane}
    chosen = [way for way, asked in ways.items() if asked]
    if len(chosen) > 1:
        raise UserError("a relief is made in one way", " and ".join(f"--{way}" for way in chosen), "leave one out")
    from maquette.cli.show import show_files
    from maquette.outputs import drawings as outputs_drawing
    from maquette.relief.options import ReliefOptions

    making = ReliefOptions(
        chosen[0] if chosen else "extrude", size_mm, thickness_mm, thinnest_mm, base_mm, ring_hole_mm, one_sided, axis,
        drawn, close_mm, all_parts, detail_px, engrave_mm, emboss_mm,
    )
    events = outputs_drawing.relief_files(
        drawings, out, making, suffix=f".{format}", preview=preview, min_wall_mm=min_wall_mm
    )
    return show_files(events, json, "making reliefs")
