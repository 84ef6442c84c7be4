"""The outputs of the network, their losses, and the metrics, against sums written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import InputError, Labels
from scans.predictions import PARTS
from tests.training.toy import toy_mesh
from training.data.batch import BatchTargets, to_batch_targets
from training.model.metrics import BAND_MM, LabelMetrics
from training.model.module import SkinLabeller
from training.model.outputs import Outputs, OutputWeights, loss_terms, total_loss
from training.preparation.targets import Targets

BOTH = OutputWeights(0.5, 0.25)
WEIGHTS = torch.tensor([0.3, 0.7])


def _targets(count: int, seed: int = 0) -> BatchTargets:
    rng = np.random.default_rng(seed)
    distance = rng.gamma(1, 5, count).astype(np.float32)
    distance[:3] = np.nan
    part = rng.integers(0, len(PARTS), count).astype(np.uint8)
    part[2:5] = 255
    boundary = rng.gamma(1, 5, count).astype(np.float32)
    return to_batch_targets(Targets(distance < 1.5, distance, part, boundary, np.ones(count, bool)))


def _outputs(count: int, seed: int = 1) -> Outputs:
    values = torch.randn(count, sum(BOTH.channels), generator=torch.Generator().manual_seed(seed))
    return BOTH.split(values)


def test_outputs_are_switched_by_their_weights() -> None:
    parts = len(PARTS)
    cases = ((OutputWeights(), 2), (OutputWeights(1, 0), 3), (OutputWeights(0, 1), 2 + parts), (BOTH, 3 + parts))
    for weights, channels in cases:
        assert sum(weights.channels) == channels
        outputs = weights.split(torch.randn(7, channels))
        assert (outputs.distance_mm is not None) == (weights.distance > 0)
        assert (outputs.part is not None) == (weights.part > 0)
        assert set(loss_terms(outputs, _targets(7), WEIGHTS)) == {"skin"} | (
            {"distance"} if weights.distance else set()
        ) | ({"part"} if weights.part else set())
    with pytest.raises(InputError, match="must not be negative"):
        SkinLabeller(distance_weight=-1)


def test_losses_written_out() -> None:
    outputs, targets = _outputs(50), _targets(50)
    terms = loss_terms(outputs, targets, WEIGHTS)
    logs = np.log1p(targets.distance_mm.numpy()[3:])
    error = np.abs(outputs.log_distance.numpy()[3:] - logs)
    robust = np.where(error < 0.1, error**2 / 0.2, error - 0.05)
    assert float(terms["distance"]) == pytest.approx(robust.mean(), rel=1e-5)
    known = np.r_[0:2, 5:50]
    surprise = -outputs.part.log_softmax(1).numpy()[known, targets.part.numpy()[known]]
    assert float(terms["part"]) == pytest.approx(surprise.mean(), rel=1e-5)
    total = terms["skin"] + 0.5 * terms["distance"] + 0.25 * terms["part"]
    torch.testing.assert_close(total_loss(terms, BOTH), total)


def test_a_wild_distance_pulls_no_harder_than_a_wrong_one() -> None:
    slopes = []
    for far in (20.0, 2000.0):
        log_distance = torch.zeros(1, requires_grad=True)
        targets = BatchTargets(torch.zeros(1).long(), torch.tensor([far]), torch.tensor([-1]), torch.ones(1))
        loss_terms(Outputs(torch.zeros(1, 2), log_distance), targets, WEIGHTS)["distance"].backward()
        slopes.append(float(log_distance.grad[0]))
    assert slopes == [-1.0, -1.0]


def test_unknown_labels_count_for_nothing() -> None:
    targets = BatchTargets(torch.zeros(4).long(), torch.full((4,), torch.nan), torch.full((4,), -1), torch.ones(4))
    terms = loss_terms(_outputs(4), targets, WEIGHTS)
    assert terms["distance"] == terms["part"] == 0


def test_metrics_over_all_heads_together() -> None:
    metrics, sets = LabelMetrics(BOTH), [(_outputs(40, 2), _targets(40, 3)), (_outputs(90, 4), _targets(90, 5))]
    for outputs, targets in sets:
        metrics.update(outputs, targets, torch.tensor(float(len(targets.skin))))
    values = {name: float(value) for name, value in metrics.compute().items()}
    said = np.concatenate([outputs.skin.argmax(1).numpy() for outputs, _ in sets])
    true, boundary, distance, part = (
        np.concatenate([getattr(targets, name).numpy() for _, targets in sets])
        for name in ("skin", "boundary_mm", "distance_mm", "part")
    )
    ious = [((said == k) & (true == k)).sum() / ((said == k) | (true == k)).sum() for k in (0, 1)]
    assert [values["iou_other"], values["iou_skin"]] == pytest.approx(ious)
    assert values["miou"] == pytest.approx(np.mean(ious))
    assert values["accuracy"] == pytest.approx((said == true).mean())
    assert values["band_accuracy"] == pytest.approx((said == true)[boundary < BAND_MM].mean())
    assert values["loss"] == 65
    guess = np.concatenate([outputs.distance_mm.numpy() for outputs, _ in sets])
    near = distance < 20
    assert values["distance_mae_mm"] == pytest.approx(np.abs(guess - distance)[near].mean(), rel=1e-5)
    chosen = np.concatenate([outputs.part.argmax(1).numpy() for outputs, _ in sets])[part >= 0]
    part = part[part >= 0]
    parts = [((chosen == k) & (part == k)).sum() / ((chosen == k) | (part == k)).sum() for k in range(len(PARTS))]
    assert values["part_miou"] == pytest.approx(np.mean(parts))
    metrics.reset()
    empty = metrics.compute()
    assert torch.isnan(empty["miou"])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(0, 9))
def test_interpolated_outputs_stay_between_their_corners(count: int, seed: int) -> None:
    outputs = _outputs(10, seed)
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 10, (count, 3), generator=generator)
    weights = torch.rand(count, 3, generator=generator)
    weights /= weights.sum(1, keepdim=True)
    interpolated = outputs.interpolate(corners, weights)
    for name in ("probability", "distance_mm"):
        values = getattr(outputs, name)[corners]
        mixed = (values * weights).sum(1)
        torch.testing.assert_close(getattr(interpolated, name), mixed, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(interpolated.part_probability.sum(1), torch.ones(count))


def test_targets_survive_the_cache() -> None:
    vertices, faces, bump = toy_mesh(0)
    targets = Targets.of_scan(vertices, faces, Labels(np.where(bump, 0.5, 9), bump))
    assert (targets.part == 255).all()
    again = Targets.from_arrays(targets.to_arrays("scan_"), "scan_")
    np.testing.assert_array_equal(again.boundary_mm, targets.boundary_mm)
    assert Targets.from_arrays({}, "scan_") is None
    np.testing.assert_array_equal(targets.at(np.array([5, 2])).skin, bump[[5, 2]])
