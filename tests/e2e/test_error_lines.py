"""Each mistake at the command line is one line, kept word for word in tests/data/errors.txt, and an exit code.

After a change that is meant: pytest tests/e2e/test_error_lines.py --update-snapshots
"""

import json
import re
import shlex

import cv2
import numpy as np
import pytest
import trimesh
from command import call
from PIL import Image
from snapshots import Snapshot

CALLS = [line.strip() for line in """
    recontruct
    nothing-like-it
    --bogus
    --show-completion tcsh
    --install-completion tcsh
    data
    data prepar
    data shwo
    models
    models lst
    runs
    runs pak
    evaluate study
    evaluate study mak
    train
    reconstruct
    reconstruct gone.png
    reconstruct empty.png
    reconstruct text.jpg
    reconstruct blank.png
    reconstruct empty-folder
    reconstruct line.png --model no-such-model
    reconstruct line.png --model mquette
    reconstruct line.png --model scan
    reconstruct line.png --size-mm big
    reconstruct line.png --size-mm
    reconstruct line.png --size-mm -4
    reconstruct line.png --size-mmm 4
    reconstruct line.png --format stx
    reconstruct line.png --threshold 1.5
    reconstruct line.png blank.png --out one.stl
    reconstruct line.png --prewiev
    complete
    complete gone.ply
    complete empty.ply
    complete line.png
    complete depth.png
    complete depth.png --intrinsics 1,2,3
    complete depth.png --intrinsics a,b,c,d
    complete depth.png --intrinsics gone.json
    complete depth.png --up y
    complete grid20.npy
    complete depth.png --model maquette
    generate --count x
    generate --count 0
    generate --count
    generate --class dragon
    generate --kind dragon
    generate --seed -1 --count 1
    generate --turntable
    generate --mesh
    generate --mesh --class chair
    generate more words
    interpolate
    interpolate chair:7
    interpolate chair:7 dragon:8
    interpolate chair:7 gone.png
    interpolate chair:7 sofa:3 --steps 1
    interpolate chair:7 sofa:3 --path crooked
    interpolate chair:7 sofa:3 --what shape
    interpolate chair:7 sofa:3 --frames 0
    combine
    combine "chair:7 -"
    combine "+ + chair:7"
    combine "chair:7 - dragon:1"
    combine "2x*chair:7"
    project
    project gone.stl
    project text.stl
    project box.stl --steps 0
    project box.stl --starts 0
    suggest
    suggest gone.png --known 1
    suggest line.png --among gone
    suggest line.png --count 0 --known 1
    suggest line.png --draw --page a77
    pickup
    pickup gone.png
    pickup text.jpg
    pickup line.png --paper a9
    pickup line.png --low 2
    pickup empty-folder --wait-s 0
    relief
    relief gone.png
    relief blank.png
    relief line.png --inflate --revolve
    relief ring.png --size-mm 0
    relief ring.png --thickness-mm -1
    relief ring.png --axis up
    relief ring.png --ring-hole-mm -1
    draw
    draw gone.stl
    draw nothing.xyz
    draw furniture:dragon:1
    draw furniture:chair:x
    draw box.stl --page a77
    draw box.stl --margin 2km
    draw box.stl --margin 200mm
    draw box.stl --hatch 9
    draw box.stl --hatch-mm 0
    draw box.stl --format pdf
    draw box.stl --format hpgl --device no-such-plotter --out a.hpgl
    draw box.stl --lift magnet
    draw box.stl --lift servo --pen-up 20000
    draw box.stl --draw-mm-s 0
    draw box.stl box.stl --out a.svg
    plot
    plot gone.svg
    plot text.jpg
    plot page.svg --fit
    plot page.svg --pen 7
    plot page.svg --pen one
    plot page.svg page.svg --port /nowhere/tty
    plot page.svg --port /nowhere/tty --out a.svg
    plot page.svg --port /nowhere/tty
    loop
    loop gone.png --simulate
    loop line.png --simulate --rounds 0
    loop line.png --simulate --page a77
    loop line.png --simulate --hatch 9
    loop line.png --simulate --lift magnet
    loop line.png --simulate --resume
    loop line.png --simulate --camera camera:0
    train iwgan-tinny
    train iwgan-tiny --train.stepz 4
    train iwgan-tiny --steps 4
    train iwgan-tiny --rum runs/a
    train iwgan-tiny --train.steps x
    train iwgan-tiny --train.steps
    train iwgan-tiny --train.steps -1
    train iwgan-tiny --train.device abacus
    train iwgan-tiny --model.resolution 33
    train iwgan-tiny --model.generator papr
    train iwgan-tiny --optim.betas 0.5
    train iwgan-tiny --optim.lr 0
    train iwgan-tiny --data.path gone.npz
    train iwgan-tiny --data.path furnitur
    train iwgan-tiny --data.furniture-classes chir
    train iwgan-tiny another
    train iwgan-tiny --run
    train --resume gone
    train --resume
    train bad.yaml
    train unknown.yaml
    train list.yaml
    evaluate no-such-model
    evaluate --on nowhere
    evaluate --on modelnet10
    evaluate --on modelnet10 --data.path gone.npz
    evaluate --on ikea --data.path gone
    evaluate --views x
    evaluate --kind chair --on nowhere
    evaluate study make
    evaluate study make maquette
    evaluate study make maquette --real empty-folder
    evaluate study score gone.json a.json
    evaluate study score empty.json a.json
    data prepare
    data prepare furniture
    data prepare gone.npz --out set
    data prepare empty-folder --out set
    data prepare furniture:dragon --out set
    data prepare furniture --out set --resolution 0
    data prepare furniture --out set --orientations 5
    data prepare furniture --out set --channels 2
    data prepare furniture --out set --kinds phto --views 1
    data prepare images
    data prepare images empty-folder --out set
    data prepare images gone --out set
    data prepare images pictures --out set --size big
    data prepare images pictures --out set --size 64x64 --crop middle
    data prepare images pictures --out set --background pink
    data render
    data render gone.stl
    data render box.stl --kinds phto
    data render box.stl --size-px x
    data render images
    data render images furniture:chair --out set --size 3
    data render images furniture:chair --out set --azimuth 3
    data render images furniture:dragon --out set
    data show
    data show gone
    data audit
    data audit gone
    data audit empty-folder
    models show no-such-model
    models push maquette
    models push no-such-model owner/name
    models push maquette nobody
    models list extra
    runs list gone
    runs show
    runs show gone
    runs pack gone
    runs pack gone --out packed
    doctor
    doctor gone
    demo --out
    examples --out text.jpg
""".splitlines() if line.strip()]


