"""`p2p pack`: labelled captures become WebDataset shards and `dataset.json`; `training.data.shards` reads them back."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from capture import Capture, InputError, Labels, Scan, write_json
from capture.files import explain_os_error, make_folder
from capture.folders import is_capture
from capture.labels import is_painted
from capture.listing import list_folders
from factory.console import track
from factory.dataset.archive import index_of, write_archive
from factory.dataset.description import (
    DATASET,
    SCHEMA_VERSION,
    SHARD_NAME,
    make_description,
    read_description,
    shard_name,
)
from factory.dataset.events import EventLog
from factory.dataset.samples import FORMAT, encode, facts
from factory.dataset.splits import SPLITS, split_by_share
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.dataset.unit_options import UnitOptions
from factory.stages.stamps import history, read_record

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")  # for keys of samples, which readers name files after


@dataclass(frozen=True)
class PackSettings:
    """Settings of a data set that is packed.

    Attributes:
        test_share: share of the heads in the test split; the default is the paper's, 500 of 3000.
        heads_per_shard: samples in one tar file.
    """

    test_share: float = 1 / 6
    heads_per_shard: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.test_share < 1:
            raise InputError(f"`test_share` {self.test_share}: it must lie in [0, 1)")
        if self.heads_per_shard < 1:
            raise InputError(f"`heads_per_shard` {self.heads_per_shard}: a shard holds at least one head")


def list_captures(folder: Path) -> list[Path]:
    """The captures in `folder` (or `folder` itself), ordered by name; raises `InputError` where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no such folder of captures: {folder}")
    if is_capture(folder):
        return [folder]
    captures = [path for path in list_folders(folder) if is_capture(path)]
    if not captures:
        raise InputError(
            f"{folder} holds no capture (a folder with {Capture.INFO}, or images/ and sparse/); make some with "
            "`p2p generate`, or import photographs with `p2p import`"
        )
    return captures


def pack(
    captures: Sequence[Path], out: Path, settings: PackSettings | None = None, units: UnitOptions | None = None
) -> dict[str, Any]:
    """Write labelled captures as a data set and return its `dataset.json`.

    Scans that a person painted, whose surface nobody knows, are brought to metres; `units` are theirs.

    Shards are written into a hidden folder in `out` and moved to their places when all are there, `dataset.json` last:
    a data set that has it is complete.

    Raises:
        InputError: a capture isn't labelled, an image is damaged or two captures have one id; what was in `out` stays.
    """
    settings, units = settings or PackSettings(), units or UnitOptions()
    by_id = _open_all(captures)
    splits = split_by_share(list(by_id), settings.test_share)
    out = Path(out)
    table: dict[str, Any] = {}
    statistics = Statistics()
    with hidden_folder(out) as folder:
        with track("packing", len(by_id)) as progress:
            for split in SPLITS:
                shards: list[dict[str, Any]] = []
                for first in range(0, len(splits[split]), settings.heads_per_shard):
                    ids = splits[split][first : first + settings.heads_per_shard]
                    path = folder / shard_name(split, len(shards))
                    shards.append(_write_shard(path, [by_id[i] for i in ids], units, statistics, progress.advance))
                table[split] = {"samples": len(splits[split]), "ids": splits[split], "shards": shards}
        remove_dataset(out)
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
    description = make_description(_key(captures, settings), table, statistics)
    _record_timings(captures, out)
    write_json(out / DATASET, description)
    log.info("data set %s: %s", out, ", ".join(f"{table[split]['samples']} {split}" for split in SPLITS))
    return description


def pack_if_needed(captures: Sequence[Path], out: Path, settings: PackSettings) -> dict[str, Any]:
    """`pack`, unless the data set in `out` was packed from the same labelled captures with the same settings."""
    key = _key(captures, settings)
    with suppress(InputError):
        value = read_description(out)
        if value.get("key") == key and _is_complete(Path(out), value):
            log.info("%s is complete and up to date: not packed again", out)
            return value
    return pack(captures, out, settings)


