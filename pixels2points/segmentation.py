"""Labellers, and their predictions for scans."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from capture import Capture, InputError, Scan
from pixels2points.arguments import open_scan, opened_views, unit_text
from scans.predictions import Prediction
from training.options import SegmentOptions

if TYPE_CHECKING:
    from training.model.network import LabellerNetwork


def load_labeller(checkpoint: Path | str | None = None) -> LabellerNetwork:
    """Load a trained labeller, to segment many scans with.

    A checkpoint is read as tensors and plain values; nothing in it is run.

    Args:
        checkpoint: that `p2p fit` wrote; the labeller that comes with the program where None.

    Returns:
        The labeller: a PyTorch module, ready to predict.

    Raises:
        InputError: where the file is missing, damaged or no labeller's checkpoint, or the weights of the image encoder
            that it was trained with are missing.

    Example:
        >>> import pixels2points as p2p
        >>> labeller = p2p.load_labeller()
        >>> labeller.training_heads
        40
    """
    from training.checkpoints import labeller, pretrained

    return labeller.load_labeller(pretrained.PRETRAINED if checkpoint is None else Path(checkpoint))


def segment(
    capture: Capture | Path | str,
    labeller: LabellerNetwork | Path | str | None = None,
    *,
    scan: Scan | Path | str | None = None,
    unit: str | float | None = SegmentOptions.unit,
    camera_unit: str | float | None = SegmentOptions.camera_unit,
    vertices: int = SegmentOptions.vertices,
) -> Prediction:
    """Predict with a trained labeller which vertices of a scan are skin.

    Nothing is written; `prediction.write("prediction.npz")` makes a file that `p2p register --labels` takes. This is
    `p2p segment`.

    Args:
        capture: N calibrated images, of any lens that COLMAP's models describe; or a mesh file with colours, of which
            views are rendered.
        labeller: from `load_labeller`, or a checkpoint; the one that comes with the program where None.
        scan: V vertices in the frame of the cameras, a mesh file or a record; the capture's `scan.ply` where None.
        unit: of the scan: m, cm, mm, dm, inch, ft, or metres per unit; the capture's scale where None, measured where
            it isn't known, and guessed from the scan's size where nothing tells it.
        camera_unit: of the cameras' positions, likewise.
        vertices: most vertices that the network works on, all of them below that; the others get the prediction of
            those around them.

    Returns:
        The prediction for the V vertices: `probability` (V,) and `skin` (V,), and where the labeller predicts them
        `distance_mm` (V,), `distance_spread_mm` (V,), `part` (V,), `part_probability` (V,), `visible_skin` (V,),
        `visible_probability` (V,) and `uncertain` (V,).

    Raises:
        InputError: where something is missing or damaged, or the scan isn't where the cameras look; where a mesh has no
            colours or shows no face.

    Example:
        >>> import pixels2points as p2p
        >>> capture = p2p.Capture.read("my_capture")
        >>> scan = p2p.Scan.read(capture.scan_path)
        >>> prediction = p2p.segment(capture, p2p.load_labeller(), scan=scan)
        >>> prediction.skin.shape == (len(scan.vertices),), str(prediction.skin.dtype)
        (True, 'bool')
    """
    from factory.capture_scale.measure import scale_of
    from factory.capture_scale.segmenting import first_pass
    from scans.head_sample import HeadSample
    from scans.meshes.reading import scan_key
    from scans.units import in_metres
    from training.inference import segment_head

    options = SegmentOptions(unit_text(unit), unit_text(camera_unit), vertices)
    model = load_labeller(labeller) if labeller is None or isinstance(labeller, Path | str) else labeller
    with opened_views(capture) as (views, mesh):
        if mesh is not None:
            if scan is not None or camera_unit is not None:
                what = "`camera_unit`" if scan is None else "`scan`"
                raise InputError(
                    f"{what}: {capture} is a mesh, and the views of it have its frame and unit; leave it out"
                )
            scan, options = mesh, replace(options, camera_unit=options.unit)
        given = HeadSample.from_capture(views, None if scan is None else open_scan(scan))
        if options.unit is None and options.camera_unit is None and given.metres_per_unit is None:
            own = None if scan is None else given.scan
            scale = scale_of(views, partial(first_pass, model), own)
            given = replace(given, metres_per_unit=None if scale is None else scale.metres)
    head, _ = in_metres(given, options.unit, options.camera_unit)
    return replace(segment_head(head, model, options.vertices), scan=scan_key(given.scan))
