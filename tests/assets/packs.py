"""Tiny libraries and MakeHuman packs for tests, of nothing but what the tests draw themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HEAD = "# released as CC0 in september 2020\n# Copyright (C) 2020 Jane Doe\n"
HOMEPAGE = "# see http://www.makehumancommunity.org\n"


def write_asset(library: Path, name: str, kind: str = "skin", **changes: Any) -> Path:
    """A manifest, and its image where nothing else is said; returns the manifest's path."""
    folder = library / kind / name.replace("/", "-")
    folder.mkdir(parents=True)
    role = "image" if kind == "hdri" else "diffuse"
    value = {"kind": kind, "id": name, "files": {role: "map.png"}, "licence": "CC0-1.0", **changes}
    write_image(folder / "map.png")
    path = folder / "asset.json"
    path.write_text(json.dumps(value))
    return path


def write_image(path: Path, pixels: np.ndarray | None = None) -> None:
    """An RGBA image, left half opaque, or the pixels given."""
    if pixels is None:
        pixels = np.full((8, 8, 4), 200, np.uint8)
        pixels[:, 4:, 3] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_proxy(
    folder: Path, name: str, bindings: list[str], *, texture: str = "map.png", tags: str = "", height: float = 8
) -> Path:
    """A .mhclo of as many vertices as bindings, a strip of triangles, with .obj, .mhmat and texture."""
    folder.mkdir(parents=True, exist_ok=True)
    scales = "x_scale 5399 11998 1.4800\nz_scale 962 5320 1.9221\ny_scale 791 881 2.3298\n"
    text = f"{HEAD}{HOMEPAGE}basemesh hm08\n{tags}\nname {name}\nobj_file {name}.obj\n{scales}verts 0\n"
    text += f"material {name}.mhmat\n" + "\n".join(bindings) + "\ndelete_verts\n3 - 7 9\n"
    path = folder / f"{name}.mhclo"
    path.write_text(text)
    count = len(bindings)
    lines = [f"v {i % 2} {height + i // 2} 0" for i in range(count)]
    lines += [f"vt {i % 2} {i // 2 / count}" for i in range(count)]
    lines += [f"f {i}/{i} {i + 1}/{i + 1} {i + 2}/{i + 2}" for i in range(1, count - 1)]
    (folder / f"{name}.obj").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.mhmat").write_text(f"{HEAD}name {name}\ndiffuseTexture {texture}\n")
    if texture == "map.png":
        write_image(folder / texture)
    return path


def write_pack(folder: Path) -> Path:
    """A pack with one asset of every kind, and gaps."""
    for kind, name in (("hair", "bob"), ("eyebrows", "thick"), ("eyelashes", "long"), ("clothes", "cone")):
        write_proxy(folder / kind / name, name, ["881", "791", "962 5320 881 0.2 0.3 0.5 0.1 0.2 0.3"])
    write_proxy(folder / "clothes" / "shirt", "shirt", ["881", "791", "962"], height=2)
    write_proxy(folder / "clothes" / "topper", "topper", ["881", "791", "962"], height=2, tags="tag Hats")
    write_proxy(folder / "hair" / "lost", "lost", ["881", "791", "962"], texture="nowhere.png")
    for name, texture in (("young", "map.png"), ("old", "gone.png"), ("plain", "")):
        place = folder / "skins" / name
        place.mkdir(parents=True)
        (place / f"{name}.mhmat").write_text(f"{HEAD}diffuseTexture {texture}\ntag {name}\n")
        if texture == "map.png":
            write_image(place / texture)
    write_image(folder / "eyes" / "materials" / "blue_eye.png")
    (folder / "eyes" / "materials" / "blue.mhmat").write_text(f"{HEAD}diffuseTexture blue_eye.png\n")
    return folder
