"""OBJ models with materials and textures, as triangles with one colour each.

Polygons of any form are split into triangles, negative indices count from the end, groups and smoothing are passed
over. The colour of a face is the mean of its texture over the face's own region, or its material's diffuse colour where
it has no texture. A texture is not multiplied by the diffuse colour: Sweet Home 3D shows it as it is. (Of 77 models of
its libraries for which it matters, the mean colour is then 10 of 255 away from that of their icons, and 39 otherwise.)
Nothing is trusted: every file comes through the caller's `find`, and numbers of points and faces are bounded.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.io.formats import MAX_COORDINATE
from maquette.io.pictures import read_picture

MAX_FACES = 1_000_000
"""Triangles of a model that is read."""
MAX_POINTS = 2_000_000
"""Points, and texture coordinates, of a model that is read."""
MAX_TEXTURES = 64
"""Pictures that are opened for one model; faces of materials after these have their diffuse colour alone."""
MAX_LIBRARIES = 16
"""Material libraries that are read for one model."""
MAX_MATERIALS_BYTES = 8 << 20
"""The largest material library; the faces of a larger one have no colour of their own."""
TEXTURE_SIDE_PX = 512
"""Textures are averaged down to less than twice this side before they are looked up."""
GREY = (0.8, 0.8, 0.8)
"""Diffuse colour of a material that says none, and of faces without one."""
COVER = 0.25
"""Faces that are covered less than this by what their texture shows are not drawn. Leaves on cards cover about 0.3."""
_OPTIONS = {"-blendu": 1, "-blendv": 1, "-boost": 1, "-mm": 2, "-texres": 1, "-clamp": 1, "-bm": 1, "-imfchan": 1,
            "-type": 1, "-cc": 1}
"""Options before the name of a texture, and how many words each takes; -o, -s and -t take up to three numbers."""
_SAMPLES = 16
"""Places on each face where its texture is looked up."""


@dataclass(frozen=True)
class Triangles:
    """The triangles of a model: points float64 [V, 3], faces int64 [F, 3], colours uint8 [F, 3], sRGB."""

    points: np.ndarray
    faces: np.ndarray
    colours: np.ndarray


@dataclass(frozen=True)
class _Material:
    diffuse: tuple[float, float, float] = GREY
    texture: str = ""


@dataclass
class _Model:
    """What an OBJ file says, polygons as they are."""

    points: list[float] = field(default_factory=list)
    places: list[float] = field(default_factory=list)
    """Texture coordinates, u and v in turn."""
    sizes: list[int] = field(default_factory=list)
    """Corners of each polygon."""
    corners: list[int] = field(default_factory=list)
    """Point of each corner, from 0, all polygons in a row."""
    corner_places: list[int] = field(default_factory=list)
    """Texture coordinate of each corner, -1 for none."""
    materials: list[int] = field(default_factory=list)
    """Material of each polygon, an index into names."""
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    libraries: list[str] = field(default_factory=list)


def read(data: bytes, find: Callable[[str], bytes | None]) -> Triangles:
    """The triangles of an OBJ file.

    Args:
        data: The file.
        find: Gives the bytes of a file that the model names (a material library, a picture), or None where there is
            none. A picture that is missing or damaged leaves the diffuse colour.

    Returns:
        The triangles in the model's own coordinates. Left out are faces without area, faces drawn twice, and those of
        which a texture with an alpha channel covers less than COVER: letters and shadows laid over a surface, nets.

    Raises:
        UserError: The file is damaged, has no faces, or too many.
    """
    try:
        model = _parsed(data)
    except (ValueError, IndexError, OverflowError) as error:
        raise UserError("the OBJ is damaged: " + (" ".join(str(error).split())[:120] or "a line is cut")) from None
    points = np.asarray(model.points, np.float64).reshape(-1, 3)
    sizes, corners = np.asarray(model.sizes, np.int64), np.asarray(model.corners, np.int64)
    if not len(sizes):
        raise UserError("the OBJ has no faces", f"{len(points)} points")
    if corners.min() < 0 or corners.max() >= len(points):
        raise UserError("the OBJ is damaged: a face names a point that is not there")
    if not np.isfinite(points[corners]).all():
        raise UserError("the OBJ has coordinates that are not finite numbers")
    furthest = float(np.abs(points[corners]).max())
    if furthest > MAX_COORDINATE:
        raise UserError("the OBJ has coordinates that are too large for any unit", f"{furthest:g}")
    of_corner, polygon = _triangulated(points, sizes, corners)
    points, faces = _joined(points, corners[of_corner])
    kept = _with_area(points, faces)
    if not kept.any():
        raise UserError("the OBJ has no faces with an area", f"{len(faces)} faces")
    faces, of_corner, polygon = faces[kept], of_corner[kept], polygon[kept]
    places = np.asarray(model.places, np.float64).reshape(-1, 2)
    at = np.asarray(model.corner_places, np.int64)[of_corner]
    if at.max() >= len(places):
        raise UserError("the OBJ is damaged: a face names a texture coordinate that is not there")
    mapped = (at >= 0).all(1)
    uv = np.zeros((len(faces), 3, 2))
    uv[mapped] = places[at[mapped]]
    mapped &= np.isfinite(uv).all((1, 2)) & (np.abs(uv) < 1e6).all((1, 2))
    material = np.asarray(model.materials, np.int64)[polygon]
    colours, cover = _colours(model, material, uv, mapped, find)
    seen = cover >= COVER if (cover >= COVER).any() else cover >= 0
    faces, colours = faces[seen], colours[seen]
    once = _once(faces)
    return Triangles(points, faces[once], colours[once])


def _parsed(data: bytes) -> _Model:
    """The lines of an OBJ file; what is not geometry or material is passed over."""
    model = _Model()
    material = triangles = 0
    for raw in io.BytesIO(data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")):  # never all of them as texts
        line = raw.decode("latin-1")
        if line.isspace():
            continue
        word, *more = line.split(None, 1)
        rest = more[0] if more else ""
        if word == "v":
            x, y, z = rest.split()[:3]
            model.points += (float(x), float(y), float(z))
            if len(model.points) > 3 * MAX_POINTS:
                raise UserError(f"a model may have {MAX_POINTS:,} points", "more")
        elif word == "vt":
            numbers = rest.split()
            model.places += (float(numbers[0]), float(numbers[1]) if len(numbers) > 1 else 0.0)
            if len(model.places) > 2 * MAX_POINTS:
                raise UserError(f"a model may have {MAX_POINTS:,} texture coordinates", "more")
        elif word == "f":
            words = rest.partition("#")[0].split()
            if len(words) < 3:
                continue
            triangles += len(words) - 2
            if triangles > MAX_FACES:
                raise UserError(f"a model may have {MAX_FACES:,} faces", "more")
            points, places = len(model.points) // 3, len(model.places) // 2
            for corner in words:
                point, _, rest = corner.partition("/")
                index, place = int(point), rest.partition("/")[0]
                model.corners.append(index - 1 if index > 0 else points + index if index else -1)
                index = int(place) if place else 0
                model.corner_places.append(index - 1 if index > 0 else max(places + index, -1) if index else -1)
            model.sizes.append(len(words))
            model.materials.append(material)
        elif word == "usemtl":
            material = model.names.setdefault(rest.strip(), len(model.names))
        elif word == "mtllib":
            model.libraries.append(rest.strip())
    return model


def _triangulated(points: np.ndarray, sizes: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(corners of each triangle, indices into `corners`, int64 [F, 3]; the polygon that each comes from, int64 [F])."""
    begins = np.cumsum(sizes) - sizes
    found, owners = [], []
    for size in np.unique(sizes):
        polygons = np.flatnonzero(sizes == size)
        local = np.tile(np.arange(size), (len(polygons), 1))
        if size == 3:
            fans = local[:, None, :]
        elif size == 4:
            fans = _quads(points[corners[begins[polygons, None] + local]])
        else:
            fans = _fans(points[corners[begins[polygons, None] + local]])
        found.append((begins[polygons, None, None] + fans).reshape(-1, 3))
        owners.append(np.repeat(polygons, fans.shape[1]))
    order = np.argsort(np.concatenate(owners), kind="stable")
    return np.concatenate(found)[order], np.concatenate(owners)[order]


