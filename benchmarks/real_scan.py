"""A real scan and its two distorted photographs as a capture: what a trained labeller says of them.

python benchmarks/real_scan.py ../shared/data/james --out out/james
p2p segment out/james --checkpoint CKPT --scan ../shared/data/james/james.obj
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from capture import Camera, Capture, CaptureInfo


def make_capture(source: Path, out: Path) -> Path:
    """The folder `james` of the shared data as a capture in millimetres, without a scan. Returns `out`."""
    photographs = Image.open(source / "james.jpg").convert("RGB")
    cameras = []
    (out / "images").mkdir(parents=True, exist_ok=True)
    for name, view in json.loads((source / "cameras.json").read_text()).items():
        x, y, width, height = view["crop"]
        image = f"{name}.png"
        photographs.crop((x, y, x + width, y + height)).save(out / "images" / image)
        matrix, (k1, k2, p1, p2, k3) = np.array(view["K"]), view["dist"]
        assert k3 == 0
        centre = matrix[:2, 2] + 0.5  # OpenCV counts from the middle of the first pixel
        params = (matrix[0, 0], matrix[1, 1], *centre, k1, k2, p1, p2)
        pose = np.array(view["R"]), np.array(view["t"])
        cameras.append(Camera(image, width, height, "OPENCV", params, *pose))
    Capture.create(out, cameras, CaptureInfo("james"))
    return out


def main() -> None:
    """Make the capture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/james"))
    options = parser.parse_args()
    print(make_capture(options.source, options.out))


if __name__ == "__main__":
    main()
