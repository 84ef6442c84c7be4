"""Labelling a scan with a trained model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from capture import InputError, Mesh, Scan, atomic_path, vertex_normals
from capture.arrays import read_npz
from training.batch import to_batch
from training.checkpoint import load_labeller
from training.heads import Head
from training.module import SkinLabeller
from training.prepare import Prepared, prepare_head

log = logging.getLogger(__name__)

FOLDER = "prediction"
THRESHOLD = 0.5
MIN_COVERED = 0.05  # share of the scan that has to lie in some image; less means other units or another frame
_SKIN = np.array([226, 122, 83])  # colours of the picture mesh: orange is skin, blue the rest
_OTHER = np.array([72, 110, 160])


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says of the V vertices of a scan.

    Attributes:
        probability: (V,) float32, of being skin.
        skin: (V,) bool.
    """

    probability: NDArray[np.float32]
    skin: NDArray[np.bool_]

    FILE: ClassVar[str] = "prediction.npz"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `prediction.npz`; raises `InputError` where it is missing or damaged."""
        try:
            arrays = read_npz(Path(path))
            return cls(arrays["probability"], arrays["skin"])
        except FileNotFoundError:
            raise InputError(f"no prediction at {path}; run `p2p segment`") from None
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"damaged prediction: {path} ({error}); run `p2p segment` again") from None

    def write(self, folder: Path, scan: Mesh) -> None:
        """Write `prediction.npz`, the coloured scan `segmented.ply` and the skin alone `skin.ply`, each atomically."""
        folder = Path(folder)
        share = self.probability[:, None]
        colours = (share * _SKIN + (1 - share) * _OTHER).round().astype(np.uint8)
        Scan(scan.vertices, scan.faces, colours).write(folder / "segmented.ply")
        part = skin_mesh(scan, self.skin)
        if part is not None:
            part.write(folder / "skin.ply")
        else:
            log.warning("no face of the scan is skin: %s is left out", folder / "skin.ply")
            (folder / "skin.ply").unlink(missing_ok=True)
        with atomic_path(folder / self.FILE) as temporary:
            np.savez_compressed(temporary, probability=self.probability, skin=self.skin)


def skin_mesh(scan: Mesh, skin: NDArray[np.bool_]) -> Scan | None:
    """The faces whose three corners are skin, with no other vertices; None where there is none."""
    faces = scan.faces[skin[scan.faces].all(axis=1)]
    if not len(faces):
        return None
    used, corners = np.unique(faces, return_inverse=True)
    return Scan(scan.vertices[used], corners.reshape(-1, 3).astype(np.int32))


def segment_capture(folder: Path, checkpoint: Path, scan_path: Path | None = None) -> Prediction:
    """Label the scan of a capture and write the result into `<folder>/prediction/`.

    Args:
        folder: a capture: images and cameras, and the scan unless `scan_path` names another.
        checkpoint: what `python -m training fit` wrote; it carries its whole configuration.
        scan_path: a mesh (PLY) in the frame and unit (metres) of the cameras.

    Raises:
        InputError: where something is missing or damaged, or the scan isn't where the cameras look.
    """
    head = Head.from_capture(folder, scan_path)
    prediction = segment_head(head, _labeller_of(Path(checkpoint)))
    prediction.write(Path(folder) / FOLDER, head.scan)
    return prediction


def segment_head(head: Head, labeller: SkinLabeller) -> Prediction:
    """Label all vertices of a head's scan; nothing is written."""
    check_coverage(head)
    assert labeller.preparation is not None
    prepared = prepare_head(head, labeller.preparation, cache=None)
    probability = prepared.mesh.carry(predict(labeller, prepared), head.scan.vertices).astype(np.float32)
    return Prediction(probability, probability > THRESHOLD)


def predict(labeller: SkinLabeller, prepared: Prepared) -> NDArray[np.float32]:
    """(W,) probability of skin at the vertices of the simplified scan."""
    with torch.inference_mode():
        scores = labeller(to_batch(prepared).to(labeller.device))
    return np.asarray(scores.softmax(-1)[:, 1].float().cpu().numpy())


def check_coverage(head: Head) -> None:
    """Raise `InputError` unless some of the scan lies in the images."""
    vertices, normals = head.scan.vertices, vertex_normals(head.scan.vertices, head.scan.faces)
    covered = np.zeros(len(vertices), bool)
    for camera in head.cameras:
        facing = np.einsum("vc,vc->v", camera.centre - vertices, normals) > 0
        covered |= facing & camera.inside(camera.project(vertices)[0])
    if covered.mean() < MIN_COVERED:
        size = float(np.ptp(vertices, axis=0).max())
        raise InputError(
            f"scan of {head.id}: {covered.mean():.0%} of it lies in the images, facing them (it is {size:.3g} m wide); "
            "bring it into the cameras' frame and into metres, its normals outward"
        )


def _labeller_of(checkpoint: Path) -> SkinLabeller:
    if not checkpoint.is_file():
        return load_labeller(checkpoint)  # says what is wrong
    return _read_once(str(checkpoint.resolve()), checkpoint.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read_once(checkpoint: str, modified: int) -> SkinLabeller:
    """A checkpoint is read once for many captures; another file at the same place is read anew."""
    return load_labeller(Path(checkpoint))
