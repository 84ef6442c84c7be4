"""Lens models against pycolmap's, in a process of its own: its native libraries could disturb other tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from capture import CAMERA_MODELS, Camera, InputError
from capture.lens_models import LENS_MODELS
from tests.helpers import camera

WIDTH, HEIGHT = 640, 480

# Lenses that cover the frame, most of them wide: model, parameters.
LENSES = [
    ("SIMPLE_PINHOLE", (300, 320, 240)),
    ("PINHOLE", (300, 310, 320, 240)),
    ("SIMPLE_RADIAL", (500, 320, 240, -0.05)),
    ("RADIAL", (300, 320, 240, -0.1, 0.02)),
    ("OPENCV", (300, 310, 320, 240, 0.02, -0.005, 0.001, 0.002)),
    ("FULL_OPENCV", (300, 310, 320, 240, 0.2, -0.05, 0.001, 0.002, 0.01, 0.1, 0.02, 0.003)),
    ("FOV", (300, 310, 320, 240, 0.9)),
    ("FOV", (300, 310, 320, 240, 0.0)),
    ("SIMPLE_FISHEYE", (300, 320, 240)),
    ("FISHEYE", (300, 310, 330, 230)),
    ("SIMPLE_RADIAL_FISHEYE", (300, 320, 240, 0.02)),
    ("RADIAL_FISHEYE", (300, 320, 240, 0.02, -0.01)),
    ("OPENCV_FISHEYE", (300, 310, 320, 240, 0.02, -0.005, 0.001, 0.0002)),
    ("THIN_PRISM_FISHEYE", (300, 310, 320, 240, 0.02, -0.005, 0.001, 0.002, 0.0001, 0.0002, 0.003, -0.002)),
    (
        "RAD_TAN_THIN_PRISM_FISHEYE",
        (300, 310, 320, 240, 0.02, -0.005, 0.001, 0.002, 1e-4, 2e-4, 0.003, -0.002, 0.001, 0.002, 0.0015, -0.0012),
    ),
    ("SIMPLE_DIVISION", (300, 320, 240, -0.2)),
    ("DIVISION", (300, 310, 320, 240, 0.1)),
    ("EUCM", (300, 310, 320, 240, 0.6, 1.2)),
    ("EUCM", (300, 310, 320, 240, 0.0, 1.0)),
    ("EQUIRECTANGULAR", (640, 480)),
]

PROGRAM = """
import json, sys
import numpy as np
import pycolmap
given = json.load(open(sys.argv[1]))
numbers = {name: int(number) for name, number in pycolmap.CameraModelId.__members__.items() if int(number) >= 0}
names = {name: pycolmap.Camera.create_from_model_name(1, name, 500, 640, 480).params_info for name in numbers}
answers = []
for model, params in given["lenses"]:
    camera = pycolmap.Camera(model=model, width=640, height=480, params=params)
    seen = camera.img_from_cam(np.array(given["points"]))
    answers.append([camera.cam_ray_from_img(np.array(given["pixels"])).tolist(), seen.tolist()])
json.dump({"numbers": numbers, "names": names, "answers": answers}, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def asked() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    edge = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT), (320, 240)], float)
    pixels = np.concatenate([rng.uniform((0, 0), (WIDTH, HEIGHT), (500, 2)), edge])
    axis = np.array([(0, 0, 1), (0, 0, -1), (1, 0, 0)], float)
    return {"pixels": pixels, "points": np.concatenate([rng.normal(size=(2000, 3)), axis])}


