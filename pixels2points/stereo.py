"""Scans of captures, and their true labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capture import Capture, Labels, Scan
from labeling.settings import LabelSettings
from pixels2points.arguments import Progress, no_progress, open_capture, open_scan, optional_path
from reconstruction.settings import Backend, ReconstructionSettings


def reconstruct(
    capture: Capture | Path | str,
    *,
    masks: Path | str | None = None,
    workspace: Path | str | None = None,
    backend: Backend = ReconstructionSettings.backend,
    vertices: int | None = ReconstructionSettings.vertices,
    depth_min: float | None = ReconstructionSettings.depth_min,
    depth_max: float | None = ReconstructionSettings.depth_max,
    max_image_size: int | None = ReconstructionSettings.max_image_size,
    max_gap: float = ReconstructionSettings.max_gap,
    max_hole: float = ReconstructionSettings.max_hole,
    max_lift: float = ReconstructionSettings.max_lift,
    min_component: float = ReconstructionSettings.min_component,
    threads: int | None = ReconstructionSettings.threads,
    seed: int = ReconstructionSettings.seed,
    sources: int = ReconstructionSettings.sources,
    window_radius: int = ReconstructionSettings.window_radius,
    window_step: int = ReconstructionSettings.window_step,
    min_consistent: int = ReconstructionSettings.min_consistent,
    max_reprojection_error: float = ReconstructionSettings.max_reprojection_error,
    max_cost: float = ReconstructionSettings.max_cost,
    poisson_depth: int | None = ReconstructionSettings.poisson_depth,
    style: str = ReconstructionSettings.style,
    progress: Progress = no_progress,
) -> Scan:
    """Rebuild the surface that a capture's images show, by multi-view stereo.

    Nothing is written; `scan.write(capture.scan_path)` puts the scan into the capture. This is `p2p reconstruct`.

    Args:
        capture: three or more calibrated images; cameras with distortion are undistorted first.
        masks: folder of foreground masks that are named as the images; 0 is background.
        workspace: new folder that keeps COLMAP's dense workspace: depth and normal maps.
        backend: what makes the depth maps: our own program (cpu), COLMAP's on an NVIDIA GPU (cuda), or cuda where it
            is there (auto).
        vertices: most vertices of the scan, about; what the images support where None, 0.25 per pixel of one image.
        depth_min: nearest depth, metres; where None found from the sparse points or the cameras.
        depth_max: farthest depth, metres.
        max_image_size: images with a longer side, pixels, are shrunk to it; None takes them as they are.
        max_gap: how far, in pixels of the images, the mesh may span from what the images support.
        max_hole: holes up to this many pixels wide are closed, and up to three times as wide where the surface goes on.
        max_lift: how far, as a share of the object's size, the mesh may leave the tangent planes of the points.
        min_component: pieces with less than this share of the largest piece's area are dropped.
        threads: threads to use; all cores where None. The scan doesn't depend on it.
        seed: of the random search of the cpu backend.
        sources: most other views that a view is matched with.
        window_radius: half side of the matching window, pixels.
        window_step: distance of the samples in the window, pixels.
        min_consistent: other views whose depth must agree with a pixel's; one less where it matches well.
        max_reprojection_error: pixels by which they may differ.
        max_cost: 1 - NCC above which a pixel is dropped.
        poisson_depth: depth of the octree of the surface; by the image size where None.
        style: in which the scan is made: trimmed, which lies nearest to the surface, or hair, closed, shell, fringed,
            smooth, coarse, noisy, wall or cut, as other scanners would.
        progress: called with the step (stereo, fusion, meshing) and the share of the whole that is done.

    Returns:
        The scan: V vertices in metres, F faces, colours (V, 3) and normals (V, 3).

    Raises:
        InputError: where a setting, images or cameras can't be used, or the scan would be empty.

    Example:
        >>> import pixels2points as p2p
        >>> head = p2p.make_head(4, "captures", resolution=128, samples=1, hair="none", beard="none", neutral=True)
        >>> scan = p2p.reconstruct(head, max_hole=16)
        >>> scan.vertices.shape == scan.colours.shape == scan.normals.shape, len(scan.vertices) > 2000
        (True, True)
    """
    from reconstruction import find_masks
    from reconstruction import reconstruct as rebuild

    settings = ReconstructionSettings(
        backend=backend,
        vertices=vertices,
        depth_min=depth_min,
        depth_max=depth_max,
        max_image_size=max_image_size,
        max_gap=max_gap,
        max_hole=max_hole,
        max_lift=max_lift,
        min_component=min_component,
        threads=threads,
        seed=seed,
        sources=sources,
        window_radius=window_radius,
        window_step=window_step,
        min_consistent=min_consistent,
        max_reprojection_error=max_reprojection_error,
        max_cost=max_cost,
        poisson_depth=poisson_depth,
        style=style,
    )
    opened = open_capture(capture)
    chosen = None if masks is None else find_masks(opened, Path(masks))
    return rebuild(opened, settings, progress, masks=chosen, workspace=optional_path(workspace))


def label(
    capture: Capture | Path | str,
    scan: Scan | Path | str | None = None,
    *,
    threshold_mm: float = LabelSettings.threshold_mm,
    skin_parts: Sequence[str] = LabelSettings.skin_parts,
) -> Labels:
    """Compute the true labels of a synthetic capture's scan, by the distance to the surface that was rendered.

    Nothing is written; `labels.write(capture.labels_path)` puts the labels into the capture. This is `p2p label`.

    Args:
        capture: a synthetic capture, with its `head.ply`.
        scan: V vertices, metres; the capture's `scan.ply` where None.
        threshold_mm: a vertex nearer than this to the true surface is skin, millimetres.
        skin_parts: parts of the head that count as skin, some of skin, eyes, teeth, tongue; all of them is the paper's
            rule.

    Returns:
        Labels of the V vertices: `distance_mm` (V,) and `skin` (V,), and what is known beside.

    Raises:
        InputError: where a setting can't be used, the scan or the true surface is missing, or they don't match.

    Example:
        >>> import pixels2points as p2p
        >>> scan = p2p.Scan.read("captures/head_00000004/scan.ply")
        >>> labels = p2p.label("captures/head_00000004", scan)
        >>> len(labels) == len(scan.vertices), bool(labels.distance_mm[labels.skin].max() < 1.5)
        (True, True)
    """
    from labeling.labels import compute_labels

    settings = LabelSettings(threshold_mm, tuple(skin_parts))
    given = None if scan is None else open_scan(scan)
    return compute_labels(open_capture(capture).folder, given, settings.threshold_mm, settings.skin_parts)
