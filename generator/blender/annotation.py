"""A scan as a Blender file for somebody to paint what of it is skin, and what was painted, inside Blender."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError, read_json, write_bytes
from capture.arrays import read_npz
from generator.blender.cameras import set_frame, set_lens, set_pose
from generator.blender.meshes import add_mesh

MASK, PHOTO, PLACE = "skin mask", "photo colours", "scan position"
KEY, COUNT = "p2p_scan", "p2p_vertices"
TEXT = "How to paint the mask"
_MESH = "scan"

Floats = NDArray[np.float64]


def write_annotation(job: Path) -> None:
    """Write the `.blend` that a job describes.

    The job is a JSON file: `out`; `scan`, an NPZ file of vertices (V, 3) in metres, faces (F, 3), mask (V, 3) linear
    colours and perhaps colours (V, 3) uint8; `key` of the scan; `text`; `paint` with the two linear colours `skin` and
    `other`; `cameras`, each with its `image`.

    Raises `InputError` where the file can't be written.
    """
    value = read_json(job, "annotation job")
    arrays = read_npz(Path(value["scan"]))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    material = bpy.data.materials.new(MASK)
    scan = add_mesh(_MESH, arrays["vertices"], arrays["faces"], material, 0)
    mesh = scan.data
    place = mesh.attributes.new(PLACE, "FLOAT_VECTOR", "POINT")
    place.data.foreach_set("vector", _flat(arrays["vertices"]))
    if "colours" in arrays:
        _add_colours(mesh, PHOTO, _linear(arrays["colours"]))
    _add_colours(mesh, MASK, arrays["mask"])
    mesh[KEY], mesh[COUNT] = value["key"], len(arrays["vertices"])
    _add_cameras([Camera.from_json(each) for each in value["cameras"]], [each["image"] for each in value["cameras"]])
    bpy.data.texts.new(TEXT).write(value["text"])
    _ready_to_paint(scan, value["paint"])
    _save(Path(value["out"]))


def read_annotation(blend: Path, out: Path) -> None:
    """Take the painted mask out of a file: NPZ with `mask` (V, 3) linear colours, `vertices` (V, 3), `key`.

    Only the mesh is loaded from it: no scripts, no drivers. Raises `InputError` where the file is none of ours or its
    mesh was changed.
    """
    try:
        with bpy.data.libraries.load(str(blend)) as (inside, wanted):
            wanted.meshes = [name for name in inside.meshes if name == _MESH]
    except OSError:
        raise InputError(f"{blend} is no Blender file that this Blender reads; save it with this version") from None
    mesh = wanted.meshes[0] if wanted.meshes else None
    if mesh is None or KEY not in mesh or PLACE not in mesh.attributes:
        raise InputError(f"{blend} holds no scan to annotate; make one with `p2p annotate SCAN`")
    if MASK not in mesh.color_attributes:
        raise InputError(f"{blend}: the colours {MASK!r} are gone; paint those, and keep their name")
    colours = mesh.color_attributes[MASK]
    if colours.domain != "POINT" or len(mesh.vertices) != mesh[COUNT]:
        raise InputError(f"{blend}: the scan was changed, not only painted; paint a fresh file")
    vertices, places, mask = (np.empty(size * len(mesh.vertices), np.float32) for size in (3, 3, 4))
    mesh.vertices.foreach_get("co", vertices)
    mesh.attributes[PLACE].data.foreach_get("vector", places)
    if not np.array_equal(vertices, places):
        raise InputError(f"{blend}: vertices of the scan were moved; paint a fresh file")
    colours.data.foreach_get("color", mask)
    buffer = io.BytesIO()
    table = mask.reshape(-1, 4)[:, :3]
    np.savez(buffer, mask=table, vertices=vertices.reshape(-1, 3), key=np.array(str(mesh[KEY])))
    write_bytes(out, buffer.getvalue())


def _add_colours(mesh: Any, name: str, linear: NDArray[np.floating]) -> None:
    """Colours a vertex, which vertex paint works on."""
    colours = mesh.color_attributes.new(name, "BYTE_COLOR", "POINT")
    rgba = np.concatenate([linear, np.ones((len(linear), 1))], axis=1)
    colours.data.foreach_set("color", _flat(rgba))


def _add_cameras(cameras: Sequence[Camera], images: Sequence[str]) -> None:
    """A camera a view, its picture half over the scan."""
    scene = bpy.context.scene
    for camera, path in zip(cameras, images, strict=True):
        data = bpy.data.cameras.new(camera.name)
        found = bpy.data.objects.new(camera.name, data)
        scene.collection.objects.link(found)
        set_lens(data, camera)
        set_pose(found, camera)
        data.display_size = 0.03
        data.show_background_images = True
        shown = data.background_images.new()
        shown.image = bpy.data.images.load(path)
        shown.image.pack()  # the file goes to another machine in one piece
        shown.display_depth, shown.alpha = "FRONT", 0.5
        if scene.camera is None:
            scene.camera = found
            set_frame(scene, camera)


def _ready_to_paint(scan: Any, paint: Mapping[str, Sequence[float]]) -> None:
    """The file opens in vertex paint, with the two colours on the brush and the mask in sight."""
    mesh = scan.data
    mesh.color_attributes.active_color = mesh.color_attributes[MASK]
    mesh.color_attributes.render_color_index = mesh.color_attributes.find(MASK)
    for other in bpy.context.scene.objects:
        other.select_set(other == scan)
    bpy.context.view_layer.objects.active = scan
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type == "VIEW_3D":
                shading = area.spaces.active.shading
                shading.type, shading.color_type, shading.light = "SOLID", "VERTEX", "STUDIO"
                area.spaces.active.clip_start = 0.001
    bpy.ops.object.mode_set(mode="VERTEX_PAINT")
    tools = bpy.context.scene.tool_settings
    unified = getattr(tools.vertex_paint, "unified_paint_settings", None) or tools.unified_paint_settings
    unified.use_unified_color = True
    unified.color, unified.secondary_color = _display(paint["skin"]), _display(paint["other"])


def _save(path: Path) -> None:
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, check_existing=False)
    except RuntimeError as error:
        raise InputError(f"can't write {path}: {str(error).splitlines()[0]}; choose another folder") from None


def _flat(values: NDArray) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32).ravel()


def _linear(colours: NDArray[np.uint8]) -> Floats:
    """sRGB bytes as linear values (IEC 61966-2-1)."""
    shares = np.asarray(colours, float) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def _display(linear: Sequence[float]) -> Floats:
    """Linear values as the brush's colours, which are sRGB."""
    values = np.asarray(linear, float)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
