"""A labelled tube with a texture, as files of several kinds."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from scans.labelled import Labelled
from scans.meshes.reading import read_scan, scan_key
from scans.predictions import PARTS, Prediction
from tests.scans.labelled import labelled_capture
from tests.scans.mesh_samples import glb, pieces, save_texture

RINGS, SECTORS = 7, 9
# The colour and the normal map of one, and a colour alone; of the tabs and options that programs write.
LIBRARY = "newmtl skin\nKa 0 0 0\nmap_Kd\tmy face.png\nmap_Bump -bm 0.5 maps\\skin.png\nnewmtl cloth\nKd 0.1 0.2 0.3\n"


def tube() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), quads (Q, 4), texture coordinates (T, 2) and those of the quads (Q, 4), with a seam."""
    ring, turn = np.meshgrid(np.arange(RINGS), np.arange(SECTORS), indexing="ij")
    angle = 2 * np.pi * turn / SECTORS
    vertices = np.stack([np.cos(angle), np.sin(angle), ring / 2], axis=-1).reshape(-1, 3).round(4)
    row, column = np.meshgrid(np.arange(RINGS - 1), np.arange(SECTORS), indexing="ij")

    def quads(width: int) -> np.ndarray:
        after = (column + 1) % width
        corners = (row * width + column, row * width + after, (row + 1) * width + after, (row + 1) * width + column)
        return np.stack(corners, axis=-1).reshape(-1, 4)

    row_of, column_of = np.meshgrid(np.arange(RINGS), np.arange(SECTORS + 1), indexing="ij")
    places = np.stack([column_of / (SECTORS + 1), row_of / RINGS], axis=-1).reshape(-1, 2).round(4)
    return vertices, quads(SECTORS), places, quads(SECTORS + 1)


def write_tube(folder: Path, kind: str) -> Path:
    """A textured tube as a file, with its images."""
    vertices, quads, places, of_quads = tube()
    (folder / "maps").mkdir(parents=True)
    save_texture(folder, "my face.png")
    save_texture(folder / "maps")
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    corners = places[np.concatenate([of_quads[:, [0, 1, 2]], of_quads[:, [0, 2, 3]]])]
    if kind == "ply":
        lines = ["ply", "format ascii 1.0", "comment TextureFile my face.png", f"element vertex {len(vertices)}"]
        lines += [f"property float {axis}" for axis in "xyz"] + [f"element face {len(quads)}"]
        lines += ["property list uchar int vertex_indices", "property list uchar float texcoord", "end_header"]
        lines += [" ".join(map(str, each)) for each in vertices.tolist()]
        lines += [
            "4 {} {} {} {} 8 ".format(*quad) + " ".join(map(str, places[place].ravel().tolist()))
            for quad, place in zip(quads.tolist(), of_quads, strict=True)
        ]
        (folder / "tube.ply").write_text("\n".join(lines) + "\n")
        return folder / "tube.ply"
    if kind == "glb":
        image = io.BytesIO()
        Image.open(folder / "my face.png").save(image, "JPEG")
        flat = np.arange(3 * len(triangles), dtype="<u4")
        uv = corners.reshape(-1, 2) * (1, -1) + (0, 1)
        views, accessors, data = pieces(vertices[triangles.ravel()].astype("<f4"), flat, uv.astype("<f4"))
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": image.tell()})
        primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1, "material": 0}
        file = {
            "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "meshes": [{"primitives": [primitive]}],
            "nodes": [{"mesh": 0, "translation": [1, 2, 3]}], "accessors": accessors, "bufferViews": views,
            "materials": [{"name": "m", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
            "textures": [{"source": 0}], "images": [{"bufferView": 3, "mimeType": "image/jpeg", "name": "my face"}],
            "buffers": [{"byteLength": len(data) + image.tell()}],
        }  # fmt: skip
        glb(folder / "tube.glb", file, data + image.getvalue())
        return folder / "tube.glb"
    lines = ["mtllib tube.mtl", *("v {} {} {}".format(*each) for each in vertices.tolist()), "vn 0 0 1"]
    lines += ["vt {} {} 0".format(*each) for each in places.tolist()]
    lines.append("usemtl skin")
    for number, (quad, place) in enumerate(zip(quads.tolist(), of_quads.tolist(), strict=True)):
        if kind == "materials" and number == len(quads) // 2:
            lines.append("usemtl cloth")
        if kind == "negative":
            pairs = [(corner - len(vertices), at - len(places)) for corner, at in zip(quad, place, strict=True)]
        else:
            pairs = [(corner + 1, at + 1) for corner, at in zip(quad, place, strict=True)]
        ending = "/1" if kind == "normals" else ""
        lines.append("f " + " ".join(f"{corner}/{at}{ending}" for corner, at in pairs))
    (folder / "tube.obj").write_text("\n".join(lines) + "\n")
    (folder / "tube.mtl").write_text(LIBRARY)
    return folder / "tube.obj"


def labelled_tube(folder: Path, kind: str) -> Labelled:
    """Skin at x < 0, hair above it, a garment below."""
    path = write_tube(folder / "given", kind)
    scan = read_scan(path)
    x, _, z = (scan.vertices - scan.vertices.min(axis=0) - (1, 1, 0)).T
    part = np.where(x < 0, PARTS.index("skin"), np.where(z > 2, PARTS.index("scalp_hair"), PARTS.index("garment")))
    prediction = Prediction(
        np.clip(0.5 - x / 3, 0, 1), x < 0, scan_key(scan), part=part, part_probability=np.ones(len(x))
    )
    return replace(labelled_capture(folder / "ball"), scan=scan, prediction=prediction, scan_path=path)
