"""Capture in, scan out: multi-view stereo with known poses, fusion and meshing.

Names are imported when they are asked for: settings are needed where pycolmap is not.
"""

from typing import TYPE_CHECKING

from capture.lazy_names import lazy_names

if TYPE_CHECKING:
    from reconstruction.calibration import calibrate
    from reconstruction.pipeline import reconstruct, reconstruct_capture
    from reconstruction.settings import BACKENDS, CalibrationSettings, KnownDistance, ReconstructionSettings
    from reconstruction.views import find_masks

_MODULES = {
    "BACKENDS": "reconstruction.settings",
    "CalibrationSettings": "reconstruction.settings",
    "KnownDistance": "reconstruction.settings",
    "ReconstructionSettings": "reconstruction.settings",
    "calibrate": "reconstruction.calibration",
    "find_masks": "reconstruction.views",
    "reconstruct": "reconstruction.pipeline",
    "reconstruct_capture": "reconstruction.pipeline",
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


__getattr__ = lazy_names(__name__, _MODULES)
