"""Each sample file of `formats`, imported and opened by COLMAP, shows the points where their makers saw them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from PIL import Image

from capture import Capture
from scans.imports import import_cameras
from tests.helpers import SHARED, needs_shared

SAMPLES = SHARED / "formats" / "samples"
TOLERANCE = 1e-6  # pixels
NAMES = (
    "metashape_xml", "photoscan_xml_1_2", "realitycapture_csv", "realitycapture_csv_opk", "realitycapture_csv_portrait",
    "realitycapture_xmp", "realityscan_csv_2", "realityscan_colmap", "nerfstudio", "instant_ngp", "meshroom_v1_2_0",
    "meshroom_v1_2_4", "meshroom_v1_2_8", "meshroom_v1_2_11", "openmvg", "opensfm", "bundler", "polycam", "record3d",
    "blender",
)  # fmt: skip
POINTS = {"metashape_xml": "markers", "openmvg": "tie_points", "bundler": "tie_points"}
POINTS |= {name: "tie_points" for name in NAMES if name.startswith("meshroom")}
IMAGES = {"polycam": "keyframes/corrected_images/{}.jpg", "record3d": "rgbd/{}.jpg", "blender": "images/{}"}

pytestmark = needs_shared(SAMPLES, "sample files of formats")


def with_images(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """A copy of a sample with the images, or the sidecars with lenses, that it lacks; and the truth of it."""
    place = folder / name
    shutil.copytree(SAMPLES / name, place, copy_function=shutil.copyfile)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755)
    truth = json.loads((place / "truth.json").read_text())
    (place / "truth.json").unlink()
    for image, camera in truth["cameras"].items():
        if name in IMAGES:
            target = place / IMAGES[name].format(image)
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (camera["width"], camera["height"]), "grey").save(target)
        if name == "realitycapture_csv_opk":
            sidecar = Path("images", image).with_suffix(".xmp")
            shutil.copyfile(SAMPLES / "realitycapture_xmp" / sidecar, place / sidecar)
    return (place / "cameras.csv" if name == "realitycapture_csv_opk" else place), truth  # sidecars are cameras, too


def seen_by_the_file(camera: dict[str, Any], plane: np.ndarray) -> np.ndarray:
    """Pixels of places (N, 2) on the plane of depth 1, of the truth's matrix and Brown coefficients."""
    k = {name: camera["distortion"].get(name, 0.0) for name in ("k1", "k2", "k3", "k4", "p1", "p2")}
    x, y = plane.T
    r2 = x * x + y * y
    radial = 1 + k["k1"] * r2 + k["k2"] * r2**2 + k["k3"] * r2**3 + k["k4"] * r2**4
    bent = [
        x * radial + 2 * k["p1"] * x * y + k["p2"] * (r2 + 2 * x * x),
        y * radial + k["p1"] * (r2 + 2 * y * y) + 2 * k["p2"] * x * y,
    ]
    return (np.stack([*bent, np.ones_like(x)], axis=1) @ np.array(camera["K"]).T)[:, :2]


@pytest.mark.parametrize("name", NAMES)
def test_colmap_sees_the_points_of_a_sample_at_their_pixels(name: str, tmp_path: Path) -> None:
    place, truth = with_images(name, tmp_path)
    report = import_cameras(place, tmp_path / "capture")
    model = pycolmap.Reconstruction(tmp_path / "capture" / "sparse")
    points = np.array(truth["points"])
    short = {"polycam": "{}.jpg", "record3d": "{}.jpg"}.get(name, "{}")
    wanted = {short.format(image): camera for image, camera in truth["cameras"].items()}
    assert sorted(image.name for image in model.images.values()) == sorted(wanted) == sorted(report.taken)
    resampled = [image for names in report.resampled.values() for image in names]
    for image in model.images.values():
        camera, pose = wanted[image.name], image.cam_from_world()
        assert np.abs(pose.rotation.matrix() - camera["R"]).max() < 1e-9
        assert np.abs(pose.translation - camera["t"]).max() < 1e-9
        pixels = np.array(model.cameras[image.camera_id].img_from_cam(pose * points))
        exact = camera["colmap_camera"] is not None
        assert exact == (image.name not in resampled)
        if not exact:  # back to the rays, and through the lens of the file
            lens = model.cameras[image.camera_id]
            pixels = seen_by_the_file(camera, (pixels - lens.params[1:3]) / lens.params[0])
        assert np.abs(pixels - camera["pixels"]).max() < TOLERANCE
        with Image.open(tmp_path / "capture" / "images" / image.name) as written:
            assert written.size == (model.cameras[image.camera_id].width, model.cameras[image.camera_id].height)
    if name not in IMAGES:  # of which the test has no image but those with a camera
        assert [Path(image).stem for image in report.unaligned] == [Path(image).stem for image in truth["unaligned"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_of_a_sample_is_read_and_projects_as_colmap_does(name: str, tmp_path: Path) -> None:
    place, truth = with_images(name, tmp_path)
    import_cameras(place, tmp_path / "capture")
    model = pycolmap.Reconstruction(tmp_path / "capture" / "sparse")
    poses = {image.name: (image.cam_from_world(), model.cameras[image.camera_id]) for image in model.images.values()}
    for camera in Capture.read(tmp_path / "capture").cameras:
        pose, lens = poses[camera.name]
        pixels, _ = camera.project(truth["points"])
        assert np.abs(pixels - np.array(lens.img_from_cam(pose * np.array(truth["points"])))).max() < TOLERANCE


@pytest.mark.parametrize("name", POINTS)
def test_a_sample_with_points_proves_itself(name: str, tmp_path: Path) -> None:
    place, truth = with_images(name, tmp_path)
    report = import_cameras(place, tmp_path / "capture")
    found = getattr(report, POINTS[name])
    assert found.points == len(truth["points"]) and found.pixels == 2 * found.points
    assert found.median < TOLERANCE and found.most < TOLERANCE and not found.triangulated
    written = Capture.read(tmp_path / "capture").model.points
    assert len(written) == (len(truth["points"]) if POINTS[name] == "tie_points" else 0)
