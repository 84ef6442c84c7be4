"""Small things that several tests make."""

from __future__ import annotations

import numpy as np

from capture import CAMERA_MODELS, Camera


def rotation(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def camera(seed: int = 0, model: str = "PINHOLE") -> Camera:
    values = {"f": 500, "fx": 510, "fy": 490, "cx": 310, "cy": 250, "k1": 0.1, "k2": -0.04, "p1": 0.002, "p2": -0.001}
    values |= {"k3": 0.01, "k4": 0.02, "k5": 0.001, "k6": 0.002}
    params = tuple(values[name] for name in CAMERA_MODELS[model])
    return Camera("view.png", 640, 480, model, params, rotation(seed), np.random.default_rng(seed).normal(size=3))
