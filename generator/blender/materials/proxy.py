"""Materials painted with a library's images, and what of them can be seen through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import InputError, PixelClass
from generator.blender.materials.nodes import Graph, material
from generator.cameras.sensor import srgb
from generator.lighting import LUMINANCE
from generator.wear.worn_mesh import WornMesh

CARD = "card"
"""Custom property of objects with an image that is clear in places: a number of its own, from 1 on."""
CARD_IMAGE = "card image"
LAYERS = 64
"""Clear layers that a ray passes at most."""
# Kind of surface -> roughness, specular.
SURFACES = {PixelClass.SCALP_HAIR: (0.5, 0.22), PixelClass.BROWS: (0.6, 0.2), PixelClass.LASHES: (0.6, 0.2)}
CLOTH = (0.8, 0.25)
CONTRAST = 0.6  # exponent of an image that gives a tint its light and dark


def load_image(path: Path, colour: bool = True) -> Any:
    """The image of a file; raises `InputError` where it is damaged."""
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split()) or "unknown format"
        raise InputError(f"can't read the image {path}: {reason}; replace the file") from None
    if not image.has_data and not len(image.pixels):  # Blender reads when asked for the pixels
        raise InputError(f"damaged image: {path}; replace the file")
    if not colour:
        image.colorspace_settings.name = "Non-Color"
    return image


def encoded_pixels(image: Any) -> NDArray[np.float32]:
    """(H, W, 4) of an image as sRGB values, the bottom row first, whatever its depth.

    Blender hands out the bytes of images of 8 bits as they are, and deeper ones in linear light.
    """
    width, height = image.size
    values = np.empty(4 * width * height, np.float32)
    image.pixels.foreach_get(values)
    pixels = values.reshape(height, width, 4)
    if image.is_float:
        pixels[..., :3] = srgb(pixels[..., :3])
    return pixels


def image_material(worn: WornMesh) -> Any:
    """The material of a mesh out of a library: its colours, clear where its image is."""
    made, graph = material(worn.name)
    picture = _texture(graph, load_image(worn.images["diffuse"]))
    roughness, specular = SURFACES.get(worn.pixel_class, CLOTH)
    colour = picture.outputs["Color"]
    if worn.tint is not None:
        colour = _tinted(graph, colour, picture.image, worn.tint)
    inputs: dict[str | int, Any] = {"Base Color": colour, "Roughness": roughness, "Specular IOR Level": specular}
    if "normal" in worn.images:
        bumps = _texture(graph, load_image(worn.images["normal"], colour=False)).outputs["Color"]
        inputs["Normal"] = graph.node("NormalMap", {"Color": bumps}, uv_map="UVMap").outputs[0]
    shader = graph.node("BsdfPrincipled", inputs)
    clear = graph.node("BsdfTransparent")
    seen = graph.node("MixShader", {0: picture.outputs["Alpha"], 1: clear.outputs[0], 2: shader.outputs[0]})
    graph.node("OutputMaterial", {"Surface": seen.outputs[0]})
    return made


def _tinted(graph: Graph, colour: Any, image: Any, tint: tuple[float, float, float]) -> Any:
    """The tint, lighter and darker as the image is; its contrast is lowered, as highlights are often painted in."""
    pixels = encoded_pixels(image).reshape(-1, 4)[::7]
    linear = (pixels[:, :3] ** 2.2) @ LUMINANCE
    mean = float((linear * pixels[:, 3]).sum() / max(pixels[:, 3].sum(), 1e-6))
    share = graph.math("MULTIPLY", graph.node("RGBToBW", {"Color": colour}).outputs[0], 1 / max(mean, 1e-3))
    soft = graph.math("POWER", graph.math("MINIMUM", share, 3.0), CONTRAST)
    return graph.node("VectorMath", {0: soft, 1: tint}, operation="MULTIPLY").outputs[0]


def record_transparency(scene: Any, made: Any, worn: WornMesh) -> None:
    """Note what `see_through` needs to know of an object."""
    made[CARD] = 1.0 + sum(CARD in other for other in bpy.data.objects)
    made[CARD_IMAGE] = load_image(worn.images["diffuse"]).name
    scene.cycles.transparent_max_bounces = LAYERS


def see_through(graph: Graph, surface: Any) -> Any:
    """The surface of a material that is laid over all objects, clear where the images of cards are.

    Half clear is clear, so that every pixel shows one object.
    """
    hidden = clearness(graph)
    if isinstance(hidden, float):
        return surface
    clear = graph.node("BsdfTransparent")
    return graph.node("MixShader", {0: hidden, 1: surface, 2: clear.outputs[0]}).outputs[0]


def clearness(graph: Graph) -> Any:
    """1 where an image of a card is clear, else 0: a socket, or a number where there are no cards."""
    cards = [other for other in bpy.data.objects if CARD in other]
    if not cards:
        return 0.0
    number = graph.node("Attribute", attribute_name=CARD, attribute_type="OBJECT").outputs["Fac"]
    hidden: Any = 0.0
    for card in cards:
        alpha = _texture(graph, bpy.data.images[card[CARD_IMAGE]]).outputs["Alpha"]
        own = graph.math("LESS_THAN", graph.math("ABSOLUTE", graph.math("SUBTRACT", number, card[CARD])), 0.5)
        hidden = graph.math("MAXIMUM", hidden, graph.math("MULTIPLY", own, graph.math("LESS_THAN", alpha, 0.5)))
    return hidden


def _texture(graph: Graph, image: Any) -> Any:
    place = graph.node("UVMap", uv_map="UVMap").outputs[0]
    return graph.node("TexImage", {"Vector": place}, image=image)
