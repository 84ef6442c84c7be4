"""The account of an import: what was taken, what was not, and how well it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from scans.imports.proving import Reprojection

_NAMED = 5  # names that a line lists
DOUBTFUL = 3.0  # pixels of median reprojection, from which on something is wrong


@dataclass(frozen=True)
class ImportReport:
    """Result of `p2p import`.

    Attributes:
        file: that was read.
        tool: program and kind of file.
        generation: the version of the file, and which of the format's conventions it has.
        unit: of lengths and of the frame, in words; both are kept.
        lenses: COLMAP's model -> number of cameras.
        distortion: names of the parameters of distortion that are not zero, as `BrownLens` and COLMAP call them.
        taken: names of the images in the capture.
        resampled: those of them that were resampled, by the parameters that no COLMAP model has.
        unaligned: names of images without a camera.
        missing: names of cameras whose image is not there.
        unused: number of cameras that `views` left out.
        masks: number of masks that came along.
        tie_points, markers: how the cameras, as written, fit the file's points; None where it has none.
        notes: what a user should know beside.
        warnings: what may be wrong.
    """

    file: str
    tool: str
    generation: str
    unit: str
    lenses: Mapping[str, int]
    distortion: Sequence[str]
    taken: Sequence[str]
    resampled: Mapping[str, Sequence[str]]
    unaligned: Sequence[str]
    missing: Sequence[str]
    unused: int
    masks: int
    tie_points: Reprojection | None
    markers: Reprojection | None
    notes: Sequence[str]
    warnings: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, in which distances that are not finite are null."""
        found: dict[str, Any] = {"schema_version": 1, **asdict(self)}
        for name in ("tie_points", "markers"):
            if found[name] is not None:
                for key in ("median", "most"):
                    found[name][key] = found[name][key] if isfinite(found[name][key]) else None
        return found

    def lines(self) -> Iterator[str]:
        """The account in lines."""
        lenses = ", ".join(f"{count} {model}" for model, count in self.lenses.items())
        yield f"{self.file}: {self.tool} ({self.generation})"
        yield f"frame and unit are kept: {self.unit}"
        chosen = f" of {len(self.taken) + self.unused}, spread around what they look at" if self.unused else ""
        distortion = f"; distortion: {' '.join(self.distortion)}" if self.distortion else "; no distortion"
        yield f"{_count(len(self.taken), 'camera')}{chosen}: {lenses}{distortion}"
        if self.masks:
            yield _count(self.masks, "mask")
        for parameters, names in self.resampled.items():
            yield f"resampled to pinholes, as no COLMAP model has their {parameters}: {_named(names, 'image')}"
        yield from self.notes
        for points, what in ((self.tie_points, "tie points"), (self.markers, "markers")):
            if points is not None:
                yield (
                    f"reprojection of {points.points} {what} ({points.pixels} pixels): median {points.median:.2g}, 95% "
                    f"below {points.most:.2g} pixels{', triangulated' if points.triangulated else ''}"
                )
        if self.tie_points is None and self.markers is None:
            yield "the file has no points or markers with pixels: its cameras are not checked"

    def doubts(self) -> Iterator[str]:
        """Lines on things to look at."""
        yield from self.warnings
        if self.unaligned:
            yield f"without a camera: {_named(self.unaligned, 'image')}"
        if self.missing:
            yield f"missing, and their cameras left out: {_named(self.missing, 'image')}"
        for points, what in ((self.tie_points, "tie points"), (self.markers, "markers")):
            if points is not None and not points.median <= DOUBTFUL:
                yield (
                    f"the {what} are {points.median:.3g} pixels from where the cameras see them (median): images, "
                    "cameras and points don't belong together"
                )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(names: Sequence[str], what: str) -> str:
    """A number of things, and the first of their names."""
    return f"{_count(len(names), what)} ({', '.join(names[:_NAMED])}{', ...' if len(names) > _NAMED else ''})"
