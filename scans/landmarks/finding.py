"""Landmarks of the face in a capture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from capture import Camera, Capture, RefusedError
from scans.images.decoding import decode_file
from scans.landmarks.crops import Floats
from scans.landmarks.detector import FaceDetector, FaceInImage, FaceLandmarker
from scans.landmarks.model_file import model_path, read_model
from scans.landmarks.names import COUNT
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.records import DISAGREES, MISSING, NO_FACE, SURE, UNSURE, USED, FaceLandmarks, FaceView
from scans.landmarks.triangulation import Triangulated, triangulate_face

Progress = Callable[[str, float], None]

_SPREAD = 0.02  # of the face's size: landmarks whose spread is larger are unsure
_OFF = 0.02  # of the face's size in the image: those whose residual is larger
_FEWEST = 3  # views: those that fewer tell are, too, where there are so many
_LEAST_AGREEING = 0.4  # of the views with a face
_ENOUGH_AGREEING = (
    4,
    0.3,
)  # views, and of the views with a face: both suffice, too, of a rig that sees a head from all sides
_LEAST_ALIKE = 0.09  # `FaceMesh.misfit` from which on it is no face: people's are up to 0.05
_LEAST_COMMON = 20  # landmarks of the average face that are found, for `misfit` to tell
_NAMED = 3  # images that a message lists


def find_landmarks(
    capture: Capture,
    options: LandmarkOptions | None = None,
    progress: Progress = lambda step, share: None,
    detector: FaceDetector | None = None,
) -> FaceLandmarks:
    """Find the landmarks of the face in a capture's images, and triangulate them.

    Args:
        capture: N calibrated images of one face.
        options: see `LandmarkOptions`.
        progress: called with the step and the share that is done, 0 to 1.
        detector: the detector; that of the options where None.

    Raises:
        InputError: where the model, LiteRT or an image is missing or damaged.
        RefusedError: where no two images show the same face.
    """
    options = options or LandmarkOptions()
    detector = detector or load_detector(options)
    found = []
    for i, (camera, path) in enumerate(zip(capture.cameras, capture.image_paths, strict=True)):
        progress("landmarks", i / len(capture.cameras))
        image = decode_file(path).colours
        found.append(_scaled(detector.find(image), image.shape[1] / camera.width, image.shape[0] / camera.height))
    landmarks = combine(capture.cameras, found, detector, options.least_presence, str(capture.folder), capture.info.id)
    progress("landmarks", 1.0)
    return landmarks


def load_detector(options: LandmarkOptions | None = None) -> FaceLandmarker:
    """The detector of the options, loaded once. Raises `InputError` where LiteRT or the model is missing or damaged."""
    path = model_path(None if options is None else options.model).resolve()
    return _load_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load_once(path: Path, modified: int) -> FaceLandmarker:
    """A model is loaded once for many captures; another file at the same place is loaded anew."""
    return FaceLandmarker(read_model(path))


def _enough_agree(agreeing: int, faces: int) -> bool:
    """Whether so many of the views with a face are enough to see one face in one place."""
    views, share = _ENOUGH_AGREEING
    return agreeing >= min(_LEAST_AGREEING * faces, max(views, share * faces))


def combine(
    cameras: Sequence[Camera],
    found: Sequence[FaceInImage | None],
    detector: FaceDetector,
    least_presence: float,
    where: str,
    name: str = "",
) -> FaceLandmarks:
    """The landmarks that N views' faces tell; `where` names the capture in errors. Raises `RefusedError`."""
    sure = [face is not None and face.presence >= least_presence for face in found]
    named = [camera.name for camera, is_sure in zip(cameras, sure, strict=True) if is_sure]
    if not named:
        raise RefusedError(f"{where}: none of its {len(cameras)} images shows a face that is recognised")
    if len(named) == 1:
        raise RefusedError(f"{where}: a face is recognised in {named[0]} alone; landmarks take two views")
    pixels = np.stack(
        [face.pixels if face and is_sure else _no_face() for face, is_sure in zip(found, sure, strict=True)]
    )
    done = triangulate_face(cameras, pixels, detector.mesh)
    some = ", ".join(named[:_NAMED]) + (", ..." if len(named) > _NAMED else "")
    astray = RefusedError(
        f"{where}: the faces in {len(named)} images ({some}) are not at one place in space: the cameras are not "
        "these images', or look from one place, or the faces are of several people or moments"
    )
    if done is None or not _enough_agree(int(done.agreeing.sum()), len(named)):
        raise astray
    if len(detector.mesh.common(done.positions)) < _LEAST_COMMON:
        raise RefusedError(
            f"{where}: no two views see the same part of the face ({len(named)} images show it: {some}); add views "
            "between them"
        )
    if not detector.mesh.misfit(done.positions) <= _LEAST_ALIKE:
        raise astray
    faces = tuple(
        FaceView(
            camera.name,
            NO_FACE if not is_sure else USED if agrees else DISAGREES,
            0.0 if face is None else face.presence,
            face.pixels if face and is_sure else None,
        )
        for camera, face, is_sure, agrees in zip(cameras, found, sure, done.agreeing, strict=True)
    )
    status = _status(done, [face.size for face, kept in zip(found, done.agreeing, strict=True) if face and kept])
    views = done.used.sum(axis=0)
    return FaceLandmarks(done.positions, done.residual_px, done.spread, views, status, faces, detector.key, name)


def _status(done: Triangulated, sizes: Sequence[float]) -> tuple[str, ...]:
    """By the spread, the residual and the number of views; `sizes` are the face's in the images, pixels."""
    missing = ~np.isfinite(done.positions).all(axis=1)
    fewest = min(_FEWEST, int(done.agreeing.sum()))
    doubtful = (
        (np.nan_to_num(done.spread) > _SPREAD * done.size)
        | (np.nan_to_num(done.residual_px) > _OFF * float(np.median(sizes)))
        | (done.used.sum(axis=0) < fewest)
    )
    return tuple(MISSING if gone else UNSURE if doubt else SURE for gone, doubt in zip(missing, doubtful, strict=True))


def _scaled(face: FaceInImage | None, across: float, down: float) -> FaceInImage | None:
    """A face in pixels of the camera, of one in an image that was shrunk by these factors."""
    if face is None or (across == 1 and down == 1):
        return face
    return FaceInImage(face.pixels / [across, down], face.presence, face.size / across)


def _no_face() -> Floats:
    return np.full((COUNT, 2), np.nan)
