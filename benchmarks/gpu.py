"""Labeller, image network and stereo on one NVIDIA GPU: times, memory, and agreement with the CPU, in one call.

`--prepare` makes the folder of inputs on any machine that has the whole program (with Blender, unless `--capture` names
a synthetic capture). The call that measures then needs this repository, that folder (below 40 MiB), PyTorch, SciPy,
numba and Pillow, no network and no Blender:

1. the labeller: a training step and inference of our DiffusionNet in bfloat16 beside the plain implementation of
   `benchmarks/published_diffusion_net.py` on the same device, which also runs with TF32 products, and ours in single
   precision; how far outputs are from ours in single precision on the CPU;
2. the tokens of 13 images of 1024² from the default backbone, on the GPU and on the CPU, and how far they are apart;
3. stereo: the stored capture rebuilt by COLMAP on the GPU and by our program on the CPU, with the seconds. It needs a
   pycolmap with CUDA; accuracy and completeness need libigl and embreex, and where these are missing, are measured
   afterwards where they are, of the scans in `--scans`: `--parts quality`;
4. the peak memory of each: what PyTorch allocated on the GPU, what the whole GPU held, and the process.

Each part runs in a process of its own with a time limit. One that fails costs only itself: its last lines are printed,
and the exit code is 1. One that can't run here says why. A table is printed, and JSON.

    python -m benchmarks.gpu --prepare FOLDER [--capture CAPTURE] [--vertices 250000]
    python -m benchmarks.gpu FOLDER [--scans OUT]
    python -m benchmarks.gpu FOLDER --device cpu --vertices 2000      # what runs without a GPU
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.builds import REPO
from benchmarks.gpu_inputs import prepare
from benchmarks.gpu_parts import BACKENDS, PARTS, Agreement
from capture import InputError

SECONDS = {"cuda": 450.0, "cpu": 3600.0}  # of all parts together
SHARES = {"labeller": 0.2, "tokens": 0.2, "stereo": 0.4, "quality": 0.2}  # of these, at most, for one process
LAST_LINES = 15
VERTICES, RESOLUTION = 250_000, 518


def main() -> None:
    """Prepare, or measure and print; exit code 1 where a part fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", type=Path, metavar="FOLDER", help="of the inputs")
    parser.add_argument("--prepare", action="store_true", help="make the folder")
    parser.add_argument("--capture", type=Path, help="a synthetic capture to prepare; by default one is rendered")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--vertices", type=int, help="of the labeller's head; all that were prepared by default")
    parser.add_argument("--resolution", type=int, default=RESOLUTION, help="of the backbone, pixels")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--scans", type=Path, help="keep the scans in this folder")
    parser.add_argument("--json", type=Path, help="write the results there, too")
    parser.add_argument("--seconds", type=float, help="for all parts together; by default 450, on a CPU 3600")
    options = parser.parse_args()
    if unknown := {name for name in options.parts if name.split(":")[0] not in PARTS}:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    try:
        if options.prepare:
            size = prepare(options.inputs, options.capture, options.vertices or VERTICES)
            print(f"{options.inputs}: {size / 2**20:.1f} MiB")
            return
        results = measure(options)
    except InputError as error:
        parser.error(str(error))
    report(results)
    text = json.dumps(results, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    if any("failed" in part for part in results["parts"].values()):
        sys.exit(1)


def names_of(parts: list[str], device: str) -> list[str]:
    """The processes of the parts, or those named whole: a GPU's own beside those of the CPU to compare with."""
    on_gpu = device == "cuda"
    labellers = ["plain:single", *(["plain:tf32"] if on_gpu else []), "ours:single", "ours:bf16"]
    names = [f"labeller:{each}" for each in labellers]
    names += ["tokens:cuda", "tokens:cpu"] if on_gpu else ["tokens:cpu"]
    names += [f"stereo:{backend}" for backend in BACKENDS]
    return [name for name in [*names, "quality"] if {name, name.split(":")[0]} & set(parts)]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run all parts in turn; the machine, and by part its numbers, or why there are none."""
    seconds = options.seconds or SECONDS[options.device]
    end = time.monotonic() + seconds
    machine = describe(options.device)
    parts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="p2p-gpu-") as folder:
        work = Path(folder)
        scans = options.scans or work / "scans"
        scans.mkdir(parents=True, exist_ok=True)
        for name in names_of(options.parts, options.device):
            limit = min(SHARES[name.split(":")[0]] * seconds, end - time.monotonic())
            parts[name] = run_part(name, options, scans, work, limit)
            print(f"  {name}: {outcome(parts[name])}", flush=True)
        compare_tokens(work, parts)
    return {"machine": machine, "parts": parts}


def describe(device: str) -> dict[str, Any]:
    """Of the machine and its card. Raises `InputError` where a GPU is wanted and PyTorch finds none."""
    machine: dict[str, Any] = {"cores": os.cpu_count(), "python": platform.python_version(), "torch": version("torch")}
    if device == "cpu":
        return machine
    import torch

    if not torch.cuda.is_available():
        raise InputError(f"PyTorch {torch.__version__} finds no GPU here; without one, give `--device cpu`")
    card, driver, memory = ask_card("name,driver_version,memory.total")
    return {**machine, "card": card, "driver": driver, "card_mib": int(memory), "cuda": torch.version.cuda}


def ask_card(fields: str) -> list[str]:
    """What nvidia-smi says of the first GPU."""
    words = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    return [word.strip() for word in done.stdout.splitlines()[0].split(",")]


class CardMemory:
    """The most memory, in MiB, that the whole GPU holds meanwhile, above what it held before; read 5 times a second."""

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._before = self._peak = int(ask_card("memory.used")[0])
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._end.wait(0.2):
            self._peak = max(self._peak, int(ask_card("memory.used")[0]))

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def peak_mib(self) -> int:
        """Until now."""
        return self._peak - self._before


def run_part(name: str, options: argparse.Namespace, scans: Path, work: Path, limit: float) -> dict[str, Any]:
    """Its numbers, or `cannot` with the reason, or `failed` with the last lines that it said."""
    on_gpu = options.device == "cuda" and name != "quality" and not name.endswith(":cpu")
    if name == "stereo:cuda" and not on_gpu:
        return {"cannot": "it needs an NVIDIA GPU"}
    if limit < 1:
        return {"failed": ["no time was left for it"]}
    result, log = work / "result.json", work / "log.txt"
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.gpu_parts", name, "--result", result, "--inputs", options.inputs]
    command += ["--scans", scans, "--work", work, "--resolution", options.resolution]
    command += ["--device", "cuda" if on_gpu else "cpu"]
    command += ["--vertices", options.vertices] if options.vertices else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPO), os.environ.get("PYTHONPATH", "")])}
    environment |= {} if on_gpu else {"CUDA_VISIBLE_DEVICES": ""}  # the program chooses a GPU where it sees one
    with log.open("w") as output:
        code, peak = _run(list(map(str, command)), environment, output, limit, on_gpu)
    if code == 0 and result.is_file():
        found: dict[str, Any] = json.loads(result.read_text())
        return found | ({"card_mib": peak} if on_gpu else {})
    why = f"ended by its limit of {limit:.0f} s" if code is None else f"exit code {code}"
    return {"failed": [*log.read_text(errors="replace").splitlines()[-LAST_LINES:], why]}


def _run(
    command: list[str], environment: dict[str, str], output: Any, limit: float, on_gpu: bool
) -> tuple[int | None, int]:
    """Exit code, None beyond the limit, and the peak memory of the GPU in MiB."""

    def run() -> int | None:
        words = {"env": environment, "stdout": output, "stderr": subprocess.STDOUT, "timeout": limit}
        try:
            return subprocess.run(command, check=False, **words).returncode
        except subprocess.TimeoutExpired:
            return None

    if not on_gpu:
        return run(), 0
    with CardMemory() as card:
        code = run()
    return code, card.peak_mib


def outcome(part: dict[str, Any]) -> str:
    """A word or a few on how a part ended."""
    if "failed" in part:
        return "failed:\n" + "\n".join(f"    {line}" for line in part["failed"])
    return f"not run: {part['cannot']}" if "cannot" in part else "done"


def compare_tokens(work: Path, parts: dict[str, Any]) -> None:
    """Add to the GPU's tokens how near they are to the CPU's, where there are both."""
    files = [work / f"tokens_{device}.npy" for device in ("cpu", "cuda")]
    if all(path.is_file() for path in files):
        parts["tokens:cuda"]["agreement"] = asdict(Agreement.of(*map(np.load, files)))


def report(results: dict[str, Any]) -> None:
    """Print the table."""
    done = {name: part for name, part in results["parts"].items() if not {"failed", "cannot"} & set(part)}
    print(", ".join(f"{key} {value}" for key, value in results["machine"].items()))
    print("\n| part | result | memory |\n| --- | --- | --- |")
    for name, part in done.items():
        if name != "quality":
            print(f"| {name} | {ROWS[name.split(':')[0]](part, name, done)} | {_memory(part)} |")
    for backend, measures in done.get("quality", {}).items():
        print(f"| quality of stereo:{backend} | {_quality(measures)} | |")
    for name, part in results["parts"].items():
        if name not in done:
            print(f"| {name} | {'failed' if 'failed' in part else 'not run: ' + part['cannot']} | |")
    print()


def _labeller(part: dict[str, Any], name: str, done: dict[str, Any]) -> str:
    plain = done.get("labeller:plain:single")
    times = []
    for stage in ("training", "evaluation"):
        ratio = f" ({plain[stage] / part[stage]:.2f} times as fast as plain)" if plain and plain is not part else ""
        times.append(f"{stage} {1000 * part[stage]:.1f} ms{ratio}")
    near = part["agreement"]["root_mean_square"]
    return f"{part['vertices']} vertices: {', '.join(times)}; outputs apart by {near:.1e} (rms, relative)"


def _tokens(part: dict[str, Any], name: str, done: dict[str, Any]) -> str:
    text = f"{part['images']} images: {part['seconds']:.2f} s, {part['resizing']:.2f} s of it resizing"
    if "agreement" in part:
        near = part["agreement"]
        text += f"; apart from the CPU's by {near['root_mean_square']:.1e} (rms), at most {near['largest']:.1e}"
    return text


def _stereo(part: dict[str, Any], name: str, done: dict[str, Any]) -> str:
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in part["steps"].items())
    return f"{part['views']} views of {part['side']}²: {part['seconds']:.1f} s ({steps})"


def _quality(measures: dict[str, Any]) -> str:
    skin, complete = measures["accuracy"]["skin_pixels"], measures["completeness"]
    shares = [f"{key} {complete[key]['within_1_0_mm']}" for key in ("face_mask_clear", "visible_skin") if complete[key]]
    hair = "" if complete["hair"] is None else f", hair {complete['hair']}"
    return (
        f"{measures['vertices']} vertices; skin: median {skin['median_mm']} mm, 90 % {skin['p90_mm']} mm; "
        f"within 1 mm: {', '.join(shares)}{hair}"
    )


def _memory(part: dict[str, Any]) -> str:
    texts = [f"{stage} {part[f'{stage}_gb']:.2f} GB" for stage in ("training", "evaluation") if f"{stage}_gb" in part]
    texts += [f"PyTorch {part['gb']:.2f} GB"] if "gb" in part else []
    texts += [f"whole GPU {part['card_mib'] / 1024:.2f} GiB"] if "card_mib" in part else []
    return ", ".join([*texts, f"process {part['process_gb']:.2f} GB"])


ROWS = {"labeller": _labeller, "tokens": _tokens, "stereo": _stereo}

if __name__ == "__main__":
    main()
