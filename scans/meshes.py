"""Reading people's scans: PLY and OBJ."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Labels, Mesh, Scan


def scan_key(scan: Mesh) -> str:
    """Hash of the vertices and faces of a scan."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(scan.vertices, "<f4").tobytes())
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


def read_obj(path: Path) -> Scan:
    """The geometry of a Wavefront OBJ file: positions, polygons (fanned into triangles), colours behind the positions.

    Materials, textures, normals, lines and curves are passed over. Raises `InputError` where the file is damaged.
    """
    positions: list[bytes] = []
    polygons: list[list[bytes]] = []
    seen: list[int] = []  # vertices before each polygon: negative indices count back from there
    try:
        text = Path(path).read_bytes().replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    except OSError as error:
        raise InputError(f"scan {path} can't be read ({error.strerror})") from None
    for line in text.splitlines():
        if line.startswith((b"v ", b"v\t")):
            positions.append(line[2:])
        elif line.startswith((b"f ", b"f\t")):
            polygons.append(line.split()[1:])
            seen.append(len(positions))
    try:
        table = _positions(positions)
        faces = _triangles(polygons, seen, len(table))
    except (ValueError, OverflowError) as error:
        raise InputError(f"damaged OBJ file: {path} ({error}); export it again") from None
    colours = None
    if table.shape[1] >= 6:
        colours = (table[:, 3:6] * (255 if np.nanmax(table[:, 3:6], initial=0) <= 1 else 1)).round().clip(0, 255)
    try:
        shades = None if colours is None else np.nan_to_num(colours).astype(np.uint8)
        return Scan(table[:, :3].astype(np.float32), faces, shades)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _positions(lines: list[bytes]) -> NDArray[np.float64]:
    """(V, 3 or more); `ValueError` where a line holds something else than numbers, or another count of them."""
    if not lines:
        raise ValueError("it has no vertices")
    columns = len(lines[0].split())
    if columns < 3:
        raise ValueError("a vertex has fewer than three coordinates")
    values = np.array(b" ".join(lines).split(), np.bytes_).astype(np.float64)
    if len(values) != columns * len(lines):
        raise ValueError("its vertices have different numbers of coordinates")
    return values.reshape(-1, columns)


def _triangles(polygons: list[list[bytes]], seen: list[int], count: int) -> NDArray[np.int32]:
    """(F, 3) vertex indices from 0."""
    sizes = np.array([len(corners) for corners in polygons], np.int64)
    if not len(sizes):
        raise ValueError("it has no faces; a mesh is needed, not a point cloud")
    if sizes.min() < 3:
        raise ValueError("a face has fewer than three corners")
    words = np.array([corner.split(b"/", 1)[0] for corners in polygons for corner in corners], np.bytes_)
    index = words.astype(np.int64)
    index = np.where(index < 0, index + np.repeat(seen, sizes), index - 1)
    if index.min() < 0 or index.max() >= count:
        raise ValueError("a face refers to a vertex that is not there")
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    fans = [
        np.stack([first[sizes > k], first[sizes > k] + k - 1, first[sizes > k] + k], axis=1)
        for k in range(2, int(sizes.max()))
    ]
    return index[np.concatenate(fans)].astype(np.int32)
