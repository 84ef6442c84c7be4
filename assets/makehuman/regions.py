"""Regions of the hm08 head, drawn once on the mean head and carried by its vertices to every identity.

Each is a (V,) float32 mask in [0, 1] with a soft border a few millimetres wide around 0.5. Regions of anatomy
(lips, ears, sockets) come from edge loops of the mesh, the others (hairline, brows, beard) are drawn as curves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import FloatArray, IntArray
from assets.makehuman import hm08
from assets.makehuman.hm08 import QuadGraph, as_mask

BoolArray = NDArray[np.bool_]

# Hairline: (azimuth in degrees around the skull's vertical axis, 0 = face; height of the hairline in metres).
HAIRLINE = (
    (0, 0.060), (16, 0.061), (30, 0.064), (40, 0.060), (48, 0.050), (54, 0.032), (58, 0.012), (61, -0.014),
    (72, -0.018), (77, 0.006), (86, 0.012), (100, 0.010), (108, -0.004), (115, -0.035), (130, -0.060),
    (150, -0.070), (180, -0.071),
)  # fmt: skip
SKULL_AXIS_Y = 0.075

# Brow: (x, z, half width) along the left brow, metres.
BROW = (
    (0.011, 0.0155, 0.0045),
    (0.020, 0.0185, 0.0048),
    (0.031, 0.0205, 0.0042),
    (0.041, 0.0185, 0.0033),
    (0.050, 0.0135, 0.0020),
)


def _step(distance: FloatArray, width: float) -> FloatArray:
    """0 below -width/2, 1 above width/2, smooth between."""
    t = np.clip(distance / width + 0.5, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def anatomy(body: IntArray, mirror: IntArray, count: int) -> dict[str, BoolArray]:
    """(count,) bool masks over the vertices of the base mesh: eye_sockets, inner_mouth, lips, nostrils, ears,
    and lid_margin, eyelids (left and right together)."""
    graph = QuadGraph(body)

    def both(left: set[int]) -> BoolArray:
        return as_mask(left | {int(mirror[v]) for v in left}, count)

    lash = graph.loop(*hm08.LASH_LOOP)
    margin = graph.loop(*hm08.LID_INNER_LOOP)
    sockets = graph.inside(margin, hm08.SOCKET_SEED)
    mouth = graph.inside(graph.loop(*hm08.LIP_SEAM_LOOP), hm08.MOUTH_SEED)
    border = graph.loop(*hm08.LIP_BORDER_LOOP)
    lips = (graph.inside(border, hm08.MOUTH_SEED) - mouth) | set(border)
    nostrils = graph.inside(graph.loop(*hm08.NOSTRIL_LOOP), hm08.NOSTRIL_SEED)
    ear_loop = graph.loop(*hm08.EAR_LOOP)
    ears = graph.grow(graph.inside(ear_loop, hm08.EAR_SEED) | set(ear_loop), 1)
    lids = graph.grow(set(lash), 4) - sockets
    return {
        "eye_sockets": both(sockets),
        "lid_margin": both(graph.inside(lash, hm08.SOCKET_SEED) | set(lash)) & ~both(sockets),
        "eyelids": both(lids),
        "inner_mouth": as_mask(mouth, count),
        "lips": as_mask(lips, count),
        "nostrils": both(nostrils),
        "ears": both(ears),
    }


def drawn(
    mean: FloatArray, skin: BoolArray, anatomical: dict[str, BoolArray], neck: FloatArray, chest: FloatArray
) -> dict[str, FloatArray]:
    """The float32 masks of the mean head's vertices (V, 3), among them those of `anatomy` as 0 or 1.

    skin: vertices of the skin; neck, chest: skinning weights of the joints of the neck and below it.
    """
    x, y, z = mean.T
    side = np.abs(x)
    hollow = anatomical["eye_sockets"] | anatomical["inner_mouth"] | anatomical["nostrils"]
    surface = (skin & ~hollow).astype(np.float64)
    off_ears = 1.0 - anatomical["ears"]
    azimuth = np.degrees(np.arctan2(side, SKULL_AXIS_Y - y))
    hairline = np.interp(azimuth, *np.array(HAIRLINE).T)
    jaw_edge = jaw_distance(y, z)
    in_front = 0.050 - y
    face = _step(0.045 - z, 0.004) * _step(jaw_edge, 0.004) * _step(in_front, 0.004) * off_ears
    regions = {
        "face": face * surface,
        "scalp": _step(z - hairline, 0.010) * surface * off_ears * _step(z + 0.09, 0.004),
        "beard": _beard(side, y, z) * surface * off_ears * ~anatomical["lips"],
        "moustache": _moustache(side, y, z) * surface * ~anatomical["lips"],
        "brow_left": _brow(x, z) * surface * (y < 0.02),
        "brow_right": _brow(-x, z) * surface * (y < 0.02),
        "neck": neck * surface,
        "chest": chest * surface,
        "garment": _step(chest - 0.45, 0.3) * surface,
    }
    regions |= {name: mask.astype(np.float64) for name, mask in anatomical.items()}
    return {name: np.ascontiguousarray(mask, dtype=np.float32) for name, mask in regions.items()}


def jaw_distance(y: FloatArray, z: FloatArray) -> FloatArray:
    """Height above the line along the lower edge of the jaw, from under the chin to the ear lobe."""
    line = np.interp(y, [-0.03, 0.0, 0.03, 0.05, 0.065], [-0.112, -0.103, -0.088, -0.070, -0.045])
    return z - line


def _beard(side: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Cheeks below a line from the sideburn to the corner of the mouth, chin, and the throat's upper part."""
    top = np.interp(y, [-0.035, -0.015, 0.0, 0.02, 0.04, 0.06], [-0.082, -0.070, -0.060, -0.045, -0.020, -0.008])
    below = _step(top - z, 0.008)
    soul = _step(-0.078 - z, 0.006) * _step(0.020 - side, 0.006)
    throat = _step(z - np.interp(y, [-0.02, 0.04, 0.07], [-0.135, -0.128, -0.090]), 0.012)
    return np.maximum(below, soul) * throat * _step(0.062 - y, 0.008)


def _moustache(side: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    top = np.interp(side, [0.0, 0.012, 0.028, 0.034], [-0.050, -0.049, -0.058, -0.066])
    bottom = np.interp(side, [0.0, 0.020, 0.034], [-0.064, -0.068, -0.078])
    return _step(top - z, 0.004) * _step(z - bottom, 0.004) * _step(0.031 - side, 0.006) * (y < 0.0)


def _brow(x: FloatArray, z: FloatArray) -> FloatArray:
    """Inside the band around the brow's curve, which lies in the frontal plane."""
    fine = np.linspace(0.0, 1.0, 64)
    knots = np.linspace(0.0, 1.0, len(BROW))
    curve = np.stack([np.interp(fine, knots, column) for column in np.array(BROW).T], axis=1)
    distance = np.hypot(x[:, None] - curve[:, 0], z[:, None] - curve[:, 1]) - curve[:, 2]
    return _step(-distance.min(axis=1), 0.003)
