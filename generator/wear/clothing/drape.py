"""The part of a garment that lies on chest, shoulders and back."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, Ints, vertex_normals
from generator.components.garment import GarmentSpec
from generator.geometry.clip import border_edges, clip_mesh, smooth
from generator.hair.strands import smoothstep
from generator.head import HeadGeometry
from generator.streams import detail_stream
from generator.wear.clothing.cloth import Cloth, Surface

MARGIN = 0.0009  # metres: the distance field is not exact


def collar_level(base: Floats, front: float, rise: float = 0.42) -> Floats:
    """(V,) how far below a collar line points of the mean head lie, metres; the line rises to the nape."""
    return np.asarray(front + rise * np.clip(base[:, 1] - 0.02, -0.05, 0.12) - base[:, 2])


class Drape:
    """Cloth over the upper body before it is cut.

    Attributes:
        base: (V, 3) positions on the mean head.
        points, normals: (V, 3) of the cloth's inner side.
        triangles: (F, 3).
        skin: (V,) vertex of the skin below each point.
    """

    def __init__(self, spec: GarmentSpec, head: HeadGeometry, surface: Surface) -> None:
        skin = head.skin
        level = collar_level(skin.base, -0.150)
        if "garment" in skin.masks or "neck" in skin.masks:
            level = np.where(skin.base[:, 2] > -0.085, -1.0, level)
        kept = skin.triangles[(level[skin.triangles] > 0).all(axis=1)].astype(np.int64)
        self.skin, inverse = np.unique(kept, return_inverse=True)
        self.triangles: Ints = inverse.reshape(-1, 3)
        self.base = skin.base[self.skin]
        self.spec, self.surface = spec, surface
        if len(self.triangles) == 0:
            return
        gap = spec.gap_mm / 1000 + MARGIN
        normals = smooth(skin.normals[self.skin], self.triangles, 12)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        loose = smoothstep(collar_level(self.base, -0.185), 0.01, 0.07)
        points = skin.vertices[self.skin] + normals * (gap + loose * (0.001 + 0.003 * spec.looseness))[:, None]
        points = smooth(points, self.triangles, 10 + int(25 * spec.looseness))
        points = surface.clear_skin(points, gap)
        points += normals * (loose * _folds(spec, self.base))[:, None]
        points = smooth(points, self.triangles, 3)
        self.points = surface.clear_skin(points, gap)
        normals = smooth(vertex_normals(self.points, self.triangles), self.triangles, 3)
        self.normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)

    def layer(
        self,
        name: str,
        cut: Floats,
        offset: float = 0.0,
        thickness: float | None = None,
        band: float = 0.016,
        material: str = "garment",
        rib: float = 1.0,
    ) -> Cloth:
        """The drape where `cut` (V,) is positive, `offset` metres farther out, as a closed shell.

        Its border gets a hem `band` metres wide, `rib` says how much it is ribbed.
        """
        thickness = self.spec.thickness_mm / 1000 if thickness is None else thickness
        pairs, share, triangles = clip_mesh(self.triangles, cut)
        if len(triangles) == 0:
            empty = np.zeros((0, 3))
            return Cloth(name, empty, triangles, empty, np.zeros(0), material)

        def carried(values: Floats) -> Floats:
            weight = share.reshape(-1, *(1,) * (values.ndim - 1))
            return np.asarray(values[pairs[:, 0]] * (1 - weight) + values[pairs[:, 1]] * weight)

        normals, base, depth = carried(self.normals), carried(self.base), carried(cut)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        inner = carried(self.points) + normals * offset
        inner = _smooth_border(inner, triangles, 6)
        inner = self.surface.clear_skin(inner, self.spec.gap_mm / 1000 + MARGIN + offset)
        hem = 1 - smoothstep(depth, band - 0.0015, band) if band else np.zeros(len(depth))
        outer = inner + normals * (thickness * (1 + 0.7 * hem))[:, None]
        return _shell(name, inner, outer, triangles, panel(base), hem * rib, material)

    def stand_off(self, surface: Surface, offset: float, cut: Floats) -> None:
        """Tell the surface that a layer reaches `offset` metres beyond the drape where it is cut."""
        height = surface.field.distance(self.points) + offset
        worn = smoothstep(cut, -0.006, 0.0) * height
        surface.cover[self.skin] = np.maximum(surface.cover[self.skin], worn)

    def locate(self, where: Floats, offset: float) -> tuple[Floats, Floats]:
        """Points `offset` metres off the drape's front at x and z on the mean head (N, 2), and normals."""
        front = np.flatnonzero(self.base[:, 1] < 0.07)
        square = ((self.base[front][None, :, [0, 2]] - where[:, None]) ** 2).sum(axis=2)
        nearest = np.argsort(square, axis=1)[:, :6]
        weight = 1 / (np.take_along_axis(square, nearest, 1) + 1e-6)
        weight /= weight.sum(axis=1, keepdims=True)
        chosen = front[nearest]
        points, normals = ((values[chosen] * weight[..., None]).sum(axis=1) for values in (self.points, self.normals))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return points + normals * offset, normals