def lay_out(folder):
    """The files that the calls name."""
    for name in ("empty.png", "empty.ply", "empty.json"):
        (folder / name).write_bytes(b"{}" if name == "empty.json" else b"")
    for name in ("text.jpg", "text.stl"):
        (folder / name).write_text("nothing but text\n")
    (folder / "empty-folder").mkdir()
    (folder / "pictures").mkdir()
    Image.new("L", (60, 40), 200).save(folder / "pictures" / "a.png")
    Image.new("L", (300, 200), 250).save(folder / "blank.png")
    page = np.full((200, 200), 255, np.uint8)
    cv2.line(page, (40, 50), (160, 150), 0, 4)
    Image.fromarray(page).save(folder / "line.png")
    cv2.circle(page, (100, 100), 60, 0, 4)
    Image.fromarray(page).save(folder / "ring.png")
    Image.fromarray(np.full((20, 20), 900, np.uint16)).save(folder / "depth.png")
    np.save(folder / "grid20.npy", np.zeros((20, 20, 20), bool))
    trimesh.creation.box((2, 1, 1)).export(folder / "box.stl")
    (folder / "page.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="50mm" '
                                     'viewBox="0 0 50 50"><path d="M1 1L9 9"/></svg>')
    (folder / "bad.yaml").write_text("{system: iwgan, model: {}, train: {steps: -1}}")
    (folder / "unknown.yaml").write_text("{system: iwgam, model: {}}")
    (folder / "list.yaml").write_text("[1, 2]")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Of each call the exit code and what it said on standard error, as the snapshot keeps it."""
    folder = tmp_path_factory.mktemp("bad")
    lay_out(folder)
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        import contextlib
        import io

        patch.chdir(folder)
        patch.setenv("SHELL", "/bin/bash")
        for line in CALLS:
            with contextlib.redirect_stderr(io.StringIO()) as told, contextlib.redirect_stdout(io.StringIO()):
                code = call(*shlex.split(line))
            text = re.sub("known endings: .*", "known endings: ...", told.getvalue())  # as Pillow was built
            lines.append((line, code, text.replace(str(folder), "HERE").splitlines()))
    return lines


def test_each_mistake_is_one_line_as_it_was(said, snapshot):
    text = "".join(f"$ maquette {call}\n" + "".join(f"  {line}\n" for line in [*lines, f"exit {code}"])
                   for call, code, lines in said)
    snapshot.check("errors.txt", text)


def test_mistakes_are_told_in_one_line_and_end_with_1_or_2(said):
    pages = ("data", "models", "runs", "evaluate study", "train")  # these show what there is, on standard output
    for line, code, told in said:
        mistakes = [one for one in told if one.startswith("maquette")]
        renamed = [one for one in mistakes if one.endswith(" now")]
        assert code in (1, 2), line
        assert len(mistakes) - len(renamed) == (line not in pages), (line, told)
        assert not any("Traceback" in one for one in told), line


def test_the_snapshot_can_fail_and_can_be_written(tmp_path):
    (tmp_path / "kept.txt").write_text("one\ntwo\n")
    with pytest.raises(AssertionError, match="(?s)-two.*\\+three.*--update-snapshots"):
        Snapshot(tmp_path, False).check("kept.txt", "one\nthree\n")
    with pytest.raises(AssertionError, match="\\+one"):
        Snapshot(tmp_path, False).check("new.txt", "one\n")
    Snapshot(tmp_path, True).check("kept.txt", "one\nthree\n")
    Snapshot(tmp_path, False).check("kept.txt", "one\nthree\n")


def test_a_changed_line_fails(said, snapshot, tmp_path):
    kept = (snapshot.folder / "errors.txt").read_text()
    (tmp_path / "errors.txt").write_text(kept.replace("did you mean", "perhaps you mean", 1))
    with pytest.raises(AssertionError, match="perhaps you mean"):
        test_each_mistake_is_one_line_as_it_was(said, Snapshot(tmp_path, False))


def test_with_json_a_mistake_leaves_one_document(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("draw", "gone.stl", "--json") == 1
    told = capsys.readouterr()
    assert "gone.stl" in json.loads(told.out)[0]["error"] and told.err.startswith("maquette: ")
