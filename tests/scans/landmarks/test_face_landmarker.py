"""MediaPipe's face landmarker at work on photographs, and the crops that it is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from capture import Capture
from capture.colmap import read_model
from scans.images.decoding import decode_file
from scans.landmarks.crops import Crop
from scans.landmarks.detector import FaceLandmarker
from scans.landmarks.finding import find_landmarks, load_detector
from scans.landmarks.names import INDEX, LEFT_PUPIL, RIGHT_PUPIL
from tests.helpers import SHARED, needs_shared
from tests.scans.landmarks.faces import needs_model

ORBIT = SHARED / "data" / "selfie_orbit"
UNIT_MM = 21.7  # by the distance of his pupils, 63.7 mm


needs_photographs = needs_shared(ORBIT, "photographs of a face")
ANGLES = st.floats(-np.pi, np.pi)


@settings(max_examples=30)
@given(x=st.floats(20, 60), y=st.floats(20, 60), side=st.floats(8, 300), angle=ANGLES)
def test_crops_show_the_pixels_that_they_say(x: float, y: float, side: float, angle: float) -> None:
    """An image whose colours are its coordinates: the crop's colours are those of `to_image`, where it is inside."""
    size, crop = 16, Crop(x, y, side, angle)
    row, column = np.meshgrid(np.arange(80), np.arange(80), indexing="ij")
    image = np.stack([3 * column, 3 * row, np.full_like(row, 255)], axis=-1).astype(np.uint8)
    cut = crop.cut(image, size).astype(float)
    along = (np.arange(size) + 0.5) / size
    places = np.stack(np.meshgrid(along, along), axis=-1)
    pixels = crop.to_image(places)
    np.testing.assert_allclose(crop.from_image(pixels), places, atol=1e-9)
    margin = 2 + side / size
    inside = ((pixels > margin) & (pixels < 80 - margin)).all(axis=-1)
    np.testing.assert_allclose(cut[inside][:, :2], 3 * (pixels[inside] - 0.5), atol=max(3, 2.2 * side / size))
    assert not inside.any() or abs((cut[inside][:, :2] - 3 * (pixels[inside] - 0.5)).mean()) < max(0.8, side / size)
    beyond = ((pixels < -margin) | (pixels > 80 + margin)).any(axis=-1)
    assert (cut[beyond] == 0).all()


@pytest.fixture(scope="module")
def detector() -> FaceLandmarker:
    return load_detector()


@needs_model
def test_the_average_face_looks_out_of_its_mesh(detector: FaceLandmarker) -> None:
    mesh, normals = detector.mesh, detector.mesh.landmark_normals
    assert mesh.vertices.shape == (468, 3) and normals.shape == (478, 3)
    assert normals[INDEX["nose_tip"], 2] > 0.9 and normals[RIGHT_PUPIL, 2] > 0.8 and normals[LEFT_PUPIL, 2] > 0.8
    for name, index in INDEX.items():
        if name.startswith("right_") and index < 468:  # the subject's left is x
            assert mesh.vertices[index, 0] < 0 < mesh.vertices[INDEX[name.replace("right", "left")], 0], name
    outer = mesh.vertices[INDEX["left_eye_outer"], 0] - mesh.vertices[INDEX["right_eye_outer"], 0]
    assert 0.07 < outer < 0.11


@needs_model
@needs_photographs
def test_landmarks_of_a_real_face_agree_and_measure_its_pupils(detector: FaceLandmarker) -> None:
    model = read_model(ORBIT / "sparse")
    few = range(0, 13, 3)
    capture = Capture(ORBIT, model.with_views([model.cameras[view] for view in few], few), Capture.read(ORBIT).info)
    found = find_landmarks(capture, detector=detector)
    assert all(face.status == "used" for face in found.faces)
    assert np.mean([status == "sure" for status in found.status]) > 0.85
    assert np.nanmedian(found.residual_px) < 1.2
    pupils = UNIT_MM * np.linalg.norm(found.positions[RIGHT_PUPIL] - found.positions[LEFT_PUPIL])
    mouth = UNIT_MM * np.linalg.norm(
        found.positions[INDEX["left_mouth_corner"]] - found.positions[INDEX["right_mouth_corner"]]
    )
    assert abs(pupils - 63.7) < 2.5 and 40 < mouth < 58


@needs_model
@needs_photographs
def test_a_face_is_found_whichever_way_up_and_however_small(detector: FaceLandmarker) -> None:
    image = decode_file(ORBIT / "images" / "000041.png").colours
    upright = detector.find(image)
    assert upright is not None and upright.presence > 0.99
    height, width = image.shape[:2]
    for turns, back in (
        (1, lambda p: np.stack([width - p[:, 1], p[:, 0]], axis=1)),
        (2, lambda p: np.array([width, height]) - p),
        (3, lambda p: np.stack([p[:, 1], height - p[:, 0]], axis=1)),
    ):
        turned = detector.find(np.rot90(image, turns))
        assert turned is not None and turned.presence > 0.99
        off = np.linalg.norm(back(turned.pixels) - upright.pixels, axis=1)
        assert np.median(off) < 0.01 * upright.size, turns
    studio = np.full((1600, 2400, 3), 90, np.uint8)
    small = np.asarray(Image.fromarray(image).resize((width // 2, height // 2), Image.Resampling.BICUBIC))
    studio[1200 : 1200 + height // 2, 300 : 300 + width // 2] = small
    found = detector.find(studio)
    assert found is not None and found.presence > 0.99
    off = np.linalg.norm(found.pixels - (upright.pixels / 2 + [300, 1200]), axis=1)
    assert np.median(off) < 0.01 * upright.size


@needs_model
def test_nothing_is_no_face(detector: FaceLandmarker) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    for image in (noise, np.full((120, 80, 3), 128, np.uint8)):
        found = detector.find(image)
        assert found is None or found.presence < 0.5
