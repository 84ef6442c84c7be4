"""Captures into WebDataset shards and `dataset.json`; `training.data.shards` reads them back."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from capture import Capture, InputError, Labels, Scan, write_json
from capture.files import explain_os_error
from factory.console import track
from factory.dataset.archive import Entry, index_of, write_archive
from factory.dataset.events import EventLog
from factory.dataset.samples import FORMAT, encode, facts
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.stages.stamps import history, read_record

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
DATASET = "dataset.json"
SPLITS = ("train", "test")
_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")  # what samples of a tar may be called, and readers name files after
SHARD_NAME = re.compile(r"(train|test)-\d{6}\.tar")  # what `pack` writes: other tars in the folder are not its own


@dataclass(frozen=True)
class PackSettings:
    """How captures become shards.

    Attributes:
        test_share: share of the heads that go to the test split (the paper: 500 of 3000).
        heads_per_shard: samples in one tar file.
    """

    test_share: float = 1 / 6
    heads_per_shard: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.test_share < 1:
            raise InputError(f"the test share must lie in [0, 1), got {self.test_share}")
        if self.heads_per_shard < 1:
            raise InputError(f"a shard holds at least one head, got {self.heads_per_shard}")


def find_captures(folder: Path) -> list[Path]:
    """The captures in `folder` (or `folder` itself), ordered by name; raises `InputError` where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no such folder of captures: {folder}")
    if (folder / Capture.INFO).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{Capture.INFO}"))
    if not found:
        raise InputError(f"{folder} holds no capture (a folder with {Capture.INFO}); make some with `p2p generate`")
    return found


def split(ids: Sequence[str], test_share: float) -> dict[str, list[str]]:
    """Split heads into train and test: at least one in test where there are two or more and a share is asked for."""
    return split_by_count(ids, count_for_test(len(ids), test_share))


def count_for_test(heads: int, test_share: float) -> int:
    """How many of so many heads a share makes."""
    count = round(heads * test_share)
    return min(max(count, 1), heads - 1) if test_share > 0 and heads > 1 else count


def split_by_count(ids: Sequence[str], count: int) -> dict[str, list[str]]:
    """Split heads into train and `count` for test: a function of the ids alone, and of no order.

    The heads are ranked by a hash of their id and the first go to the test split.
    """
    ranked = sorted(ids, key=lambda name: hashlib.sha256(name.encode()).digest())
    return {"train": sorted(ranked[count:]), "test": sorted(ranked[:count])}


def pack(captures: Sequence[Path], out: Path, settings: PackSettings | None = None) -> dict[str, Any]:
    """Write labelled captures as a data set and return its `dataset.json`.

    Shards are written into a hidden folder beside and get their places when all are there, `dataset.json` last: a data
    set that has it is whole. Raises `InputError` where a capture isn't labelled, an image is damaged or two captures
    have one id; what stood in `out` stays then.
    """
    settings = settings or PackSettings()
    by_id = _open_all(captures)
    splits = split(list(by_id), settings.test_share)
    out = Path(out)
    table: dict[str, Any] = {}
    counted = Statistics()
    with _beside(out) as folder:
        with track("packing", len(by_id)) as progress:
            for name in SPLITS:
                shards: list[dict[str, Any]] = []
                for first in range(0, len(splits[name]), settings.heads_per_shard):
                    ids = splits[name][first : first + settings.heads_per_shard]
                    path = folder / shard_name(name, len(shards))
                    shard, packed = _write_shard(path, [by_id[i] for i in ids], counted.heads, progress.advance)
                    shards.append(shard)
                    for entry in packed:
                        counted.add(entry.facts)
                table[name] = {"samples": len(splits[name]), "ids": splits[name], "shards": shards}
        _forget(out)
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
    description = describe(_key(captures, settings), table, counted)
    _record_timings(captures, out)
    write_json(out / DATASET, description)
    log.info("data set %s: %s", out, ", ".join(f"{table[name]['samples']} {name}" for name in SPLITS))
    return description


def _record_timings(captures: Sequence[Path], out: Path) -> None:
    """Note how long the captures' stages took: samples don't say, so that they are the same each time."""
    with EventLog(Store(out)) as events:
        for folder in captures:
            for stage, ran in history(folder).items():
                used = {key: ran[key] for key in ("seconds", "peak_gib", "times")}
                events.write("stage", id=Capture.read(folder).info.id, stage=stage, **used)


def pack_if_needed(captures: Sequence[Path], out: Path, settings: PackSettings) -> dict[str, Any]:
    """`pack`, unless the data set in `out` was packed from the same labelled captures with the same settings."""
    key = _key(captures, settings)
    with suppress(InputError):
        value = read_dataset(out)
        if value.get("key") == key and _is_whole(Path(out), value):
            log.info("%s is whole: not packed again", out)
            return value
    return pack(captures, out, settings)


