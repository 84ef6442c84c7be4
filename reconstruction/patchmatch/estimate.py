"""Depth maps of all views by PatchMatch, from coarse to fine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capture import Camera
from reconstruction.depth import DepthLevel, DepthMap
from reconstruction.neighbours import Neighbours
from reconstruction.patchmatch.detail import fine_detail, packed_corners
from reconstruction.patchmatch.fattening import reject_fattened
from reconstruction.patchmatch.filtering import count_consistent
from reconstruction.patchmatch.matching import WORST
from reconstruction.patchmatch.randomness import stream_key
from reconstruction.patchmatch.sweep import Matching, Pairs, Scene, State, add_consistency, initialise, sweep
from reconstruction.ranges import Volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import View

logger = logging.getLogger(__name__)

_COARSEST = 128  # pixels of the longer side at the coarsest level
_GEOMETRIC_WEIGHT = 0.15  # per pixel of reprojection error
_MIN_DEVIATION = 0.3 / 255  # intensities: below, a patch holds nothing but rounding to 8 bits (0.2 in luma)
_MIN_CLOSE_DEVIATION = 0.3 / 255  # the same over a pixel and those next to it
_CLOSE = 3  # side of that window, pixels
# Intensities: what differs more is another surface. It must be all but left out: hair's contrast is ten times skin's.
_SIGMA_COLOUR = 0.03
_KEEP = 4  # source views per pixel
_DETAIL_RADIUS, _DETAIL_STEP = 4, 2  # pixels: the window of the median that is taken off
_DETAIL_LIMIT = 0.02  # of intensities in [0, 1]: detail is cut there, see `detail`
_GREY_LEVELS = 127.5 / _DETAIL_LIMIT  # of what is matched, per unit of intensity
_MAX_DEPTH_DIFFERENCE = 0.01
_SURE = 0.5  # cost up to which a pixel of the finest level needs one source less: two views see enough of a neck or ear
_DILATION = 3  # pixels around what a coarser level found that the next one looks at


@dataclass(frozen=True)
class Round:
    """Sweeps over every view: their number, whether they try far planes too, whether consistency counts."""

    sweeps: int
    wide: bool
    geometric: bool


_COARSE_ROUNDS = (Round(4, True, False), Round(1, False, False), Round(2, False, True))
_MIDDLE_ROUNDS = (Round(2, False, False), Round(1, False, True))
_FINE_ROUNDS = (Round(3, False, False), Round(2, False, True))


def estimate_depth_maps(
    views: Sequence[View],
    volume: Volume,
    neighbours: Sequence[Neighbours],
    settings: ReconstructionSettings,
    progress: Callable[[float], None] | None = None,
) -> tuple[DepthMap, ...]:
    """Depth and normal maps of all views, filtered: the finest of `estimate_levels`."""
    return tuple(estimate_levels(views, volume, neighbours, settings, progress)[0].maps)


def estimate_levels(
    views: Sequence[View],
    volume: Volume,
    neighbours: Sequence[Neighbours],
    settings: ReconstructionSettings,
    progress: Callable[[float], None] | None = None,
) -> tuple[DepthLevel, ...]:
    """Depth and normal maps of all views at each level, the finest first.

    A coarser one is what the next finer has started from: where hair matches as a whole and its strands don't, it has
    depths that the finer one lacks.

    Args:
        views: N undistorted images.
        volume: where to search.
        neighbours: N; a view without any gets an empty map.
        settings: see `ReconstructionSettings`; the result is the same for the same seed on any number of threads.
        progress: called with the share that is done.
    """
    before = numba.get_num_threads()
    if settings.threads is not None:
        numba.set_num_threads(min(settings.threads, before))
    try:
        return _estimate(views, volume, neighbours, settings, progress or (lambda share: None))
    finally:
        numba.set_num_threads(before)


def _estimate(
    views: Sequence[View],
    volume: Volume,
    neighbours: Sequence[Neighbours],
    settings: ReconstructionSettings,
    progress: Callable[[float], None],
) -> tuple[DepthLevel, ...]:
    levels = level_count(views)
    result: list[DepthLevel] = []
    total, done = sum(4.0**-level for level in range(levels)), 0.0
    states: list[State] | None = None
    kept: list[NDArray[np.bool_]] = []
    for level in reversed(range(levels)):
        solver = _Level(views, volume, neighbours, settings, level)
        states = solver.start(states, kept)
        rounds = _COARSE_ROUNDS if level == levels - 1 else _FINE_ROUNDS if level == 0 else _MIDDLE_ROUNDS
        share = 4.0**-level / total
        steps = len(rounds) * len(views)
        for i, _ in enumerate(solver.run(rounds, states), 1):
            progress(done + share * i / steps)
        done += share
        kept = solver.trusted(states, settings.min_consistent if level == 0 else 1)
        logger.debug("level %d: %.1f %% of the pixels kept", level, 100 * np.mean([k.mean() for k in kept]))
        sure = kept if level == 0 else solver.trusted(states, settings.min_consistent)
        maps = tuple(_depth_map(state, keep) for state, keep in zip(states, sure, strict=True))
        result.append(DepthLevel(tuple(solver.cameras), maps))
    return tuple(reversed(result))


def level_count(views: Sequence[View]) -> int:
    """Number of levels: the largest image is halved until its longer side is about 128 pixels."""
    longest = max(max(view.camera.width, view.camera.height) for view in views)
    return 1 + max(0, round(np.log2(longest / _COARSEST)))


class _Level:
    """All views at one size."""

    def __init__(
        self,
        views: Sequence[View],
        volume: Volume,
        neighbours: Sequence[Neighbours],
        settings: ReconstructionSettings,
        level: int,
    ) -> None:
        self.settings, self.volume, self.level, self.views = settings, volume, level, views
        self.cameras = [_halved(view.camera, level) for view in views]
        self.inside = [_shrunk_mask(view.inside, camera) for view, camera in zip(views, self.cameras, strict=True)]
        images = [_shrunk(view.intensity, camera) for view, camera in zip(views, self.cameras, strict=True)]
        self.scene = _scene(images, self.cameras)
        self.pairs = [_pairs(self.cameras, i, item) for i, item in enumerate(neighbours)]

    def matching(self, geometric: bool) -> Matching:
        settings = self.settings
        weight = _GEOMETRIC_WEIGHT if geometric else 0.0
        least = _MIN_DEVIATION * _GREY_LEVELS
        return Matching(settings.window_radius, settings.window_step, _SIGMA_COLOUR, _KEEP, least, weight)

    def key(self, view: int, number: int) -> np.uint64:
        return stream_key(self.settings.seed, view, self.level, number)

    def start(self, coarser: list[State] | None, kept: list[NDArray[np.bool_]]) -> list[State]:
        """Random states, or those of the coarser level, enlarged."""
        states = []
        for i, camera in enumerate(self.cameras):
            near, far = self.volume.pixel_ranges(i, camera)
            inside = self.inside[i]
            if inside is not None:
                far[~inside] = 0
            state = _empty_state(camera, len(self.pairs[i].sources), near, far)
            if coarser is not None:
                _enlarge(coarser[i], kept[i], state, self.scene.cameras[i])
            states.append(state)
        return states

    def run(self, rounds: Sequence[Round], states: list[State]) -> Iterator[None]:
        number = 0
        known = any((state.depth > 0).any() for state in states)
        for item in rounds:
            if item.geometric:
                self.publish(states)
            matching = self.matching(item.geometric)
            for i, state in enumerate(states):
                if len(self.pairs[i].sources):
                    if number == 0:
                        initialise(self.key(i, 1000), i, self.scene, self.pairs[i], state, matching, known)
                    elif item.geometric:  # once a level: the costs so far are without the term
                        add_consistency(i, self.scene, self.pairs[i], state, matching.geometric)
                    for k in range(item.sweeps):
                        for colour in (0, 1):
                            key = self.key(i, 2 * (number + k) + colour)
                            sweep(key, colour, item.wide, i, self.scene, self.pairs[i], state, matching)
                else:
                    state.depth[:] = 0
                yield
            number += item.sweeps

    def publish(self, states: list[State]) -> None:
        """Let the other views see the depth maps as they are now."""
        for i, state in enumerate(states):
            height, width = state.depth.shape
            self.scene.depths[i, :height, :width] = state.depth
            self.scene.normals[i, :height, :width] = state.normal

    def textured(self, view: int) -> NDArray[np.bool_]:
        """(H, W) whether there is texture at a pixel and those next to it.

        A plain background matches well next to an outline: its window holds the outline, and so it takes the
        depth of what is in front.
        """
        width, height = self.scene.sizes[view]
        image = self.scene.guides[view, :height, :width].astype(np.float64)
        mean = ndimage.uniform_filter(image, _CLOSE)
        variance = ndimage.uniform_filter(image * image, _CLOSE) - mean * mean
        return np.asarray(variance > _MIN_CLOSE_DEVIATION**2)

    def trusted(self, states: list[State], least: int) -> list[NDArray[np.bool_]]:
        """Per view (H, W) bool: matched well, agrees with at least `least` sources, not fattened.

        At the finest level one source less is enough where a pixel matches better.
        """
        self.publish(states)
        result = []
        error = self.settings.max_reprojection_error if self.level == 0 else 2.0
        for i, state in enumerate(states):
            counts = np.zeros(state.depth.shape, np.uint8)
            if len(self.pairs[i].sources):
                count_consistent(i, self.scene, self.pairs[i], error, _MAX_DEPTH_DIFFERENCE, counts)
            least_here = min(least, len(self.pairs[i].sources))
            enough = (counts >= least_here) & (state.cost <= self.settings.max_cost)
            if self.level == 0:
                enough |= (counts >= max(1, least_here - 1)) & (state.cost <= min(_SURE, self.settings.max_cost))
            keep = (state.depth > 0) & enough & self.textured(i)
            if self.level == 0:  # a frame of spectacles that is a pixel wide at a coarse level would be lost there
                depth = np.where(keep, state.depth, np.float32(0))
                keep = reject_fattened(depth, state.normal, self.views[i].colours, self.scene.cameras[i])
            result.append(keep)
        return result


def _depth_map(state: State, keep: NDArray[np.bool_]) -> DepthMap:
    depth = np.where(keep, state.depth, 0).astype(np.float32)
    normal = np.where(keep[..., None], state.normal, 0).astype(np.float32)
    confidence = np.where(keep, np.clip(1 - state.cost, 0, 1), 0).astype(np.float32)
    return DepthMap(depth, normal, confidence)


def _halved(camera: Camera, level: int) -> Camera:
    if level == 0:
        return camera
    scale = 2**level
    return camera.resized(max(1, round(camera.width / scale)), max(1, round(camera.height / scale)))


def _shrunk(image: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    if image.shape == (camera.height, camera.width):
        return image
    size = (camera.width, camera.height)
    return np.asarray(Image.fromarray(image, "F").resize(size, Image.Resampling.BOX), np.float32)


def _shrunk_mask(mask: NDArray[np.bool_] | None, camera: Camera) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    image = Image.fromarray(mask.astype(np.uint8)).resize((camera.width, camera.height), Image.Resampling.NEAREST)
    return np.asarray(image) > 0


def _scene(images: Sequence[NDArray[np.float32]], cameras: Sequence[Camera]) -> Scene:
    height, width = max(image.shape[0] for image in images), max(image.shape[1] for image in images)
    guides = np.zeros((len(images), height, width), np.float32)
    packed = np.zeros(guides.shape, np.uint32)
    for i, image in enumerate(images):
        guides[i, : image.shape[0], : image.shape[1]] = image
        detail = fine_detail(image, _DETAIL_RADIUS, _DETAIL_STEP, _DETAIL_LIMIT)
        packed[i, : image.shape[0], : image.shape[1]] = packed_corners(detail, _DETAIL_LIMIT)
    sizes = np.array([(camera.width, camera.height) for camera in cameras], np.int64)
    intrinsics = np.array([(*camera.focal, *(p - 0.5 for p in camera.principal)) for camera in cameras], np.float32)
    shape = guides.shape
    return Scene(guides, packed, sizes, intrinsics, np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32))


def _calibration(camera: Camera) -> NDArray[np.float64]:
    matrix = camera.matrix.copy()
    matrix[:2, 2] -= 0.5  # whole numbers at pixel centres
    return matrix


def _pairs(cameras: Sequence[Camera], reference: int, neighbours: Neighbours) -> Pairs:
    forward, offset, back, back_offset = [], [], [], []
    a, ka = cameras[reference], _calibration(cameras[reference])
    for view in neighbours.views:
        b, kb = cameras[view], _calibration(cameras[view])
        rotation = b.rotation @ a.rotation.T
        translation = b.translation - rotation @ a.translation
        forward.append(kb @ rotation @ np.linalg.inv(ka))
        offset.append(kb @ translation)
        back.append(ka @ rotation.T @ np.linalg.inv(kb))
        back_offset.append(-ka @ rotation.T @ translation)
    count = len(neighbours.views)
    matrices = (np.array(m, np.float32).reshape(count, 3, -1).squeeze(-1) for m in (offset, back_offset))
    first, second = matrices
    return Pairs(
        neighbours.views,
        np.array(forward, np.float32).reshape(count, 3, 3),
        first.reshape(count, 3),
        np.array(back, np.float32).reshape(count, 3, 3),
        second.reshape(count, 3),
        neighbours.suitability,
    )


def _empty_state(camera: Camera, sources: int, near: NDArray[np.float32], far: NDArray[np.float32]) -> State:
    shape = (camera.height, camera.width)
    return State(
        np.zeros(shape, np.float32),
        np.zeros((*shape, 3), np.float32),
        np.full(shape, WORST, np.float32),
        np.full((*shape, sources), WORST, np.float32),
        near,
        far,
    )


def _enlarge(coarse: State, kept: NDArray[np.bool_], fine: State, intrinsics: NDArray[np.float32]) -> None:
    """Continue each coarse pixel's plane into the fine pixels under it; leave out what the coarse level ruled out."""
    height, width = fine.depth.shape
    rows = np.minimum((np.arange(height) + 0.5) * coarse.depth.shape[0] / height, coarse.depth.shape[0] - 1).astype(int)
    cols = np.minimum((np.arange(width) + 0.5) * coarse.depth.shape[1] / width, coarse.depth.shape[1] - 1).astype(int)
    depth, normal = _filled(coarse.depth, coarse.normal, kept)
    pick = np.ix_(rows, cols)
    fine.normal[:] = normal[pick]
    fx, fy, cx, cy = intrinsics
    ray_x, ray_y = (np.arange(width) - cx) / fx, (np.arange(height) - cy) / fy
    from_x = ((cols + 0.5) * width / coarse.depth.shape[1] - 0.5 - cx) / fx
    from_y = ((rows + 0.5) * height / coarse.depth.shape[0] - 0.5 - cy) / fy
    nx, ny, nz = np.moveaxis(fine.normal, -1, 0)
    there = nx * from_x + ny * from_y[:, None] + nz
    here = nx * ray_x + ny * ray_y[:, None] + nz
    with np.errstate(divide="ignore", invalid="ignore"):
        continued = depth[pick] * there / here
    usable = (continued >= fine.near) & (continued <= fine.far) & (here < -1e-3)
    fine.depth[:] = np.where(usable, continued, 0)
    wanted = ndimage.binary_dilation(kept, iterations=_DILATION)[pick]
    fine.far[~wanted] = 0


def _filled(
    depth: NDArray[np.float32], normal: NDArray[np.float32], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every pixel that was not kept takes the plane of the nearest one that was."""
    if not kept.any():
        return depth, normal
    rows, cols = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
    return depth[rows, cols], normal[rows, cols]
