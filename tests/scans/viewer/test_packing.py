"""Meshes in a page: read back by an independent reader of the format, and how many bytes they take."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capture import Mesh, Scan
from scans.predictions import Prediction
from scans.viewer.packing import ByteStore, pack_mesh
from scans.viewer.page import probability_bytes, view_page
from scans.viewer.reduction import reduced
from scans.viewer.view import View, ViewedScan
from tests.scans.viewer.made import ball, view


def read_page(page: str) -> tuple[dict[str, Any], bytes]:
    """The scene and the unpacked data of a page."""
    scene = re.search(r'<script type="application/json" id="scene">(.*?)</script>', page, re.DOTALL)
    data = re.search(r'<script type="text/plain" id="data">(.*?)</script>', page, re.DOTALL)
    assert scene and data
    return json.loads(scene[1]), zlib.decompress(base64.b64decode(data[1]))


def read_array(scene: dict[str, Any], data: bytes, name: str) -> list[int]:
    """Numbers of an array, before steps are summed."""
    place = scene["arrays"][name]
    count = place["count"]
    planes = [data[place["at"] + k * count : place["at"] + (k + 1) * count] for k in range(place["planes"])]
    return [sum(plane[i] << (8 * k) for k, plane in enumerate(planes)) for i in range(count)]


def read_steps(scene: dict[str, Any], data: bytes, name: str, rows: int, bits: int) -> NDArray[np.int64]:
    """(rows, C) numbers that are stored as steps."""
    values = read_array(scene, data, name)
    columns = []
    for start in range(0, len(values), rows):
        total, column = 0, []
        for value in values[start : start + rows]:
            total = (total + (value // 2 if value % 2 == 0 else -(value + 1) // 2)) % (1 << bits)
            column.append(total)
        columns.append(column)
    return np.array(columns).T


def read_corners(values: list[int]) -> list[int]:
    unused, corners = 0, []
    for value in values:
        corners.append(unused - value)
        unused += value == 0
    return corners


def test_a_page_holds_the_mesh_and_what_is_known_of_its_vertices() -> None:
    shown = view()
    scan, prediction = shown.scan.scan, shown.scan.prediction
    assert prediction is not None and prediction.distance_mm is not None and scan.colours is not None
    scene, data = read_page(view_page(shown))
    count = scene["scan"]["vertices"]
    steps = read_steps(scene, data, "scan.steps", count, 16)
    vertices = scene["scan"]["low"] + scene["scan"]["step"] * steps
    corners = np.array(read_corners(read_array(scene, data, "scan.corners"))).reshape(-1, 3)
    nearest = np.linalg.norm(vertices[:, None] - scan.vertices[None], axis=-1)
    which = nearest.argmin(axis=1)
    assert nearest.min(axis=1).max() < 0.2 / 65535 and count == len(np.unique(scan.faces))

    def rolled(faces: NDArray) -> set[tuple[int, ...]]:  # the same turning sense, from any corner
        return {tuple(np.roll(face, -int(np.argmin(face))).tolist()) for face in faces}

    same = np.unique(scan.vertices.round(7), axis=0, return_inverse=True)[1]  # the poles are many vertices
    assert rolled(same[which[corners]]) == rolled(same[scan.faces])
    colours = read_steps(scene, data, "scan.colour", count, 8)
    np.testing.assert_array_equal(colours, scan.colours[which])
    probability = read_steps(scene, data, "scan.probability", count, 8)[:, 0] / 255
    np.testing.assert_allclose(probability, prediction.probability[which], atol=1 / 255)
    np.testing.assert_array_equal(probability > 0.5, prediction.skin[which])
    distance = read_steps(scene, data, "scan.distance", count, 8)[:, 0]
    wanted = prediction.distance_mm[which]
    np.testing.assert_array_equal(distance, np.where(np.isnan(wanted), 255, np.where(wanted > 20, 254, 0)))
    np.testing.assert_array_equal(read_array(scene, data, "scan.part"), prediction.part[which])  # type: ignore[index]


def test_what_is_skin_stays_skin_in_a_byte() -> None:
    probability = np.float32([0, 0.4999, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.501, 1])
    np.testing.assert_array_equal(probability_bytes(probability) > 127.5, probability > 0.5)
    assert probability_bytes(probability)[[0, -1]].tolist() == [0, 255]


def test_steps_wrap_and_planes_without_bits_are_left_out() -> None:
    store = ByteStore()
    store.add("small", np.uint32([1, 2, 255]))
    store.add("large", np.uint32([1, 1 << 20]))
    store.add_differences("steps", np.uint8([250, 5, 250]))
    assert [store.places[name]["planes"] for name in ("small", "large", "steps")] == [1, 3, 1]
    scene = {"arrays": store.places}
    assert read_array(scene, store.joined(), "large") == [1, 1 << 20]
    assert read_steps(scene, store.joined(), "steps", 3, 8)[:, 0].tolist() == [250, 5, 250]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_meshes_of_any_size_and_flat_ones(scale: float) -> None:
    flat = Mesh(scale * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]]), np.int32([[0, 1, 2]]))
    packed = pack_mesh(flat)
    assert sorted(packed.kept.tolist()) == [0, 1, 2]  # the fourth is of no face
    np.testing.assert_allclose(packed.vertices, flat.vertices[packed.kept], atol=scale / 65535)


def test_a_quarter_of_a_million_vertices_take_less_than_15_megabytes() -> None:
    mesh = ball(500, 500)
    rng = np.random.default_rng(0)
    count = len(mesh.vertices)
    rough = mesh.vertices * (1 + 0.003 * rng.standard_normal((count, 1)))  # as noisy as stereo: nothing to predict
    colours = np.clip(120 + 20 * rng.standard_normal((count, 3)), 0, 255).astype(np.uint8)
    probability = rng.random(count).astype(np.float32)
    part = rng.integers(0, 12, count).astype(np.uint8)
    prediction = Prediction(probability, probability > 0.5, "", 20 * probability, part, probability)
    page = view_page(View("large", ViewedScan(Scan(rough, mesh.faces, colours), prediction)))
    assert count >= 250_000 and len(page.encode()) < 8_000_000


def test_larger_scans_are_thinned_evenly_and_the_page_says_so() -> None:
    mesh = ball(60, 90)
    small, kept = reduced(mesh, 1000)
    assert 500 < len(small.vertices) <= 1000
    np.testing.assert_array_equal(small.vertices, mesh.vertices[kept])
    assert np.abs(np.linalg.norm(small.vertices, axis=1) - 0.1).max() < 1e-6
    edges = np.linalg.norm(small.vertices[small.faces[:, 0]] - small.vertices[small.faces[:, 1]], axis=1)
    assert edges.max() < 0.04
    same, every = reduced(mesh, len(mesh.vertices))
    assert same is mesh and len(every) == len(mesh.vertices)


def test_the_page_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scans.viewer.page.reduced", lambda mesh: reduced(mesh, 1000))
    scene, _ = read_page(view_page(view()))
    assert scene["scan"]["vertices"] <= 1000
    assert f"of its {len(ball().vertices):,} vertices" in scene["facts"][-1]


@pytest.mark.parametrize("used", [True, False], ids=["a stray piece", "an unused vertex"])
def test_what_is_far_away_does_not_spoil_the_reduction(monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    monkeypatch.setattr("scans.viewer.page.reduced", lambda mesh: reduced(mesh, 1000))
    mesh = ball(60, 90)
    count = len(mesh.vertices)
    vertices = np.concatenate([500.0 + 0.001 * np.eye(3), mesh.vertices])  # first: the numbers of all others move
    faces = np.concatenate([np.int32([[0, 1, 2]]), mesh.faces + 3]) if used else mesh.faces + 3
    shade = np.where(vertices[:, 2:] > 0, np.uint8([230, 210, 30]), np.uint8([200, 20, 20]))
    scene, data = read_page(view_page(View("far", ViewedScan(Scan(vertices, faces.astype(np.int32), shade)))))
    shown = scene["scan"]["vertices"]
    assert 500 < shown <= 1000
    assert scene["facts"] == [
        *([f"1 of its {len(faces):,} faces, far from the others, are not shown"] if used else []),
        f"shown with {shown:,} of its {count + 3:,} vertices",
    ]
    steps = read_steps(scene, data, "scan.steps", shown, 16)
    height = (scene["scan"]["low"] + scene["scan"]["step"] * steps)[:, 2]
    colours = read_steps(scene, data, "scan.colour", shown, 8)
    clear = np.abs(height) > 1e-5
    np.testing.assert_array_equal(colours[clear, 2] == 30, height[clear] > 0)


def test_a_piece_far_away_does_not_coarsen_the_scan() -> None:
    mesh = ball()
    count = len(mesh.vertices)
    far = np.concatenate([mesh.vertices, 500.0 + 0.001 * np.eye(3)])
    faces = np.concatenate([mesh.faces, np.int32([[count, count + 1, count + 2]])])
    scene, _ = read_page(view_page(View("far", ViewedScan(Scan(far, faces)))))
    assert scene["scan"]["step"] < 1e-5 and scene["pose"]["radius"] < 0.2
