"""3MF files: meshes of an archive's build, placed as it says.

Source: 3MF Core Specification 1.3, sections 3.3 (transforms are of row vectors), 3.4 and 4.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Scan

_CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MODEL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
_PATH = "{http://schemas.microsoft.com/3dmanufacturing/production/2015/06}path"
_DAMAGE = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, OSError, EOFError, RuntimeError)
_DEEPEST = 32  # components within components

Placed = tuple[NDArray[np.float64], NDArray[np.int64]]


def read_3mf(data: bytes) -> Scan:
    """The meshes of the build's items, one behind the other, in the file's unit.

    Raises `ValueError` or `InputError` where the file is damaged or its parts lie in several files.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            root = ElementTree.fromstring(archive.read(_model_path(archive)))
    except _DAMAGE as error:
        raise ValueError(str(error)) from None
    objects = {str(each.get("id")): each for each in root.iterfind(f"{_CORE}resources/{_CORE}object")}
    meshes: list[Placed] = []
    for item in root.iterfind(f"{_CORE}build/{_CORE}item"):
        meshes += _placed(item, objects, np.eye(4), 0)
    if not meshes:
        raise InputError("has no faces; a mesh is needed")
    first = np.cumsum([0, *(len(points) for points, _ in meshes)])
    faces = np.concatenate([corners + start for (_, corners), start in zip(meshes, first[:-1], strict=True)])
    return Scan(np.concatenate([points for points, _ in meshes]), faces.astype(np.int32))


def _model_path(archive: zipfile.ZipFile) -> str:
    for relation in ElementTree.fromstring(archive.read("_rels/.rels")).iter(_RELATIONS):
        if relation.get("Type") == _MODEL:
            return str(relation.get("Target")).lstrip("/")
    raise ValueError("it has no 3D model")


def _placed(
    place: ElementTree.Element, objects: dict[str, ElementTree.Element], outer: NDArray, depth: int
) -> Iterator[Placed]:
    """The meshes of an item or a component, moved by `outer` after its own transform."""
    if place.get(_PATH) is not None or depth > _DEEPEST:
        raise ValueError("its parts lie in several files, or in one another; export it as one mesh")
    own = np.eye(4)
    if (text := place.get("transform")) is not None:
        own[:, :3] = np.array(text.split(), np.float64).reshape(4, 3)
    matrix = own @ outer
    found = objects.get(str(place.get("objectid")))
    if found is None:
        raise ValueError("it names an object that is not there")
    mesh = found.find(f"{_CORE}mesh")
    if mesh is not None:
        points = _rows(mesh.iterfind(f"{_CORE}vertices/{_CORE}vertex"), "xyz", np.float64)
        corners = _rows(mesh.iterfind(f"{_CORE}triangles/{_CORE}triangle"), ("v1", "v2", "v3"), np.int64)
        if corners.size and (corners.min() < 0 or corners.max() >= len(points)):
            raise ValueError("a face refers to a vertex that is not there")
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        yield points @ matrix[:3, :3] + matrix[3, :3], corners[:, ::-1] if mirrored else corners
    for component in found.iterfind(f"{_CORE}components/{_CORE}component"):
        yield from _placed(component, objects, matrix, depth + 1)


def _rows(elements: Iterator[ElementTree.Element], names: str | tuple[str, ...], kind: type) -> NDArray:
    try:
        return (
            np.array([[each.attrib[name] for name in names] for each in elements], dtype=object)
            .astype(kind)
            .reshape(-1, 3)
        )
    except KeyError as error:
        raise ValueError(f"a row has no {error.args[0]}") from None
