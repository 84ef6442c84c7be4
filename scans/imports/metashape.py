"""Agisoft Metashape and PhotoScan: the XML of "Export cameras", and `doc.xml` of a .psz archive.

Two generations of calibrations share one file format. The older one (PhotoScan up to 1.2) writes fx, fy, an absolute
principal point, and p1, p2 in OpenCV's order; the newer one f, b1 = fx - f, b2 (skew), an offset of the principal point
from the image's middle, and p1, p2 in the other order. They are told apart by the name of the focal length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles
from scans.imports.records import Array, BrownLens, Observed, Pose, Scene, View, naming
from scans.imports.source import Source

Element = ElementTree.Element

_OFF = ("false", "0", "", "none", "disabled")
_KNOWN = {"f", "fx", "fy", "cx", "cy", "b1", "b2", "skew", "k1", "k2", "k3", "k4", "p1", "p2", "p3", "p4"}
_CHUNKS = ("chunk", "chunks/chunk")


def recognise(source: Source) -> bool:
    root = _root(source)
    return root is not None and root.tag == "document" and any(root.find(path) is not None for path in _CHUNKS)


def read(source: Source, images: ImageFiles) -> Scene:
    root = _root(source)
    assert root is not None
    chunk = _chunk([each for path in _CHUNKS for each in root.findall(path)])
    calibrations = _calibrations(chunk)
    frames = _Frames(chunk)
    cameras = list(chunk.iterfind("cameras//camera"))
    if not cameras:
        raise InputError("it has no cameras; export them with File > Export > Export Cameras")
    component = frames.largest(cameras)
    views, disabled, others = [], 0, 0
    for camera in cameras:
        label = camera.get("label") or f"camera {camera.get('id')}"
        image, pose, lens = images.find(label), None, None
        if _is_off(camera.get("enabled", "true")):
            disabled += 1
        elif camera.get("component_id") != component and camera.find("transform") is not None:
            others += 1
        elif (matrix := camera.find("transform")) is not None:
            with naming(f"camera {label}"):
                _refuse_rig(camera)
                lens = calibrations[str(camera.get("sensor_id"))]()
                pose = frames.pose(component, _numbers(matrix).reshape(4, 4))
        views.append(View(label, image, pose, lens))
    notes = [f"{disabled} disabled in the project and left out"] if disabled else []
    if others:
        notes.append(f"{others} aligned in other components, whose frames are others, and left out")
    lenses = [view.lens for view in views if view.lens is not None]
    old = chunk.find("sensors/sensor/calibration/fx") is not None
    generation = f"document {root.get('version', 'without version')}, "
    generation += (
        "older calibrations: fx, fy, absolute cx, cy" if old else "newer calibrations: f, b1, b2, p1 is OpenCV's p2"
    )
    unit = _unit(chunk, frames.has(component))
    markers = _markers(chunk, [str(camera.get("id")) for camera in cameras], measured=unit.startswith("local"))
    tool = "PhotoScan XML" if old else "Metashape XML"
    return Scene(tool, generation if lenses else "", unit, views, markers=markers, notes=notes)


def _root(source: Source) -> Element | None:
    if source.zip is not None and "doc.xml" in source.zip.namelist():
        try:
            return ElementTree.fromstring(source.zip.read("doc.xml"))
        except ElementTree.ParseError as error:
            raise InputError(f"doc.xml in it is not valid XML: {error}") from None
    return source.xml


def _chunk(chunks: Sequence[Element]) -> Element:
    """The chunk that has aligned cameras; raises `InputError` where several have."""
    aligned = [chunk for chunk in chunks if chunk.find("cameras//camera/transform") is not None]
    if len(aligned) > 1:
        names = ", ".join(chunk.get("label", "?") for chunk in aligned)
        raise InputError(f"{len(aligned)} chunks have cameras ({names}), each in its own frame; export one chunk")
    return (aligned or list(chunks))[0]


def _is_off(value: str | None) -> bool:
    return (value or "").strip().lower() in _OFF


def _numbers(element: Element) -> Array:
    return np.array((element.text or "").split(), float)


@dataclass(frozen=True)
class _Calibration:
    """A sensor's lens, which is computed where a camera needs it: files hold unused sensors without any."""

    sensor: Element

    def __call__(self) -> BrownLens:
        sensor = self.sensor
        with naming(f"sensor {sensor.get('label', sensor.get('id', ''))}"):
            _refuse_kind(sensor.get("type", "frame"))
            _refuse_rig(sensor)
            given = sensor.findall("calibration")
            chosen = [each for each in given if each.get("class") == "adjusted"] or given
            if not chosen:
                raise InputError("it has no calibration; optimise the cameras and export again")
            _refuse_kind(chosen[0].get("type", "frame"))
            return _lens(chosen[0], sensor)


def _calibrations(chunk: Element) -> dict[str, _Calibration]:
    return {str(sensor.get("id")): _Calibration(sensor) for sensor in chunk.iterfind("sensors/sensor")}


def _lens(calibration: Element, sensor: Element) -> BrownLens:
    size = calibration.find("resolution")
    size = sensor.find("resolution") if size is None else size
    if size is None:
        raise KeyError("resolution")
    width, height = int(size.attrib["width"]), int(size.attrib["height"])
    values = {
        child.tag: float(child.text or "nan") for child in calibration if child.tag != "resolution" and child.text
    }
    for name, value in values.items():
        if name not in _KNOWN or (name in ("p3", "p4") and value):
            raise InputError(
                f"its calibration has {name} = {value:g}, which is no part of a Brown model; fit without it"
            )

    def get(name: str) -> float:
        return values.get(name, 0.0)

    radial = {name: get(name) for name in ("k1", "k2", "k3", "k4")}
    if "f" in values:
        f, cx, cy = get("f"), width / 2 + get("cx"), height / 2 + get("cy")
        return BrownLens(width, height, f + get("b1"), f, cx, cy, get("b2"), p1=get("p2"), p2=get("p1"), **radial)
    focal = values["fx"], values["fy"]
    middle = values.get("cx", width / 2), values.get("cy", height / 2)
    return BrownLens(width, height, *focal, *middle, get("skew"), p1=get("p1"), p2=get("p2"), **radial)


