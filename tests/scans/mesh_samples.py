"""Meshes, glTF files and a texture that tests of readers write."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from capture import Scan

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
PLACES = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float) * 0.5 + 0.25  # texture coordinates, v upwards
FACES = [(0, 1, 2), (0, 2, 3)]


def texture() -> np.ndarray:
    """Red along the columns and green down the rows, in steps of whole bytes."""
    x, y = np.meshgrid(np.arange(64) * 4, np.arange(32) * 8)
    return np.stack([x, y, 0 * x + 77], axis=-1).astype(np.uint8)


def shown_at(uv: np.ndarray) -> np.ndarray:
    """The texture's own ramps at coordinates (N, 2), v upwards."""
    return np.stack([(uv[:, 0] * 64 - 0.5) * 4, ((1 - uv[:, 1]) * 32 - 0.5) * 8, 0 * uv[:, 0] + 77], axis=1)


def save_texture(folder: Path, name: str = "skin.png") -> Path:
    Image.fromarray(texture()).save(folder / name)
    return folder / name


def check(scan: Scan, points: np.ndarray, faces: np.ndarray) -> None:
    np.testing.assert_array_equal(scan.vertices, points.astype(np.float32))
    np.testing.assert_array_equal(scan.faces, faces)


def glb(path: Path, file: dict, binary: bytes) -> None:
    text = json.dumps(file).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)


def pieces(*arrays: np.ndarray) -> tuple[list[dict], list[dict], bytes]:
    """Views and accessors of arrays (N, C), and their bytes."""
    codes = {"<f4": 5126, "|u1": 5121, "<u2": 5123, "<u4": 5125}
    kinds = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
    views, accessors, data = [], [], b""
    for number, each in enumerate(arrays):
        rows = each.reshape(len(each), -1)
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": each.nbytes})
        made = {
            "bufferView": number,
            "componentType": codes[each.dtype.str],
            "count": len(each),
            "type": kinds[rows.shape[1]],
        }
        accessors.append(made | ({"normalized": True} if each.dtype.str == "|u1" and rows.shape[1] > 1 else {}))
        data += each.tobytes() + b"\0" * (-each.nbytes % 4)
    return views, accessors, data


def scene(**more: object) -> tuple[dict, bytes]:
    """A file with one square."""
    uv = np.stack([PLACES[:, 0], 1 - PLACES[:, 1]], axis=1)  # v downwards
    views, accessors, data = pieces(CORNERS.astype("<f4"), np.array(FACES, "<u2").reshape(-1), uv.astype("<f4"))
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1}
    file = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}], "accessors": accessors, "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }  # fmt: skip
    return file | more, data


def write_obj(
    folder: Path, faces: str, material: str = "newmtl skin\nmap_Kd skin.png\n", coordinates: str = ""
) -> Path:
    text = "mtllib a.mtl\n" + "".join("v {} {} {}\n".format(*each) for each in CORNERS)
    text += coordinates or "".join("vt {} {}\n".format(*each) for each in PLACES)
    (folder / "a.obj").write_text(f"{text}usemtl skin\n{faces}\n")
    (folder / "a.mtl").write_text(material)
    return folder / "a.obj"
