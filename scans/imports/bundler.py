"""Bundler's `bundle.out`, version 0.3, as Metashape, RealityCapture, COLMAP and others export it.

Cameras look along -z, pixels count from the image's middle, y up. Names of the images stand in a list of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles, size_of
from scans.imports.records import OPENGL, Array, BrownLens, Observed, Pose, Scene, View, naming
from scans.imports.source import Source

_LISTS = ("list.txt", "name_list.txt", "imagelist.lst", "images.txt", "image_list.txt", "images.lst")
_NUMBERS = 15  # of a camera: f, k1, k2, R, t


def recognise(source: Source) -> bool:
    return source.start.startswith("# Bundle file v")


def read(source: Source, images: ImageFiles) -> Scene:
    header, _, body = source.text.partition("\n")
    version = header.split("v")[-1].strip()
    if version != "0.3":
        raise InputError(f"its version is {version}; version 0.3 is read")
    words = " ".join(line for line in body.splitlines() if not line.startswith("#")).split()
    cameras, points = int(words[0]), int(words[1])
    if not cameras:
        raise InputError("it has no cameras")
    table = np.array(words[2 : 2 + _NUMBERS * cameras], float).reshape(cameras, _NUMBERS)
    path = _list_beside(source.path)
    names = _names(path)
    if len(names) != cameras:
        raise InputError(f"{path.name} names {len(names)} images, the file has {cameras} cameras; they must be as many")
    views = []
    for name, row in zip(names, table, strict=True):
        image, pose, lens = images.find(name), None, None
        if row[0] != 0:
            with naming(f"camera {name}"):
                pose = Pose(OPENGL @ row[3:12].reshape(3, 3), OPENGL @ row[12:])
                lens = None if image is None else _lens(row, size_of(image))
        views.append(View(name, image, pose, lens))
    with naming("points"):
        observed = _points(words[2 + _NUMBERS * cameras :], points, views)
    notes = ["Bundler has no principal point: the images' middle is taken, as is right where it was exported so"]
    return Scene("Bundler", f"version {version}, names of {path.name}", "of the project", views, observed, notes=notes)


def _list_beside(path: Path) -> Path:
    """The file beside `path` that lists the names of the images."""
    own = [path.with_name(f"{path.stem}.list.txt"), path.with_name(f"{path.name}.list.txt")]
    named = [path.with_name(name) for name in _LISTS]
    others = sorted(path.parent.glob("*.list.txt"))
    for each in (*own, *named, *(others if len(others) == 1 else ())):
        if each.is_file():
            return each
    raise InputError("it has no names of images; put list.txt beside it, one name a line in the order of the cameras")


def _names(path: Path) -> list[str]:
    """One name a line, which may be followed by 0 and a focal length in pixels."""
    names = []
    for line in path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines():
        words = line.rsplit(maxsplit=2)
        behind = len(words) == 3 and words[1] == "0" and words[2].replace(".", "", 1).isdigit()
        if line.strip():
            names.append(words[0] if behind else line.strip())
    return names


def _lens(row: Array, size: tuple[int, int]) -> BrownLens:
    focal, k1, k2 = row[:3].tolist()
    return BrownLens(*size, focal, focal, size[0] / 2, size[1] / 2, k1=k1, k2=k2)


def _points(words: Sequence[str], count: int, views: Sequence[View]) -> Observed:
    numbers = np.array(words, float)
    if not np.isfinite(numbers).all():
        raise ValueError("they are not finite")
    positions, colours, seen, pixels, at = [], [], [], [], 0
    for _ in range(count):
        track = int(numbers[at + 6])
        rows = numbers[at + 7 : at + 7 + 4 * track].reshape(track, 4)
        at, start = at + 7 + 4 * track, at
        index = rows[:, 0].astype(np.int64)
        known = np.array([views[view].lens is not None for view in index], bool)
        index, rows = index[known], rows[known]
        if len(index):
            middle = np.array([_middle(views[view]) for view in index])
            positions.append(numbers[start : start + 3])
            colours.append(numbers[start + 3 : start + 6])
            seen.append(index)
            pixels.append(middle + rows[:, 2:] * [1, -1])
    return Observed(np.array(positions), seen, pixels, np.array(colours).reshape(-1, 3).astype(np.uint8))


def _middle(view: View) -> tuple[float, float]:
    assert view.lens is not None
    return view.lens.width / 2, view.lens.height / 2
