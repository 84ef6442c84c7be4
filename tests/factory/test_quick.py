"""A mistake is told within two seconds of CPU time, before a library is loaded that takes longer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from capture import InputError
from capture.files import check_output
from factory.cli.main import ASSETS, COMMANDS
from tests.factory.test_cli import one_error
from training.early_checks import ROOT, check_training
from training.help_text import COMMANDS as LIGHTNING

SLOW = ("torch", "lightning", "bpy", "pycolmap", "numba", "ray", "matplotlib")
PROGRAM = f"""
import json, resource, sys
from factory.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
used = resource.getrusage(resource.RUSAGE_SELF)
loaded = [name for name in {SLOW!r} if name in sys.modules]
print(json.dumps({{"seconds": used.ru_utime + used.ru_stime, "loaded": loaded}}))
raise SystemExit(code)
"""
N = "/nowhere"
WRONG = {
    "demo": ["--out", "/proc/x"],
    "generate": ["--out", "/proc/x"],
    "distributions": [N],
    "preview": ["--out", "/proc/sheet.png"],
    "import": [N, "--out", "x"],
    "reconstruct": [N],
    "calibrate": [N],
    "label": [N],
    "segment": [N],
    "register": [N, "--out", "/proc/x"],
    "annotate": [N],
    "blend": [N, "--out", "x"],
    "landmarks": [N],
    "scale": [N],
    "pack": [N],
    "join": [N, "--out", "x"],
    "produce": ["--heads", "0"],
    "status": [N],
    "verify": [N],
    "report": [N],
    "export": [N, "--out", "x.ckpt"],
    "evaluate": [N],
    "fit": ["--data.dataset", N],
    "validate": ["--data.dataset", N],
    "test": ["--data.dataset", N],
    "predict": ["--data.dataset", N],
    "assets list": ["--library", N],
    "assets check": [N],
    "assets import-makehuman": [N, "--out", "x"],
    "assets import-hdri": [N, "--out", "x"],
    "assets credits": [N],
}


def test_every_command_is_tried() -> None:
    assert set(WRONG) == {*COMMANDS, *LIGHTNING, *(f"assets {name}" for name in ASSETS)}


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_file_is_told_at_once(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, *command.split(), *WRONG[command]]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
    one_error(done)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["loaded"] == []
    assert told["seconds"] < 4  # 2 on a machine that has nothing else to do
    assert not list(tmp_path.iterdir())


def test_an_output_that_can_be_made_leaves_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "a" / "b" / "c")
    check_output(tmp_path / "a" / "b.png")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a file stands where a folder is needed"):
        check_output(tmp_path / "file" / "b")


def test_files_of_training_are_looked_for_in_its_configuration(tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text(f"data: {{dataset: {tmp_path}}}\ntrainer: {{default_root_dir: {tmp_path}/run}}\n")
    with pytest.raises(InputError, match=f"no data set at {tmp_path} "):
        check_training(["fit", "--config", str(config)], ROOT)
    (tmp_path / "dataset.json").touch()
    check_training(["fit", "--config", str(config)], ROOT)
    with pytest.raises(InputError, match=f"checkpoint is missing: {tmp_path}/run/checkpoints/best.ckpt"):
        check_training(["test", f"--config={config}"], ROOT)
    check_training(["test", "--config", str(config), "--help"], ROOT)
    check_training(["fit", "--data.dataset", "s3://bucket/dataset"], ROOT)


def test_rays_sessions_lie_in_a_short_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = pytest.importorskip("factory.production.cluster")
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert cluster.session_folder() is None
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert cluster.session_folder() == "/tmp/ray"
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    with pytest.raises(InputError, match=f"RAY_TMPDIR {long}: too long"):
        cluster.session_folder()
