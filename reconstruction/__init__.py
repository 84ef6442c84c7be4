"""Capture in, scan out: multi-view stereo with known poses, fusion and meshing."""

from reconstruction.calibrate import CalibrationSettings, KnownDistance, calibrate
from reconstruction.pipeline import reconstruct, reconstruct_capture
from reconstruction.settings import BACKENDS, ReconstructionSettings
from reconstruction.views import find_masks

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
