#!/usr/bin/env bash
# Blender's PLY import turns values of a vertex property that are not finite into 0, which reads as a measurement.
#
# Version: bpy 4.5.15, Python 3.11.
# Behaviour: a float property of vertices becomes an attribute of its name. NaN and infinity, which scanners and surface
# comparisons write where nothing was measured, are 0.0 in it, in binary and in ASCII files, without a word: in a
# property of distances they are the best places of all.
# Seen: 1.5, NaN, infinity, -2.0 come in as 1.5, 0.0, 0.0, -2.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bpy==4.5.15
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import math
import struct
from pathlib import Path

import bpy

VALUES = (1.5, math.nan, math.inf, -2.0)
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0))
HEADER = (
    "ply\nformat {}\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    "property float distance\nelement face 2\nproperty list uchar int vertex_indices\nend_header\n"
)
rows = [(*map(float, corner), value) for corner, value in zip(CORNERS, VALUES)]
binary = b"".join(struct.pack("<4f", *row) for row in rows)
binary += struct.pack("<B3iB3i", 3, 0, 1, 2, 3, 0, 2, 3)
Path("binary.ply").write_bytes(HEADER.format("binary_little_endian 1.0").encode() + binary)
text = "".join(" ".join(map(repr, row)) + "\n" for row in rows) + "3 0 1 2\n3 0 2 3\n"
Path("ascii.ply").write_text(HEADER.format("ascii 1.0") + text)
for name in ("binary.ply", "ascii.ply"):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.ply_import(filepath=name)
    found = [item.value for item in bpy.data.objects[0].data.attributes["distance"].data]
    print(name, found)
    assert found == [1.5, 0.0, 0.0, -2.0], "values that are not finite come in otherwise now"
PY
