"""Images of a scene, one view after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError, write_bytes
from capture.files import explain_os_error
from generator.blender.cameras import aim
from generator.blender.compat import write_exr
from generator.cameras.photo import take_photo
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec
from generator.image_files.exr import decode_exr
from generator.image_files.png import encode_png

Time = Callable[[str, Callable[[], Any]], Any]
Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float32]

_LEAST_COVER = np.float32(0.5 / 255)  # below it a pixel is clear


def render_images(
    scene: Any,
    cameras: Sequence[Camera],
    folder: Path,
    progress: Progress,
    sensor: SensorSpec | None = None,
    photo: PhotoSpec | None = None,
    time: Time = lambda stage, work: work(),
    black: bool = False,
    alpha: bool = False,
) -> None:
    """Render `folder/<name>` of every camera, 8-bit sRGB PNG, as the camera writes it (None: a sensor without noise, a
    camera that changes nothing).

    `black` is for a background that sends no light: it is 0, without noise. With `alpha` the images have an alpha
    channel in its place; colours are those of what covers a pixel, not darkened by what it leaves free, and the camera
    does only what it does to each pixel alone.

    `time(stage, work)` does the work of "first view" (with the transfer of the scene to Cycles and its BVH), "other
    views" and "develop".
    """
    take = partial(take_photo, sensor=sensor, photo=photo or PhotoSpec(), black=black, alone=alpha)
    for index, camera in enumerate(cameras):
        stage = "other views" if index else "first view"
        channels = time(stage, partial(render_channels, scene, camera, folder, alpha=alpha))
        time("develop", partial(_develop, channels, take, index, folder / camera.name))
        progress("view", index + 1, len(cameras))


def _develop(channels: Mapping[str, Floats], take: Callable[..., NDArray[np.uint8]], view: int, path: Path) -> None:
    linear = np.stack([channels[name] for name in "RGB"], axis=-1)
    if "A" not in channels:
        write_bytes(path, encode_png(take(linear, view=view)))
        return
    cover = np.clip(channels["A"], 0, 1)[..., None]  # Blender's colours are multiplied by it
    seen = take(linear / np.maximum(cover, _LEAST_COVER), view=view)
    covered = (cover * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    write_bytes(path, encode_png(np.concatenate([np.where(covered > 0, seen, 0), covered], axis=-1)))


def render_channels(
    scene: Any, camera: Camera, folder: Path, layers: bool = False, alpha: bool = False
) -> dict[str, Floats]:
    """Channel -> (H, W) of what a camera sees, linear: R, G and B, with `alpha` A too (premultiplied), or those of all
    passes.

    `folder` gets the file that Blender leaves, for as long as it takes. Raises `InputError` where it leaves none.
    """
    aim(scene, camera)
    settings = scene.render.image_settings
    write_exr(settings, layers)
    if not layers:
        settings.color_mode = "RGBA" if alpha else "RGB"
    settings.color_depth, settings.exr_codec = "32", "NONE"
    path = folder / f".{camera.name}.exr"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scene.render.filepath = str(path.resolve())
        bpy.ops.render.render(write_still=True)
        return decode_exr(path.read_bytes())
    except (FileNotFoundError, ValueError, RuntimeError):
        cure = "check the free space and your permissions"
        raise InputError(f"can't write {folder / camera.name}: Blender left no whole image; {cure}") from None
    except OSError as error:
        raise explain_os_error(error, folder / camera.name) from None
    finally:
        path.unlink(missing_ok=True)
