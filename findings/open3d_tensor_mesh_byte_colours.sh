#!/usr/bin/env bash
# Open3D writes the byte colours of a tensor mesh as white; those of a tensor point cloud with the same bytes are right.
#
# Version: open3d-cpu 0.20.0, numpy 1.26.4, Python 3.11.
# Behaviour: `vertex.colors` of a `t.geometry.TriangleMesh` may be UInt8, as its reader's are of some formats. On writing a
# PLY file each byte above 0 is taken for a float beyond 1 and becomes 255; it says that it clamped, and returns True. A
# `t.geometry.PointCloud` keeps the bytes. Divided by 255 as Float32, a mesh's colours are written right.
# Seen: colours (10, 20, 30), (100, 110, 120), (200, 210, 0) are (255, 255, 255), (255, 255, 255), (255, 255, 0) in the mesh's file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet open3d-cpu==0.20.0 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

import numpy as np
import open3d as o3d

points = o3d.core.Tensor(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32))
colours = np.array([[10, 20, 30], [100, 110, 120], [200, 210, 0]], np.uint8)
bytes_, floats = o3d.core.Tensor(colours), o3d.core.Tensor((colours / 255).astype(np.float32))


def of_file(path: str) -> list[list[int]]:
    lines = Path(path).read_text().split("end_header\n")[1].splitlines()
    return [[int(word) for word in line.split()[3:6]] for line in lines[:3]]


def of_mesh(values: o3d.core.Tensor) -> list[list[int]]:
    mesh = o3d.t.geometry.TriangleMesh(points, o3d.core.Tensor(np.array([[0, 1, 2]], np.int32)))
    mesh.vertex.colors = values
    assert o3d.t.io.write_triangle_mesh("mesh.ply", mesh, write_ascii=True)
    return of_file("mesh.ply")


cloud = o3d.t.geometry.PointCloud(points)
cloud.point.colors = bytes_
assert o3d.t.io.write_point_cloud("cloud.ply", cloud, write_ascii=True)
print("point cloud, bytes:", of_file("cloud.ply"))
print("mesh, floats:      ", of_mesh(floats))
print("mesh, bytes:       ", of_mesh(bytes_))
assert of_file("cloud.ply") == of_mesh(floats) == colours.tolist()
assert of_mesh(bytes_) == np.where(colours > 0, 255, 0).tolist(), "a mesh's byte colours are written otherwise now"
PY
