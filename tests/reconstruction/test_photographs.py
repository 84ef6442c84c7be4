"""Photographs to calibrate: which files they are, which of them share a camera, and what no lens has."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import Camera, InputError
from reconstruction import CalibrationSettings, calibrate
from reconstruction.colmap import pycolmap
from reconstruction.lens_plausibility import implausible
from reconstruction.photographs import find_photographs, group_by_camera
from reconstruction.structure_from_motion import _distorted, _lay_out, file_names
from scans.images.decoding import decode_file

PICTURE = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)


def exif(model: str = "EOS", focal: float = 50.0) -> Image.Exif:
    made = Image.Exif()
    made[271], made[272] = "Canon", model
    more = made.get_ifd(0x8769)
    more[37386], more[41989] = focal, int(focal)
    return made


def save(path: Path, size: tuple[int, int] = (16, 12), told: Image.Exif | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PICTURE).resize(size).save(path, exif=told or Image.Exif())


def test_photographs_lie_in_folders_and_hidden_files_are_none(tmp_path: Path) -> None:
    for name in ("camA/1.png", "camB/1.png", "2.JPG"):
        save(tmp_path / name)
    for name in ("camA/._1.png", "._2.JPG", ".cache/3.png", "__MACOSX/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("lens: 50 mm")
    assert [photograph.name for photograph in find_photographs(tmp_path)] == ["2.JPG", "camA/1.png", "camB/1.png"]


def test_files_that_are_not_read_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        (tmp_path / f"IMG_{number}.HEIC").write_bytes(b"ftypheic")
    (tmp_path / "IMG_0.dng").write_bytes(b"II*")
    with pytest.raises(
        InputError, match=r"0 images \(1 DNG file, 4 HEIC files, which can't be read; save them as JPEG"
    ):
        find_photographs(tmp_path)
    for number in range(3):
        save(tmp_path / f"{number}.png")
    with caplog.at_level(logging.WARNING):
        assert len(find_photographs(tmp_path)) == 3
    assert "1 DNG file, 4 HEIC files can't be read and are left out" in caplog.text


def test_cameras_that_colmap_left_in_a_folder_below_are_kept(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "images" / f"{number}.png")
    below = tmp_path / "sparse" / "0"
    below.mkdir(parents=True)
    (below / "cameras.bin").write_bytes(bytes(8))
    with pytest.raises(InputError, match="sparse/0 holds cameras already"):
        calibrate(tmp_path)


def test_images_share_a_camera_where_size_and_exif_are_equal(tmp_path: Path) -> None:
    for name, size, told in (
        ("a/1.jpg", (16, 12), exif()),
        ("a/2.jpg", (16, 12), exif()),
        ("b/1.jpg", (16, 12), exif(focal=85.0)),
        ("b/2.jpg", (16, 12), exif("iPhone")),
        ("b/3.jpg", (12, 16), exif()),
        ("b/4.png", (16, 12), None),
        ("b/5.jpg", (16, 12), None),
    ):
        save(tmp_path / name, size, told)
    photographs = find_photographs(tmp_path)

    def groups(shared: bool, per: str) -> list[list[str]]:
        return [[each.name for each in group] for group in group_by_camera(photographs, shared, per)]

    assert groups(False, "kind") == [
        ["a/1.jpg", "a/2.jpg"],
        ["b/1.jpg"],
        ["b/2.jpg"],
        ["b/3.jpg"],
        ["b/4.png", "b/5.jpg"],
    ]
    assert groups(False, "folder") == [
        ["a/1.jpg", "a/2.jpg"],
        ["b/1.jpg", "b/2.jpg", "b/4.png", "b/5.jpg"],
        ["b/3.jpg"],
    ]
    assert len(groups(False, "image")) == 7
    with pytest.raises(
        InputError, match=r"`shared_camera`: a/1.jpg \(16 x 12\) and b/3.jpg \(12 x 16\) differ in size"
    ):
        groups(True, "kind")
    with pytest.raises(InputError, match="either `shared_camera` or `camera_per`"):
        CalibrationSettings(shared_camera=True, camera_per="image")


def test_colmap_sees_the_pixels_that_stereo_sees_and_their_exif(tmp_path: Path) -> None:
    """Whatever the file: 16 bits, a palette, alpha, a suffix of another format."""
    folder = tmp_path / "images"
    save(folder / "plain.png", told=exif())
    Image.fromarray(PICTURE[..., 0].astype(np.uint16) << 8).save(folder / "grey16.png", exif=exif())
    Image.fromarray(PICTURE).quantize(16).save(folder / "palette.png")
    Image.fromarray(PICTURE).convert("CMYK").save(folder / "press.tif")
    Image.fromarray(PICTURE).save(folder / "really.png", "JPEG", exif=exif())
    photographs = find_photographs(folder)
    names = dict(zip([each.name for each in photographs], file_names(photographs), strict=True))
    _lay_out(photographs, names, tmp_path / "colmap")
    for photograph in photographs:
        path = tmp_path / "colmap" / names[photograph.name]
        seen = pycolmap.Bitmap.read(path, True).to_array()
        assert np.array_equal(seen, decode_file(photograph.path).colours), photograph.name
        told = photograph.name in ("plain.png", "grey16.png", "really.png")
        assert bool(photograph.kind) == told
        assert pycolmap.infer_camera_from_image(path).has_prior_focal_length == told


@pytest.mark.parametrize("k", [0.0, 0.12, -0.12])
def test_distortion_is_found_where_the_images_tell_it(k: float) -> None:
    """COLMAP's synthetic cameras, their distortion taken away."""
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, 8, 300
    options.camera_params = [1280.0, 512.0, 384.0, k]
    model = pycolmap.synthesize_dataset(options)
    rng = np.random.default_rng(0)
    for image in model.images.values():
        for point in image.points2D:
            point.xy = point.xy + rng.normal(0, 0.3, 2)
    for camera in model.cameras.values():
        camera.model, camera.params = pycolmap.CameraModelId.SIMPLE_PINHOLE, [1280.0, 512.0, 384.0]
    found = _distorted(model)
    assert (list(found) == [1]) == (k != 0)
    for camera in found.values():
        assert camera.params == pytest.approx([1280.0, 512.0, 384.0, k], rel=0.05)


