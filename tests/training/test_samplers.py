"""Samplers of training and evaluation: shuffling, processes, workers, stopping and resuming."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import lightning
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.pytorch.callbacks import Callback

from capture import InputError
from tests.training.toy import write_dataset
from training import cli
from training.callbacks.resume_point import ResumePoint, Stopped
from training.data.module import HeadData
from training.data.samplers import EvaluationSampler, TrainingSampler
from training.features import FeatureConfig
from training.model.module import SkinLabeller

REPO = Path(__file__).resolve().parents[2]
HEADS = 5

counts, worlds, seeds = st.integers(1, 40), st.integers(1, 5), st.integers(0, 99)


def _epoch(count: int, seed: int, world: int, epoch: int) -> list[list[int]]:
    """By process, the heads of its steps."""
    samplers = [TrainingSampler(count, seed, rank, world) for rank in range(world)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    return [[sample.index for sample in sampler] for sampler in samplers]


@settings(max_examples=60)
@given(counts, worlds, seeds, st.integers(0, 5))
def test_each_head_is_seen_once_and_all_processes_take_as_many_steps(count, world, seed, epoch) -> None:
    if count < world:
        with pytest.raises(InputError, match="use fewer trainer"):
            TrainingSampler(count, seed, 0, world)
        return
    parts = _epoch(count, seed, world, epoch)
    seen = [head for part in parts for head in part]
    assert len(set(seen)) == len(seen) == count // world * world
    assert {len(part) for part in parts} == {count // world}
    assert parts == _epoch(count, seed, world, epoch)


@settings(max_examples=60)
@given(counts, worlds, st.data())
def test_a_resumed_epoch_is_the_rest_of_it(count, world, data) -> None:
    if count < world:
        return
    epoch, step = data.draw(st.integers(0, 3)), data.draw(st.integers(0, count // world - 1))
    state = TrainingSampler(count, 7, 0, world).state((epoch, step))
    whole, after = _epoch(count, 7, world, epoch), _epoch(count, 7, world, epoch + 1)
    for rank in range(world):
        sampler = TrainingSampler(count, 7, rank, world)
        sampler.resume(json.loads(json.dumps(state)))
        rest = [sample.index for sample in sampler]
        done = whole[rank][: step + 1]
        assert rest == (whole[rank][step + 1 :] if len(done) < len(whole[rank]) else after[rank])
        sampler.set_epoch(epoch + 2)
        assert [sample.index for sample in sampler] == _epoch(count, 7, world, epoch + 2)[rank]


def test_orders_differ_between_epochs_and_seeds() -> None:
    assert len({tuple(_epoch(12, 0, 1, epoch)[0]) for epoch in range(20)}) == 20
    assert _epoch(12, 0, 1, 0) != _epoch(12, 1, 1, 0)


@settings(max_examples=40)
@given(counts, worlds)
def test_every_head_counts_once_in_evaluation(count, world) -> None:
    parts = [list(EvaluationSampler(count, rank, world)) for rank in range(world)]
    assert {len(part) for part in parts} == {len(EvaluationSampler(count, 0, world))}
    assert sorted(sample.index for part in parts for sample in part if sample.counted) == list(range(count))


def test_the_middle_of_an_epoch_needs_the_same_run() -> None:
    state = TrainingSampler(10, 0, 0, 2).state((0, 1))
    for other, name in (
        (TrainingSampler(10, 0), "processes"),
        (TrainingSampler(10, 1, 0, 2), "`data.seed`"),
        (TrainingSampler(11, 0, 0, 2), "training heads"),
    ):
        with pytest.raises(InputError, match=f"{name} = "):
            other.resume(state)
    TrainingSampler(10, 0).resume(TrainingSampler(10, 0, 0, 2).state((0, 4)))  # its end: all may change


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five heads to train on, one to test with, one shard each; prepared."""
    folder = write_dataset(tmp_path_factory.mktemp("samplers") / "dataset", HEADS, 1)
    make_data(folder).prepare(None)
    return folder


