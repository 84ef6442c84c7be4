"""Rendered captures that are met again: reused where no more is asked for, refused where work would be lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import Capture, InputError, read_json
from capture.derived import shorten
from factory.stages.differences import differences
from factory.stages.stamps import changed_files, is_whole, read_record, stage_key
from generator import GENERATOR_VERSION
from generator.jobs.output_folder import derived_files, refuse_painted

_STAGE = "generate"


def is_rendered(folder: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether a capture was rendered with these options, or with more passes, and is as it was left."""
    record = read_record(folder, _STAGE)
    if record is None:
        return False
    there = dict(record.options)
    asked, made = wanted.get("passes") or (), there.get("passes") or ()
    if set(asked) <= set(made):
        wanted = {**wanted, "passes": made}
    return not any(differences(there, _plain(wanted))) and is_whole(folder, _STAGE, stage_key(folder, _STAGE, there))


def refuse_former(folder: Path, wanted: Mapping[str, Any], *, force: bool = False) -> None:
    """Raise `InputError` where rendering with the options `wanted` would take away what stands in a capture's folder.

    That is a capture of other options, of another version, or one that something else made; and what was made of its
    images, where these changed since. With `force` it is only what nobody can make again: labels that were painted.
    """
    if is_rendered(folder, wanted) and not force:
        return
    refuse_painted(folder)
    if force:
        return
    reason = _difference(folder, wanted)
    if reason:
        lost = shorten(derived_files(folder))
        loses = f" and removes {lost}" if lost else ""
        raise InputError(
            f"{folder}: {reason}. Give the same options to keep it, or another `out`; `force` renders it again{loses}"
        )


def _difference(folder: Path, wanted: Mapping[str, Any]) -> str:
    """The difference of the capture in a folder, "" where nothing there would be lost."""
    record = read_record(folder, _STAGE)
    if record is None:
        something = (folder / Capture.INFO).is_file() or bool(derived_files(folder))
        return "a capture is there that this command did not make, or not finish" if something else ""
    lines = list(differences(dict(record.options), _plain(wanted)))
    if lines:
        return f"the head there was rendered with other options: {'; '.join(lines)}"
    if record.key != stage_key(folder, _STAGE, record.options):
        return f"the head there was rendered by another version of the program{_version(folder)}"
    changed = changed_files(folder, _STAGE)
    if changed and derived_files(folder):
        return f"{shorten_list(changed)} changed since it was rendered"
    return ""


def shorten_list(names: Sequence[str], most: int = 3) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _version(folder: Path) -> str:
    try:
        made = str(read_json(folder / Capture.INFO, "capture.json")["versions"]["generator"])
    except (InputError, KeyError, TypeError):
        return ""
    return f" (its generator is {made}, this one {GENERATOR_VERSION})" if made != GENERATOR_VERSION else ""


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """As a stamp holds them."""
    plain: dict[str, Any] = json.loads(json.dumps(options, default=str))
    return plain
