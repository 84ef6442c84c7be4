"""Baked textures against images that were not baked: error where a held-out view shows the registered skin.

The template is registered once. For every held-out view the others are baked; the texture is seen through the held-out
camera (one ray a pixel) and compared with its image where its class mask, if there is one, says skin, the scan's skin
does otherwise, and the texture's mask says that it was shown. Beside our blending: the plain mean of all views, and
the best view of each place alone. Times are those of all views.

    python -m benchmarks.texture CAPTURE [--held-out view_03.png --held-out view_04.png] [--side 4096] [--unit 0.0217]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from capture import Capture, PixelClass
from registration.files.outputs import ScanRegistration
from registration.files.register import fit_template
from registration.options import RegisterOptions
from registration.texture import balance
from registration.texture.baking import Baking, Tile
from registration.texture.views import Occluders, View, skin_of, views_of
from scans.images.class_masks import read_class_masks
from scans.images.decoding import decode_file
from scans.images.sampling import sample_image
from scans.ray_casting import RayCaster

PEERS: dict[str, dict[str, float]] = {
    "blended in two bands": {},
    "mean of all views": {"_SHARP": 1.0, "_LEAST_SHARE": 0.0},
    "best view": {"_SHARP": 200.0},
}


def bake(done: ScanRegistration, views: Sequence[View], side: int, settings: dict[str, float]) -> tuple[Baking, Tile]:
    """The first tile of a texture, with other settings of the blending."""
    with patch.multiple("registration.texture.balance", **(settings or {"_SHARP": balance._SHARP})):
        baking = Baking(done.template, done.registration.vertices, views, done.scan, done.skin)
    return baking, baking.tile(baking.tiles[0], side)


def rendered(baking: Baking, tile: Tile, view: View) -> tuple[NDArray, NDArray, NDArray]:
    """Rows and columns of the pixels in which a view shows the tile where images were baked, and their colours."""
    surface, camera = baking.surface, view.camera
    caster = RayCaster(surface.points, surface.faces, centre=surface.points.mean(axis=0))
    rows, columns = np.mgrid[: camera.height, : camera.width].reshape(2, -1)
    rays = camera.rays(np.stack([columns + 0.5, rows + 0.5], axis=1)).astype(np.float32)
    origins = np.tile(caster.local(camera.centre), (len(rays), 1))
    hits = caster.first_hits(origins, rays)
    facing = hits.face >= 0
    rows, columns, face = rows[facing], columns[facing], hits.face[facing]
    u, v = hits.u[facing, None], hits.v[facing, None]
    corners = surface.corner_uvs[face]
    uv = (1 - u - v) * corners[:, 0] + u * corners[:, 1] + v * corners[:, 2]
    side = len(tile.shown)
    texels = np.stack([uv[:, 0] % 1, 1 - uv[:, 1] % 1], axis=1) * side
    shown = tile.shown[tuple(np.minimum(texels.astype(int), side - 1).T[::-1])] == 255
    points = surface.points[surface.faces[face]].mean(axis=1)
    normals = surface.normals[surface.faces[face, 0]]
    ways = camera.centre - points
    shown &= np.einsum("nc,nc->n", ways, normals) > 0.3 * np.linalg.norm(ways, axis=1)
    return rows[shown], columns[shown], sample_image(tile.colours.astype(np.float32), texels[shown])


def errors(taken: NDArray, seen: NDArray) -> dict[str, float]:
    """PSNR in dB and mean absolute error in bytes, as they are, and with one factor a channel fitted."""
    found = {}
    factor = (taken * seen).sum(axis=0) / (seen**2).sum(axis=0)
    for name, values in (("", seen), ("balanced_", seen * factor)):
        apart = taken - values
        found[f"{name}psnr"] = round(float(10 * np.log10(255**2 / (apart**2).mean())), 2)
        found[f"{name}mean"] = round(float(np.abs(apart).mean()), 2)
    return found


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Errors of a capture's held-out views; prints a line for each."""
    capture = Capture.read(folder)
    done = fit_template(folder, RegisterOptions(unit=options.unit))
    views = views_of(capture, done.capture_metres(capture, options.unit))
    masks = read_class_masks(capture)
    rows: dict[str, Any] = {}
    for name in options.held_out or [capture.cameras[len(views) // 2].name]:
        index = [camera.name for camera in capture.cameras].index(name)
        others = [view for i, view in enumerate(views) if i != index]
        taken = decode_file(views[index].path).colours.astype(float)
        mask = masks[index]
        for peer, settings in PEERS.items():
            baking, tile = bake(done, others, options.side, settings)
            y, x, seen = rendered(baking, tile, views[index])
            if mask is not None:
                kept = mask[y, x] == PixelClass.SKIN
            else:
                wanted = skin_of(baking.surface, done.scan, done.skin)
                hidden = Occluders(baking.surface, done.scan, done.skin)
                free = hidden.sees(views[index].camera, baking.surface.points, baking.surface.normals) & wanted
                pixels, _ = views[index].camera.project(baking.surface.points[free])
                near = np.zeros(taken.shape[:2], bool)
                inside = views[index].camera.inside(pixels)
                near[tuple(pixels[inside].astype(int).T[::-1])] = True
                kept = near[y, x]
            rows[f"{name}: {peer}"] = {**errors(taken[y, x][kept], seen[kept]), "pixels": int(kept.sum())}
            print(name, peer, rows[f"{name}: {peer}"], flush=True)
    before, wall = time.process_time(), time.perf_counter()
    bake(done, views, options.side, {})
    rows["seconds"] = {"cpu": round(time.process_time() - before, 1), "wall": round(time.perf_counter() - wall, 1)}
    rows["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captures", type=Path, nargs="+")
    parser.add_argument("--held-out", action="append", default=[])
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--unit")
    options = parser.parse_args(arguments)
    for folder in options.captures:
        print(json.dumps({folder.name: measure(folder, options)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
