"""From a file of another program to a capture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from capture import Capture, write_json
from scans.imports.image_files import REPORT, ImageFiles
from scans.imports.proving import reprojection
from scans.imports.records import naming
from scans.imports.report import ImportReport
from scans.imports.table import images_of, recognise
from scans.imports.taking import Taken
from scans.imports.writing import Progress, check_free, new_folder, write_pictures


def import_cameras(
    file: Path | str,
    out: Path | str,
    *,
    images: Path | str | None = None,
    masks: Path | str | None = None,
    views: int | None = None,
    skip_missing: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Make a capture of the cameras that another program wrote, and of their images.

    The frame and the unit of the file are kept. Images whose lens no COLMAP model has are resampled to pinholes, all
    others copied as they are.

    Args:
        file: the file, or the folder that it is in; its format is found out.
        out: folder of the capture, which is made whole or not at all.
        images: folder of the images; by default `images` beside the file, or the file's own.
        masks: folder of foreground masks that are named as the images; by default those that the file names.
        views: number of views to take, spread around what all look at; all by default.
        skip_missing: leave cameras out whose image is not there; else that is an error.
        progress: called with (what is done, images done, images in all).

    Raises:
        InputError: in one line, where the file is damaged, of no known format, or says what can't be taken exactly.
    """
    file, out = Path(file), Path(out)
    check_free(out)
    source, found = recognise(file)
    folder = ImageFiles(images_of(source, found) if images is None else Path(images))
    with naming(str(source.path)):
        with np.errstate(all="ignore"):  # poses and lenses are checked for what isn't finite
            scene = found.read(source, folder)
        taken = Taken.of(scene, folder, views, skip_missing)
    chosen, told = taken.masks(None if masks is None else Path(masks))
    cameras, tie_points = [picture.camera for picture in taken.pictures], taken.points(scene.points)
    report = ImportReport(
        file=str(source.path),
        tool=scene.tool,
        generation=scene.generation,
        unit=scene.unit,
        lenses=dict(Counter(camera.model for camera in cameras)),
        distortion=taken.distortion,
        taken=[camera.name for camera in cameras],
        resampled=taken.resampled,
        unaligned=taken.unaligned,
        missing=taken.missing,
        unused=taken.unused,
        masks=len(chosen),
        tie_points=reprojection(cameras, tie_points),
        markers=reprojection(cameras, taken.points(scene.markers)),
        notes=[*scene.notes, *told],
        warnings=scene.doubts,
    )
    with new_folder(out) as made:
        write_pictures(taken.pictures, chosen, made, progress)
        Capture.create(made, cameras, points=tie_points)
        write_json(made / REPORT, report.to_json())
    return report
