"""Pictures of meshes (pyvista, off screen) and of images, small."""

from __future__ import annotations

import base64
import io
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Mesh

Rgb = NDArray[np.uint8]

SKIN_COLOUR = (232, 150, 110)
OTHER_COLOUR = (70, 95, 130)
PLAIN_COLOUR = (205, 200, 195)

# Directions to look from: azimuth (to the subject's left) and elevation, degrees.
VIEWS: dict[str, tuple[float, float]] = {"front": (0, 0), "three_quarter": (45, 10), "profile": (90, 0)}


def label_colours(skin: NDArray[np.bool_]) -> Rgb:
    """(V, 3) uint8 colours of labels: skin warm, everything else blue."""
    return np.where(skin[:, None], np.array(SKIN_COLOUR), np.array(OTHER_COLOUR)).astype(np.uint8)


def agreement_colours(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Rgb:
    """(V, 3) uint8: where prediction and truth agree their colour, false skin red, missed skin yellow."""
    colours = label_colours(true)
    colours[predicted & ~true] = (215, 40, 40)
    colours[~predicted & true] = (245, 215, 60)
    return colours


def distance_colours(distance_mm: NDArray[np.floating], limit_mm: float = 5.0) -> Rgb:
    """(V, 3) uint8 colours of distances from 0 to `limit_mm` (viridis)."""
    from matplotlib import colormaps

    scaled = np.clip(np.nan_to_num(distance_mm, nan=limit_mm) / limit_mm, 0, 1)
    return (colormaps["viridis"](scaled)[:, :3] * 255).astype(np.uint8)


def faded(colours: Rgb, kept: NDArray[np.bool_]) -> Rgb:
    """Colours (V, 3), pale but where they are kept (V,): what is shown without being measured."""
    return np.where(kept[:, None], colours, 0.25 * colours.astype(float) + 0.75 * 225).astype(np.uint8)


def render_mesh(mesh: Mesh, colours: Rgb | None = None, view: str = "front", size: int = 480) -> Rgb:
    """A shaded picture of a mesh, off screen.

    Args:
        mesh: in metres, Z up, the face towards -Y.
        colours: (V, 3) uint8, or None for one plain colour.
        view: a key of `VIEWS`.
        size: width and height, pixels.

    Returns:
        (size, size, 3) uint8.
    """
    pyvista = _pyvista()
    faces = np.hstack([np.full((len(mesh.faces), 1), 3, np.int64), mesh.faces]).ravel()
    surface = pyvista.PolyData(np.asarray(mesh.vertices, float), faces)
    plotter = pyvista.Plotter(off_screen=True, window_size=(size, size), lighting="none")
    plotter.set_background("white")
    shading: dict[str, Any] = {"smooth_shading": True, "specular": 0.15, "ambient": 0.15, "diffuse": 0.85}
    if colours is None:
        plotter.add_mesh(surface, color=[c / 255 for c in PLAIN_COLOUR], **shading)
    else:
        surface.point_data["colours"] = colours
        plotter.add_mesh(surface, scalars="colours", rgb=True, **shading)
    _aim(pyvista, plotter, mesh.vertices, *VIEWS[view])
    picture = np.asarray(plotter.screenshot(return_img=True))[..., :3]
    plotter.close()
    return picture


def _pyvista() -> Any:
    """pyvista, told to draw without a display where there is none."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    import pyvista

    return pyvista


def _aim(pyvista: Any, plotter: Any, vertices: NDArray, azimuth: float, elevation: float) -> None:
    """Camera and lights: the key light beside the camera, so that the shape shows whatever the view."""
    low, high = np.percentile(vertices, [1, 99], axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    a, e = np.radians([azimuth, elevation])
    towards = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    side = np.array([np.cos(a), np.sin(a), 0.0])
    plotter.camera.position = centre + 6 * radius * towards
    plotter.camera.focal_point = centre
    plotter.camera.up = (0, 0, 1)
    plotter.camera.view_angle = 17
    plotter.camera.clipping_range = (radius, 12 * radius)
    key = centre + 6 * radius * (towards + 0.7 * side + np.array([0, 0, 0.7]))
    fill = centre + 6 * radius * (towards - 0.9 * side)
    for position, strength in ((key, 0.75), (fill, 0.35)):
        light = {"position": position, "focal_point": centre, "intensity": strength, "light_type": "scene light"}
        plotter.add_light(pyvista.Light(**light))


def thumbnail(image: Rgb, size: int) -> Rgb:
    """The picture with its longer side scaled to `size` pixels."""
    scale = size / max(image.shape[:2])
    shape = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.LANCZOS))


def jpeg(image: Rgb, quality: int = 88) -> bytes:
    """The picture as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def jpeg_url(image: Rgb) -> str:
    """The picture as data URL, for pages without files beside them."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(image)).decode()


def png_url(data: bytes) -> str:
    """A PNG file as data URL."""
    return "data:image/png;base64," + base64.b64encode(data).decode()
