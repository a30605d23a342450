"""Small valid files of every kind. The package's own writers make them where it has any; all chance is seeded."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from sketched import chair, drawn

from strange import Files

FAULTS = Path(__file__).parents[2] / "data" / "faults"
SIDE = 40
"""Pixels a side of pictures."""


def in_folder(make: Callable[[Path], object]) -> list[Files]:
    """The files that a function writes into a folder, as one input."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        return [files_of(Path(folder))]


def files_of(folder: Path) -> Files:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def faults(suffix: str) -> list[Files]:
    """The files of this suffix that were found to be a fault in use."""
    return [
        {f"a{suffix}": path.read_bytes()}
        for path in sorted(FAULTS.rglob(f"*{suffix}"))
        if path.stat().st_size < 100_000
    ]


def _pixels() -> np.ndarray:
    return drawn(chair(SIDE, 2))


def saved(picture: Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def pictures(form: str) -> list[Files]:
    """Pictures in a format of Pillow, in the modes that it has."""
    grey = Image.fromarray(_pixels())
    colour = Image.merge("RGB", (grey, grey.rotate(90), grey.rotate(180)))
    alpha = colour.copy()
    alpha.putalpha(grey)
    deep = Image.fromarray(_pixels().astype(np.uint16) * 250)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a chair"
    ways: dict[str, tuple[str, list[tuple[Image.Image, dict]]]] = {
        "png": (
            ".png",
            [
                (colour, {}),
                (alpha, {}),
                (grey.convert("P"), {"transparency": 3}),
                (deep, {}),
                (grey.convert("LA"), {}),
                (grey.convert("1"), {}),
                (colour, {"exif": exif, "save_all": True, "append_images": [colour]}),
            ],
        ),
        "jpeg": (
            ".jpg",
            [(colour, {"exif": exif}), (grey, {}), (colour, {"progressive": True}), (colour.convert("CMYK"), {})],
        ),
        "webp": (
            ".webp",
            [(colour, {}), (alpha, {"lossless": True}), (colour, {"save_all": True, "append_images": [alpha]})],
        ),
        "tiff": (
            ".tif",
            [
                (colour, {}),
                (colour, {"compression": "tiff_lzw"}),
                (grey.convert("1"), {"compression": "group4"}),
                (alpha, {"compression": "tiff_adobe_deflate"}),
                (deep, {}),
                (grey.convert("F"), {}),
                (colour, {"compression": "jpeg"}),
                (colour, {"compression": "packbits"}),
                (grey, {"save_all": True, "append_images": [grey]}),
            ],
        ),
        "bmp": (".bmp", [(colour, {}), (grey, {}), (grey.convert("1"), {}), (alpha, {})]),
        "gif": (
            ".gif",
            [
                (grey, {}),
                (colour.convert("P"), {"transparency": 0}),
                (grey, {"save_all": True, "append_images": [grey.rotate(9), grey.rotate(20)]}),
            ],
        ),
        "heif": (".heic", [(colour, {"exif": exif.tobytes()}), (alpha, {})]),
        "avif": (".avif", [(colour, {}), (alpha, {})]),
        "jpeg2000": (".jp2", [(colour, {}), (grey, {"irreversible": True})]),
        "ppm": (".ppm", [(colour, {}), (grey, {}), (deep, {}), (grey.convert("1"), {})]),
    }
    if form == "heif":
        import pillow_heif

        pillow_heif.register_heif_opener()
    suffix, made = ways[form]
    return [{f"a{suffix}": saved(picture, form.upper(), **options)} for picture, options in made]


def depth() -> list[Files]:
    rows, columns = np.mgrid[0:48, 0:64]
    near = ((rows - 24) ** 2 + (columns - 32) ** 2 < 300) * (800 + rows + columns).astype(np.uint16)
    return [{"a.png": saved(Image.fromarray(near.astype(np.uint16)), "PNG")}]


def depth_arrays() -> list[Files]:
    rows, columns = np.mgrid[0:24, 0:32]
    metres = np.where((rows - 12) ** 2 + (columns - 16) ** 2 < 80, 0.8 + 0.001 * rows, np.nan).astype(np.float32)
    return [{"a.npy": npy_bytes(values)} for values in (metres, np.nan_to_num(1000 * metres).astype(np.uint16))]


def _mesh():
    import trimesh

    return trimesh.creation.box((30, 20, 10)).union(trimesh.creation.icosphere(1, 12))


def meshes(suffix: str) -> list[Files]:
    """A solid as the package writes it and, for STL and PLY, as text."""
    from maquette.io.formats import write_mesh

    mesh = _mesh()
    colours = np.full((len(mesh.vertices), 3), 99, np.uint8)
    found = [in_folder(lambda folder: write_mesh(folder / f"a{suffix}", mesh))[0]]
    if suffix in (".obj", ".ply", ".glb"):
        found += in_folder(lambda folder: write_mesh(folder / f"a{suffix}", mesh, colours))
    if suffix == ".stl":
        found += [{"a.stl": mesh.export(file_type="stl_ascii").encode()}]
    if suffix == ".ply":
        found += [{"a.ply": mesh.export(file_type="ply", encoding="ascii")}]
    if suffix == ".obj":
        corners = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvn 0 0 1\n"
        faces = b"f 1/1/1 2/1/1 3/1/1 4/1/1\nf -1 -2 -3\nf 1//1 2//1 5//1\nl 1 2 3\np 1\ns off\ng b\n"
        found.append({"a.obj": b"o a\n" + corners + faces})
    return found + faults(suffix)


def clouds(suffix: str) -> list[Files]:
    import trimesh

    points = trimesh.sample.sample_surface(_mesh(), 300, seed=0)[0]
    if suffix == ".npy":
        return [{"a.npy": npy_bytes(points)}, {"a.npy": npy_bytes(points.astype(np.float32))}]
    cloud = trimesh.PointCloud(points)
    if suffix == ".obj":
        return [{"a.obj": "".join(f"v {x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in points).encode()}]
    return [{"a.ply": cloud.export(file_type="ply")}, {"a.ply": cloud.export(file_type="ply", encoding="ascii")}]


def npy_bytes(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values, allow_pickle=False)
    return out.getvalue()


def grid() -> np.ndarray:
    grid = np.zeros((12, 12, 12), np.float32)
    grid[2:10, 3:9, 4:11] = 1
    grid[4:6, 4:6, 0:4] = 0.75
    return grid


def grids(suffix: str) -> list[Files]:
    from maquette.io.formats import write_grid

    found = []
    for values in (grid(), (grid() > 0.5).astype(np.uint8), np.ones((1, 6, 8, 4))):
        found += in_folder(lambda folder, values=values: write_grid(folder / f"a{suffix}", values))
    if suffix == ".mat":
        from scipy.io import savemat

        out = io.BytesIO()
        savemat(out, {"x": 3, "name": "chair", "instance": grid(), "s": {"a": [1]}, "c": np.array([1, "x"], object)})
        found.append({"a.mat": out.getvalue()})
    if suffix == ".npz":
        out = io.BytesIO()
        np.savez(out, voxels=grid(), more=np.arange(3))
        found.append({"a.npz": out.getvalue()})
    return found + faults(suffix)


def intrinsics() -> list[Files]:
    whole = {"fx": 300.0, "fy": 300, "cx": 160, "cy": 120.5, "width": 320}
    matrix = {"K": [[300, 0, 160], [0, 300, 120], [0, 0, 1]]}
    return [{"a.json": json.dumps(tree).encode()} for tree in (whole, matrix)]


def recipes() -> list[Files]:
    from maquette.recipe.reading import RECIPES

    own = [path.read_bytes() for path in sorted(RECIPES.glob("*-tiny.yaml"))]
    old = b"system: iwgan\nmodel: {penalty: 10, penalty_every: 2}\ndata: {path: [furniture]}\ntrain: {steps: 5}\n"
    return [{"a.yaml": data} for data in (*own, old)] + faults(".yaml")


def svgs() -> list[Files]:
    from maquette.geometry.strokes import Strokes
    from maquette.plotting.svg import write_svg

    lines = (np.array([[10.0, 10], [50, 20], [30, 60]]), np.array([[5.0, 5], [9, 9]]))
    ours = in_folder(lambda folder: write_svg(folder / "a.svg", Strokes(lines, 100.0, 80.0, (1, 2))))
    theirs = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="90mm" height="60mm"
viewBox="0 0 90 60">
<defs><g id="a"><rect x="1" y="2" width="8" height="5" rx="1"/></g></defs>
<g id="layer1" transform="translate(15,5) rotate(10)"><use xlink:href="#a" x="4"/><circle cx="20" cy="20" r="6"/>
<path d="M 10,10 C 20,20 40,0 50,10 A 5 8 30 0 1 60 30 Q 1 2 3 4 Z m 1 1 h 4 v -3"/></g>
<g transform="matrix(1 0 0 1 2 3) scale(2)" style="stroke:#f00;stroke-width:0.3mm"><polyline points="1,2 3,4 5,1"/>
<ellipse cx="5" cy="2" rx="3" ry="1"/><line x1="0" y1="0" x2="9" y2="9"/><text x="1" y="1">a</text></g></svg>"""
    return [*ours, {"a.svg": theirs}]


def gcodes() -> list[Files]:
    from maquette.geometry.strokes import Strokes
    from maquette.plotting.gcode import write_gcode

    lines = (np.array([[10.0, 10], [50, 20], [30, 60]]), np.array([[5.0, 5], [9, 9]]))
    return in_folder(lambda folder: write_gcode(folder / "a.gcode", Strokes(lines, 100.0, 80.0, (1, 1)))) + faults(
        ".gcode"
    )


def dicoms() -> list[Files]:
    from radiographs import dicom, radiograph

    stored = radiograph(1)[::4, ::4].astype(np.uint16) * 16
    made = []
    for fields in (
        {},
        {"WindowCenter": 2000, "WindowWidth": 1500, "RescaleSlope": 1, "RescaleIntercept": -5},
        {
            "PhotometricInterpretation": "MONOCHROME1",
            "NumberOfFrames": 1,
            "VOILUTFunction": "SIGMOID",
            "WindowCenter": [10, 20],
            "WindowWidth": [100, 300],
        },
    ):
        made += in_folder(lambda folder, fields=fields: dicom(folder / "a.dcm", stored, **fields))
    return made


def films(suffix: str) -> list[Files]:
    import cv2

    def write(folder: Path) -> None:
        code = {".avi": "MJPG", ".mp4": "mp4v"}[suffix]
        writer = cv2.VideoWriter(str(folder / f"a{suffix}"), cv2.VideoWriter_fourcc(*code), 10, (64, 48))
        for shift in range(6):
            writer.write(np.repeat(np.roll(drawn(chair(64))[:48], shift, 1)[..., None], 3, 2))
        writer.release()

    return in_folder(write)


def latents() -> list[Files]:
    rng = np.random.default_rng(0)
    return [{"a.npy": npy_bytes(values)} for values in (rng.normal(size=4).astype(np.float32), rng.normal(size=4))]


_OBJ = b"""mtllib a.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl wood
f 1/1 2/2 3/3 4/4
f 5/1 6/2 7/3 8/4
usemtl red
f -1 -2 -3
f 1 2 6 7 3
f 1/1/1 5/2/2 8
"""


_MTL = b"newmtl red\nKd 1 0 0.5\nnewmtl wood\nKd 0.25 0.25 0.25\nmap_Kd -s 1 1 1 -o 0 0 t.png\n"


def _texture() -> bytes:
    grey = Image.fromarray(_pixels()[:16, :16])
    return saved(Image.merge("RGBA", (grey, grey, grey, grey)), "PNG")


def textured() -> list[Files]:
    return [{"a.obj": _OBJ, "a.mtl": _MTL, "t.png": _texture()}]


def sweethomes() -> list[Files]:
    inner = _zip({"m.obj": _OBJ, "a.mtl": _MTL, "t.png": _texture()})
    catalogue = (
        b"id=SweetHome3D#Tiny\nname=Tiny \\u00e9tude\nlicense=CC \\u00a9\n"
        b"id#1=Tiny#step\nname#1=Marche\ncategory#1=Living room\nmodel#1=/t/m.obj\nwidth#1=80\ndepth#1=30\n"
        b"height#1=50.5\ncreator#1=Zoe\nid#2=Tiny#cube\nname#2=Cube\ncategory#2=Vehicles\nmodel#2=/t/cube.zip\n"
        b"modelRotation#2=1 0 0 0 0 1 0 -1 0\nwidth#2=10\ndepth#2=20\nheight#2=30\ncreator#2=\\u00c5sa\n"
    )
    return [
        {
            "a.sh3f": _zip(
                {
                    "PluginFurnitureCatalog.properties": catalogue,
                    "t/m.obj": _OBJ,
                    "t/a.mtl": _MTL,
                    "t/t.png": _texture(),
                    "t/cube.zip": inner,
                }
            )
        }
    ]


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def modelnets() -> list[Files]:
    grids = np.stack([grid() > 0.5, grid() > 0.2, grid() > 0.9])
    out = io.BytesIO()
    np.savez_compressed(
        out,
        X_train=grids,
        y_train=np.array([0, 1, 0]),
        X_test=grids[:1],
        y_test=np.array([0]),
        classes=np.array(["chair", "sofa"]),
    )
    return [{"a.npz": out.getvalue()}]


def write(files: Files, folder: Path) -> None:
    """Write an input into a folder; a file whose name leads into another file is left out."""
    for name, data in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if data is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(data)
        except OSError:
            continue
