"""The colour of hair, which scalp, brows and beard share."""

from __future__ import annotations

from dataclasses import dataclass

from generator.components.limits import check_colours, check_limits

RGB = tuple[float, float, float]

DYES: tuple[RGB, ...] = ((0.75, 0.05, 0.12), (0.90, 0.22, 0.45), (0.35, 0.10, 0.65), (0.06, 0.20, 0.75),
                         (0.05, 0.50, 0.55), (0.10, 0.55, 0.15), (0.95, 0.40, 0.05), (0.70, 0.68, 0.72))  # fmt: skip
"""Linear RGB of unnatural tints on bleached hair: red, pink, violet, blue, teal, green, orange, silver."""


@dataclass(frozen=True)
class HairColour:
    """Pigments of the Principled Hair BSDF.

    Attributes:
        melanin: amount, 0 white to 1 black.
        redness: share of pheomelanin.
        grey: share of strands without pigment.
        dyed: 0 natural to 1 bleached and dyed all over.
        tint: linear RGB of the dye.
    """

    melanin: float = 0.7
    redness: float = 0.3
    grey: float = 0.0
    dyed: float = 0.0
    tint: RGB = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        check_limits("hair colour", self, dict.fromkeys(("melanin", "redness", "grey", "dyed"), (0, 1)))
        check_colours("hair colour", self, "tint")


BLACK = HairColour(0.95, 0.2, 0.0)
