"""A labelled capture that is made in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from capture import Capture, CaptureInfo, Scan, write_json
from scans.labelled import Labelled
from scans.meshes.reading import scan_key
from scans.predictions import PARTS, UNKNOWN, Prediction
from tests.helpers import looking_at_origin


def labelled_capture(folder: Path, names: tuple[str, ...] = ("left/a.jpg", "left/b.png", "c.jpg")) -> Labelled:
    """Three views of a ball in millimetres, skin at x < 0, hair above it, a garment below."""
    views = [looking_at_origin(name, 30.0 * i, size=60 + 4 * i) for i, name in enumerate(names)]
    for view in views:
        path = folder / "images" / view.name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (view.width, view.height)).save(path)
    Capture.create(folder, views, CaptureInfo("ball"))
    ball = trimesh.creation.icosphere(4, radius=100.0)
    scan = Scan(ball.vertices, ball.faces)
    scan.write(folder / "scan.ply")
    x, _, z = scan.vertices.T
    part = np.where(x < 0, PARTS.index("skin"), np.where(z > 0, PARTS.index("scalp_hair"), PARTS.index("garment")))
    part[np.abs(x) < 1e-3] = UNKNOWN
    probability = np.clip(0.5 - x / 200, 0, 1)
    given = {"distance_mm": np.maximum(x, 0), "part": part, "part_probability": np.ones(len(x))}
    prediction = Prediction(probability, probability > 0.5, scan_key(scan), **given)  # type: ignore[arg-type]
    prediction.write(folder / "prediction" / "prediction.npz")
    account = {"scan": prediction.scan, "metres_per_unit": {"scan": 0.001, "cameras": 1.0}}
    write_json(folder / "prediction" / "prediction.json", account)
    return Labelled.read(folder)
