"""Pictures of results: previews of a mesh from four sides, contact sheets, equations of pictures, animations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maquette.errors import UserError
from maquette.geometry.filters import within
from maquette.geometry.mesh import to_frame
from maquette.io.atomic import atomic_path
from maquette.rendering.camera import Camera
from maquette.rendering.coloured import render_vertex_colours
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.studio import shade

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, Num, UInt8

    Picture = Num[np.ndarray, " ..."] | Bool[np.ndarray, " ..."]
    """`[H, W]` or `[H, W, 1]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGBA; uint8, or floats in [0, 1]."""

SIDES = {"front": (35.0, 18.0), "side": (95.0, 8.0), "back": (215.0, 18.0), "above": (35.0, 58.0)}
"""The four sides of a preview: azimuth and elevation in degrees."""
FLAT_SIDES = {"above": (0.0, 89.0), "left": (-32.0, 48.0), "right": (32.0, 48.0), "low": (18.0, 26.0)}
"""The four sides of a preview of something flat, which is hardly seen from its edge."""
AGAINST_LIGHT = "against the light"
"""The label of a picture that shows a mesh against the light."""
CLEAR_MM = 1.0
"""So much material leaves 1/e of the light in a picture against the light; real materials differ."""
Pose = Literal["standing", "flat", "against light"]
"""How a mesh is shown: from around it, from above, or from above and against the light."""
_FILL = 0.80  # share of a picture's width that the object takes
_PAPER, _INK, _QUIET, _LINE = (255, 255, 255), (38, 42, 50), (120, 126, 138), (222, 225, 230)


def preview(
    image: Picture | None, mesh: trimesh.Trimesh, path: str | Path, title: str = "", cell_px: int = 320,
    pose: Pose = "standing",
) -> Path:
    """Write a PNG with the input at the left, the mesh from four sides, and a line of text beneath.

    Args:
        image: The input; None leaves it out.
        mesh: In any unit, z up, facing +y; against the light in millimetres.
        path: The file.
        title: The line beneath; shortened when it is too long.
        cell_px: Side of each picture.
        pose: From where it is seen. Against the light, such a picture takes the place of that from straight above.

    Returns:
        The file's path.

    Raises:
        UserError: For an array that is no picture, and when the file cannot be written.
    """
    pictures = [] if image is None else [_fit(_to_rgb(image), cell_px)]
    labels = [] if image is None else ["input"]
    sides = SIDES if pose == "standing" else FLAT_SIDES
    shown = _shaded(mesh, list(sides.values()), cell_px)
    names = list(sides)
    if pose == "against light":
        shown[0], names[0] = against_light(mesh, cell_px), AGAINST_LIGHT
    pictures += shown
    labels += names
    return _lay_out(pictures, labels, path, columns=len(pictures), cell_px=cell_px, title=title)


def four_sides(mesh: trimesh.Trimesh, size_px: int = 320) -> list[UInt8[np.ndarray, "{size_px} {size_px} 3"]]:
    """Shaded pictures of a mesh from `SIDES`, all at one scale."""
    return _shaded(mesh, list(SIDES.values()), size_px)


def against_light(mesh: trimesh.Trimesh, size_px: int = 320) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    """What a plate shows against the light: seen along z, thick places are dark.

    Light falls off by 1/e every `CLEAR_MM`; the brightest place is white, and beside the plate it is black.

    Args:
        mesh: In millimetres, lying flat, facing +y as for `preview`, with a flat lower side.
        size_px: Width and height.
    """
    (low_x, low_y, low_z), (high_x, high_y, high_z) = mesh.bounds
    vertices = np.asarray(mesh.vertices) - (low_x + high_x) / 2 * np.array([1, 0, 0]) \
        - (low_y + high_y) / 2 * np.array([0, 1, 0])
    caster = RayCaster.of_triangles(vertices, mesh.faces, np.zeros((len(mesh.faces), 3, 3), np.float32))
    step = max(high_x - low_x, high_y - low_y) / (_FILL * size_px)
    across = (np.arange(size_px) + 0.5 - size_px / 2) * step
    x, y = np.meshgrid(-across, across)  # as from behind the object, facing +y: its left is at the picture's right
    top = high_z + 1.0
    origins = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, top)]).astype(np.float32)
    down = np.broadcast_to(np.array([0, 0, -1], np.float32), origins.shape)
    reach = caster.first(origins, down)[0].astype(np.float64).reshape(size_px, size_px)
    thick = top - low_z - reach
    light = np.where(np.isfinite(reach), np.exp(-np.where(np.isfinite(reach), thick, 0.0) / CLEAR_MM), 0.0)
    grey = np.rint(255 * light / max(float(light.max()), 1e-12)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def painted(
    mesh: trimesh.Trimesh, colours: UInt8[np.ndarray, "v 3"], size_px: int = 320
) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    """A mesh from its front right in the colours of its vertices, without any light."""
    mesh = to_frame(mesh)
    (camera,) = _cameras(mesh, [SIDES["front"]], size_px)
    smooth = np.zeros((len(mesh.faces), 3, 3), np.float32)  # normals, which colours without light need none of
    return render_vertex_colours(RayCaster.of_triangles(mesh.vertices, mesh.faces, smooth), camera, colours)


def blocks(
    voxels: Bool[np.ndarray, "r r r"], size_px: int, azimuth_deg: float = -35.0, elevation_deg: float = 25.0,
    zoom: float = 1.0,
) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    """The filled voxels as small cubes, seen from one side; a white picture for an empty grid.

    The grid's cube has a fixed place in the picture.

    Args:
        voxels: Axes x, y, z.
        size_px: Width and height.
        azimuth_deg: Of the camera; see `maquette.rendering.camera.Camera`.
        elevation_deg: Of the camera.
        zoom: Of the camera.
    """
    from trimesh.voxel import VoxelGrid

    seen = voxels & ~within(voxels)
    if not seen.any():
        return np.full((size_px, size_px, 3), 255, np.uint8)
    placed = np.diag([*[1 / len(voxels)] * 3, 1])
    placed[:3, 3] = 0.5 / len(voxels) - 0.5
    return shade(VoxelGrid(seen, placed).as_boxes(), Camera(azimuth_deg, elevation_deg, 35, size_px, zoom=zoom))


def contact_sheet(
    items: Sequence[trimesh.Trimesh | Picture | None],
    path: str | Path,
    columns: int = 8,
    cell_px: int = 160,
    captions: Sequence[str] | None = None,
    title: str = "",
) -> Path:
    """Write a contact sheet of meshes and pictures as PNG.

    Args:
        items: Meshes, which are shown from their front right, pictures, and None for empty cells, in any mixture.
        path: The file.
        columns: Cells in a row.
        cell_px: Side of a cell.
        captions: One line for each cell.
        title: A line beneath all.

    Returns:
        The file's path.

    Raises:
        UserError: As for `sheet_of_images`.
    """
    pictures: list[np.ndarray | None] = []
    for item in items:
        if item is None or isinstance(item, np.ndarray):
            pictures.append(item)
        else:
            pictures += _shaded(item, [SIDES["front"]], cell_px)
    return sheet_of_images(pictures, path, columns, cell_px, captions, title)


def sheet_of_images(
    images: Sequence[Picture | None],
    path: str | Path,
    columns: int = 8,
    cell_px: int = 160,
    captions: Sequence[str] | None = None,
    title: str = "",
) -> Path:
    """Write a contact sheet of pictures as PNG, each fitted into its cell.

    Args:
        images: The pictures, and None for empty cells.
        path: The file.
        columns: Cells in a row.
        cell_px: Side of a cell.
        captions: One line for each cell.
        title: A line beneath all.

    Returns:
        The file's path.

    Raises:
        UserError: For no pictures, another number of captions, no columns, cells below 8 pixels, an array that is no
            picture, and when the file cannot be written.
    """
    if not len(images):
        raise UserError("a contact sheet needs at least one picture", "none")
    if captions is not None and len(captions) != len(images):
        raise UserError("a contact sheet needs one caption for each picture", f"{len(captions)} for {len(images)}")
    if columns < 1 or cell_px < 8:
        raise UserError("a contact sheet needs columns >= 1 and cell_px >= 8", f"{columns} and {cell_px}")
    cells = [None if image is None else _fit(_to_rgb(image), cell_px) for image in images]
    return _lay_out(cells, list(captions or ()), path, min(columns, len(cells)), cell_px, title)


def montage(
    images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"], columns: int, longest_px: int = 2048
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Images row by row on one page, with one pixel of white between them.

    Args:
        images: Of one size.
        columns: Images in a row.
        longest_px: All images are reduced alike when the page's longer side would be over this.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images.shape[1:3]
    scale = min(1.0, (longest_px - columns - 1) / (columns * width), (longest_px - rows - 1) / (rows * height))
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    page = Image.new("RGB", (columns * (size[0] + 1) + 1, rows * (size[1] + 1) + 1), _PAPER)
    for index, pixels in enumerate(images):
        picture = Image.fromarray(pixels)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        page.paste(picture, (index % columns * (size[0] + 1) + 1, index // columns * (size[1] + 1) + 1))
    return np.asarray(page)


def equation(
    images: Sequence[Picture], signs: Sequence[str], captions: Sequence[str], path: str | Path, cell_px: int = 160
) -> Path:
    """Write pictures in a row with a sign before each, as in `a - b + c = d`, as PNG.

    Args:
        images: The pictures.
        signs: Text before each picture; an empty one takes no room.
        captions: A line under each picture.
        path: The file.
        cell_px: Side of each picture.

    Returns:
        The file's path.

    Raises:
        UserError: For an array that is no picture, and when the file cannot be written.
    """
    font, small = _font(max(12, cell_px // 5)), _font(max(9, cell_px // 18))
    gap, under = max(4, cell_px // 24), int(small.size * 1.7)
    rooms = [round(font.getlength(sign)) + 2 * gap if sign else 0 for sign in signs]
    page = Image.new("RGB", (gap + sum(rooms) + len(images) * (cell_px + gap), 2 * gap + cell_px + under), _PAPER)
    draw = ImageDraw.Draw(page)
    x, y = gap, gap
    for image, sign, room, caption in zip(images, signs, rooms, captions, strict=True):
        if sign:
            draw.text((x + (room - gap) / 2, y + cell_px / 2), sign, font=font, fill=_INK, anchor="mm")
        x += room
        page.paste(Image.fromarray(_fit(_to_rgb(image), cell_px)), (x, y))
        draw.rectangle((x - 1, y - 1, x + cell_px, y + cell_px), outline=_LINE)
        text = _cut(caption, small, cell_px)
        draw.text((x + cell_px / 2, y + cell_px + under / 2), text, font=small, fill=_QUIET, anchor="mm")
        x += cell_px + gap
    path = Path(path)
    with atomic_path(path) as unfinished:
        page.save(unfinished, format="PNG")
    return path


def animation(
    frames: Sequence[UInt8[np.ndarray, "h w 3"]], path: str | Path, frame_ms: int = 80, back: bool = True
) -> Path:
    """Write an endless GIF that runs through the frames and back again, with one palette for all.

    Args:
        frames: RGB pictures of one size, at least 2.
        path: The file.
        frame_ms: Duration of a frame.
        back: Run back from the last frame, so that N frames become 2 N - 2; off, the first frame follows the last.

    Returns:
        The file's path.

    Raises:
        UserError: For fewer than 2 frames, and when the file cannot be written.
    """
    if len(frames) < 2:
        raise UserError("an animation needs two frames at least", len(frames))
    some = np.concatenate([frames[round(k)] for k in np.linspace(0, len(frames) - 1, min(len(frames), 9))])
    palette = Image.fromarray(some).quantize(255, method=Image.Quantize.MEDIANCUT)
    pages = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    with atomic_path(Path(path)) as unfinished:
        returning = pages[-2:0:-1] if back else []
        pages[0].save(unfinished, format="GIF", save_all=True, append_images=[*pages[1:], *returning],
                      duration=frame_ms, loop=0)
    return Path(path)


def _shaded(
    mesh: trimesh.Trimesh, sides: list[tuple[float, float]], size_px: int
) -> list[UInt8[np.ndarray, "{size_px} {size_px} 3"]]:
    mesh = to_frame(mesh)
    caster = RayCaster(mesh)
    return [shade(mesh, camera, caster=caster) for camera in _cameras(mesh, sides, size_px)]


def _cameras(mesh: trimesh.Trimesh, sides: list[tuple[float, float]], size_px: int) -> list[Camera]:
    """Cameras at these sides of a mesh in the frame, all at one scale, with the mesh in the middle of each picture."""
    cameras = [Camera(azimuth, elevation, fov_deg=28, size_px=size_px) for azimuth, elevation in sides]
    boxes = []
    for camera in cameras:
        seen = camera.project(mesh.vertices)[:, :2]
        boxes.append((seen.min(0), seen.max(0)))
    width = max(float((high - low).max()) for low, high in boxes) / _FILL
    corners = [(low + high) / 2 - width / 2 for low, high in boxes]
    return [camera.framing(left, top, width) for camera, (left, top) in zip(cameras, corners, strict=True)]


def _lay_out(
    cells: Sequence[UInt8[np.ndarray, "{cell_px} {cell_px} 3"] | None], labels: Sequence[str], path: str | Path,
    columns: int, cell_px: int, title: str,
) -> Path:
    """Writes cells row by row, with a label under each and the title beneath all, as PNG."""
    gap = max(4, cell_px // 24)
    small, large = _font(max(9, cell_px // 18)), _font(max(11, min(20, cell_px // 14)))
    under = int(small.size * 1.7) if labels else 0
    rows = -(-len(cells) // columns)
    width = gap + columns * (cell_px + gap)
    height = gap + rows * (cell_px + under + gap)
    foot = int(large.size * 2.0) if title else 0
    page = Image.new("RGB", (width, height + foot), _PAPER)
    draw = ImageDraw.Draw(page)
    for index, cell in enumerate(cells):
        x = gap + index % columns * (cell_px + gap)
        y = gap + index // columns * (cell_px + under + gap)
        if cell is None:
            draw.line((x + cell_px * 0.4, y + cell_px / 2, x + cell_px * 0.6, y + cell_px / 2), fill=_LINE, width=2)
        else:
            page.paste(Image.fromarray(cell), (x, y))
        draw.rectangle((x - 1, y - 1, x + cell_px, y + cell_px), outline=_LINE)
        if index < len(labels):
            text = _cut(labels[index], small, cell_px)
            draw.text((x + cell_px / 2, y + cell_px + under / 2), text, font=small, fill=_QUIET, anchor="mm")
    if title:
        text = _cut(title, large, width - 4 * gap)
        draw.text((gap, height + foot / 2 - gap / 2), text, font=large, fill=_INK, anchor="lm")
    path = Path(path)
    with atomic_path(path) as unfinished:
        page.save(unfinished, format="PNG")
    return path


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text on one line, shortened with dots to the width in pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."


def _to_rgb(image: Picture) -> UInt8[np.ndarray, "h w 3"]:
    """Any picture as RGB; transparent pixels are blended with white."""
    image = np.asarray(image)
    if image.dtype == bool or image.dtype.kind == "f":
        image = np.nan_to_num(np.clip(image, 0, 1)) * 255 + 0.5
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in image.shape:
        raise UserError("a picture has the shape [H, W], [H, W, 3] or [H, W, 4]", image.shape)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = image[..., :3] * alpha + 255 * (1 - alpha) + 0.5
    image = np.clip(image, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(image, image.shape[:2] + (3,)))


def _fit(image: UInt8[np.ndarray, "h w 3"], size_px: int) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    """The whole picture in a square, enlarged or reduced, on the median colour of its border."""
    height, width = image.shape[:2]
    if (height, width) == (size_px, size_px):
        return image
    scale = size_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    page = Image.new("RGB", (size_px, size_px), tuple(int(c) for c in np.median(border, axis=0)))
    way = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    page.paste(Image.fromarray(image).resize(size, way), ((size_px - size[0]) // 2, (size_px - size[1]) // 2))
    return np.asarray(page)
