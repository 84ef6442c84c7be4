"""The fit of spectacles on a face: the plane of the lenses, and the paths of the temples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.components.eyewear import EyewearSpec
from generator.geometry.head_frame import HeadFrame
from generator.geometry.solids import arc_path
from generator.head import HeadGeometry

CLEARANCE = 0.0034
"""Distance of frame and lenses from the skin's vertices, metres; between them the skin comes some 0.3 mm closer."""
FROM_EYE = 0.0135
"""From the front of the eyeball to the lens, so that lashes have room; 12 to 14 mm are usual for spectacles."""


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """The plane of the lenses: local coordinates x to the subject's left, y back, z up along the tilted lenses.

    Attributes:
        frame: of the plane, its origin on the bridge.
        skin: (S, 3) vertices of the skin in these coordinates.
        eyes: (E, 3) those of the eyeballs; may be empty.
    """

    frame: HeadFrame
    skin: Floats
    eyes: Floats

    def moved(self, back: float) -> FaceFrame:
        """The frame moved back by some metres."""
        shift = np.array([0.0, back, 0.0])
        frame = HeadFrame(self.frame.origin + back * self.frame.axes[1], self.frame.axes)
        return FaceFrame(frame, self.skin - shift, self.eyes - shift)


def face_frame(spec: EyewearSpec, head: HeadGeometry, skull: HeadFrame) -> FaceFrame:
    """The plane through the middle of the eyes, tilted, not yet clear of the face."""
    marks = head.landmarks
    inner = [marks["left_eye_inner"], marks["right_eye_inner"]]
    outer = [marks["left_eye_outer"], marks["right_eye_outer"]]
    middle = (inner[0] + inner[1] + outer[0] + outer[1]) / 4
    across = outer[0] - outer[1]
    across = across / np.linalg.norm(across)
    back = skull.axes[1] - across * (skull.axes[1] @ across)
    back /= np.linalg.norm(back)
    up = np.cross(across, back)
    tilt = np.radians(spec.tilt_deg)
    axes = np.stack([across, np.cos(tilt) * back + np.sin(tilt) * up, np.cos(tilt) * up - np.sin(tilt) * back])
    bridge = marks["nasion"]
    origin = middle + across * (0.5 * ((bridge - middle) @ across))
    # The front moves along the tilted axis by some 25 mm: start higher by what that lowers it.
    origin = origin + up * (0.025 * np.sin(tilt) - 0.001 - spec.slide_mm / 1000)
    frame = HeadFrame(origin, axes)
    eyes = head.parts["eyes"].vertices if "eyes" in head.parts else np.zeros((0, 3))
    return FaceFrame(frame, frame.local(head.skin.vertices), frame.local(eyes))


