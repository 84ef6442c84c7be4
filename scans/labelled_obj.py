"""A labelled scan as an OBJ file of groups, with the texture that its own file has."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Scan, write_bytes
from scans.labelled import Labelled
from scans.labelled_groups import GROUPS, OTHER, polygon_groups, vertex_groups
from scans.meshes.file_polygons import read_polygons
from scans.meshes.polygons import NO_MATERIAL, NO_PLACE, Material, Polygons, TextureMap
from scans.pictures import colours
from scans.predictions import PARTS

log = logging.getLogger(__name__)

_ODD = re.compile(r"[^\w.\-]")  # spaces end names for some readers

OBJ, MATERIALS, TEXTURES = "segmented.obj", "segmented.mtl", "segmented_textures"


def write_obj(labelled: Labelled) -> Path:
    """Write `segmented.obj`: polygon groups, materials and colours of the vertices tell what is skin; returns its path.

    Vertices are the scan's, in their order, frame and unit; polygons and texture coordinates are its file's, sorted by
    group. The colour of a vertex is grey, its probability of being skin. A group is a group and a material, of the same
    name. Where the scan's file has textures, materials are the file's own, one for each group that has it, and the
    images are copied into `segmented_textures/`.
    """
    scan, path = labelled.scan, labelled.scan_path
    polygons = Polygons.of_triangles(scan.faces) if path is None else read_polygons(path, scan)
    group = polygon_groups(vertex_groups(labelled.prediction), polygons)
    materials = polygons.materials if polygons.textured else ()
    own = polygons.material if materials else np.full(len(group), NO_MATERIAL)
    digits = 9 if scan.vertices.dtype == np.float32 else 17
    several = len(np.unique(own)) > 1
    lines = [f"mtllib {MATERIALS}", "o scan", *_vertex_lines(scan, labelled.prediction.probability, digits)]
    lines += [f"vt {u:.9g} {v:.9g}" for u, v in polygons.uvs.tolist()]
    library: dict[str, Material | None] = {}
    words = _corner_words(polygons)
    present = [number for number in range(len(GROUPS)) if (group == number).any()]
    for number in present:
        lines.append(f"g {GROUPS[number]}")
        for each in np.unique(own[group == number]).tolist():
            material = None if each == NO_MATERIAL else materials[each]
            name = _material_name(GROUPS[number], material, several)
            library[name] = material
            lines.append(f"usemtl {name}")
            lines += _face_lines(words, polygons, np.flatnonzero((group == number) & (own == each)))
    copied = _copy_images(labelled.folder / TEXTURES, materials)
    blocks = [_material_block(name, material, copied) for name, material in library.items()]
    write_bytes(labelled.folder / MATERIALS, "\n".join(blocks).encode())
    write_bytes(labelled.folder / OBJ, ("\n".join(lines) + "\n").encode())
    log.info("%s: groups %s", labelled.folder / OBJ, ", ".join(GROUPS[number] for number in present))
    return labelled.folder / OBJ


def _vertex_lines(scan: Scan, probability: NDArray, digits: int) -> Iterator[str]:
    for x, y, z, p in np.column_stack([scan.vertices.astype(np.float64), probability]).tolist():
        yield f"v {x:.{digits}g} {y:.{digits}g} {z:.{digits}g} {p:.4g} {p:.4g} {p:.4g}"


def _corner_words(polygons: Polygons) -> list[str]:
    """Each corner as a face names it; without texture coordinates where any corner of its polygon has none."""
    places = polygons.places + 1
    if len(places):
        lacking = np.minimum.reduceat(polygons.places, polygons.starts) == NO_PLACE
        places[np.repeat(lacking, polygons.sizes)] = 0
    pairs = zip((polygons.corners + 1).tolist(), places.tolist(), strict=True)
    return [f"{corner}/{place}" if place else f"{corner}" for corner, place in pairs]


def _face_lines(words: list[str], polygons: Polygons, rows: NDArray[np.int64]) -> Iterator[str]:
    starts = polygons.starts[rows]
    for start, end in zip(starts.tolist(), (starts + polygons.sizes[rows]).tolist(), strict=True):
        yield "f " + " ".join(words[start:end])


def _material_name(group: str, material: Material | None, several: bool) -> str:
    """The group's, with the material's own name behind it where the file has several."""
    return f"{group}.{_ODD.sub('_', material.name)}" if several and material is not None else group


def _material_block(name: str, material: Material | None, copied: dict[TextureMap, str]) -> str:
    """The material as a library has it: as the file's own library says, or of the group's colour."""
    lines = [f"Kd {_colour(name)}"] if material is None else list(material.lines)
    lines += [] if material is None else [f"{each.words} {TEXTURES}/{copied[each]}" for each in material.maps]
    return "\n".join([f"newmtl {name}", *lines, ""])


def _copy_images(folder: Path, materials: tuple[Material, ...]) -> dict[TextureMap, str]:
    """Copy the images of materials into a folder; returns the names that they have there."""
    named: dict[Path | bytes, str] = {}
    copied = {}
    for each in itertools.chain.from_iterable(material.maps for material in materials):
        if each.source not in named:
            named[each.source] = _free_name(each.name, set(named.values()))
            data = each.source if isinstance(each.source, bytes) else each.source.read_bytes()
            write_bytes(folder / named[each.source], data)
        copied[each] = named[each.source]
    return copied


def _free_name(name: str, taken: set[str]) -> str:
    """A name without odd letters that no other image has, whatever the case of its letters."""
    plain, number = Path(_ODD.sub("_", name)), 0
    made, used = plain.name, {each.casefold() for each in taken}
    while made.casefold() in used:
        number += 1
        made = f"{plain.stem}_{number}{plain.suffix}"
    return made


def _colour(name: str) -> str:
    """Red, green and blue of a group's material, 0 to 1."""
    rgb = colours.OTHER if name == OTHER else colours.part_colours(np.array([PARTS.index(name)]))[0]
    return " ".join(f"{value:.3f}" for value in rgb / 255)