@pytest.mark.parametrize(
    ("model", "params", "what"),
    [
        ("OPENCV", (1463.0, 408.0, 320.0, 240.0, 0, 0, 0, 0), "the focal lengths differ: fx 1463, fy 408"),
        ("SIMPLE_PINHOLE", (60.0, 320.0, 240.0), "the focal length is 60 x 60 pixels"),
        ("SIMPLE_PINHOLE", (33000.0, 320.0, 240.0), "the focal length is 33000 x 33000 pixels"),
        ("PINHOLE", (900.0, 905.0, 20.0, 240.0), r"the principal point is \(20, 240\)"),
        ("SIMPLE_RADIAL", (600.0, 320.0, 240.0, -9.0), "the distortion moves the corners by beyond all bounds"),
        ("SIMPLE_RADIAL", (600.0, 320.0, 240.0, 9.0), "the distortion moves the corners by .* % of the way"),
        ("SIMPLE_RADIAL", (1520.0, 302.0, 247.0, -0.13), None),
        ("SIMPLE_RADIAL", (460.0, 320.0, 240.0, -0.1), None),  # a wide lens of an action camera
        ("SIMPLE_PINHOLE", (7000.0, 320.0, 240.0), None),
    ],
)
def test_what_no_lens_has_is_told(model: str, params: tuple[float, ...], what: str | None) -> None:
    told = implausible(Camera("a.png", 640, 480, model, params, np.eye(3), np.zeros(3)))
    assert told is None if what is None else re.search(what, str(told))
