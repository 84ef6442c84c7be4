"""Structure from motion of photographs by COLMAP, the same bytes on every run and for any number of threads.

COLMAP's own runs differ: photographs are numbered as the threads finish, and samples of RANSAC are drawn per thread.
Here they are numbered before, each estimate has a seed of its own, and bundle adjustment, whose sums depend on the
order, has one thread.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from capture import InputError
from reconstruction.colmap import pycolmap
from reconstruction.photographs import Photograph
from reconstruction.settings import CalibrationSettings
from reconstruction.views import MIN_VIEWS
from scans.images.decoding import decode_file
from scans.images.opening import opened_image

Progress = Callable[[str, float], None]
_PLAIN, _BENT = "SIMPLE_PINHOLE", "SIMPLE_RADIAL"  # the latter only where the images tell its distortion
_FEW = 3  # images: fewer of a camera don't tell its distortion
CERTAIN_FOCAL = 0.1  # standard deviation, as a share, above which the images don't tell a focal length
_CERTAIN_PRINCIPAL = 0.005  # the same of the principal point, as a share of the longer side
# First guesses of the focal length, in terms of the longer side, and least matches of an image with the points, where
# COLMAP's 30 suits hundreds of photographs. Later ones are for images that the earlier ones leave without a pose.
_ATTEMPTS = ((1.2, 15), (2.4, 15), (1.2, 10), (2.4, 10))
_MANY, _ENOUGH = 60, 0.9  # of that many images, the share with a pose above which no further attempt is made
_SIGNIFICANT = 3.0  # standard deviations that a distortion differs from none


@dataclass(frozen=True)
class Solution:
    """The result of structure from motion.

    Attributes:
        model: the largest one; its images are named as `file_names` says.
        focal_deviations: camera id -> standard deviation of the focal length as a share of it, 0 where EXIF's was kept.
        priors: camera id -> focal length that EXIF tells, pixels, where it does.
    """

    model: Any
    focal_deviations: dict[int, float]
    priors: dict[int, float]


def file_names(photographs: Sequence[Photograph]) -> list[str]:
    """The names that COLMAP gets: in the same order, and with nothing that its text files can't hold."""
    return [f"{i:06d}{p.suffix or '.png'}" for i, p in enumerate(photographs)]


def solve(
    groups: Sequence[Sequence[Photograph]], place: Path, settings: CalibrationSettings, report: Progress
) -> Solution:
    """The largest model of photographs, of which each group shares a camera.

    The distortion of SIMPLE_RADIAL is left out of cameras whose images don't tell it; a focal length that they don't
    tell stays as EXIF says, where it says it; principal points are found where the images tell all of them.

    Args:
        groups: of photographs.
        place: an empty folder to work in.
        settings: of the calibration.
        report: is called with the step and the share of it that is done.

    Raises:
        InputError: poses of fewer than three images are found.
    """
    pycolmap.set_random_seed(settings.seed)
    photographs = sorted((photograph for group in groups for photograph in group), key=lambda each: each.name)
    names = dict(zip([each.name for each in photographs], file_names(photographs), strict=True))
    images, database = place / "images", place / "database.db"
    report("features", 0.0)
    _lay_out(photographs, names, images)
    staged = settings.camera_model == _BENT
    priors = _number(groups, names, _PLAIN if staged else settings.camera_model, images, database)
    _match(list(names.values()), images, database, settings.seed, report)
    report("poses", 0.6)
    found = _attempt(images, database, place, settings.seed, priors)
    report("poses", 0.8)
    told = _adjust(pycolmap.Reconstruction(found), set())
    held = {number for number, each in told.items() if each.focal > CERTAIN_FOCAL and number in priors}
    bent = _distorted(found) if staged else {}
    if bent or held:
        for number in {*bent, *held}:
            camera = bent.get(number) or found.cameras[number]
            if number in held:
                camera = _new_camera(camera, camera.model.name, priors[number])
            _write_camera(database, camera)
        better = _map(images, database, place / "better", settings.seed, held=held)
        if better is not None and better.num_reg_images() >= found.num_reg_images():
            found = better
    found, told = _polish(found, held)
    report("poses", 1.0)
    return Solution(found, {number: each.focal for number, each in told.items()}, priors)


