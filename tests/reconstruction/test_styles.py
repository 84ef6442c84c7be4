"""Styles of scans: drawn, by name, and what they do to a mesh."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import cKDTree

from capture import Camera, Capture, CaptureInfo, InputError, Scan, vertex_normals
from capture.geometry import unit
from capture.ply.files import read_ply
from capture.variants import ScanVariant, find_variants
from reconstruction import ReconstructionSettings, reconstruct, reconstruct_capture
from reconstruction.cleaning import keep_vertices
from reconstruction.coarser import with_coarser
from reconstruction.colmap.quiet import without_poisson_warnings
from reconstruction.depth import DepthLevel, DepthMap
from reconstruction.finishing import cut_below, finish, up_of, wall_behind
from reconstruction.fusion import PointCloud
from reconstruction.pipeline import reconstruct_styles
from reconstruction.silhouettes import Silhouettes
from reconstruction.styles import STYLES, ScanStyle, sample_style, style_named, styles_of
from reconstruction.views import View
from scans.distance import surface_distance
from scans.scale import CaptureScale
from tests.reconstruction.synthetic import RADIUS, grid, look_at, make_capture, render, rig, sphere_depth

UP = np.array([0.0, 0.0, 1.0])


@given(st.integers(0, 2**32), st.integers(2, 6))
def test_drawn_styles_are_valid_and_stay_as_more_are_drawn(seed: int, count: int) -> None:
    styles = styles_of(seed, "trimmed", count)
    assert styles[0] == STYLES["trimmed"]
    assert styles_of(seed, "trimmed", count + 1)[:count] == styles
    for style in styles:
        assert ScanStyle.from_json(json.loads(json.dumps(style.to_json())), "here") == style
        assert (
            style.name in STYLES and 0 <= style.cut <= 0.33 and style.octree_levels <= 2 and 0.1 <= style.share <= 1.6
        )


def test_drawn_styles_differ_and_most_keep_hair() -> None:
    drawn = [sample_style(np.random.default_rng(seed)) for seed in range(300)]
    assert {style.name for style in drawn} == {"hair", "trimmed", "closed", "shell", "fringed"}
    assert 0.75 < np.mean([style.keep_hair for style in drawn]) < 0.95
    for trait in ("smooth_mm", "noise_mm", "cut", "wall_mm"):
        assert 0.03 < np.mean([getattr(style, trait) > 0 for style in drawn]) < 0.5, trait
    assert len({style.share for style in drawn}) > 150


@pytest.mark.parametrize(
    "make",
    [
        lambda: style_named("curly"),
        lambda: ReconstructionSettings(style="curly"),
        lambda: ReconstructionSettings(styles=0),
        lambda: ReconstructionSettings(styles=101),
        lambda: ScanStyle(noise_mm=-1),
        lambda: ScanStyle(smooth_mm=float("nan")),
        lambda: ScanStyle(cut=0.95),
        lambda: ScanStyle(share=0),
        lambda: ScanStyle.from_json({"nothing": 1}, "style_01.json"),
        lambda: ScanStyle.from_json([], "style_01.json"),
    ],
)
def test_what_is_no_style_is_refused_in_a_line(make: object) -> None:
    with pytest.raises(InputError) as refused:
        make()  # type: ignore[operator]
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def ball() -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.creation.icosphere(6, RADIUS)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def test_noise_has_its_size_and_its_width(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    heights = {}
    for width in (2.0, 8.0):
        style = ScanStyle(noise_mm=0.4, noise_width_mm=width)
        moved = finish(vertices, faces, style, np.random.default_rng(3))
        heights[width] = np.linalg.norm(moved, axis=1) - RADIUS
        assert np.std(heights[width]) == pytest.approx(0.0004, rel=0.05)
        np.testing.assert_allclose(moved / np.linalg.norm(moved, axis=1, keepdims=True), vertices / RADIUS, atol=1e-3)
    edge = trimesh.Trimesh(vertices, faces, process=False).edges_unique

    def step(values: np.ndarray) -> float:
        return float(np.std(values[edge[:, 0]] - values[edge[:, 1]]))

    assert step(heights[8.0]) < 0.5 * step(heights[2.0])


def test_smoothing_takes_the_noise_away_and_leaves_borders(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = cut_below(*ball, UP, 0.5)
    rng = np.random.default_rng(1)
    rough = vertices + rng.normal(0, 0.0005, len(vertices))[:, None] * vertices / RADIUS
    smooth = finish(rough, faces, ScanStyle(smooth_mm=3.0), rng)
    inner = vertices[:, 2] > 0.02
    spread = [np.std(np.linalg.norm(each[inner], axis=1)) for each in (rough, smooth)]
    assert spread[1] < 0.3 * spread[0]
    border = trimesh.Trimesh(vertices, faces, process=False).outline().referenced_vertices
    np.testing.assert_array_equal(smooth[border], rough[border])


@given(share=st.floats(0.0, 0.8))
def test_a_cut_leaves_what_is_above(share: float) -> None:
    mesh = trimesh.creation.icosphere(3, 1.0)
    vertices, _ = cut_below(np.asarray(mesh.vertices), np.asarray(mesh.faces), UP, share)
    assert vertices[:, 2].min() >= -1 + 2 * share - 0.05
    assert vertices[:, 2].max() > 0.99


def test_a_wall_stands_behind_and_faces_the_cameras(ball: tuple[np.ndarray, np.ndarray]) -> None:
    cameras = rig(96)
    up = up_of(cameras)
    assert up @ UP > 0.99
    points, faces, normals = wall_behind(ball[0], cameras, up, 0.2, np.random.default_rng(0))
    assert 0.28 < points[:, 1].min() < points[:, 1].max() < 0.32  # cameras look along +y; the ball ends at 0.1
    assert normals[:, 1].mean() < -0.9
    np.testing.assert_array_equal(normals, vertex_normals(points, faces))
    assert np.ptp(points[:, 2]) > 0.8 and np.std(points[:, 1]) > 0.0005


def test_silhouettes_hold_the_hull_and_nothing_beside(tmp_path: Path) -> None:
    cameras = rig(96)
    masks = [sphere_depth(camera, grid(camera)) > 0 for camera in cameras]
    hull = Silhouettes(cameras, masks)
    inside = np.array([[0, 0, 0], [0, -0.09, 0], [0.09, 0, 0]], float)
    beside = np.array([[0.115, 0, 0], [0, 0, -0.118]], float)
    assert hull.hold(inside, 0).all()
    assert not hull.hold(beside, 0).any()
    assert hull.hold(beside, 12).all()
    assert Silhouettes.of_capture(make_capture(tmp_path / "plain"), None, np.zeros(3)) is None


def test_silhouettes_are_those_that_are_named_or_the_class_masks_of_a_render(tmp_path: Path) -> None:
    rendered = hairy(tmp_path / "rendered", 96)
    origin = np.array([0.5, 0.0, 0.0])
    found = Silhouettes.of_capture(rendered, None, origin)
    assert found is not None and found.hold(np.array([[-0.5, -0.05, 0.0]]), 0).all()
    own = replace(rendered, info=CaptureInfo("own"))
    assert Silhouettes.of_capture(own, None, origin) is None, "masks that nobody has named"
    named = Silhouettes.of_capture(own, rendered.mask_paths, origin)
    assert named is not None
    for one, two in zip(named.masks, found.masks, strict=True):
        np.testing.assert_array_equal(one, two)


def hairy(folder: Path, size: int = 192) -> Capture:
    """The sphere whose upper half glitters: pixels differ from view to view, the means of two by two don't."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    cameras: list[Camera] = rig(size)
    for number, camera in enumerate(cameras):
        image = render(camera).astype(float)
        depth = sphere_depth(camera, grid(camera))
        points = camera.unproject(grid(camera), np.where(depth > 0, depth, 1))
        signs = np.random.default_rng(number).choice([-1, 1], (size // 2, size // 2))
        glitter = 80 * np.kron(signs, [[1, -1], [-1, 1]])
        upper = (depth > 0) & (points[..., 2] > 0.01)
        image[upper] = 128 + 0.35 * (image[upper] - 128) + glitter[upper][:, None]
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / "images" / camera.name)
        Image.fromarray((depth > 0).astype(np.uint8)).save(folder / "masks" / camera.name)
    return Capture.create(folder, cameras, CaptureInfo("hairy", seed=5, spec={"hair": "glitter"}))


@pytest.fixture(scope="module")
def glittering(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    capture = hairy(tmp_path_factory.mktemp("styles") / "capture")
    reconstruct_capture(capture.folder, ReconstructionSettings(backend="cpu", styles=3, max_hole=0))
    return capture


def upper_area(scan: Scan) -> float:
    """Share of the seen upper part of the sphere that has scan within 5 mm."""
    points = directions(4000)
    points = points[(points[:, 2] > 0.2) & (points[:, 2] < 0.8) & (points[:, 1] < -0.4)]
    distance, _ = surface_distance(RADIUS * points, scan)
    return float((distance < 0.005).mean())


def directions(count: int) -> np.ndarray:
    """(count, 3) unit vectors."""
    return unit(np.random.default_rng(0).normal(size=(count, 3)))


def ball_maps(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Exact depth and normals of the sphere."""
    depth = sphere_depth(camera, grid(camera))
    points = camera.unproject(grid(camera), np.where(depth > 0, depth, 1))
    normal = np.where(depth[..., None] > 0, points / RADIUS, [0, -1, 0]) @ camera.rotation.T
    return depth.astype(np.float32), normal.astype(np.float32)


@pytest.fixture(scope="module")
def by_style(glittering: Capture) -> dict[str, Scan]:
    """A scan in every style."""
    scans = reconstruct_styles(
        glittering,
        ReconstructionSettings(backend="cpu", max_hole=0, poisson_depth=7, min_consistent=3),  # of five views
        list(STYLES.values()),
    )
    return dict(zip(STYLES, scans, strict=True))


def test_styles_that_keep_hair_have_what_the_finest_level_lacks(by_style: dict[str, Scan]) -> None:
    assert upper_area(by_style["trimmed"]) < 0.9
    for name, style in STYLES.items():
        assert upper_area(by_style[name]) > 0.97 or not style.keep_hair, name


def test_points_of_a_coarser_level_fill_what_the_finest_has_left_open(tmp_path: Path) -> None:
    cameras = [camera.resized(48, 48) for camera in rig(96)]
    maps = [DepthMap(*ball_maps(camera)) for camera in cameras]
    maps[0].depth[2:6, 2:6] = 0.5  # in the background
    views = [View(camera, render(camera)) for camera in rig(96)]
    known = RADIUS * directions(2000)
    known = known[known[:, 2] < 0]
    colours = np.zeros((len(known), 3), np.uint8)
    cloud = PointCloud(known, known / RADIUS, colours, tmp_path / "fused.ply")
    hull = Silhouettes(rig(96), [sphere_depth(camera, grid(camera)) > 0 for camera in rig(96)])
    level = DepthLevel(cameras, maps)
    nothing = np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    both = with_coarser(cloud, nothing, views, [level], 0.0014, hull)
    added, sizes = both.positions[len(known) :], both.sizes
    assert sizes is not None and len(read_ply(both.path).vertex["x"]) == len(both.positions)
    np.testing.assert_array_equal(both.positions[: len(known)], known)
    assert np.unique(sizes[len(known) :]).tolist() == [level.footprint] and level.footprint > 0.004
    assert np.abs(np.linalg.norm(added, axis=1) - RADIUS).max() < 0.002
    assert cKDTree(known).query(added)[0].min() >= level.footprint
    assert ((added * both.normals[len(known) :]).sum(axis=1) > 0.9 * RADIUS).all()
    seen = RADIUS * directions(500)
    seen = seen[(seen[:, 2] > 0.02) & (seen[:, 2] < 0.07) & (seen[:, 1] < -0.06)]
    assert cKDTree(added).query(seen)[0].max() < 0.008
    bare = with_coarser(cloud, nothing, views, [level], 0.0014, None)
    assert len(bare.positions) > len(both.positions), "nothing was held out"


def test_the_surface_through_the_finest_points_is_kept_where_it_goes_on(tmp_path: Path) -> None:
    """A level of half the size lies 7 mm too far out: it fills what the surface leaves open, not what that closes."""
    cameras = [camera.resized(48, 48) for camera in rig(96)]
    level = DepthLevel(
        cameras, [DepthMap(depth - 0.007 * (depth > 0), normal) for depth, normal in map(ball_maps, cameras)]
    )
    mesh = trimesh.creation.icosphere(5, RADIUS)
    vertices, faces = keep_vertices(np.asarray(mesh.vertices), mesh.faces, mesh.vertices[:, 2] < 0.03)
    gap = (np.abs(vertices[:, 0]) < 0.03) & (np.abs(vertices[:, 2]) < 0.015)
    known = vertices[~gap]
    cloud = PointCloud(known, known / RADIUS, np.full((len(known), 3), 90, np.uint8), tmp_path / "fused.ply")
    views = [View(camera, render(camera)) for camera in rig(96)]
    both = with_coarser(cloud, (vertices, faces), views, [level], 0.0014, None, rim=0.004)
    assert both.sizes is not None and 0.0036 < level.footprint < 0.007
    new, sizes = both.positions[len(known) :], both.sizes[len(known) :]
    taken, filled = (new[sizes == size] for size in (0.0014, level.footprint))
    assert cKDTree(taken).query(vertices[gap])[0].max() < 0.003, "the gap is the surface's"
    assert (np.abs(np.linalg.norm(taken, axis=1) - RADIUS) < 1e-9).all() and taken[:, 2].max() < 0.026
    assert len(filled) > 50 and 0.02 < filled[:, 2].min() < 0.034, "beside its border and beyond"
    nothing = np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    alone = with_coarser(cloud, nothing, views, [level], 0.0014, None).positions[len(known) :]
    assert (alone[:, 2] < 0.02).sum() > 100, "without the surface the level covers all"


def test_walls_of_different_heads_differ(glittering: Capture) -> None:
    settings = ReconstructionSettings(backend="cpu", style="wall", max_hole=0, poisson_depth=6)
    scans = [reconstruct(replace(glittering, info=replace(glittering.info, seed=seed)), settings) for seed in (5, 5, 6)]
    walls = [scan.vertices[-1000:] for scan in scans]
    np.testing.assert_array_equal(walls[0], walls[1])
    assert (walls[0] != walls[2]).any()


def test_lengths_of_a_style_go_by_the_unit_of_the_cameras(tmp_path: Path) -> None:
    """A ball in centimetres, by its scale or as large as a bust, is closed as far as one in metres."""
    settings, reach = ReconstructionSettings(backend="cpu", style="closed"), {}
    for name, size, stated in (("m", 1.0, True), ("cm", 100.0, True), ("untold", 100.0, False)):
        capture = make_capture(tmp_path / name)
        cameras = [replace(camera, translation=camera.translation * size) for camera in capture.cameras]
        capture = Capture.create(capture.folder, cameras)
        if stated:
            CaptureScale(1 / size, 0.0, stated=True).write(capture.folder)
        reach[name] = (reconstruct(capture, settings).vertices / size)[:, 1].max()
    assert reach["cm"] == pytest.approx(reach["m"], abs=0.004)
    assert reach["m"] - 0.02 < reach["untold"] < reach["m"] + 0.002  # a ball of 20 cm is smaller than a bust of 35


def test_further_scans_leave_the_first_as_it_is(glittering: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    shutil.copytree(glittering.folder, folder, ignore=shutil.ignore_patterns("styles"))
    before = (folder / "scan.ply").read_bytes()
    reconstruct_capture(folder, ReconstructionSettings(backend="cpu", threads=1, max_hole=0))
    assert (folder / "scan.ply").read_bytes() == before
    assert not find_variants(folder)


def test_further_scans_are_of_the_styles_on_record(glittering: Capture) -> None:
    variants = find_variants(glittering.folder)
    assert [variant.number for variant in variants] == [1, 2]
    for variant, style in zip(variants, styles_of(5, "trimmed", 3)[1:], strict=True):
        assert ScanStyle.from_json(json.loads(variant.style_path.read_text()), "here") == style
        assert len(Scan.read(variant.scan_path).faces) > 50
    contents = [variant.scan_path.read_bytes() for variant in variants]
    assert contents[0] != contents[1] and glittering.scan_path.read_bytes() not in contents


def test_fewer_scans_remove_the_others(glittering: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "fewer"
    shutil.copytree(glittering.folder, folder)
    (folder / ScanVariant.FOLDER / "labels_02.npz").write_bytes(b"of the former scan")
    reconstruct_capture(folder, ReconstructionSettings(backend="cpu", styles=2, max_hole=0))
    assert sorted(path.name for path in (folder / "styles").iterdir()) == ["scan_01.ply", "style_01.json"]
    assert (folder / "styles/scan_01.ply").read_bytes() == (glittering.folder / "styles/scan_01.ply").read_bytes()


@pytest.mark.parametrize("name", STYLES)
def test_every_style_makes_a_clean_scan(by_style: dict[str, Scan], name: str) -> None:
    scan = by_style[name]
    mesh = trimesh.Trimesh(scan.vertices, scan.faces, process=False)
    assert (mesh.area_faces > 0).all() and len(scan.faces) > 100
    assert np.unique(mesh.edges_sorted, axis=0, return_counts=True)[1].max() <= 2
    assert scan.colours is not None and scan.normals is not None


def test_warnings_of_the_octree_are_left_out_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with without_poisson_warnings():
        os.write(2, b"before\n[WARNING] octree.inl (Line 1)\n          Extract\n          roots: 2\nafter\n")
        os.write(2, b"half a line")
    os.write(2, b" and its end\n")
    assert capfd.readouterr().err == "before\nafter\nhalf a line and its end\n"


def test_a_view_from_below_still_has_its_up() -> None:
    assert up_of([look_at("a", 0, -40, 64), look_at("b", 180, -40, 64)]) @ UP > 0.7
