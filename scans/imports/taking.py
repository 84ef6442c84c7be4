"""The part of a file's views that becomes a capture: their pictures, masks and points."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from capture import InputError, SparsePoints
from scans.images.mask_files import find_masks
from scans.imports.image_files import ImageFiles, name_in_capture
from scans.imports.records import ImageFile, Lens, Observed, Pose, Scene, View, naming
from scans.imports.spreading import spread_views
from scans.imports.writing import Picture, camera_of, check_names


@dataclass(frozen=True, eq=False)
class Taken:
    """The views of a scene that are taken.

    Attributes:
        scene: of the file.
        folder: of the images.
        index: which views, in the order of their images' names.
        pictures: their pictures.
        missing: names of aligned views whose image is not there.
        unused: number of views with pose and image that were not chosen.
    """

    scene: Scene
    folder: ImageFiles
    index: Sequence[int]
    pictures: Sequence[Picture]
    missing: Sequence[str]
    unused: int

    @classmethod
    def of(cls, scene: Scene, folder: ImageFiles, count: int | None, skip_missing: bool) -> Taken:
        """The aligned views with images, or `count` of them.

        Raises `InputError` where there are none, or an image is missing and that is not to be skipped.
        """
        there, missing = _with_images(scene, folder, skip_missing)
        index, pictures = _pictures(scene, there, folder, count)
        return cls(scene, folder, index, pictures, missing, len(there) - len(index))

    @cached_property
    def unaligned(self) -> list[str]:
        """Images that the file has no pose of: those that it lists, and others of the folder."""
        return _unaligned(self.scene, self.folder)

    @property
    def distortion(self) -> list[str]:
        """Names of the parameters that bend a straight line, or shear the image, of any of the lenses."""
        used = {name for picture in self.pictures for name in picture.lens.bent}
        return sorted(used, key=lambda name: (len(name) > 2, name))

    @property
    def resampled(self) -> Mapping[str, Sequence[str]]:
        """Parameters that no COLMAP model has -> names of the images that are resampled for them."""
        found: dict[str, list[str]] = {}
        for picture in self.pictures:
            if picture.resampled:
                found.setdefault(" and ".join(picture.resampled), []).append(picture.camera.name)
        return found

    def masks(self, folder: Path | None) -> tuple[Sequence[Path], list[str]]:
        """The masks of the pictures, of a folder or as the file names them, and what is to be told of them."""
        if folder is not None:
            return find_masks([picture.name for picture in self.pictures], folder), []
        named = [mask for i in self.index if (mask := self.scene.views[i].mask) is not None]
        if len(named) == len(self.pictures):
            return named, []
        told = (
            f"the file names masks that are there of {len(named)} of {len(self.pictures)} images alone: none is taken"
        )
        return (), [told] if named else []

    def points(self, points: Observed) -> SparsePoints:
        """The points that pictures see, with tracks and pixels as in the capture."""
        places = {view: place for place, view in enumerate(self.index)}
        return _in_capture(points, self.pictures, places)


def _with_images(scene: Scene, folder: ImageFiles, skip_missing: bool) -> tuple[list[int], list[str]]:
    """Indices of the aligned views whose images are there, and the names of those whose aren't."""
    aligned = [i for i, view in enumerate(scene.views) if view.pose is not None]
    if not aligned:
        raise InputError(f"none of its {len(scene.views)} images is aligned; align them and export again")
    there = [i for i in aligned if scene.views[i].image is not None]
    missing = [scene.views[i].name for i in aligned if scene.views[i].image is None]
    where = f"below {folder.root}; name their folder with `images`"
    if not there:
        raise InputError(f"no image of its {len(aligned)} cameras is {where} ({missing[0]} is the first)")
    if missing and not skip_missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"image is missing: {missing[0]}{more}, of {len(aligned)} {where}, or leave cameras out with `skip_missing`"
        )
    return there, missing


def _pictures(
    scene: Scene, there: Sequence[int], folder: ImageFiles, count: int | None
) -> tuple[list[int], list[Picture]]:
    """The views that are taken, in the order of their images' names, and their pictures."""
    root = _common_root([image for i in there if (image := scene.views[i].image) is not None], folder.root)
    chosen = there
    if count is not None:  # by poses and lenses alone: no image is opened
        cameras = []
        for i in there:
            with naming(f"camera {scene.views[i].name}"):
                cameras.append(camera_of(scene.views[i].name, *_solved(scene.views[i])))
        chosen = [there[i] for i in spread_views(cameras, count)]
    pictures = {}
    for i in chosen:
        with naming(f"camera {scene.views[i].name}"):
            image = scene.views[i].image
            assert image is not None
            pictures[i] = Picture.of(image, name_in_capture(image, root), *_solved(scene.views[i]))
    index = sorted(pictures, key=lambda i: pictures[i].camera.name)
    check_names([pictures[i] for i in index])
    return index, [pictures[i] for i in index]


def _common_root(images: Sequence[ImageFile], root: Path) -> Path:
    """The folder that names of images begin below: `root`, or what images have in common that lie elsewhere."""
    files = [image for image in images if isinstance(image, Path)]
    if all(image.is_relative_to(root) for image in files):
        return root
    return Path(os.path.commonpath([image.parent for image in files]))


def _solved(view: View) -> tuple[Lens, Pose]:
    assert view.lens is not None and view.pose is not None  # of a view that is aligned and has its image
    return view.lens, view.pose


def _unaligned(scene: Scene, folder: ImageFiles) -> list[str]:
    """Images that the file has no pose of: those that it lists, and others of the folder."""
    named = {view.image for view in scene.views if view.image is not None}
    listed = [
        view.name if view.image is None else name_in_capture(view.image, folder.root)
        for view in scene.views
        if view.pose is None
    ]
    return [*listed, *(name_in_capture(path, folder.root) for path in folder.paths if path not in named)]


def _in_capture(points: Observed, pictures: Sequence[Picture], places: dict[int, int]) -> SparsePoints:
    """The points that pictures see, with tracks and pixels as in the capture."""
    kept, tracks, pixels = [], [], []
    for number in range(len(points)):
        views, seen = points.views[number], points.pixels[number]
        rows = [row for row, view in enumerate(views) if int(view) in places]
        if rows:
            kept.append(number)
            tracks.append(np.array([places[int(views[row])] for row in rows], np.int64))
            pixels.append(np.asarray(seen, float)[rows].reshape(-1, 2))
    _resample_pixels(pictures, tracks, pixels)
    colours = np.full((len(points), 3), 255, np.uint8) if points.colours is None else points.colours
    return SparsePoints(points.positions[kept], colours[kept], tuple(tracks), tuple(pixels))


def _resample_pixels(pictures: Sequence[Picture], tracks: Sequence[np.ndarray], pixels: list[np.ndarray]) -> None:
    """Take the pixels to the resampled images, those of an image all at once."""
    if not tracks or not any(picture.resampled for picture in pictures):
        return
    lengths = [len(track) for track in tracks]
    views, every = np.concatenate(tracks), np.concatenate(pixels)
    for number, picture in enumerate(pictures):
        rows = views == number
        if picture.resampled and rows.any():
            every[rows] = picture.to_capture(every[rows])
    pixels[:] = np.split(every, np.cumsum(lengths)[:-1])
