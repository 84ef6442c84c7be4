"""Registrations that start from detected landmarks, and are checked by them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from assets.head_models.registry import load_head_model
from capture import InputError, Mesh, RefusedError, Scan
from capture.geometry import rotation_matrix
from registration import rigid
from registration.apertures import PAIRS
from registration.files.detected import landmarks_of, steady_landmarks
from registration.files.inputs import SkinWeights
from registration.files.landmark_check import LandmarkCheck
from registration.files.outputs import ScanRegistration
from registration.files.register import _check_landmarks
from registration.pipeline import Registration
from registration.rigid import align
from registration.target import Target
from registration.template import Template
from scans.landmarks import face_size, model_file
from scans.landmarks.finding import combine
from scans.landmarks.names import STEADY
from scans.landmarks.records import FaceLandmarks
from tests.helpers import looking_at_origin, make_capture
from tests.scans.landmarks.faces import KnownFaces
from tests.scans.landmarks.test_finding import capture_of

UPSIDE_DOWN = rotation_matrix([0, np.pi, 0])


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model())


def places_of(template: Template, vertices: np.ndarray) -> dict[str, np.ndarray]:
    found = {name: template.landmark(vertices, name) for name in STEADY}
    return {name: place for name, place in found.items() if place is not None}


def done_with(template: Template, vertices: np.ndarray) -> ScanRegistration:
    scan = Scan(vertices, template.faces)
    registration = Registration(vertices, vertices, template.mean, {})
    return ScanRegistration("head", scan, 1.0, SkinWeights(None, None, None, ""), template, registration)


def test_all_of_the_steady_landmarks_are_the_default_head_models(template: Template) -> None:
    assert set(places_of(template, template.surface(template.mean))) == set(STEADY)


def test_a_scan_in_another_frame_is_aligned_from_rough_landmarks_without_a_search(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object) -> None:
        raise AssertionError("it searches")

    monkeypatch.setattr(rigid, "_search", search)
    turn, shift = rotation_matrix([0.2, 0.1, 2.0]) @ UPSIDE_DOWN, np.array([0.3, -0.5, 1.0])
    surface = template.surface(template.mean) @ turn.T + shift
    rng = np.random.default_rng(0)
    rough = {name: place + rng.normal(0, 0.003, 3) for name, place in places_of(template, surface).items()}
    scan, weights = Mesh(surface, template.faces), template.face_mask.astype(float)
    target = Target(scan, weights, 0.5)
    head = align(template, template.mean, target, scan, weights, detected=rough)[0]
    assert np.linalg.norm(template.surface(head) - surface, axis=1)[template.face_mask].max() < 0.001
    with pytest.raises(AssertionError, match="it searches"):
        align(template, template.mean, target, scan, weights)


def test_landmarks_change_nothing_where_the_scan_is_in_our_frame(template: Template) -> None:
    surface = template.surface(template.mean) + np.array([0.004, -0.003, 0.002])
    scan, weights = Mesh(surface, template.faces), template.face_mask.astype(float)
    target = Target(scan, weights, 0.5)
    wrong = {name: place @ UPSIDE_DOWN.T for name, place in places_of(template, surface).items()}
    with_them, without = (
        align(template, template.mean, target, scan, weights, detected=each)[0] for each in (wrong, None)
    )
    np.testing.assert_array_equal(with_them.turn, without.turn)
    np.testing.assert_array_equal(with_them.shift, without.shift)


@pytest.mark.parametrize(("off_mm", "outcome"), [(3, "silent"), (20, "warned"), (60, "refused")])
def test_registrations_far_from_the_landmarks_are_told_by_their_numbers(
    template: Template, off_mm: float, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    vertices = template.surface(template.mean)
    seen = {name: place + np.array([0, 0, off_mm / 1000]) for name, place in places_of(template, vertices).items()}
    done = done_with(template, vertices)
    done = replace(done, check=LandmarkCheck.of(done.template, done.registration.vertices, seen))
    assert done.summary()["landmarks"]["median_mm"] == off_mm
    with caplog.at_level(logging.WARNING):
        if outcome == "refused":
            with pytest.raises(RefusedError, match=rf"landmarks lie {off_mm} mm from those in the images"):
                _check_landmarks(done, Path("out"))
        else:
            _check_landmarks(done, Path("out"))
    assert bool(caplog.records) == (outcome == "warned")


def test_an_upside_down_head_is_refused(template: Template) -> None:
    vertices = template.surface(template.mean)
    done = done_with(template, vertices @ UPSIDE_DOWN.T)
    check = LandmarkCheck.of(template, done.registration.vertices, places_of(template, vertices))
    with pytest.raises(RefusedError, match="upside down"):
        _check_landmarks(replace(done, check=check), Path("out"))


def face_ball() -> Scan:
    """The whole ellipsoid that the face of formulas is the front of: its landmarks lie on it."""
    ball = trimesh.creation.icosphere(4)
    return Scan(ball.vertices * [0.06, 0.07, 0.09], ball.faces)


def detected_landmarks(where: Path, scan: Scan, metres: float) -> dict[str, np.ndarray] | None:
    return steady_landmarks(landmarks_of(where), str(where), scan, metres)


def test_landmarks_are_those_of_the_file_or_of_the_images_where_they_lie_on_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    capture, faces = capture_of(tmp_path / "c")
    monkeypatch.setattr(face_size, "load_detector", lambda *_: KnownFaces(faces))
    by_images = detected_landmarks(capture.folder, face_ball(), 1.0)
    assert by_images is not None and len(set(by_images) & set(STEADY)) > 5
    lids = {name for pair in PAIRS.values() for name in pair}
    assert set(by_images) <= set(STEADY) | lids and len(lids & set(by_images)) > 1
    combine(capture.cameras, list(faces.values()), KnownFaces(faces), 0.5, "c").write(capture.folder / "landmarks.json")
    monkeypatch.setattr(face_size, "load_detector", lambda *_: KnownFaces({}))
    by_file = detected_landmarks(capture.folder, face_ball(), 1.0)
    assert by_file is not None and set(by_file) == set(by_images)
    named = FaceLandmarks.read(capture.folder / "landmarks.json").named()
    assert all(np.array_equal(place, named[name]) for name, place in by_file.items())
    moved = Scan(face_ball().vertices + np.float32(0.1), face_ball().faces)
    with caplog.at_level(logging.INFO):
        assert detected_landmarks(capture.folder, moved, 1.0) is None
    assert "from the scan (median): not used" in caplog.text


def test_a_damaged_file_of_landmarks_is_named(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "noise")
    (capture.folder / "landmarks.json").write_text("{")
    with pytest.raises(InputError, match=r"landmarks\.json"):
        detected_landmarks(capture.folder, Scan.read(capture.scan_path), 1.0)


def test_without_a_model_or_a_face_there_are_no_landmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = make_capture(tmp_path / "noise")
    monkeypatch.setattr(face_size, "load_detector", lambda *_: KnownFaces(dict.fromkeys(range(256))))
    assert detected_landmarks(capture.folder, Scan.read(capture.scan_path), 1.0) is None
    assert detected_landmarks(capture.scan_path, Scan.read(capture.scan_path), 1.0) is None


def test_registration_goes_on_without_the_package_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = make_capture(tmp_path / "noise")
    monkeypatch.setattr(model_file, "PACKAGE", "no-such-package")
    assert detected_landmarks(capture.folder, Scan.read(capture.scan_path), 1.0) is None


@pytest.mark.parametrize("metres", [1.0, 0.001, 0.0217])
def test_cameras_have_the_unit_of_the_scan_though_it_was_brought_to_metres(template: Template, metres: float) -> None:
    ball = trimesh.creation.icosphere(4, radius=0.12)
    scan = Scan(ball.vertices, ball.faces)
    cameras = [looking_at_origin(f"{view}.png", 30.0 * view, distance=1.0 / metres) for view in range(12)]
    registration = Registration(np.zeros((3, 3)), np.zeros((3, 3)), template.mean, {})
    done = ScanRegistration("head", scan, metres, SkinWeights(None, None, None, ""), template, registration)
    assert done.camera_metres(cameras) == pytest.approx(metres)
    assert done.camera_metres(cameras, str(1.5 * metres)) == pytest.approx(1.5 * metres)
    if metres != 0.0217:  # nothing tells 0.04 from that but the scan's size, which is a head's in both
        others = [looking_at_origin(f"{view}.png", 30.0 * view, distance=1.0 / 0.04) for view in range(12)]
        assert done.camera_metres(others, known=0.04) == 0.04
