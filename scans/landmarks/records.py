"""The landmarks of a face in space, and the file that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capture import InputError, read_json, write_json
from scans.landmarks.names import COUNT, INDEX, names_of

if TYPE_CHECKING:
    from typing import Self

Floats = NDArray[np.float64]

FILE, PICTURE = "landmarks.json", "landmarks.png"  # in a capture
SURE, UNSURE, MISSING = "sure", "unsure", "missing"
USED, NO_FACE, DISAGREES = "used", "no face", "disagrees"
_SET = "mediapipe-478"
_PIXEL_DIGITS = 2


@dataclass(frozen=True, eq=False)
class FaceView:
    """The face in one image.

    Attributes:
        image: name of the image.
        status: `used`; `no face` where the detector isn't sure of one; `disagrees`
            where its landmarks are not where the other views have them.
        presence: how sure the detector is that there is a face, 0 to 1.
        pixels: (478, 2) in the pixels of the camera, NaN for what the detector has no place for; None without a face.
    """

    image: str
    status: str
    presence: float
    pixels: Floats | None


@dataclass(frozen=True, eq=False)
class FaceLandmarks:
    """MediaPipe's 478 landmarks of a face, in the frame and unit of the cameras.

    Attributes:
        positions: (478, 3); NaN where one is missing.
        residual_px: (478,) root mean square distance, in pixels, of its images from where the views have it; NaN where
            it is missing.
        spread: (478,) standard deviation in the direction that is least sure, in the unit of the cameras.
        views: (478,) number of views that it was triangulated from.
        status: of each, `sure`, `unsure` or `missing`.
        faces: a record per view.
        model: name of the detector.
        id: of the capture.

    Example:
        >>> from pixels2points import FaceLandmarks, find_landmarks
        >>> find_landmarks("captures/head_00000004").write("landmarks.json")
        >>> landmarks = FaceLandmarks.read("landmarks.json")
        >>> landmarks.positions.shape, all(place.shape == (3,) for place in landmarks.named().values())
        ((478, 3), True)
    """

    positions: Floats
    residual_px: Floats
    spread: Floats
    views: NDArray[np.int64]
    status: tuple[str, ...]
    faces: tuple[FaceView, ...]
    model: str = ""
    id: str = ""

    def named(self, *, unsure: bool = False) -> dict[str, Floats]:
        """Name -> (3,) of the landmarks that are sure, and of the others where `unsure`."""
        wanted = (SURE, UNSURE) if unsure else (SURE,)
        return {name: self.positions[index] for name, index in INDEX.items() if self.status[index] in wanted}

    def write(self, path: Path | str) -> None:
        """Write as JSON, atomically."""
        write_json(Path(path), self.to_json())

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        digits = self._digits()
        return {
            "schema_version": 1,
            "id": self.id,
            "set": _SET,
            "model": self.model,
            "unit": "that of the cameras",
            "landmarks": [
                {
                    "index": i,
                    "names": names_of(i),
                    "status": self.status[i],
                    "position": _numbers(self.positions[i], digits),
                    "residual_px": _number(self.residual_px[i], _PIXEL_DIGITS),
                    "spread": _number(self.spread[i], digits),
                    "views": int(self.views[i]),
                }
                for i in range(len(self.positions))
            ],
            "views": [
                {
                    "image": face.image,
                    "status": face.status,
                    "presence": round(face.presence, 4),
                    "pixels": None if face.pixels is None else [_numbers(pair, _PIXEL_DIGITS) for pair in face.pixels],
                }
                for face in self.faces
            ],
        }

    def _digits(self) -> int:
        """Decimals by the face's extent, wherever its origin is: steps of about a millionth of it."""
        found = self.positions[np.isfinite(self.positions).all(axis=1)]
        extent = float(np.ptp(found, axis=0).max()) if len(found) else 0.0
        return max(0, 6 - int(np.floor(np.log10(max(extent, 1e-6)))))

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read what `write` wrote. Raises `InputError` where the file is missing, damaged or something else."""
        return cls.from_json(read_json(Path(path), "landmarks"), str(path))

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """The record in a parsed file; `where` names it in errors."""
        if not is_record(value):
            raise InputError(f"{where}: these are no landmarks of `p2p landmarks`; find them again")
        try:
            rows: Sequence[Mapping[str, Any]] = value["landmarks"]
            if len(rows) != COUNT or {row["status"] for row in rows} - {SURE, UNSURE, MISSING}:
                raise ValueError(f"{len(rows)} landmarks")
            positions = np.stack([_array(row["position"], 3) for row in rows])
            for i, row in enumerate(rows):
                if (row["status"] == MISSING) == np.isfinite(positions[i]).all():
                    raise ValueError(f"landmark {i} is {row['status']}, its position {row['position']}")
            residual, spread = (
                np.array([np.nan if row[key] is None else row[key] for row in rows], float)
                for key in ("residual_px", "spread")
            )
            faces = tuple(_face(face) for face in value["views"])
            views = np.array([row["views"] for row in rows], np.int64)
            status = tuple(row["status"] for row in rows)
            return cls(positions, residual, spread, views, status, faces, str(value["model"]), str(value["id"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{where}: damaged landmarks ({error}); find them again with `p2p landmarks`") from None


def is_record(value: Any) -> bool:
    """Whether a parsed JSON file is what `FaceLandmarks.write` writes."""
    return isinstance(value, dict) and value.get("set") == _SET and value.get("schema_version") == 1


def _face(value: Mapping[str, Any]) -> FaceView:
    """The face in a view, of its JSON object. Raises `ValueError` where that is none."""
    image, status, pairs = str(value["image"]), str(value["status"]), value["pixels"]
    if status not in (USED, NO_FACE, DISAGREES) or (status == NO_FACE) != (pairs is None):
        raise ValueError(f"{image}: {status}, with{'out' if pairs is None else ''} pixels")
    if pairs is not None and len(pairs) != COUNT:
        raise ValueError(f"{image}: {len(pairs)} pixels")
    pixels = None if pairs is None else np.stack([_array(pair, 2) for pair in pairs])
    return FaceView(image, status, float(value["presence"]), pixels)


def _array(value: Sequence[float] | None, count: int) -> Floats:
    """(count,) NaN where there is none. Raises `ValueError` where it is another number of numbers."""
    if value is None:
        return np.full(count, np.nan)
    array = np.array(value, float)
    if array.shape != (count,):
        raise ValueError(f"{value} are not {count} numbers")
    return array


def _numbers(values: Floats, digits: int) -> list[float] | None:
    return [round(float(value), digits) for value in values] if np.isfinite(values).all() else None


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
