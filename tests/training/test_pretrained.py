"""Checkpoints that are given away, and the one that comes with the program."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from capture import InputError
from factory.cli.main import main as p2p
from scans.meshes.reading import read_scan
from tests.helpers import REPO, SHARED, needs_shared
from tests.training.toy import write_capture, write_dataset
from training.checkpoints import labeller
from training.checkpoints.exporting import export_checkpoint
from training.checkpoints.labeller import read_checkpoint
from training.checkpoints.pretrained import PRETRAINED
from training.cli import main
from training.model.module import SkinLabeller
from training.model.network import LabellerNetwork
from training.segment import segment_capture

JAMES = SHARED / "data" / "james"


@pytest.fixture
def checkpoint(fitted) -> Path:
    return fitted[0] / "checkpoints" / "best.ckpt"


def test_an_exported_checkpoint_is_small_and_says_the_same(checkpoint: Path, tmp_path: Path) -> None:
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    assert small.stat().st_size < 0.5 * checkpoint.stat().st_size
    capture = write_capture(tmp_path / "toy_7", 7)
    ours, theirs = (segment_capture(capture, path) for path in (small, checkpoint))
    assert np.abs(ours.probability - theirs.probability).max() < 0.01
    assert read_checkpoint(small)["labeller"] == read_checkpoint(checkpoint)["labeller"]


def test_an_exported_checkpoint_is_calibrated_by_heads_that_it_never_saw(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    others = write_dataset(tmp_path / "others", train=4, test=1, first=20)
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt", others)
    before, after = (read_checkpoint(path)["labeller"] for path in (checkpoint, small))
    assert after["calibration"]["sure"] is not None and after["calibration"] != before["calibration"]
    assert {key: after[key] for key in after if key != "calibration"} == {
        key: before[key] for key in before if key != "calibration"
    }
    prediction = segment_capture(write_capture(tmp_path / "toy_7", 7), small)
    assert prediction.uncertain is not None and 0 < prediction.uncertain.mean() < 0.5
    prepared = {path.name.rsplit("-", 1)[0] for path in (others / "cache" / "heads").iterdir()}
    assert prepared == {"toy_20", "toy_21", "toy_22", "toy_23"}, "a test head calibrated it"
    own = write_dataset(tmp_path / "own", train=5, test=1)  # it was trained on three of these
    words = ["export", str(checkpoint), "--out", str(tmp_path / "none.ckpt"), "--calibrate", str(own)]
    assert p2p(words) == 2
    assert "--calibrate" in (told := capsys.readouterr().err) and "2 heads that the labeller wasn't trained on" in told
    assert not (tmp_path / "none.ckpt").exists()


def test_an_exported_checkpoint_may_lie_between_two(checkpoint: Path, tmp_path: Path, capsys) -> None:
    tuned, value = tmp_path / "tuned.ckpt", read_checkpoint(checkpoint)
    generator = torch.Generator().manual_seed(0)
    former = {name: weights.clone() for name, weights in value["state_dict"].items()}
    for name, weights in value["state_dict"].items():
        if name not in ("feature_mean", "feature_deviation"):
            weights += 0.2 * torch.rand(weights.shape, generator=generator)
    torch.save(value, tuned)
    between = export_checkpoint(tuned, tmp_path / "between.ckpt", start=str(checkpoint), start_share=0.25)
    for name, weights in read_checkpoint(between)["state_dict"].items():
        wanted = 0.75 * value["state_dict"][name] + 0.25 * former[name]
        torch.testing.assert_close(weights.float(), wanted, atol=2e-3, rtol=2e-3)
    words = ["export", str(tuned), "--out", str(tmp_path / "start.ckpt"), "--start", str(checkpoint)]
    assert p2p([*words, "--start-share", "1"]) == 0
    capture = write_capture(tmp_path / "toy_7", 7)
    ours, theirs = (segment_capture(capture, path) for path in (tmp_path / "start.ckpt", checkpoint))
    assert np.abs(ours.probability - theirs.probability).max() < 0.01
    capsys.readouterr()
    for more, told in (
        (["--start-share", "1.5"], "--start-share 1.5: a share between 0 and 1"),
        (["--start", "pretrained"], f"--start pretrained: {tuned} was not trained from it"),
    ):
        assert p2p([*words[:2], "--out", str(tmp_path / "none.ckpt"), "--start", str(checkpoint), *more]) == 2
        assert told in capsys.readouterr().err and not (tmp_path / "none.ckpt").exists()


def test_a_share_needs_a_labeller(checkpoint: Path, tmp_path: Path, capsys) -> None:
    words = ["export", str(checkpoint), "--out", str(tmp_path / "none.ckpt"), "--start-share", "0.3"]
    assert p2p(words) == 2 and "--start-share 0.3: of which labeller? name it with --start" in capsys.readouterr().err


def test_every_option_of_training_is_one_of_the_network_or_left_aside_where_it_is_read() -> None:
    """A checkpoint holds them all; one that neither knows can't be loaded."""
    options, network = (set(inspect.signature(kind).parameters) for kind in (SkinLabeller, LabellerNetwork))
    assert options - network - {"start"} == set(labeller._TRAINING)


