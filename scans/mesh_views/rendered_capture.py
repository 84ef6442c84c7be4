"""A capture of rendered views, for a scan without photographs."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from capture import Camera, Capture, CaptureInfo, InputError, Scan, atomic_path
from scans.landmarks.face_size import FACE_SPREAD
from scans.landmarks.finding import load_detector
from scans.landmarks.options import LandmarkOptions
from scans.mesh_views.coloured_mesh import ColouredMesh
from scans.mesh_views.head_pose import HeadPose, find_head
from scans.meshes.reading import read_scan
from scans.scale import CaptureScale, Evidence

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

SUFFIX = ".capture"
SIZE = 640  # pixels
_AWAY_M = 1.2
_RENDERED = {"views": "rendered of the scan"}
# Azimuth to the subject's left and elevation, degrees: those of the rig that labellers are trained on.
DIRECTIONS = (
    (-90, 0), (-60, 0), (-30, 0), (0, 0), (30, 0), (60, 0), (90, 0),
    (-45, 25), (0, 25), (45, 25), (-45, -25), (0, -25), (45, -25),
)  # fmt: skip


def capture_folder(path: Path) -> Path:
    """The folder of the views of a mesh file, beside it."""
    return path.with_suffix(SUFFIX)


def render_capture(
    path: Path,
    options: LandmarkOptions | None = None,
    progress: Progress = lambda step, share: None,
    folder: Path | None = None,
    *,
    need_colours: bool = True,
) -> tuple[Capture, Scan]:
    """Render 13 views of the head in a mesh file, and write them as a capture beside it, in the mesh's frame and unit.

    A mesh without colours is refused where `need_colours`, else shaded. What an earlier call left in the
    folder is replaced.

    Returns the capture and the scan. Raises `InputError` where the file is no mesh, LiteRT or the model of landmarks is
    missing, or no face is recognised; and where the folder is there and something else.
    """
    scan = read_scan(path)
    mesh = ColouredMesh.read(path, scan)
    if need_colours and not mesh.has_colours:
        raise InputError(
            f"{path} has no colours: rendered views of it show nothing to tell skin by; give the capture with its "
            "images, or the mesh with vertex colours or a texture"
        )
    folder = capture_folder(path) if folder is None else folder
    _check_folder(folder)
    detector = load_detector(options)
    try:
        pose = find_head(mesh, detector)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    log.info("%s has no photographs: views are rendered of it; %s", path, pose.text)
    cameras = head_cameras(pose, SIZE)
    for i, camera in enumerate(cameras):
        progress("views", i / len(cameras))
        with atomic_path(folder / "images" / camera.name) as place:
            Image.fromarray(mesh.render(camera)).save(place, format="PNG")
    name = re.sub(r"[^A-Za-z0-9_\-]", "_", path.stem) or "scan"
    capture = Capture.create(folder, cameras, CaptureInfo(name, versions=_RENDERED))
    kept = CaptureScale.read(folder)
    if kept is None or not kept.stated:
        CaptureScale.of([Evidence("face in rendered views", pose.metres, FACE_SPREAD)]).write(folder)
    return capture, scan


def _check_folder(folder: Path) -> None:
    """Raise `InputError` where a folder is there that this did not make."""
    if not folder.exists():
        return
    made = folder.is_dir() and (folder / Capture.INFO).is_file()
    if not made or dict(Capture.read(folder).info.versions) != _RENDERED:
        raise InputError(f"{folder} is there, and is no capture of rendered views; move it away")


def head_cameras(pose: HeadPose, size: int) -> list[Camera]:
    """13 cameras around a head, as those of our captures, in the scan's frame and unit."""
    away, framed = _AWAY_M / pose.metres, 1.06 * pose.radius
    focal = size / 2 * float(np.sqrt(away**2 - framed**2)) / framed
    cameras = []
    for i, (azimuth, elevation) in enumerate(np.radians(DIRECTIONS)):
        outward = np.array(
            [np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)]
        )
        right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        axes = np.stack([right, np.cross(-outward, right), -outward])
        rotation = axes @ pose.rotation.T
        eye = pose.centre + away * pose.rotation @ outward
        principal = (size / 2, size / 2)
        name = f"view_{i:02d}.png"
        cameras.append(Camera.pinhole(name, (size, size), (focal, focal), principal, rotation, -rotation @ eye))
    return cameras