@pytest.fixture(scope="module")
def theirs(asked: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> dict:
    pytest.importorskip("pycolmap")
    folder = tmp_path_factory.mktemp("lenses")
    given = {"lenses": LENSES, **{key: value.tolist() for key, value in asked.items()}}
    (folder / "given.json").write_text(json.dumps(given))
    subprocess.run([sys.executable, "-c", PROGRAM, folder / "given.json", folder / "found.json"], check=True)
    return dict(json.loads(Path(folder / "found.json").read_text()))


def lens(model: str, params: tuple[float, ...]) -> Camera:
    return Camera("a.png", WIDTH, HEIGHT, model, params, np.eye(3), np.zeros(3))


def test_every_model_of_colmap_has_its_number_and_its_parameters(theirs: dict) -> None:
    assert {name: model.number for name, model in LENS_MODELS.items()} == theirs["numbers"]
    for name, parameters in CAMERA_MODELS.items():
        count = len(theirs["names"][name].split(","))
        assert len(parameters) == count
    assert {model for model, _ in LENSES} == set(CAMERA_MODELS)


@pytest.mark.parametrize("number", range(len(LENSES)), ids=[f"{model}{params[-1]}" for model, params in LENSES])
def test_pixels_are_colmaps(number: int, asked: dict[str, np.ndarray], theirs: dict) -> None:
    """To 1e-9 pixels; points that COLMAP has no image of have none here, and of the rest only what folds has none."""
    view = lens(*LENSES[number])
    rays, seen = (np.array(answer, float) for answer in theirs["answers"][number])
    np.testing.assert_allclose(view.rays(asked["pixels"]), rays, atol=1e-10)
    np.testing.assert_allclose(view.project(view.rays(asked["pixels"]))[0], asked["pixels"], atol=1e-9)
    pixels, depth = view.project(asked["points"])
    np.testing.assert_array_equal(depth, asked["points"][:, 2])
    shown = np.isfinite(pixels).all(axis=1)
    assert np.isfinite(seen[shown]).all() and shown.sum() > 300
    inside = view.inside(pixels)
    np.testing.assert_allclose(pixels[inside], seen[inside], atol=1e-9)
    np.testing.assert_allclose(pixels[shown], seen[shown], rtol=1e-9, atol=1e-9)
    # Where COLMAP has a pixel of the frame and we have none, that pixel shows something else: the lens folds there.
    folded = ~shown & view.inside(seen)
    if folded.any():
        assert LENSES[number][0] in ("SIMPLE_RADIAL", "RADIAL", "OPENCV", "DIVISION")
        other = view.rays(seen[folded])
        true = asked["points"][folded] / np.linalg.norm(asked["points"][folded], axis=1)[:, None]
        assert (np.einsum("pc,pc->p", other, true) < 0.999).all()


def test_points_that_the_distortion_folds_back_into_the_frame_are_not_seen() -> None:
    """r (1 - 0.2 r^2) grows up to r = 1.29 only: beyond, a polynomial would bring points back to the middle."""
    view = lens("SIMPLE_RADIAL", (500, 320, 240, -0.2))
    pixels, _ = view.project([[1.2, 0, 1], [2.2, 0, 1]])
    assert pixels[0, 0] == pytest.approx(320 + 500 * 1.2 * (1 - 0.2 * 1.2**2))
    assert np.isnan(pixels[1]).all() and not view.inside(pixels[1])
    assert 320 < 320 + 500 * 2.2 * (1 - 0.2 * 2.2**2) < 640  # where the formula alone puts it


@pytest.mark.parametrize("model", ["SIMPLE_FISHEYE", "OPENCV_FISHEYE", "THIN_PRISM_FISHEYE", "EUCM", "FOV"])
def test_fisheyes_see_nothing_behind_the_camera(model: str) -> None:
    """Their pixels from 90 degrees on, in an image circle that ends within the frame, have no direction."""
    view = camera(1, model)
    ahead, behind = view.centre + view.direction, view.centre - view.direction + [1e-3, 0, 0]
    assert view.inside(view.project(ahead)[0]) and np.isnan(view.project(behind)[0]).all()
    params = tuple(
        60 if name in ("f", "fx", "fy") else value
        for name, value in zip(CAMERA_MODELS[model], view.params, strict=True)
    )
    small = Camera("a.png", 640, 480, model, params, view.rotation, view.translation)
    rays = small.rays([[310, 250], [5, 5]])
    assert np.isfinite(rays[0]).all() and np.isnan(rays[1]).all()
    assert np.isnan(small.unproject([5, 5], 1.0)).all()


def test_a_panorama_sees_all_around() -> None:
    view = camera(1, "EQUIRECTANGULAR")
    points = view.centre + np.array([view.direction, -view.direction + 1e-3 * view.rotation[0], view.rotation[1]])
    pixels, depth = view.project(points)
    np.testing.assert_allclose(pixels[0], [320, 240], atol=1e-9)
    assert view.inside(pixels[:2]).all() and pixels[1, 0] > 639 and depth[1] < 0
    np.testing.assert_allclose(pixels[2, 1], 480, atol=1e-6)  # straight down
    assert view.panoramic and view.distorted


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("EUCM", (300, 310, 320, 240, 1.2, 1)),
        ("EUCM", (300, 310, 320, 240, 0.5, 0)),
        ("FOV", (300, 310, 320, 240, 3.2)),
        ("EQUIRECTANGULAR", (0, 480)),
    ],
)
def test_parameters_outside_of_their_range_are_refused(model: str, params: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"camera of a\.png"):
        lens(model, params)
