"""The labels of a capture that count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture import Capture, InputError, Labels, Scan
from scans.meshes.reading import scan_key
from scans.predictions import Prediction
from scans.skin_labels import default_labels_file, read_skin
from tests.helpers import make_capture, p2p_here


def test_paint_comes_before_a_prediction_and_that_before_computed_labels(tmp_path: Path) -> None:
    folder = make_capture(tmp_path / "c").folder
    scan = Scan.read(folder / Capture.SCAN)
    assert default_labels_file(folder) == folder / Capture.LABELS
    probability = np.linspace(0, 1, len(scan.vertices), dtype=np.float32)
    Prediction(probability, probability > 0.5, scan_key(scan)).write(folder / "prediction" / Prediction.FILE)
    predicted = default_labels_file(folder)
    assert predicted == folder / "prediction" / Prediction.FILE and isinstance(read_skin(predicted, scan), Prediction)
    with pytest.raises(InputError, match="is of another scan than this, or of this one in other units"):
        read_skin(predicted, Scan(1000 * scan.vertices, scan.faces))
    Prediction(np.where(probability > 0.9, np.nan, probability), probability > 0.5).write(tmp_path / "nan.npz")
    with pytest.raises(InputError, match=r"nan.npz \(a probability is not a number\)"):
        read_skin(tmp_path / "nan.npz", scan)
    skin = scan.vertices[:, 2] > 0
    Labels(np.full(len(skin), np.nan, np.float32), skin, scan=scan_key(scan)).write(folder / Capture.LABELS)
    assert default_labels_file(folder) == folder / Capture.LABELS
    np.testing.assert_array_equal(read_skin(folder / Capture.LABELS, scan).skin, skin)
    with pytest.raises(InputError, match="painted on another scan"):
        read_skin(folder / Capture.LABELS, Scan(2 * scan.vertices, scan.faces))
    code, said = p2p_here("label", folder)
    assert code == 2 and "painted by a person; move it away" in said
    assert Labels.read(folder / Capture.LABELS).painted
    (folder / Capture.LABELS).unlink()
    (folder / "prediction" / Prediction.FILE).unlink()
    assert default_labels_file(folder) is None


@pytest.mark.parametrize("content", [b"", b"PK no zip", b"words"])
def test_what_is_neither_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    scan = Scan(np.eye(3), np.array([[0, 1, 2]]))
    with pytest.raises(InputError, match=r"x\.npz is neither a labels.npz nor a prediction.npz"):
        read_skin(path, scan)
