"""Records of all that a view shows. Lengths are metres, in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Labels, Mesh, Scan
from scans.predictions import Prediction


@dataclass(frozen=True, eq=False)
class ViewedScan:
    """A scan with what is known of its V vertices.

    Attributes:
        scan: with its own colours, where it has some.
        prediction: of its vertices; None where nothing says what is skin.
        certain: whether the labels are not a labeller's (painted, computed): no probabilities but 0 and 1.
        known: (V,) bool, False where a person left open what it is; None where nobody did.
    """

    scan: Scan
    prediction: Prediction | None = None
    certain: bool = False
    known: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.prediction is not None and len(self.prediction.skin) != len(self.scan.vertices):
            raise InputError(f"{len(self.prediction.skin)} labels for {len(self.scan.vertices)} vertices")

    @classmethod
    def of_labels(cls, scan: Scan, labels: Labels) -> ViewedScan:
        """A scan with labels that somebody painted or that were computed."""
        distance = labels.distance_mm if np.isfinite(labels.distance_mm).any() else None
        prediction = Prediction(labels.skin.astype(np.float32), labels.skin, distance_mm=distance)
        known = None if labels.is_known.all() else labels.known
        return cls(scan, prediction, certain=True, known=known)


@dataclass(frozen=True, eq=False)
class ViewedTemplate:
    """A registered template.

    Attributes:
        mesh: W vertices.
        distance_mm: (W,) to the surface that `surface` names.
        measured: (W,) bool, where the distance counts; it is shown pale elsewhere.
        surface: in words.
    """

    mesh: Mesh
    distance_mm: NDArray[np.floating]
    measured: NDArray[np.bool_]
    surface: str


@dataclass(frozen=True, eq=False)
class ViewedCamera:
    """A camera with its image, as a pyramid.

    Attributes:
        name: of the image.
        centre: (3,).
        points: (R, C, 3) of the world that the image shows at rows and columns from corner to corner, at one depth, so
            that it has the lens's distortion; NaN where it shows nothing.
        up: (3,) where the top of the photograph is.
        direction: (3,) of the optical axis.
        jpeg: the image, small.
    """

    name: str
    centre: NDArray[np.float64]
    points: NDArray[np.float64]
    up: NDArray[np.float64]
    direction: NDArray[np.float64]
    jpeg: bytes


@dataclass(frozen=True, eq=False)
class View:
    """Content of a page.

    Attributes:
        title: of the page.
        scan: the scan.
        template: on the scan, None without one.
        cameras: of the scan.
        facts: short sentences for the page.
        up, front: (3,) where the top of the head and its face are; found out where None (`scans.viewer.pose`).
    """

    title: str
    scan: ViewedScan
    template: ViewedTemplate | None = None
    cameras: Sequence[ViewedCamera] = ()
    facts: Sequence[str] = field(default=())
    up: NDArray[np.float64] | None = None
    front: NDArray[np.float64] | None = None
