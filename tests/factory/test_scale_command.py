"""The scale of a capture: told, measured, set, kept, and checked by what is made with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assets.head_models.registry import load_head_model
from capture import Capture, CaptureInfo, Labels, RefusedError, Scan, write_json
from factory.capture_scale.measure import measure_scale, scale_of, with_head
from registration.files.inputs import read_weights
from registration.files.scan_scale import scan_metres
from registration.template import Template
from scans.landmarks import face_size
from scans.meshes.reading import read_scan, scan_key
from scans.predictions import Prediction
from scans.scale import CaptureScale, Evidence, check_scale
from scans.scaling import scaled_camera
from tests.helpers import looking_at_origin, make_capture, p2p_here
from tests.scans.landmarks.faces import KnownFaces
from tests.scans.landmarks.test_finding import capture_of


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_head_model())


@pytest.fixture(autouse=True)
def no_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_size, "load_detector", lambda *_: KnownFaces(dict.fromkeys(range(256))))


def head_capture(folder: Path, template: Template, unit: float, labelled: bool = True) -> Capture:
    """A capture of the average head in some unit, its images noise; nothing says which unit it is."""
    made = make_capture(folder, labelled=False)
    cameras = [scaled_camera(looking_at_origin(each.name, 40.0 * i), 1 / unit) for i, each in enumerate(made.cameras)]
    scan = Scan(template.surface(template.mean) / unit, template.faces)
    scan.write(folder / "scan.ply")
    if labelled:
        skin = template.surface(template.mean)[:, 1] < 0.03
        Labels(np.zeros(len(skin), np.float32), skin).write(folder / "labels.npz")
    return Capture.create(folder, cameras, CaptureInfo(folder.name))


def test_a_scale_is_measured_by_the_head_where_the_scan_has_labels(tmp_path: Path, template: Template) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217)
    scale = measure_scale(capture)
    assert scale is not None and scale.metres == pytest.approx(0.0217, rel=0.01) and not scale.stated
    assert not (capture.folder / CaptureScale.FILE).exists()


def test_a_first_pass_is_made_where_it_has_none(tmp_path: Path, template: Template) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217, labelled=False)
    assert measure_scale(capture) is None
    seen: list[float] = []

    def segmenter(head: Any) -> Prediction:
        seen.append(float(np.ptp(head.scan.vertices[:, 2])))
        skin = template.surface(template.mean)[:, 1] < 0.03
        return Prediction(skin.astype(np.float32), skin)

    scale = measure_scale(capture, segmenter)
    assert scale is not None and scale.metres == pytest.approx(0.0217, rel=0.01)
    assert len(seen) == 1 and 0.15 < seen[0] < 0.5  # about a head's size


def test_the_face_in_the_images_is_enough_for_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture, faces = capture_of(tmp_path / "c")
    monkeypatch.setattr(face_size, "load_detector", lambda *_: KnownFaces(faces))
    scale = scale_of(capture)
    assert scale is not None and scale.metres == 1.0 and len(scale.evidence) == 1
    CaptureScale(0.5, 0.0, stated=True).write(capture.folder)
    assert scale_of(capture) == CaptureScale(0.5, 0.0, stated=True)
    measured = measure_scale(capture)
    assert measured is not None and measured.metres == 1.0  # whatever is kept


def test_a_scale_that_the_head_speaks_against_is_told(template: Template, caplog: pytest.LogCaptureFixture) -> None:
    scan = Scan(template.surface(template.mean) / 0.0217, template.faces)
    skin = np.ones(len(scan.vertices))
    right = with_head(CaptureScale(0.0217, 0.05, False, (Evidence("face", 0.0217, 0.05),)), scan, skin)
    assert len(right.evidence) == 2 and not right.disputed
    check_scale("c", right)
    assert with_head(right, scan, 0 * skin) == right  # once is enough
    assert not caplog.records
    child = with_head(CaptureScale(0.0217 / 1.3, 0.0, True), scan, skin)
    check_scale("c", child)
    assert "c: its scale is in doubt" in caplog.text
    wrong = with_head(CaptureScale(0.01, 0.0, True), scan, skin)
    assert wrong.metres == 0.01  # what is stated stays
    with pytest.raises(RefusedError, match=r"centimetres \(stated; head model on the scan 0\.0217\)"):
        check_scale("c", wrong)


def test_the_command_tells_measures_sets_and_keeps(tmp_path: Path, template: Template) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217)
    kept = capture.folder / CaptureScale.FILE
    code, said = p2p_here("scale", capture.folder)
    assert code == 0 and "units of 0.0217" in said and "measured" in said and kept.is_file()
    first = kept.read_bytes()
    assert p2p_here("scale", capture.folder)[0] == 0 and kept.read_bytes() == first
    code, said = p2p_here("scale", capture.folder, "--unit", "inch")
    assert code == 0 and "inches (stated; head model on the scan 0.0217)" in said
    code, said = p2p_here("scale", capture.folder, "--unit", "cm")
    assert code == 3 and "its scale is in doubt" in said
    scale = CaptureScale.read(capture.folder)
    assert scale is not None and scale.metres == 0.01 and scale.stated  # it has the last word
    assert p2p_here("scale", capture.folder)[0] == 3  # and is told again
    assert p2p_here("scale", capture.folder, "--again")[0] == 0 and kept.read_bytes() == first
    code, said = p2p_here("scale", capture.folder, "--unit", "ell")
    assert code == 2 and "ell" in said and said.count("\n") == 1


def test_a_prediction_of_another_scan_is_in_nobodys_way(
    tmp_path: Path, template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217, labelled=False)
    Prediction([0.5], [True], "of another").write(capture.folder / "prediction" / Prediction.FILE)
    skin = template.surface(template.mean)[:, 1] < 0.03
    scale = measure_scale(capture, lambda _: Prediction(skin.astype(np.float32), skin))
    assert scale is not None and scale.metres == pytest.approx(0.0217, rel=0.01)
    code, said = p2p_here("scale", capture.folder, "--unit", "0.0217")
    assert code == 0 and "units of 0.0217 m (stated)" in said, said


def test_labels_that_were_made_at_another_scale_are_told(
    tmp_path: Path, template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217, labelled=False)
    scan, skin = read_scan(capture.scan_path), template.surface(template.mean)[:, 1] < 0.03
    place = capture.folder / "prediction"
    Prediction(skin.astype(np.float32), skin, scan_key(scan)).write(place / Prediction.FILE)
    write_json(place / "prediction.json", {"metres_per_unit": {"scan": 0.028, "cameras": 0.028}})
    weights = read_weights(None, capture.folder, scan)
    told = partial(scan_metres, "c", capture.folder, scan, weights, template=template, found=None)
    assert told(None) == (0.028, None)  # as long as nobody says otherwise
    kept = CaptureScale(0.0217, 0.0, stated=True)
    kept.write(capture.folder)
    assert told(None) == (0.0217, kept) and "its labels were made at units of 0.028 m" in caplog.text
    code, said = p2p_here("scale", capture.folder)
    assert code == 0 and "its prediction was made at another scale" in said


@pytest.mark.parametrize("metric", [True, False])
def test_new_cameras_have_a_scale_of_their_own(tmp_path: Path, metric: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import reconstruction

    capture = make_capture(tmp_path / "c", labelled=False)
    CaptureScale(0.5, 0.0, stated=True).write(capture.folder)
    (capture.folder / "landmarks.json").write_text("{}")
    found = SimpleNamespace(model=capture.model, error=0.5, doubts=[], left_out=[], metric=metric)
    monkeypatch.setattr(reconstruction, "calibrate", lambda *_: found)
    code, said = p2p_here("calibrate", capture.folder)
    assert code == 0, said
    assert CaptureScale.read(capture.folder) == (CaptureScale(1.0, 0.0, stated=True) if metric else None)
    assert not (capture.folder / "landmarks.json").exists()


def test_nothing_that_tells_a_scale_is_an_error(tmp_path: Path) -> None:
    made = make_capture(tmp_path / "c", labelled=False)
    (made.folder / "scan.ply").unlink(missing_ok=True)
    capture = Capture.create(made.folder, made.cameras, CaptureInfo("c"))
    code, said = p2p_here("scale", capture.folder)
    assert code == 3 and "nothing tells its scale" in said and not (capture.folder / CaptureScale.FILE).exists()


def test_a_registration_measures_keeps_and_goes_by_the_scale(tmp_path: Path, template: Template) -> None:
    capture = head_capture(tmp_path / "c", template, 0.0217)
    code, said = p2p_here("register", capture.folder, "--no-view")
    assert code == 0, said
    kept = CaptureScale.read(capture.folder)
    assert kept is not None and kept.metres == pytest.approx(0.0217, rel=0.01)
    scan = read_scan(capture.scan_path)
    skin = read_weights(None, capture.folder, scan)
    told = partial(scan_metres, "c", capture.folder, scan, skin, template=template, found=None)
    assert told(None) == (kept.metres, kept)
    metres, scale = told(str(0.0217 * 1.7))
    assert metres == 0.0217 * 1.7 and scale is not None
    with pytest.raises(RefusedError, match="its scale is in doubt"):  # which `p2p register` does when all is written
        check_scale("c", scale)
    assert (
        told(str(0.0217 * 1.7)) == (metres, scale) and CaptureScale.read(capture.folder) == kept
    )  # nothing is written
