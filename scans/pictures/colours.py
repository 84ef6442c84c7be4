"""Colours of labels, distances and parts in meshes and pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scans.predictions import PARTS, UNKNOWN

SKIN = np.array([226.0, 122.0, 83.0])  # orange
OTHER = np.array([72.0, 110.0, 160.0])  # blue
FALSE_SKIN = np.array([205.0, 40.0, 50.0])  # red
MISSED_SKIN = np.array([245.0, 205.0, 60.0])  # yellow
FAR_MM = 20.0  # distances are dark from here on
_UNKNOWN = (190, 190, 190)
LEFT_OPEN = np.array(_UNKNOWN, np.float64)  # grey: a person left open what it is
_PARTS = {
    "background": (220, 220, 220), "skin": (226, 122, 83), "eyes": (90, 190, 230), "brows": (120, 70, 30),
    "lashes": (60, 40, 90), "scalp_hair": (140, 100, 50), "facial_hair": (190, 160, 60), "garment": (72, 110, 160),
    "headwear": (110, 70, 150), "eyewear": (40, 150, 120), "jewellery": (240, 200, 40), "mouth": (190, 50, 90),
}  # fmt: skip

Colours = NDArray[np.float64]

# The colours of reports and of registration.
SKIN_COLOUR = (232, 150, 110)
OTHER_COLOUR = (70, 95, 130)
PLAIN_COLOUR = (205, 200, 195)

Rgb = NDArray[np.uint8]


def probability_colours(probability: NDArray) -> Colours:
    """(P, 3) between the colours of skin and of the rest."""
    share = np.asarray(probability, np.float64)[:, None]
    return np.asarray(share * SKIN + (1 - share) * OTHER)


def mistake_colours(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Colours:
    """(P, 3): as the true labels where the prediction is right; red is false skin, yellow is missed skin."""
    result = probability_colours(true)
    result[predicted & ~true] = FALSE_SKIN
    result[true & ~predicted] = MISSED_SKIN
    return result


def skin_distance_colours(distance_mm: NDArray) -> Colours:
    """(P, 3) from white at the skin's surface to dark blue at `FAR_MM`; grey where it is not known."""
    share = np.clip(np.asarray(distance_mm, np.float64) / FAR_MM, 0, 1)[:, None]
    colours = (1 - share) * np.array([250.0, 245.0, 235.0]) + share * np.array([25.0, 35.0, 90.0])
    return np.where(np.isnan(share), np.array(_UNKNOWN, np.float64), colours)


def parts_shown(part: NDArray) -> dict[str, tuple[int, int, int]]:
    """Name -> colour of the parts that occur among indices into `PARTS`, as a legend has them."""
    return {PARTS[index]: _PARTS.get(PARTS[index], _UNKNOWN) for index in np.unique(part) if index < len(PARTS)}


def part_colours(part: NDArray) -> Colours:
    """(P, 3) of indices into `PARTS`."""
    table = np.full((UNKNOWN + 1, 3), _UNKNOWN, np.float64)
    for index, name in enumerate(PARTS):
        table[index] = _PARTS.get(name, _UNKNOWN)
    return table[np.asarray(part)]


def label_colours(skin: NDArray[np.bool_], known: NDArray[np.bool_] | None = None) -> Rgb:
    """(V, 3) uint8 colours of labels: skin warm, everything else blue; grey what is not `known` where that is given."""
    colours = np.where(skin[:, None], np.array(SKIN_COLOUR), np.array(OTHER_COLOUR)).astype(np.uint8)
    if known is not None:
        colours[~known] = LEFT_OPEN
    return colours


def agreement_colours(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_], known: NDArray[np.bool_] | None = None
) -> Rgb:
    """(V, 3) uint8: where prediction and true labels agree their colour, false skin red, missed skin yellow.

    Grey what is not `known` where that is given.
    """
    colours = label_colours(true, known)
    told = True if known is None else known
    colours[predicted & ~true & told] = (215, 40, 40)
    colours[~predicted & true & told] = (245, 215, 60)
    return colours


def distance_colours(distance_mm: NDArray[np.floating], limit_mm: float = 5.0) -> Rgb:
    """(V, 3) uint8 colours of distances from 0 to `limit_mm` (viridis)."""
    from matplotlib import colormaps

    scaled = np.clip(np.nan_to_num(distance_mm, nan=limit_mm) / limit_mm, 0, 1)
    return (colormaps["viridis"](scaled)[:, :3] * 255).astype(np.uint8)


def faded(colours: Rgb, kept: NDArray[np.bool_]) -> Rgb:
    """Colours (V, 3), pale but where they are kept (V,): what is shown without being measured."""
    return np.where(kept[:, None], colours, 0.25 * colours.astype(float) + 0.75 * 225).astype(np.uint8)
