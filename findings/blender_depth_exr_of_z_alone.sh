#!/usr/bin/env bash
# Blender loads an OpenEXR image whose only channel is called Z, and none of its pixels holds it.
#
# Version: bpy 4.5.15, openexr 3.5.3, numpy 1.26.4, Python 3.11.
# Behaviour: of a file with one float channel, the pixels of `bpy.data.images` hold it in red, green and blue where it is
# called Y or V, and where there is a Y beside Z. Called Z, as renderers name depth, the image loads as one of floats
# with four channels, and its colours are not the depth; nothing is said.
# Seen: for depths of 1 to 2, red is the depth in files of Y, of V, and of Y and Z; in that of Z alone it is 0, or 0 to 1.96.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bpy==4.5.15 openexr==3.5.3 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

import numpy as np
import OpenEXR

import bpy

depth = np.linspace(1, 2, 24, dtype=np.float32).reshape(4, 6)
header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}


def is_depth(*channels: str) -> bool:
    path = Path(f"{''.join(channels)}.exr").resolve()
    OpenEXR.File(header, dict.fromkeys(channels, depth)).write(str(path))
    image = bpy.data.images.load(str(path))
    assert image.is_float and image.channels == 4 and tuple(image.size) == (6, 4)
    red = np.array(image.pixels[:]).reshape(4, 6, 4)[::-1, :, 0]
    print(f"{' and '.join(channels)}: red is {red.min():.2f} to {red.max():.2f}")
    return bool(np.allclose(red, depth))


assert is_depth("Y") and is_depth("V") and is_depth("Y", "Z")
assert not is_depth("Z"), "a channel Z alone comes into the pixels now"
PY