def _lay_out(photographs: Sequence[Photograph], names: dict[str, str], folder: Path) -> None:
    """A folder of what COLMAP reads: the files themselves, or our decoder's pixels of those that it reads otherwise."""
    folder.mkdir()
    for photograph in photographs:
        target = folder / names[photograph.name]
        if photograph.suffix:
            try:
                target.symlink_to(photograph.path.resolve())
            except OSError:  # a system without
                shutil.copyfile(photograph.path, target)
        else:
            with opened_image(photograph.path, str(photograph.path)) as opened:
                exif = opened.getexif()
            colours = decode_file(photograph.path, max_pixels=None).colours
            Image.fromarray(colours).save(target, compress_level=1, exif=exif)


def _number(
    groups: Sequence[Sequence[Photograph]], names: dict[str, str], model: str, images: Path, database: Path
) -> dict[int, float]:
    """A database of cameras and images in a fixed order; returns the focal lengths that EXIF tells."""
    pycolmap.Database.open(database).close()
    priors = {}
    for number, group in enumerate(groups, 1):
        reader = pycolmap.ImageReaderOptions()
        reader.camera_model = model
        own = [names[photograph.name] for photograph in group]
        guess = pycolmap.infer_camera_from_image(images / own[0], reader)
        if guess.has_prior_focal_length:
            priors[number] = float(guess.mean_focal_length())
        pycolmap.import_images(database, images, pycolmap.CameraMode.SINGLE, image_names=own, options=reader)
    return priors


def _match(names: list[str], images: Path, database: Path, seed: int, report: Progress) -> None:
    cpu = pycolmap.Device.cpu
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads = 2  # each holds a gigabyte for a large photograph
    extraction.sift.peak_threshold = 0.005 / 3  # a quarter of the default: skin and plaster have little contrast
    pycolmap.extract_features(database, images, names, extraction_options=extraction, device=cpu)
    report("matching", 0.3)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = seed
    pycolmap.match_exhaustive(database, verification_options=verification, device=cpu)


def _attempt(images: Path, database: Path, place: Path, seed: int, priors: dict[int, float]) -> Any:
    """The model with the most images, of several attempts as long as some get no pose; raises `InputError` where there
    is none.
    """
    total = len(list(images.iterdir()))
    best = None
    for number, (guess, inliers) in enumerate(_ATTEMPTS):
        for camera in _cameras(database):
            if camera.camera_id not in priors:
                focal = guess * max(camera.width, camera.height)
                _write_camera(database, _new_camera(camera, camera.model.name, focal))
        model = _map(images, database, place / f"models_{number}", seed, inliers)
        if model is not None and (best is None or model.num_reg_images() > best.num_reg_images()):
            best = model
        if best is not None and best.num_reg_images() >= (total if total <= _MANY else _ENOUGH * total):
            break
    if best is None:
        raise InputError(
            f"no poses found for {MIN_VIEWS} or more of {total} images; neighbouring photographs must overlap by two "
            "thirds or more and be sharp"
        )
    for camera in best.cameras.values():  # what a further model starts from
        _write_camera(database, camera)
    return best


def _map(
    images: Path, database: Path, place: Path, seed: int, inliers: int = _ATTEMPTS[-1][1], held: Collection[int] = ()
) -> Any:
    """The model with the most images, with the cameras of `held` as they are in the database; None where none has
    three.
    """
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = seed
    options.num_threads = 1
    options.min_model_size = MIN_VIEWS
    options.min_num_matches = options.mapper.abs_pose_min_num_inliers = inliers
    options.mapper.init_min_num_inliers = 5 * inliers
    options.constant_cameras = set(held)
    place.mkdir()
    models = pycolmap.incremental_mapping(database, images, place, options)
    large = [models[number] for number in sorted(models) if models[number].num_reg_images() >= MIN_VIEWS]
    return max(large, key=lambda model: model.num_reg_images(), default=None)