def _is_whole(out: Path, description: Mapping[str, Any]) -> bool:
    """Whether all shards are there, of the size that they had."""
    shards = [shard for split in description["splits"].values() for shard in split["shards"]]
    paths = [out / shard["name"] for shard in shards]
    return all(p.is_file() and p.stat().st_size == s["bytes"] for p, s in zip(paths, shards, strict=True))


def _key(captures: Sequence[Path], settings: PackSettings) -> str:
    """A hash of the settings and of the captures' stamped labels; one without a stamp never equals another time's."""
    records = {path.name: read_record(path, "label") for path in sorted(captures)}
    made_from = {name: record.result if record else secrets.token_hex(8) for name, record in records.items()}
    return hashlib.sha256(json.dumps([SCHEMA_VERSION, FORMAT, asdict(settings), made_from]).encode()).hexdigest()[:16]


def read_dataset(folder: Path) -> dict[str, Any]:
    """The `dataset.json` of a data set; raises `InputError` where it is missing or from another version."""
    folder = Path(folder)
    path = folder / DATASET
    if not path.is_file():
        raise InputError(f"no data set: {folder} has no {DATASET}; make one with `p2p pack` or `p2p produce`")
    return read_dataset_text(path.read_bytes(), str(path))


def read_dataset_text(text: bytes, where: str) -> dict[str, Any]:
    """What a `dataset.json` says; raises `InputError` naming `where` if it is damaged or from another version."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is damaged ({error}); pack the data set again") from None
    if not isinstance(value, dict) or value.get("schema_version") != SCHEMA_VERSION or "splits" not in value:
        raise InputError(f"{where}: not a data set of schema version {SCHEMA_VERSION}; pack it again")
    try:
        for name in SPLITS:
            split = value["splits"][name]
            int(split["samples"]), [(str(shard["name"]), int(shard["bytes"])) for shard in split["shards"]]
        dict(value["statistics"]), dict(value["versions"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} is damaged ({error}); pack the data set again") from None
    return value


def shard_name(name: str, number: int) -> str:
    """File name of a split's shard, counted from 0."""
    return f"{name}-{number:06d}.tar"


def describe(key: str, splits: Mapping[str, Any], counted: Statistics) -> dict[str, Any]:
    """What stands in `dataset.json`: shards by split as given, and what their heads add up to."""
    return {
        "schema_version": SCHEMA_VERSION,
        "key": key,
        "splits": dict(splits),
        "statistics": counted.to_json(),
        "versions": counted.versions,
    }


def _open_all(folders: Sequence[Path]) -> dict[str, Capture]:
    by_id: dict[str, Capture] = {}
    for folder in folders:
        capture = Capture.read(folder)
        scan = Scan.read(capture.scan_path) if capture.scan_path.is_file() else None
        if scan is None:
            raise InputError(f"capture {folder} has no scan; run `p2p reconstruct {folder}` first")
        if Labels.read(capture.labels_path, len(scan.vertices)).painted:
            cure = "measure with them: `p2p evaluate --annotated`"
            raise InputError(f"labels of {folder} were painted: data sets hold heads whose surface is known; {cure}")
        if not _ID.fullmatch(capture.info.id):
            cure = "rename it to 1 to 64 of the characters A-Z a-z 0-9 _ -"
            raise InputError(f"capture {folder} is called {capture.info.id!r}; {cure}")
        if capture.info.id in by_id:
            other = by_id[capture.info.id].folder
            raise InputError(f"{folder} and {other} are both called {capture.info.id}; heads need different ids")
        by_id[capture.info.id] = capture
    return dict(sorted(by_id.items()))


def _forget(out: Path) -> None:
    """Remove the data set that stood in `out`, its description first: half a data set must not look whole."""
    (out / DATASET).unlink(missing_ok=True)
    for path in out.iterdir():
        if SHARD_NAME.fullmatch(path.name):
            path.unlink()


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A hidden folder in `out` that is gone afterwards, and `out` with it where it was made for nothing."""
    with ExitStack() as stack:
        if not out.exists():
            stack.callback(_remove_empty, out)
        try:
            out.mkdir(parents=True, exist_ok=True)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".packing-", dir=out)))
        except OSError as error:
            raise explain_os_error(error, out) from error
        yield folder


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # it is not empty: it was of use
        folder.rmdir()


def _write_shard(
    path: Path, captures: Sequence[Capture], first_slot: int, advance: Any
) -> tuple[dict[str, Any], tuple[Entry, ...]]:
    """Write one tar; the same captures give the same bytes. Returns its line in `dataset.json` and what it holds."""
    samples = []
    for slot, capture in enumerate(captures, first_slot):
        samples.append((slot, capture.info.id, facts(capture), encode(capture)))
        advance(1, capture.info.id)
    index = index_of(samples, "captures")
    contents = (content for *_, sample in samples for _, content in sorted(sample.items()))
    digest = write_archive(path, index, contents)
    return {"name": path.name, "samples": len(captures), "bytes": index.size, "sha256": digest}, index.entries
