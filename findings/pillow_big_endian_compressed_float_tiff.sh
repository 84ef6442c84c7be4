#!/usr/bin/env bash
# Pillow reads a compressed grey TIFF of 32-bit floats in big-endian order with the bytes of each number swapped once more.
#
# Version: Pillow 13.0.0, tifffile 2026.3.3, numpy 1.26.4, Python 3.11.
# Behaviour: depth maps and linear developments come as float TIFFs, from some programs in big-endian order. Uncompressed,
# either order is read right; compressed (deflate here), the decoder returns numbers in the machine's order, and Pillow
# takes them for big-endian ones: mode F, the right size, no error, values near 0 that pictures show as black.
# Seen: 0, 0.25, 0.5, 1 become 0, 4.6e-41, 8.8e-44, 4.6e-41.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet Pillow==13.0.0 tifffile==2026.3.3 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

values = np.array([[0, 0.25], [0.5, 1]], np.float32)


def write(path: str, order: str, compressed: bool) -> None:
    """A grey TIFF of one strip: header, strip, directory."""
    strip = values.astype(order + "f4").tobytes()
    strip = zlib.compress(strip) if compressed else strip
    strip += b"\0" * (len(strip) % 2)
    short, long = 3, 4
    tags = [(256, short, 2), (257, short, 2), (258, short, 32), (259, short, 8 if compressed else 1), (262, short, 1),
            (273, long, 8), (277, short, 1), (278, short, 2), (279, long, len(strip)), (339, short, 3)]
    body = struct.pack(order + "H", len(tags))
    for number, kind, value in tags:
        body += struct.pack(order + "HHI", number, kind, 1)
        body += struct.pack(order + "HH", value, 0) if kind == short else struct.pack(order + "I", value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(strip))
    with open(path, "wb") as file:
        file.write(head + strip + body + bytes(4))


for order, compressed in (("<", False), ("<", True), (">", False), (">", True)):
    write("a.tif", order, compressed)
    assert (tifffile.imread("a.tif") == values).all(), "an independent reader finds what was written"
    image = Image.open("a.tif")
    assert image.mode == "F" and image.size == (2, 2)
    print(order, "compressed" if compressed else "plain", np.asarray(image).ravel().tolist())
    swapped = order == ">" and compressed
    assert (np.asarray(image) == (values.byteswap() if swapped else values)).all(), "read otherwise now"
PY
