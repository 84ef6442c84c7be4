"""A small data set of heads whose surface is known: the head model itself as scan, with a cap of hair on it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from assets.head_models.head_model import Pose
from assets.head_models.registry import load_head_model
from assets.parameter_sampler import ParameterSampler
from capture import Camera, PixelClass
from capture.geometry import vertex_normals
from generator.components.shape import ShapeSpec
from generator.head import build_head
from generator.records import to_json
from scans.pictures.mesh_renderer import MeshRenderer
from training.features import FeatureConfig, input_channels
from training.model.module import SkinLabeller
from training.preparation.settings import Preparation
from training.preparation.simplify import simplify

SIZE = 96
VERTICES = 16_000  # a quarter of what the surface has there
HAIR_MM = 12.0


def shape_of(seed: int) -> ShapeSpec:
    model = load_head_model()
    draw = ParameterSampler(np.random.default_rng(seed))
    numbers = [tuple(map(float, sample(draw))) for sample in (model.sample_identity, model.sample_expression)]
    return ShapeSpec(model.name, numbers[0], numbers[1], Pose())


@cache
def sample(seed: int, masks: bool = True) -> dict[str, bytes]:
    """The files of a head in a shard: the face and the front of the scalp, with hair on it; don't change them."""
    shape = shape_of(seed)
    surface = build_head(load_head_model(), shape).surface()
    skin = surface.part("skin")
    middle = surface.vertices[surface.face_mask].mean(axis=0)
    near = np.linalg.norm(surface.vertices - middle, axis=1) < 0.14
    faces = surface.faces[skin & near[surface.faces].all(axis=1)]
    used, corners = np.unique(faces, return_inverse=True)
    fewer = simplify(surface.vertices[used].astype(float), corners.reshape(-1, 3), VERTICES)
    vertices, faces = fewer.vertices.astype(float), fewer.faces.astype(np.int32)
    hair = vertices[:, 2] > middle[2] + 0.05
    vertices += np.where(hair, HAIR_MM / 1000, 0)[:, None] * vertex_normals(vertices, faces)
    from scans.distance import surface_distance

    vertices = vertices.astype(np.float32)
    distance_mm = (1000 * surface_distance(vertices.astype(float), surface)[0]).astype(np.float32)
    true = distance_mm < 1.5
    seen = np.where(hair, PixelClass.SCALP_HAIR, PixelClass.SKIN).astype(np.uint8)
    arrays = io.BytesIO()
    np.savez(arrays, vertices=vertices, faces=faces, skin=true, distance_mm=distance_mm, seen_class=seen)
    cameras = [_camera(i, middle) for i in range(3)]
    spec = {
        "schema_version": 3,
        "shape": to_json(shape),
        "hair": {"family": "short" if seed % 2 else "bob"},
        "skin": {"melanin": 0.2 + 0.5 * (seed % 2)},
    }
    info = {
        "schema_version": 1,
        "id": f"made_{seed}",
        "seed": seed,
        "spec": spec,
        "cameras": [camera.to_json() for camera in cameras],
    }
    files = {"capture.json": json.dumps(info).encode(), "scan.npz": arrays.getvalue()}
    renderer = MeshRenderer(vertices, faces)
    for i, camera in enumerate(cameras):
        fragments = renderer.from_camera(camera)
        colours = np.where(hair[:, None], [60.0, 40.0, 20.0], [210.0, 150.0, 120.0])
        files[f"view_{i:02d}.jpg"] = _encoded(fragments.shade(colours), "JPEG")
        if masks:
            classes = np.zeros((SIZE, SIZE), np.uint8)
            classes[fragments.hit] = np.where(hair, PixelClass.SCALP_HAIR, PixelClass.SKIN)[fragments.corners[:, 0]]
            files[f"view_{i:02d}.mask.png"] = _encoded(classes, "PNG")
    return files


def write_dataset(folder: Path, train: int, test: int) -> Path:
    """A data set of such heads."""
    folder.mkdir(parents=True)
    splits = {}
    for name, seeds in (("train", range(train)), ("test", range(train, train + test))):
        path = folder / f"{name}-000000.tar"
        with tarfile.open(path, "w") as tar:
            for seed in seeds:
                for extension, data in sorted(sample(seed).items()):
                    entry = tarfile.TarInfo(f"made_{seed}.{extension}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        shard = {"name": path.name, "samples": len(seeds), "bytes": path.stat().st_size, "sha256": digest}
        ids = [f"made_{seed}" for seed in seeds]
        splits[name] = {"shards": [shard] if ids else [], "samples": len(seeds), "ids": ids}
    value = {"schema_version": 1, "splits": splits, "statistics": {}, "versions": {}}
    (folder / "dataset.json").write_text(json.dumps(value))
    return folder


def write_checkpoint(path: Path, names: list[str], network: str = "diffusion_net", heads: int | None = None) -> Path:
    """An untrained labeller."""
    torch.manual_seed(0)
    features = FeatureConfig(names)  # type: ignore[arg-type]
    labeller = SkinLabeller(network=network, width=8, blocks=1)  # type: ignore[arg-type]
    labeller.build(Preparation(features, 400, 8), input_channels(features))
    labeller.training_heads = heads
    checkpoint = {"state_dict": labeller.state_dict(), "hyper_parameters": dict(labeller.hparams)}
    labeller.on_save_checkpoint(checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, path)
    return path


def _camera(index: int, middle: np.ndarray) -> Camera:
    """In front, to the left, to the right."""
    angle = (0.0, 0.8, -0.8)[index]
    forward = np.array([np.sin(angle), np.cos(angle), 0.0])
    rotation = np.stack([np.cross([0, 0, -1.0], forward), [0, 0, -1.0], forward])
    shift = -rotation @ (middle - 0.6 * forward)
    focal = 2.0 * SIZE
    return Camera.pinhole(f"view_{index:02d}.jpg", (SIZE, SIZE), (focal, focal), (SIZE / 2, SIZE / 2), rotation, shift)


def _encoded(image: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()
