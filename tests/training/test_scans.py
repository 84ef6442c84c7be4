"""Training on heads that have several scans: each epoch draws one, the rest goes by the first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capture import InputError
from tests.training.toy import write_dataset
from training.data.module import HeadData
from training.data.samplers import SampleIndex
from training.features import FeatureConfig

HEADS, SCANS = 4, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("scans") / "dataset", HEADS, 1, scans=SCANS)


def make_data(folder: Path, **options: Any) -> HeadData:
    data = HeadData(str(folder), features=FeatureConfig(["surface_variation"]), vertices=150, eigenpairs=6, **options)
    data.prepare(None)
    for name in ("train", "test"):
        data.prepare_split(name, "fit", None)
    return data


def scan_of(data: HeadData, head: int, position: tuple[int, int] | None, split: str = "train") -> int:
    """The number of the scan that a batch is made of, by its area: each is 1 % larger than the first one."""
    batch = data._heads(split)[SampleIndex(head, position)]
    first = data._heads(split)[SampleIndex(head)]
    return round(100 * (float((batch.surface.mass.sum() / first.surface.mass.sum()) ** 0.5) - 1))


def test_epochs_draw_among_all_scans(folder: Path) -> None:
    data = make_data(folder)
    drawn = np.array([[scan_of(data, head, (epoch, 0)) for head in range(HEADS)] for epoch in range(12)])
    assert set(drawn.ravel()) == set(range(SCANS))
    assert all(len(set(column)) > 1 for column in drawn.T), "a head is always trained on in one style"
    assert any(len(set(row)) > 1 for row in drawn)
    again = [[scan_of(make_data(folder), head, (epoch, 3)) for head in range(HEADS)] for epoch in range(2)]
    np.testing.assert_array_equal(again, drawn[:2])
    other = [[scan_of(make_data(folder, seed=1), head, (epoch, 0)) for head in range(HEADS)] for epoch in range(6)]
    assert (np.array(other) != drawn[:6]).any()


def test_validation_and_test_go_by_the_first_scan(folder: Path) -> None:
    data = make_data(folder)
    whole = data._heads("train")
    for head, name in enumerate(whole.split.ids):
        np.testing.assert_array_equal(whole[SampleIndex(head)].features, data._indices["train"].load(name).features)
    assert data._indices["test"].count(data.split("test").ids[0]) == 1, "more was prepared than is used"


def test_the_first_scans_can_be_chosen(folder: Path) -> None:
    data = make_data(folder, scans=1)
    assert {scan_of(data, head, (epoch, 0)) for head in range(HEADS) for epoch in range(6)} == {0}
    two = make_data(folder, scans=2)
    assert {scan_of(two, head, (epoch, 0)) for head in range(HEADS) for epoch in range(8)} == {0, 1}
    assert (data.statistics().mean != two.statistics().mean).any()
    with pytest.raises(InputError, match=r"`scans` 0: use 1 or more"):
        make_data(folder, scans=0)


def test_copies_are_drawn_beside_the_scans(folder: Path) -> None:
    data = make_data(folder, scans=1, copies=2)
    assert [data._indices["train"].count(name) for name in data.split("train").ids] == [3] * HEADS
    assert data._indices["test"].count(data.split("test").ids[0]) == 1
    heads = data._heads("train")
    drawn = [[heads._drawn(SampleIndex(head, (epoch, 0))) for head in range(HEADS)] for epoch in range(12)]
    assert {number for row in drawn for number in row} == {0, 1, 2}


def test_further_scans_can_teach_parts_alone(folder: Path) -> None:
    data = make_data(folder, copies=SCANS, style_distances=False)
    heads, taught = data._heads("train"), set()
    for epoch in range(40):
        sample = SampleIndex(0, (epoch, 0))
        number, targets = heads._drawn(sample), heads[sample].targets
        assert targets is not None and (targets.part >= 0).any()
        known = bool((targets.skin >= 0).all())
        assert (
            known == bool(targets.distance_mm.isfinite().all()) == (number % SCANS == 0)
        )  # copies: of the scans in turn
        taught.add((number, known))
    assert taught == {(number, number % SCANS == 0) for number in range(2 * SCANS)}
    validated = data._heads("train")[SampleIndex(0)].targets
    assert validated is not None and (validated.skin >= 0).all()
