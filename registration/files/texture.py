"""Files of a baked texture: an image a tile, beside it what of it the images show."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.head_models.registry import load_head_model
from capture import Capture, InputError, atomic_path, write_bytes
from capture.geometry import vertex_areas
from registration.files.outputs import MATERIALS, ScanRegistration, write_registered_obj
from registration.texture.baking import Baking
from registration.texture.options import TextureOptions
from registration.texture.surface import check_uvs
from registration.texture.views import views_of

log = logging.getLogger(__name__)

_COMPRESSION = 4  # of the PNG files: half the time of the usual 6, some per cent larger


def check_texture(where: Path, template: str, options: TextureOptions) -> Capture:
    """The capture whose images are baked, before anything else is done.

    Raises `InputError` where there is none, or the template has no texture coordinates.
    """
    folder = options.images or where
    if not folder.is_dir():
        raise InputError(f"`texture` takes the images of a capture, and {folder} is none; name it with `images`")
    check_uvs(load_head_model(template))
    return Capture.read(folder)


def write_texture(
    out: Path,
    done: ScanRegistration,
    capture: Capture,
    options: TextureOptions,
    progress: Callable[[str, float], None] = lambda step, share: None,
) -> dict[str, Any]:
    """Bake a registered template's texture and write it, with an OBJ file that has it as its material.

    `texture.png` are the colours, sRGB; `texture_mask.png` is white where the images show them and black where they
    are made up. A template with several tiles gets `texture.1001.png` and so on, by their UDIM numbers.

    Args:
        out: folder.
        done: the registration.
        capture: its images, in the frame of the scan.
        options: the side of the images.
        progress: called with the step and the share of the whole that is done.

    Returns:
        An account: side, files, views, and what share of the face the images show.

    Raises:
        InputError: as `find_units` and `Baking` do.
    """
    assert options.texture is not None
    side = options.texture
    views = views_of(capture, done.capture_metres(capture, options.camera_unit))
    vertices = done.registration.vertices
    baking = Baking(done.template, vertices, views, done.scan, done.skin, lambda share: progress("looking", share / 2))
    files = {}
    for k, number in enumerate(baking.tiles):
        begin, part = 0.5 + 0.5 * k / len(baking.tiles), 0.5 / len(baking.tiles)

        def baked(share: float, begin: float = begin, part: float = part) -> None:
            progress("baking", begin + part * share)

        tile = baking.tile(number, side, baked)
        ending = "" if len(baking.tiles) == 1 else f".{number}"
        files[number] = f"texture{ending}.png"
        _save(out / files[number], tile.colours)
        _save(out / f"texture_mask{ending}.png", tile.shown)
    _write_materials(out, files)
    write_registered_obj(out, done.template, vertices / done.metres, {n: material(n) for n in files})
    shown = _face_share(baking, done)
    log.info("%s: texture of %d x %d pixels; the images show %.0f %% of the face", done.name, side, side, 100 * shown)
    gains = dict(zip((camera.name for camera in capture.cameras), baking.blend.gains.round(3).tolist(), strict=True))
    return {"side": side, "files": list(files.values()), "face_shown": round(shown, 4), "gains": gains}


def material(number: int) -> str:
    """Name of the material of a tile."""
    return f"texture_{number}"


def _write_materials(out: Path, files: dict[int, str]) -> None:
    lines = [
        f"newmtl {material(n)}\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {name}\n" for n, name in files.items()
    ]
    write_bytes(out / MATERIALS, "\n".join(lines).encode())


def _face_share(baking: Baking, done: ScanRegistration) -> float:
    """Share of the face's area that the images show."""
    own = np.flatnonzero(done.template.face_mask)  # vertices of the template are the first of the surface's
    areas = vertex_areas(done.registration.vertices, done.template.faces)[own]
    return float(areas @ baking.shown[own] / areas.sum())


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, compress_level=_COMPRESSION)
