#!/usr/bin/env bash
# OpenImageIO: a Radiance HDR file whose lines repeat pixels, as the format has allowed from its beginning, isn't read.
#
# Version: OpenImageIO 3.2.2.0, Python 3.11. Blender 4.5 and 5.0 read HDR files with it; Blender 3.4 has a reader of its own.
# Behaviour: a pixel of 1, 1, 1, n stands for n more of the pixel before it ("Radiance File Formats", Ward). OpenImageIO
# takes it for a pixel, so that every line begins too late and the file seems to end early.
# Seen: "Read error on scanline 2" for 16 lines of one pixel and 15 repetitions; the same picture without them is read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet OpenImageIO==3.2.2.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

import OpenImageIO

HEADER = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +X 16\n"
PIXEL = bytes([10, 20, 30, 128])
Path("plain.hdr").write_bytes(HEADER + PIXEL * 256)
Path("repeated.hdr").write_bytes(HEADER + (PIXEL + bytes([1, 1, 1, 15])) * 16)

plain, repeated = OpenImageIO.ImageBuf("plain.hdr"), OpenImageIO.ImageBuf("repeated.hdr")
assert plain.read() and plain.get_pixels().shape == (16, 16, 3)
whole = repeated.read()
print("repeated pixels:", "read" if whole else repeated.geterror())
assert not whole, "repeated pixels are read now"
PY
