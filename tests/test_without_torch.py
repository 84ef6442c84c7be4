"""`p2p register`, `p2p annotate` and `p2p segment --reuse` at work where training's libraries can't be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assets.head_models.registry import load_head_model
from capture import Capture, Labels, Scan
from generator.jobs.annotation import AnnotationJob
from generator.jobs.files import read_job
from registration.template import Template
from tests.helpers import make_capture
from tests.scans.labelled import labelled_capture

REPO = Path(__file__).resolve().parent.parent
REFUSED = {
    "torch", "torchmetrics", "lightning", "transformers", "huggingface_hub", "safetensors", "onnx", "webdataset",
    "tensorboard", "numba", "pycolmap", "bpy", "ray", "pyvista", "vtkmodules", "jinja2",
}  # fmt: skip
LIGHT = {
    "training",
    "training.config_files",
    "training.early_checks",
    "training.help_text",
    "training.options",
    "training.yaml_options",
}  # what the command line itself reads of training
PROGRAM = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {REFUSED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from factory.cli.main import main
code = main(sys.argv[1:])
assert not {REFUSED!r} & {{name.split(".")[0] for name in sys.modules}}
assert {{name for name in sys.modules if name.split(".")[0] == "training"}} <= {LIGHT!r}
sys.exit(code)
"""


def p2p(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_scan_is_registered(tmp_path: Path) -> None:
    template = Template(load_head_model())
    vertices = template.surface(template.mean) + np.array([0.01, 0.0, -0.02])
    Scan(vertices.astype(np.float32), template.faces).write(tmp_path / "scan.ply")
    Labels(np.zeros(len(vertices), np.float32), vertices[:, 1] < 0.02).write(tmp_path / "labels.npz")
    done = p2p("register", tmp_path / "scan.ply", "--labels", tmp_path / "labels.npz", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json", ".obj", ".ply", ".png", ".html"}
    assert json.loads((tmp_path / "out" / "registered.json").read_text())["fit"]["median"] < 0.1


def test_masks_and_groups_are_written_of_a_prediction_that_is_there(tmp_path: Path) -> None:
    labelled_capture(tmp_path)
    done = p2p("segment", tmp_path, "--reuse", "--masks", "--formats", "obj")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "prediction" / "masks" / "skin" / "left" / "a.jpg.png").is_file()
    assert (tmp_path / "prediction" / "segmented.obj").is_file()


def test_an_annotation_is_written_up_to_where_blender_starts(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "ball")
    blender = tmp_path / "blender"
    blender.write_text('#!/bin/sh\nfor job; do :; done\ncp -r "$(dirname "$job")" "$(dirname "$0")/given"\n')
    blender.chmod(0o755)
    done = p2p("annotate", capture.folder, "--blender", blender)
    assert done.returncode == 2 and "made no file" in done.stderr, done.stderr
    job = read_job(tmp_path / "given" / "job.json")
    assert isinstance(job, AnnotationJob)
    assert len(job.cameras) == len(capture.cameras) and job.metres_per_unit == 1
    scan = Scan.read(capture.folder / Capture.SCAN)
    with np.load(tmp_path / "given" / "scan.npz") as arrays:
        np.testing.assert_array_equal(arrays["vertices"], scan.vertices)
    assert len(list((tmp_path / "given").glob("*.jpg"))) == len(capture.cameras)
