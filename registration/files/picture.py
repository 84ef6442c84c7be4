"""Picture of a registration: the scan, the registered head and its distance to the surface, from three sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import HeadSurface, Mesh
from registration.files.outputs import ScanRegistration
from scans.distance import surface_distance_mm
from scans.pictures.colours import PLAIN_COLOUR, distance_colours, faded, label_colours
from scans.pictures.mesh_renderer import MeshRenderer
from scans.pictures.sheets import sheet

_MOST_MM = 2.0  # distance of the brightest colour
_SIDE = 420
_VIEWS = (("front", (0.0, 1.0, 0.0)), ("three quarters", (-0.7, 0.7, 0.0)), ("profile", (-1.0, 0.0, 0.0)))


@dataclass(frozen=True, eq=False)
class SurfaceDistance:
    """(V,) distance of a registered template's vertices to a surface, mm, and the surface in words."""

    distance_mm: NDArray[np.floating]
    surface: str


def shown_distance(done: ScanRegistration, true_surface: HeadSurface | None) -> SurfaceDistance:
    """The distance to the true surface, or else to the skin of the scan."""
    surface: Mesh = done.skin_mesh() if true_surface is None else true_surface
    if true_surface is not None:
        name = "true surface"
    else:
        name = "scan" if done.skin_weights.weights is None else "skin of the scan"
    return SurfaceDistance(surface_distance_mm(done.mesh().vertices, surface), name)


def draw_registration(done: ScanRegistration, distance: SurfaceDistance) -> NDArray[np.uint8]:
    """(H, W, 3): a row a side, with the scan, the registered head, and its distance to a surface in colour.

    Distances outside of the face mask, which no error counts, are pale.
    """
    mesh = done.mesh()
    caption = f"distance of the face to the {distance.surface}, dark 0 to yellow {_MOST_MM:g} mm"
    distances = distance_colours(distance.distance_mm, _MOST_MM)
    distances = faded(distances, done.template.face_mask)
    plain = np.tile(np.array(PLAIN_COLOUR, np.uint8), (len(mesh.vertices), 1))
    weights = done.skin_weights.weights
    known = None if weights is None else np.isfinite(weights)
    columns = [
        (done.scan, label_colours(done.skin, known), "scan, skin in orange"),
        (mesh, plain, "registered head"),
        (mesh, distances, caption),
    ]
    rotation = done.registration.head.rotation
    rows = []
    for side, forward in _VIEWS:
        row = []
        for shown, colours, title in columns:
            head = done.template.around_face(done.registration.vertices, shown)
            renderer = MeshRenderer(head.vertices, head.faces)
            fragments = renderer.orthographic(rotation @ np.array(forward), -rotation[:, 2], _SIDE)
            row.append((f"{title}, {side}", fragments.shade(colours)))
        rows.append(row)
    return sheet(rows)
