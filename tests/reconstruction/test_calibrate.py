"""Structure from motion: against known poses, synthetic and real, up to the similarity that it can't know."""

from __future__ import annotations

import os
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


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "sparse").iterdir())}


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


def test_the_same_bytes_for_any_number_of_threads_of_images_in_folders(images: Path, tmp_path: Path) -> None:
    """The files of two cameras have equal names, with a blank; between them lies what macOS leaves."""
    all_cores = os.sched_getaffinity(0)
    found = []
    for run, cores in (("one", {min(all_cores)}), ("all", all_cores)):
        for number, path in enumerate(sorted(images.iterdir())):
            to = tmp_path / run / "images" / ("right cam", "left cam")[number % 2] / f"view {number // 2}.png"
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
            (to.parent / f"._{to.name}").write_bytes(b"\0\5\26\7" + bytes(100))
        os.sched_setaffinity(0, cores)
        try:
            result = calibrate(tmp_path / run)
        finally:
            os.sched_setaffinity(0, all_cores)
        assert not result.left_out
        names = ["left cam/view 0.png", "left cam/view 1.png", *(f"right cam/view {i}.png" for i in range(3))]
        assert [camera.name for camera in Capture.read(tmp_path / run).cameras] == names
        assert len({camera.params for camera in result.model.cameras}) == 1  # one lens
        found.append(bytes_of(tmp_path / run))
    assert found[0] == found[1]


@needs_shared(TEMPLE, "photographs of the temple")
def test_real_photographs_against_their_calibration(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    true = {}
    for line in (TEMPLE / "templeSR_par.txt").read_text().splitlines()[1:]:
        name, *numbers = line.split()
        values = np.array(numbers, float)
        true[name] = -values[9:18].reshape(3, 3).T @ values[18:]
        assert values[0] == 1520.4 and values[4] == 1525.9
        shutil.copy(TEMPLE / name, tmp_path / "images" / name)
    result = calibrate(tmp_path)
    assert not result.metric and result.error < 0.5 and not result.doubts and not result.left_out
    for camera in result.model.cameras:
        assert camera.focal == pytest.approx((1520.4, 1525.9), rel=0.03)
    solved = centres(result.model.cameras)
    names = sorted(solved)
    error, _ = aligned_error(np.array([solved[n] for n in names]), np.array([true[n] for n in names]))
    assert error < 0.005  # metres, of a ring with a radius of 0.6 m


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