def panel(base: Floats) -> Floats:
    """(V, 3) where points of the mean head lie on flat panels that meet along the shoulders, metres.

    Down from the shoulder seam the length lies between the legs' sum and the hypotenuse: a norm of power 1.3.
    """
    x, y, z = base.T
    seam = np.interp(np.abs(x), [0.0, 0.06, 0.2, 0.26], [-0.14, -0.15, -0.205, -0.27])
    run = (np.abs(y - 0.095) ** 1.3 + np.maximum(seam - z, 0) ** 1.3) ** (1 / 1.3)
    return np.stack([x, seam - run, np.where(y < 0.095, 0.0, 3.0)], axis=1)


def _folds(spec: GarmentSpec, base: Floats) -> Floats:
    """(V,) metres, 0 or more: long folds that hang from the shoulders and cross from the armpits."""
    rng = detail_stream(spec.seed, "folds")
    x, _, z = base.T
    height = np.zeros(len(base))
    bend = 0.012 * np.sin(z / 0.035 + 6 * rng.random()) + 0.01 * np.sin(x / 0.05 + 6 * rng.random())
    for index in range(6):
        slant = rng.uniform(0.25, 1.2) * (1 if index % 2 else -1)
        length = rng.uniform(0.035, 0.09)
        wave = np.sin((x + slant * z + bend) * 2 * np.pi / length + 6.3 * rng.random())
        gate = np.clip(np.sin(x * rng.uniform(8, 20) + z * rng.uniform(8, 20) + 6.3 * rng.random()), 0, 1)
        height += np.clip(wave, 0, 1) ** 2 * gate
    return np.asarray(0.0035 * spec.folds * height)


def _smooth_border(points: Floats, triangles: Ints, rounds: int) -> Floats:
    """Points with the border drawn smooth along itself."""
    edges = border_edges(triangles)
    ends = np.concatenate([edges, edges[:, ::-1]])
    degree = np.bincount(ends[:, 0], minlength=len(points))
    on = degree == 2
    for _ in range(rounds):
        total = np.stack([np.bincount(ends[:, 0], c[ends[:, 1]], len(points)) for c in points.T], axis=1)
        points = np.where(on[:, None], 0.5 * points + 0.25 * total, points)
    return points


def _shell(
    name: str, inner: Floats, outer: Floats, triangles: Ints, fabric: Floats, band: Floats, material: str
) -> Cloth:
    """Both sides and a rounded rim between their borders."""
    count = len(inner)
    edges = border_edges(triangles)
    used, inverse = np.unique(edges, return_inverse=True)
    start, end = edges.T
    low, high = (inverse.reshape(-1, 2) + 2 * count).T
    rim = (inner[used] + outer[used]) / 2
    faces = [triangles[:, ::-1], triangles + count]
    for a, b, c, d in ((start, end, low, high), (low, high, start + count, end + count)):
        faces += [np.stack([b, a, c], 1), np.stack([b, c, d], 1)]
    return Cloth(
        name,
        np.concatenate([inner, outer, rim]),
        np.concatenate(faces),
        np.concatenate([fabric, fabric, fabric[used]]),
        np.concatenate([band, band, band[used]]),
        material,
    )
