"""Furniture libraries of Sweet Home 3D: a tiny one made here, strange ones, and the real ones where they are."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from maquette.datasets import sources
from maquette.datasets.prepare import Finished, Skipped, open_dataset, prepare
from maquette.datasets.sources import sweethome, textured_obj
from maquette.errors import UserError
from maquette.rendering.colours import scheme
from maquette.rendering.materials import FACE_COLOURS
from maquette.rendering.views import render_views

HEAD = r"""
! two remarks
# and
id=SweetHome3D#Tiny\
   -Models
name : Tiny \u00e9tude
license=Creative Commons Attribution 3.0 license \u00a9 \uD83D\uDE00
"""
STEP = r"""
id#1=Tiny#step
name#1=Marche \u00e0 pied
category#1=Living room
model#1=/tiny/step/step.obj
width#1=80
depth#1=30
height#1=50.5
creator#1=Zoe
"""
CUBE = """
id#2=Tiny#cube
name#2=Cube
category#2=Vehicles
model#2=/tiny/cube.zip
modelRotation#2=1 0 0 0 0 1 0 -1 0
width#2=10
depth#2=20
height#2=30
creator#2=\u00c5sa
"""
STEP_OBJ = r"""
mtllib nowhere.mtl
mtllib step parts.mtl
o profile, low in front (+z) and high at the back, 1 wide
v 0 0 0
v 0 0 2
v 0 1 2
v 0 1 1
v 0 2 1
v 0 2 0
v 1 0 0 # the other side
v 1 0 2
v 1 1 2
v 1 1 1
v 1 2 1
v 1 2 0
vt 0.1 0.6
vt 0.4 0.6
vt 0.4 0.9
vt 0.1 0.9
vt 2.6 -0.9
vt 2.9 -0.9
vt 2.9 -0.6
vt 2.6 -0.6
usemtl red
f 1 2 3 4 5 6
usemtl blue
f -1 -2 -3 -4 -5 -6
usemtl wood
f 1/1 7/2 8/3 2/4
f 2/5 8/6 9/7 \
  3/8
