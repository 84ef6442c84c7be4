"""The parts of `benchmarks/gpu.py`, each of which runs in a process of its own and writes a JSON file.

Libraries are imported in the part that needs them: the first two parts need PyTorch, SciPy, numba and Pillow; stereo
has no PyTorch beside it, which may have been built with another CUDA.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_inputs import CAPTURE, VIEWS, read_head, read_images
from capture import Capture, read_json, write_json
from factory.stages.usage import StepWatch, peak_bytes

STEPS = {"cuda": 10, "cpu": 3}  # of the labeller that are timed; the best counts
ROUNDS = {"cuda": 3, "cpu": 1}  # likewise, of all images
SMALL = 192  # pixels of a first, unmeasured reconstruction, which compiles kernels and starts the GPU's library
BACKENDS = ("cuda", "cpu")


class CannotRun(Exception):
    """Something that a part needs is not on this machine."""


@dataclass(frozen=True)
class Settings:
    """Attributes:
    inputs: folder of what was prepared.
    scans: folder where scans are left.
    work: folder for what parts leave for one another.
    device: cuda or cpu.
    vertices: of the labeller's head; None takes all.
    resolution: of the backbone.
    """

    inputs: Path
    scans: Path
    work: Path
    device: str
    vertices: int | None
    resolution: int


@dataclass(frozen=True)
class Agreement:
    """How near two arrays are.

    Attributes:
        largest: difference, over the root mean square of the first.
        root_mean_square: of the differences, over the same.
    """

    largest: float
    root_mean_square: float

    @classmethod
    def of(cls, expected: NDArray, found: NDArray) -> Agreement:
        """Of any two of one shape. Raises `ValueError` where one holds what is no number."""
        first, second = (np.asarray(array, np.float64) for array in (expected, found))
        if first.shape != second.shape or not (np.isfinite(first).all() and np.isfinite(second).all()):
            raise ValueError(f"arrays of {first.shape} and {second.shape} can't be compared, or are not finite")
        scale, apart = np.sqrt(np.square(first).mean()), np.abs(first - second)
        return cls(float(apart.max() / scale), float(np.sqrt(np.square(apart).mean()) / scale))


def labeller(settings: Settings, name: str, precision: str) -> dict[str, Any]:
    """Steps of one network, and how near its outputs are to ours in single precision on the CPU."""
    from benchmarks.diffusion_net import Inputs, make_case, measure, outputs
    from training.memory import keep_freed_memory

    if name == "ours":
        keep_freed_memory()
    inputs = Inputs.of(*read_head(settings.inputs, settings.vertices))
    expected = outputs(make_case("ours", "single", inputs))
    case = make_case(name, precision, inputs, settings.device)
    near = Agreement.of(expected.numpy(), outputs(case).numpy())
    count = len(inputs.mass)
    del inputs, expected
    return {"vertices": count, "agreement": asdict(near), **measure(case, STEPS[settings.device])}


def tokens(settings: Settings, device: str) -> dict[str, Any]:
    """Seconds for the tokens of all images, and of resizing, which is part of it; they stay in the work folder."""
    import torch

    from benchmarks.gpu_encoder import read_backbone
    from scans.images.decoding import resize_image

    backbone, images = read_backbone(settings.inputs, settings.resolution), read_images(settings.inputs)
    side = settings.resolution
    backbone.tokens(images[: backbone.sizes.batch])
    seconds, resizing = [], []
    for _ in range(ROUNDS[device]):
        start = time.perf_counter()
        maps = backbone.tokens(images)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        for image in images:
            resize_image(image, side, side)
        resizing.append(time.perf_counter() - start)
    ran_on = next(backbone.model.parameters()).device.type
    if ran_on != device:
        raise RuntimeError(f"the backbone chose to run on {ran_on}, not on {device}")
    np.save(settings.work / f"tokens_{device}.npy", np.stack(maps))
    held = {"gb": torch.cuda.max_memory_allocated() / 1e9} if device == "cuda" else {}
    return {"images": VIEWS, "seconds": min(seconds), "resizing": min(resizing), **held}


def stereo(settings: Settings, backend: str) -> dict[str, Any]:
    """Seconds of rebuilding the capture, and of its steps; the scan stays in the folder of scans."""
    _need("numba", "scipy", "pycolmap")
    from reconstruction.colmap import pycolmap
    from reconstruction.pipeline import reconstruct
    from reconstruction.settings import ReconstructionSettings

    if backend == "cuda" and not pycolmap.has_cuda:
        raise CannotRun("this pycolmap was built without CUDA: pycolmap-cuda12 is the one with it")
    capture = Capture.read(settings.inputs / CAPTURE)
    reconstruct(capture, ReconstructionSettings(backend, max_image_size=SMALL))  # type: ignore[arg-type]
    watch, start = StepWatch(lambda step, share: None), time.perf_counter()
    scan = reconstruct(capture, ReconstructionSettings(backend), watch)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    scan.write(settings.scans / f"scan_{backend}.ply")
    side = max(max(camera.width, camera.height) for camera in capture.cameras)
    return {"views": len(capture.cameras), "side": side, "seconds": seconds, "steps": watch.times}


def quality(settings: Settings) -> dict[str, Any]:
    """Accuracy and completeness of the scans that are there, by the measures of `benchmarks/stereo.py`."""
    _need("igl", "embreex", "scipy")
    from labeling.quality import label_and_measure

    scans = {backend: settings.scans / f"scan_{backend}.ply" for backend in BACKENDS}
    found = {backend: path for backend, path in scans.items() if path.is_file()}
    if not found:
        raise CannotRun(f"{settings.scans} holds no scan")
    result = {}
    for backend, path in found.items():
        folder = settings.work / f"measured_{backend}"
        shutil.copytree(settings.inputs / CAPTURE, folder)
        shutil.copy(path, folder / Capture.SCAN)
        result[backend] = read_json(label_and_measure(folder)[1], "quality.json")
    return result


def _need(*names: str) -> None:
    """Raise `CannotRun` that names the first library that is missing."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise CannotRun(f"{name} can't be imported: {error}") from None


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "labeller": labeller,
    "tokens": tokens,
    "stereo": stereo,
    "quality": quality,
}


def main() -> None:
    """Run one part, with words that follow its name after colons, such as `labeller:ours:bf16`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part")
    parser.add_argument("--result", type=Path, required=True)
    for name in ("inputs", "scans", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--vertices", type=int)
    parser.add_argument("--resolution", type=int, required=True)
    options = vars(parser.parse_args())
    name, *words = options.pop("part").split(":")
    result = options.pop("result")
    try:
        found = PARTS[name](Settings(**options), *words)
    except CannotRun as error:
        write_json(result, {"cannot": str(error)})
        return
    used = peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) / 1e9
    write_json(result, {**found, "process_gb": used} if name != "quality" else found)


if __name__ == "__main__":
    main()
