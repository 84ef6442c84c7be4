"""Scans and cameras in other units of length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture import Camera, Scan


def scaled(scan: Scan, factor: float) -> Scan:
    """The scan with other units."""
    return scan if factor == 1 else replace(scan, vertices=scan.vertices.astype(np.float64) * factor)


def scaled_camera(camera: Camera, factor: float) -> Camera:
    """The camera with other units."""
    return camera if factor == 1 else replace(camera, translation=camera.translation * factor)
