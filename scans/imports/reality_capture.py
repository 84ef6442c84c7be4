"""RealityCapture and RealityScan: the CSV files of "Export registration" and the XMP sidecars of images.

Focal length and principal point are relative to the longer side of the image, the former as of 36 mm film. t1 is
OpenCV's p2, and t2 its p1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from capture import InputError
from capture.listing import list_files
from scans.imports.image_files import ImageFiles, size_of
from scans.imports.records import OPENGL, Array, BrownLens, Pose, Scene, View, naming
from scans.imports.source import Source

_FILM = 36.0  # mm, the longer side of the film that focal lengths are of
_NAMESPACE = "http://www.capturingreality.com/ns/xcr/1.1#"
_BROWN = ("brown3", "brown3t2", "brown4", "brown4t2")
_SAME = {"yaw": "heading", "z": "alt", "f_35mm": "f", "px_norm": "px", "py_norm": "py"}  # newer names of columns
_RADIAL = ("k1", "k2", "k3", "k4")
_DIVISION = "the division model, whose meaning is not known for sure; align with a Brown model and export again"


def recognise_csv(source: Source) -> bool:
    return _header(source.start) is not None


def recognise_xmp(source: Source) -> bool:
    folder = source.folder
    return _NAMESPACE in source.start if folder is None else any(_is_sidecar(path) for path in _sidecars(folder))


def read_csv(source: Source, images: ImageFiles) -> Scene:
    columns = _header(source.start) or []
    rows = list(_rows(source.text, len(columns)))
    if not rows:
        raise InputError("it has no cameras; align the images and export again")
    given = {_SAME.get(name, name): index for index, name in enumerate(columns)}
    angles = _angles(given)
    sidecars = {} if "f" in given else _lenses_of_sidecars(images)
    views, used = [], set()
    for row in rows:
        name = row[given["name"]]
        with naming(f"camera {name}"):
            values = {key: row[index] for key, index in given.items() if key != "name"}
            turned, image = angles(values), images.find(name)
            pose = Pose.at([float(values[key]) for key in ("x", "y", "alt")], turned)
            lens = None
            if image is not None and "f" in given:
                lens = _lens(image, values)
                used.add(tuple(key for key in (*_RADIAL, "t1", "t2") if float(values.get(key, 0))))
            elif image is not None:
                lens = sidecars.get(image)
                if lens is None:
                    raise InputError(
                        "the file has poses alone, and no XMP sidecar has its lens; export with the internal and "
                        "external camera parameters"
                    )
        views.append(View(name, image, pose, lens))
    generation = (
        "poses alone, lenses of XMP sidecars"
        if "f" not in given
        else ("columns of RealityScan 2" if "f_35mm" in columns else "columns of RealityCapture")
    )
    if "omega" in given:
        generation += ", omega phi kappa"
    return Scene(
        "RealityCapture CSV", generation, "of the project", views, notes=_absent(given), doubts=_division(used)
    )


def _absent(given: Mapping[str, int]) -> list[str]:
    absent = [name for name in (*_RADIAL, "t1", "t2") if name not in given] if "f" in given else []
    return [f"no columns {', '.join(absent)}: taken as 0"] if absent else []


def _division(used: set[tuple[str, ...]]) -> list[str]:
    """A doubt where the parameters of the cameras that are not zero are those of the division model, too."""
    doubt = "the file doesn't name its model of distortion, and k1 is used alone: where that is division, it is wrong"
    return [doubt] if used == {("k1",)} else []


def read_xmp(source: Source, images: ImageFiles) -> Scene:
    found = [path for path in _sidecars(images.root) if _is_sidecar(path)]
    views, frames = [], set()
    for path in found:
        with naming(str(path)):
            node = _description(path)
            image = images.find(path.relative_to(images.root).with_suffix("").as_posix())
            turned, place = _value(node, "Rotation"), _value(node, "Position")
            pose = lens = None
            if turned is not None and place is not None:
                pose = Pose.at(np.array(place.split(), float), np.array(turned.split(), float).reshape(3, 3))
                lens = None if image is None else _lens_of(node, image)
                frames.add(_value(node, "Coordinates") or "unknown")
        views.append(View(path.stem, image, pose, lens))
    doubts = ["sidecars of several coordinate systems are mixed"] if len(frames) > 1 else []
    unit = f"of the project, coordinates: {', '.join(sorted(frames))}"
    return Scene("RealityCapture XMP", f"{len(found)} sidecars", unit, views, doubts=doubts)


def _header(text: str) -> list[str] | None:
    """Names of the columns; None where it is no such file."""
    lines = [line for line in text.splitlines()[:3] if not line.lower().startswith("#cameras")]
    names = [name.strip().lstrip("#").strip().lower() for name in (lines[0] if lines else "").split(",")]
    pose = {"name", "x", "y"} <= set(names) and {"pitch", "omega"} & set(names)
    return names if pose else None


def _rows(text: str, count: int) -> Iterator[list[str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lower().startswith("#cameras")][1:]
    for number, row in enumerate(csv.reader(io.StringIO("\n".join(lines))), 1):
        if len(row) != count:
            raise InputError(
                f"camera {number} has {len(row)} values for {count} columns; export with points as decimal separators"
            )
        yield [value.strip() for value in row]


def _angles(given: Mapping[str, int]) -> Callable[[Mapping[str, str]], Array]:
    """The function that makes the rotation (3, 3), world to camera, of a row's angles."""
    needed = ("x", "y", "alt", *(("omega", "phi", "kappa") if "omega" in given else ("heading", "pitch", "roll")))
    for name in (*needed, *(("px", "py") if "f" in given else ())):
        if name not in given:
            raise InputError(f"it has no column {name}; export the internal and external camera parameters")
    return _from_omega if "omega" in given else _from_heading


