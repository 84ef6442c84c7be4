"""A capture's scan together with the prediction that `p2p segment` left there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capture import Capture, InputError, Scan, read_json
from scans.meshes.reading import read_scan
from scans.predictions import Prediction

FOLDER = "prediction"  # of a capture
ACCOUNT = "prediction.json"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A labelled scan.

    Attributes:
        capture: images and cameras.
        scan: as it was given.
        prediction: of the scan.
        scan_unit: metres per unit of the scan.
        camera_unit: metres per unit of the camera poses.
        folder: of the prediction's files.
        facts: short sentences on the prediction, for its page.
        scan_path: the file that the scan was read from.
    """

    capture: Capture
    scan: Scan
    prediction: Prediction
    scan_unit: float
    camera_unit: float
    folder: Path
    facts: tuple[str, ...] = ()
    scan_path: Path | None = None

    @property
    def camera_scale(self) -> float:
        """Units of the scan in a unit of the cameras."""
        return self.camera_unit / self.scan_unit

    @classmethod
    def read(cls, folder: Path | str, scan_path: Path | None = None, place: Path | None = None) -> Labelled:
        """The capture's own scan, or another one, with its prediction, in `prediction/` of the capture or in `place`.

        Raises:
            InputError: where one is missing or damaged, or the prediction is of another scan.
        """
        capture = Capture.read(folder)
        scan_path = scan_path or capture.scan_path
        scan = read_scan(scan_path)
        place = place or capture.folder / FOLDER
        prediction = Prediction.read(place / Prediction.FILE, scan)
        path = place / ACCOUNT
        account = read_json(path, "account of the prediction")
        units = account_units(place)
        try:
            if account["scan"] != prediction.scan:
                raise ValueError("of another prediction")
            facts = tuple(str(fact) for fact in account.get("facts", ()))
            return cls(capture, scan, prediction, *units, place, facts, scan_path)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"damaged: {path} ({error}); run `p2p segment` again") from None


def account_units(place: Path) -> tuple[float, float]:
    """Metres per unit of scan and cameras that the prediction in a folder was made with. Raises `InputError`."""
    path = place / ACCOUNT
    account = read_json(path, "account of the prediction")
    try:
        units = account["metres_per_unit"]
        return float(units["scan"]), float(units["cameras"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"damaged: {path} ({error}); run `p2p segment` again") from None
