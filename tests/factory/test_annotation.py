"""Masks painted in Blender: out, painted by a script as somebody would, and back."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capture import Camera, Capture, CaptureInfo, InputError, Labels, Scan
from factory.annotation.options import AnnotateOptions
from factory.annotation.painted import import_annotation
from factory.annotation.to_paint import write_annotation
from factory.dataset.packing import PackSettings, pack
from factory.stages.stamps import forget, stamp_path
from generator.jobs.annotation import COLOURS, Paint
from scans.images.undistortion import pinhole_cameras
from scans.meshes.reading import read_labels, scan_key
from scans.predictions import Prediction
from tests.helpers import looking_at_origin, make_capture, p2p_here

BLENDER = shutil.which("blender")
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
needs_blender = pytest.mark.skipif(BLENDER is None, reason="no blender binary on PATH")

# What somebody does by hand: paint the upper half, some of it half-heartedly, or something that they shouldn't.
BY_HAND = """
import json, sys
import bpy, bmesh
import numpy as np
from bpy_extras.object_utils import world_to_camera_view

OTHER, SKIN = np.array(json.loads(sys.argv[-1])) / 255

def look():
    scene, scan = bpy.context.scene, bpy.context.object
    brush, mesh = scene.tool_settings.unified_paint_settings, scan.data
    areas = list(bpy.data.screens["Layout"].areas)
    views = [area.spaces.active for area in areas if area.type == "VIEW_3D"]
    opened = {"mode": scan.mode, "name": scan.name, "frame": [scene.render.resolution_x, scene.render.resolution_y],
             "texts": [text.as_string() for text in bpy.data.texts],
             "shown": [area.spaces.active.text.name for area in areas if area.type == "TEXT_EDITOR"],
             "active": mesh.color_attributes.active_color.name, "colours": sorted(mesh.color_attributes.keys()),
             "packed": [image.packed_file is not None and list(image.size) for image in bpy.data.images
                        if image.source == "FILE"],
             "pictures": {c.name: [b.image.name for b in c.background_images] for c in bpy.data.cameras},
             "shading": [view.shading.color_type for view in views], "seen": {},
             "through": [view.region_3d.view_perspective for view in views],
             "brush": [[round(255 * v) for v in colour] for colour in (brush.color, brush.secondary_color)],
             "key": scan["p2p_scan"], "count": scan["p2p_vertices"], "unit": scan["p2p_metres_per_unit"]}
    for marker in scene.timeline_markers:  # a frame a camera
        scene.frame_set(marker.frame)
        assert scene.camera == marker.camera
        opened["seen"][scene.camera.name] = [list(world_to_camera_view(scene, scene.camera, vertex.co))[:2]
                                            for vertex in mesh.vertices[:20]]
    return opened

def change(what):
    scan = bpy.context.object
    mesh = scan.data
    places, mask = np.empty((len(mesh.vertices), 3), np.float32), np.empty((len(mesh.vertices), 4), np.float32)
    mesh.vertices.foreach_get("co", places.ravel())
    colours = mesh.color_attributes["skin mask"]
    colours.data.foreach_get("color_srgb", mask.ravel())
    rows = {"paint": slice(None), "some": slice(0, 100), "blue": slice(None)}.get(what, slice(0))
    strength = np.clip(places[rows, 2:] / 0.1 + 0.5, 0, 1) if what != "blue" else 0
    mask[rows, :3] = OTHER + strength * (SKIN - OTHER)
    colours.data.foreach_set("color_srgb", mask.ravel())
    if what == "move":
        mesh.vertices[0].co.x += 0.001
    if what == "delete":
        work = bmesh.new()
        work.from_mesh(mesh)
        work.verts.ensure_lookup_table()
        work.verts.remove(work.verts[0])
        work.to_mesh(mesh)
    if what == "forget":
        mesh.color_attributes.remove(mesh.color_attributes["skin mask"])
    if what == "copy":
        bpy.context.scene.collection.objects.link(bpy.data.objects.new("copy", mesh.copy()))
    if what == "other file":
        for each in (scan, mesh):
            del each["p2p_scan"]
    mesh.name = "mine"  # names are people's to choose

blend, *changes = sys.argv[sys.argv.index("BLEND") + 1 : -1]
for what, target in zip(changes[::2], changes[1::2]):
    bpy.ops.wm.open_mainfile(filepath=blend, use_scripts=False)
    if target == changes[1]:
        print("FOUND" + json.dumps(look()))
        bpy.ops.wm.open_mainfile(filepath=blend, use_scripts=False)
    bpy.ops.object.mode_set(mode="OBJECT")
    change(what)
    bpy.ops.object.mode_set(mode="VERTEX_PAINT")
    bpy.ops.wm.save_as_mainfile(filepath=target)
