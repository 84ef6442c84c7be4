"""Training that starts from a labeller, on scans that were painted, with other heads mixed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from capture import Capture, InputError, Labels, Scan
from factory.dataset.packing import PackSettings, list_captures, pack
from scans.meshes.reading import scan_key
from tests.training.toy import toy_mesh, write_capture, write_dataset
from training import cli
from training.checkpoints.labeller import read_checkpoint
from training.checkpoints.start import NetworkShape
from training.data.batch import BatchTargets, to_batch_targets
from training.data.module import HeadData
from training.data.samplers import MixedSampler
from training.features import FeatureConfig
from training.model.metrics import LabelMetrics
from training.model.module import SkinLabeller, preparation_of_start
from training.model.outputs import OutputWeights, loss_terms
from training.preparation.settings import Preparation
from training.preparation.targets import Targets
from training.segment import segment_capture

FEATURES = FeatureConfig(["colour", "visibility", "surface_variation"])


def paint_capture(folder: Path, seed: int) -> Path:
    """A toy head painted against all that the toy labeller learned: the bump is not skin; its back is left open."""
    capture = Capture.read(write_capture(folder, seed))
    scan = Scan.read(capture.scan_path)
    known = scan.vertices[:, 1] < 0.03
    skin = ~toy_mesh(seed)[2] & known
    distance = np.full(len(skin), np.nan, np.float32)
    Labels(distance, skin, known=known, scan=scan_key(scan), painted=True).write(capture.labels_path)
    return folder


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of three painted toy heads, all of them to train on."""
    folder = tmp_path_factory.mktemp("mine")
    for seed in (10, 11, 12):
        paint_capture(folder / "captures" / f"toy_{seed}", seed)
    pack(list_captures(folder / "captures"), folder / "data", PackSettings(test_share=0))
    return folder / "data"


def test_a_few_painted_scans_change_the_labels(fitted, mine: Path, tmp_path: Path) -> None:
    before = fitted[0] / "checkpoints" / "last.ckpt"
    options = ["--config", "finetune", "--data.dataset", str(mine), "--model.start", str(before)]
    options += ["--trainer.max_epochs", "12", "--model.learning_rate", "0.02", "--model.feature_dropout", "0"]
    options += ["--trainer.accelerator", "cpu", "--trainer.precision", "32-true", "--model.dropout", "0.1"]
    assert cli.main(["fit", *options, "--trainer.default_root_dir", str(tmp_path / "run")]) == 0
    after = tmp_path / "run" / "checkpoints" / "last.ckpt"
    capture = write_capture(tmp_path / "toy_7", 7)
    bump = toy_mesh(7)[2]
    seen = Scan.read(capture / "scan.ply").vertices[:, 1] < 0.03

    def share(path: Path, where: np.ndarray) -> float:
        return float(segment_capture(capture, path).skin[where].mean())

    assert share(before, bump) > 0.8 and share(before, ~bump & seen) < 0.2
    assert share(after, bump) < 0.3 and share(after, ~bump & seen) > 0.7
    written, former = read_checkpoint(after), read_checkpoint(before)
    assert written["labeller"]["preparation"] == former["labeller"]["preparation"]
    assert "start" not in written["hyper_parameters"] and written["hyper_parameters"]["width"] == 16
    torch.testing.assert_close(written["state_dict"]["feature_mean"], former["state_dict"]["feature_mean"])
    assert set(written["labeller"]["training_ids"]) == {f"toy_{seed}" for seed in (0, 1, 2, 10, 11, 12)}


def test_options_of_the_labeller_to_start_from_are_told(fitted, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "training")
    labeller = SkinLabeller(start=str(fitted[0] / "checkpoints" / "last.ckpt"))
    assert labeller.width == 16
    (told,) = (record.getMessage() for record in caplog.records)
    assert told.startswith("as the labeller that model.start names: ") and "model.width 16 (not 128)" in told
    assert "model.network" not in told  # as was chosen
    caplog.clear()
    needed = preparation_of_start(Preparation(vertices=labeller.preparation.vertices), labeller.preparation)
    (told,) = (record.getMessage() for record in caplog.records)
    assert needed == labeller.preparation and "data.eigenpairs 16 (not 128)" in told and "data.vertices" not in told
    caplog.clear()
    preparation_of_start(needed, needed)
    assert not caplog.records


def test_options_of_another_network_are_refused(fitted, mine: Path, tmp_path: Path, capsys) -> None:
    start = [
        "--config",
        "finetune",
        "--data.dataset",
        str(mine),
        "--model.start",
        str(fitted[0] / "checkpoints/last.ckpt"),
    ]
    root = ["--trainer.default_root_dir", str(tmp_path)]
    assert cli.main(["fit", *start, *root, "--model.width", "64"]) == 2
    assert "--model.width 64: the labeller that --model.start names has 16" in capsys.readouterr().err
    assert cli.main(["fit", *start, *root, "--data.mix", str(mine), "--data.mix_share", "2"]) == 2
    assert "--data.mix_share 2.0: a share between 0 and 1" in capsys.readouterr().err
    assert cli.main(["fit", *start, *root, "--data.vertices", "600"]) == 2
    assert "--data.vertices 600: the labeller that --model.start names takes 500" in capsys.readouterr().err


def test_the_shape_to_start_from_has_the_labellers_defaults() -> None:
    labeller = SkinLabeller()
    assert NetworkShape() == NetworkShape(
        labeller.architecture,
        labeller.width,
        labeller.blocks,
        labeller.image_width,
        *vars(labeller.output_weights).values(),
    )


