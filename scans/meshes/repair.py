"""Repair of people's meshes for computing: what segmenting, units and registration work on in a scan's place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import Mesh, Scan
from scans.meshes.extent import core_vertices
from scans.meshes.orientation import orient_outwards
from scans.meshes.stitching import stitch
from scans.ray_casting import ray_caster

Ints = NDArray[np.int64]

_MANY = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Repair:
    """A mesh that is fit to compute on, and the way back to the one that was given.

    Attributes:
        scan: W vertices, all of them used by faces, which look outwards; the scan itself where nothing was wrong.
        index: (V,) the vertex of `scan` for each that was given, -1 for those that no face uses and for stray ones;
            None where nothing was wrong.
        text: in words, what was done; empty where nothing was wrong.
    """

    scan: Scan
    index: Ints | None
    text: str = ""

    def spread(self, values: NDArray, missing: float) -> NDArray:
        """Values (W, ...) at the V given vertices; `missing` at those that have none."""
        if self.index is None:
            return values
        spread = values[self.index]
        spread[self.index < 0] = missing
        return spread

    def gather(self, values: NDArray) -> NDArray:
        """Means (W,) of values (V,) at the given vertices."""
        if self.index is None:
            return values
        kept, count = self.index >= 0, len(self.scan.vertices)
        total = np.bincount(self.index[kept], np.asarray(values, float)[kept], count)
        return np.asarray(total / np.bincount(self.index[kept], minlength=count))


@lru_cache(maxsize=1)  # units and segmenting ask for the same one; the arrays of a mesh are read-only
def repair(scan: Mesh) -> Repair:
    """The mesh to compute on in a scan's place; that of the last scan is kept.

    Stray pieces and vertices that no face uses are left out, copies of vertices and faces joined to one, seams between
    tiles closed, faces turned outwards. A mesh without such faults, as `p2p reconstruct` makes it, comes back as it is.
    """
    points, given = np.asarray(scan.vertices, np.float64), scan.faces.astype(np.int64)
    core = core_vertices(points, given)
    joined = stitch(points, given[core[given].all(axis=1)])
    faces = joined[given]
    kept = core[given].all(axis=1) & (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    kept[np.flatnonzero(kept)[_repeated(faces[kept])]] = False
    faces = faces[kept]
    whole = bool(core.all()) and bool((joined == np.arange(len(joined))).all())
    turned = orient_outwards(points, faces, ray_caster(scan) if whole and kept.all() else None)
    if whole and turned is faces and not _repeated(given).any():
        return Repair(_as_scan(scan), None)
    used = np.unique(faces)
    number = np.full(len(points), -1, np.int64)
    number[used] = np.arange(len(used))
    index = np.where(core, number[joined], -1)
    lost = np.flatnonzero(core & (index < 0))  # all their faces were without area
    index[lost] = cKDTree(points[used]).query(points[lost])[1]
    text = (
        f"{len(used)} of {len(points)} vertices stand for all, {len(faces)} of {len(given)} faces are left, "
        f"{int((turned != faces).any(axis=1).sum())} of them turned outwards; {int((index < 0).sum())} vertices are "
        "stray or in no face"
    )
    colours = None if not isinstance(scan, Scan) or scan.colours is None else scan.colours[used]
    return Repair(Scan(scan.vertices[used], number[turned].astype(np.int32), colours), index, text)


def _as_scan(mesh: Mesh) -> Scan:
    return mesh if isinstance(mesh, Scan) else Scan(mesh.vertices, mesh.faces)


def _repeated(faces: Ints) -> NDArray[np.bool_]:
    """(F,) whether a face has the same three corners as one before it."""
    low, high = faces.min(axis=1, initial=_MANY), faces.max(axis=1, initial=0)
    middle = faces.sum(axis=1) - low - high
    order = np.lexsort((middle, high, low))  # stable: of equal ones the first comes first
    same = np.ones(max(len(faces) - 1, 0), bool)
    for corner in (low, high, middle):
        same &= corner[order[1:]] == corner[order[:-1]]
    repeated = np.zeros(len(faces), bool)
    repeated[order[1:][same]] = True
    return repeated
