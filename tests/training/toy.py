"""A toy data set: bumpy spheres, the bump labelled, pictures with the bump in another colour."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from capture import Camera

RADIUS = 0.1
SIZE = 112


def toy_mesh(seed: int, subdivisions: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and whether a vertex belongs to the bump."""
    rng = np.random.default_rng(seed)
    ball = trimesh.creation.icosphere(subdivisions)
    axis = rng.normal(size=3) * [0.6, 0.2, 0.6] + [0, -1, 0]
    axis /= np.linalg.norm(axis)
    bump = ball.vertices @ axis > 0.75
    height = 1 + 0.25 * np.maximum(ball.vertices @ axis - 0.75, 0) + rng.normal(0, 0.001, len(bump))
    return (RADIUS * ball.vertices * height[:, None]).astype(np.float32), np.asarray(ball.faces, np.int32), bump


def toy_camera(index: int, count: int, distance: float = 0.5) -> Camera:
    """A view on a half circle in front of the origin (the front is -Y)."""
    angle = np.pi * ((index + 0.5) / count - 0.5)
    forward = np.array([np.sin(angle), np.cos(angle), 0.0])
    rotation = np.stack([np.cross([0, 0, -1.0], forward), [0, 0, -1.0], forward])
    focal = 1.7 * SIZE
    name = f"view_{index:02d}.jpg"
    return Camera.pinhole(name, (SIZE, SIZE), (focal, focal), (SIZE / 2, SIZE / 2), rotation, [0, 0, distance])


def toy_image(camera: Camera, vertices: np.ndarray, bump: np.ndarray) -> np.ndarray:
    """(H, W, 3) points splatted front to back, the bump red and the rest grey."""
    return _splat(camera, vertices, np.where(bump[:, None], [200, 60, 40], [120, 120, 120]), 30)


def toy_mask(camera: Camera, vertices: np.ndarray, bump: np.ndarray) -> np.ndarray:
    """(H, W) class ids of the same: skin, garment and background."""
    return _splat(camera, vertices, np.where(bump, 1, 7), 0)


def _splat(camera: Camera, vertices: np.ndarray, values: np.ndarray, background: int) -> np.ndarray:
    pixels, depth = camera.project(vertices)
    image = np.full((SIZE, SIZE, *values.shape[1:]), background, np.uint8)
    for i in np.argsort(-depth):
        x, y = pixels[i].astype(int)
        image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = values[i]
    return image


def toy_sample(seed: int, views: int = 3, masks: bool = False, scans: int = 1) -> dict[str, bytes]:
    """The files of a head in a shard; further scans are a little larger each."""
    vertices, faces, bump = toy_mesh(seed)
    cameras = [toy_camera(i, views) for i in range(views)]
    info = {"schema_version": 1, "id": f"toy_{seed}", "seed": seed, "cameras": [camera.to_json() for camera in cameras]}
    arrays = io.BytesIO()
    distance_mm = np.where(bump, 0.5, 9).astype(np.float32)
    seen_class = np.where(bump, 1, np.where(vertices[:, 1] > 0.05, 255, 7)).astype(np.uint8)  # skin, unseen, garment
    columns = {"faces": faces, "skin": bump, "distance_mm": distance_mm, "seen_class": seen_class}
    np.savez(arrays, vertices=vertices, **columns)
    files = {"capture.json": json.dumps(info).encode(), "scan.npz": arrays.getvalue()}
    for number in range(1, scans):
        more = io.BytesIO()
        np.savez(more, vertices=(vertices * (1 + 0.01 * number)).astype(vertices.dtype), **columns)
        files[f"scan_{number:02d}.npz"] = more.getvalue()
        files[f"style_{number:02d}.json"] = json.dumps({"name": "hair"}).encode()
    for i, camera in enumerate(cameras):
        data = io.BytesIO()
        Image.fromarray(toy_image(camera, vertices, bump)).save(data, "JPEG", quality=95)
        files[f"view_{i:02d}.jpg"] = data.getvalue()
        if masks:
            data = io.BytesIO()
            Image.fromarray(toy_mask(camera, vertices, bump)).save(data, "PNG")
            files[f"view_{i:02d}.mask.png"] = data.getvalue()
    return files


def write_dataset(
    folder: Path, train: int = 3, test: int = 1, masks: bool = False, first: int = 0, scans: int = 1
) -> Path:
    """A data set of toy heads, of seeds from `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    splits = {}
    for name, seeds in (("train", range(first, first + train)), ("test", range(first + train, first + train + test))):
        path = folder / f"{name}-000000.tar"
        with tarfile.open(path, "w") as tar:
            for seed in seeds:
                for extension, data in sorted(toy_sample(seed, masks=masks, scans=scans).items()):
                    entry = tarfile.TarInfo(f"toy_{seed}.{extension}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        shard = {"name": path.name, "samples": len(seeds), "bytes": len(data), "sha256": digest}
        splits[name] = {"shards": [shard], "samples": len(seeds), "ids": [f"toy_{seed}" for seed in seeds]}
    value = {"schema_version": 1, "splits": splits, "statistics": {}, "versions": {}}
    (folder / "dataset.json").write_text(json.dumps(value))
    return folder


def write_capture(folder: Path, seed: int, views: int = 3) -> Path:
    """A capture folder of a toy head, with a scan and no labels."""
    from capture import Capture, CaptureInfo, Scan

    vertices, faces, bump = toy_mesh(seed)
    cameras = [toy_camera(i, views) for i in range(views)]
    (folder / "images").mkdir(parents=True)
    for camera in cameras:
        Image.fromarray(toy_image(camera, vertices, bump)).save(folder / "images" / camera.name, quality=95)
    Capture.create(folder, cameras, CaptureInfo(f"toy_{seed}"))
    Scan(vertices, faces).write(folder / "scan.ply")
    return folder
