"""Lips that meet where the scan's skin goes on between them; eyes and mouths as wide as images show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import Mesh
from capture.geometry import vertex_normals
from registration.apertures import PAIRS, Apertures
from registration.template import Template
from scans.distance import SurfaceSearch
from scans.meshes.pieces import piece_of_faces

Floats = NDArray[np.float64]

_TURNED = 0.5  # cosine of a lip's normal and the face's, below which closed lips hide it
_LIP_M = 0.008  # from the inside of the mouth: the lips' parts that turn in
_PAIR_M = 0.0035  # apart, at most, where the head model's mouth is shut
_AGAINST = -0.4  # cosine of the ways on which the lips' rims go in, of two that face each other
_BETWEEN = np.linspace(0.2, 0.8, 7)  # places of the way from lip to lip
_ON_M = 0.0005  # off the scan: a place that lies on it,
_ON_SHARE = 0.1  # and as a share of the way
_OPEN_M = 0.010  # from here on a mouth is open
_SHUT = 5.0  # vertices of the scan that a pair of vertices of shut lips counts as much as,
_APERTURE = 10.0  # and an aperture
_AROUND_M = 0.03  # of the mouth: the part of the scan that is looked at


@dataclass(frozen=True, eq=False)
class Lips:
    """Vertices of the template's lips that meet where the mouth is shut.

    Attributes:
        first, second: (N,) vertices of the cage, of the one lip and of the other.
        apart: (N, 3) metres, from the second to the first in the head model's shut mouth.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    apart: Floats


class Openings:
    """Mouth and eyes of a template on a scan: what distances between surfaces don't tell of them."""

    def __init__(
        self, template: Template, lips: Lips | None, skin: Mesh, surface: Floats, apertures: Apertures
    ) -> None:
        """
        Args:
            template: the template.
            lips: its lips (`lips_of`).
            skin: the scan's skin, metres.
            surface: (V, 3) of the template, near where it belongs on the scan.
            apertures: what images show.
        """
        self._lips = None if apertures.mouth_open else lips
        self._search = None if self._lips is None else _search_around(self._lips, skin, surface)
        known = []
        for name, wide in apertures.metres.items():
            one, two = (template.landmark_index(each) for each in PAIRS[name])
            told = name != "mouth" or apertures.mouth_open  # shut lips are told better by the scan
            if told and one is not None and two is not None:
                known.append((one, two, wide))
        self._one, self._two = (np.array([pair[side] for pair in known], np.intp) for side in (0, 1))
        self._wide = np.array([wide for _, _, wide in known], float)

    def rows(self, surface: Floats, motion: Floats, rotation: Floats) -> tuple[Floats, Floats, Floats]:
        """Rows (M, C + 6), offsets (M,) and weights (M,) of a fit of coefficients.

        Args:
            surface: (V, 3) the head.
            motion: (C, P, 3) its derivatives, of the cage's vertices.
            rotation: (3, 3) of the head.
        """
        way = surface[self._one] - surface[self._two]
        length = np.linalg.norm(way, axis=1)
        along = way / np.maximum(length, 1e-9)[:, None]
        rows = [np.einsum("cnk,nk->nc", motion[:, self._one] - motion[:, self._two], along)]
        offsets, weights = [self._wide - length], [np.full(len(length), _APERTURE)]
        if self._lips is not None:
            first, second = self._lips.first, self._lips.second
            rows.append(np.moveaxis(motion[:, first] - motion[:, second], 0, -1).reshape(-1, len(motion)))
            offsets.append((self._lips.apart @ rotation.T - (surface[first] - surface[second])).ravel())
            weights.append(np.repeat(_SHUT * self._meet(surface), 3))
        shape = np.concatenate(rows)  # where the whole head is changes nothing of it
        return np.hstack([shape, np.zeros((len(shape), 6))]), np.concatenate(offsets), np.concatenate(weights)

    def joined(self, surface: Floats, weights: Floats, goal: Floats) -> tuple[Floats, Floats]:
        """Weights (V,) and ways (V, 3) of vertices, and half of the way from lip to lip for those that meet."""
        if self._lips is None:
            return weights, goal
        first, second, shares = self._lips.first, self._lips.second, self._meet(surface)
        way = surface[first] - surface[second]
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        way *= 1 - np.linalg.norm(self._lips.apart, axis=1, keepdims=True) / length
        weights, goal = weights.copy(), goal.copy()
        for index, half in ((first, -way / 2), (second, way / 2)):
            total = np.bincount(index, shares, len(surface))
            sums = np.stack([np.bincount(index, shares * half[:, axis], len(surface)) for axis in range(3)], axis=1)
            share = np.minimum(total, 1)
            goal += (share / np.maximum(total, 1e-12))[:, None] * sums
            weights = np.maximum(weights, share)
        return weights, goal

    def _meet(self, surface: Floats) -> Floats:
        """(N,) from 0 to 1, how far skin goes on between each pair of the lips: 0 where the mouth is open there."""
        if self._lips is None or self._search is None:
            return np.zeros(0 if self._lips is None else len(self._lips.first))
        second = surface[self._lips.second]
        way = surface[self._lips.first] - second
        length = np.linalg.norm(way, axis=1)
        places = second + _BETWEEN[:, None, None] * way
        distance, _, _ = self._search.closest_points(places.reshape(-1, 3))
        on = distance.reshape(len(_BETWEEN), -1) < _ON_M + _ON_SHARE * length
        return np.asarray(on.mean(axis=0) ** 2 * np.clip(1 - (length / _OPEN_M) ** 2, 0, 1))


