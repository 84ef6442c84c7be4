"""Labels, scale and registration on real people, beside a face parser: by skin that a person outlined in photographs.

For each person: the scale that is measured, by the true one; agreement of both answers of the labeller, and of the face
parser's votes, with the outlines; recall by region; and the registration by each, beside that by the outlines: the mean
distance of its face, and the angle between the heads. A head that is turned by more than 15 degrees is in a wrong pose.

    python -m benchmarks.real_people [--bisenet 79999_iter.pth] [--checkpoint CKPT] \
        --person ../shared/data/selfie_orbit ../shared/data/selfie_orbit/masks.json 0.0217 \
        --person ../shared/data/james benchmarks/james_outlines.json 0.001

A person is a capture (rebuilt, where it has no scan), its outlines (`benchmarks/outlines.py`), and the true metres per
unit. The face parser is left out without its weights.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from benchmarks.outlines import Agreement, Observations, observe
from benchmarks.real_scan import make_capture
from capture import Capture, Labels
from evaluation.baselines.bisenet import BiSeNetSegmenter
from evaluation.comparison.methods import ProjectedSegmenter
from evaluation.comparison.samples import EvaluationSample
from factory.capture_scale.segmenting import segment_to_scale
from pixels2points import reconstruct
from registration.errors import face_error
from registration.files.detected import landmarks_of, steady_landmarks
from registration.files.inputs import SkinWeights, weights_of
from registration.files.outputs import ScanRegistration
from registration.files.register import fit_to_scan
from registration.template import Template, load_template
from scans.head_sample import HeadSample
from scans.meshes.reading import read_scan
from scans.predictions import Prediction
from scans.scale import CaptureScale
from scans.units import in_metres
from training.checkpoints.pretrained import PRETRAINED
from training.options import SegmentOptions

_WRONG_DEGREES = 15.0


def copied(source: Path, folder: Path) -> Path:
    """A copy of a person's capture, without anything that was made of it but its scan."""
    if (source / "cameras.json").is_file():
        make_capture(source, folder)
        read_scan(source / f"{source.name}.obj").write(folder / Capture.SCAN)
        return folder
    for name in ("images", "sparse"):
        shutil.copytree(source / name, folder / name)
    if (source / Capture.SCAN).is_file():
        shutil.copy(source / Capture.SCAN, folder / Capture.SCAN)
    else:
        reconstruct(folder).write(folder / Capture.SCAN)
    return folder


def registrations(
    folder: Path, metres: float, template: Template, weights: dict[str, SkinWeights]
) -> Iterator[tuple[str, ScanRegistration]]:
    """The template registered at the true scale, by each of several labels."""
    scan = read_scan(Capture.read(folder).scan_path)
    detected = steady_landmarks(landmarks_of(folder), folder.name, scan, metres)
    for name, each in weights.items():
        yield name, fit_to_scan(folder.name, scan, metres, each, template, detected=detected)


def by_mask(skin: NDArray[np.bool_], known: NDArray[np.bool_] | None = None) -> SkinWeights:
    """Weights by a mask (V,)."""
    return weights_of(Labels(np.full(len(skin), np.nan, np.float32), skin, known=known))


def measure(folder: Path, outlines: Path, metres: float, checkpoint: Path, bisenet: Path | None) -> None:
    """Print what is measured of a person."""
    prediction, scale = segment_to_scale(folder, checkpoint, None, SegmentOptions(), view=False)
    assert prediction.visible_skin is not None, "the labeller predicts no parts"
    found = "not measured" if scale is None else f"{scale.metres / metres:.3f} of the true one ({scale.text})"
    print(f"\n## {folder.name}\n\nscale: {found}\n", flush=True)
    CaptureScale(metres, 0.0, stated=True).write(folder)
    sample = EvaluationSample(in_metres(HeadSample.from_capture(folder))[0])
    seen = observe(outlines, sample.head.cameras, sample.views)
    labels = {"skin": prediction.skin, "visible_skin": prediction.visible_skin}
    if bisenet is not None:
        labels["BiSeNet"] = ProjectedSegmenter(BiSeNetSegmenter(bisenet)).predict(sample).skin
    print_agreement(labels, seen)
    whole = observe(outlines, sample.head.cameras, sample.views, stubble=True)
    print_registrations(folder, metres, prediction, labels, whole)


def print_agreement(labels: dict[str, NDArray[np.bool_]], seen: Observations) -> None:
    """Print a table of how labels agree with the outlines."""
    names = sorted(seen.regions)
    print(f"| labels | mIoU | skin | rest | precision | recall | {' | '.join(names)} |\n|{' --- |' * (6 + len(names))}")
    for name, skin in labels.items():
        it = Agreement.of(skin, seen)
        values = [it.mean_iou, it.skin_iou, it.rest_iou, it.precision, it.recall, *(it.regions[each] for each in names)]
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |", flush=True)


def print_registrations(
    folder: Path, metres: float, prediction: Prediction, labels: dict[str, NDArray[np.bool_]], seen: Observations
) -> None:
    """Print a table of registrations beside that by the outlines."""
    template = load_template()
    weights = {
        "the outlines": by_mask(*seen.majority(len(prediction.skin))),
        "skin, as p2p register": weights_of(prediction),
    }
    weights |= {name: by_mask(skin) for name, skin in labels.items()}
    print("\n| registered by | face off, mm | 90 % | turned by | pose |\n| --- | --- | --- | --- | --- |")
    reference: ScanRegistration | None = None
    for name, done in registrations(folder, metres, template, weights):
        reference = reference or done
        error = face_error(done.mesh(), template.face_mask, reference.mesh())
        turns = [Rotation.from_rotvec(each.registration.head.turn) for each in (reference, done)]
        degrees = np.degrees((turns[0].inv() * turns[1]).magnitude())
        pose = "wrong" if degrees > _WRONG_DEGREES else "right"
        print(f"| {name} | {error.mean:.2f} | {error.p90:.2f} | {degrees:.1f}° | {pose} |", flush=True)


def main() -> None:
    """Measure all people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--person", nargs=3, action="append", required=True, metavar=("CAPTURE", "OUTLINES", "METRES"))
    parser.add_argument("--bisenet", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    options = parser.parse_args()
    for capture, outlines, metres in options.person:
        with tempfile.TemporaryDirectory() as place:
            folder = copied(Path(capture), Path(place) / Path(capture).name)
            measure(folder, Path(outlines), float(metres), options.checkpoint, options.bisenet)


if __name__ == "__main__":
    main()
