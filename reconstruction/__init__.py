"""Capture in, scan out: multi-view stereo with known poses, fusion and meshing."""

from reconstruction.pipeline import reconstruct, reconstruct_capture
from reconstruction.settings import BACKENDS, ReconstructionSettings

__all__ = ["BACKENDS", "ReconstructionSettings", "reconstruct", "reconstruct_capture"]
