"""Garments: from a spec to pieces of cloth."""

from __future__ import annotations

import logging

import numpy as np

from capture.geometry import Floats
from generator.components.garment import GarmentSpec
from generator.geometry.distance import DistanceField
from generator.head import HeadGeometry
from generator.wear.clothing.cloth import Cloth, Surface, thick_sheet, tube
from generator.wear.clothing.collars import hood, jacket_collar, scarf, shirt_collar, turtleneck
from generator.wear.clothing.drape import MARGIN, Drape, collar_level
from generator.wear.clothing.neck import Neck, find_neck

log = logging.getLogger(__name__)


def make_garment(spec: GarmentSpec, head: HeadGeometry, field: DistanceField) -> list[Cloth]:
    """The pieces of cloth; none, with a line in the log, where the head model has no chest to cover."""
    surface = Surface(field, len(head.skin.vertices), spec.gap_mm / 1000 + MARGIN)
    drape = Drape(spec, head, surface)
    if len(drape.triangles) < 200:
        log.info("no %s: the head model has no chest", spec.kind)
        return []
    made = _bodice(spec, drape, surface)
    neck = find_neck(head, surface)
    if neck is None:
        log.info("%s without its collar: the head model has no neck to lay it around", spec.kind)
    elif spec.kind in ("turtleneck", "shirt", "hoodie", "jacket", "scarf"):
        made += _collar(spec, neck)
    made = [piece for piece in made if len(piece.triangles)]
    return [_cleared(piece, surface, spec.gap_mm / 1000) for piece in made]


def _bodice(spec: GarmentSpec, drape: Drape, surface: Surface) -> list[Cloth]:
    thickness = spec.thickness_mm / 1000
    cut = _cut(spec, drape.base)
    if spec.kind in ("jacket", "scarf"):
        inner = drape.layer("inner", collar_level(drape.base, -0.190), 0.0, 0.0012, material="garment_inner")
        drape.stand_off(surface, 0.0022, collar_level(drape.base, -0.190))
        if spec.kind == "scarf":
            return [inner]
        outer = drape.layer("jacket", cut, 0.0034, 1.5 * thickness, 0.006, rib=0.0)
        drape.stand_off(surface, 0.0034 + 1.5 * thickness, cut)
        return [inner, outer, *_zip(spec, drape, 0.0034 + 1.5 * thickness)]
    band = {"shirt": 0.0, "hoodie": 0.0, "turtleneck": 0.0, "tank": 0.010}.get(spec.kind, 0.018)
    thickness *= 1.5 if spec.kind == "hoodie" else 1.0
    made = [drape.layer("garment", cut, 0.0, thickness, band)]
    drape.stand_off(surface, thickness * (1.7 if band else 1), cut)
    if spec.kind == "shirt":
        made += _placket(spec, drape, cut, thickness)
    return made


def _cut(spec: GarmentSpec, base: Floats) -> Floats:
    """(V,) metres inside of a garment's outline on the mean head."""
    side, y, z = np.abs(base[:, 0]), base[:, 1], base[:, 2]
    front = np.clip((0.085 - y) / 0.02, 0, 1)
    if spec.kind == "tshirt":
        return collar_level(base, -0.189 - 0.012 * spec.opening)
    if spec.kind == "vneck":
        deep = (0.030 + 0.035 * spec.opening) * np.clip(1 - side / 0.062, 0, 1)
        return collar_level(base, -0.193) - deep * front
    if spec.kind == "tank":
        scoop = (0.045 + 0.02 * spec.opening) * np.clip(1 - (side / 0.085) ** 2, 0, 1)
        arm = 0.128 + 0.7 * np.maximum(-0.235 - z, 0) - side
        hole = np.maximum(collar_level(base, -0.202) - scoop * front - 0.02 * (1 - front), 0.7 * (side - 0.082))
        return np.minimum(hole, 0.7 * arm)
    if spec.kind == "shirt":
        slit = 0.055 * spec.opening * np.clip(1 - side / (0.012 + 0.022 * spec.opening), 0, 1)
        return collar_level(base, -0.180) - slit * front
    if spec.kind == "jacket":
        width = _front_width(spec, z)
        return np.minimum(collar_level(base, -0.182), np.where(y < 0.09, side - width, 1.0))
    return collar_level(base, -0.178)


