"""Camera poses of a user's own images by structure from motion (pycolmap), in metres where the user can tell how."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capture import InputError, SparseModel, read_model, write_model
from reconstruction.colmap import errors_only, pycolmap
from reconstruction.settings import CalibrationSettings
from reconstruction.views import MIN_VIEWS, read_image

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration.

    Attributes:
        model: cameras and sparse points, as written.
        error: mean reprojection error, pixels.
        left_out: names of images that no pose was found for.
        metric: the model is in metres.
    """

    model: SparseModel
    error: float
    left_out: tuple[str, ...]
    metric: bool


@errors_only()
def calibrate(
    folder: Path, settings: CalibrationSettings | None = None, progress: Progress | None = None
) -> Calibration:
    """Find the cameras of the images in `<folder>/images` and write them to `<folder>/sparse`.

    Images that no pose is found for stay where they are and get no camera. Without a scale the size of the model is
    arbitrary (the first pair of cameras stands one unit apart), and so is its frame.

    Raises:
        InputError: no images, fewer than three, a damaged one, cameras there already, or too few poses found. Nothing
            is written then.
    """
    settings = settings or CalibrationSettings()
    folder = Path(folder)
    names = _image_names(folder)
    report = progress or (lambda step, share: None)
    with tempfile.TemporaryDirectory(prefix="p2p-calibrate-") as place:
        solution = _solve(folder / "images", names, Path(place), settings, report)
        metric = _scale(solution, settings)
        model_folder = Path(place) / "model"
        model_folder.mkdir()
        solution.write_text(str(model_folder))
        model = read_model(model_folder)
    write_model(folder / "sparse", model)
    left_out = tuple(sorted(set(names) - {camera.name for camera in model.cameras}))
    return Calibration(model, float(solution.compute_mean_reprojection_error()), left_out, metric)


def _image_names(folder: Path) -> list[str]:
    """The images to calibrate, checked."""
    images = folder / "images"
    if not images.is_dir():
        raise InputError(f"no images: {images} is not there; put the photographs into that folder")
    if any((folder / "sparse").glob("cameras.*")):
        raise InputError(f"{folder / 'sparse'} holds cameras already; move them away to calibrate again")
    names = sorted(p.name for p in images.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if len(names) < MIN_VIEWS:
        raise InputError(f"{images} has {len(names)} images; at least {MIN_VIEWS} are needed")
    for name in names:
        read_image(images / name)
    return names


def _solve(
    images: Path, names: list[str], place: Path, settings: CalibrationSettings, report: Progress
) -> pycolmap.Reconstruction:
    """The largest model that structure from motion finds, deterministic: one thread where order matters."""
    pycolmap.set_random_seed(settings.seed)
    database = place / "database.db"
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = settings.camera_model
    mode = pycolmap.CameraMode.SINGLE if settings.shared_camera else pycolmap.CameraMode.PER_IMAGE
    report("features", 0.0)
    cpu = pycolmap.Device.cpu
    extraction = pycolmap.FeatureExtractionOptions()
    extraction.num_threads = 2  # each holds a gigabyte for a large photograph
    pycolmap.extract_features(
        database, images, names, camera_mode=mode, reader_options=reader, extraction_options=extraction, device=cpu
    )
    report("matching", 0.3)
    pycolmap.match_exhaustive(database, device=cpu)
    report("poses", 0.6)
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = settings.seed
    options.num_threads = 1
    options.min_model_size = MIN_VIEWS
    options.mapper.abs_pose_min_num_inliers = 15  # COLMAP's 30 suits hundreds of photographs, not a dozen
    models = pycolmap.incremental_mapping(database, images, place / "models", options)
    report("poses", 1.0)
    best = max(models.values(), key=lambda model: model.num_reg_images(), default=None)
    if best is None or best.num_reg_images() < MIN_VIEWS:
        raise InputError(
            f"{images.parent}: no poses found for {MIN_VIEWS} or more of {len(names)} images; "
            "neighbouring photographs must overlap by two thirds or more and be sharp"
        )
    return best


def _scale(solution: pycolmap.Reconstruction, settings: CalibrationSettings) -> bool:
    """Bring the model to metres in place, where that is known."""
    factor = settings.scale
    if settings.known_distance is not None:
        centres = {image.name: image.projection_center() for image in solution.images.values() if image.has_pose}
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
