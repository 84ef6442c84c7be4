from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from factory.dataset.archive import Content, Entry, Index, check_archive, read_contents, write_archive
from factory.dataset.packing import PackSettings, pack
from factory.dataset.store import Store
from factory.production.settings.plan import Plan
from factory.production.state.plan_file import claim_plan
from factory.production.verify import sample_problems, verify
from tests.helpers import make_capture


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folders = [make_capture(tmp_path / "captures" / f"head_{i:08d}", seed=i).folder for i in range(3)]
    pack(folders, tmp_path / "data", PackSettings(0.3, 1))
    return tmp_path / "data"


def change(path: Path, **values: object) -> None:
    description = json.loads(path.read_text())
    path.write_text(json.dumps(description | values))


def test_a_data_set_as_it_was_made_is_right(dataset: Path) -> None:
    assert verify(Store(dataset)) == {"shards": 3, "heads": 3, "vertices": 3 * 642}


def test_whatever_is_wrong_is_told(dataset: Path) -> None:
    store, path = Store(dataset), dataset / "dataset.json"
    before = path.read_text()
    description = json.loads(before)
    change(path, statistics=description["statistics"] | {"vertices": 1})
    with pytest.raises(InputError, match=r"statistics in dataset\.json"):
        verify(store)
    splits = description["splits"]
    change(path, splits=splits | {"test": splits["test"] | {"ids": ["another"]}})
    with pytest.raises(InputError, match="split test: it holds other heads"):
        verify(store)
    change(path, splits=splits | {"train": splits["test"]})
    with pytest.raises(InputError, match=r"is there more than once.*belongs to no split"):
        verify(store)
    path.write_text(before)
    shard = dataset / "train-000000.tar"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 8
    shard.write_bytes(data)
    (dataset / "train-000001.tar").unlink()
    with pytest.raises(InputError, match=r"train-000000\.tar: its checksum differs.*train-000001\.tar is gone"):
        verify(store)


def test_what_a_data_set_grows_by_is_not_told_as_wrong(dataset: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Shards of its plan that are not in its description yet; others are."""
    store = Store(dataset)
    (dataset / "train-000002.tar").write_bytes(b"new")
    with pytest.raises(InputError, match=r"train-000002\.tar belongs to no split"):
        verify(store)
    (dataset / "dataset.json").rename(dataset / "kept.json")
    claim_plan(store, Plan(5, 2, 1))
    (dataset / "kept.json").rename(dataset / "dataset.json")
    caplog.set_level("INFO")
    assert verify(store)["heads"] == 3 and "grows: what is new is not in dataset.json yet" in caplog.text
    (dataset / "train-000003.tar").write_bytes(b"strange")
    with pytest.raises(InputError, match=r"damaged: train-000003\.tar belongs to no split"):
        verify(store)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"faces": np.array([[0, 1, 99999]], np.int32)}, "scan is broken"),
        ({"vertices": np.full((642, 3), np.nan, np.float32)}, "scan is broken"),
        ({"skin": np.ones(3, bool)}, "642 distances, 3 labels"),
        ({"distance_mm": np.full(642, 9, np.float32)}, "farther from the surface than the threshold"),
        ({"distance_mm": np.full(642, np.nan, np.float32)}, "the distance of a vertex is not finite"),
        ({"known": np.ones(3, bool)}, "642 vertices, of 3 it says whether they are known"),
        ({"seen_class": np.full(642, 200, np.uint8)}, "unknown classes"),
    ],
)
def test_samples_that_contradict_themselves_are_told(
    dataset: Path, change: dict[str, np.ndarray], message: str
) -> None:
    with (dataset / "train-000000.tar").open("rb") as file:
        index = check_archive(file)
        sample = dict(zip(index.entries[0].files, read_contents(file, index), strict=True))
    info = json.loads(sample["capture.json"]) | {"stages": {"label": {"options": {"threshold_mm": 1.5}}}}
    sample["capture.json"] = json.dumps(info).encode()
    entry = index.entries[0]
    assert list(sample_problems(entry, sample)) == []
    arrays = dict(np.load(io.BytesIO(sample["scan.npz"]))) | change
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    assert message in "; ".join(sample_problems(entry, sample | {"scan.npz": buffer.getvalue()}))


def test_a_sample_without_a_scan_is_told(dataset: Path) -> None:
    with (dataset / "train-000000.tar").open("rb") as file:
        entry = check_archive(file).entries[0]
    assert "can't be read" in next(sample_problems(entry, {"capture.json": b"{}"}))


def test_an_unfinished_data_set_is_not_right(tmp_path: Path) -> None:
    entry = Entry(0, "a", {}, {"x": Content.of(b"1")})
    write_archive(tmp_path / "train-000000.tar", Index("plan", (entry,)), [b"1"])
    with pytest.raises(InputError, match="it is not complete"):
        verify(Store(tmp_path))


def test_masks_of_some_views_are_told(dataset: Path) -> None:
    with (dataset / "train-000000.tar").open("rb") as file:
        index = check_archive(file)
        sample = dict(zip(index.entries[0].files, read_contents(file, index), strict=True))
    every = {f"view_{i:02d}.mask.png": b"" for i in range(3)}
    assert list(sample_problems(index.entries[0], sample | every)) == []
    some = {"view_00.mask.png": b""}
    assert list(sample_problems(index.entries[0], sample | some)) == ["it has 3 cameras and other masks"]