def _from_heading(row: Mapping[str, str]) -> Array:
    heading, pitch, roll = (np.radians(float(row[name])) for name in ("heading", "pitch", "roll"))
    return (_turn(2, -heading) @ _turn(0, pitch) @ _turn(1, roll) @ OPENGL).T


def _from_omega(row: Mapping[str, str]) -> Array:
    """Of angles that are not those of photogrammetry: the rows of M are the camera's z, x and -y axis.

    Its columns are the world's -z, x and y.
    """
    omega, phi, kappa = (np.radians(float(row[name])) for name in ("omega", "phi", "kappa"))
    m = _turn(0, omega) @ _turn(1, phi) @ _turn(2, kappa)
    z, x, minus_y = np.stack([m[:, 1], m[:, 2], -m[:, 0]], axis=1)
    return np.stack([x, -minus_y, z])


def _turn(axis: int, angle: float) -> Array:
    """The rotation (3, 3) by an angle about an axis of the frame."""
    cos, sin = np.cos(angle), np.sin(angle)
    made, (i, j) = np.eye(3), ((axis + 1) % 3, (axis + 2) % 3)
    made[i, i] = made[j, j] = cos
    made[j, i], made[i, j] = sin, -sin
    return made


def _lens(image: Path, row: Mapping[str, str]) -> BrownLens:
    radial = {name: float(row.get(name, 0)) for name in _RADIAL}
    width, height = size_of(image)
    long = max(width, height)
    focal = float(row["f"]) * long / _FILM
    cx, cy = width / 2 + float(row["px"]) * long, height / 2 + float(row["py"]) * long
    p1, p2 = float(row.get("t2", 0)), float(row.get("t1", 0))
    return BrownLens(width, height, focal, focal, cx, cy, p1=p1, p2=p2, **radial)


def _sidecars(folder: Path) -> Iterator[Path]:
    return (path for path in list_files(folder) if path.suffix.lower() == ".xmp")


def _is_sidecar(path: Path) -> bool:
    return _NAMESPACE.encode() in path.read_bytes()


def _description(path: Path) -> ElementTree.Element:
    """The element of a sidecar that has RealityCapture's values; others may stand beside it."""
    for node in ElementTree.fromstring(path.read_bytes()).iter():
        if node.tag.endswith("}Description") and any(
            _NAMESPACE in name for name in (*node.attrib, *(e.tag for e in node))
        ):
            return node
    raise KeyError("rdf:Description")


def _value(node: ElementTree.Element, name: str) -> str | None:
    """A value that is an attribute or a child."""
    key = f"{{{_NAMESPACE}}}{name}"
    return node.get(key) if key in node.attrib else node.findtext(key)


def _lens_of(node: ElementTree.Element, image: Path) -> BrownLens:
    for name, plain in (("Skew", 0.0), ("AspectRatio", 1.0)):
        if float(_value(node, name) or plain) != plain:
            raise InputError(
                f"its {name} is {_value(node, name)}, whose meaning is not known for sure; align without it"
            )
    coefficients = [float(each) for each in (_value(node, "DistortionCoeficients") or "0").split()]
    coefficients += [0.0] * (6 - len(coefficients))
    model = _value(node, "DistortionModel") or "unnamed"
    if any(coefficients) and model not in _BROWN:
        told = _DIVISION if model == "division" else f"the {model} model; align with a Brown model and export again"
        raise InputError(f"its distortion is {told}")
    keys = {"f": "FocalLength35mm", "px": "PrincipalPointU", "py": "PrincipalPointV"}
    values = {name: _value(node, key) for name, key in keys.items()}
    for name, key in keys.items():
        if values[name] is None:
            raise KeyError(key)
    row = {name: str(value) for name, value in values.items()}
    return _lens(image, row | dict(zip((*_RADIAL, "t1", "t2"), map(repr, coefficients), strict=True)))


def _lenses_of_sidecars(images: ImageFiles) -> dict[Path, BrownLens]:
    found = {}
    for path in images.paths:
        sidecar = path.with_suffix(".xmp")
        if sidecar.is_file() and _is_sidecar(sidecar):
            with naming(str(sidecar)):
                found[path] = _lens_of(_description(sidecar), path)
    return found
