"""Units of length, and the one that a scan of a head is in by its size."""

from __future__ import annotations

import logging

import numpy as np

from capture import InputError

log = logging.getLogger(__name__)

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "dm": 0.1, "inch": 0.0254, "ft": 0.3048}
NAMES = {"m": "metres", "cm": "centimetres", "mm": "millimetres", "dm": "decimetres", "inch": "inches", "ft": "feet"}
COMMON = ("m", "cm", "mm")
CHOICES = "m, cm, mm, dm, inch, ft, or metres per unit as a number"

_SPELT = {"in": "inch", "inches": "inch", "foot": "ft", "feet": "ft"}
TYPICAL_M = 0.27  # width of a scan of a head, with hair and some neck
_FACE_M, _BODY_M = 0.14, 1.5  # from a face without the rest to all of the upper body: in the common units
_BUST_M = 0.7  # the most in the others
_PATCH_M = 0.08  # less than a face: believed only where no unit makes it more
_HEAD_M = (0.2, 0.4)  # of a whole head
_BETTER = 0.15  # so much nearer, in logarithms, to the typical width is another unit that is named beside the one taken


def parse_unit(value: str) -> float:
    """Metres per unit: `m`, `cm`, `mm`, `dm`, `inch`, `ft`, or a number of metres. Raises `InputError` otherwise."""
    name = _SPELT.get(value, value)
    if name in METRES:
        return METRES[name]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not (np.isfinite(number) and number > 0):
        raise InputError(f"unit {value!r}: use {CHOICES}")
    return number


def unit_name(metres: float) -> str:
    """A unit in words."""
    return next((NAMES[key] for key, value in METRES.items() if value == metres), f"units of {metres:.4g} m")


def guess_unit(width: float, what: str) -> float:
    """Metres per unit of a scan of a head that is `width` units wide.

    Of metres, centimetres and millimetres the one in which that is a face to an upper body; else of inches, decimetres
    and feet the one in which it is most like a head. Warns of one of the latter, and where another unit fits far better
    than the one taken, to which `what` gives the scan's name.

    Raises `InputError` where no unit fits.
    """

    def far(key: str) -> float:
        return abs(float(np.log(max(width, 1e-30) * METRES[key] / TYPICAL_M)))

    common = [key for key in COMMON if _FACE_M <= width * METRES[key] <= _BODY_M]
    rare = [key for key in METRES if key not in COMMON and _FACE_M <= width * METRES[key] <= _BUST_M]
    small = [key for key in COMMON if _PATCH_M < width * METRES[key] < _FACE_M]
    fitting = common or rare or small
    if not fitting:
        names = ", ".join(NAMES.values())
        raise InputError(
            f"{what} is {width:.3g} wide: that is no head in {names}; state its unit with `unit` ({CHOICES})"
        )
    taken = min(fitting, key=far)
    others = [
        key for key in METRES if far(key) < far(taken) - _BETTER and _HEAD_M[0] < width * METRES[key] < _HEAD_M[1]
    ]
    if taken not in COMMON or others:
        other = min(others or [*common, *small] or [min(COMMON, key=far)], key=far)
        log.warning(
            "%s is %.3g wide: taken for %s (%.3g m), not %s (%.3g m); state its `unit` where that is wrong",
            what, width, NAMES[taken], width * METRES[taken], NAMES[other], width * METRES[other],
        )  # fmt: skip
    return METRES[taken]
