"""Reading people's scans: PLY and OBJ."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from capture import InputError, Labels, Mesh, Scan
from scans.meshes.obj import read_obj


def scan_key(scan: Mesh) -> str:
    """Hash of the vertices and faces of a scan."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(scan.vertices, scan.vertices.dtype.newbyteorder("<")).tobytes())
    digest.update(np.ascontiguousarray(scan.faces, "<i4").tobytes())
    return digest.hexdigest()


def read_labels(path: Path, scan: Mesh) -> Labels:
    """The labels of a scan. Raises `InputError` where they are missing, damaged, or of another scan."""
    labels = Labels.read(path, len(scan.vertices))
    if labels.scan and labels.scan != scan_key(scan):
        raise InputError(f"{path} was painted on another scan than this; annotate this one with `p2p annotate`")
    return labels


def read_scan(path: Path) -> Scan:
    """A scan from a PLY or OBJ file, its vertices in the order of the file.

    Raises:
        InputError: where it is missing, damaged, of another format, or no usable mesh (vertices that are not numbers).
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder, not a mesh" if path.is_dir() else "is missing"
        raise InputError(f"scan {what}: {path}; name a .ply or .obj file, or rebuild it with `p2p reconstruct`")
    readers = {".ply": Scan.read, ".obj": read_obj}
    if path.suffix.lower() not in readers:
        raise InputError(f"scan {path}: only .ply and .obj are read; convert it, e.g. with MeshLab")
    return readers[path.suffix.lower()](path)