def _distorted(model: Any) -> dict[int, Any]:
    """Camera id -> the camera with its distortion, where the images tell that it has one."""
    trial = pycolmap.Reconstruction(model)
    views = Counter(image.camera_id for image in trial.images.values() if image.has_pose)
    for number, camera in trial.cameras.items():
        if views[number] >= _FEW:
            focal, *middle = camera.params
            camera.model = getattr(pycolmap.CameraModelId, _BENT)
            camera.params = [focal, *middle, 0.0]
    told = _adjust(trial, set(), robust=True)
    return {
        number: trial.cameras[number]
        for number, each in told.items()
        if views[number] >= _FEW and each.bent and each.focal < CERTAIN_FOCAL
    }


def _cameras(database: Path) -> list[Any]:
    opened = pycolmap.Database.open(database)
    cameras = opened.read_all_cameras()
    opened.close()
    return list(cameras)


def _new_camera(like: Any, model: str, focal: float) -> Any:
    """A camera without distortion yet, in place of another one; the focal length is in pixels."""
    made = pycolmap.Camera.create_from_model_name(like.camera_id, model, focal, like.width, like.height)
    made.has_prior_focal_length = like.has_prior_focal_length
    return made


def _write_camera(database: Path, camera: Any) -> None:
    """Put a camera in place of that of the same number."""
    opened = pycolmap.Database.open(database)
    opened.update_camera(camera)
    opened.close()


@dataclass(frozen=True)
class _Told:
    """The certainty that the images give of a camera, by the covariance of a bundle adjustment; NaN where it has none.

    Attributes:
        focal: standard deviation of the focal length, as a share of it.
        principal: the same of the principal point, as a share of the longer side; 0 where it was held.
        bent: the distortion differs from none.
    """

    focal: float
    principal: float
    bent: bool


def _adjust(model: Any, held: set[int], robust: bool = False, principal: bool = False) -> dict[int, _Told]:
    """Adjust a model in place, but for the intrinsics of the cameras `held`; returns what the images tell of each.

    Args:
        model: of COLMAP.
        held: camera ids.
        robust: with Cauchy's loss at what suits the spread of the errors: wrong matches count little.
        principal: the principal points, too.
    """
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_principal_point = principal
    options.ceres.solver_options.num_threads = 1
    if robust:
        model.update_point_3d_errors()
        errors = [point.error for point in model.points3D.values()]
        options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
        options.ceres.loss_function_scale = max(2.0 * float(np.median(errors)), 0.1)  # 2.4 sigma, 95 % efficient
    chosen = pycolmap.BundleAdjustmentConfig()
    for image in model.reg_image_ids():
        chosen.add_image(image)
    for number in held:
        chosen.set_constant_cam_intrinsics(number)
    chosen.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    adjuster = pycolmap.create_default_ceres_bundle_adjuster(options, chosen, model)
    adjuster.solve()
    covariance = pycolmap.estimate_ba_covariance(pycolmap.BACovarianceOptions(), model, adjuster)
    model.update_point_3d_errors()
    return {
        number: _Told(0.0, 0.0, True) if number in held else _told(camera, covariance, principal)
        for number, camera in model.cameras.items()
    }


def _told(camera: Any, covariance: Any, principal: bool) -> _Told:
    middle = list(camera.principal_point_idxs()) if principal else []
    free = sorted([*camera.focal_length_idxs(), *camera.extra_params_idxs(), *middle])
    own = None if covariance is None else covariance.get_other_params_cov(camera.params)
    if own is None or own.shape != (len(free), len(free)):
        return _Told(float("nan"), float("nan"), True)
    spread = dict(zip(free, np.sqrt(np.maximum(np.diag(own), 0.0)), strict=True))
    focal = max(float(spread[i] / abs(camera.params[i])) for i in camera.focal_length_idxs())
    offset = max((float(spread[i]) for i in middle), default=0.0) / max(camera.width, camera.height)
    bent = any(abs(camera.params[i]) > _SIGNIFICANT * spread[i] for i in camera.extra_params_idxs())
    return _Told(focal, offset, bent)


def _polish(model: Any, held: set[int]) -> tuple[Any, dict[int, _Told]]:
    """The model with wrong matches outweighed, and with the principal points where the images tell them."""
    told = _adjust(model, held, robust=True)
    if not held:
        free = pycolmap.Reconstruction(model)
        more = _adjust(free, held, robust=True, principal=True)
        if all(each.principal < _CERTAIN_PRINCIPAL and each.focal < CERTAIN_FOCAL for each in more.values()):
            return free, more
    return model, told
