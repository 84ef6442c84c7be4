"""Outputs of a registration: meshes, coefficients and errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Camera, Capture, HeadSurface, Mesh, Scan, write_bytes
from capture.ply.files import PlyMesh, write_ply
from registration.errors import face_error, region_errors, skin_fit
from registration.files.inputs import SkinWeights
from registration.files.landmark_check import LandmarkCheck
from registration.pipeline import Registration, RegistrationSettings
from registration.regions import face_regions
from registration.template import Template
from registration.texture.atlas import tiles_of
from scans.scale import CaptureScale, known_scale
from scans.scaling import scaled
from scans.units import find_units

MATERIALS = "registered.mtl"


@dataclass(frozen=True, eq=False)
class ScanRegistration:
    """A template registered to a scan.

    Attributes:
        name: of the capture or the file.
        scan: in metres.
        metres: per unit of the scan.
        skin_weights: of its vertices.
        template: the head model.
        registration: the template on the scan.
        check: distances of its landmarks from detected ones; None where there are none.
        scale: that the unit follows from; None where it was told before, or guessed.
    """

    name: str
    scan: Scan
    metres: float
    skin_weights: SkinWeights
    template: Template
    registration: Registration
    check: LandmarkCheck | None = None
    scale: CaptureScale | None = None

    @property
    def skin(self) -> NDArray[np.bool_]:
        """(V,) vertices of the scan that were registered to."""
        if self.skin_weights.weights is None:
            return np.ones(len(self.scan.vertices), bool)
        return np.asarray(self.skin_weights.weights >= RegistrationSettings().least_weight)

    def skin_mesh(self) -> Mesh:
        """The faces of the scan that were registered to."""
        return Mesh(self.scan.vertices, self.scan.faces[self.skin[self.scan.faces].all(axis=1)])

    def mesh(self) -> Mesh:
        """The registered template."""
        return self.registration.mesh(self.template)

    def camera_metres(self, cameras: Sequence[Camera], stated: str | None = None, known: float | None = None) -> float:
        """Metres per unit of cameras in the frame of the scan: stated, known, or guessed from both in their own units.

        Raises `InputError` as `find_units` does.
        """
        own = scaled(self.scan, 1 / self.metres)
        return find_units(own, cameras, str(self.metres), stated, f"scan of {self.name}", known).cameras

    def capture_metres(self, capture: Capture, stated: str | None = None) -> float:
        """The same for a capture, which may tell its scale."""
        scale = known_scale(capture)
        return self.camera_metres(capture.cameras, stated, None if scale is None else scale.metres)

    def coefficients_json(self) -> dict[str, Any]:
        """The head model and its coefficients, rotation and shift, as JSON."""
        head, model = self.registration.head, self.template.model
        return {
            "head_model": {"name": model.name, "version": model.version},
            "metres_per_unit": self.metres,
            "identity": dict(zip(model.identity_names, map(float, head.identity), strict=True)),
            "expression": dict(zip(model.expression_names, map(float, head.expression), strict=True)),
            "neck": head.neck.tolist(),
            "jaw": head.jaw.tolist(),
            "rotation": head.rotation.tolist(),
            "shift_m": head.shift.tolist(),
        }

    def summary(self, true_surface: HeadSurface | None = None) -> dict[str, Any]:
        """Contents of `registered.json`: coefficients, seconds, distance to the scan's skin and to the true surface.

        `error` is the distance from the template's face to the true surface, `error_back` that from the true face to
        the template.
        """
        mesh, face = self.mesh(), self.template.face_mask
        summary: dict[str, Any] = {
            "schema_version": 1,
            "id": self.name,
            "labels": self.skin_weights.source,
            **self.coefficients_json(),
            "seconds": {step: round(seconds, 2) for step, seconds in self.registration.seconds.items()},
        }
        fit, covered = skin_fit(mesh, face, self.skin_mesh())
        summary["fit"] = {**fit.to_json(), "covered": round(covered, 4)}
        summary["fit_regions"] = region_errors(mesh, face_regions(self.template), self.skin_mesh())
        if self.check is not None:
            summary["landmarks"] = self.check.to_json()
        if true_surface is not None:
            summary["error"] = face_error(mesh, face, true_surface).to_json()
            if true_surface.face_mask is not None and true_surface.face_mask.any():
                summary["error_back"] = face_error(true_surface, true_surface.face_mask, mesh).to_json()
        return summary


def write_registered_meshes(out: Path, template: Template, vertices: NDArray) -> None:
    """Write the registered template, vertices (V, 3) in any unit, as triangles (PLY) and as its own polygons (OBJ)."""
    vertices = Mesh(vertices, template.faces).vertices  # in single precision where that is fine enough
    columns: dict[str, NDArray] = {axis: vertices[:, i] for i, axis in enumerate("xyz")}
    columns["face_mask"] = template.face_mask
    write_ply(out / "registered.ply", PlyMesh(columns, template.faces))
    write_registered_obj(out, template, vertices)


def write_registered_obj(
    out: Path, template: Template, vertices: NDArray, materials: Mapping[int, str] | None = None
) -> None:
    """Write the registered template's own polygons, with texture coordinates.

    Args:
        out: folder.
        template: the head model.
        vertices: (V, 3), in any unit.
        materials: UDIM number of a tile -> name of its material in `registered.mtl`; polygons are sorted by tile then.
    """
    vertices = Mesh(vertices, template.faces).vertices
    uvs, number = np.unique(template.corner_uvs.reshape(-1, 2).round(6), axis=0, return_inverse=True)
    lines = [f"mtllib {MATERIALS}"] if materials else []
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices.tolist()]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uvs.tolist()]
    if materials:
        for tile, polygons in tiles_of(template.corner_uvs, template.polygons >= 0).items():
            lines.append(f"usemtl {materials[tile]}")
            lines += _polygon_lines(template.polygons[polygons], number.reshape(-1, 4)[polygons])
    else:
        lines += _polygon_lines(template.polygons, number.reshape(-1, 4))
    write_bytes(out / "registered.obj", ("\n".join(lines) + "\n").encode())


def _polygon_lines(polygons: NDArray, textures: NDArray) -> Iterator[str]:
    """Lines of polygons (Q, 4) with their texture coordinates (Q, 4), both counted from 0."""
    for corners, uvs in zip(polygons.tolist(), textures.tolist(), strict=True):
        words = (f"{corner + 1}/{uv + 1}" for corner, uv in zip(corners, uvs, strict=True) if corner >= 0)
        yield "f " + " ".join(words)
