"""Masks painted in Blender: out, painted by a script as somebody would, and back."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import Capture, InputError, Labels, Scan
from factory.annotation import OTHER, SKIN, AnnotateOptions, import_annotation, skin_of, undistort, write_annotation
from factory.shards import PackSettings, pack
from tests.helpers import looking_at_origin, make_capture, p2p_here
from training.scans import read_labels, scan_key

BLENDER = shutil.which("blender")
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")

# What somebody does by hand: paint the upper half, some of it half-heartedly.
PAINT = """
import bpy, json, sys
import numpy as np
path, what = sys.argv[-2:]
bpy.ops.wm.open_mainfile(filepath=path, use_scripts=False)
scan = bpy.context.object
found = {"mode": bpy.context.mode, "name": scan.name, "text": [t.name for t in bpy.data.texts],
         "active": scan.data.color_attributes.active_color.name, "colours": sorted(scan.data.color_attributes.keys()),
         "cameras": sorted(c.name for c in bpy.data.objects if c.type == "CAMERA"),
         "packed": [image.packed_file is not None and list(image.size) for image in bpy.data.images],
         "lens": [round(c.lens, 4) for c in bpy.data.cameras],
         "shading": sorted({a.spaces.active.shading.color_type for s in bpy.data.screens for a in s.areas
                            if a.type == "VIEW_3D"})}
print("FOUND" + json.dumps(found))
bpy.ops.object.mode_set(mode="OBJECT")
mesh = scan.data
places = np.empty(3 * len(mesh.vertices), np.float32)
mesh.vertices.foreach_get("co", places)
places = places.reshape(-1, 3)
if what == "paint":
    mask = np.tile(np.array([*OTHER, 1.0], np.float32), (len(places), 1))
    strength = np.clip(places[:, 2] / 0.1 + 0.5, 0, 1)[:, None]
    mask[:, :3] += strength * (np.array(SKIN) - mask[:, :3])
    mesh.color_attributes["skin mask"].data.foreach_set("color", mask.astype(np.float32).ravel())
if what == "move":
    mesh.vertices[0].co.x += 0.001
if what == "delete":
    import bmesh
    work = bmesh.new()
    work.from_mesh(mesh)
    work.verts.ensure_lookup_table()
    work.verts.remove(work.verts[0])
    work.to_mesh(mesh)
if what == "forget":
    mesh.color_attributes.remove(mesh.color_attributes["skin mask"])
if what == "rename":
    mesh.name = "mine"
bpy.ops.wm.save_mainfile()
""".replace("OTHER", str(OTHER.tolist())).replace("SKIN", str(SKIN.tolist()))


def by_hand(blend: Path, what: str = "paint") -> dict:
    done = subprocess.run([sys.executable, "-c", PAINT, str(blend), what], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))
    import json

    return dict(json.loads(line.removeprefix("FOUND")))


@given(st.floats(0, 1))
def test_the_nearer_colour_counts(share: float) -> None:
    colour = (1 - share) * OTHER + share * SKIN
    if abs(share - 0.5) > 1e-6:
        assert skin_of(colour[None])[0] == (share > 0.5)


def test_pictures_without_distortion_are_what_a_pinhole_sees() -> None:
    pinhole = looking_at_origin("a.png", 10.0, size=120, distance=0.5)
    fx, fy = pinhole.focal
    bent = replace(pinhole, model="OPENCV", params=(fx, fy, 60.0, 60.0, 0.9, 0.3, 0.002, -0.001))
    rng = np.random.default_rng(0)
    points = pinhole.unproject(rng.uniform(40, 80, (6, 2)), 0.5)
    image = np.zeros((120, 120, 3), np.float64)
    grid = np.stack(np.meshgrid(np.arange(120) + 0.5, np.arange(120) + 0.5), axis=-1)
    for pixel in bent.project(points)[0]:  # soft dots where the bent camera sees the points
        image[..., 0] += 255 * np.exp(-((grid - pixel) ** 2).sum(-1) / 4)
    flat = undistort(image.clip(0, 255).astype(np.uint8), bent)
    for x, y in pinhole.project(points)[0]:
        assert flat[int(y), int(x), 0] > 180
    assert np.array_equal(undistort(flat, pinhole), flat)


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A capture with a file that somebody painted, and what they saw in it."""
    folder = tmp_path_factory.mktemp("annotation") / "somebody"
    make_capture(folder)
    blend = write_annotation(folder, AnnotateOptions(unit="m"))
    assert blend == folder / "annotation.blend" and not list(folder.glob(".*"))
    return folder, by_hand(blend)


