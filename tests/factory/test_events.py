from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import pytest

from capture import InputError
from factory.dataset.events import EVENTS, EventLog, read_events
from factory.dataset.store import Store
from factory.report.usage import sum_usage


def test_events_are_lines_of_json_that_add_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for seconds in (3.0, 4.0):
        with EventLog(store) as events:
            events.write("stage", id="head_1", stage="label", seconds=seconds)
            events.write("note", text="ü\n")
    lines = (tmp_path / "data" / EVENTS).read_text().splitlines()
    assert len(lines) == 4 and json.loads(lines[1])["text"] == "ü\n"
    assert sum_usage(read_events(store)).seconds == {"label": {"head_1": 4.0}}


def test_a_line_that_a_killed_run_left_half_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / EVENTS).write_text('{"event": "a"}\n{"event": "b", "x\n[1]\n{"event": "c"}\n')
    assert [event["event"] for event in read_events(Store(tmp_path))] == ["a", "c"]


def test_on_a_full_disk_events_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    full = True
    opened = Path.open

    def limited(self: Path, *arguments: object, **named: object) -> io.IOBase:
        if full and self.name == EVENTS:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(self, *arguments, **named)  # type: ignore[arg-type,return-value,call-overload]

    monkeypatch.setattr(Path, "open", limited)
    with EventLog(store) as events:
        events.write("first")
        events.write("second")
        full = False
    assert [event["event"] for event in read_events(store)] == ["first", "second"]


def test_a_place_without_events_has_none(tmp_path: Path) -> None:
    assert list(read_events(Store(tmp_path / "not" / "there"))) == []


def test_files_of_a_folder_come_and_go(tmp_path: Path) -> None:
    store = Store(f"file://{tmp_path}/data/")
    assert store.local == tmp_path / "data" and store.sizes() == {} and store.sizes("parts") == {}
    store.write("parts/a.bin", b"0123456789")
    store.put(tmp_path / "data" / "parts" / "a.bin", "b.bin")
    assert store.sizes() == {"b.bin": 10} and store.sizes("parts") == {"a.bin": 10}
    assert store.read("b.bin", 2, 5) == b"234" and store.read("b.bin") == b"0123456789"
    with store.open("b.bin") as file:
        file.seek(8)
        assert file.read() == b"89"
    store.remove("b.bin")
    store.remove("b.bin")
    assert not store.exists("b.bin") and store.exists("parts/a.bin")
    with pytest.raises(FileNotFoundError):
        store.read("b.bin")


def test_a_place_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a file stands where a folder is needed"):
        Store(tmp_path / "file" / "data").write("x", b"")
    with pytest.raises(InputError, match="nosuchprotocol://x"):
        Store("nosuchprotocol://x/y").sizes()
