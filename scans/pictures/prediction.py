"""Picture of a prediction over the images of a capture."""

from __future__ import annotations

import numpy as np

from capture import Camera
from scans.head_sample import HeadSample
from scans.images.decoding import resize_image
from scans.pictures import colours
from scans.pictures.mesh_renderer import MeshRenderer, Picture
from scans.pictures.sheets import legend, sheet
from scans.predictions import Prediction

_SHOWN = 4  # views at most
_SIDE = 420  # pixels of a view's longer side


def draw_prediction(prediction: Prediction, head: HeadSample) -> Picture:
    """Some views: the image, the labels over it, the labelled scan alone, and its distance where the model has it."""
    renderer = MeshRenderer(head.scan.vertices, head.scan.faces)
    shades = colours.probability_colours(prediction.probability)
    rows: list[list[tuple[str, Picture]]] = []
    for i in _chosen(len(head.cameras)):
        camera = _fitted(head.cameras[i])
        image = resize_image(head.view_pixels(i), camera.width, camera.height)
        fragments = renderer.from_camera(camera)
        row = [(camera.name, image), ("labels: orange skin, blue other", fragments.shade(shades, image, 0.6))]
        row.append(("labels alone", fragments.shade(shades)))
        if prediction.distance_mm is not None:
            row.append(
                ("distance to skin, dark 20 mm", fragments.shade(colours.skin_distance_colours(prediction.distance_mm)))
            )
        if prediction.part is not None:
            row.append(("part", fragments.shade(colours.part_colours(prediction.part))))
            if not rows:
                row.append(("parts", legend(colours.parts_shown(prediction.part))))
        rows.append(row)
    return sheet(rows)


def _chosen(count: int) -> list[int]:
    """At most `_SHOWN` of the views, evenly chosen."""
    return sorted({round(x) for x in np.linspace(0, count - 1, min(count, _SHOWN))})


def _fitted(camera: Camera) -> Camera:
    scale = min(1.0, _SIDE / max(camera.width, camera.height))
    return camera.resized(max(1, round(camera.width * scale)), max(1, round(camera.height * scale)))
