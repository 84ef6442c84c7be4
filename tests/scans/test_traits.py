"""Traits of scans and views against closed forms, and what is said of scans unlike the training's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from scans.head_sample import HeadSample
from scans.prediction_summary import summarise
from scans.scaling import scaled, scaled_camera
from scans.traits import ScanTraits, TrainingTraits
from tests.scans.viewer.made import RADIUS, ball, head_sample, head_scan
from training.checkpoints.labeller import load_labeller
from training.checkpoints.pretrained import PRETRAINED


@pytest.fixture(scope="module")
def head() -> HeadSample:
    sample = head_sample(head_scan()[0])
    return replace(sample, cameras=sample.cameras[:2], images=sample.images[:2], image_names=sample.image_names[:2])


def test_traits_of_a_ball_before_two_cameras(head: HeadSample) -> None:
    traits = ScanTraits.of_head(head)
    focal, distance = 3.5 * 160, 1.0  # pixels, metres
    assert focal / (1000 * distance) < traits.pixels_per_mm < focal / (1000 * (distance - RADIUS))
    # Each camera sees the cap within acos(r / d) of it; the two caps are turned by 35 degrees about the poles.
    angle = np.arccos(RADIUS / distance)
    normals = ball().vertices / RADIUS
    towards = np.stack([camera.centre / distance for camera in head.cameras])
    seen = (normals @ towards.T > np.cos(angle)).any(axis=1)
    assert abs(traits.unseen - (1 - seen.mean())) < 0.02
    assert traits.views == 2
    assert 1 < traits.edge_mm < 1000 * np.pi * RADIUS / 39


def test_traits_follow_the_size_of_what_is_shown(head: HeadSample) -> None:
    one = ScanTraits.of_head(head)
    cameras = tuple(scaled_camera(camera, 2) for camera in head.cameras)
    two = ScanTraits.of_head(replace(head, scan=scaled(head.scan, 2), cameras=cameras))
    assert np.isclose(two.edge_mm, 2 * one.edge_mm) and np.isclose(two.pixels_per_mm, one.pixels_per_mm / 2, rtol=1e-3)
    assert abs(two.unseen - one.unseen) < 0.01 and two.views == one.views


def test_what_is_unlike_the_training_is_said_in_words() -> None:
    usual = ScanTraits(13, 1.0, 0.0, 1.6)
    trained = TrainingTraits.of_heads([usual, replace(usual, pixels_per_mm=1.4), replace(usual, edge_mm=2.0)])
    assert TrainingTraits.from_json(trained.to_json()) == trained and trained.heads == 3
    assert trained.ranges["pixels_per_mm"] == (1.0, 1.0, 1.4)
    assert trained.unlike(usual) == trained.unlike(replace(usual, views=10, unseen=0.09, edge_mm=2.9)) == []
    assert trained.unlike(ScanTraits(2, 4.2, 0.4, 0.6)) == [
        "2 views, it was trained with 13",
        "4.20 pixels a mm in the images, it was trained with 1.00 to 1.40",
        "40% of the vertices are in no image, it was trained with 0%",
        "0.60 mm long edges, it was trained with 1.60 to 2.00",
    ]
    both = trained.joined(TrainingTraits.of_heads([replace(usual, views=2, pixels_per_mm=3.0)]))
    assert both.heads == 4 and both.ranges["views"] == (2, (3 * 13 + 2) / 4, 13)
    assert both.ranges["pixels_per_mm"] == (1.0, 1.5, 3.0)
    with pytest.raises(InputError, match="traits of the training heads"):
        TrainingTraits.from_json({"heads": 3, "views": [1, 2]})


def test_the_labeller_that_comes_along_tells_what_it_was_trained_on(tmp_path: Path) -> None:
    traits = load_labeller(PRETRAINED).training_traits
    assert traits is not None and traits.ranges["views"] == (13, 13, 13)
    low, middle, high = traits.ranges["pixels_per_mm"]
    assert 0.5 < low < middle < high < 2  # heads of a quarter of a metre fill images of 384 pixels
    copy = tmp_path / "skin.ckpt"
    copy.write_bytes(PRETRAINED.read_bytes())
    assert load_labeller(copy).training_traits is None
    (tmp_path / "skin.json").write_bytes(PRETRAINED.with_suffix(".json").read_bytes())
    assert load_labeller(copy).training_traits == traits
    for other in ('{"checkpoint_sha256": "0"}', "[]", "no json"):
        (tmp_path / "skin.json").write_text(other)
        assert load_labeller(copy).training_traits is None


def test_the_account_of_a_prediction(head: HeadSample) -> None:
    _, prediction = head_scan()
    summary = summarise(prediction, head, None)
    area = 1e4 * 4 * np.pi * RADIUS**2
    assert abs(summary.scan_cm2 / area - 1) < 0.02
    assert abs(summary.skin_cm2 / area - 0.25) < 0.03  # below the middle, on the front
    assert summary.unlike is None and "doesn't tell" in summary.lines()[2]
    assert "in doubt: " in summary.doubts and summary.regions[0].area_cm2 > 50  # 0.25 to 0.75 is half of the front
    value = summary.to_json(0.001)
    assert value["area_cm2"]["skin"] == round(summary.skin_cm2, 1) and value["unlike_training"] is None
    assert value["doubtful"][0]["middle"][1] < -30  # in the scan's millimetres
    certain = replace(prediction, probability=prediction.skin.astype(np.float32))
    assert summarise(certain, head, None).doubts == "nowhere in doubt"
    like = TrainingTraits.of_heads([summary.traits])
    assert "as the labeller was trained on" in summarise(prediction, head, like).lines()[2]
