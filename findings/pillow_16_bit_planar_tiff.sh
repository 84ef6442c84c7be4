#!/usr/bin/env bash
# Pillow reads a colour TIFF of 16 bits whose channels lie in planes as if it had 8: bytes of one number become two pixels.
#
# Version: Pillow 13.0.0, tifffile 2026.3.3, numpy 1.26.4, Python 3.11.
# Behaviour: uncompressed, with PlanarConfiguration 2 (as some scanners' and microscopes' cameras write), each 16-bit sample
# is taken for two neighbouring 8-bit ones, low byte first, and the second half of each plane is never read. No
# error, no warning, mode RGB, the right size. The same picture with interleaved channels is read right (its upper bytes).
# Seen: of samples 300, 1300, ... the first row's red is [44, 1, 20, 5] in planes, [1, 5, 8, 12] interleaved.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet Pillow==13.0.0 tifffile==2026.3.3 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import tifffile
from PIL import Image

samples = (np.arange(3 * 2 * 4).reshape(3, 2, 4) * 1000 + 300).astype(np.uint16)
tifffile.imwrite("planes.tif", samples, photometric="rgb", planarconfig="separate")
tifffile.imwrite("interleaved.tif", np.moveaxis(samples, 0, 2), photometric="rgb")
assert (tifffile.imread("planes.tif") == samples).all(), "an independent reader finds what was written"
planes, interleaved = (Image.open(f"{name}.tif") for name in ("planes", "interleaved"))
assert planes.mode == interleaved.mode == "RGB" and planes.size == interleaved.size == (4, 2)
print("in planes:  ", np.asarray(planes)[0, :, 0].tolist())
print("interleaved:", np.asarray(interleaved)[0, :, 0].tolist())
assert (np.asarray(interleaved) == np.moveaxis(samples >> 8, 0, 2)).all()
as_bytes = samples.astype("<u2").reshape(3, -1).view(np.uint8)[:, :8].reshape(3, 2, 4)
assert (np.asarray(planes) == np.moveaxis(as_bytes, 0, 2)).all(), "planes of 16 bits are read otherwise now"
PY
