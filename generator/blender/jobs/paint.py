"""Reading, inside Blender, the paint of a file that `p2p annotate` wrote."""

from __future__ import annotations

import io

import bpy
import numpy as np

from capture import InputError, write_bytes
from generator.blender.jobs.annotation import COUNT, KEY, MASK, PLACE, START
from generator.jobs.annotation import PaintJob


def read_paint(job: PaintJob) -> None:
    """Take the painted mask out of a file.

    Only the mesh is loaded from it: no scripts, no drivers. Raises `InputError` where the file is none of ours or its
    mesh was changed.
    """
    blend = job.blend
    try:
        with bpy.data.libraries.load(str(blend)) as (inside, wanted):
            wanted.meshes = inside.meshes
    except OSError:
        raise InputError(f"{blend} is no Blender file that this Blender reads; save it with this version") from None
    found = [mesh for mesh in wanted.meshes if mesh is not None and KEY in mesh]
    if not found:
        raise InputError(f"{blend} holds no scan to annotate; make one with `p2p annotate SCAN`")
    if len(found) > 1:
        raise InputError(f"{blend} holds {len(found)} scans to annotate; delete the copies, purge them, and save")
    mesh = found[0]
    if MASK not in mesh.color_attributes or not {PLACE, START} <= set(mesh.attributes.keys()):
        raise InputError(f"{blend}: the colours {MASK!r} are gone; paint those, and keep their name")
    colours = mesh.color_attributes[MASK]
    if colours.domain != "POINT" or len(mesh.vertices) != mesh[COUNT]:
        raise InputError(f"{blend}: the scan was changed, not only painted; paint a fresh file")
    vertices, places, mask = (np.empty(size * len(mesh.vertices), np.float32) for size in (3, 3, 4))
    start = np.empty(len(mesh.vertices), np.int32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.attributes[PLACE].data.foreach_get("vector", places)
    if not np.array_equal(vertices, places):
        raise InputError(f"{blend}: vertices of the scan were moved; paint a fresh file")
    colours.data.foreach_get("color_srgb", mask)
    mesh.attributes[START].data.foreach_get("value", start)
    buffer = io.BytesIO()
    table = (255 * mask.reshape(-1, 4)[:, :3]).round().clip(0, 255).astype(np.uint8)
    np.savez(buffer, mask=table, start=start.astype(np.uint8), key=np.array(str(mesh[KEY])))
    write_bytes(job.out, buffer.getvalue())
