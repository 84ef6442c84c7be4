from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from capture import Capture, InputError, Labels, PixelClass, Scan
from factory.dataset import packing
from factory.dataset.description import read_description
from factory.dataset.packing import PackSettings, list_captures, pack, pack_if_needed
from factory.dataset.samples import encode
from factory.dataset.splits import split_by_share
from factory.dataset.store import Store
from factory.production.verify import verify
from labeling.classes import seen_classes
from labeling.visibility import ScanViews
from scans.head_sample import HeadSample
from scans.images.decoding import decode_image
from tests.helpers import make_capture
from training.data.shards import read_heads, read_splits

SETTINGS = PackSettings(test_share=0.3, heads_per_shard=2)


def read_all(folder: Path) -> list[HeadSample]:
    return [head for part in read_splits(folder).values() for shard in part.shards for head in read_heads(shard)]


@pytest.fixture
def captures(tmp_path: Path) -> list[Path]:
    return [make_capture(tmp_path / "captures" / f"head_{i:08d}", seed=i).folder for i in range(5)]


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=40), st.floats(0.01, 0.9))
def test_splits_share_no_head(numbers: set[int], share: float) -> None:
    ids = [f"head_{n:08d}" for n in numbers]
    parts = split_by_share(ids, share)
    assert sorted(parts["train"] + parts["test"]) == sorted(ids)
    assert parts["train"] and parts["test"]
    assert parts == split_by_share(ids[::-1], share)


def test_what_goes_in_comes_out(captures: list[Path], tmp_path: Path) -> None:
    description = pack(captures, tmp_path / "dataset", SETTINGS)
    assert description == read_description(tmp_path / "dataset")
    samples = {head.id: head for head in read_all(tmp_path / "dataset")}
    assert sorted(samples) == [folder.name for folder in captures]
    for folder in captures:
        sample, scan = samples[folder.name], Scan.read(folder / "scan.ply")
        np.testing.assert_array_equal(sample.scan.vertices, scan.vertices)
        np.testing.assert_array_equal(sample.scan.faces, scan.faces)
        np.testing.assert_array_equal(sample.scan.colours, scan.colours)
        labels = Labels.read(folder / "labels.npz")
        np.testing.assert_array_equal(sample.labels.skin, labels.skin)
        np.testing.assert_array_equal(sample.labels.distance_mm, labels.distance_mm)
        for name in ("part", "side", "views"):
            np.testing.assert_array_equal(getattr(sample.labels, name), getattr(labels, name))
        classes = seen_classes(ScanViews.of_capture(Capture.read(folder), scan))
        assert (sample.labels.seen_class is None) == (classes is None)
        if classes is not None:
            np.testing.assert_array_equal(sample.labels.seen_class, classes)
        assert sample.info["id"] == folder.name and sample.info["spec"] == {"hair": "none"}
        image = decode_image((folder / "images" / "view_01.png").read_bytes(), "").astype(int)
        assert np.abs(sample.pixels()[1].astype(int) - image).mean() < 12  # JPEG of noise


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
def test_plain_webdataset_reads_it(captures: list[Path], tmp_path: Path) -> None:
    """Any WebDataset reader gets whole samples, without this project's code."""
    description = pack(captures, tmp_path / "dataset", SETTINGS)
    seen = []
    for name in ("train", "test"):
        for shard in description["splits"][name]["shards"]:
            url = str(tmp_path / "dataset" / shard["name"])
            for sample in webdataset.WebDataset(url, shardshuffle=False, empty_check=False).decode("rgb8"):
                seen.append(sample["__key__"])
                assert sample["view_00.jpg"].shape == (48, 48, 3)
                assert sample["capture.json"]["cameras"][2]["name"] == "view_02.png"
                assert sample["scan.npz"]["skin"].shape == sample["scan.npz"]["vertices"].shape[:1]
    assert sorted(seen) == [folder.name for folder in captures]


