"""Rays against triangle meshes, by Embree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import ArrayLike, NDArray

from capture import Mesh
from scans.meshes.extent import core_vertices

OFFSET = 5e-4  # of the mesh's diagonal: how far above the surface rays start by default

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Hits:
    """The first triangles that P rays meet.

    Attributes:
        face: (P,) index of the face, -1 where a ray meets none.
        u, v: (P,) barycentric coordinates of the hit: the shares of the face's second and third corner.
        distance: (P,) along the ray, in units of its direction's length; infinite where it meets none.
    """

    face: NDArray[np.int64]
    u: Singles
    v: Singles
    distance: Singles


class RayCaster:
    """A mesh that rays are cast against.

    Embree computes in single precision, so the mesh is moved first: origins of rays are given in its frame, where
    `centre` is the origin (`origins`, `local`).

    Args:
        vertices: (V, 3), in any unit.
        faces: (F, 3).
        offset: how far above the surface, in the unit of the vertices, rays start that leave it, so that the triangles
            around their start don't stop them; `OFFSET` of the mesh's diagonal, strays aside, where None. People's
            scans come in any unit and size, and so do their errors: there the offset follows the mesh. What is compared
            between meshes, such as a head and scans of it in metres, takes the same offset for all of them.
        centre: (3,); the mean of the vertices, strays aside, where None.
    """

    def __init__(
        self, vertices: ArrayLike, faces: NDArray, offset: float | None = None, centre: ArrayLike | None = None
    ) -> None:
        points = np.asarray(vertices, np.float64)
        core = points
        if (offset is None or centre is None) and not (inner := core_vertices(points, faces)).all():
            core = points[inner]
        self.centre = core.mean(axis=0) if centre is None else np.asarray(centre, np.float64)
        local = points - self.centre
        size = core - self.centre
        self.offset = OFFSET * float(np.linalg.norm(np.ptp(size, axis=0))) if offset is None else offset
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, local.astype(np.float32), np.ascontiguousarray(faces, np.int32))

    def local(self, points: ArrayLike) -> Singles:
        """Points (..., 3) in the frame of the rays."""
        return (np.asarray(points, np.float64) - self.centre).astype(np.float32)

    def origins(self, points: ArrayLike, normals: ArrayLike) -> Singles:
        """(P, 3) origins of rays that leave the surface at points (P, 3) with unit normals (P, 3)."""
        lifted = np.asarray(points, np.float64) - self.centre
        lifted += self.offset * np.asarray(normals, np.float64)
        return lifted.astype(np.float32)

    def is_free(self, origins: Singles, directions: Singles, distances: Singles | None = None) -> NDArray[np.bool_]:
        """(P,) whether rays (P, 3) meet nothing, within `distances` (P,) where they are given."""
        if not len(origins):
            return np.zeros(0, bool)
        return np.asarray(self._scene.run(origins, directions, dists=distances, query="OCCLUDED") < 0)

    def sees(self, origins: Singles, target: ArrayLike) -> NDArray[np.bool_]:
        """(P,) whether nothing lies between `origins` (P, 3) and the point `target` (3,)."""
        directions = self.local(target) - origins
        distances = np.sqrt(np.einsum("pc,pc->p", directions, directions))
        directions /= distances[:, None]
        return self.is_free(origins, directions, distances)

    def first_hits(self, origins: Singles, directions: Singles) -> Hits:
        """The first hits of P rays (P, 3)."""
        if not len(origins):
            empty = np.zeros(0, np.float32)
            return Hits(np.zeros(0, np.int64), empty, empty, empty)
        result = self._scene.run(origins, directions, query="INTERSECT", output=True)
        face = np.asarray(result["primID"], np.int64)
        distance = np.where(face >= 0, np.asarray(result["tfar"]), np.float32(np.inf))
        return Hits(face, np.asarray(result["u"]), np.asarray(result["v"]), distance)


@lru_cache(maxsize=1)  # units, repair and features of a scan all cast rays against it; its arrays are read-only
def ray_caster(mesh: Mesh) -> RayCaster:
    """Rays against a mesh, offset and centre by default; that of the last mesh is kept."""
    return RayCaster(mesh.vertices, mesh.faces)