def _search_around(lips: Lips, skin: Mesh, surface: Floats) -> SurfaceSearch | None:
    """The skin around the lips of a surface (V, 3), None where there is none."""
    rim = surface[np.concatenate([lips.first, lips.second])]
    reach = _AROUND_M + np.ptp(rim, axis=0).max() / 2
    near = np.linalg.norm(skin.vertices - rim.mean(axis=0), axis=1) < reach
    faces = skin.faces[near[skin.faces].all(axis=1)]
    return SurfaceSearch(Mesh(skin.vertices, faces)) if len(faces) else None


def lips_of(template: Template) -> Lips | None:
    """The template's lips, None where the head model has no inside of a mouth."""
    count = template.cage_size
    surface, faces = template.surface(template.mean)[:count], template.cage_faces
    hidden = template.region("inner_mouth")[:count]
    if not hidden.any():
        return None
    hidden = _largest(hidden, faces)
    normals = vertex_normals(surface, faces)
    forward = normals[template.face_mask[:count]].mean(axis=0)
    turned = normals @ (forward / np.linalg.norm(forward)) < _TURNED
    turned &= cKDTree(surface[hidden]).query(surface, distance_upper_bound=_LIP_M)[0] < _LIP_M
    inside = _grown(hidden, turned, faces)
    rim = _beside(inside, faces)
    if not len(rim):
        return None
    inward = np.stack([surface[_beside_one(vertex, faces, inside)].mean(axis=0) for vertex in rim]) - surface[rim]
    return _paired(surface, rim, inward - (inward @ forward)[:, None] * forward / (forward @ forward))


def _paired(surface: Floats, rim: NDArray[np.intp], inward: Floats) -> Lips | None:
    """Vertices of the rim (R,) with the nearest ones that face them, by the ways (R, 3) in which the rim goes in."""
    inward = inward / np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-12)
    apart = np.linalg.norm(surface[rim][:, None] - surface[rim], axis=2)
    apart[inward @ inward.T > _AGAINST] = np.inf
    other = apart.argmin(axis=1)
    pairs = {
        tuple(sorted((int(rim[one]), int(rim[two])))) for one, two in enumerate(other) if apart[one, two] < _PAIR_M
    }
    if not pairs:
        return None
    first, second = np.array(sorted(pairs), np.intp).T
    return Lips(first, second, surface[first] - surface[second])


def _largest(region: NDArray[np.bool_], faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(V,) the largest of the pieces that a region falls into: a head model's mouth may hold bits of its nostrils."""
    own = faces[region[faces].all(axis=1)]
    if not len(own):
        return region
    piece = piece_of_faces(own)
    largest = np.zeros(len(region), bool)
    largest[own[piece == np.bincount(piece).argmax()]] = True
    return largest


def _beside(region: NDArray[np.bool_], faces: NDArray[np.integer]) -> NDArray[np.intp]:
    """The vertices outside of a region (V,) that share a face with it."""
    crossing = faces[region[faces].any(axis=1)].ravel()
    return np.unique(crossing[~region[crossing]])


def _beside_one(vertex: int, faces: NDArray[np.integer], region: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The vertices of a region that share a face with a vertex."""
    around = faces[(faces == vertex).any(axis=1)].ravel()
    return np.unique(around[region[around]])


def _grown(region: NDArray[np.bool_], allowed: NDArray[np.bool_], faces: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(V,) a region and what is allowed of the vertices that it reaches through such."""
    while True:
        new = np.zeros(len(region), bool)
        new[_beside(region, faces)] = True
        new &= allowed
        if not new.any():
            return region
        region = region | new
