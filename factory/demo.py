"""`p2p demo`: every step at a small size, from seeds to a trained model's labels on a scan that it has not seen."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import time
from pathlib import Path

from capture import InputError, read_json, write_json
from capture.runtime.import_path import import_environment
from factory.dataset.packing import PackSettings, pack_if_needed
from factory.report.page import ReportExtras, write_report
from factory.stages.commands import module_command, p2p
from factory.stages.failures import StageError
from factory.stages.heads import make_heads
from factory.stages.settings import RenderSettings, ScanSettings
from reconstruction.settings import ReconstructionSettings

log = logging.getLogger(__name__)

CONFIG = Path(__file__).resolve().parent.parent / "training" / "configs" / "demo.yaml"

# Four heads to train on, one to watch the training with, one that the model never sees.
SEEDS = (0, 1, 2, 3, 4)
UNSEEN_SEED = 5
RENDER = RenderSettings(resolution=288, samples=10)
SCAN = ScanSettings(ReconstructionSettings(styles=2))
SHARDS = PackSettings(test_share=0.2)


def run_demo(out: Path) -> None:
    """Make a data set, train, segment and report in `out`; finished files of an earlier run are reused."""
    started = time.monotonic()
    folders = make_heads((*SEEDS, UNSEEN_SEED), out / "captures", RENDER, SCAN)
    dataset, unseen = out / "dataset", folders[-1]
    description = pack_if_needed(folders[:-1], dataset, SHARDS)
    checkpoint = out / "training" / "checkpoints" / "last.ckpt"
    timings = {"training": _train_if_needed(dataset, out / "training", checkpoint, description["key"])}
    segment = p2p("segment", unseen, "--checkpoint", checkpoint)
    timings["segmenting the unseen scan"] = _run_command("segmenting", segment)
    metrics = sorted((out / "training").glob("**/metrics.csv"), key=lambda path: path.stat().st_mtime)
    extras = ReportExtras(
        title="pixels2points: the demo",
        predictions=[unseen],
        metrics=metrics[-1] if metrics else None,
        timings=timings,
    )
    page = write_report(dataset, out / "report.html", extras=extras)
    log.info("demo done in %.0f s: open %s", time.monotonic() - started, page)


def _train_if_needed(dataset: Path, root: Path, checkpoint: Path, key: str) -> float:
    """Train unless `checkpoint` is of this data set and configuration; returns the seconds that it took."""
    stamp = root / "stamp.json"
    key += hashlib.sha256(CONFIG.read_bytes()).hexdigest()[:16]
    if checkpoint.is_file() and stamp.is_file():
        made = read_json(stamp, "the stamp of the training run")
        if made["key"] == key:
            log.info("%s is complete and up to date: not trained again", checkpoint)
            return float(made["seconds"])
    stamp.unlink(missing_ok=True)
    for name in ("checkpoints", "logs"):  # what training writes, and no more: the folder may be the user's
        shutil.rmtree(root / name, ignore_errors=True)
    options = ("--config", CONFIG, "--data.dataset", dataset, "--trainer.default_root_dir", root)
    seconds = _run_command("training", module_command("training", "fit", *options))
    write_json(stamp, {"key": key, "seconds": seconds})
    return seconds


def _run_command(title: str, command: list[str]) -> float:
    """Run a command that shows its own progress; returns its seconds.

    Raises `InputError` where it refused its input (exit code 2), `StageError` where it failed otherwise.
    """
    log.info("%s", title)
    started = time.monotonic()
    code = subprocess.run(command, env=os.environ | import_environment(), check=False).returncode
    if code == 2:
        raise InputError(f"{title} was refused; see its error above")
    if code:
        raise StageError(f"{title} failed with exit code {code}; see its output above")
    return round(time.monotonic() - started, 1)
