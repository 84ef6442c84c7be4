#!/usr/bin/env bash
# COLMAP's text models: an image name that holds a blank is cut at it, without a word.
#
# Version: pycolmap 4.2.1, numpy 1.26.4, Python 3.11.
# Behaviour: images.txt gives the name as the last entry of a line, and COLMAP writes whole names there. Read back, "my
# view.png" is called "my": masks, depth maps and features that are looked up by name are not found. The binary format
# keeps the name, so that a model changes its names on its way from binary to text and back.
# Seen: written names ['my view.png', 'other.png']; binary keeps them; from text ['my', 'other.png'].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycolmap==4.2.1 numpy==1.26.4
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

import pycolmap

text, binary, again = Path("text"), Path("binary"), Path("again")
for place in (text, binary, again):
    place.mkdir()
(text / "cameras.txt").write_text("1 PINHOLE 640 480 500 500 320 240\n")
(text / "images.txt").write_text("1 1 0 0 0 0 0 0 1 placeholder.png\n\n2 1 0 0 0 1 0 0 1 other.png\n\n")
(text / "points3D.txt").write_text("")


def names(model: pycolmap.Reconstruction) -> list[str]:
    return [image.name for _, image in sorted(model.images.items())]


model = pycolmap.Reconstruction(text)
model.images[1].name = "my view.png"
model.write_binary(binary)
model.write_text(again)
print("binary:", names(pycolmap.Reconstruction(binary)))
print("text:  ", names(pycolmap.Reconstruction(again)))
assert "my view.png" in (again / "images.txt").read_text(), "the text file no longer holds the whole name"
assert names(pycolmap.Reconstruction(binary)) == ["my view.png", "other.png"]
assert names(pycolmap.Reconstruction(again)) == ["my", "other.png"], "names with blanks are read whole now"
PY
