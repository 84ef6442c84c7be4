"""COLMAP's sparse model: cameras, images and points, in text and in binary.

Source: colmap.github.io, "Output Format", and what COLMAP 4.2 reads and writes. A model is read as COLMAP reads it,
poses of rigs and frames included; written is only what a calibrated capture needs: every image has its own camera
entry, points carry their tracks.
"""

from capture.colmap.files import find_model, is_model, read_model, write_model
from capture.colmap.model import SparseModel, SparsePoints
from capture.colmap.quaternions import quaternion_from_rotation, rotation_from_quaternion

__all__ = [
    "SparseModel",
    "SparsePoints",
    "find_model",
    "is_model",
    "quaternion_from_rotation",
    "read_model",
    "rotation_from_quaternion",
    "write_model",
]
