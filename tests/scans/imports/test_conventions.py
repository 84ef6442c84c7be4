"""Each format's own formulas, for cameras drawn at random, and the pixels of what is read from its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from capture.lens_models import LENS_MODELS
from scans.imports.image_files import ImageFiles
from scans.imports.records import BrownLens, Lens, View
from scans.imports.table import images_of, recognise
from tests.scans.imports import native
from tests.scans.imports.native import SIZES, Drawn, Native

FORMATS: dict[str, Callable[[Drawn], Native]] = {
    "Metashape, exact": lambda drawn: native.metashape(drawn, exact=True),
    "Metashape, k4 and b2": lambda drawn: native.metashape(drawn, exact=False),
    "PhotoScan": native.photoscan,
    "RealityCapture CSV": lambda drawn: native.reality_capture_csv(drawn, native.RC_OLD),
    "RealityScan CSV": lambda drawn: native.reality_capture_csv(drawn, native.RC_NEW),
    "RealityCapture XMP": native.reality_capture_xmp,
    "RealityCapture omega phi kappa": native.reality_capture_omega,
    "instant-ngp": lambda drawn: native.transforms(drawn, nerfstudio=False),
    "nerfstudio": lambda drawn: native.transforms(drawn, nerfstudio=True),
    **{
        f"Meshroom {version}": lambda drawn, version=version: native.meshroom(drawn, version)
        for version in (
            "1.1.0",
            "1.2.0",
            "1.2.1",
            "1.2.2",
            "1.2.4",
            "1.2.5",
            "1.2.7",
            "1.2.8",
            "1.2.10",
            "1.2.11",
            "1.2.12",
        )
    },
    "openMVG": native.openmvg,
    "OpenSfM": native.opensfm,
    "Bundler": native.bundler,
    "Polycam": native.polycam,
    "Record3D": lambda drawn: native.record3d(drawn, each=False),
    "Record3D, a lens per frame": lambda drawn: native.record3d(drawn, each=True),
}


def fill(folder: Path, made: Native) -> Path:
    """Write a format's files, and images where there are none yet; returns what is imported."""
    for name in (*SIZES, "lost.png", *made.pixels):
        path = folder / "images" / name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", SIZES.get(name, SIZES["wide.png"])).save(path)
    for name, text in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / made.file


def pixels_of(view: View, points: np.ndarray) -> np.ndarray:
    assert view.pose is not None and view.lens is not None
    local = points @ view.pose.rotation.T + view.pose.translation
    return through(view.lens, local)


def through(lens: Lens, local: np.ndarray) -> np.ndarray:
    if isinstance(lens, BrownLens):
        return lens.to_pixels(local)
    plane = LENS_MODELS[lens.model].lens(lens.values).to_plane(local)
    return plane * [lens.values["fx"], lens.values["fy"]] + [lens.values["cx"], lens.values["cy"]]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_read_sees_points_where_the_format_says(name: str, tmp_path: Path) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        made = FORMATS[name](Drawn.of(seed))
        source, found = recognise(fill(tmp_path, made))
        scene = found.read(source, ImageFiles(images_of(source, found)))
        aligned = {view.image.name: view for view in scene.views if view.pose is not None and view.image is not None}
        assert set(aligned) == set(made.pixels)
        for image, wanted in made.pixels.items():
            assert np.abs(pixels_of(aligned[image], made.points) - wanted).max() < 1e-9
        for points in (scene.points, scene.markers):
            for position, views, pixels in zip(points.positions, points.views, points.pixels, strict=True):
                for view, pixel in zip(views, pixels, strict=True):
                    assert np.abs(pixels_of(scene.views[view], position[None])[0] - pixel).max() < 1e-9

    check()


def test_a_camera_of_reality_capture_without_angles_looks_straight_down_with_y_up(tmp_path: Path) -> None:
    row = "wide.png,1,2,3,{},0,0,36,0,0,0,0,0,0,0,0"
    for heading, up in ((0, (0, 1, 0)), (90, (1, 0, 0))):  # clockwise from above: up is east
        files = {"cameras.csv": f"#{native.RC_OLD}\n{row.format(heading)}\n"}
        source, found = recognise(fill(tmp_path, Native(files, "cameras.csv", {}, np.zeros((0, 3)))))
        pose = found.read(source, ImageFiles(tmp_path / "images")).views[0].pose
        assert pose is not None
        assert np.allclose(pose.rotation[2], (0, 0, -1)) and np.allclose(pose.centre, (1, 2, 3))
        assert np.allclose(-pose.rotation[1], up)


@pytest.mark.parametrize(
    ("version", "focal", "ratio", "principal"),
    [
        ("1.2.3", 1000, 0.5, (-26, 16)),
        ("1.2.6", 1000, 2, (-26, 16)),
        ("1.2.11", 2000, 2, (-26, 16)),
    ],
)
def test_one_scene_in_meshrooms_versions_has_one_lens(
    version: str, focal: float, ratio: float, principal: tuple[float, float]
) -> None:
    """Of the file that AliceVision keeps to test that it reads its former versions."""
    from scans.imports.meshroom import _lens

    given = {"width": "4092", "height": "2048", "sensorWidth": "10", "focalLength": str(focal * 10 / 4092)}
    given |= {"pixelRatio": str(ratio), "type": "pinhole", "distortionType": "none"}
    lens = _lens(given | {"principalPoint": [str(each) for each in principal]}, tuple(map(int, version.split("."))))
    assert (lens.fx, lens.fy) == pytest.approx((1000, 2000)) and (lens.cx, lens.cy) == (2020, 1040)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.1.0", "focal length in pixels, absolute principal point"),
        ("1.2.1", "focal length in pixels, principal point from the middle"),
        ("1.2.4", "along x in mm, ratio fx / fy"),
        ("1.2.5", "along x in mm, ratio fy / fx"),
        ("1.2.11", "along y in mm, ratio fy / fx"),
    ],
)
def test_the_account_names_meshrooms_convention(version: str, said: str, tmp_path: Path) -> None:
    source, found = recognise(fill(tmp_path, native.meshroom(Drawn.of(1), version)))
    assert said in found.read(source, ImageFiles(images_of(source, found))).generation
