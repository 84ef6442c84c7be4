"""`p2p produce` with the real stages at tiny size."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from factory.cli.main import main
from factory.dataset.events import read_events
from factory.dataset.store import Store
from factory.report.dataset_reader import DatasetReader
from factory.report.usage import sum_usage
from tests.decoys import P2P, imported, python, write_decoys
from tests.factory.production import tiny


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("produced")
    write_decoys(folder / "here")
    words = tiny.command(folder / "data", folder / "overrides.yaml", "--keep-captures")
    done = python(folder / "here", *P2P, *words[3:])
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_a_data_set_is_made_and_right(produced: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = produced / "data"
    description = json.loads((data / "dataset.json").read_text())
    assert {name: split["samples"] for name, split in description["splits"].items()} == {"train": 1, "test": 1}
    assert main(["verify", str(data)]) == 0
    assert main(["status", str(data)]) == 0
    assert "complete, 2 heads (1 train, 1 test) in 2 shards" in capsys.readouterr().out
    usage = sum_usage(read_events(Store(data)))
    assert set(usage.seconds) == {"generate", "reconstruct", "label", "pack"}
    assert all("head_00000001" in heads for heads in usage.seconds.values())
    for stage, steps in {"generate": {"first view", "other views"}, "reconstruct": {"stereo", "meshing"}}.items():
        assert usage.steps[stage].heads == 2 and steps < set(usage.steps[stage].times)
        assert 0 < sum(usage.steps[stage].times.values()) < usage.steps[stage].seconds
    entry = next(entry for _, entry in DatasetReader(str(data)).entries())
    assert entry.facts["look"]["age"] > 0 and entry.facts["look"]["hair"]
    assert {path.name for path in (data / "captures").iterdir()} == {"head_00000000", "head_00000001"}
    assert not list((data / "parts").iterdir())


@pytest.mark.slow
def test_nothing_of_the_working_folder_is_imported(produced: Path) -> None:
    """Neither by Ray and its workers nor by any stage of a head."""
    assert imported(produced / "here" / "imported") == []


@pytest.mark.slow
def test_kept_captures_are_used_again(produced: Path) -> None:
    """A lost shard costs no rendering then, and comes out as it was."""
    data = produced / "data"
    before = tiny.shards_of(data)
    (data / "train-000000.tar").unlink()
    rendered = read_times(data)
    words = tiny.command(data, produced / "overrides.yaml", "--keep-captures", "--generate.cpus", "2")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0 and "1 of 2 heads are finished" in done.stderr
    assert tiny.shards_of(data) == before and read_times(data) == rendered


def read_times(data: Path) -> dict[str, int]:
    """When each kept image was made."""
    return {str(path): path.stat().st_mtime_ns for path in sorted((data / "captures").glob("*/images/*.png"))}


@pytest.mark.slow
def test_a_stage_that_no_node_can_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tiny.command(tmp_path / "data", tmp_path / "overrides.yaml", "--reconstruct.gib", "100000")
    assert main(words[3:]) == 2
    said = capsys.readouterr().err
    assert "no node can run the stage reconstruct" in said and "--reconstruct.gib" in said
