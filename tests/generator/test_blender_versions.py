"""Every job of `generate.py` in every Blender that is here: previews, overlays, annotations and paint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assets.makehuman.model import load_default_model
from capture import Camera, PixelClass
from generator.jobs.annotation import AnnotationJob, Paint, PaintJob
from generator.jobs.files import Job, write_job
from generator.jobs.heads import CaptureJob, HeadRequest, PreviewJob
from generator.jobs.overlay import RECORD, OverlayJob, classes_name, read_overlay
from generator.jobs.rendering import Rendering
from generator.sampling import sample_spec
from tests.generator.blenders import ALL, Start
from tests.generator.read_exr import read_exr
from tests.generator.toy_model import override
from tests.helpers import looking_at_origin

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("start", ALL)]
TINY = Rendering(resolution=48, samples=1)
PLAIN = override(
    hair={"family": "crop", "strands": [1500, 1500]},
    headwear={"kind": "none"},
    eyewear={"kind": "none"},
    beard={"family": "none"},
    rig={"views": [[0, 0], [40, 0]]},
)


def run(start: Start, job: Job, tmp_path: Path) -> list[str]:
    """Do a job; returns its warnings."""
    write_job(tmp_path / "job.json", job)
    done = start("--job", str(tmp_path / "job.json"))
    assert done.returncode == 0, done.stderr[-2000:]
    return [line for line in done.stderr.splitlines() if line.startswith("WARNING ")]


def test_a_capture_with_every_pass(start: Start, tmp_path: Path) -> None:
    """Two heads in one process: what a Blender lacks is said once."""
    rendering = Rendering(resolution=48, samples=1, passes=("depth", "normals", "albedo", "uv"))
    heads = tuple(HeadRequest(tmp_path / f"head_{i}", 1, PLAIN) for i in (1, 2))
    warnings = run(start, CaptureJob(heads, rendering), tmp_path)
    versions = json.loads((tmp_path / "head_1" / "capture.json").read_text())["versions"]
    old = tuple(map(int, versions["blender"].split()[0].split("."))) < (3, 5)
    assert versions["hair_nodes"] == ("none" if old else "bundled")
    assert sum("hair nodes" in warning for warning in warnings) == old
    assert len(set(warnings)) == len(warnings) <= 2
    mask = np.asarray(Image.open(tmp_path / "head_1" / "masks" / "view_00.png"))
    assert {PixelClass.SKIN, PixelClass.SCALP_HAIR} <= set(np.unique(mask))
    passes = {name: read_exr(tmp_path / "head_1" / "passes" / name / "view_00.exr") for name in rendering.passes}
    assert np.array_equal(np.isfinite(passes["depth"]["Z"]), mask != PixelClass.BACKGROUND)
    normals = np.stack([passes["normals"][axis] for axis in "RGB"], axis=-1)
    assert np.allclose(np.linalg.norm(normals, axis=-1)[mask == PixelClass.SKIN], 1, atol=1e-3)
    assert (passes["uv"]["B"] == 1)[mask == PixelClass.SKIN].all()
    assert (passes["albedo"]["R"] > 0)[mask == PixelClass.SKIN].all()


def test_a_preview(start: Start, tmp_path: Path) -> None:
    run(start, PreviewJob((HeadRequest(tmp_path / "a", 1, PLAIN),), ((0.0, 0.0),), TINY), tmp_path)
    picture = np.asarray(Image.open(tmp_path / "a" / "view_00.png"))
    assert picture.shape == (48, 48, 3) and picture.std() > 10


def test_an_overlay_of_hair(start: Start, tmp_path: Path) -> None:
    model = load_default_model()
    views = tuple(looking_at_origin(f"{a}.png", a, size=48) for a in (0.0, 60.0))
    dense = override(hair={"family": "crop", "strands": [15000, 15000]}, beard={"family": "none"})
    spec = sample_spec(1, model, dense)
    job = OverlayJob(tmp_path / "hair", spec, None, views, True, TINY)
    (tmp_path / "hair").mkdir()
    run(start, job, tmp_path)
    assert (tmp_path / "hair" / RECORD).is_file()
    for index in range(2):
        seen = read_overlay(tmp_path / "hair", index)
        classes = np.asarray(Image.open(tmp_path / "hair" / "classes" / classes_name(index)))
        assert seen.shape == (48, 48, 4) and np.isfinite(seen).all()
        assert (seen[..., 3] > 0.9).sum() > 20
        assert set(np.unique(classes)) == {0, PixelClass.SCALP_HAIR}
        assert (seen[..., 3] > 0.5)[classes > 0].mean() > 0.8


def test_a_file_to_paint_in_and_back(start: Start, tmp_path: Path) -> None:
    scan, image = tmp_path / "scan.npz", tmp_path / "a.png"
    vertices = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0, 0.1], [0.1, 0, 0.1]])
    paint = np.array([Paint.SKIN, Paint.OTHER, Paint.NONE, Paint.SKIN], np.uint8)
    colours = np.full((4, 3), 90, np.uint8)
    np.savez(scan, vertices=vertices, faces=np.array([[0, 1, 3], [0, 3, 2]]), paint=paint, colours=colours)
    Image.new("RGB", (48, 48)).save(image)
    camera: Camera = looking_at_origin("a.png", 0.0, size=48)
    run(start, AnnotationJob(tmp_path / "a.blend", scan, "key", 1.0, "how to", (camera,), (image,)), tmp_path)
    run(start, PaintJob(tmp_path / "a.blend", tmp_path / "back.npz"), tmp_path)
    back = np.load(tmp_path / "back.npz", allow_pickle=False)
    assert np.array_equal(back["start"], paint) and str(back["key"]) == "key"