def _quads(outline: np.ndarray) -> np.ndarray:
    """Two triangles for each quad [N, 4, 3], split at the diagonal that lies inside it: int64 [N, 2, 3]."""
    a, b, c, d = outline.transpose(1, 0, 2)
    bent = np.einsum("ni,ni->n", np.cross(b - a, c - a), np.cross(c - a, d - a)) < 0
    result = np.tile(np.array([[0, 1, 2], [0, 2, 3]]), (len(outline), 1, 1))
    result[bent] = [[1, 2, 3], [1, 3, 0]]
    return result


def _fans(outline: np.ndarray) -> np.ndarray:
    """Triangles, n - 2 for each polygon [N, n, 3]: a fan where it is convex, cut by manifold3d where it is not."""
    from manifold3d import triangulate

    count, size = outline.shape[:2]
    fan = np.stack([np.zeros(size - 2, np.int64), np.arange(1, size - 1), np.arange(2, size)], 1)
    result = np.tile(fan, (count, 1, 1))
    edges = np.roll(outline, -1, 1) - outline
    normal = np.cross(outline, np.roll(outline, -1, 1)).sum(1)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.where(length > 0, length, 1)
    turns = np.einsum("npi,ni->np", np.cross(edges, np.roll(edges, -1, 1)), normal)
    scale = np.einsum("npi,npi->np", edges, edges).max(1, keepdims=True)
    across = np.eye(3)[np.abs(normal).argmin(1)]
    across -= np.einsum("ni,ni->n", across, normal)[:, None] * normal
    along = np.cross(normal, across)
    flat = np.einsum("npi,nik->npk", outline - outline[:, :1], np.stack([across, along], 2))
    flat /= np.maximum(np.abs(flat).max((1, 2), keepdims=True), 1e-300)
    for index in np.flatnonzero((turns < -1e-9 * scale).any(1) & (length[:, 0] > 0)):
        try:
            cut = np.asarray(triangulate([flat[index]]), np.int64)
        except (RuntimeError, ValueError):
            continue
        if cut.shape == (size - 2, 3):  # else it crosses itself, and the fan is as good as any
            result[index] = cut
    return result