def _write_masks(folder: Path, seed: int = 0) -> list[np.ndarray]:
    """Class ids of noise beside the images of a capture."""
    capture = Capture.read(folder)
    (folder / "masks").mkdir()
    ids = np.random.default_rng(seed).integers(0, len(PixelClass), (3, 48, 48)).astype(np.uint8)
    for path, mask in zip(capture.mask_paths, ids, strict=True):
        Image.fromarray(mask).save(path)
    return list(ids)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
def test_masks_come_out_as_they_went_in(captures: list[Path], tmp_path: Path) -> None:
    written = _write_masks(captures[0])
    pack(captures, tmp_path / "dataset", SETTINGS)
    verify(Store(tmp_path / "dataset"))
    heads = {head.id: head for head in read_all(tmp_path / "dataset")}
    masked = heads.pop(captures[0].name)
    np.testing.assert_array_equal(masked.classes(), written)
    assert masked.key() == replace(masked, masks=None).key()  # the labeller doesn't see them
    assert all(head.masks is None and head.classes() is None for head in heads.values())
    seen = []
    for shard in sorted((tmp_path / "dataset").glob("*.tar")):
        for sample in webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False).decode("l8"):
            seen += [sample["view_02.mask.png"]] if "view_02.mask.png" in sample else []
    np.testing.assert_array_equal(seen, written[2:])


def test_bad_masks_are_named(captures: list[Path], tmp_path: Path) -> None:
    folder = captures[0]
    _write_masks(folder)
    path = folder / "masks" / "view_01.png"
    cases = {
        "is missing": path.unlink,
        "damaged mask": lambda: path.write_bytes(b"nothing"),
        "not of its camera's size": lambda: Image.fromarray(np.zeros((24, 48), np.uint8)).save(path),
        "not a grey image of class ids": lambda: Image.fromarray(np.full((48, 48), 12, np.uint8)).save(path),
        "grey image": lambda: Image.fromarray(np.zeros((48, 48, 3), np.uint8)).save(path),
    }
    for message, spoil in cases.items():
        spoil()
        with pytest.raises(InputError, match=rf"view_01\.png.*{message}|{message}.*view_01\.png"):
            pack(captures, tmp_path / "dataset", SETTINGS)
    sample = {"__key__": "x", **encode(Capture.read(captures[1])), "view_01.mask.png": b"x"}
    with pytest.raises(InputError, match=r"view_00\.mask\.png.* is missing"):
        HeadSample.from_sample(sample, "x.tar")


def test_checksums_and_bytes_are_those_of_the_files(captures: list[Path], tmp_path: Path) -> None:
    for out in ("a", "b"):
        description = pack(captures, tmp_path / out, SETTINGS)
    for part in description["splits"].values():
        for shard in part["shards"]:
            data = (tmp_path / "a" / shard["name"]).read_bytes()
            assert shard["sha256"] == hashlib.sha256(data).hexdigest() and shard["bytes"] == len(data)
            assert data == (tmp_path / "b" / shard["name"]).read_bytes()


def test_packing_again_leaves_no_old_shard(captures: list[Path], tmp_path: Path) -> None:
    pack(captures, tmp_path / "dataset", PackSettings(test_share=0.3, heads_per_shard=1))
    (tmp_path / "dataset" / "train-of-mine.tar").touch()
    description = pack(captures[:3], tmp_path / "dataset", SETTINGS)
    listed = {shard["name"] for part in description["splits"].values() for shard in part["shards"]}
    assert {path.name for path in (tmp_path / "dataset").iterdir()} == listed | {"dataset.json", "train-of-mine.tar"}


def test_a_stamped_data_set_is_reused(captures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from factory.stages.stamps import run_stamped

    for folder in captures:
        run_stamped(folder, "label", {"threshold_mm": 1.5}, lambda: None)
    first = pack_if_needed(captures, tmp_path / "dataset", SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr(packing, "pack", lambda *_: pytest.fail("packed again"))
        assert pack_if_needed(captures, tmp_path / "dataset", SETTINGS) == first
    shard = tmp_path / "dataset" / first["splits"]["train"]["shards"][0]["name"]
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-512])
    assert pack_if_needed(captures, tmp_path / "dataset", SETTINGS) == first
    assert shard.read_bytes() == whole
    run_stamped(captures[0], "label", {"threshold_mm": 1.0}, lambda: None)
    assert pack_if_needed(captures, tmp_path / "dataset", SETTINGS)["key"] != first["key"]


