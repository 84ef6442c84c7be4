"""A labelled scan as a Blender file."""

from __future__ import annotations

import io
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from capture import InputError, write_bytes
from capture.frames import far_origin
from factory.stages.blender import run_blender
from generator.jobs.labelled import LabelledJob
from scans.labelled import Labelled
from scans.labelled_groups import GROUPS, face_groups, vertex_groups
from scans.prediction_files import known_distance

log = logging.getLogger(__name__)

BLEND = "segmented.blend"


def write_blend(labelled: Labelled) -> Path:
    """Write `segmented.blend`: the scan in metres with its labels as vertex groups; returns its path.

    Vertices are the scan's, in its order and frame; of a scan far from its frame's origin they are moved near it, as
    Blender computes in single precision, and a line says by how much.
    """
    out = labelled.folder / BLEND
    vertices = labelled.scan.vertices.astype(np.float64) * labelled.scan_unit
    origin = far_origin(vertices)
    group = vertex_groups(labelled.prediction)
    arrays: dict[str, Any] = {"vertices": vertices - origin, "faces": labelled.scan.faces, "group": group}
    arrays["face_group"] = face_groups(group, labelled.scan.faces)
    arrays["probability"] = labelled.prediction.probability
    if labelled.prediction.distance_mm is not None:
        arrays["distance_mm"] = known_distance(labelled.prediction.distance_mm)
    if labelled.prediction.distance_spread_mm is not None:
        arrays["distance_spread_mm"] = known_distance(labelled.prediction.distance_spread_mm)
    if labelled.prediction.uncertain is not None:
        arrays["uncertain"] = labelled.prediction.uncertain.astype(np.float32)
    if labelled.scan.colours is not None:
        arrays["colours"] = labelled.scan.colours
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    log_path = out.with_name(f".{out.stem}.log")
    with tempfile.TemporaryDirectory(prefix="p2p-blend-") as name:
        folder = Path(name)
        write_bytes(folder / "scan.npz", buffer.getvalue())
        job = LabelledJob(folder / BLEND, folder / "scan.npz", labelled.prediction.scan, GROUPS)
        run_blender(job, folder / "job.json", None, f"Blender file of {labelled.capture.info.id}", log_path)
        if not job.out.is_file():
            raise InputError(f"Blender made no file; its output is in {log_path}")
        write_bytes(out, job.out.read_bytes())
    log_path.unlink(missing_ok=True)
    moved = f", moved by {np.round(-origin, 3).tolist()} m" if np.any(origin) else ""
    log.info("%s: vertex groups and selected faces, in metres%s", out, moved)
    return out
