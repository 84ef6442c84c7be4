"""Camera poses of a user's own images by structure from motion (pycolmap), in metres where the user can tell how."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from capture import Camera, InputError, SparseModel, read_model, write_model
from capture.colmap.files import REPLACED
from reconstruction.colmap import errors_only, pycolmap
from reconstruction.lens_plausibility import implausible
from reconstruction.photographs import Photograph, find_photographs, group_by_camera
from reconstruction.settings import CalibrationSettings
from reconstruction.structure_from_motion import CERTAIN_FOCAL, Solution, file_names, solve

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
_UNKNOWN_FOCAL = 0.5  # standard deviation, as a share, above which a focal length is no more than a guess
_UNLIKE_EXIF = 0.25  # by this share a focal length may differ from what EXIF says
_CURE = (
    "photographs with EXIF, more of them, or with more overlap help; so does `shared_camera` where one camera took all"
)


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration.

    Attributes:
        model: cameras and sparse points, as written.
        error: mean reprojection error, pixels.
        left_out: names of images that no pose was found for.
        metric: the model is in metres.
        doubts: what is not as lenses are, or not told by the images, a sentence each; empty where all is in order.
    """

    model: SparseModel
    error: float
    left_out: tuple[str, ...]
    metric: bool
    doubts: tuple[str, ...] = ()


@errors_only()
def calibrate(
    folder: Path, settings: CalibrationSettings | None = None, progress: Progress | None = None
) -> Calibration:
    """Find the cameras of the images in `<folder>/images` and write them to `<folder>/sparse`.

    Images are found in sub-folders, too, and named by their paths below `images/`. Those that no pose is found for stay
    where they are and get no camera. Without a scale the size of the model is arbitrary (the first pair of cameras
    stands one unit apart), and so is its frame. The same images, settings and seed give the same bytes.

    Raises:
        InputError: no images, fewer than three, a damaged one, cameras there already, too few poses found, or a focal
            length that the images say nothing about. Nothing is written then.
    """
    settings = settings or CalibrationSettings()
    folder = Path(folder)
    _refuse_former(folder / "sparse")
    photographs = find_photographs(folder / "images")
    groups = group_by_camera(photographs, settings.shared_camera, settings.camera_per)
    report = progress or (lambda step, share: None)
    with tempfile.TemporaryDirectory(prefix="p2p-calibrate-") as place:
        try:
            solution = solve(groups, Path(place), settings, report)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from None
        _refuse_guesses(folder, solution, len(photographs))
        names = dict(zip(file_names(photographs), photographs, strict=True))
        metric = _scale(solution.model, names, settings)
        model_folder = Path(place) / "model"
        model_folder.mkdir()
        solution.model.write_text(str(model_folder))
        model = _named(read_model(model_folder), names)
    write_model(folder / "sparse", model)
    left_out = tuple(sorted({p.name for p in photographs} - {camera.name for camera in model.cameras}))
    spread = float(solution.model.compute_mean_reprojection_error())
    return Calibration(model, spread, left_out, metric, _doubts(model.cameras, solution))


def _refuse_former(sparse: Path) -> None:
    """Raise `InputError` where there are cameras, in the folder or in one below it, as COLMAP's mapper leaves them."""
    below = [] if not sparse.is_dir() else [place for place in sorted(sparse.iterdir()) if place.is_dir()]
    for place in (sparse, *(place for place in below if not place.name.startswith(REPLACED))):
        if any(place.glob("cameras.*")):
            raise InputError(f"{place} holds cameras already; move them away to calibrate again")


def _named(model: SparseModel, names: dict[str, Photograph]) -> SparseModel:
    """The model with the names of the photographs; their order is the same."""
    return replace(model, cameras=tuple(replace(camera, name=names[camera.name].name) for camera in model.cameras))


def _refuse_guesses(folder: Path, solution: Solution, total: int) -> None:
    for number, deviation in solution.focal_deviations.items():
        if deviation > _UNKNOWN_FOCAL:
            camera = solution.model.cameras[number]
            known = f"{camera.mean_focal_length():.0f} pixels, give or take {100 * deviation:.0f} %"
            raise InputError(
                f"{folder}: poses of {solution.model.num_reg_images()} of {total} images were found, which don't tell "
                f"the focal length ({known}); {_CURE}"
            )


def _doubts(cameras: Sequence[Camera], solution: Solution) -> tuple[str, ...]:
    found = [
        f"{camera.name}: no lens has it that {what}"
        for camera in _one_of_each(cameras)
        if (what := implausible(camera))
    ]
    for number, deviation in solution.focal_deviations.items():
        camera = solution.model.cameras[number]
        focal = camera.mean_focal_length()
        if deviation > CERTAIN_FOCAL:
            found.append(f"the focal length, {focal:.0f} pixels, is known to {100 * deviation:.0f} % only")
        prior = solution.priors.get(number)
        if prior is not None and abs(focal / prior - 1) > _UNLIKE_EXIF:
            found.append(f"the focal length found is {focal:.0f} pixels, EXIF says {prior:.0f}")
    return tuple(f"{each}; {_CURE}" for each in found)


def _one_of_each(cameras: Iterable[Camera]) -> list[Camera]:
    """The first view of every lens."""
    return list({(c.model, c.params, c.width, c.height): c for c in reversed(list(cameras))}.values())[::-1]


def _scale(solution: Any, names: dict[str, Photograph], settings: CalibrationSettings) -> bool:
    """Bring the model to metres in place, where that is known."""
    factor = settings.scale
    if settings.known_distance is not None:
        centres = {
            names[image.name].name: image.projection_center() for image in solution.images.values() if image.has_pose
        }
        pair = settings.known_distance
        for name in (pair.first, pair.second):
            if name not in centres:
                known = ", ".join(sorted(centres))
                raise InputError(f"`known_distance`: no pose was found for {name}; name two of {known}")
        factor = pair.metres / float(np.linalg.norm(centres[pair.first] - centres[pair.second]))
    if factor is None:
        return False
    solution.transform(pycolmap.Sim3d(factor, pycolmap.Rotation3d(), np.zeros(3)))
    return True