def test_unfinished_captures_are_refused_before_anything_is_written(captures: list[Path], tmp_path: Path) -> None:
    (captures[3] / "labels.npz").unlink()
    with pytest.raises(InputError, match=r"labels are missing: .*head_00000003.*p2p label"):
        pack(captures, tmp_path / "dataset")
    (captures[2] / "scan.ply").unlink()
    with pytest.raises(InputError, match=r"head_00000002 has no scan.*p2p reconstruct"):
        pack(captures, tmp_path / "dataset")
    assert not (tmp_path / "dataset").exists()


def test_a_corrupt_image_is_named_and_leaves_no_shard(captures: list[Path], tmp_path: Path) -> None:
    (captures[0] / "images" / "view_01.png").write_bytes(b"\x89PNG\r\n\x1a\n junk")
    with pytest.raises(InputError, match=r"damaged image: .*head_00000000/images/view_01\.png"):
        pack(captures, tmp_path / "dataset")
    assert not (tmp_path / "dataset").exists()


def test_a_corrupt_image_leaves_the_data_set_that_was_there(captures: list[Path], tmp_path: Path) -> None:
    pack(captures[:3], tmp_path / "dataset", SETTINGS)
    before = {path.name: path.read_bytes() for path in (tmp_path / "dataset").iterdir()}
    (captures[4] / "images" / "view_01.png").write_bytes(b"junk")
    with pytest.raises(InputError, match="damaged image"):
        pack(captures, tmp_path / "dataset", PackSettings(heads_per_shard=1))
    assert {path.name: path.read_bytes() for path in (tmp_path / "dataset").iterdir()} == before


def test_two_heads_of_one_name_are_refused(captures: list[Path], tmp_path: Path) -> None:
    other = make_capture(tmp_path / "more" / captures[0].name).folder
    with pytest.raises(InputError, match="both called head_00000000"):
        pack([*captures, other], tmp_path / "dataset")


def test_damaged_data_sets_are_named(captures: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set"):
        read_description(tmp_path / "dataset")
    description = pack(captures, tmp_path / "dataset", SETTINGS)
    shard = tmp_path / "dataset" / description["splits"]["train"]["shards"][0]["name"]
    data = shard.read_bytes()
    shard.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"damaged .*train-000000\.tar"):
        read_all(tmp_path / "dataset")
    shard.unlink()
    with pytest.raises(InputError, match="shard is missing"):
        read_all(tmp_path / "dataset")
    path = tmp_path / "dataset" / "dataset.json"
    for change in ({"splits": []}, {"splits": {"train": {}, "test": {}}}, {"statistics": 3}):
        path.write_text(json.dumps(description | change))
        with pytest.raises(InputError, match=r"dataset\.json is damaged"):
            read_description(tmp_path / "dataset")
    path.write_text(json.dumps(description | {"schema_version": 0}))
    with pytest.raises(InputError, match="schema version"):
        read_description(tmp_path / "dataset")


def test_finding_captures(captures: list[Path], tmp_path: Path) -> None:
    assert list_captures(tmp_path / "captures") == captures
    assert list_captures(captures[0]) == [captures[0]]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no capture"):
        list_captures(tmp_path / "empty")
    with pytest.raises(InputError, match="no such folder"):
        list_captures(tmp_path / "nowhere")


def test_bad_settings_are_named() -> None:
    with pytest.raises(InputError, match="`test_share`"):
        PackSettings(test_share=1.0)
    with pytest.raises(InputError, match="at least one head"):
        PackSettings(heads_per_shard=0)