def _joined(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that faces use, those at one place as one, and the faces of them."""
    used, faces = np.unique(faces, return_inverse=True)
    points = points[used]
    order = np.lexsort(points.T)
    new = np.ones(len(points), bool)
    new[1:] = (points[order[1:]] != points[order[:-1]]).any(1)
    place = np.empty(len(points), np.int64)
    place[order] = np.cumsum(new) - 1
    return points[order[new]], place[faces.reshape(-1, 3)]


def _with_area(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether each face has an area: bool [F]."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0


def _once(faces: np.ndarray) -> np.ndarray:
    """The places of the faces that were not drawn before, from either side, in their order."""
    return np.sort(np.unique(np.sort(faces, 1) @ np.array([2**42, 2**21, 1]), return_index=True)[1])


def _colours(model: _Model, material: np.ndarray, uv: np.ndarray, mapped: np.ndarray,
             find: Callable[[str], bytes | None]) -> tuple[np.ndarray, np.ndarray]:
    """(colours uint8 [F, 3], how much of each face its texture covers [F]).

    From the material [F], the texture coordinates [F, 3, 2] and whether a face has any [F].
    """
    library: dict[str, _Material] = {}
    for line in model.libraries[:MAX_LIBRARIES]:
        whole = find(line)
        found = [whole] if whole is not None else [find(name) for name in line.split()[:MAX_LIBRARIES]]
        for data in found:
            if data is not None and len(data) <= MAX_MATERIALS_BYTES:
                library |= _materials(data.decode("latin-1"))
    order = np.argsort(material, kind="stable")
    begins = np.searchsorted(material[order], np.arange(len(model.names) + 1))
    colours, cover = np.zeros((len(material), 3)), np.ones(len(material))
    opened, texture, left = "", None, MAX_TEXTURES
    for name in sorted(model.names, key=lambda name: library.get(name, _Material()).texture):  # one open at a time
        index, one = model.names[name], library.get(name, _Material())
        chosen = order[begins[index] : begins[index + 1]]
        colours[chosen] = 255 * np.clip(one.diffuse, 0, 1)
        chosen = chosen[mapped[chosen]]
        if not one.texture or not len(chosen):
            continue
        if one.texture != opened and left:
            opened, texture, left = one.texture, _texture(find(one.texture)), left - 1
        if texture is not None and one.texture == opened:
            colours[chosen], cover[chosen] = texture.means(uv[chosen])
    return np.round(colours).astype(np.uint8), cover


def _materials(text: str) -> dict[str, _Material]:
    """The materials of an MTL file by their names; lines that make no sense are passed over."""
    result: dict[str, _Material] = {}
    name = None
    for line in text.splitlines():
        words = line.split(None, 1)
        if len(words) < 2:
            continue
        word, rest = words[0].lower(), words[1].strip()
        if word == "newmtl":
            name = rest
            result[name] = _Material()
        elif word == "kd" and name is not None:
            try:
                numbers = [float(number) for number in rest.split()[:3]]
            except ValueError:
                continue
            if numbers and np.isfinite(numbers).all():
                numbers = numbers if len(numbers) == 3 else numbers[:1] * 3
                result[name] = _Material((numbers[0], numbers[1], numbers[2]), result[name].texture)
        elif word == "map_kd" and name is not None:
            result[name] = _Material(result[name].diffuse, _picture_name(rest))
    return result


def _picture_name(text: str) -> str:
    """The name of a texture without the options before it; names may have spaces in them."""
    words = text.split()
    while words and words[0].startswith("-") and (words[0] in _OPTIONS or words[0] in ("-o", "-s", "-t")):
        option = words.pop(0)
        if option in _OPTIONS:
            del words[: _OPTIONS[option]]
            continue
        for _ in range(3):
            if len(words) > 1 and _is_number(words[0]):
                words.pop(0)
    return " ".join(words) if words and words[0] != text.split()[0] else text.strip()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


class _Texture:
    """A picture as means over ever larger squares, in linear light and weighed by its alpha."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.size = np.array([pixels.shape[1], pixels.shape[0]])
        shares = pixels[..., :3] / 255.0
        light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        alpha = pixels[..., 3:] / 255.0 if pixels.shape[2] == 4 else np.ones((*pixels.shape[:2], 1))
        alpha = np.maximum(alpha, 1e-6)  # what is never seen has a colour too
        self.levels = [np.concatenate([light * alpha, alpha], 2).astype(np.float32)]
        while max(self.levels[-1].shape[:2]) > 1:
            height, width = self.levels[-1].shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            self.levels.append(np.asarray(cv2.resize(self.levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))

    def means(self, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean colour and the mean alpha of triangles of texture coordinates [F, 3, 2].

        Returns:
            sRGB float64 [F, 3], 0 to 255, and float64 [F], 0 to 1.
        """
        one, two = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        texels = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2 * self.size.prod()
        level = np.round(np.log2(np.maximum(texels / _SAMPLES, 1)) / 2).astype(np.int64)
        level = np.minimum(level, len(self.levels) - 1)
        sums = np.zeros((len(uv), 4))
        for number in np.unique(level):
            chosen = np.flatnonzero(level == number)
            picture = self.levels[number]
            height, width = picture.shape[:2]
            for weights in _WEIGHTS:
                u, v = np.einsum("k,nkc->cn", weights, uv[chosen])
                column = np.minimum((u % 1 * width).astype(np.int64), width - 1)
                row = np.minimum(((1 - v % 1) * height).astype(np.int64), height - 1)
                sums[chosen] += picture[row, column]
        light = np.clip(sums[:, :3] / sums[:, 3:], 0, 1)
        colours = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        return colours, sums[:, 3] / len(_WEIGHTS)


def _texture(data: bytes | None) -> _Texture | None:
    """The texture in a file; None where it is missing or no picture."""
    if data is None:
        return None
    try:
        return _Texture(read_picture(data, kept_side_px=TEXTURE_SIDE_PX, max_pixels=64_000_000, keep_alpha=True))
    except UserError:
        return None


def _centroids() -> np.ndarray:
    """Weights of the corners [16, 3] at the middles of the sixteen small triangles that a triangle is cut into."""
    found = []
    for i in range(4):
        for j in range(4 - i):
            found.append((i + 1 / 3, j + 1 / 3))
            if i + j < 3:
                found.append((i + 2 / 3, j + 2 / 3))
    a, b = np.array(found).T / 4
    return np.stack([1 - a - b, a, b], 1)


_WEIGHTS = _centroids()
