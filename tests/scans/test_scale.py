"""The scale of a capture: what evidence comes to, the file that keeps it, and the units that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from capture import Camera, Capture, CaptureInfo, InputError, Scan
from scans.head_sample import HeadSample
from scans.landmarks.face_size import evidence_of
from scans.landmarks.finding import combine
from scans.landmarks.names import LEFT_PUPIL, RIGHT_PUPIL
from scans.scale import CaptureScale, Evidence, known_scale
from scans.scaling import scaled, scaled_camera
from scans.units import find_units, in_metres
from tests.helpers import looking_at_origin, make_capture
from tests.scans.landmarks.faces import KnownFaces, half_ellipsoid, views
from tests.scans.landmarks.test_finding import capture_of

FACE, HEAD = 0.055, 0.08
metres = st.floats(1e-5, 1e3)
spreads = st.floats(0.02, 0.2)


@given(st.lists(st.tuples(metres, spreads), min_size=1, max_size=4))
def test_a_scale_lies_among_its_evidence_whatever_the_order(values: list[tuple[float, float]]) -> None:
    evidence = [Evidence(str(i), *value) for i, value in enumerate(values)]
    scale = CaptureScale.of(evidence)
    low, high = min(value for value, _ in values), max(value for value, _ in values)
    beside = np.exp(max(0.16, 1.7 * min(spread for _, spread in values)))  # a usual unit may lie a little beside
    assert low / beside <= scale.metres <= beside * high
    assert CaptureScale.of(evidence[::-1]).metres == pytest.approx(scale.metres)
    assert all(off in scale.disputed for off in scale.wrong)


@pytest.mark.parametrize(
    ("measured", "spread", "taken"),
    [
        (0.00096, FACE, 0.001),
        (0.00088, HEAD, 0.001),
        (1.07, FACE, 1.0),
        (0.0258, FACE, 0.0254),
        (0.0217, FACE, 0.0217),
        (0.0234, FACE, 0.0234),  # near to an inch, which is rare
        (0.0113, HEAD, 0.01),
        (0.0125, HEAD, 0.0125),
    ],
)
def test_what_is_near_to_a_usual_unit_is_that(measured: float, spread: float, taken: float) -> None:
    assert CaptureScale.of([Evidence("face", measured, spread)]).metres == pytest.approx(taken)


def test_evidence_that_disagrees_is_told_and_the_surest_taken() -> None:
    face, head = Evidence("face", 0.0217, FACE), Evidence("head", 0.0217 * 2, HEAD)
    scale = CaptureScale.of([face, head])
    assert scale.metres == face.metres and scale.disputed == scale.wrong == (head,)
    assert scale.spread == pytest.approx(np.log(2))
    near = CaptureScale.of([face, Evidence("head", 0.0217 * 1.1, HEAD)])
    assert not near.disputed and near.metres > face.metres and near.spread < FACE
    disputed = CaptureScale.of([Evidence("face", 0.0118, FACE), Evidence("head", 0.0118 * 2, HEAD)])
    assert disputed.metres == pytest.approx(0.0118)  # a dispute brings it no nearer to centimetres
    child = CaptureScale(1.0, 0.0, True, (Evidence("face", 1.3, FACE),))
    assert child.disputed and not child.wrong


def test_a_scale_that_was_kept_for_cameras_of_another_unit_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture = make_capture(tmp_path / "c", labelled=False)
    folder = capture.folder
    CaptureScale(1.0, 0.0, True).write(folder)
    assert known_scale(capture) == CaptureScale(1.0, 0.0, True)
    model, info = capture.model, replace(capture.info, seed=None)

    def of(cameras: Sequence[Camera]) -> Capture:
        return replace(capture, info=info, model=replace(model, cameras=tuple(cameras)))

    assert known_scale(of(capture.cameras[1:])) is not None and known_scale(of(capture.cameras[:1])) is not None
    assert not caplog.records
    assert known_scale(of([scaled_camera(camera, 10.0) for camera in capture.cameras])) is None
    assert "scale.json is of other cameras: these are 10 times as far apart. It is not used" in caplog.text


def test_a_scale_is_kept_and_read(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "c", labelled=False)
    assert CaptureScale.read(capture.folder) is None
    scale = CaptureScale(0.0217, 0.05, False, (Evidence("face", 0.0214, FACE), Evidence("head", 0.0224, HEAD)))
    scale.write(capture.folder)
    assert CaptureScale.read(capture.folder) == scale
    assert scale.text == "units of 0.0217 m (measured, ± 5%: face 0.0214, head 0.0224)"
    assert CaptureScale(0.001, 0.0, True).text == "millimetres (stated)"
    for damage in ("{", "[]", '{"schema_version": 2}', '{"schema_version": 1, "metres_per_unit": -1, "spread": 0}'):
        (capture.folder / CaptureScale.FILE).write_text(damage)
        with pytest.raises(InputError, match=r"scale\.json"):
            CaptureScale.read(capture.folder)


def test_our_own_renders_are_in_metres_and_a_users_capture_tells_nothing(tmp_path: Path) -> None:
    ours = make_capture(tmp_path / "ours")
    assert known_scale(ours) == CaptureScale(1.0, 0.0, True)
    theirs = Capture.create(ours.folder, ours.cameras, CaptureInfo("theirs"))
    assert known_scale(theirs) is None
    CaptureScale(0.5, 0.0, True).write(theirs.folder)
    assert known_scale(theirs) == CaptureScale(0.5, 0.0, True)


def ball(unit: float, radius: float = 0.12) -> Scan:
    mesh = trimesh.creation.icosphere(3, radius=radius)
    return scaled(Scan(mesh.vertices, mesh.faces), 1 / unit)


@given(st.floats(1e-3, 1e2))
def test_a_scan_in_the_units_of_its_cameras_has_their_scale(unit: float) -> None:
    cameras = [scaled_camera(looking_at_origin(f"{i}.png", 60.0 * i), 1 / unit) for i in range(6)]
    units = find_units(ball(unit), cameras, known=unit)
    assert units.scan == units.cameras == unit
    stated = find_units(ball(unit), cameras, stated=str(1.2 * unit), known=unit)
    assert stated.scan == stated.cameras == 1.2 * unit


def test_a_scan_in_other_units_than_the_cameras_keeps_its_own() -> None:
    cameras = [scaled_camera(looking_at_origin(f"{i}.png", 60.0 * i), 1 / 0.0217) for i in range(6)]
    units = find_units(ball(0.001), cameras, known=0.0217)
    assert (units.scan, units.cameras) == (0.001, 0.0217)


def test_a_capture_with_a_scale_is_segmented_at_it(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "c", labelled=False)
    capture = Capture.create(
        capture.folder, [scaled_camera(each, 1 / 0.05) for each in capture.cameras], CaptureInfo("c")
    )
    scan = ball(0.05, 0.1)
    CaptureScale(0.05, 0.0, True).write(capture.folder)
    head, units = in_metres(HeadSample.from_capture(capture, scan))
    assert units.scan == units.cameras == 0.05
    assert np.ptp(head.scan.vertices[:, 0]) == pytest.approx(0.2, rel=1e-3)
    assert np.linalg.norm(head.cameras[0].centre) == pytest.approx(1.0)


@pytest.mark.parametrize("unit", [1.0, 0.0217, 0.001])
def test_a_face_tells_the_scale(tmp_path: Path, unit: float) -> None:
    _, faces = capture_of(tmp_path / "c")
    cameras = [scaled_camera(each, 1 / unit) for each in views()]
    found = combine(cameras, list(faces.values()), KnownFaces(faces), 0.5, "c")
    found.positions[RIGHT_PUPIL] = found.positions[LEFT_PUPIL] - np.array([0.06 / unit, 0, 0])
    both, pupils = evidence_of(found, half_ellipsoid()), evidence_of(found, None)
    assert both is not None and both.metres == pytest.approx(unit * np.sqrt(0.063 / 0.06), rel=1e-6)
    assert pupils is not None and pupils.metres == pytest.approx(unit * 0.063 / 0.06)
    found.positions[RIGHT_PUPIL] = np.nan
    face = evidence_of(found, half_ellipsoid())
    assert face is not None and face.metres == pytest.approx(unit, rel=1e-6)
    assert evidence_of(found, None) is None
