"""Skin of 3D head scans: make heads, rebuild and label their scans, segment and register people's own.

The functions take paths or records and return records. Lengths are in metres; names that end in `_mm` hold millimetres.
The functions print nothing; they log, report progress to the function that is given as `progress`, and raise
`InputError` where an argument or a file can't be used. Settings have the names and defaults of the options of the
command line.

`import pixels2points` imports nothing else: libraries such as PyTorch are imported when a function is used that needs
them.

Example:
    >>> import pixels2points as p2p
    >>> capture = p2p.Capture.read("captures/head_00000004")
    >>> scan = p2p.Scan.read(capture.scan_path)
    >>> labels = p2p.label(capture, scan)
    >>> bool(0 < labels.skin.mean() < 1)
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capture import Camera, Capture, InputError, Labels, Scan
    from pixels2points.heads import make_head
    from pixels2points.landmarks import find_landmarks
    from pixels2points.segmentation import load_labeller, segment
    from pixels2points.stereo import label, reconstruct
    from pixels2points.template import register
    from scans.landmarks.records import FaceLandmarks
    from scans.predictions import Prediction

__all__ = [
    "Camera",
    "Capture",
    "FaceLandmarks",
    "InputError",
    "Labels",
    "Prediction",
    "Scan",
    "find_landmarks",
    "label",
    "load_labeller",
    "make_head",
    "reconstruct",
    "register",
    "segment",
]

_MODULES = {
    "Camera": "capture",
    "Capture": "capture",
    "FaceLandmarks": "scans.landmarks.records",
    "InputError": "capture",
    "Labels": "capture",
    "Prediction": "scans.predictions",
    "Scan": "capture",
    "find_landmarks": "pixels2points.landmarks",
    "label": "pixels2points.stereo",
    "load_labeller": "pixels2points.segmentation",
    "make_head": "pixels2points.heads",
    "reconstruct": "pixels2points.stereo",
    "register": "pixels2points.template",
    "segment": "pixels2points.segmentation",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pixels2points")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
