"""Structure from motion: against known poses, synthetic and real, up to the similarity that it can't know."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from capture import Camera, Capture, InputError
from factory.cli.main import main
from reconstruction import CalibrationSettings, KnownDistance, calibrate
from tests.helpers import SHARED, needs_shared
from tests.reconstruction.synthetic import make_capture, rig

TEMPLE = SHARED / "data" / "temple_sparse_ring"


def aligned_error(solved: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """(largest distance after the best similarity, its scale) of points (N, 3); Umeyama 1991."""
    a, b = solved - solved.mean(0), true - true.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = float((s * np.diag(sign)).sum() / (a**2).sum())
    return float(np.linalg.norm(scale * a @ rotation.T - b, axis=1).max()), scale


def centres(cameras: tuple[Camera, ...] | list[Camera]) -> dict[str, np.ndarray]:
    return {camera.name: camera.centre for camera in cameras}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate") / "sphere"
    make_capture(folder, 200)
    return folder / "images"


def test_a_textured_sphere(images: Path, tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "images")
    true = centres(rig(200))
    apart = float(np.linalg.norm(true["view_01.png"] - true["view_02.png"]))
    settings = CalibrationSettings(
        "SIMPLE_PINHOLE", True, known_distance=KnownDistance("view_01.png", "view_02.png", apart)
    )
    result = calibrate(tmp_path, settings)
    assert result.metric and not result.left_out and result.error < 1.0
    solved = centres(Capture.read(tmp_path).cameras)
    error, scale = aligned_error(np.array([solved[n] for n in true]), np.array(list(true.values())))
    assert error < 0.01 and abs(scale - 1) < 0.03  # metres; the cameras stand 0.6 m away
    with pytest.raises(InputError, match="holds cameras already"):
        calibrate(tmp_path)


@needs_shared(TEMPLE, "photographs of the temple")
def test_real_photographs_against_their_calibration(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    true = {}
    for line in (TEMPLE / "templeSR_par.txt").read_text().splitlines()[1:]:
        name, *numbers = line.split()
        values = np.array(numbers, float)
        true[name] = -values[9:18].reshape(3, 3).T @ values[18:]
        shutil.copy(TEMPLE / name, tmp_path / "images" / name)
    result = calibrate(tmp_path, CalibrationSettings("SIMPLE_RADIAL", shared_camera=True))
    assert not result.metric and result.error < 0.5
    assert len(result.model.cameras) >= 14
    solved = centres(result.model.cameras)
    names = sorted(solved)
    error, _ = aligned_error(np.array([solved[n] for n in names]), np.array([true[n] for n in names]))
    assert error < 0.02  # metres, of a ring with a radius of 0.6 m


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda folder: shutil.rmtree(folder / "images"), "no images"),
        (lambda folder: [p.unlink() for p in sorted((folder / "images").iterdir())[2:]], "at least 3"),
        (lambda folder: (folder / "images" / "view_01.png").write_bytes(b"x"), "view_01.png"),
    ],
)
def test_bad_images_are_named(images: Path, tmp_path: Path, change, match: str) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(images, tmp_path / "images")
    change(tmp_path)
    with pytest.raises(InputError, match=match):
        calibrate(tmp_path)
    assert not (tmp_path / "sparse").exists()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--scale", "-1"], "--scale -1.0"),
        (["--known-distance", "a.png,b.png"], "--known-distance a.png,b.png: use a.jpg,b.jpg,0.25"),
        (["--known-distance", "a.png,b.png,0"], "must be positive"),
        (["--scale", "1", "--known-distance", "a.png,b.png,1"], "not both"),
        (["--camera-model", "FISHEYE"], "--camera-model 'FISHEYE': use one of"),
    ],
)
def test_bad_options(
    images: Path, tmp_path: Path, options: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(tmp_path), *options]) == 2
    assert match in capsys.readouterr().err