@needs_bpy
@pytest.mark.slow
def test_the_file_opens_ready_to_paint(painted: tuple[Path, dict]) -> None:
    _, found = painted
    assert found["mode"] == "PAINT_VERTEX" and found["name"] == "scan" and found["active"] == "skin mask"
    assert found["colours"] == ["photo colours", "skin mask"] and found["text"] == ["How to paint the mask"]
    assert found["cameras"] == [f"view_{i:02d}.png" for i in range(3)] and found["packed"] == [[48, 48]] * 3
    assert found["shading"] == ["VERTEX"] and found["lens"] == [pytest.approx(3.5 * 36)] * 3


@needs_bpy
@pytest.mark.slow
def test_paint_comes_back_as_labels(painted: tuple[Path, dict], tmp_path: Path) -> None:
    folder, _ = painted
    before = (folder / Capture.LABELS).read_bytes()
    path = import_annotation(folder / "annotation.blend", tmp_path / "mine.npz", None)
    scan = Scan.read(folder / Capture.SCAN)
    labels = Labels.read(path)
    middle = np.abs(scan.vertices[:, 2]) < 2e-3  # bytes round what is half painted
    np.testing.assert_array_equal(labels.skin[~middle], scan.vertices[~middle, 2] > 0)
    assert labels.painted and labels.scan == scan_key(scan)
    assert (folder / Capture.LABELS).read_bytes() == before
    with pytest.raises(InputError, match="was painted on another scan"):
        read_labels(path, Scan(scan.vertices * 1.01, scan.faces))
    assert read_labels(path, scan).skin.any()
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert import_annotation(copy / "annotation.blend", None, None) == copy / Capture.LABELS
    with pytest.raises(InputError, match="were painted: data sets hold heads whose surface is known"):
        pack([copy], tmp_path / "data", PackSettings())
    start = write_annotation(copy, AnnotateOptions(unit="m"))  # goes on from what was painted
    np.testing.assert_array_equal(read_labels(import_annotation(start, None, None), scan).skin, labels.skin)
    Scan(scan.vertices[:, [1, 0, 2]], scan.faces).write(copy / Capture.SCAN)
    with pytest.raises(InputError, match=r"annotation.blend was painted on another scan than .*scan.ply"):
        import_annotation(start, None, None)


@needs_bpy
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("move", "vertices of the scan were moved"),
        ("delete", "the scan was changed, not only painted"),
        ("forget", "the colours 'skin mask' are gone"),
        ("rename", "holds no scan to annotate"),
        ("look", "nothing is painted as skin"),
    ],
)
def test_what_is_more_than_paint_is_refused(what: str, message: str, tmp_path: Path) -> None:
    make_capture(tmp_path / "c")
    blend = write_annotation(tmp_path / "c" / Capture.SCAN, AnnotateOptions("none", "m", tmp_path / "a.blend"))
    by_hand(blend, what)
    with pytest.raises(InputError, match=message):
        import_annotation(blend, None, None)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".blend1") == ["a.blend", "c"]


@needs_bpy
@pytest.mark.slow
@pytest.mark.skipif(BLENDER is None, reason="no blender binary on PATH")
def test_blenders_binary_does_the_same(tmp_path: Path) -> None:
    make_capture(tmp_path / "c")
    blend = write_annotation(tmp_path / "c", AnnotateOptions(unit="m", blender=Path(str(BLENDER))))
    labels = Labels.read(tmp_path / "c" / Capture.LABELS)
    for blender, name in ((Path(str(BLENDER)), "a.npz"), (None, "b.npz")):
        np.testing.assert_array_equal(Labels.read(import_annotation(blend, tmp_path / name, blender)).skin, labels.skin)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either a scan to paint on or --import"),
        (("{c}", "--import", "x.blend"), "give either a scan to paint on or --import"),
        (("--import", "x.blend"), "no such file: x.blend"),
        (("--import", "{c}/scan.ply", "--unit", "m"), "--import needs neither"),
        (("--import", "{c}/scan.ply", "--out", "l.txt"), "labels are an .npz file"),
        (("{c}/head.blend",), "scan is missing"),
        (("{c}", "--out", "x.ply"), "a Blender file ends with .blend"),
        (("{c}", "--labels", "nowhere.npz"), "no labels at nowhere.npz"),
        (("{c}", "--blender", "/nowhere/blender", "--unit", "m"), "can't start /nowhere/blender"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_capture(tmp_path / "c")
    monkeypatch.chdir(tmp_path)
    code, said = p2p_here("annotate", *(word.format(c=tmp_path / "c") for word in words))
    assert code == 2 and message in said.splitlines()[-1] and "Traceback" not in said, said


@needs_bpy
@pytest.mark.slow
def test_other_files_are_no_annotations(tmp_path: Path) -> None:
    wrong = tmp_path / "x.blend"
    wrong.write_bytes(b"BLENDER-v300 is not much of a file")
    with pytest.raises(InputError, match=r"x\.blend .*read"):
        import_annotation(wrong, None, None)
