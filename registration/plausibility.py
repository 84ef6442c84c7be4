"""Plausibility of a place of the head on a scan: by all of the scan, its skin and what is not skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import Mesh
from capture.geometry import vertex_areas, vertex_normals
from registration.regions import bare_nose
from registration.template import Coefficients, Template

Floats = NDArray[np.float64]

_PLACES = 2500  # of the scan, and of the head, that are asked
_ON_SKIN = 0.015  # metres: where heads of other shapes have their skin
_BESIDE = 0.06  # metres: what lies farther from a surface is no part of it
_OFF = 0.01  # metres below the skin, where nothing of a scan can be; or above a scan, where no head can be
_ALONG = 0.02  # metres beside the place that is nearest: farther off the scan has ended
_TIGHT = 0.004  # metres, of what lies on a scan
_SOUND = 1.3  # from which on a head that is there already is believed


@dataclass(frozen=True)
class Verdict:
    """Verdict of a scan on a place of the head, each number 0 to 1.

    Attributes:
        explained: share of the scan's skin that lies where the head has skin; what lies on the hairy part counts half.
        impossible: share of the rest of the scan that lies below the head's skin, or on its nose.
        floating: share of the head, where there is scan beside it, that lies above the scan.
        tight: share of the face that lies on the scan, skin or not: what is called hair may be stubble.
    """

    explained: float
    impossible: float
    floating: float
    tight: float

    @property
    def worth(self) -> float:
        """All of it as one number, 1 where everything is explained."""
        return self.explained + 1.5 * self.tight - self.impossible - 2 * self.floating


class Plausibility:
    """Judgement of places of the head against a scan.

    Skin of the scan should lie on the model's skin and look the way that it does. Hair, beards and clothes lie outside
    of the head; so a head that is in its place lies nowhere above the scan, while one that is upside down has its crown
    where the scan has a jaw and a neck, which are narrower.
    """

    DOUBT = 0.2
    """Places whose worth differs by less are told apart by what the whole fit comes to."""

    def __init__(
        self, template: Template, head: Coefficients, scan: Mesh, weights: NDArray | None, least: float = 0.5
    ) -> None:
        """
        Args:
            template, head: the head before it is moved.
            scan: all of it, V vertices, metres.
            weights: (V,) 0 to 1 of being skin, NaN where nobody knows; None where nothing is known, and all may be.
            least: weight from which on a vertex is skin.
        """
        surface, shown = template.surface(head), template.shown
        self._surface, self._normals = surface[shown], vertex_normals(surface, template.faces)[shown]
        self._tree = cKDTree(self._surface)
        self._scalp, self._nose = template.region("scalp")[shown], bare_nose(template)[shown]
        self._garment = template.region("garment", "chest")[shown]
        body = np.flatnonzero(~self._garment)
        self._head = body[:: max(1, len(body) // _PLACES)]
        self._face = template.face_mask[shown][self._head]
        places = _sample(scan)
        self._points = np.asarray(scan.vertices, float)[places]
        self._ways = vertex_normals(scan.vertices, scan.faces)[places]
        self._scan_tree = cKDTree(self._points)
        given = None if weights is None else np.asarray(weights, float)[places]
        self._skin = None if given is None else given >= least
        self._other = None if given is None else given < least

    def of(self, rotation: Floats, shift: Floats) -> Verdict:
        """Verdict on the head moved by R (3, 3) and t (3,)."""
        points, ways = (self._points - shift) @ rotation, self._ways @ rotation
        distance, nearest = self._tree.query(points, distance_upper_bound=_BESIDE, workers=-1)
        beside = np.isfinite(distance)
        nearest = np.where(beside, nearest, 0)
        height = ((points - self._surface[nearest]) * self._normals[nearest]).sum(axis=1)
        alike = (ways * self._normals[nearest]).sum(axis=1) > 0.5
        value = (beside & (distance < _ON_SKIN) & alike) * np.where(self._scalp[nearest], 0.5, 1.0)
        wrong = beside & (height < -_OFF) & ~self._garment[nearest]
        if self._skin is None or self._other is None:
            return Verdict(float(value.mean()), float(wrong.mean()), *self._of_head(rotation, shift))
        wrong |= beside & self._nose[nearest] & (np.abs(height) < _ON_SKIN) & alike
        explained = float(value[self._skin].mean()) if self._skin.any() else 0.0
        impossible = float(wrong[self._other].mean()) if self._other.any() else 0.0
        return Verdict(explained, impossible, *self._of_head(rotation, shift))

    def worth(self, rotation: Floats, shift: Floats) -> float:
        """The verdict as one number."""
        return self.of(rotation, shift).worth

    def sure(self, rotation: Floats, shift: Floats) -> bool:
        """True where the scan leaves no doubt about the place."""
        return self.worth(rotation, shift) >= _SOUND

    def _of_head(self, rotation: Floats, shift: Floats) -> tuple[float, float]:
        """The shares of the head that float above the scan, and of the face that lie tightly on it."""
        moved = self._surface[self._head] @ rotation.T + shift
        ways = self._normals[self._head] @ rotation.T
        distance, nearest = self._scan_tree.query(moved, distance_upper_bound=_BESIDE, workers=-1)
        found = np.isfinite(distance)
        nearest = np.where(found, nearest, 0)
        away = moved - self._points[nearest]
        height = (away * self._ways[nearest]).sum(axis=1)
        along = np.sqrt(np.maximum((away**2).sum(axis=1) - height**2, 0))
        alike = (ways * self._ways[nearest]).sum(axis=1)
        over = found & (along < _ALONG) & (alike > 0)
        tight = found & (along < _ALONG) & (alike > 0.7) & (np.abs(height) < _TIGHT)
        return float((over & (height > _OFF)).sum() / max(over.sum(), 1)), float(tight[self._face].mean())


def _sample(scan: Mesh) -> NDArray[np.intp]:
    """Vertices that stand for like areas of the scan; the same for the same scan."""
    areas = vertex_areas(scan.vertices, scan.faces)
    total = np.cumsum(areas)
    wanted = (np.arange(_PLACES) + 0.5) / _PLACES * total[-1]
    return np.unique(np.searchsorted(total, wanted).clip(max=len(areas) - 1))
