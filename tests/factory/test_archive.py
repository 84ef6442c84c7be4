from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.dataset.archive import (
    INDEX,
    DamagedError,
    Index,
    check_archive,
    index_of,
    read_contents,
    read_index,
    write_archive,
)

SAMPLES = [
    (7, "head_7", {"seed": 7}, {"scan.npz": b"abc" * 300, "capture.json": b"{}"}),
    (9, "head_9", {"seed": 9}, {"scan.npz": b"", "capture.json": b"x" * 512}),
]


def write(path: Path, samples: list[tuple[int, str, Mapping, Mapping[str, bytes]]] = SAMPLES) -> Index:
    index = index_of(samples, "plan")
    write_archive(path, index, (data for *_, sample in samples for _, data in sorted(sample.items())))
    return index


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    index = write(tmp_path / "a.tar")
    assert (tmp_path / "a.tar").stat().st_size == index.size
    with (tmp_path / "a.tar").open("rb") as file:
        assert check_archive(file) == index
        assert list(read_contents(file, index)) == [b"{}", b"abc" * 300, b"x" * 512, b""]
        assert list(read_contents(file, index, only=index.entries[1])) == [b"x" * 512, b""]


def test_any_tar_reader_reads_it(tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        names = ["head_7.capture.json", "head_7.scan.npz", "head_9.capture.json", "head_9.scan.npz"]
        assert tar.getnames() == [INDEX, *names]
        extracted = tar.extractfile("head_7.scan.npz")
        assert extracted is not None and extracted.read() == b"abc" * 300


def test_the_index_is_read_from_the_first_bytes(tmp_path: Path) -> None:
    samples = [(i, f"head_{i}", {"note": "n" * 900}, {"a": b"1"}) for i in range(100)]
    index = write(tmp_path / "a.tar", samples)
    data, reads = (tmp_path / "a.tar").read_bytes(), []

    def read(start: int, end: int) -> bytes:
        reads.append(end)
        return data[start:end]

    assert read_index(read) == index and len(reads) == 2 and reads[-1] < len(data) / 1.3


@settings(max_examples=60)
@given(st.data())
def test_no_flipped_bit_of_a_file_goes_unseen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("archive") / "a.tar"
    index = write(path)
    whole = path.read_bytes()
    with tarfile.open(path) as tar:
        spans = [range(m.offset_data, m.offset_data + m.size) for m in tar.getmembers()]
    places = [place for span in spans for place in span]
    changed = bytearray(whole)
    changed[data.draw(st.sampled_from(places))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedError):
        check_archive(io.BytesIO(changed))
    with pytest.raises(DamagedError):
        check_archive(io.BytesIO(whole[: data.draw(st.integers(0, len(whole) - 1))]))
    assert check_archive(io.BytesIO(whole)) == index


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, b"\0" * 20_000])
def test_something_else_is_told(data: bytes) -> None:
    with pytest.raises(DamagedError):
        check_archive(io.BytesIO(data))


def test_a_content_that_is_not_the_index_s_is_not_written(tmp_path: Path) -> None:
    index = index_of(SAMPLES, "plan")
    with pytest.raises(DamagedError, match=r"head_7\.capture\.json"):
        write_archive(tmp_path / "a.tar", index, [b"other"] * 4)
    assert not list(tmp_path.iterdir())
