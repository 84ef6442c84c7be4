"""Reading people's scans: PLY, OBJ, STL, OFF, 3MF and glTF."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Labels, Mesh, Scan
from capture.runtime.warnings_once import warn_once
from scans.meshes.gltf import read_gltf
from scans.meshes.obj import read_obj
from scans.meshes.off import read_off
from scans.meshes.stl import read_stl
from scans.meshes.textured import obj_colours, ply_colours
from scans.meshes.threemf import read_3mf


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


def is_mesh(path: Path) -> bool:
    """Whether there is a file whose name is that of a mesh that `read_scan` reads."""
    return path.suffix.lower() in _READERS and path.is_file()


def read_scan(path: Path) -> Scan:
    """A scan from a mesh file, its vertices in the order of the file.

    Colours are those of the vertices, else of textures. A texture that is not there is a warning.

    Raises:
        InputError: where it is missing, damaged, of another format, or no usable mesh (vertices that are not numbers).
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder, not a mesh" if path.is_dir() else "is missing"
        raise InputError(f"scan {what}: {path}; name a .ply or .obj file, or rebuild it with `p2p reconstruct`")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise InputError(f"scan {path}: only {known} are read; convert it, e.g. with MeshLab")
    return reader(path)


def _checked(kind: str, read: Callable[[Path], Scan]) -> Callable[[Path], Scan]:
    """The reader with `InputError` that names the file for whatever is wrong in it."""

    def reader(path: Path) -> Scan:
        try:
            with np.errstate(all="ignore"):  # what isn't finite is found in the mesh
                return read(path)
        except InputError as error:
            told = str(error)
            raise InputError(told if str(path) in told else f"{path}: {told}") from None
        except OSError as error:
            raise InputError(f"scan {path} can't be read ({error.strerror})") from None
        except KeyError as error:
            raise InputError(f"damaged {kind} file: {path} ({error.args[0]} is missing); export it again") from None
        except (ValueError, IndexError, TypeError, AttributeError, OverflowError, struct.error) as error:
            raise InputError(f"damaged {kind} file: {path} ({error}); export it again") from None

    return reader


def _with_texture(
    read: Callable[[Path], Scan], colours_of: Callable[[Path, int], NDArray[np.uint8] | None]
) -> Callable[[Path], Scan]:
    """The reader, with colours of textures where vertices have none."""

    def reader(path: Path) -> Scan:
        scan = read(path)
        if scan.colours is not None:
            return scan
        try:
            colours = colours_of(path, len(scan.vertices))
        except (ValueError, IndexError) as error:  # of coordinates that nothing but the colours needs
            warn_once(f"{path}: its texture can't be taken ({error}), so it has no colours")
            return scan
        return scan if colours is None else replace(scan, colours=colours)

    return reader


def _of_bytes(read: Callable[[bytes], Scan]) -> Callable[[Path], Scan]:
    return lambda path: read(path.read_bytes())


_READERS: dict[str, Callable[[Path], Scan]] = {
    ".ply": _checked("PLY", _with_texture(Scan.read, ply_colours)),
    ".obj": _checked("OBJ", _with_texture(read_obj, obj_colours)),
    ".stl": _checked("STL", _of_bytes(read_stl)),
    ".off": _checked("OFF", _of_bytes(read_off)),
    ".3mf": _checked("3MF", _of_bytes(read_3mf)),
    ".glb": _checked("glTF", read_gltf),
    ".gltf": _checked("glTF", read_gltf),
}
"""Suffix -> reader."""
