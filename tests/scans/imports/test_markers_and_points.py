"""Markers and tie points prove the cameras, or say that they do not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scans.imports import import_cameras
from tests.helpers import p2p_here
from tests.scans.imports import native
from tests.scans.imports.native import SIZES, Drawn, Native
from tests.scans.imports.test_conventions import fill


def with_markers(seed: int, shift: float = 0.0) -> Native:
    """A Metashape file with a marker a point, `shift` pixels aside in one view."""
    made = native.metashape(Drawn.of(seed), exact=False)
    text = made.files["cameras.xml"]
    places, seen = "", ""
    for number, point in enumerate(made.points):
        places += '<marker id="{}"><reference x="{}" y="{}" z="{}"/></marker>'.format(
            number, *map(repr, point.tolist())
        )
        seen += f'<marker marker_id="{number}">'
        for camera, image in enumerate(SIZES):
            u, v = (made.pixels[image][number] + [shift * camera, 0]).tolist()
            seen += f'<location camera_id="{camera}" x="{u!r}" y="{v!r}"/>'
        seen += "</marker>"
    more = f"<markers>{places}</markers><frames><frame><markers>{seen}</markers></frame></frames>"
    more += '<reference>LOCAL_CS["Local Coordinates (mm)",UNIT["millimetre",0.001]]</reference></chunk>'
    return Native({"cameras.xml": text.replace("</chunk>", more)}, "cameras.xml", made.pixels, made.points)


def test_markers_prove_resampled_cameras_at_their_measured_places(tmp_path: Path) -> None:
    report = import_cameras(fill(tmp_path / "in", with_markers(1)), tmp_path / "out")
    assert report.markers is not None and report.markers.most < 1e-6 and not report.markers.triangulated
    assert report.unit == "local, millimetre" and len(report.resampled) == 1


def test_markers_without_a_place_are_triangulated(tmp_path: Path) -> None:
    for name, change in (
        ("none", lambda text: re.sub("<reference x[^>]*>", "", text)),
        ("geographic", lambda text: text.replace("LOCAL_CS[", "GEOGCS[")),
        ("off", lambda text: text.replace("<reference x", '<reference enabled="0" x')),
    ):
        made = with_markers(1)
        changed = Native({"cameras.xml": change(made.files["cameras.xml"])}, "cameras.xml", made.pixels, made.points)
        report = import_cameras(fill(tmp_path / name, changed), tmp_path / f"out_{name}")
        assert report.markers is not None and report.markers.most < 1e-6 and report.markers.triangulated


def test_points_that_dont_fit_are_doubted_in_one_line(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", with_markers(1, shift=9.0))
    code, told = p2p_here("import", file, "--out", tmp_path / "out")
    assert code == 0 and "images, cameras and points don't belong together" in told
    assert (tmp_path / "out" / "import.json").is_file()


def test_points_behind_the_cameras_are_doubted_and_kept_as_null(tmp_path: Path) -> None:
    made = with_markers(1)
    text = re.sub(
        r'(<reference x=")[^"]*(" y=")[^"]*(" z=")[^"]*', r"\g<1>900\g<2>900\g<3>900", made.files["cameras.xml"]
    )
    far = re.sub(r'(<reference x=")[^"]*(" y=")[^"]*(" z=")[^"]*', r"\g<1>-900\g<2>-900\g<3>-900", text)
    for number, each in enumerate((text, far)):
        made = Native({"cameras.xml": each}, "cameras.xml", made.pixels, made.points)
        code, told = p2p_here("import", fill(tmp_path / f"in{number}", made), "--out", tmp_path / f"out{number}")
        written = json.loads((tmp_path / f"out{number}" / "import.json").read_text())["markers"]
        assert code == 0 and "don't belong together" in told and (written["most"] is None or written["most"] > 100)


def test_the_account_says_what_was_taken(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", with_markers(1))
    code, told = p2p_here("import", file, "--out", tmp_path / "out")
    lines = " ".join(told.split())
    for words in (
        "Metashape XML (document 2.0.0, newer calibrations", "frame and unit are kept: local, millimetre",
        "2 cameras: 2 SIMPLE_PINHOLE; distortion: k1 k2 k3 k4 p1 p2 skew", "resampled to pinholes",
        "no COLMAP model has their k4 and skew: 2 images (tall.png, wide.png)", "without a camera: 1 image (lost.png)",
        "reprojection of 6 markers (12 pixels): median",
    ):  # fmt: skip
        assert words in lines, words
    written = json.loads((tmp_path / "out" / "import.json").read_text())
    assert code == 0 and written["lenses"] == {"SIMPLE_PINHOLE": 2} and written["unaligned"] == ["lost.png"]
