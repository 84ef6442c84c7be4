"""Data sets behind a URL."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from capture import InputError
from tests.training.toy import write_dataset
from training.data import remote
from training.data.module import HeadData
from training.data.remote import fetch_description, fetch_shards, is_url
from training.data.shards import read_splits
from training.features import FeatureConfig


class _Handler(http.server.SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def log_message(self, *arguments: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def url(dataset: Path, tmp_path: Path) -> Iterator[str]:
    """A copy of the toy data set on a server of its own."""
    for path in dataset.glob("*.*"):
        if path.is_file():
            (tmp_path / "served").mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / "served")
    _Handler.asked = []
    handler = functools.partial(_Handler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_url_is_fetched_once_and_prepared(url: str, tmp_path: Path) -> None:
    data = HeadData(f"{url}/", str(tmp_path / "cache"), FeatureConfig(["surface_variation"]), 150, eigenpairs=6)
    data.prepare("test")
    data.setup("test")
    assert [batch.id for batch in data.test_dataloader()] == ["toy_3"]
    assert sorted(_Handler.asked)[-1].endswith("test-000000.tar")
    assert not any("train" in path for path in _Handler.asked)


def test_a_run_fetches_and_checks_nothing_twice(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is prepared before other processes start, and by the trainer; another data set may be at the URL then."""
    options = {"features": FeatureConfig(["surface_variation"]), "vertices": 150, "eigenpairs": 6}
    data = HeadData(url, str(tmp_path / "cache"), **options)
    data.prepare("test")
    description, before = tmp_path / "cache" / "dataset" / "dataset.json", data.splits()
    kept, checked = description.read_bytes(), list[Path]()
    _Handler.asked.clear()
    (tmp_path / "served" / "dataset.json").write_text("{}")
    whole = remote._is_whole
    monkeypatch.setattr(remote, "_is_whole", lambda shard: bool(checked.append(shard.path)) or whole(shard))
    data.prepare("test")
    assert not _Handler.asked and not checked
    data.prepare("fit")
    assert {Path(path).name[:5] for path in _Handler.asked} == {"train"}
    assert {path.name[:5] for path in checked} == {"train"}
    assert description.read_bytes() == kept and data.splits() == before
    with pytest.raises(InputError, match=r"dataset\.json"):  # another run looks again
        HeadData(url, str(tmp_path / "cache"), **options).prepare("test")


def test_heads_to_mix_in_are_fetched_before_processes_start(url: str, tmp_path: Path) -> None:
    """By the first process alone: the others only open what it prepared."""
    mine = write_dataset(tmp_path / "mine", train=2, first=20)
    options = {"features": FeatureConfig(["surface_variation"]), "vertices": 150, "eigenpairs": 6}
    data = HeadData(str(mine), str(tmp_path / "cache"), mix=url, **options)
    data.prepare("fit")
    assert any(path.endswith("train-000000.tar") for path in _Handler.asked)
    assert not any("test" in path for path in _Handler.asked)
    _Handler.asked.clear()
    HeadData(str(mine), str(tmp_path / "cache"), mix=url, **options).setup("fit")
    data.setup("fit")
    assert not _Handler.asked
    assert len({batch.id for batch in data.train_dataloader()}) == 4


def fetch(url: str, folder: Path) -> None:
    fetch_description(url, folder)
    fetch_shards(url, [read_splits(folder, check=False)["test"]])


def test_what_is_wrong_with_a_url(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`cache`"):
        HeadData(url)
    with pytest.raises(InputError, match=r"can't read .*nowhere/dataset\.json"):
        fetch(f"{url}/nowhere", tmp_path / "a")
    with pytest.raises(InputError, match="can't read"):
        fetch("nosuchscheme://x", tmp_path / "a")
    served = tmp_path / "served"
    description = json.loads((served / "dataset.json").read_text())
    shard = served / description["splits"]["test"]["shards"][0]["name"]
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    assert hashlib.sha256(shard.read_bytes()).hexdigest() != description["splits"]["test"]["shards"][0]["sha256"]
    with pytest.raises(InputError, match="another checksum"):
        fetch(url, tmp_path / "b")
    assert not list((tmp_path / "b").glob("*.tar"))
    description["splits"]["test"]["shards"][0]["name"] = "../../etc/passwd"
    (served / "dataset.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="no shard name"):
        fetch(url, tmp_path / "c")


def test_paths_are_no_urls() -> None:
    assert is_url("https://a/b") and is_url("s3://bucket/x")
    assert not any(map(is_url, ("dataset", "/data/set", "C:/data", "a:b", "./x")))
