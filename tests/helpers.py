"""Small things that several tests make."""

from __future__ import annotations

import contextlib
import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from assets.head_models.registry import DEFAULT, load_head_model
from capture import CAMERA_MODELS, Camera, Capture, CaptureInfo, HeadSurface, Labels, Scan
from registration.template import Template
from tests.logging_state import logging_kept

REPO = Path(__file__).resolve().parents[1]

# Third-party data, which is no part of the project: a folder that P2P_SHARED names, by default `../shared`.
SHARED = Path(os.environ.get("P2P_SHARED") or REPO.parent / "shared").resolve()

XHTML = "http://www.w3.org/1999/xhtml"  # a name that pages to turn around give elements by, and no address


def needs_shared(path: Path, what: str) -> pytest.MarkDecorator:
    """Skip a test, saying why, where a file or folder below `SHARED` is absent."""
    return pytest.mark.skipif(not path.exists(), reason=f"{what}: not at {path}; P2P_SHARED names another folder")


def rotation(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def camera(seed: int = 0, model: str = "PINHOLE") -> Camera:
    values = {"f": 500, "fx": 510, "fy": 490, "cx": 310, "cy": 250, "k1": 0.1, "k2": -0.04, "p1": 0.002, "p2": -0.001}
    values |= {"k3": 0.01, "k4": 0.02, "k5": 0.001, "k6": 0.002, "k0": 0.03, "p0": 0.001, "k": -0.1, "omega": 0.8}
    values |= {"sx1": 0.003, "sy1": -0.002, "s0": 0.002, "s1": -0.001, "s2": 0.001, "s3": -0.002}
    values |= {"alpha": 0.6, "beta": 1.1, "w": 640, "h": 480}
    params = tuple(values[name] for name in CAMERA_MODELS[model])
    return Camera("view.png", 640, 480, model, params, rotation(seed), np.random.default_rng(seed).normal(size=3))


def looking_at_origin(name: str, azimuth: float, size: int = 48, distance: float = 1.0) -> Camera:
    """A pinhole camera around the origin, Z up; azimuth in degrees, 0 from -Y."""
    a = np.radians(azimuth)
    centre = distance * np.array([np.sin(a), -np.cos(a), 0.0])
    forward = -centre / distance
    right = np.array([np.cos(a), np.sin(a), 0.0])
    rotation = np.stack([right, np.cross(forward, right), forward])
    focal = (3.5 * size, 3.5 * size)
    return Camera.pinhole(name, (size, size), focal, (size / 2, size / 2), rotation, -rotation @ centre)


def make_capture(folder: Path, *, seed: int = 0, views: int = 3, labelled: bool = True) -> Capture:
    """A toy capture: pictures of noise, a sphere of 10 cm as scan and head, the front half of it skin."""
    rng = np.random.default_rng(seed)
    sphere = trimesh.creation.icosphere(3, radius=0.1)
    cameras = [looking_at_origin(f"view_{i:02d}.png", 40.0 * (i - views // 2)) for i in range(views)]
    (folder / "images").mkdir(parents=True)
    for camera_ in cameras:
        pixels = rng.integers(0, 256, (camera_.height, camera_.width, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / camera_.name)
    HeadSurface(sphere.vertices, sphere.faces, face_mask=sphere.vertices[:, 1] < -0.05).write(folder / "head.ply")
    if labelled:
        colours = rng.integers(0, 256, sphere.vertices.shape).astype(np.uint8)
        Scan(sphere.vertices, sphere.faces, colours).write(folder / "scan.ply")
        skin = sphere.vertices[:, 1] < 0
        Labels(np.where(skin, 0.2, 5.0).astype(np.float32), skin).write(folder / "labels.npz")
    return Capture.create(folder, cameras, CaptureInfo(folder.name, seed, {"hair": "none"}, {"blender": "4.5"}))


def coarse_template(which: str | Path = DEFAULT) -> Template:
    """`load_template` without subdivision, which takes less time."""
    return Template(load_head_model(which), levels=0)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def p2p_here(*words: object) -> tuple[int, str]:
    """Exit code and error output of `p2p`, run in this process: many mistakes cost one start of Python."""
    from factory.cli.main import main

    said = io.StringIO()
    with logging_kept(), contextlib.redirect_stderr(said):
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, said.getvalue()