def shift_to_clear(points: Floats, skin: Floats, clearance: float) -> float:
    """Metres that points (N, 3) may move back along y (negative: forward) to keep their distance from the skin's
    vertices (S, 3) that lie in the way."""
    low, high = points.min(axis=0) - clearance, points.max(axis=0) + clearance
    near = ((skin[:, [0, 2]] > low[[0, 2]]) & (skin[:, [0, 2]] < high[[0, 2]])).all(axis=1)
    near &= skin[:, 1] < np.median(points[:, 1]) + 0.05
    near &= skin[:, 1] > low[1] - 0.03
    obstacle = skin[near].astype(np.float32)
    room = np.inf
    for block in np.array_split(points.astype(np.float32), max(1, len(points) // 100)):  # neighbours in the mesh
        low, high = block.min(axis=0) - clearance, block.max(axis=0) + clearance
        close = obstacle[((obstacle[:, [0, 2]] > low[[0, 2]]) & (obstacle[:, [0, 2]] < high[[0, 2]])).all(axis=1)]
        side = (block[:, None, 0] - close[None, :, 0]) ** 2 + (block[:, None, 2] - close[None, :, 2]) ** 2
        ahead = np.sqrt(np.maximum(clearance**2 - side, 0))
        allowed = np.where(side < clearance**2, close[None, :, 1] - ahead - block[:, None, 1], np.inf)
        room = min(room, float(allowed.min(initial=np.inf)))
    return room if np.isfinite(room) else 0.0


def distance_to_vertices(points: Floats, vertices: Floats) -> Floats:
    """(N,) from points (N, 3) to the nearest vertex within 30 mm of any of them; 30 mm where farther."""
    reach = 0.03
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    near = vertices[((vertices > low) & (vertices < high)).all(axis=1)].astype(np.float32)
    if not len(near):
        return np.full(len(points), reach)
    blocks = []
    for block in np.array_split(points.astype(np.float32), max(1, len(points) // 256)):
        square = (block**2).sum(1)[:, None] - 2 * block @ near.T + (near**2).sum(1)[None]
        blocks.append(np.sqrt(np.maximum(square.min(axis=1), 0)))
    return np.minimum(np.concatenate(blocks), reach).astype(float)


def temple_path(start: Floats, ear: Floats, skin: Floats, room: float) -> Floats:
    """(N, 3) the middle line of a temple, from the hinge over the ear and down behind it.

    Args:
        start: (3,) the hinge, with x outward.
        ear: (3,) the top of the ear, with x outward.
        skin: (S, 3) vertices, with x outward.
        room: metres that the line keeps from them.
    """
    over = ear + np.array([0.0, 0.004, 0.0045])
    level = np.abs(skin[:, [1, 2]] - [ear[1] - 0.016, over[2]]).max(axis=1) < 0.005
    side = skin[level & (skin[:, 0] > 0)]
    wall = float(side[:, 0].max()) if len(side) else float(ear[0]) - 0.006
    over[0] = max(wall + room, ear[0] - 0.012)
    bend = np.array([start[0] + 0.002, start[1] + 0.006, start[2]])
    tip = over + np.array([-0.002, 0.032, -0.028])
    knots = np.stack(
        [
            start,
            bend,
            (bend + over) / 2 + np.array([0.002, 0, 0.0005]),
            over,
            over + np.array([-0.001, 0.016, -0.006]),
            tip,
        ]
    )
    path = arc_path(knots, 44)
    low, high = path.min(axis=0) - 0.02, path.max(axis=0) + 0.02
    skin = skin[((skin > low) & (skin < high)).all(axis=1)]
    for _ in range(14):
        path = _pushed(path, skin, room)
        path[3:-1] = 0.5 * path[3:-1] + 0.25 * (path[2:-2] + path[4:])
    path = _pushed(path, skin, room)
    far = distance_to_vertices(path, skin) >= room - 0.0002
    last = np.flatnonzero(path[:, 1] >= over[1])
    blocked = np.flatnonzero(~far & (np.arange(len(path)) > (last[0] if len(last) else 36)))
    end = int(blocked[0]) if len(blocked) else len(path)
    return path[: max(end, 12)]


def _pushed(path: Floats, skin: Floats, room: float) -> Floats:
    """A path (N, 3) moved outwards and up, away from the skin's vertices that are too close."""
    low, high = path.min(axis=0) - 0.012, path.max(axis=0) + 0.012
    near = skin[((skin > low) & (skin < high)).all(axis=1)]
    if not len(near):
        return path
    closest = ((near**2).sum(axis=1)[None] - 2 * path @ near.T).argmin(axis=1)
    away = path - near[closest]
    length = np.linalg.norm(away, axis=1)
    direction = away / np.maximum(length, 1e-6)[:, None]
    lack = np.clip(room - length, 0, 0.004)
    # What is inside the skin would be pushed deeper by its nearest vertex: always lead outwards and up as well.
    direction = direction * np.array([1.0, 0.3, 1.0]) + np.array([0.35, 0.0, 0.25])
    moved = path + direction * lack[:, None]
    moved[:2] = path[:2]
    return np.asarray(moved)
