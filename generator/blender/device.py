"""The processor or graphics cards that Cycles renders on."""

from __future__ import annotations

import logging
from typing import Any

import bpy

from capture import InputError

log = logging.getLogger(__name__)


def use_device(scene: Any, device: str) -> None:
    """Render on the CPU, or on all GPUs of a kind that this machine shows (`CUDA_VISIBLE_DEVICES` limits NVIDIA's).

    Raises `InputError` where there is none: a farm that falls back to CPUs unseen takes weeks instead of days.
    """
    if device == "cpu":
        scene.cycles.device = "CPU"
        return
    preferences = bpy.context.preferences.addons["cycles"].preferences
    kind = device.upper()
    try:
        preferences.compute_device_type = kind
    except TypeError:
        raise InputError(f"`device` {device}: this Blender can't render on it; use another device or Blender") from None
    preferences.refresh_devices() if hasattr(preferences, "refresh_devices") else preferences.get_devices()
    gpus = [each for each in preferences.devices if each.type == kind]
    if not gpus:
        raise InputError(f"`device` {device}: this machine shows no such GPU to Blender; check its driver, or use cpu")
    for each in preferences.devices:
        each.use = each.type == kind
    scene.cycles.device = "GPU"
    log.info("rendering on %s", ", ".join(each.name for each in gpus))
