"""The scan's mesh from oriented points: Poisson, trimmed to what the images support, cleaned and simplified."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capture import Camera, RefusedError, Scan, vertex_normals
from capture.geometry import Floats, Ints, MeshArrays
from capture.ply.files import PlyMesh, read_ply, write_ply
from reconstruction.cleaning import (
    drop_bad_faces,
    keep_vertices,
    largest_components,
    make_manifold,
)
from reconstruction.colmap import pycolmap, without_poisson_warnings
from reconstruction.finishing import cut_below, finish, up_of, wall_behind
from reconstruction.fusion import PointCloud
from reconstruction.gaps import PLANES, closed_gaps
from reconstruction.settings import ReconstructionSettings
from reconstruction.styles import TRIMMED, ScanStyle

logger = logging.getLogger(__name__)

_VERTICES_PER_PIXEL = 0.25
_LEAST_LIFT = 0.7  # pixels: nearer to the tangent planes around it nothing is a web
_SCATTER = 1.5  # nor what leaves them no more than so many times as far as the points do themselves
_WIDER = 3.0  # times `max_hole`: holes up to this wide are closed where the surface around goes on through them
_WIDEST = 0.25  # of the object, but no wider than this
_FINEST = 600  # pixels across the object: finer ones bring no finer gaps, as skin is as smooth as before
_BUST, _BUST_SIZE = (0.15, 1.2), 0.35  # metres: what may be one, and how large one is
_LEAST_OCTREE = 5
_LEAST_VERTICES = 100
_FINISH = 0x66696E  # of the stream of noise and walls, beside the seeds


@dataclass(frozen=True, eq=False)
class MeshInput:
    """The points that the meshes of all styles are made of, and what belongs to them.

    Attributes:
        cloud: fused points.
        coarser: the same with the points of coarser levels; None where no style asks for them.
        cameras: N, of the images.
        footprint: size of a pixel on the surface, metres.
        image_pixels: pixels of one image; decides the number of vertices and the octree where not set.
        folder: for intermediate files.
        metres: of a unit of the cameras; None where it is not known.
        seed: of the capture: noise and walls of different heads differ.
        surface: the `trimmed_surface` of the style `trimmed`, where it is known.
    """

    cloud: PointCloud
    coarser: PointCloud | None
    cameras: Sequence[Camera]
    footprint: float
    image_pixels: int
    folder: Path
    metres: float | None = 1.0
    seed: int = 0
    surface: MeshArrays | None = None

    def points_of(self, style: ScanStyle) -> PointCloud:
        """The points that a style's mesh goes through."""
        return self.coarser if style.keep_hair and self.coarser is not None else self.cloud

    @property
    def metres_per_unit(self) -> float:
        """The scale that a style's lengths go by: where nobody tells it, that of an object as large as a bust."""
        if self.metres is not None:
            return self.metres
        size = _object_size(self.cloud)
        return 1.0 if _BUST[0] < size < _BUST[1] else _BUST_SIZE / size


def mesh_points(given: MeshInput, settings: ReconstructionSettings, style: ScanStyle = TRIMMED) -> Scan:
    """The scan through the points.

    Raises:
        RefusedError: where nothing is left after trimming.
    """
    metres = given.metres_per_unit
    style = style.in_unit(metres)
    cloud = given.points_of(style)
    known = given.surface if style.surface_key == TRIMMED.surface_key else None
    vertices, faces = known or trimmed_surface(given, settings, style)
    up = up_of(given.cameras)
    if style.cut:
        vertices, faces = cut_below(vertices, faces, up, style.cut)
    if len(faces) < 100:
        raise RefusedError("the mesh is empty after trimming: the images agree on too little; check poses, sharpness")
    least = 0.0 if style.pieces else settings.min_component
    vertices, faces = largest_components(vertices, faces, least)
    vertices, faces = make_manifold(*drop_bad_faces(vertices, faces))
    wanted = round(style.share * (settings.vertices or _VERTICES_PER_PIXEL * given.image_pixels))
    vertices, faces = _simplify(vertices, faces, max(_LEAST_VERTICES, wanted), given.folder)
    rng = np.random.default_rng([_FINISH, settings.seed, given.seed])
    vertices, faces = _tidy(finish(vertices, faces, style, rng), faces, least)
    scan = _scan_of(vertices, faces, cloud, settings)
    if style.wall_mm:
        scan = _with_wall(scan, given.cameras, cloud, up, style.wall_mm / 1000, metres, rng)
    logger.info("scan, style %s: %d vertices, %d faces", style.name, len(scan.vertices), len(scan.faces))
    return scan


def trimmed_surface(given: MeshInput, settings: ReconstructionSettings, style: ScanStyle = TRIMMED) -> MeshArrays:
    """The surface through the points, without what none supports, small holes aside; it may be empty."""
    cloud = given.points_of(style)
    depth = (settings.poisson_depth or _octree_depth(cloud, given.footprint)) - style.octree_levels
    vertices, faces = _poisson(cloud, given.folder, max(_LEAST_OCTREE, depth))
    if style.closed_mm:
        bound, workers = style.closed_mm / 1000, settings.threads or -1
        distance, _ = cKDTree(cloud.positions).query(vertices, distance_upper_bound=bound, workers=workers)
        return keep_vertices(vertices, faces, distance < bound)
    loose = replace(settings, max_gap=settings.max_gap * style.looseness, max_lift=settings.max_lift * style.looseness)
    near = supported(vertices, cloud, given.footprint, loose)
    size = _object_size(cloud)
    hole = settings.max_hole * max(given.footprint, size / _FINEST)
    widest = min(_WIDER * hole, _WIDEST * size)
    keep = near | closed_gaps(vertices, faces, near, cloud, hole, widest, given.footprint, settings.threads or -1)
    return keep_vertices(vertices, faces, keep)


