"""Data sets that become one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import Capture, InputError, Labels, read_json, write_json
from factory.cli.main import main
from factory.dataset.joining import join
from factory.dataset.packing import PackSettings, list_captures, pack
from factory.dataset.store import Store
from factory.production.verify import verify
from factory.report.dataset_reader import DatasetReader
from factory.stages.stamps import run_stamped
from scans.meshes.reading import read_scan, scan_key
from tests.factory.test_painted_samples import paint
from tests.helpers import make_capture
from training.data.shards import read_heads, read_splits


def make_dataset(folder: Path, seeds: range, generator: str = "1", heads_per_shard: int = 2) -> Path:
    """A data set of toy heads that a version of the generator made."""
    for seed in seeds:
        capture = make_capture(folder / "captures" / f"head_{seed:08d}", seed=seed)
        info = read_json(capture.folder / Capture.INFO, "")
        write_json(capture.folder / Capture.INFO, info | {"versions": {"generator": generator}})
    pack(list_captures(folder / "captures"), folder / "data", PackSettings(0.3, heads_per_shard))
    return folder / "data"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven heads, two of them to test on."""
    return make_dataset(tmp_path_factory.mktemp("first"), range(7))


def ids_of(folder: Path) -> dict[str, list[str]]:
    """The heads of each split, as training reads them."""
    heads = {
        name: [head.id for shard in split.shards for head in read_heads(shard)]
        for name, split in read_splits(folder).items()
    }
    assert heads == {name: list(split.ids) for name, split in read_splits(folder).items()}
    return heads


def test_data_sets_of_other_seeds_are_linked(first: Path, tmp_path: Path) -> None:
    second = make_dataset(tmp_path / "second", range(20, 23))
    paint(tmp_path / "second" / "mine" / "me")
    pack(list_captures(tmp_path / "second" / "mine"), tmp_path / "painted", PackSettings(0))
    assert main(["join", str(first), str(second), str(tmp_path / "painted"), "--out", str(tmp_path / "both")]) == 0
    parts = [ids_of(folder) for folder in (first, second, tmp_path / "painted")]
    assert ids_of(tmp_path / "both") == {
        split: [i for part in parts for i in part[split]] for split in ("train", "test")
    }
    assert verify(Store(tmp_path / "both"))["heads"] == 11
    assert all(path.stat().st_nlink == 2 for path in (tmp_path / "both").glob("*.tar"))
    description = json.loads((tmp_path / "both" / "dataset.json").read_text())
    assert [(line["heads"], line["left_out"]) for line in description["sources"]] == [(7, []), (3, []), (1, [])]
    assert description["sources"][0]["key"] == json.loads((first / "dataset.json").read_text())["key"]
    assert len(list(DatasetReader(str(tmp_path / "both")).entries())) == 11
    join([first, second], tmp_path / "both")  # again, in the place of what was joined
    assert verify(Store(tmp_path / "both"))["heads"] == 10


