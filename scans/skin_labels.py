"""The file with the skin labels of a scan: painted by a person, predicted, or computed."""

from __future__ import annotations

from pathlib import Path

from capture import Capture, InputError, Labels, Mesh
from capture.arrays import read_npz
from capture.labels import is_painted
from scans.meshes.reading import read_labels
from scans.predictions import Prediction

NO_LABELS = "none"  # on the command line


def default_labels_file(folder: Path) -> Path | None:
    """The file of a capture to go by, None where it has none.

    What somebody painted comes first: it was often made by mending the prediction that lies beside it.
    """
    labels, prediction = folder / Capture.LABELS, folder / "prediction" / Prediction.FILE
    if prediction.is_file() and not is_painted(labels):
        return prediction
    return labels if labels.is_file() else None


def read_skin(path: Path, scan: Mesh) -> Prediction | Labels:
    """The labels or the prediction of a scan in a file, `labels.npz` or `prediction.npz`.

    Raises `InputError` where it is missing, damaged, something else, or of another scan.
    """
    if not path.is_file():
        raise InputError(f"no labels at {path}; make some with `p2p segment`, `p2p annotate` or `p2p label`")
    try:
        predicted = "probability" in read_npz(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is neither a labels.npz nor a prediction.npz ({error}); name another file") from None
    return Prediction.read(path, scan) if predicted else read_labels(path, scan)