def make_data(folder: Path, **options: int) -> HeadData:
    return HeadData(str(folder), features=FeatureConfig(["surface_variation"]), vertices=150, eigenpairs=6, **options)


class Witness(Callback):
    """Writes down the heads that are trained on, and sends a signal before one step."""

    def __init__(self, signal_at: int | None = None) -> None:
        self.seen: list[tuple[int, str]] = []
        self.signal_at = signal_at

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.seen.append((trainer.current_epoch, batch.id))
        if self.signal_at is not None and len(self.seen) == self.signal_at:
            signal.raise_signal(signal.SIGTERM)


def train(folder: Path, out: Path, witness: Witness, resume: Path | None = None, **options) -> lightning.Trainer:
    """Three epochs."""
    workers = options.pop("workers", 0)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=out, num_sanity_val_steps=0, use_distributed_sampler=False, enable_checkpointing=False,
        callbacks=[witness, ResumePoint(out / "resume.ckpt")], **options,
    )  # fmt: skip
    data = make_data(folder, workers=workers)
    trainer.fit(SkinLabeller(width=4, blocks=1), data, ckpt_path=resume, weights_only=True)
    return trainer


@pytest.mark.parametrize(("stop_at", "workers"), [(3, 2), (HEADS, 0), (2 * HEADS + 1, 0)])
def test_a_stopped_run_goes_on_where_it_was(heads: Path, tmp_path: Path, stop_at: int, workers: int) -> None:
    cli.quiet_libraries()
    first, second = Witness(stop_at), Witness()
    with pytest.raises(Stopped, match="`ckpt_path`"):
        train(heads, tmp_path, first, workers=workers)
    trainer = train(heads, tmp_path, second, tmp_path / "resume.ckpt", workers=workers)
    assert trainer.global_step == 3 * HEADS
    split = [f"toy_{i}" for i in range(HEADS)]
    expected = [(epoch, split[head]) for epoch in range(3) for head in _epoch(HEADS, 0, 1, epoch)[0]]
    assert first.seen + second.seen == expected
    assert not (tmp_path / "resume.ckpt").exists()  # nothing is left to go on with


TWO = """
import json, sys
from pathlib import Path
from tests.training import test_samplers as t
from training import cli
cli.quiet_libraries()
folder, out, rank = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
options = dict(strategy="ddp", devices=2)
first, second = t.Witness(3 if rank else None), t.Witness()
try:
    t.train(folder, out, first, **options)
except t.Stopped:
    trainer = t.train(folder, out, second, out / "resume.ckpt", **options)
    result = trainer.test(trainer.lightning_module, t.make_data(folder), verbose=False)
    trainer.save_checkpoint(out / "end.ckpt")
    (out / f"{{rank}}.json").write_text(json.dumps([first.seen, second.seen, result]))
"""


def test_two_processes_share_heads_stop_together_and_go_on(heads: Path, tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO.format())
    common = {**os.environ, "PYTHONPATH": str(REPO), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
              "MASTER_PORT": str(20000 + os.getpid() % 20000), "TORCHELASTIC_RUN_ID": "1", "OMP_NUM_THREADS": "1",
              "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}  # fmt: skip
    command = [sys.executable, str(script), str(heads), str(tmp_path)]
    processes = [
        subprocess.Popen([*command, rank], env={**common, "RANK": rank, "LOCAL_RANK": rank}, stderr=subprocess.PIPE)
        for rank in "01"
    ]
    try:
        errors = [process.communicate(timeout=240)[1].decode() for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    runs = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in "01"]
    for rank, (first, second, _) in enumerate(runs):
        expected = [[epoch, f"toy_{head}"] for epoch in range(3) for head in _epoch(HEADS, 0, 2, epoch)[rank]]
        assert len(first) == 3 and first + second == expected
    assert runs[0][2] == runs[1][2]  # the one test head counts once, for both
    cli.quiet_libraries()
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    model = SkinLabeller(width=4, blocks=1)
    alone = trainer.test(model, make_data(heads), ckpt_path=tmp_path / "end.ckpt", verbose=False)
    assert alone[0] == pytest.approx(runs[0][2][0], abs=1e-5)