def test_heads_that_are_there_twice_are_left_out(first: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    second = make_dataset(tmp_path / "second", range(5, 12))
    join([first, second], tmp_path / "both")
    here, there = ids_of(tmp_path / "both"), ids_of(second)
    every = sorted([*here["train"], *here["test"]])
    assert every == [f"head_{seed:08d}" for seed in range(12)]
    assert verify(Store(tmp_path / "both"))["heads"] == 12
    assert "data: left out are heads that an earlier data set has, too: 2 (head_0000000" in caplog.text
    before = ids_of(first)
    for split in ("train", "test"):
        assert here[split] == [*before[split], *(name for name in there[split] if int(name[5:]) > 6)]


def test_heads_of_another_version_get_names_of_their_own_but_in_no_other_split(
    first: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    second = make_dataset(tmp_path / "second", range(3, 7), "2", heads_per_shard=1)
    join([first, second], tmp_path / "both")
    before, there, here = ids_of(first), ids_of(second), ids_of(tmp_path / "both")
    torn = {*before["train"]} & {*there["test"]} | {*before["test"]} & {*there["train"]}
    for split in ("train", "test"):
        assert here[split] == [*before[split], *(f"{name}-2" for name in there[split] if name not in torn)]
    assert (
        len(torn) == 1
        and "left out are heads of persons in the other split of an earlier data set: 1 (head_0000000" in caplog.text
    )
    assert verify(Store(tmp_path / "both"))["heads"] == 10


def test_heads_of_other_options_are_other_heads(first: Path, tmp_path: Path) -> None:
    """Of the same seeds and versions; those of the same options are the same, whatever bits differ."""
    for name, threshold_mm, noise in (("a", 1.5, 0), ("b", 1.5, 1), ("c", 2.0, 2)):
        for seed in range(3):
            folder = tmp_path / name / "captures" / f"head_{seed:08d}"
            make_capture(folder, seed=seed)
            Image.new("RGB", (48, 48), (noise, 0, 0)).save(folder / "images" / "view_00.png")
            run_stamped(folder, "label", {"threshold_mm": threshold_mm}, lambda: None)
        pack(list_captures(tmp_path / name / "captures"), tmp_path / name / "data", PackSettings(0))
    description = join([tmp_path / name / "data" for name in "abc"], tmp_path / "all")
    names = [f"head_{seed:08d}" for seed in range(3)]
    assert [line["left_out"] for line in description["sources"]] == [[], names, []]
    assert ids_of(tmp_path / "all")["train"] == [*names, *(f"{name}-2" for name in names)]


def test_heads_of_unknown_options_are_the_same_where_their_files_are(tmp_path: Path) -> None:
    """Captures of other programs may hold a seed and versions, and no word on their stages."""
    for name, value in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name / "head_00000001"
        make_capture(folder, seed=1)
        Image.new("RGB", (48, 48), (value, 0, 0)).save(folder / "images" / "view_00.png")
        pack([folder], tmp_path / name / "data", PackSettings(0))
    description = join([tmp_path / name / "data" for name in "abc"], tmp_path / "all")
    assert [line["left_out"] for line in description["sources"]] == [[], ["head_00000001"], []]
    assert ids_of(tmp_path / "all")["train"] == ["head_00000001", "head_00000001-2"]


def test_scans_of_people_are_told_apart_by_their_images(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Others of the same name are kept; one that was painted again is kept, too, but not in the other split."""
    folders = {name: tmp_path / name / "captures" / "me" for name in ("me", "other", "again", "tested")}
    for folder in folders.values():
        paint(folder)
    Image.new("RGB", (48, 48), (9, 9, 9)).save(folders["other"] / "images" / "view_00.png")
    labels = Labels.read(folders["me"] / "labels.npz")
    replace(labels, skin=~labels.skin & labels.is_known).write(folders["again"] / "labels.npz")
    replace(labels, skin=labels.is_known).write(folders["tested"] / "labels.npz")
    paint(tmp_path / "tested" / "captures" / "you")
    Image.new("RGB", (48, 48), (7, 7, 7)).save(tmp_path / "tested" / "captures" / "you" / "images" / "view_00.png")
    for name in folders:
        share = 0.5 if name == "tested" else 0
        pack(list_captures(tmp_path / name / "captures"), tmp_path / name / "data", PackSettings(share))
    tested = ids_of(tmp_path / "tested" / "data")
    description = join([tmp_path / name / "data" for name in folders], tmp_path / "all")
    left_out = [line["left_out"] for line in description["sources"]]
    assert left_out == [[], [], [], ["me"]] and tested["test"] == ["me"], tested
    assert ids_of(tmp_path / "all") == {"train": ["me", "me-2", "me-3", "you"], "test": []}
    assert "left out are heads of persons in the other split of an earlier data set: 1 (me)" in caplog.text
    assert verify(Store(tmp_path / "all"))["heads"] == 4
    description = join([tmp_path / "all", tmp_path / "other" / "data"], tmp_path / "twice")
    assert description["sources"][1]["left_out"] == ["me"]  # it is `me-2` there


def test_a_head_that_was_painted_is_another_than_as_it_was_made(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "made" / "head_00000001", seed=1)
    painted = make_capture(tmp_path / "painted" / "head_00000001", seed=1)
    key = scan_key(read_scan(painted.scan_path))
    labels = Labels.read(painted.labels_path)
    distance = np.full(len(labels), np.nan, np.float32)
    Labels(distance, labels.skin, scan=key, painted=True).write(painted.labels_path)
    for name in ("made", "painted"):
        pack([(made if name == "made" else painted).folder], tmp_path / f"{name}_data", PackSettings(0))
    join([tmp_path / "made_data", tmp_path / "painted_data"], tmp_path / "both")
    assert ids_of(tmp_path / "both")["train"] == ["head_00000001", "head_00000001-2"]


def test_what_can_t_be_joined_is_told(first: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(first, tmp_path / "copy")
    for sources, out, message in (
        ([first], tmp_path / "out", "two data sets or more"),
        ([first, first], tmp_path / "out", "each once"),
        ([first, copy], copy, "is one of the data sets that are joined"),
        ([first, tmp_path / "none"], tmp_path / "out", "none has no dataset.json"),
        ([first, tmp_path / "none"], copy, "holds a data set that was not joined"),
    ):
        with pytest.raises(InputError, match=message):
            join(sources, out)
    shard = copy / "train-000000.tar"
    data = bytearray(shard.read_bytes())
    data[-3000] ^= 1
    shard.write_bytes(data)
    with pytest.raises(InputError, match=r"train-000000\.tar is damaged: its checksum differs"):
        join([first, copy], tmp_path / "out")
    shard.unlink()
    with pytest.raises(InputError, match=r"train-000000\.tar is damaged: it is gone"):
        join([first, copy], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_joined_is_mended_by_joining(first: Path, tmp_path: Path) -> None:
    second = make_dataset(tmp_path / "second", range(20, 23))
    join([first, second], tmp_path / "both")
    for folder, cure in ((tmp_path / "both", "`p2p join`"), (second, "`p2p produce` or `p2p pack`")):
        reader = DatasetReader(str(folder))
        (folder / "train-000000.tar").unlink()
        for read in (
            lambda folder=folder: join([first, folder], tmp_path / "out"),
            lambda folder=folder: verify(Store(folder)),
            lambda reader=reader: list(reader.entries()),
        ):
            with pytest.raises(InputError, match=rf"gone.*{cure} with the same options mends it$"):
                read()