def _collar(spec: GarmentSpec, neck: Neck) -> list[Cloth]:
    if spec.kind == "turtleneck":
        return turtleneck(spec, neck)
    if spec.kind == "shirt":
        return shirt_collar(spec, neck)
    if spec.kind == "hoodie":
        return hood(spec, neck)
    if spec.kind == "jacket":
        return jacket_collar(spec, neck, 0.002)
    return scarf(spec, neck)


def _placket(spec: GarmentSpec, drape: Drape, cut: Floats, thickness: float) -> list[Cloth]:
    """The band that carries the buttons, and the buttons."""
    base = drape.base
    strip = np.minimum(np.where(base[:, 1] < 0.07, 0.015 - np.abs(base[:, 0]), -1.0), cut)
    band = drape.layer("placket", strip, thickness + 0.0002, 0.0009, 0.003, rib=0.0)
    first = -0.205 - 0.055 * spec.opening
    heights = np.arange(first, -0.285, -0.045)
    if len(heights) == 0:
        return [band]
    points, normals = drape.locate(np.stack([np.zeros(len(heights)), heights], 1), thickness + 0.0018)
    return [band, *(_button(f"button {i}", p, n) for i, (p, n) in enumerate(zip(points, normals, strict=True)))]


def _button(name: str, centre: Floats, normal: Floats) -> Cloth:
    a = np.cross(normal, [1.0, 0.0, 0.2])
    a /= np.linalg.norm(a)
    b = np.cross(normal, a)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.cos(turn)[:, None] * a + np.sin(turn)[:, None] * b
    profile = [
        (0.0002, -0.0006),
        (0.0054, -0.0006),
        (0.0056, 0.0004),
        (0.0050, 0.0010),
        (0.0040, 0.0006),
        (0.0002, 0.0005),
    ]
    loop = np.stack([centre + r * ring + h * normal for r, h in profile])
    return tube(name, loop, True, "garment_trim")


def _zip(spec: GarmentSpec, drape: Drape, offset: float) -> list[Cloth]:
    """Strips of teeth along both edges of the front."""
    z = np.linspace(-0.285, -0.190, 60)
    width = _front_width(spec, z)
    made = []
    for sign in (1, -1):
        columns = []
        for shift in (-0.0035, 0.0, 0.0035):
            points, _ = drape.locate(np.stack([sign * (width + shift), z], 1), offset - 0.0012 * abs(shift) / 0.0035)
            columns.append(points)
        sheet = np.stack(columns, axis=0)
        for _ in range(8):
            sheet[:, 1:-1] = 0.5 * sheet[:, 1:-1] + 0.25 * (sheet[:, 2:] + sheet[:, :-2])
        made.append(thick_sheet(f"zip {sign}", sheet, 0.0016, False, "garment_metal"))
    return made


def _front_width(spec: GarmentSpec, z: Floats) -> Floats:
    """(N,) metres from the middle to the edge of a jacket's front, at heights on the mean head."""
    return np.asarray(0.006 + 0.015 * spec.opening + (0.02 + 0.12 * spec.opening) * np.maximum(z + 0.29, 0))


def _cleared(piece: Cloth, surface: Surface, gap: float) -> Cloth:
    """The piece with every vertex `gap` metres from the skin, and a little more."""
    points = surface.clear_skin(piece.vertices, gap + 0.6 * MARGIN)
    return Cloth(piece.name, points, piece.triangles, piece.fabric, piece.collar, piece.material)
