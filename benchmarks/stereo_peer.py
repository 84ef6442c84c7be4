"""Our depth maps beside those of another CPU PatchMatch, on the same images, poses and neighbours.

The peer is `ppg_core.patchmatch_depth` of PyPI's `pyarchinit-photogrammetry-core` (Rust; GPL, so it is for comparison
only and nothing of ours depends on it): install it to run this. It works view by view without a check between views, so
the comparison is made twice: of all pixels that each gives a depth for, and of those that both give one for.

    python -m benchmarks.stereo_peer CAPTURE
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, HeadSurface, PixelClass
from labeling.visibility import head_caster
from reconstruction.neighbours import find_neighbours
from reconstruction.patchmatch.estimate import estimate_depth_maps
from reconstruction.ranges import find_volume
from reconstruction.settings import ReconstructionSettings
from reconstruction.views import View, load_views
from scans.images.class_masks import read_class_masks


@dataclass(frozen=True)
class Errors:
    """Errors of the depth of skin pixels.

    Attributes:
        share: of the skin pixels that have a depth.
        near: of the skin pixels, the share with a depth within 1 mm.
        median_mm, p90_mm: of those that have one.
    """

    share: float
    near: float
    median_mm: float
    p90_mm: float

    def __str__(self) -> str:
        return (
            f"{100 * self.share:5.1f} % with depth, {100 * self.near:5.1f} % within 1 mm, "
            f"median {self.median_mm:.3f}, 90th percentile {self.p90_mm:.3f} mm"
        )


def compare_depth_maps(folder: Path) -> list[str]:
    """Lines that say how both do on a synthetic capture."""
    import ppg_core

    capture = Capture.read(folder)
    settings = ReconstructionSettings(backend="cpu")
    views = load_views(capture)
    cameras = [view.camera for view in views]
    volume = find_volume(cameras, capture.model.points, settings)
    neighbours = find_neighbours(cameras, volume, settings.sources)
    estimate_depth_maps(views[:3], volume, find_neighbours(cameras[:3], volume, 2), settings)  # compiles the kernels
    start = time.perf_counter()
    ours = estimate_depth_maps(views, volume, neighbours, settings)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    theirs = []
    for index, view in enumerate(views):
        sources = [_source(view, views[other]) for other in neighbours[index].views]
        span = float(volume.near[index]), float(volume.far[index])
        depth, *_ = ppg_core.patchmatch_depth(view.intensity, _pinhole(view), sources, span)
        theirs.append(np.asarray(depth, np.float32))
    peer = time.perf_counter() - start
    truth = _true_depths(capture, views)
    lines = []
    for title, maps in (("ours", [m.depth for m in ours]), ("peer", theirs)):
        each = (seconds if title == "ours" else peer) / len(views)
        lines.append(f"    {title}: {errors(maps, truth)}; {each:.1f} s a map")
    triples = list(zip(ours, theirs, truth, strict=True))
    both = [np.where((m.depth > 0) & (t > 0), d, 0) for m, t, d in triples]
    for title, maps in (("ours", [m.depth for m in ours]), ("peer", theirs)):
        lines.append(f"    {title}, where both have depth: {errors(maps, both)}")
    better = sum(errors([m.depth], [d]).near > errors([t], [d]).near for m, t, d in triples)
    lines.append(f"    ours has more skin within 1 mm in {better} of {len(views)} maps")
    lines.append(f"    time of the peer over ours: {peer / seconds:.2f}")
    return lines


def errors(maps: list[NDArray[np.float32]], truth: list[NDArray[np.float64]]) -> Errors:
    """Over all pixels whose true depth is known (not 0)."""
    estimated = np.concatenate([m[t > 0] for m, t in zip(maps, truth, strict=True)])
    true = np.concatenate([t[t > 0] for t in truth])
    has = estimated > 0
    off = 1000 * np.abs(estimated[has] - true[has])
    median, high = np.percentile(off, [50, 90]) if len(off) else (np.nan, np.nan)
    return Errors(float(has.mean()), float((off < 1).sum() / len(true)), float(median), float(high))


def _true_depths(capture: Capture, views: tuple[View, ...]) -> list[NDArray[np.float64]]:
    """Per view (H, W) depth of the head's surface where the class mask says skin, 0 elsewhere."""
    caster = head_caster(HeadSurface.read(capture.head_path))
    depths = []
    for view, mask in zip(views, read_class_masks(capture), strict=True):
        assert mask is not None, "a synthetic capture has masks"
        camera, depth = view.camera, np.zeros(mask.shape)
        rows, columns = np.nonzero(mask == PixelClass.SKIN)
        rays = camera.unproject(np.stack([columns, rows], axis=1) + 0.5, 1.0) - camera.centre
        length = np.linalg.norm(rays, axis=1)
        origins = np.tile(caster.local(camera.centre), (len(rays), 1))
        distance = caster.first_hits(origins, (rays / length[:, None]).astype(np.float32)).distance
        depth[rows, columns] = np.where(np.isfinite(distance), distance / length, 0)
        depths.append(depth)
    return depths


def _pinhole(view: View) -> tuple[float, float, float, float]:
    """Their pixel centres are whole numbers."""
    (fx, fy), (cx, cy) = view.camera.focal, view.camera.principal
    return fx, fy, cx - 0.5, cy - 0.5


def _source(reference: View, other: View) -> tuple:
    rotation = other.camera.rotation @ reference.camera.rotation.T
    shift = other.camera.translation - rotation @ reference.camera.translation
    return other.intensity, _pinhole(other), rotation, shift


if __name__ == "__main__":
    print("\n".join(compare_depth_maps(Path(sys.argv[1]))))
