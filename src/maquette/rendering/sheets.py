"""Pictures of results: the input beside its mesh from four sides, contact sheets, sums of pictures, animations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import trimesh
from PIL import Image, ImageDraw, ImageFont

from maquette.errors import UserError
from maquette.geometry.mesh import to_frame
from maquette.io.atomic import atomic_path

if TYPE_CHECKING:
    from maquette.rendering import Camera

SIDES = {"front": (35.0, 18.0), "side": (95.0, 8.0), "back": (215.0, 18.0), "above": (35.0, 58.0)}
"""The four sides of a preview: azimuth and elevation in degrees."""
_FILL = 0.80  # share of a picture's width that the object takes
_PAPER, _INK, _QUIET, _LINE = (255, 255, 255), (38, 42, 50), (120, 126, 138), (222, 225, 230)


def preview(
    image: np.ndarray | None, mesh: trimesh.Trimesh, path: str | Path, title: str = "", cell_px: int = 320
) -> Path:
    """Write a PNG: the input at the left, the mesh from four sides, and a line of text beneath; return its path.

    Args:
        image: The input, `[H, W]`, `[H, W, 3]` or `[H, W, 4]`, uint8 or floats in [0, 1]; None leaves it out.
        mesh: In any unit, z up, facing +y.
        title: The line beneath, cut to one line.

    Raises:
        UserError: Where the file cannot be written.
    """
    pictures = [] if image is None else [_fit(_to_rgb(image), cell_px)]
    labels = [] if image is None else ["input"]
    pictures += four_sides(mesh, cell_px)
    labels += list(SIDES)
    return _lay_out(pictures, labels, path, columns=len(pictures), cell_px=cell_px, title=title)


def four_sides(mesh: trimesh.Trimesh, size_px: int = 320) -> list[np.ndarray]:
    """Shaded pictures of the mesh from `SIDES`, all at one scale: uint8 `[S, S, 3]` each."""
    return _shaded(mesh, list(SIDES.values()), size_px)


def painted(mesh: trimesh.Trimesh, colours: np.ndarray, size_px: int = 320) -> np.ndarray:
    """The mesh from its front right in the colours of its vertices, uint8 `[V, 3]`, and no light: uint8 `[S, S, 3]`."""
    from maquette.rendering.coloured import painted as picture
    from maquette.rendering.raycaster import RayCaster

    mesh = to_frame(mesh)
    (camera,) = _cameras(mesh, [SIDES["front"]], size_px)
    smooth = np.zeros((len(mesh.faces), 3, 3), np.float32)  # normals, which colours without light need none of
    return picture(RayCaster.of_triangles(mesh.vertices, mesh.faces, smooth), camera, colours)


def blocks(
    voxels: np.ndarray, size_px: int, azimuth_deg: float = -35.0, elevation_deg: float = 25.0, zoom: float = 1.0
) -> np.ndarray:
    """Voxels bool `[R, R, R]` as they are, each a small cube, seen from one side: uint8 `[S, S, 3]`.

    The grid's cube has a fixed place in the picture. White where there is none.
    """
    from scipy import ndimage
    from trimesh.voxel import VoxelGrid

    from maquette.rendering import Camera, shade

    seen = voxels & ~ndimage.binary_erosion(voxels)
    if not seen.any():
        return np.full((size_px, size_px, 3), 255, np.uint8)
    placed = np.diag([*[1 / len(voxels)] * 3, 1])
    placed[:3, 3] = 0.5 / len(voxels) - 0.5
    return shade(VoxelGrid(seen, placed).as_boxes(), Camera(azimuth_deg, elevation_deg, 35, size_px, zoom=zoom))


def sheet(
    items: Sequence[trimesh.Trimesh | np.ndarray | None],
    path: str | Path,
    columns: int = 8,
    cell_px: int = 160,
    captions: Sequence[str] | None = None,
    title: str = "",
) -> Path:
    """Write a contact sheet as PNG: each mesh from its front right, each picture as it is, None as an empty cell.

    Pictures and meshes may be mixed, as in sketch, mesh, sketch, mesh.

    Args:
        captions: One line for each cell.
    """
    pictures = []
    for item in items:
        if item is None or isinstance(item, np.ndarray):
            pictures.append(item)
        else:
            pictures += _shaded(item, [SIDES["front"]], cell_px)
    return sheet_of_images(pictures, path, columns, cell_px, captions, title)


def sheet_of_images(
    images: Sequence[np.ndarray | None],
    path: str | Path,
    columns: int = 8,
    cell_px: int = 160,
    captions: Sequence[str] | None = None,
    title: str = "",
) -> Path:
    """Write a contact sheet of pictures (as in `preview`, each fitted into its cell) as PNG; return its path."""
    if not len(images):
        raise UserError("a contact sheet needs at least one picture", "none")
    if captions is not None and len(captions) != len(images):
        raise UserError("a contact sheet needs one caption for each picture", f"{len(captions)} for {len(images)}")
    if columns < 1 or cell_px < 8:
        raise UserError("a contact sheet needs columns >= 1 and cell_px >= 8", f"{columns} and {cell_px}")
    cells = [None if image is None else _fit(_to_rgb(image), cell_px) for image in images]
    return _lay_out(cells, list(captions or ()), path, min(columns, len(cells)), cell_px, title)


def montage(images: np.ndarray, columns: int, longest_px: int = 2048) -> np.ndarray:
    """Images of one size, uint8 `[N, H, W]` or `[N, H, W, 3]`, row by row on one page: uint8 `[H', W', 3]`.

    One pixel of white between them. They keep their size, or are reduced together where the page's longer side would
    be over `longest_px`.
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
    images: Sequence[np.ndarray], signs: Sequence[str], captions: Sequence[str], path: str | Path, cell_px: int = 160
) -> Path:
    """Write pictures in a row with a sign before each, as in `a - b + c = d`, as PNG; return its path.

    Args:
        signs: Text before each picture; an empty one takes no room.
        captions: A line under each.
    """
    font, small = ImageFont.load_default(max(12, cell_px // 5)), ImageFont.load_default(max(9, cell_px // 18))
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


def animation(frames: Sequence[np.ndarray], path: str | Path, frame_ms: int = 80, back: bool = True) -> Path:
    """Write a GIF that goes through the frames, uint8 `[H, W, 3]` of one size, and back again, for ever.

    2 N - 2 frames of `frame_ms` for N given, all with the colours of one palette; return its path.

    Args:
        back: Without it the first frame follows the last.
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


def _shaded(mesh: trimesh.Trimesh, sides: list[tuple[float, float]], size_px: int) -> list[np.ndarray]:
    from maquette.rendering import RayCaster, shade

    mesh = to_frame(mesh)
    caster = RayCaster(mesh)
    return [shade(mesh, camera, caster=caster) for camera in _cameras(mesh, sides, size_px)]


def _cameras(mesh: trimesh.Trimesh, sides: list[tuple[float, float]], size_px: int) -> list[Camera]:
    """Cameras at these sides of a mesh in the frame, all at one scale, the mesh in the middle of each picture."""
    from maquette.rendering import Camera

    cameras = [Camera(azimuth, elevation, fov_deg=28, size_px=size_px) for azimuth, elevation in sides]
    boxes = []
    for camera in cameras:
        seen = camera.project(mesh.vertices)[:, :2]
        boxes.append((seen.min(0), seen.max(0)))
    width = max(float((high - low).max()) for low, high in boxes) / _FILL
    corners = [(low + high) / 2 - width / 2 for low, high in boxes]
    return [camera.framing(left, top, width) for camera, (left, top) in zip(cameras, corners, strict=True)]


def _lay_out(
    cells: Sequence[np.ndarray | None], labels: Sequence[str], path: str | Path, columns: int, cell_px: int, title: str
) -> Path:
    """Cells row by row with a label under each and the title beneath all, written as PNG."""
    gap = max(4, cell_px // 24)
    small = ImageFont.load_default(max(9, cell_px // 18))
    large = ImageFont.load_default(max(11, min(20, cell_px // 14)))
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


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text on one line, shortened with dots to the width in pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."


def _to_rgb(image: np.ndarray) -> np.ndarray:
    """uint8 `[H, W, 3]` out of grey, grey with one channel, RGB or RGBA (laid on white), uint8 or floats in [0, 1]."""
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


def _fit(image: np.ndarray, size_px: int) -> np.ndarray:
    """The whole picture in a square of `size_px`, on the colour of its own border; small ones are enlarged."""
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
