"""Options of Lightning's Trainer work, or end in one line and exit code 2."""

from __future__ import annotations

import functools
import json
import logging
import re
from pathlib import Path

import lightning
import pytest
import torch

from tests.helpers import REPO
from training import cli
from training.data.samplers import EvaluationSampler, OrderedSampler


@pytest.fixture
def words(dataset: Path, tmp_path: Path) -> list[str]:
    """Those of a short run on the toy data set."""
    config = tmp_path / "toy.yaml"
    options = {
        "model": {"width": 8, "blocks": 1},
        "data": {"dataset": str(dataset), "features": {"names": ["colour"]}, "vertices": 300, "eigenpairs": 8},
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "default_root_dir": str(tmp_path / "run")},
    }
    config.write_text(json.dumps(options))
    return ["fit", "--config", str(config), "--pictures.heads", "0"]


WORKING = {
    "overfit": (["overfit_batches", "2"], ["max_epochs", "2"]),
    "no checkpoints": (["enable_checkpointing", "false"],),
    "barebones": (["barebones", "true"],),
    "one callback": (["callbacks", "lightning.pytorch.callbacks.LambdaCallback"],),
    "a callback that no YAML holds": (["callbacks", "lightning.pytorch.callbacks.Timer"],),
    "no validation": (["limit_val_batches", "0"],),
    "mixed": (["precision", "bf16-mixed"],),
}
WRONG = {
    "a share of no batch": ("limit_train_batches", "0.1", "1 batches|0.1"),
    "a share of no validation batch": ("limit_val_batches", "0.1", "0.1"),
    "no such accelerator": ("accelerator", "quantum", "quantum"),
    "an accelerator that is absent": ("accelerator", "mps", "(?i)mps"),
    "no such strategy": ("strategy", "ddq", "ddq"),
    "a strategy of absent hardware": ("strategy", "fsdp", "(?i)fsdp"),
    "a precision of other networks": ("precision", "bf16-true", "--trainer.precision bf16-true: .* 16-mixed"),
    "doubles": ("precision", "64-true", "--trainer.precision 64-true"),
    "validation after the end": ("val_check_interval", "1000", "val_check_interval"),
    "a clipping that is not there": ("gradient_clip_algorithm", "sideways", "sideways"),
    "no such profiler": ("profiler", "sundial", "it can only be one of"),
    "no devices": ("devices", "0", "devices"),
    "batches that are none": ("limit_train_batches", "1.5", "1.5"),
}


@pytest.mark.parametrize("options", WORKING.values(), ids=WORKING)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_options_of_the_trainer_work(options: tuple[list[str], ...], words: list[str], tmp_path: Path) -> None:
    given = [f"--trainer.{name}={value}" for name, value in options]
    assert cli.main([*words, *given]) == 0
    written = "checkpointing" not in str(options) and "barebones" not in str(options)
    assert (tmp_path / "run/checkpoints/last.ckpt").is_file() == written


@pytest.mark.parametrize("option", WRONG.values(), ids=WRONG)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_options_that_can_not_be_end_in_one_line(
    option: tuple[str, str, str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, value, told = option
    if value == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has the accelerator that the test wants missing")
    assert cli.main([*words, f"--trainer.{name}={value}"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert re.search(told, last), last


@pytest.mark.parametrize("monitor", ["null", "train/loss"])
def test_what_is_best_may_be_said_otherwise(
    monitor: str, words: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert cli.main([*words, "--checkpoint.monitor", monitor]) == 0
    best = tmp_path / "run/checkpoints/best.ckpt"
    assert best.is_file() and f"best checkpoint: {best}" in caplog.text
    assert ("(train/loss " in caplog.text) == (monitor != "null")


def test_a_run_without_a_best_checkpoint_says_so(
    words: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    every = ["--checkpoint.save_last", "true", "--checkpoint.every_n_train_steps", "50"]
    assert cli.main([*words, *every]) == 0
    last = tmp_path / "run/checkpoints/last.ckpt"
    assert last.is_file() and not last.with_name("best.ckpt").exists()
    assert f"no checkpoint was chosen as the best ({last.with_name('best.ckpt')})" in caplog.text
    assert f"last checkpoint: {last}" in caplog.text


def test_overfitting_takes_the_same_samples_in_every_epoch() -> None:
    sampler = OrderedSampler(5, seed=3)
    first = [sample.index for sample in sampler]
    sampler.set_epoch(1)
    assert [sample.index for sample in sampler] == first == [0, 1, 2, 3, 4]
    assert [sample.position for sample in sampler][-1] == (1, 4)
    assert isinstance(sampler, torch.utils.data.SequentialSampler)
    assert isinstance(EvaluationSampler(2), torch.utils.data.SequentialSampler)


@pytest.mark.parametrize("config", ["recommended", "paper"])
def test_fit_takes_the_gpu_where_there_is_one(
    config: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an option; PyTorch says that there is one, and then that there is none."""
    chosen: list[tuple[str, str]] = []

    @functools.wraps(lightning.Trainer.fit)  # the command line reads its arguments
    def fit(trainer: lightning.Trainer, *arguments: object, **more: object) -> None:
        chosen.append((type(trainer.accelerator).__name__, str(trainer.strategy.root_device)))

    monkeypatch.setattr(lightning.Trainer, "fit", fit)
    monkeypatch.setattr(cli.TrainingCLI, "before_fit", lambda self: None)  # heads need not be prepared
    words = ["fit", "--config", str(REPO / "training" / "configs" / f"{config}.yaml"), "--data.dataset", str(dataset)]
    for number in (1, 0):
        monkeypatch.setattr(torch.cuda, "device_count", lambda number=number: number)
        cli.run([*words, "--trainer.default_root_dir", str(tmp_path)])
    assert chosen == [("CUDAAccelerator", "cuda:0"), ("CPUAccelerator", "cpu")]
