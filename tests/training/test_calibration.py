"""Calibration: probabilities that are as often right as they say, the spread of distances, uncertain labels."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import InputError, PixelClass
from scans.predictions import PARTS, Prediction
from tests.training import toy
from training import cli
from training.checkpoints.labeller import load_labeller, read_checkpoint
from training.checkpoints.pretrained import PRETRAINED
from training.data.batch import BatchTargets
from training.data.shards import Shard, Split
from training.model.calibration import Calibration, LogOddsMap, part_log_odds
from training.model.metrics import LabelMetrics
from training.model.module import SkinLabeller
from training.model.outputs import Outputs, OutputWeights, loss_terms, soft_labels
from training.model.reliability import (
    LogOddsCounts,
    ScaleCounts,
    confusion,
    coverage,
    expected_error,
    fit_line,
    flagged,
    measure,
)

ALL = OutputWeights(0.5, 0.5, spread=True)
NOTHING = np.zeros(400, np.int64)
NONE = np.zeros((2, 800), np.int64)


def _counts(scores: torch.Tensor, true: torch.Tensor) -> np.ndarray:
    counts = LogOddsCounts()
    counts.update(scores, true)
    return counts.compute().numpy()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(-2.0, 2.0), st.integers(0, 99))
def test_the_line_that_made_the_truth_is_found(scale: float, offset: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(200_000, generator=generator)
    true = torch.rand(200_000, generator=generator) < torch.sigmoid(scale * scores + offset)
    counts = _counts(scores, true)
    line = fit_line(counts)
    assert line.scale == pytest.approx(scale, rel=0.05) and line.offset == pytest.approx(offset, abs=0.05)
    assert expected_error(line, counts) < 0.004
    if abs(scale - 1) > 0.3 or abs(offset) > 0.3:
        assert expected_error(LogOddsMap(), counts) > 3 * expected_error(line, counts)


def test_a_line_through_the_origin_keeps_decisions() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = 2 * torch.randn(100_000, generator=generator)
    counts = _counts(scores, torch.rand(100_000, generator=generator) < torch.sigmoid(0.5 * scores + 1))
    rare = _counts(scores - 4, torch.rand(100_000, generator=generator) < torch.sigmoid(0.3 * (scores - 4)))
    assert fit_line(rare, shifted=False).scale == pytest.approx(0.3, rel=0.05)  # where Newton's steps go astray
    line = fit_line(counts, shifted=False)
    assert line.offset == 0 and 0.3 < line.scale < 0.6
    assert confusion(line, counts) == confusion(LogOddsMap(), counts) != confusion(fit_line(counts), counts)


def test_labels_without_mistakes_and_labels_that_are_chance_stay_finite() -> None:
    scores = torch.linspace(-5, 5, 5000)
    certain = fit_line(_counts(scores, scores > 0))
    assert 1 < certain.scale < 100 and abs(certain.offset) < 0.5
    reversed_labels = fit_line(_counts(scores, scores < 0))
    assert 0 < reversed_labels.scale <= 0.05


def test_a_tenth_is_uncertain_and_holds_most_mistakes() -> None:
    generator = torch.Generator().manual_seed(1)
    scores = 4 * torch.randn(100_000, generator=generator)
    true = torch.rand(100_000, generator=generator) < torch.sigmoid(1.5 * scores - 0.5)
    counts = _counts(scores, true)
    found = measure(Calibration(), 3, counts, NONE, NOTHING)
    share, mistakes = flagged(found, counts)
    assert share == pytest.approx(0.1, abs=0.01)
    odds = 1.5 * scores - 0.5
    wrong = ((odds > 0) != true).numpy()
    unsure = (odds.abs() < odds.abs().quantile(0.1)).numpy()
    assert mistakes == pytest.approx(wrong[unsure].sum() / wrong.sum(), abs=0.02)
    assert mistakes > 0.4
    # At the vertices themselves the flag is what the counts say.
    outputs = found.apply(Outputs(torch.stack([torch.zeros_like(scores), scores], 1)))
    prediction = outputs.to_prediction()
    assert prediction.uncertain is not None
    assert prediction.uncertain.mean() == pytest.approx(share, abs=0.01)
    assert np.isnan(flagged(Calibration(), counts)).all()


def test_the_spread_covers_what_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    count = 50_000
    middle, scale = 0.2 + torch.rand(count, generator=generator), 0.02 + 0.1 * torch.rand(count, generator=generator)
    laplace = torch.empty(count).exponential_(generator=generator) * torch.randint(0, 2, (count,)).mul(2).sub(1)
    truth = middle + 2.5 * scale * laplace
    errors = ScaleCounts()
    errors.update((truth - middle).abs(), scale)
    found = measure(Calibration(), 3, NONE, NONE, errors.compute().numpy())
    assert found.spread == pytest.approx(2.5, rel=0.05)
    skin = torch.zeros(count, 2)
    outputs = found.apply(Outputs(skin, middle, None, scale))
    assert coverage(found, errors.compute().numpy()) == pytest.approx(0.68, abs=0.01)
    within = (truth.expm1() - outputs.distance_mm).abs() < outputs.distance_spread_mm
    assert 0.67 < float(within.float().mean()) < 0.75  # the longer side of an interval that is longer above
    assert Outputs(skin, middle).distance_spread_mm is None


def test_measurements_of_few_vertices_leave_what_is_there() -> None:
    before = Calibration(LogOddsMap(2.0, 1.0), LogOddsMap(0.5, 0.1), 3.0, 0.8)
    few, little = _counts(torch.randn(150), torch.rand(150) < 0.5), np.eye(1, 400, dtype=np.int64)[0]
    assert measure(before, 9, few, few, little) == before
    many = _counts(torch.randn(9000), torch.rand(9000) < 0.5)
    assert measure(before, 2, many, many, little) == before  # of two heads, however large
    assert measure(before, 3, many, many, little).skin != before.skin
    one_sided = _counts(torch.randn(9000), torch.ones(9000, dtype=torch.bool))
    assert measure(before, 9, one_sided, one_sided, little) == before


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 4.0), st.floats(-3.0, 3.0), st.integers(0, 99))
def test_calibrated_parts_are_probabilities_that_share_what_skin_leaves(scale: float, offset: float, seed: int) -> None:
    part = 3 * torch.randn(40, len(PARTS), generator=torch.Generator().manual_seed(seed))
    found = Calibration(visible=LogOddsMap(scale, offset)).apply(Outputs(torch.zeros(40, 2), part=part))
    before, after = part.softmax(1), found.part_probability
    assert after is not None
    torch.testing.assert_close(after.sum(1), torch.ones(40))
    wanted = torch.sigmoid(scale * part_log_odds(part) + offset)
    torch.testing.assert_close(after[:, PixelClass.SKIN], wanted, rtol=1e-4, atol=1e-6)
    others = [index for index in range(len(PARTS)) if index != PixelClass.SKIN]
    shares = [values[:, others] / values[:, others].sum(1, keepdim=True) for values in (before, after)]
    torch.testing.assert_close(*shares, rtol=1e-3, atol=1e-5)


def test_no_calibration_changes_nothing_but_the_zero_of_scores() -> None:
    values = torch.randn(30, sum(ALL.channels), generator=torch.Generator().manual_seed(3))
    outputs = ALL.split(values)
    same = Calibration().apply(outputs)
    torch.testing.assert_close(same.probability, outputs.probability)
    torch.testing.assert_close(same.part_probability, outputs.part_probability)
    assert same.log_scale is not None and same.sure is None
    torch.testing.assert_close(same.log_scale, outputs.log_scale)
    assert same.to_prediction().uncertain is None


def test_calibrations_survive_a_file_and_damaged_ones_are_refused() -> None:
    found = Calibration(LogOddsMap(2.0, 1.0), LogOddsMap(0.5, 0.1), 3.0, 0.8)
    assert Calibration.from_json(found.to_json()) == found
    assert Calibration.from_json(None) == Calibration()
    for damaged in ({}, {"skin": 1}, found.to_json() | {"spread": "x"}, found.to_json() | {"spread": float("nan")}):
        with pytest.raises(InputError, match="damaged calibration"):
            Calibration.from_json(damaged)


@pytest.mark.parametrize("limit", [1.0, 1.5, 3.0])
def test_soft_labels_are_soft_at_the_limit_of_the_labels_alone(limit: float) -> None:
    distance = torch.cat([torch.linspace(0, 20, 4001), torch.tensor([torch.nan, 0.5, limit + 0.1])])
    hard = (distance < limit).float()
    hard[-3:] = torch.tensor([1.0, 0.0, 0.0])  # painted, and two in front of an eye
    can_be_skin = torch.ones(len(hard), dtype=torch.bool)
    can_be_skin[-2:] = False
    soft = soft_labels(hard, distance, can_be_skin, 0.15)
    torch.testing.assert_close(soft[-3:], hard[-3:])
    assert (soft.diff()[:4000] <= 0).all()
    at = soft[:4001][(distance[:4001] - limit).abs().argmin()]
    assert float(at) == pytest.approx(0.5, abs=0.05)
    assert soft[0] > 0.95 and soft[4000] < 0.01
    nothing = soft_labels(torch.zeros(5), torch.full((5,), 4.0), can_be_skin[:5], 0.15)
    assert not nothing.any()


def test_soft_labels_ask_for_a_half_where_nothing_tells() -> None:
    """The best score of a vertex at the limit is the weighted half, with and without certain vertices beside it."""
    distance = torch.tensor([1.5, 0.1, 20.0])
    targets = BatchTargets(torch.tensor([1, 1, 0]), distance, torch.full((3,), -1), torch.ones(3))
    scores = torch.zeros(3, 2, requires_grad=True)
    loss_terms(Outputs(scores), targets, torch.tensor([0.5, 0.5]), 0.1)["skin"].backward()
    assert scores.grad is not None
    assert scores.grad[0].abs().max() < 1e-6 < scores.grad[1:].abs().min()
    scores.grad = None
    loss_terms(Outputs(scores), targets, torch.tensor([0.5, 0.5]))["skin"].backward()
    assert scores.grad[0, 1] < -0.1
    with pytest.raises(InputError, match="`label_noise` must not be negative"):
        SkinLabeller(label_noise=-0.1)


def test_the_scale_of_the_error_is_learned_and_teaches_the_distance_nothing() -> None:
    log_distance = torch.zeros(2000, requires_grad=True)
    raw = torch.zeros(1, requires_grad=True)
    truth = torch.empty(2000).exponential_(generator=torch.Generator().manual_seed(0)) * 0.3
    targets = BatchTargets(torch.zeros(2000).long(), truth.expm1(), torch.full((2000,), -1), torch.ones(2000))
    optimiser = torch.optim.Adam([raw], 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        outputs = Outputs(torch.zeros(2000, 2), log_distance, None, raw.exp().expand(2000))
        loss_terms(outputs, targets, torch.tensor([0.5, 0.5]))["spread"].backward()
        optimiser.step()
    assert raw.exp().item() == pytest.approx(float(truth.mean()), rel=0.02)
    assert log_distance.grad is None or not log_distance.grad.any()
    with pytest.raises(InputError, match="give `distance_weight`, too"):
        SkinLabeller(distance_spread=True)


def test_metrics_calibrate_by_all_heads_together() -> None:
    metrics, generator = LabelMetrics(ALL), torch.Generator().manual_seed(5)
    for count in (3000, 6000):  # two heads
        outputs = ALL.split(torch.randn(count, sum(ALL.channels), generator=generator))
        gap = outputs.skin[:, 1] - outputs.skin[:, 0]
        skin = torch.rand(count, generator=generator) < torch.sigmoid(2 * gap + 1)
        assert outputs.part is not None
        shown = torch.sigmoid(0.3 * part_log_odds(outputs.part))
        part = torch.where(
            torch.rand(count, generator=generator) < shown, int(PixelClass.SKIN), int(PixelClass.GARMENT)
        )
        targets = BatchTargets(skin.long(), torch.full((count,), 2.0), part, torch.ones(count))
        metrics.update(outputs, targets, torch.tensor(0.0))
    found = metrics.calibrate(Calibration())
    assert found == Calibration()  # two heads
    metrics.heads.update(1)
    raw = metrics.compute()
    found = metrics.calibrate(Calibration())
    assert found.skin.scale == pytest.approx(2, rel=0.1) and found.skin.offset == pytest.approx(1, abs=0.15)
    assert found.sure is not None and found.spread != 1 and found.visible != LogOddsMap()
    after = metrics.compute()
    assert raw["calibration_error"] > 0.1 > 0.02 > after["calibration_error"]
    assert after["visible_calibration_error"] < 0.04 < raw["visible_calibration_error"]
    assert found.visible.offset == 0  # what is called seen skin stays
    assert after["accuracy"] > raw["accuracy"]
    assert 0.6 < after["distance_coverage"] < 0.75
    assert "uncertain" not in raw and 0.05 < after["uncertain"] < after["uncertain_mistakes"] < 1


def _split(names: list[str]) -> Split:
    return Split("train", (Shard(Path("train-000000.tar"), len(names), ""),), tuple(names))


@given(st.integers(3, 40), st.integers(1, 12), st.integers(1, 9))
def test_heads_kept_aside_are_few_fixed_and_none_of_the_rest(count: int, aside: int, more: int) -> None:
    names = [f"head_{index:08d}" for index in range(count)]
    if aside >= count:
        with pytest.raises(InputError, match=r"`data\.validation` is"):
            _split(names).without(aside)
        return
    left, kept = _split(names).without(aside)
    assert len(kept.ids) == aside and kept.name == "val" and left.name == "train"
    assert sorted((*left.ids, *kept.ids)) == names
    first = left.first(1)
    assert first.ids == left.ids[:1] and first.limited
    # Of a data set that grew no head is taken back but for one that is new.
    _, grown = _split([*names, *(f"new_{index}" for index in range(more))]).without(aside)
    assert {name for name in grown.ids if not name.startswith("new_")} <= set(kept.ids)


def test_fit_calibrates_by_heads_kept_aside(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    cli.quiet_libraries()
    data = toy.write_dataset(tmp_path / "dataset", train=5, test=1)
    root = tmp_path / "run"
    words = [
        "fit",
        "--data.dataset",
        str(data),
        "--data.features.names",
        "[colour,visibility]",
        "--data.vertices",
        "1500",
    ]
    words += ["--data.eigenpairs", "16", "--model.width", "16", "--model.blocks", "1", "--model.learning_rate", "0.01"]
    words += ["--model.distance_weight", "0.1", "--model.distance_spread", "true", "--model.part_weight", "0.1"]
    words += ["--model.label_noise", "0.15", "--data.validation", "3", "--trainer.max_epochs", "4"]
    words += ["--trainer.accelerator", "cpu", "--trainer.default_root_dir", str(root), "--pictures.heads", "0"]
    assert cli.main(words) == 0
    value = read_checkpoint(root / "checkpoints/last.ckpt")["labeller"]
    assert value["training_heads"] == 2 and len(value["validation_ids"]) == 3
    assert not set(value["training_ids"]) & {*value["validation_ids"], "toy_5"}
    assert value["calibration"]["sure"] > 0.5
    labeller = load_labeller(root / "checkpoints/last.ckpt")
    assert labeller.calibration == Calibration.from_json(value["calibration"]) != Calibration()
    capsys.readouterr()
    assert cli.main(["test", "--data.dataset", str(data), "--trainer.default_root_dir", str(root)]) == 0
    told = capsys.readouterr().out
    assert "test/uncertain_mistakes" in told and "test/calibration_error" in told
    # Validating takes the heads that were kept aside, as the checkpoint says.
    assert cli.main(["validate", "--data.dataset", str(data), "--trainer.default_root_dir", str(root)]) == 0
    told = capsys.readouterr().out
    assert "val/uncertain" in told
    logged = (root / "logs/metrics.csv").read_text().splitlines()
    best = max(float(row["val/miou"]) for row in csv.DictReader(logged) if row.get("val/miou"))
    shown = next(float(line.split("│")[2]) for line in told.splitlines() if "val/miou" in line)
    assert shown == pytest.approx(best, abs=1e-4)
    assert cli.main([*words, "--data.validation", "5"]) == 2
    assert "--data.validation is 5: the train split has 5 heads, and some must be left" in capsys.readouterr().err


def test_a_labeller_from_before_calibration_flags_nothing(tmp_path: Path) -> None:
    value = read_checkpoint(PRETRAINED)
    value["labeller"].pop("calibration", None)
    torch.save(value, tmp_path / "former.ckpt")
    calibration = load_labeller(tmp_path / "former.ckpt").calibration
    assert calibration == Calibration()
    assert calibration.apply(Outputs(torch.zeros(3, 2))).to_prediction().uncertain is None
    value["labeller"]["calibration"] = {"skin": "none"}
    torch.save(value, tmp_path / "damaged.ckpt")
    with pytest.raises(InputError, match="damaged calibration"):
        load_labeller(tmp_path / "damaged.ckpt")


def test_predictions_with_spread_and_flags_survive_their_file(tmp_path: Path) -> None:
    prediction = Prediction([0.9, 0.4], [True, False], "x", distance_mm=[0.1, 4.0])
    prediction = replace(prediction, distance_spread_mm=[0.1, 2.0], uncertain=[False, True])
    prediction.write(tmp_path / "prediction.npz")
    again = Prediction.read(tmp_path / "prediction.npz")
    np.testing.assert_array_equal(again.uncertain, [False, True])
    np.testing.assert_allclose(again.distance_spread_mm, [0.1, 2.0])