f 3//1 9//1 10//1 4//1
usemtl unknown
f 4 10 11 5
f 5 11 12 6
f 6 12 7 1
f 1 2 3 4 5 6
f 1 1 2 # no area
usemtl film
f 6/1 12/2 9/3 3/4
l 1 2
"""
STEP_MTL = """
newmtl red
Kd 1 0 0
newmtl blue
Kd 0 0 0.5
newmtl wood
Kd 0.25 0.25 0.25
map_Kd -s 1 1 1 -o 0 0 C:\\Desktop\\Two Woods.PNG
newmtl film
map_Kd clear.png
"""
CUBE_OBJ = """
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
f 4 3 2 1
f 5 6 7 8
f 1 2 6 5
f 3 4 8 7
f 1 5 8 4
usemtl top
f 2 3 7 6
"""
QUARTERS = {"left above": (200, 40, 10), "right above": (1, 2, 3),
            "left below": (9, 99, 199), "right below": (7, 250, 70)}


def packed(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def texture() -> bytes:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, :4], pixels[:4, 4:], pixels[4:, :4], pixels[4:, 4:] = QUARTERS.values()
    return png(pixels)


def files(catalogue: str = HEAD + STEP + CUBE) -> dict[str, bytes | str]:
    return {
        sweethome.CATALOGUE: catalogue.encode("latin-1"),
        "tiny/step/step.obj": STEP_OBJ,
        "tiny/step/step parts.mtl": STEP_MTL,
        "tiny/step/two woods.png": texture(),
        "tiny/step/clear.png": png(np.zeros((4, 4, 4), np.uint8)),
        "tiny/cube.zip": packed({"readme.txt": "a cube", "cube.obj": CUBE_OBJ}),
    }


@pytest.fixture
def write(tmp_path):
    def library(changes: dict[str, bytes | str] | None = None, name: str = "tiny.sh3f", **more) -> Path:
        path = tmp_path / name
        path.write_bytes(packed(files(**more) | (changes or {})))
        return path

    return library


def test_items_have_names_labels_and_splits(write):
    path = write()
    items = list(sources.read(path))
    found = [(item.id, item.label, item.split, item.source) for item in items]
    assert found == [("Tiny-Models/step", "living-room", "train", "Tiny-Models"),
                     ("Tiny-Models/cube", "vehicles", "test", "Tiny-Models")]
    assert [item.split for item in sweethome.read(path, held_out=("living-room",))] == ["test", "train"]
    assert [item.split for item in sweethome.read(path, held_out=())] == ["train", "train"]
    assert [item.id for item in sources.read(path.parent)] == [item.id for item in items]  # a folder of libraries
    with pytest.raises(UserError, match="up is for folders of meshes"):
        list(sources.read(path, up="y"))


def test_terms_and_creators(write):
    path = write()
    (library,) = sweethome.libraries(path)
    assert library.name == "Tiny \u00e9tude" and library.models[0].name == "Marche \u00e0 pied"
    assert library.licence == "Creative Commons Attribution 3.0 license \u00a9 \U0001f600"
    assert sources.terms_of([path]) == (f"Tiny \u00e9tude: {library.licence}; models by Zoe, \u00c5sa",)
    both = sweethome.creators(path)
    assert [(one.name, one.items) for one in both] == [("Zoe", ("Tiny-Models/step",)),
                                                       ("\u00c5sa", ("Tiny-Models/cube",))]
    assert both[0].licence == library.licence and both[0].library == library.name
    assert [one.name for one in sweethome.creators(path, {"Tiny-Models/cube"})] == ["\u00c5sa"]


def test_properties_are_javas():
    text = b"a=1\n  b : two words  \nc\\ d\\==e\n#x=1\n!y=2\nlong=a,\\\n   \t b\nempty\n"
    text += b"back=c:\\\\x\\ty\nlatin=\xe9\nz=\\u00E9"
    assert sweethome.properties(text) == {"a": "1", "b": "two words", "c d=": "e", "long": "a,b", "empty": "",
                                          "back": "c:\\x\ty", "latin": "\u00e9", "z": "\u00e9"}
    with pytest.raises(UserError, match="four hexadecimal digits, got '.*u00g1'"):
        sweethome.properties(b"a=\\u00g1")


def test_a_step_has_its_size_its_front_and_its_colours(write):
    step, cube = (item.load() for item in sources.read(write()))
    assert np.allclose(step.bounds, [[-40, -15, 0], [40, 15, 50.5]], atol=1e-9)
    assert step.is_volume and step.volume == pytest.approx(0.75 * 80 * 30 * 50.5)
    assert len(step.faces) == 20  # nothing twice, and none of what cannot be seen
    low = step.vertices[step.vertices[:, 1] > 14]
    assert low[:, 2].max() == pytest.approx(50.5 / 2)  # front, at +y
    assert step.vertices[step.vertices[:, 1] < -14][:, 2].max() == pytest.approx(50.5)

    colours = step.face_attributes[FACE_COLOURS]
    assert colours.dtype == np.uint8 and FACE_COLOURS == "maquette colour"
    normals, centres = step.face_normals, step.triangles_center

    def of(chosen: np.ndarray) -> set[tuple[int, ...]]:
        return {tuple(colour) for colour in colours[chosen].tolist()}

    assert of(normals[:, 0] > 0.9) == {(255, 0, 0)}  # x of the library is -x here
    assert of(normals[:, 0] < -0.9) == {(0, 0, 128)}
    assert of(normals[:, 2] < -0.9) == {QUARTERS["left above"]}  # the texture alone, whatever Kd says
    assert of((normals[:, 1] > 0.9) & (centres[:, 1] > 14)) == {QUARTERS["right below"]}  # repeated beyond 0 to 1
    assert of((normals[:, 2] > 0.9) & (centres[:, 2] < 30)) == {(64, 64, 64)}  # no texture coordinates
    assert of((normals[:, 2] > 0.9) & (centres[:, 2] > 30)) == {(204, 204, 204)}  # no such material

    assert np.allclose(cube.extents, (10, 20, 30)) and cube.is_volume
    assert np.array_equal(scheme(step, 1), scheme(step, 2))
    assert scheme(step, 1)[0] == pytest.approx((colours[0] / 255) ** 2.2, abs=1e-6)


def test_the_rotation_puts_the_top_where_it_belongs(write):
    """The second model lies on its back in its file (z up, front at -y), and its face at +x is the last."""
    made = textured_obj.read(CUBE_OBJ.encode(), lambda name: None)
    assert len(made.faces) == 12 and np.allclose(np.ptp(made.points, axis=0), 1)
    raised = CUBE_OBJ.replace("v 0 0 1", "v 0 0 5")  # the corner at x = y = 0 is drawn up along z
    path = write({"tiny/cube.zip": packed({"a/cube.obj": raised})})
    mesh = list(sources.read(path))[1].load()
    top = mesh.vertices[mesh.vertices[:, 2].argmax()]
    assert np.allclose(top, (5, 10, 30))  # x = 0 is +x here, and y = 0 the front


def test_means_over_a_texture_are_of_light():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, ::2] = 255
    pixels[:, 1::2, 3] = 255
    colours, cover = textured_obj._Texture(pixels).means(np.array([[[0, 0], [1, 0], [0, 1]], [[0, 0], [1, 1], [0, 1]]]))
    assert np.allclose(colours, 187.5, atol=0.1) and np.allclose(cover, 1)  # half the light
    pixels[:, :, 3] = 0
    pixels[:, ::4, 3] = 255
    colours, cover = textured_obj._Texture(pixels).means(np.array([[[0, 0], [1, 0], [0, 1]]]))
    assert np.allclose(colours, 255, atol=0.01) and np.allclose(cover, 0.25, atol=1e-5)


def test_polygons_that_are_not_convex():
    arrow = "v 0 0 0\nv 2 -1 0\nv 0 3 0\nv -2 -1 0\nf 1 2 3 4\n"
    star = "".join(f"v {r * np.cos(a)} {r * np.sin(a)} 7\n" for a, r in zip(np.arange(10) * np.pi / 5, [2, 1] * 5,
                                                                           strict=True))
    star += "f " + " ".join(map(str, range(1, 11)))
    for text, area in ((arrow, 6), (star, 10 * np.sin(np.pi / 5))):
        made = textured_obj.read(text.encode(), lambda name: None)
        mesh = trimesh.Trimesh(made.points, made.faces, process=False)
        assert mesh.area == pytest.approx(area)
        assert np.allclose(mesh.face_normals, (0, 0, 1))


BROKEN = {
    "width#1=80": ("width#1=abc", "width#1 must be from 0 to 100,000 centimetres, got 'abc'"),
    "depth#1=30": ("depth#1=nan", "depth#1 must be from 0"),
    "height#1=50.5": ("height#1=1e9", "height#1 must be from 0"),
    "model#1=/tiny/step/step.obj": ("model#1=/tiny/none.obj", "there is no model in the library, got 'tiny/none.obj'"),
    "model#1=/tiny/step/": ("model#1=/tiny/../../etc/", "the model lies outside the library"),
    "model#1=/": ("model#1=file:///", "the model lies outside the library"),
    "model#1=/tiny/step/step.": ("model#1=/tiny/step/clear.png\nx=", "only models in the form OBJ"),
    "category#1": ("modelRotation#1=1 1 1 0 0 0 0 0 0\ncategory#1", "nine numbers of a rotation"),
}


@pytest.mark.parametrize("old", BROKEN)
def test_a_broken_entry_is_told_when_it_is_loaded(write, old):
    new, told = BROKEN[old]
    item = list(sources.read(write(catalogue=HEAD + STEP.replace(old, new) + CUBE)))[0]
    with pytest.raises(UserError) as error:
        item.load()
    assert told in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith("Tiny-Models/step in tiny.sh3f: ")


MODELS = {
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4": "a face names a point that is not there",
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -9": "a face names a point that is not there",
    "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/1 2/1 3/1": "a texture coordinate that is not there",
    "v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3": "not finite",
    "v 0 0 0\nv 1 0\nf 1 2 3": "the OBJ is damaged",
    "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3": "no faces with an area",
    "v 0 0 0\n\x00\xff": "no faces, got 1 points",
    "f x y z": "the OBJ is damaged",
    STEP_OBJ * 4: "a model may have 40 faces",
    "v 0 0 0\n" * 200: "a model may have 100 points",
    "# \n" * 500_000: "step.obj is too large, at most 1 MB are unpacked",
}


@pytest.mark.parametrize("text", MODELS, ids=range(len(MODELS)))
def test_a_broken_model_is_one_line(write, text, monkeypatch):
    monkeypatch.setattr(textured_obj, "MAX_FACES", 40)
    monkeypatch.setattr(textured_obj, "MAX_POINTS", 100)
    monkeypatch.setattr(sweethome, "MAX_FILE_BYTES", 1 << 20)
    item = list(sources.read(write({"tiny/step/step.obj": text.encode("latin-1")})))[0]
    with pytest.raises(UserError) as error:
        item.load()
    assert MODELS[text] in str(error.value) and "\n" not in str(error.value)


def test_strange_pictures_and_materials_leave_the_diffuse_colour(write):
    for picture in (b"", b"no picture", texture()[:60]):
        mesh = list(sources.read(write({"tiny/step/two woods.png": picture})))[0].load()
        assert (mesh.face_attributes[FACE_COLOURS] == 64).all(1).sum() == 6
    strange = {"tiny/step/step parts.mtl": b"Kd 1\nnewmtl red\nKd x y z\nmap_Kd\nnewmtl"}
    mesh = list(sources.read(write(strange)))[0].load()
    assert set(mesh.face_attributes[FACE_COLOURS].ravel().tolist()) == {204}


def test_a_strange_library_is_one_line(write, tmp_path, monkeypatch):
    def told(path: Path) -> str:
        with pytest.raises(UserError) as error:
            list(sources.read(path))
        assert "\n" not in str(error.value)
        return str(error.value)

    (tmp_path / "a.sh3f").write_bytes(b"PK no zip")
    assert "a.sh3f is no zip archive" in told(tmp_path / "a.sh3f")
    whole = write().read_bytes()
    (tmp_path / "a.sh3f").write_bytes(whole[:-40])
    assert "a.sh3f is no zip archive" in told(tmp_path / "a.sh3f")
    (tmp_path / "a.sh3f").write_bytes(packed({"x": "y"}))
    assert f"it has no {sweethome.CATALOGUE}" in told(tmp_path / "a.sh3f")
    assert "must describe from 1 to 50,000 models, got 0" in told(write(catalogue=HEAD))
    assert "four hexadecimal digits" in told(write(catalogue=HEAD + STEP + r"name#1=\u12"))
    monkeypatch.setattr(sweethome, "MAX_CATALOGUE_BYTES", 100)
    assert "too large" in told(write())
    monkeypatch.setattr(sweethome, "MAX_ENTRIES", 5)
    assert "tiny.sh3f may have 5 files, got 6" in told(write())
    with pytest.raises(UserError, match="no such source"):
        list(sources.read(tmp_path / "none.sh3f"))


def test_damaged_bytes_never_end_in_anything_else(write, tmp_path):
    whole, rng = write().read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        data = np.frombuffer(whole, np.uint8).copy()
        data[rng.integers(0, len(data), 12)] = rng.integers(0, 256, 12)
        path = tmp_path / "damaged.sh3f"
        path.write_bytes(data.tobytes())
        try:
            for item in sources.read(path):
                item.load()
        except UserError as error:
            assert "\n" not in str(error)


def test_libraries_are_prepared_and_the_broken_model_is_named(write, tmp_path):
    first = write()
    catalogue = HEAD.replace("Tiny", "Other") + STEP + CUBE.replace("width#2=10", "width#2=0")
    second = write(name="b.sh3f", catalogue=catalogue)
    out = tmp_path / "out"
    events = list(prepare([first, second], out, resolution=16, views=2, view_size=32, channels=3, workers=1))
    (skipped,) = [event for event in events if isinstance(event, Skipped)]
    assert skipped.id == "Other-Models/cube" and "width#2" in skipped.reason
    assert isinstance(events[-1], Finished) and events[-1].count == 3
    data = open_dataset(out)
    assert data.ids == ["Tiny-Models/step", "Other-Models/step", "Tiny-Models/cube"]
    step = data.voxels([0])[0]
    assert step[:, 8:].any() and np.argwhere(step[:, 10:])[:, 2].max() < np.argwhere(step)[:, 2].max()  # low in front
    with pytest.raises(UserError, match="the same id, got Tiny-Models/step"):
        list(prepare([first, first], tmp_path / "twice", workers=1))


def test_some_photos_show_the_own_colours(write):
    mesh = trimesh.creation.box((1, 1, 1))
    plain = render_views(mesh, count=24, size_px=24, seed=1, kinds=("photo",), channels=3)
    mesh.face_attributes[FACE_COLOURS] = np.tile(np.uint8([0, 255, 0]), (12, 1))
    views = render_views(mesh, count=24, size_px=24, seed=1, kinds=("photo",), channels=3)

    def green(images: np.ndarray) -> int:
        middle = images[:, 8:16, 8:16].reshape(len(images), -1, 3).astype(int).mean(1)
        return int((middle[:, 1] > 1.5 * middle[:, [0, 2]].max(1) + 10).sum())

    assert green(plain.images) <= 3 and 6 <= green(views.images) <= 18
    again = render_views(mesh, count=24, size_px=24, seed=1, kinds=("photo",), channels=3)
    assert np.array_equal(again.images, views.images) and views.cameras == plain.cameras


REAL = Path("/usr/share/sweethome3d/furniture")


def test_the_real_libraries():
    if not sweethome.is_sweethome(REAL):
        pytest.skip(f"Debian's package sweethome3d-furniture is not installed: no libraries in {REAL}")
    items = {item.id: item for item in sources.read(REAL)}
    assert len(items) == 820
    assert Counter(item.split for item in items.values()) == {"train": 740, "test": 80}
    assert {item.label for item in items.values() if item.split == "test"} == set(sweethome.HELD_OUT)
    assert sum(len(one.items) for one in sweethome.creators(REAL)) == 820
    assert len(sources.terms_of([REAL])) == 5
    chair = items["ScopiaModels/office_chair"].load()
    assert np.allclose(chair.extents, (63.5, 64.0, 100.1), atol=0.6)
    sedan = items["KatorLegazModels/concept-sedan-02"].load()
    assert sedan.extents.argmax() == 1  # a car is longest from front to back
    sofa = items["BlendSwap-CC-0-Models/winchesterSofa"].load()
    red, green, blue = np.average(sofa.face_attributes[FACE_COLOURS], axis=0, weights=sofa.area_faces)
    assert red > 2 * max(green, blue)
    back = sofa.vertices[sofa.vertices[:, 2] > 0.9 * sofa.extents[2]]
    assert back[:, 1].mean() < 0  # its back is at -y, so it faces +y