def test_nothing_goes_on_from_an_exported_checkpoint(checkpoint: Path, tmp_path: Path, capsys) -> None:
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    assert main(["fit", "--data.dataset", str(tmp_path), "--ckpt_path", str(small)]) == 2
    assert "nothing to resume training from" in capsys.readouterr().err


def test_what_is_not_exported(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the checkpoint itself"):
        export_checkpoint(checkpoint, checkpoint)
    (tmp_path / "photograph.png").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"photograph.png: a checkpoint ends with .ckpt"):
        export_checkpoint(checkpoint, tmp_path / "photograph.png")
    assert (tmp_path / "photograph.png").read_bytes() == b"mine"
    value = read_checkpoint(checkpoint)
    name = next(name for name in value["state_dict"] if name.endswith("weight"))
    value["state_dict"][name] = value["state_dict"][name] + 1e6
    torch.save(value, tmp_path / "diverged.ckpt")
    with pytest.raises(InputError, match="half precision can't hold"):
        export_checkpoint(tmp_path / "diverged.ckpt", tmp_path / "small.ckpt")
    assert not (tmp_path / "small.ckpt").exists()


def test_the_labeller_that_comes_with_the_program_is_the_recommended_one() -> None:
    value = read_checkpoint(PRETRAINED)
    wanted = yaml.safe_load((PRETRAINED.parents[1] / "configs" / "recommended.yaml").read_text())
    options, preparation = value["hyper_parameters"], value["labeller"]["preparation"]
    assert {key: options[key] for key in wanted["model"]} == wanted["model"]
    assert preparation["vertices"] == wanted["data"]["vertices"]
    assert preparation["features"]["names"] == wanted["data"]["features"]["names"]
    assert value["labeller"]["training_heads"] == 40 and value["labeller"]["calibration"]["sure"] > 0.5
    assert PRETRAINED.stat().st_size < 2e6


@needs_shared(JAMES, "a real scan")
def test_it_labels_a_real_scan(tmp_path: Path) -> None:
    command = [sys.executable, str(REPO / "benchmarks" / "real_scan.py"), str(JAMES), "--out", str(tmp_path / "james")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    prediction = segment_capture(tmp_path / "james", PRETRAINED, JAMES / "james.obj")
    vertices = read_scan(JAMES / "james.obj").vertices  # Y up, the face towards +Z
    top, nose = vertices[:, 1] > np.percentile(vertices[:, 1], 92), vertices[:, 2].argsort()[-40:]
    assert prediction.probability[nose].min() > 0.7
    assert (prediction.probability[top] > 0.5).mean() < 0.05
    assert 0.45 < prediction.skin.mean() < 0.57
