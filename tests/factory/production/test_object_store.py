"""Production into an object store, over HTTP with a server that speaks S3."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from capture import InputError
from factory.dataset.archive import check_archive
from factory.dataset.events import EventLog, read_events
from factory.dataset.store import Store
from factory.production.cluster import connected
from factory.production.display import RunDisplay
from factory.production.event_queue import poll_events, start_event_queue
from factory.production.run import ProductionRun
from factory.production.settings.options import ClusterOptions
from factory.production.state.lock import refuse_active_run
from factory.production.state.plan_file import claim_plan
from factory.production.status import describe
from factory.production.task_submitter import TaskSubmitter
from tests.factory.production import fakes
from tests.helpers import free_port


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a bucket on a server of its own."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    said = (tmp_path_factory.mktemp("s3") / "server.log").open("w")
    program = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(program, stdout=said, stderr=said)
    values = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/heads", method="PUT"), timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield "s3://heads"
    finally:
        server.terminate()
        server.wait(30)
        said.close()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_files_come_and_go(bucket: str, tmp_path: Path) -> None:
    store = Store(f"{bucket}/files/")
    assert store.local is None and store.sizes() == {} and not store.exists("a/b.txt")
    store.write("a/b.txt", b"hello there")
    (tmp_path / "big").write_bytes(bytes(range(256)) * 30_000)
    store.put(tmp_path / "big", "a/c.bin")
    assert store.sizes("a") == {"b.txt": 11, "c.bin": 7_680_000} and store.sizes() == {}
    assert store.read("a/b.txt") == b"hello there" and store.read("a/b.txt", 6, 9) == b"the"
    with store.open("a/c.bin") as file:
        file.seek(511)
        assert file.read(2) == b"\xff\x00"
    store.remove("a/b.txt")
    store.remove("a/b.txt")
    assert not store.exists("a/b.txt")
    with pytest.raises(FileNotFoundError):
        store.read("a/b.txt")


def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    with pytest.raises(InputError, match=r"s3://no-such-bucket-here/x.*check the address, the bucket"):
        Store("s3://no-such-bucket-here").write("x", b"")


def test_a_data_set_in_an_object_store_equals_one_on_disk(bucket: str, tmp_path: Path) -> None:
    plan = fakes.make_plan()
    stores = [Store(f"{bucket}/data"), Store(tmp_path / "data")]
    with connected(ClusterOptions(cpus=4)):
        for store in stores:
            claim_plan(store, plan)
            context = fakes.make_context(plan, store.url)
            queue = start_event_queue()
            submitter = TaskSubmitter(context, queue, (fakes.run_stage, fakes.run_pack))
            for _ in range(2):  # there is nothing left for the second one
                with EventLog(store) as event_log, RunDisplay(store) as display:
                    poll = partial(poll_events, queue)
                    ProductionRun(context, submitter, poll, lambda: 4, event_log, display).run()
    names = [name for name in stores[0].sizes() if name.endswith(".tar")]
    assert len(names) == 3
    for name in names:
        assert stores[0].read(name) == stores[1].read(name)
        with stores[0].open(name) as file:
            check_archive(file)
    assert sum(event["event"] == "head" for event in read_events(stores[0])) == 5
    assert "complete, 5 heads (3 train, 2 test) in 3 shards" in next(describe(stores[0]))


def test_a_run_that_lives_is_not_joined(bucket: str) -> None:
    store = Store(f"{bucket}/alive")
    refuse_active_run(store)
    store.write("progress.json", f'{{"time": {time.time() - 5}, "pid": 7, "host": "there"}}'.encode())
    with pytest.raises(InputError, match=r"another run works on .* \(process 7 on there, last report [56] s ago\)"):
        refuse_active_run(store)
    store.write("progress.json", f'{{"time": {time.time() - 500}, "pid": 7, "host": "there"}}'.encode())
    refuse_active_run(store)