"""


def by_hand(blend: Path, changes: Mapping[str, Path], blender: str | None = None) -> dict[str, Any]:
    """Open a file in Blender and save changed ones, kind of change -> path; returns the state on opening."""
    words = ["BLEND", str(blend), *(str(word) for change in changes.items() for word in change)]
    words.append(json.dumps(COLOURS[[Paint.OTHER, Paint.SKIN]].tolist()))
    command = [sys.executable, "-c", BY_HAND, *words]
    if blender is not None:
        command = [blender, "--background", "--python-exit-code", "1", "--python-expr", BY_HAND, "--", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))
    return dict(json.loads(line.removeprefix("FOUND")))


def upper_half(vertices: np.ndarray, skin: np.ndarray) -> bool:
    """Whether the upper half is skin, but for what is half painted, which bytes round."""
    middle = np.abs(vertices[:, 2]) < 2e-3
    return np.array_equal(skin[~middle], vertices[~middle, 2] > 0)


def agree(opened: Mapping[str, Any], cameras: tuple[Camera, ...], vertices: np.ndarray) -> bool:
    """Whether Blender's cameras see the first vertices where ours, flattened, do."""
    width, height = opened["frame"]
    for camera, flat in zip(cameras, pinhole_cameras(cameras), strict=True):
        assert (flat.width, flat.height) == (width, height)
        x, y = np.array(opened["seen"][camera.name]).T
        pixels, _ = flat.project(vertices[:20].astype(float))
        np.testing.assert_allclose(np.stack([x * width, (1 - y) * height], axis=1), pixels, atol=2e-3)
    return True


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A capture with a file that somebody painted, and what they saw in it."""
    folder = tmp_path_factory.mktemp("annotation") / "somebody"
    make_capture(folder)
    blend = write_annotation(folder, AnnotateOptions(unit="m"))
    assert blend == folder / "annotation.blend" and not list(folder.glob(".*"))
    return folder, by_hand(blend, {"paint": blend})


@needs_bpy
@pytest.mark.slow
def test_the_file_opens_ready_to_paint(painted: tuple[Path, dict]) -> None:
    folder, opened = painted
    scan = Scan.read(folder / Capture.SCAN)
    assert opened["mode"] == "VERTEX_PAINT" and opened["name"] == "scan" and opened["active"] == "skin mask"
    assert opened["colours"] == ["photo colours", "skin mask"] and opened["shown"] == ["How to paint the mask"]
    assert "mask of somebody" in opened["texts"][0] and "--import annotation.blend" in opened["texts"][0]
    names = [f"view_{i:02d}.png" for i in range(3)]
    assert sorted(opened["seen"]) == names and opened["packed"] == [[48, 48]] * 3
    assert {name: len(shown) for name, shown in opened["pictures"].items()} == dict.fromkeys(names, 1)
    assert opened["shading"] == ["VERTEX"] and opened["through"] == ["CAMERA"]
    assert opened["brush"] == [COLOURS[Paint.SKIN].tolist(), COLOURS[Paint.OTHER].tolist()]
    assert (opened["key"], opened["count"], opened["unit"]) == (scan_key(scan), len(scan.vertices), 1.0)
    assert agree(opened, Capture.read(folder).cameras, scan.vertices)


@needs_bpy
@pytest.mark.slow
def test_paint_comes_back_as_labels(painted: tuple[Path, dict], tmp_path: Path) -> None:
    folder, _ = painted
    before = (folder / Capture.LABELS).read_bytes()
    path = import_annotation(folder / "annotation.blend", tmp_path / "mine.npz", None)
    scan = Scan.read(folder / Capture.SCAN)
    labels = Labels.read(path)
    assert upper_half(scan.vertices, labels.skin)
    assert labels.painted and labels.scan == scan_key(scan)
    with np.load(path) as arrays:
        assert arrays["painted"]
    with pytest.raises(InputError, match="was painted on another scan"):
        read_labels(path, Scan(scan.vertices * 1.01, scan.faces))
    with pytest.raises(InputError, match=r"labels.npz was not painted: move it away"):
        import_annotation(folder / "annotation.blend", None, None)
    assert (folder / Capture.LABELS).read_bytes() == before
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / Capture.LABELS).unlink()
    stamp_path(copy, "label").parent.mkdir()
    stamp_path(copy, "label").write_text("{}")
    assert import_annotation(copy / "annotation.blend", None, None) == copy / Capture.LABELS
    assert not stamp_path(copy, "label").exists()
    assert pack([copy], tmp_path / "data", PackSettings(0))["splits"]["train"]["samples"] == 1
    Scan(scan.vertices[:, [1, 0, 2]], scan.faces).write(copy / Capture.SCAN)
    with pytest.raises(InputError, match=r"annotation.blend was painted on another scan than .*scan.ply"):
        import_annotation(copy / "annotation.blend", None, None)
    forget(copy, "reconstruct")
    assert not (copy / Capture.SCAN).exists() and Labels.read(copy / Capture.LABELS).painted  # no stage made them


@needs_bpy
@pytest.mark.slow
def test_what_was_painted_is_gone_on_with(tmp_path: Path) -> None:
    """And never lost: neither the file, nor earlier labels, nor to a prediction that lies beside."""
    folder = make_capture(tmp_path / "c").folder
    scan = Scan.read(folder / Capture.SCAN)
    skin = scan.vertices[:, 0] > 0.03
    Labels(np.full(len(skin), np.nan, np.float32), skin, scan=scan_key(scan)).write(folder / Capture.LABELS)
    probability = np.ones(len(skin), np.float32)
    Prediction(probability, probability > 0.5, scan_key(scan)).write(folder / "prediction" / Prediction.FILE)
    blend = write_annotation(folder, AnnotateOptions(unit="m"))
    with pytest.raises(InputError, match=r"annotation.blend is there already, and somebody may have painted in it"):
        write_annotation(folder, AnnotateOptions(unit="m"))
    again = read_labels(import_annotation(blend, None, None), scan)  # nobody painted, and nothing is lost
    np.testing.assert_array_equal(again.skin, skin)
    with pytest.raises(InputError, match=r"annotation.blend: nobody has painted in it"):
        import_annotation(blend, tmp_path / "elsewhere.npz", None)
    assert not (tmp_path / "elsewhere.npz").exists()
    by_hand(blend, {"paint": blend})
    mended = read_labels(import_annotation(blend, None, None), scan)
    assert upper_half(scan.vertices, mended.skin)
    np.testing.assert_array_equal(read_labels(folder / "labels_1.npz", scan).skin, skin)


@needs_bpy
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("move", "vertices of the scan were moved"),
        ("delete", "the scan was changed, not only painted"),
        ("forget", "the colours 'skin mask' are gone"),
        ("copy", "holds 2 scans to annotate"),
        ("other file", "holds no scan to annotate"),
        ("look", "nothing is painted in the colours 'skin mask'"),
        ("blue", "nothing is painted as skin"),
    ],
)
def test_what_is_more_or_less_than_paint_is_refused(what: str, message: str, bare: tuple[Path, dict]) -> None:
    blend = bare[0].with_name(f"{what}.blend")
    with pytest.raises(InputError, match=message):
        import_annotation(blend, None, None)
    assert not list(blend.parent.glob(f"*{what}*.[!b]*"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A mesh alone, in millimetres, with a face that is none and a vertex that no face has; what is in its file.

    Beside lie files that somebody changed.
    """
    folder = tmp_path_factory.mktemp("unpainted")
    sphere = Scan.read(make_capture(folder / "c").scan_path)
    vertices = np.concatenate([1000 * sphere.vertices, [[0, 0, 150]]])
    Scan(vertices, np.concatenate([sphere.faces, [[3, 3, 5]]])).write(folder / "bare.ply")
    blend = write_annotation(folder / "bare.ply", AnnotateOptions())
    kinds = ("some", "move", "delete", "forget", "copy", "other file", "look", "blue")
    return folder / "bare.ply", by_hand(blend, {what: folder / f"{what}.blend" for what in kinds})


