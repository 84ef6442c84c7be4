"""The records that every stage reads and writes. Needs numpy and the standard library only."""

from capture.camera import CAMERA_MODELS, Camera
from capture.capture import Capture, CaptureInfo
from capture.classes import SKIN_CLASSES, PixelClass
from capture.colmap import SparseModel, SparsePoints, read_model, write_model
from capture.errors import InputError, RefusedError
from capture.files import atomic_path, read_json, write_bytes, write_json
from capture.geometry import vertex_normals
from capture.labels import Labels
from capture.scan import HeadSurface, Mesh, Scan

__all__ = [
    "CAMERA_MODELS",
    "SKIN_CLASSES",
    "Camera",
    "Capture",
    "CaptureInfo",
    "HeadSurface",
    "InputError",
    "Labels",
    "Mesh",
    "PixelClass",
    "RefusedError",
    "Scan",
    "SparseModel",
    "SparsePoints",
    "atomic_path",
    "read_json",
    "read_model",
    "vertex_normals",
    "write_bytes",
    "write_json",
    "write_model",
]
