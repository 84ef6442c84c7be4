"""Scale of a capture: metres per unit of its cameras and its scan, what speaks for it, and the file that keeps it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from capture import Capture, InputError, RefusedError, read_json, write_json
from scans.unit_guess import COMMON, METRES, unit_name

if TYPE_CHECKING:
    from typing import Self

log = logging.getLogger(__name__)

WRONG = 1.5  # factor from which on results in millimetres, and labels, mean nothing
_USUAL, _RARE = 0.10, 0.05  # logarithms: so near to a usual, or a rare, unit it is that one; usual errors are as large
_USUAL_DEVIATIONS = 1.7  # or so near to a usual one
_OTHER_CAMERAS = 1.1  # factor of a distance of two cameras from which on these are others
_APART = 0.22  # logarithm: evidence that lies farther apart, and more than its spread explains, is in disagreement
_DEVIATIONS = 2.5


@dataclass(frozen=True)
class Evidence:
    """A measurement of the scale.

    Attributes:
        source: in a few words.
        metres: per unit.
        spread: standard deviation of its logarithm: of people's sizes and of the measurement.
    """

    source: str
    metres: float
    spread: float

    def agrees_with(self, metres: float) -> bool:
        """Whether this may be a measurement of so many metres per unit."""
        return abs(float(np.log(self.metres / metres))) <= max(_APART, _DEVIATIONS * self.spread)


@dataclass(frozen=True)
class CaptureScale:
    """The scale of a capture.

    Attributes:
        metres: per unit of the cameras' positions, and of the scan that was made of the images.
        spread: standard deviation of its logarithm; 0 where somebody stated it.
        stated: by a person or by the capture's own origin, not measured.
        evidence: what was measured.
        baseline: two of the cameras, by their images, and their distance in units, by which cameras of another unit are
            told; None where it wasn't kept.

    Example:
        >>> from scans.scale import CaptureScale
        >>> CaptureScale(0.001, 0.0, stated=True).write("my_capture")
        >>> CaptureScale.read("my_capture").text
        'millimetres (stated)'
    """

    metres: float
    spread: float
    stated: bool
    evidence: tuple[Evidence, ...] = ()
    baseline: tuple[str, str, float] | None = field(default=None, compare=False)

    FILE = "scale.json"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.metres) and self.metres > 0 and np.isfinite(self.spread) and self.spread >= 0):
            raise InputError(f"a scale of {self.metres} m per unit, spread {self.spread}: both are positive numbers")

    @classmethod
    def of(cls, evidence: Sequence[Evidence]) -> Self:
        """The scale that evidence comes to, weighted by its spread; a usual unit where it is that within some per cent.

        Where a part of it disagrees, the surest is taken, and the spread grows to hold the others.
        """
        logs, weights = np.log([each.metres for each in evidence]), np.array([each.spread**-2.0 for each in evidence])
        metres, spread = float(np.exp(weights @ logs / weights.sum())), float(weights.sum() ** -0.5)
        if not all(each.agrees_with(metres) for each in evidence):
            surest = min(evidence, key=lambda each: (each.spread, each.metres))
            metres, spread = surest.metres, max(surest.spread, float(np.abs(logs - np.log(surest.metres)).max()))
        return cls(_usual_unit(metres, min(each.spread for each in evidence)), spread, False, tuple(evidence))

    def is_about(self, metres: float) -> bool:
        """Whether labels that were made at so many metres per unit will do."""
        return abs(float(np.log(self.metres / metres))) <= _USUAL

    @property
    def disputed(self) -> tuple[Evidence, ...]:
        """The evidence that speaks against the scale."""
        return tuple(each for each in self.evidence if not each.agrees_with(self.metres))

    @property
    def wrong(self) -> tuple[Evidence, ...]:
        """The evidence by which the scale is off by half as much again, or more."""
        return tuple(each for each in self.disputed if abs(np.log(each.metres / self.metres)) > np.log(WRONG))

    @property
    def text(self) -> str:
        """In a line: the unit, where it comes from, and how sure it is."""
        told = ", ".join(f"{each.source} {each.metres:.3g}" for each in self.evidence)
        if self.stated:
            return f"{unit_name(self.metres)} (stated{f'; {told}' if told else ''})"
        return f"{unit_name(self.metres)} (measured, ± {self.spread:.0%}: {told})"

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "schema_version": 1,
            "metres_per_unit": self.metres,
            "spread": round(self.spread, 4),
            "stated": self.stated,
            "evidence": [
                {"source": each.source, "metres_per_unit": each.metres, "spread": round(each.spread, 4)}
                for each in self.evidence
            ],
            "baseline": self.baseline,
        }

    def write(self, folder: Path | str) -> None:
        """Write as `scale.json` into the folder of a capture, atomically, with two of its cameras."""
        write_json(Path(folder) / self.FILE, replace(self, baseline=_baseline_in(Path(folder))).to_json())

    def keep(self, folder: Path) -> None:
        """Write as `write` does; where the folder is read-only go on, with a line."""
        try:
            self.write(folder)
        except InputError as error:
            log.info("the scale is not kept: %s", error)

    @classmethod
    def read(cls, folder: Path | str) -> Self | None:
        """The scale that is kept in the folder of a capture; None where there is none. Raises `InputError`."""
        path = Path(folder) / cls.FILE
        if not path.is_file():
            return None
        value = read_json(path, "scale")
        try:
            if value["schema_version"] != 1:
                raise ValueError(f"version {value['schema_version']}")
            evidence = tuple(
                Evidence(str(each["source"]), float(each["metres_per_unit"]), float(each["spread"]))
                for each in value["evidence"]
            )
            stated, baseline = bool(value["stated"]), None
            if value.get("baseline") is not None:
                one, two, apart = value["baseline"]
                baseline = str(one), str(two), float(apart)
            return cls(float(value["metres_per_unit"]), float(value["spread"]), stated, evidence, baseline)
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"damaged: {path} ({error}); remove it, or set the scale again with `p2p scale`") from None


def _usual_unit(metres: float, spread: float) -> float:
    """The unit that people use where one that was measured with a spread is about as large, else that."""
    for unit, value in METRES.items():
        within = max(_USUAL, _USUAL_DEVIATIONS * spread) if unit in COMMON else _RARE
        if abs(np.log(value / metres)) < within:
            return value
    return metres


def known_scale(capture: Capture) -> CaptureScale | None:
    """The scale that a capture tells: `scale.json`, or metres, as our own renders are in; None where it tells none.

    A file that was kept for cameras of another unit is told, and is as none.
    """
    kept = CaptureScale.read(capture.folder)
    if kept is not None and kept.baseline is not None:
        one, two, before = kept.baseline
        now = _apart(capture, one, two)
        if now and before and max(now / before, before / now) > _OTHER_CAMERAS:
            path, times = capture.folder / CaptureScale.FILE, now / before
            log.warning("%s is of other cameras: these are %.3g times as far apart. It is not used", path, times)
            kept = None
    if kept is None and capture.info.seed is not None:
        return CaptureScale(1.0, 0.0, stated=True)
    return kept


def _apart(capture: Capture, one: str, two: str) -> float | None:
    """Units between the cameras of two images, None where the capture lacks one of these."""
    centres = {camera.name: camera.centre for camera in capture.cameras}
    return float(np.linalg.norm(centres[one] - centres[two])) if one in centres and two in centres else None


def _baseline_in(folder: Path) -> tuple[str, str, float] | None:
    """The first camera of a folder and the farthest from it; None where it has none, or a single one."""
    try:
        cameras = Capture.read(folder).cameras
    except InputError:
        return None
    first = cameras[0]
    apart = [float(np.linalg.norm(camera.centre - first.centre)) for camera in cameras]
    other = int(np.argmax(apart))
    return (first.name, cameras[other].name, apart[other]) if apart[other] > 0 else None


def check_scale(name: str, scale: CaptureScale) -> None:
    """Warn where evidence speaks against a scale.

    Raises `RefusedError` where by some of it the scale is off by half as much again, or more.
    """
    if not scale.disputed:
        return
    cure = "state another `unit`" if scale.stated else "set the right one by `p2p scale`, or state `unit`"
    told = f"{name}: its scale is in doubt: {scale.text}; {cure}"
    if scale.wrong:
        raise RefusedError(told)
    log.warning("%s", told)
