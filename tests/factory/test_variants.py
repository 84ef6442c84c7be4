"""Scans of a capture in other styles: labelled, packed, verified, and read back."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture import Capture, InputError, Labels, Scan, write_json
from capture.variants import ScanVariant, find_variants, remove_variants
from factory.dataset.archive import Entry
from factory.dataset.packing import PackSettings, pack
from factory.dataset.samples import encode, facts
from factory.dataset.store import Store
from factory.production.verify import sample_problems, verify
from factory.report.sample_sections import head_section
from labeling import label_and_measure
from labeling.labels import compute_labels
from reconstruction.styles import STYLES
from scans.head_sample import HeadSample
from tests.helpers import make_capture
from training.data.shards import read_heads, read_splits


def with_variants(folder: Path, count: int = 2) -> Path:
    """A toy capture whose variants are larger and larger spheres, not labelled yet."""
    capture = make_capture(folder)
    scan = Scan.read(capture.scan_path)
    (folder / ScanVariant.FOLDER).mkdir()
    for number in range(1, count + 1):
        variant = ScanVariant(folder, number)
        replace(scan, vertices=scan.vertices * (1 + 0.008 * number)).write(variant.scan_path)
        write_json(variant.style_path, STYLES["hair"].to_json())
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_variants(tmp_path / "head_00000000")


def test_each_variant_gets_labels_by_its_own_distance(folder: Path) -> None:
    label_and_measure(folder)
    assert compute_labels(folder).skin.all()
    near, far = (Labels.read(variant.labels_path) for variant in find_variants(folder))
    assert near.distance_mm.mean() == pytest.approx(0.8, abs=0.1) and near.skin.all()
    assert far.distance_mm.mean() == pytest.approx(1.6, abs=0.1) and not far.skin.any()
    assert near.views is not None and near.views.any()


def test_a_variant_far_off_is_no_reason_to_refuse_the_head(folder: Path) -> None:
    """Closed shells and hair stand off: the frame is that of the scan, which is checked."""
    variant = find_variants(folder)[0]
    scan = Scan.read(variant.scan_path)
    replace(scan, vertices=scan.vertices * 1.2).write(variant.scan_path)
    label_and_measure(folder)
    assert not Labels.read(variant.labels_path).skin.any()


def test_variants_come_out_as_they_went_in(folder: Path, tmp_path: Path) -> None:
    label_and_measure(folder)
    plain = make_capture(tmp_path / "head_00000001", seed=1).folder
    pack([folder, plain], tmp_path / "data", PackSettings(0.5, 1))
    assert verify(Store(tmp_path / "data"))["heads"] == 2
    splits = read_splits(tmp_path / "data").values()
    heads = {head.id: head for split in splits for shard in split.shards for head in read_heads(shard)}
    assert not heads[plain.name].variants
    head = heads[folder.name]
    assert len(head.variants) == 2
    for number, variant in enumerate(find_variants(folder), 1):
        chosen = head.with_variant(number)
        assert head.variants[number - 1].style == STYLES["hair"].to_json()
        assert chosen.labels is not None and not chosen.variants and chosen.cameras == head.cameras
        np.testing.assert_array_equal(chosen.scan.vertices, Scan.read(variant.scan_path).vertices)
        np.testing.assert_array_equal(chosen.labels.distance_mm, Labels.read(variant.labels_path).distance_mm)
    assert head.with_variant(0).key() == head.key()
    assert len({head.with_variant(number).key() for number in range(3)}) == 3
    sample = encode(Capture.read(folder))
    assert json.loads(sample["style_01.json"])["name"] == "hair"


def test_the_report_shows_every_style(folder: Path, tmp_path: Path) -> None:
    label_and_measure(folder)
    head = HeadSample.from_sample({**encode(Capture.read(folder)), "__key__": folder.name}, "shard")
    captions = [mesh["caption"] for mesh in head_section(head, "train")["meshes"]]
    assert captions.count("true labels of a scan in style hair") == 2


def test_variants_without_labels_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels are missing: .*labels_01\.npz; run `p2p label`"):
        pack([folder], tmp_path / "data", PackSettings(0, 1))
    assert not (tmp_path / "data").exists()


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def packed(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_what_is_wrong_with_a_variant_is_told(folder: Path) -> None:
    label_and_measure(folder)
    capture = Capture.read(folder)
    sample = encode(capture)
    entry = Entry(0, capture.info.id, facts(capture), {})
    assert not list(sample_problems(entry, sample))
    whole = arrays_of(sample["scan_01.npz"])
    cases = {
        "it has 2 scans, its facts say 3": {
            key: value for key, value in sample.items() if key not in ("scan_02.npz", "style_02.json")
        },
        "scan_01.npz can't be read": sample | {"scan_01.npz": b"nothing"},
        "scan_01.npz is broken": sample | {"scan_01.npz": packed(**whole | {"faces": np.array([[0, 1, 99999]])})},
        "scan_01.npz has 642 vertices, 641": sample
        | {"scan_01.npz": packed(**whole | {"distance_mm": whole["distance_mm"][1:]})},
        "scan_02.npz has no record of its style": {k: v for k, v in sample.items() if k != "style_02.json"},
    }
    for message, changed in cases.items():
        problems = list(sample_problems(entry, changed))
        assert any(problem.startswith(message) for problem in problems), (message, problems)


def test_a_damaged_variant_in_a_shard_is_named(folder: Path) -> None:
    label_and_measure(folder)
    sample = encode(Capture.read(folder)) | {"__key__": folder.name}
    whole = arrays_of(sample["scan_02.npz"])
    sample["scan_02.npz"] = packed(**whole | {"distance_mm": whole["distance_mm"][1:], "skin": whole["skin"][1:]})
    with pytest.raises(InputError, match="damaged sample head_00000000 in shard"):
        HeadSample.from_sample(sample, "shard")


def test_variants_are_removed_whole(folder: Path) -> None:
    label_and_measure(folder)
    (folder / "styles" / "mine.txt").write_text("kept")
    remove_variants(folder)
    assert [path.name for path in (folder / "styles").iterdir()] == ["mine.txt"]
    assert not find_variants(folder)