def _refuse_kind(kind: str) -> None:
    if kind != "frame":
        raise InputError(f"it is a {kind} camera; only frame cameras are read: export undistorted images with theirs")


def _refuse_rig(element: Element) -> None:
    """Raise `InputError` for a sensor or camera whose pose or image another rule than a pinhole's makes."""
    if any(not _is_off(value) for value in _values(element, "rolling_shutter")):
        raise InputError("it has rolling shutter compensation, which no COLMAP camera has; align again without it")
    layers = [value for value in _values(element, "layer_index") if not _is_off(value)]
    if element.get("master_id") is not None or layers:
        raise InputError("it is part of a multi-camera rig (master_id, layer_index), which is not read; export COLMAP")
    for name, nothing in (("rotation", np.eye(3).ravel()), ("location", np.zeros(3))):
        offset = element.find(name)
        if element.tag == "sensor" and offset is not None and (offset.text or "").strip():
            values = _numbers(offset)
            if values.shape != nothing.shape or not np.allclose(values, nothing, atol=1e-12):
                raise InputError(f"its sensor has a {name} in a multi-camera rig, which is not read; export COLMAP")


def _values(element: Element, name: str) -> Iterator[str | None]:
    """All values of that name: of an attribute, of properties, and of children."""
    yield element.get(name)
    for each in element:
        if each.tag == "property" and each.get("name") == name:
            yield each.get("value")
        elif each.tag == name:
            yield (each.text or "").strip() or "".join(child.tag for child in each)


class _Frames:
    """The similarities from a chunk's own frame to the world: of its components, else of the chunk.

    The file writes the active component's a second time as the chunk's; one of both is applied.
    """

    def __init__(self, chunk: Element) -> None:
        own = _similarity(chunk.find("transform"))
        self._chunk = own
        self._components = {
            str(each.get("id")): _similarity(each.find("transform")) for each in chunk.iterfind("components/component")
        }

    def largest(self, cameras: Sequence[Element]) -> str | None:
        """The component that most of the aligned cameras are in."""
        count = Counter(each.get("component_id") for each in cameras if each.find("transform") is not None)
        return max(count, key=lambda name: count[name]) if count else None

    def has(self, component: str | None) -> bool:
        return self._of(component) is not None

    def pose(self, component: str | None, matrix: Array) -> Pose:
        """The pose in the world of a camera whose camera-to-chunk matrix is (4, 4)."""
        scale, rotation, translation = self._of(component) or (1.0, np.eye(3), np.zeros(3))
        turned = rotation @ matrix[:3, :3]
        return Pose.at(scale * rotation @ matrix[:3, 3] + translation, turned.T)

    def _of(self, component: str | None) -> tuple[float, Array, Array] | None:
        return self._components.get(str(component)) or self._chunk


def _similarity(element: Element | None) -> tuple[float, Array, Array] | None:
    if element is None or element.find("rotation") is None:
        return None
    with naming("the transform of the chunk"):
        rotation, translation, scale = (element.find(name) for name in ("rotation", "translation", "scale"))
        assert rotation is not None
        if translation is None:
            raise KeyError("translation")
        turned = Pose(_numbers(rotation).reshape(3, 3), np.zeros(3)).rotation
        return 1.0 if scale is None else float(_numbers(scale)[0]), turned, _numbers(translation).reshape(3)


def _unit(chunk: Element, transformed: bool) -> str:
    text = (chunk.findtext("reference") or "").strip()
    if not transformed:
        return "of the chunk, which has no scale"
    if text.startswith("LOCAL_CS"):
        unit = text.partition("UNIT[")[2].partition('"')[2].partition('"')[0] or "unknown"
        return f"local, {unit}"
    if text:
        return f"metres, geocentric ({text.partition('[')[0]}): coordinates are in the millions"
    return "of the project"


def _markers(chunk: Element, cameras: Sequence[str], measured: bool) -> Observed:
    """Markers that two cameras or more see, at their measured places where those are in the cameras' frame."""
    number = {name: index for index, name in enumerate(cameras)}
    places = {str(each.get("id")): each.find("reference") for each in chunk.iterfind("markers/marker")}
    positions, views, pixels = [], [], []
    for marker in chunk.iterfind("frames/frame/markers/marker"):
        seen = [
            (number[str(each.get("camera_id"))], float(each.attrib["x"]), float(each.attrib["y"]))
            for each in marker.iterfind("location")
            if not _is_off(each.get("valid", "true")) and str(each.get("camera_id")) in number
        ]
        place = places.get(str(marker.get("marker_id"))) if measured else None
        positions.append(list(_place(None if place is None else place.attrib)))
        views.append(np.array([each[0] for each in seen], np.int64))
        pixels.append(np.array([each[1:] for each in seen], float).reshape(-1, 2))
    return Observed(np.array(positions, float).reshape(-1, 3), views, pixels)


def _place(reference: Mapping[str, str] | None) -> Iterator[float]:
    known = reference is not None and not _is_off(reference.get("enabled", "true"))
    for axis in "xyz":
        yield float(reference.get(axis, "nan")) if known and reference is not None else float("nan")
