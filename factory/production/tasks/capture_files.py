"""The files that a stage leaves, on their way: between nodes as tar bytes, and to and from the store."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from capture import Capture
from capture.labels import is_painted
from factory.dataset.store import Store
from factory.production.event_queue import SendEvent
from factory.production.tasks.disk_space import put_when_there_is_space
from factory.stages.registry import STAGES
from factory.stages.stamps import stamp_path

CAPTURES = "captures"  # the folder in the store


def pack_outputs(root: Path, folder: Path, stage: str) -> bytes:
    """A tar of the files that a stage left in a capture's folder, with its stamp; names are relative to `root`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in _outputs_of(folder, stage):
            tar.add(path, path.relative_to(root).as_posix())
    return buffer.getvalue()


def unpack_outputs(archive: bytes, root: Path) -> None:
    """Write the files of such a tar below `root`. Safe filters for `extractall` came with Python 3.11.4 only."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path, content = root / member.name, tar.extractfile(member)
            if content is None or root.resolve() not in path.resolve().parents:
                raise ValueError(f"{member.name}: no output of a stage")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


def store_outputs(store: Store, folder: Path, stage: str, send_event: SendEvent) -> None:
    """Copy a stage's files into the store; the stamp comes last, and proves that the others are there.

    Labels that a person painted in the store stay, and those of the stage are not stored.
    """
    stamp = stamp_path(folder, stage)
    labels = f"{CAPTURES}/{folder.name}/{Capture.LABELS}"
    if Capture.LABELS in STAGES[stage].outputs and _is_painted(store, labels, folder):
        return
    for path in [*(path for path in _outputs_of(folder, stage) if path != stamp), stamp]:
        name = f"{CAPTURES}/{folder.name}/{path.relative_to(folder).as_posix()}"
        put_when_there_is_space(store, path, name, send_event)


def fetch_outputs(store: Store, folder: Path, stage: str) -> None:
    """Fetch the files that an earlier run stored of a stage; its stamp then decides whether they are used."""
    prefix = f"{CAPTURES}/{folder.name}"
    stamp = stamp_path(folder, stage).relative_to(folder).as_posix()
    if not store.exists(f"{prefix}/{stamp}"):
        return
    try:
        record = json.loads(store.read(f"{prefix}/{stamp}"))
        for name in [stamp, *map(str, record["files"])]:
            path = folder / name
            if folder.resolve() not in path.resolve().parents:
                return  # not written by us
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.read(f"{prefix}/{name}"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return  # stored in part only: the stage runs


def _is_painted(store: Store, name: str, folder: Path) -> bool:
    """True where a file of the store holds labels that a person painted; `folder` is for a copy of it."""
    if not store.exists(name):
        return False
    copy = folder / "stored_labels.npz"
    copy.write_bytes(store.read(name))
    try:
        return is_painted(copy)
    finally:
        copy.unlink()


def _outputs_of(folder: Path, stage: str) -> list[Path]:
    paths = {path for pattern in STAGES[stage].outputs for path in folder.glob(pattern) if path.is_file()}
    return sorted(paths | {stamp_path(folder, stage)})