def _scan_of(vertices: Floats, faces: Ints, cloud: PointCloud, settings: ReconstructionSettings) -> Scan:
    return Scan(
        vertices.astype(np.float32),
        faces.astype(np.int32),
        cloud.colours_at(vertices, settings.threads),
        vertex_normals(vertices, faces).astype(np.float32),
    )


def _with_wall(
    scan: Scan,
    cameras: Sequence[Camera],
    cloud: PointCloud,
    up: Floats,
    distance: float,
    metres: float,
    rng: np.random.Generator,
) -> Scan:
    """The scan and a wall behind it, as grey as the points on average."""
    points, faces, normals = wall_behind(scan.vertices.astype(float), cameras, up, distance, rng, metres)
    assert scan.colours is not None and scan.normals is not None
    grey = np.full((len(points), 3), round(float(cloud.colours.mean())), np.uint8)
    return Scan(
        np.concatenate([scan.vertices, points.astype(np.float32)]),
        np.concatenate([scan.faces, (faces + len(scan.vertices)).astype(np.int32)]),
        np.concatenate([scan.colours, grey]),
        np.concatenate([scan.normals, normals.astype(np.float32)]),
    )


def supported(
    vertices: Floats, cloud: PointCloud, footprint: float, settings: ReconstructionSettings
) -> NDArray[np.bool_]:
    """Vertices (V,) with a fused point within `max_gap` and near the tangent planes of those around it.

    A web between two surfaces, chin and collar or hair and forehead, starts at points but leaves their tangent planes
    by more than `max_lift`; what spans a gap in one surface stays in them. Points of hair scatter about one another's
    planes, so there the mesh may leave them as well.
    """
    tree = cKDTree(cloud.positions)
    workers = settings.threads or -1
    _, around = tree.query(cloud.positions, k=PLANES + 1, workers=workers)
    between = [np.abs(cloud.heights(cloud.positions[near], np.arange(len(around)))) for near in around.T[1:]]
    scatter = np.median(between, axis=0)
    distance, index = tree.query(vertices, k=PLANES, workers=workers)
    lift, usual = np.zeros(len(vertices)), np.zeros(len(vertices))
    for nearest in index.T:  # one by one: all at once would hold a gigabyte for a million vertices
        lift += np.abs(cloud.heights(vertices, nearest)) / PLANES
        usual += scatter[nearest] / PLANES
    size = _object_size(cloud)
    pixel = footprint if cloud.sizes is None else cloud.sizes[index[:, 0]]
    gap = longest_gap(cloud, pixel, settings)
    least = np.maximum(_LEAST_LIFT * pixel, settings.max_lift * size)
    return np.asarray((distance[:, 0] <= gap) & (lift <= np.maximum(least, _SCATTER * usual)))


def longest_gap(cloud: PointCloud, pixel: float | Floats, settings: ReconstructionSettings) -> Floats:
    """The distance that the mesh may span from points whose pixels are so large on the surface, all in metres."""
    return np.asarray(settings.max_gap * np.maximum(pixel, _object_size(cloud) / _FINEST))


def _object_size(cloud: PointCloud) -> float:
    """The longest side of the box around the points, strays aside."""
    return float(np.ptp(np.percentile(cloud.positions, (1, 99), axis=0), axis=0).max())


def _octree_depth(cloud: PointCloud, footprint: float) -> int:
    """So deep that a cell is about as large as a pixel on the surface."""
    extent = 1.1 * float(np.ptp(cloud.positions, axis=0).max())
    return int(np.clip(round(np.log2(extent / footprint)), 6, 11))


def _poisson(cloud: PointCloud, folder: Path, depth: int) -> MeshArrays:
    """Screened Poisson reconstruction (Kazhdan and Hoppe 2013). One thread: the same points give the same mesh."""
    options = pycolmap.PoissonMeshingOptions()
    options.depth, options.trim, options.color, options.num_threads = depth, 0, False, 1
    output = folder / "poisson.ply"
    output.unlink(missing_ok=True)  # of another style
    with without_poisson_warnings():
        pycolmap.poisson_meshing(cloud.path, output, options)
    return _read(output)


def _simplify(vertices: Floats, faces: Ints, wanted: int, folder: Path) -> MeshArrays:
    """Quadric edge collapse (Garland and Heckbert 1997) down to about `wanted` vertices."""
    if len(vertices) <= wanted:
        return vertices, faces
    source, output = folder / "dense.ply", folder / "simple.ply"
    output.unlink(missing_ok=True)  # of another style
    columns = {c: vertices[:, i].astype(np.float32) for i, c in enumerate("xyz")}
    columns |= {c: np.zeros(len(vertices), np.uint8) for c in ("red", "green", "blue")}
    write_ply(source, PlyMesh(columns, faces.astype(np.int32)))
    options = pycolmap.MeshSimplificationOptions()
    options.target_face_ratio = wanted / len(vertices)
    options.num_threads = 1
    pycolmap.simplify_mesh(source, output, options)
    return _read(output)


def _tidy(vertices: Floats, faces: Ints, least: float) -> MeshArrays:
    """The mesh without defects that simplification may leave; float32 first: faces must be good in the file, too."""
    vertices = vertices.astype(np.float32).astype(float)
    vertices, faces = make_manifold(*drop_bad_faces(vertices, faces))
    return largest_components(vertices, faces, least)


def _read(path: Path) -> MeshArrays:
    if not path.is_file():
        raise RefusedError("no surface could be put through the points; check the poses")
    mesh = read_ply(path)
    return np.stack([mesh.vertex[c] for c in "xyz"], axis=1).astype(float), mesh.faces.astype(np.int64)
