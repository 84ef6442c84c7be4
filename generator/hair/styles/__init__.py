"""Hairstyles: a function for each, and the table of which family of `generator.components.hair` has which.

A new hairstyle is a family in `generator.components.hair` (its frequency and the ranges of its parameters), a row in
`STYLES`, and a function in a file here unless one of those that exist serves it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from capture.geometry import Floats
from generator.components.hair import HairSpec
from generator.hair.obstacle import Obstacle
from generator.hair.skull import Skull
from generator.hair.strands import Roots
from generator.hair.styles.curls import round_curls
from generator.hair.styles.hanging import hanging
from generator.hair.styles.short import buzz, combed
from generator.hair.styles.tied import tied
from generator.head import HeadGeometry

Style = Callable[[HairSpec, Roots, Skull, HeadGeometry, Obstacle, np.random.Generator], tuple[Floats, Floats]]

STYLES: dict[str, Style] = {
    "balding": combed, "buzz": buzz, "crop": combed, "side_part": combed, "slicked": combed, "curly": round_curls,
    "afro": round_curls, "bob": hanging, "long_straight": hanging, "long_wavy": hanging, "fringe": hanging,
    "ponytail": tied, "bun": tied, "braids": tied,
}  # fmt: skip
"""Family of hair -> (spec, roots (S), skull, head, obstacle, random stream) -> strands (S, P, 3) metres, tones (S,)."""
