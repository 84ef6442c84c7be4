"""The screen of a Blender file to paint in: brush, views, and the how-to."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Quaternion
from numpy.typing import NDArray

from generator.jobs.annotation import COLOURS, Paint

_SCREEN = "Layout"
_FRONT = (0.70710678, 0.70710678, 0.0, 0.0)  # looking along +Y, Z up


def prepare_brush(settings: Any) -> None:
    """Both colours at hand, full strength, whichever brush is taken.

    Args:
        settings: the scene's tool settings, in vertex paint mode.
    """
    paint = settings.vertex_paint
    brush = getattr(paint, "unified_paint_settings", None) or settings.unified_paint_settings
    brush.use_unified_color = brush.use_unified_strength = brush.use_unified_size = True
    brush.color, brush.secondary_color = _rgb(Paint.SKIN), _rgb(Paint.OTHER)
    brush.strength, brush.size = 1.0, 40
    palette = bpy.data.palettes.new("skin and other")
    for each in (Paint.SKIN, Paint.OTHER):
        palette.colors.new().color = _rgb(each)
    paint.palette = palette
    own = paint.brush
    if own is not None and own.library is None:  # before 4.3 it lies in the file, and is soft
        own.curve_preset = "CONSTANT"


def prepare_screen(text: Any, centre: NDArray, size: float, camera: Any) -> None:
    """Show colours in every 3D view, look through the camera where there is one, and show the how-to.

    Args:
        text: the how-to.
        centre: (3,) of the scan, metres.
        size: of the scan, metres.
        camera: to look through, or None.
    """
    for screen in bpy.data.screens:
        for area in screen.areas:
            if screen.name == _SCREEN and area.type == "OUTLINER":
                area.type = "TEXT_EDITOR"
                area.spaces.active.text = text
                area.spaces.active.show_line_numbers = area.spaces.active.show_syntax_highlight = False
                area.spaces.active.show_word_wrap = True
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    _prepare_view(space, centre, size, camera)


def _prepare_view(space: Any, centre: NDArray, size: float, camera: Any) -> None:
    space.shading.type, space.shading.color_type, space.shading.light = "SOLID", "VERTEX", "STUDIO"
    space.overlay.show_overlays = True
    space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
    space.clip_start, space.clip_end, space.lens = 0.01, 100.0, 50.0
    view = space.region_3d
    view.view_location, view.view_distance = centre.tolist(), 2.5 * size
    view.view_rotation = Quaternion(_FRONT)
    view.view_perspective = "PERSP" if camera is None else "CAMERA"


def _rgb(paint: Paint) -> tuple[float, ...]:
    """sRGB in [0, 1]."""
    return tuple((COLOURS[paint] / 255).tolist())
