"""Pictures of meshes by pyvista, off screen: smooth and antialiased, where its graphics library is installed."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Mesh
from scans.pictures.colours import PLAIN_COLOUR, Rgb

# Directions to look from: azimuth (to the subject's left) and elevation, degrees.
VIEWS: dict[str, tuple[float, float]] = {"front": (0, 0), "three_quarter": (45, 10), "profile": (90, 0)}


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
