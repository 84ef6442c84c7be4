"""Capture in, scan out: multi-view stereo with known poses, fusion and meshing.

Names are imported when they are asked for: settings are needed where pycolmap is not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconstruction.calibration import calibrate
    from reconstruction.pipeline import reconstruct, reconstruct_capture
    from reconstruction.settings import BACKENDS, CalibrationSettings, KnownDistance, ReconstructionSettings
    from reconstruction.views import find_masks

_MODULES = {
    "BACKENDS": "settings",
    "CalibrationSettings": "settings",
    "KnownDistance": "settings",
    "ReconstructionSettings": "settings",
    "calibrate": "calibration",
    "find_masks": "views",
    "reconstruct": "pipeline",
    "reconstruct_capture": "pipeline",
}

__all__ = [
    "BACKENDS",
    "CalibrationSettings",
    "KnownDistance",
    "ReconstructionSettings",
    "calibrate",
    "find_masks",
    "reconstruct",
    "reconstruct_capture",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
