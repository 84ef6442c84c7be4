"""Job files: what a parent asks of a Blender that it starts, in one JSON file."""

from __future__ import annotations

from pathlib import Path

from capture import InputError, read_json, write_json
from generator.jobs.annotation import AnnotationJob, PaintJob
from generator.jobs.heads import CaptureJob, PreviewJob
from generator.jobs.labelled import LabelledJob
from generator.jobs.overlay import OverlayJob
from generator.jobs.scene import SceneJob
from generator.records import from_json, to_json

SCHEMA_VERSION = 1

Job = CaptureJob | PreviewJob | OverlayJob | AnnotationJob | PaintJob | LabelledJob | SceneJob
_KINDS: dict[str, type[Job]] = {
    kind.KIND: kind for kind in (CaptureJob, PreviewJob, OverlayJob, AnnotationJob, PaintJob, LabelledJob, SceneJob)
}


def write_job(path: Path, job: Job) -> None:
    """Write a job as JSON: the version of the layout, the kind, and the settings."""
    write_json(path, {"schema_version": SCHEMA_VERSION, "kind": job.KIND, "settings": to_json(job)})


def read_job(path: Path) -> Job:
    """The job in a file; raises `InputError` that names what doesn't fit where it is none, or of another version."""
    value = read_json(path, "job")
    kind = _KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    cure = "let `p2p` of the same version write it"
    if kind is None:
        raise InputError(f"{path} is no job for Blender; {cure}")
    if value.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{path}: schema version {value.get('schema_version')}, not {SCHEMA_VERSION}; {cure}")
    return from_json(kind, value.get("settings"), str(path))
