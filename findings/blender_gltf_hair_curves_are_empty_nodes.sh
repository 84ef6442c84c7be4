#!/usr/bin/env bash
# Blender's glTF export makes an empty node of an object of hair curves, and says that all went well.
#
# Version: bpy 4.5.15, numpy 1.26.4, Python 3.11.
# Behaviour: an object of the curves type (hair, what the sculpting of curves and geometry nodes work on) comes into the file
# as a node without a mesh, whatever its radii, with modifiers applied or not; the operator returns FINISHED and logs nothing of
# it. A curve of the older type with a bevel beside it becomes a mesh. So a head with hair is bald in its GLB.
# Seen: in both exports the nodes `mesh` and `bevelled` have a mesh, `hair` has none, and there are two meshes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bpy==4.5.15 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import json
import struct
from pathlib import Path

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
link = bpy.context.scene.collection.objects.link

triangle = bpy.data.meshes.new("triangle")
triangle.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
link(bpy.data.objects.new("mesh", triangle))

strands = bpy.data.hair_curves.new("strands")
strands.add_curves([4, 4])
for number, point in enumerate(strands.points):
    point.position, point.radius = (0.1 * number, 0, 0.3 * number), 0.01
link(bpy.data.objects.new("hair", strands))

tube = bpy.data.curves.new("tube", "CURVE")
line = tube.splines.new("POLY")
line.points.add(3)
for number, point in enumerate(line.points):
    point.co = (0, 0.1 * number, 0.2 * number, 1)
tube.bevel_depth = 0.02
link(bpy.data.objects.new("bevelled", tube))

for apply in (False, True):
    path = Path(f"{apply}.glb").resolve()
    assert bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_apply=apply) == {"FINISHED"}
    data = path.read_bytes()
    content = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    has_mesh = {node["name"]: "mesh" in node for node in content["nodes"]}
    print(f"modifiers applied: {apply}; nodes with a mesh: {has_mesh}")
    assert has_mesh == {"mesh": True, "bevelled": True, "hair": False}, "hair curves come into the file now"
    assert len(content["meshes"]) == 2
PY
