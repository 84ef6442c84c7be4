"""Ground truth at the centres of pixels: class masks, depth, normals, albedo, texture coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Camera, write_bytes
from generator.blender.compat import light_nothing
from generator.blender.materials.albedo import emit_albedo
from generator.blender.materials.nodes import Graph, material
from generator.blender.materials.proxy import clearness, see_through
from generator.blender.render import Progress, render_channels
from generator.image_files.exr import depth_channels, encode_exr
from generator.image_files.png import encode_png

Floats = NDArray[np.float32]
_LAYERS = ("position", "normal", "texture")


def render_masks(
    scene: Any,
    cameras: Sequence[Camera],
    folder: Path,
    progress: Progress,
    passes: Sequence[str] = (),
    passes_folder: Path | None = None,
) -> None:
    """Render `folder/<name>`: the pass index of the object at every pixel's centre, 8 bits.

    One sample a pixel through a pixel filter of no width, every object shining with its number; lenses are as opaque as
    the rest. With `passes`, of `generator.jobs.ground_truth.PASSES`, `passes_folder/<pass>/<name>.exr` of the same
    surfaces. The scene is good for nothing else afterwards.
    """
    passes_folder = passes_folder or folder.parent / "passes"
    at_pixel_centres(scene)
    scene.world = None
    if "albedo" in passes:
        emit_albedo()
        for index, camera in enumerate(cameras):
            _write(passes_folder / "albedo", camera, render_channels(scene, camera, passes_folder / "albedo"))
            progress("albedo", index + 1, len(cameras))
    wanted = {name: _MAKERS[name] for name in passes if name in _MAKERS}
    scene.view_layers[0].material_override = _index_material(bool(wanted))
    if wanted:
        _add_layers(scene)
    for index, camera in enumerate(cameras):
        channels = render_channels(scene, camera, folder, layers=bool(wanted))
        numbers = np.rint(_layer(channels, "Combined")[..., 0] if wanted else channels["R"]).astype(np.uint8)
        for name, make in wanted.items():
            _write(passes_folder / name, camera, make(camera, channels, numbers > 0))
        write_bytes(folder / camera.name, encode_png(numbers))
        progress("mask", index + 1, len(cameras))


def at_pixel_centres(scene: Any) -> None:
    """One sample a pixel, through its centre, without light that bounces."""
    cycles = scene.cycles
    cycles.samples, cycles.use_denoising, cycles.max_bounces = 1, False, 0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0


def _index_material(layers: bool) -> Any:
    made, graph = material("class index")
    light_nothing(made)
    shine = graph.node("Emission", {"Color": graph.node("ObjectInfo").outputs["Object Index"], "Strength": 1.0})
    graph.node("OutputMaterial", {"Surface": see_through(graph, shine.outputs[0])})
    if layers:
        solid = graph.math("SUBTRACT", 1.0, clearness(graph))
        _output(graph, "position", graph.node("NewGeometry").outputs["Position"], solid)
        _output(graph, "normal", graph.node("NewGeometry").outputs["Normal"], solid)
        place = graph.node("SeparateXYZ", {0: graph.attribute("UVMap").outputs["Vector"]}).outputs
        flag = graph.node("SeparateXYZ", {0: graph.node("ObjectInfo").outputs["Color"]}).outputs
        both: dict[str | int, Any] = {0: place[0], 1: place[1], 2: flag[0]}
        _output(graph, "texture", graph.node("CombineXYZ", both).outputs[0], solid)
    return made


def _output(graph: Graph, name: str, value: Any, solid: Any) -> None:
    """A layer of data; what is clear adds nothing to what stands behind it."""
    scaled = graph.node("VectorMath", {0: value, "Scale": solid}, operation="SCALE").outputs[0]
    node = graph.node("OutputAOV", {"Color": scaled})
    if hasattr(node, "aov_name"):
        node.aov_name = name
    else:  # before 4.1
        node.name = name


def _add_layers(scene: Any) -> None:
    """Three layers of data; the red of an object tells whether it has texture coordinates, as shaders can't."""
    for name in _LAYERS:
        layer = scene.view_layers[0].aovs.add()
        layer.name, layer.type = name, "COLOR"
    for thing in scene.objects:
        mapped = thing.type == "MESH" and "UVMap" in thing.data.uv_layers
        thing.color = (float(mapped), 0.0, 0.0, 1.0)


def _layer(channels: Mapping[str, Floats], name: str) -> Floats:
    """(H, W, 3) of a layer by its name."""
    by_letter = {key.rpartition(".")[2]: value for key, value in channels.items() if key.split(".")[-2] == name}
    return np.stack(
        [by_letter[a] if a in by_letter else by_letter[b] for a, b in zip("RGB", "XYZ", strict=True)], axis=-1
    )


def _depth(camera: Camera, channels: Mapping[str, Floats], hit: NDArray[np.bool_]) -> dict[str, Floats]:
    position = _layer(channels, "position").astype(float)
    along = position @ camera.rotation[2] + camera.translation[2]
    return depth_channels(np.where(hit, along, np.inf).astype(np.float32))


def _normals(camera: Camera, channels: Mapping[str, Floats], hit: NDArray[np.bool_]) -> dict[str, Floats]:
    normal = _layer(channels, "normal")
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return _rgb(np.where(hit[..., None] & (length > 0), normal / np.maximum(length, 1e-9), 0.0))


def _uv(camera: Camera, channels: Mapping[str, Floats], hit: NDArray[np.bool_]) -> dict[str, Floats]:
    texture = _layer(channels, "texture")
    known = hit & (texture[..., 2] > 0.5)
    u, v = (np.where(known, texture[..., axis], -1.0).astype(np.float32) for axis in (0, 1))
    return {"R": u, "G": v, "B": known.astype(np.float32)}


_MAKERS: dict[str, Callable[[Camera, Mapping[str, Floats], NDArray[np.bool_]], dict[str, Floats]]] = {
    "depth": _depth,
    "normals": _normals,
    "uv": _uv,
}


def _rgb(values: NDArray) -> dict[str, Floats]:
    return {name: values[..., index].astype(np.float32) for index, name in enumerate("RGB")}


def _write(folder: Path, camera: Camera, channels: Mapping[str, Floats]) -> None:
    write_bytes((folder / camera.name).with_suffix(".exr"), encode_exr(channels))
