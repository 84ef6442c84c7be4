"""Skin that a person outlined in photographs, and how well labels of the scan agree with it.

A file of outlines is a JSON object: image name -> polygons [[x, y], ...] in pixels of the image, in lists named
`skin`, `holes` (in the skin), `ambiguous` (left out), `stubble` (left out), and `regions`: name -> boxes
[x0, y0, x1, y1]. What is no image's name is left aside; `band` is the width in pixels, about each outline, that is left
out because nobody draws more exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from capture import Camera
from scans.visibility import Views

_FINER = 4  # pixels a pixel, to raster outlines
_BAND = 1.5  # pixels


@dataclass(frozen=True, eq=False)
class Observations:
    """Places in outlined photographs at which vertices of a scan of V vertices are seen; a vertex may be in several.

    Attributes:
        vertex: (K,) index.
        skin: (K,) whether it is outlined as skin.
        regions: name -> (K,) whether it lies in a box of the region.
    """

    vertex: NDArray[np.int64]
    skin: NDArray[np.bool_]
    regions: Mapping[str, NDArray[np.bool_]]

    def majority(self, count: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(V,) skin where more photographs show it than don't, and (V,) whether that is known, for V vertices."""
        votes = np.bincount(self.vertex, np.where(self.skin, 1.0, -1.0), count)
        return votes > 0, votes != 0


@dataclass(frozen=True)
class Agreement:
    """Agreement of labels with outlines: IoU of skin and of the rest, precision, recall, and recall by region.

    A region whose skin no vertex shows has a recall of NaN.
    """

    skin_iou: float
    rest_iou: float
    precision: float
    recall: float
    regions: Mapping[str, float]

    @property
    def mean_iou(self) -> float:
        """Of both classes."""
        return (self.skin_iou + self.rest_iou) / 2

    @classmethod
    def of(cls, skin: NDArray[np.bool_], seen: Observations) -> Agreement:
        """Of labels (V,)."""
        found = skin[seen.vertex]
        hit, extra = (seen.skin & found).sum(), (~seen.skin & found).sum()
        missed, rest = (seen.skin & ~found).sum(), (~seen.skin & ~found).sum()
        within = {name: found[box & seen.skin] for name, box in seen.regions.items()}
        regions = {name: float(part.mean()) if len(part) else float("nan") for name, part in within.items()}
        return cls(
            hit / max(hit + extra + missed, 1),
            rest / max(rest + extra + missed, 1),
            hit / max(hit + extra, 1),
            hit / max(hit + missed, 1),
            regions,
        )


def observe(path: Path, cameras: Sequence[Camera], views: Views, stubble: bool = False) -> Observations:
    """Where the outlined photographs among N views of a scan show its vertices.

    Stubble is left out, or with `stubble` is as it is outlined: most often within the skin. Raises `ValueError` where
    no photograph is outlined.
    """
    file = json.loads(path.read_text())
    band = float(file.get("band", _BAND))
    vertices, skins = [], []
    inside: dict[str, list[NDArray[np.bool_]]] = {}
    names = sorted({name for camera in cameras for name in file.get(camera.name, {}).get("regions", {})})
    for index, camera in enumerate(cameras):
        if camera.name not in file:
            continue
        size = np.array([camera.width, camera.height])
        skin, counts = _raster(file[camera.name], camera, band, stubble)
        seen = np.flatnonzero(views.weights[index] > 0)
        x, y = np.minimum((views.where[index, seen] * size).astype(int), size - 1).T
        kept = counts[y, x]
        vertices.append(seen[kept])
        skins.append(skin[y, x][kept])
        for name in names:
            boxes = file[camera.name].get("regions", {}).get(name, [])
            hit = [(x >= x0) & (x < x1) & (y >= y0) & (y < y1) for x0, y0, x1, y1 in boxes]
            inside.setdefault(name, []).append(np.any([np.zeros(len(x), bool), *hit], axis=0)[kept])
    if not vertices:
        raise ValueError(f"{path} outlines none of {', '.join(camera.name for camera in cameras)}")
    regions = {name: np.concatenate(parts) for name, parts in inside.items()}
    return Observations(np.concatenate(vertices), np.concatenate(skins), regions)


def _raster(
    outlines: Mapping[str, Any], camera: Camera, band: float, stubble: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(H, W) whether a pixel is skin, and whether that is known."""
    skin = _filled(outlines.get("skin", []), camera) & ~_filled(outlines.get("holes", []), camera)
    border = np.where(skin, distance_transform_edt(skin), distance_transform_edt(~skin)) <= band
    left_out = _filled(outlines.get("ambiguous", []), camera)
    if not stubble:
        left_out = left_out | _filled(outlines.get("stubble", []), camera)
    return skin, ~(border | left_out)


def _filled(polygons: Sequence[Sequence[Sequence[float]]], camera: Camera) -> NDArray[np.bool_]:
    image = Image.new("L", (_FINER * camera.width, _FINER * camera.height))
    for polygon in polygons:
        ImageDraw.Draw(image).polygon([(_FINER * x, _FINER * y) for x, y in polygon], fill=255)
    return np.asarray(image.resize((camera.width, camera.height), Image.Resampling.BOX)) > 127