def _open_all(folders: Sequence[Path]) -> dict[str, Capture]:
    """Id -> capture, ordered by id. Raises `InputError` where one can't be packed."""
    by_id: dict[str, Capture] = {}
    for folder in folders:
        capture = Capture.read(folder)
        if not capture.scan_path.is_file():
            raise InputError(f"capture {folder} has no scan; run `p2p reconstruct {folder}` first")
        if not is_painted(capture.labels_path):  # those may be of any program, and are read later
            Labels.read(capture.labels_path, len(Scan.read(capture.scan_path).vertices))
        if not _ID.fullmatch(capture.info.id):
            hint = "rename it to 1 to 64 of the characters A-Z a-z 0-9 _ -"
            raise InputError(f"capture {folder} is called {capture.info.id!r}; {hint}")
        if capture.info.id in by_id:
            other = by_id[capture.info.id].folder
            raise InputError(f"{folder} and {other} are both called {capture.info.id}; heads need different ids")
        by_id[capture.info.id] = capture
    return dict(sorted(by_id.items()))


def _write_shard(
    path: Path,
    captures: Sequence[Capture],
    units: UnitOptions,
    statistics: Statistics,
    advance: Callable[[int, str], None],
) -> dict[str, Any]:
    """Write one tar and count its heads; the same captures give the same bytes. Returns its line in `dataset.json`."""
    samples = []
    for slot, capture in enumerate(captures, statistics.heads):
        if is_painted(capture.labels_path):
            from factory.dataset.painted_samples import encode_painted  # here: `p2p` starts without its libraries

            sample, known = encode_painted(capture, units)
        else:
            sample, known = encode(capture), facts(capture)
        samples.append((slot, capture.info.id, known, sample))
        advance(1, capture.info.id)
    index = index_of(samples, "captures")
    contents = (content for *_, sample in samples for _, content in sorted(sample.items()))
    digest = write_archive(path, index, contents)
    for entry in index.entries:
        statistics.add(entry.facts)
    return {"name": path.name, "samples": len(captures), "bytes": index.size, "sha256": digest}


def _record_timings(captures: Sequence[Path], out: Path) -> None:
    """Log how long the captures' stages took: samples don't say, so that they are the same each time."""
    with EventLog(Store(out)) as event_log:
        for folder in captures:
            for stage, ran in history(folder).items():
                used = {key: ran[key] for key in ("seconds", "peak_gib", "times")}
                event_log.write("stage", id=Capture.read(folder).info.id, stage=stage, **used)


def _key(captures: Sequence[Path], settings: PackSettings) -> str:
    """A hash of the settings and of the captures' stamped labels; one without a stamp never equals another time's."""
    records = {path.name: read_record(path, "label") for path in sorted(captures)}
    made_from = {name: record.result if record else secrets.token_hex(8) for name, record in records.items()}
    return hashlib.sha256(json.dumps([SCHEMA_VERSION, FORMAT, asdict(settings), made_from]).encode()).hexdigest()[:16]


def _is_complete(out: Path, description: Mapping[str, Any]) -> bool:
    """True where all shards are there, of the size that they had."""
    shards = [shard for split in description["splits"].values() for shard in split["shards"]]
    paths = [out / shard["name"] for shard in shards]
    return all(p.is_file() and p.stat().st_size == s["bytes"] for p, s in zip(paths, shards, strict=True))


def remove_dataset(out: Path) -> None:
    """Remove the data set in `out`, its description first: half a data set must not look complete."""
    (out / DATASET).unlink(missing_ok=True)
    for path in out.iterdir():
        if SHARD_NAME.fullmatch(path.name):
            path.unlink()


@contextmanager
def hidden_folder(out: Path) -> Iterator[Path]:
    """A hidden folder in `out`, removed afterwards, and `out` with it where it was made for nothing."""
    with ExitStack() as stack:
        if not out.exists():
            stack.callback(_remove_empty, out)
        make_folder(out)
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".packing-", dir=out)))
        except OSError as error:
            raise explain_os_error(error, out) from error
        yield folder


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # it is not empty: it was of use
        folder.rmdir()