@needs_bpy
@pytest.mark.slow
def test_a_mesh_alone(bare: tuple[Path, dict], caplog: pytest.LogCaptureFixture) -> None:
    """It starts with nothing painted; what stays so is left open, and said."""
    path, opened = bare
    assert opened["colours"] == ["skin mask"] and not opened["seen"] and opened["through"] == ["PERSP"]
    assert opened["unit"] == 0.001 and "photo" not in opened["texts"][0]
    with caplog.at_level("INFO"):
        labels = read_labels(import_annotation(path.with_name("some.blend"), None, None), Scan.read(path))
    vertices = Scan.read(path).vertices / 1000
    assert upper_half(vertices[:100], labels.skin[:100]) and not labels.skin[100:].any()
    assert labels.known is not None and labels.known[:100].all() and not labels.known[100:].any()
    assert "543 of 643 vertices are not painted" in caplog.text
    assert "100 of 643 vertices were painted otherwise" in caplog.text


@needs_bpy
@needs_blender
@pytest.mark.slow
def test_blenders_binary_does_the_same(tmp_path: Path) -> None:
    """The oldest that we know: it writes, somebody paints in it, it and the newest read. Cameras of many shapes."""
    folder = make_capture(tmp_path / "c").folder
    scan = Scan.read(folder / Capture.SCAN)
    a, b, c = (looking_at_origin(f"{name}.png", 30.0 * i, 48) for i, name in enumerate("abc"))
    cameras = (
        Camera.pinhole(a.name, (40, 64), (150, 160), (19, 35), a.rotation, a.translation),
        Camera(b.name, 64, 40, "OPENCV", (170, 165, 30, 22, 0.2, 0.1, 0.01, -0.01), b.rotation, b.translation),
        c,
    )
    shutil.rmtree(folder / "images")
    (folder / "images").mkdir()
    for camera in cameras:
        Image.new("RGB", (2 * camera.width, 2 * camera.height)).save(folder / "images" / camera.name)
    Capture.create(folder, cameras, CaptureInfo("c"))
    binary = Path(str(BLENDER))
    blend = write_annotation(folder, AnnotateOptions("none", "m", blender=binary))
    opened = by_hand(blend, {"paint": blend}, str(BLENDER))
    assert agree(opened, cameras, scan.vertices) and opened["mode"] == "VERTEX_PAINT"
    for blender, name in ((binary, "a.npz"), (None, "b.npz")):
        assert upper_half(scan.vertices, Labels.read(import_annotation(blend, tmp_path / name, blender)).skin)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either a scan to paint on or --import"),
        (("{c}", "--import", "x.blend"), "give either a scan to paint on or --import"),
        (("--import", "x.blend"), "no such file: x.blend"),
        (("--import", "{c}/scan.ply", "--unit", "m"), "--unit: for a scan to paint on; --import needs none of it"),
        (("--import", "{c}/scan.ply", "--out", "l.txt"), "labels are an .npz file"),
        (("--import", "{c}/scan.ply", "--out", "l.npz"), "scan.ply is no Blender file"),
        (("{c}/head.blend",), "scan is missing"),
        (("{c}/head.ply", "--camera-unit", "m"), "head.ply is a mesh alone, without cameras"),
        (("{c}", "--out", "x.ply"), "a Blender file ends with .blend"),
        (("{c}", "--labels", "nowhere.npz"), "no labels at nowhere.npz"),
        (("{c}", "--labels", "{c}/scan.ply"), "scan.ply is neither a labels.npz nor a prediction.npz"),
        (("{c}", "--blender", "/nowhere/blender", "--unit", "m"), "can't start /nowhere/blender"),
        (("{c}", "--blender", shutil.which("true"), "--unit", "m"), "made no file: is it Blender 3.4 or later?"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_capture(tmp_path / "c")
    monkeypatch.chdir(tmp_path)
    code, said = p2p_here("annotate", *(word.format(c=tmp_path / "c") for word in words))
    assert code == 2 and message in said.splitlines()[-1] and "Traceback" not in said, said
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".blend", ".npz") and path.stem != "labels"]


@needs_bpy
@pytest.mark.slow
def test_the_command_line_has_both_forms(bare: tuple[Path, dict], tmp_path: Path) -> None:
    code, said = p2p_here("annotate", "--import", bare[0].with_name("some.blend"), "--out", tmp_path / "mine.npz")
    assert code == 0 and "vertices are skin" in said and Labels.read(tmp_path / "mine.npz").painted
    code, said = p2p_here("annotate", bare[0], "--out", tmp_path / "again.blend", "--labels", tmp_path / "mine.npz")
    assert code == 0 and "painted as in" in said and (tmp_path / "again.blend").is_file()


@pytest.mark.parametrize("content", [b"BLENDER-v300 is not much of a file", b"", b"PK\x03\x04"])
def test_other_files_are_no_annotations(content: bytes, tmp_path: Path) -> None:
    wrong = tmp_path / "x.blend"
    wrong.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.blend .*read"):
        import_annotation(wrong, None, None)