def make_targets(known: np.ndarray) -> BatchTargets:
    count = len(known)
    skin, part = np.arange(count) % 2 == 0, np.full(count, 255, np.uint8)
    distance = np.full(count, np.nan, np.float32)
    return to_batch_targets(Targets(skin, distance, part, np.zeros(count, np.float32), known))


@given(st.lists(st.booleans(), min_size=2, max_size=20), st.integers(0, 99))
def test_what_is_not_known_has_no_part_in_losses_and_metrics(known: list[bool], seed: int) -> None:
    """Whatever is predicted there, they are what they are without those vertices."""
    mask, generator = np.array(known), torch.Generator().manual_seed(seed)
    weights = OutputWeights(0.5, 0.5)
    values = torch.randn(len(known), sum(weights.channels), generator=generator).requires_grad_()
    targets, few = make_targets(mask), make_targets(np.ones(len(known), bool))
    kept = torch.from_numpy(mask)
    few = BatchTargets(*(getattr(few, name)[kept] for name in ("skin", "distance_mm", "part", "boundary_mm")))
    outputs = weights.split(values)
    terms = loss_terms(outputs, targets, torch.tensor([0.3, 0.7]))
    alone = loss_terms(weights.split(values[kept]), few, torch.tensor([0.3, 0.7]))
    for name, value in terms.items():
        torch.testing.assert_close(value, alone[name])
    assert terms["distance"] == 0 and terms["part"] == 0  # none of it is known
    sum(terms.values()).backward()
    assert values.grad is not None and not values.grad[~kept].any() and values.grad.isfinite().all()
    metrics = [LabelMetrics(weights), LabelMetrics(weights)]
    metrics[0].update(outputs, targets, terms["skin"].detach())
    metrics[1].update(weights.split(values[kept]), few, terms["skin"].detach())
    for (name, one), other in zip(metrics[0].compute().items(), metrics[1].compute().values(), strict=True):
        torch.testing.assert_close(one, other, equal_nan=True, msg=name)


@given(st.integers(1, 12), st.integers(1, 30), st.floats(0.05, 0.9), st.integers(0, 9))
def test_mixed_heads_take_turns(own: int, others: int, share: float, seed: int) -> None:
    sampler = MixedSampler(own, others, share, seed)
    drawn = []
    for epoch in range(6):
        sampler.set_epoch(epoch)
        indices = [sample.index for sample in sampler]
        assert len(indices) == len(sampler)
        assert sorted(index for index in indices if index < own) == list(range(own))
        chosen = [index - own for index in indices if index >= own]
        assert len(chosen) == max(1, round(own * share / (1 - share)))
        drawn.append(chosen)
    times = np.bincount(np.concatenate(drawn), minlength=others)
    assert len(times) == others and times.max() - times.min() <= 1


def test_heads_that_are_mixed_in_are_prepared_alike(dataset: Path, mine: Path, tmp_path: Path) -> None:
    data = HeadData(str(mine), str(tmp_path), FEATURES, vertices=500, eigenpairs=16, mix=str(dataset), mix_share=0.5)
    data.prepare("fit")
    batches = list(data.train_dataloader())
    assert len(batches) == 6 and len({batch.id for batch in batches}) == 6
    for batch in batches:
        painted = batch.id in ("toy_10", "toy_11", "toy_12")
        assert bool((batch.targets.skin < 0).any()) == painted
        assert bool(batch.targets.distance_mm.isnan().all()) == painted == bool((batch.targets.part < 0).all())
    with pytest.raises(InputError, match="`mix_share` 1"):
        HeadData(str(mine), mix=str(dataset), mix_share=1)


def test_no_head_is_mixed_in_that_is_tested_on(dataset: Path, mine: Path, tmp_path: Path) -> None:
    for same in (str(mine), f"{mine}/", str(mine / ".." / mine.name)):
        with pytest.raises(InputError, match=r"^`mix` .*: that is `dataset` itself; name another data set"):
            HeadData(str(mine), mix=same)
    other = write_dataset(tmp_path / "other", train=4)  # toy_3 is the test head of `dataset`
    data = HeadData(str(dataset), str(tmp_path), FEATURES, vertices=500, eigenpairs=16, mix=str(other))
    with pytest.raises(
        InputError, match=r"^`mix` .*other: 1 of its training heads, such as toy_3, share names with test heads of"
    ):
        data.prepare("fit")


def test_heads_are_mixed_in_only_where_training_starts_from_a_labeller(
    dataset: Path, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = ["--trainer.default_root_dir", str(tmp_path)]
    assert cli.main(["fit", *root, "--data.dataset", str(mine), "--data.mix", str(dataset)]) == 2
    text = capsys.readouterr().err
    assert "--data.mix" in text and "name one with --model.start" in text and len(text.splitlines()) == 1


def test_what_is_mixed_in_need_not_be_there_to_test(dataset: Path, tmp_path: Path) -> None:
    data = HeadData(str(dataset), str(tmp_path), FEATURES, vertices=500, eigenpairs=16, mix=str(tmp_path / "none"))
    data.prepare("test")
    data.agree("test", lambda splits: splits)
    data.setup("test")
    assert [batch.id for batch in data.test_dataloader()] == ["toy_3"]
    with pytest.raises(InputError, match=r"none.*dataset\.json"):
        data.agree("fit", lambda splits: splits)
