"""Does every seed render? Many heads through Blender at a small size: crashes and what nobody wrote down, by seed.

Each process renders a few heads; what it says beyond the lines that are known (`KNOWN`) is listed by the seed that it
worked on. The exit code is 1 where a seed failed or something unknown was said.

    python benchmarks/many_seeds.py --seeds 0:200 [--processes 2] [--resolution 64] [--samples 1] [--blender PATH]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from capture.runtime.progress import StepProgress, parse_line
from factory.stages.seeds import head_name, parse_seeds

SCRIPT = Path(__file__).resolve().parents[1] / "blender_scripts" / "generate.py"
KNOWN = {
    r"INFO \S+: head [\d.]+ s, .*": "the stages' times of a head that is whole",
    r"INFO this Blender has no OpenImageDenoise: .*": "builds without a denoiser take more samples",
    r"Blender [\d.]+( LTS)?( \(.*\))?": "the binary says its version",
    r"Blender quit|Saved session recovery to .*": "the binary's farewell",
}
"""Lines that may be said, and why."""


@dataclass
class Result:
    """Outcome of some seeds: failed seed -> reason, seed -> unknown lines, wall seconds."""

    failed: dict[int, str] = field(default_factory=dict)
    said: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0


def render(seeds: list[int], options: argparse.Namespace) -> Result:
    """Render the seeds in one process; after a crash the rest go on in another."""
    result, left, started = Result(), list(seeds), time.perf_counter()
    while left:
        done = _run(left, options, result)
        if done == len(left):
            break
        left = left[done + 1 :]  # the one in which it ended is noted as failed
    result.seconds = time.perf_counter() - started
    return result


def _run(seeds: list[int], options: argparse.Namespace, result: Result) -> int:
    """Number of the seeds that were rendered; fills the result."""
    with tempfile.TemporaryDirectory(prefix="many-seeds-") as folder:
        command = [options.blender, "--background", "--python", str(SCRIPT), "--"]
        command = command if options.blender else [sys.executable, "-W", "default", str(SCRIPT)]
        command += [word for seed in seeds for word in ("--seed", str(seed))]
        command += ["--out-root", folder, "--resolution", str(options.resolution), "--samples", str(options.samples)]
        command += [] if options.distributions is None else ["--distributions", str(options.distributions)]
        command += [] if options.library is None else ["--library", str(options.library)]
        process = subprocess.Popen(
            [*command, "--threads", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None
        done, tail = 0, ""
        for line in process.stdout:
            text = line.strip()
            told = parse_line(text)
            if isinstance(told, StepProgress):
                done += told.step == "done"
            elif text and told is None:
                tail = text
                if not any(re.fullmatch(pattern, text) for pattern in KNOWN):
                    result.said.append((seeds[min(done, len(seeds) - 1)], text))
        process.wait()
        for seed in seeds[:done]:
            problem = _problem(Path(folder) / head_name(seed))
            if problem:
                result.failed[seed] = problem
    if done < len(seeds):
        result.failed[seeds[done]] = f"ended with {process.returncode}: {tail}"
    return done


def _problem(folder: Path) -> str:
    """Name of what a capture lacks; "" where it is complete."""
    wanted = [
        "capture.json",
        "head.ply",
        *(f"{kind}/view_{view:02d}.png" for kind in ("images", "masks") for view in range(13)),
    ]
    missing = [name for name in wanted if not (folder / name).is_file()]
    return f"no {missing[0]}" if missing else ""


def main() -> int:
    """Print the list; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:200")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--per-process", type=int, default=8, help="heads that one process renders")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--blender", help="a Blender binary instead of the bpy wheel")
    parser.add_argument("--distributions", type=Path)
    parser.add_argument("--library", type=Path)
    options = parser.parse_args()
    seeds, started = parse_seeds(options.seeds), time.perf_counter()
    chunks = [seeds[first : first + options.per_process] for first in range(0, len(seeds), options.per_process)]
    failed: dict[int, str] = {}
    said: list[tuple[int, str]] = []
    with ThreadPoolExecutor(options.processes) as pool:
        for number, result in enumerate(pool.map(lambda chunk: render(chunk, options), chunks), 1):
            failed |= result.failed
            said += result.said
            sys.stderr.write(f"{number} of {len(chunks)} processes, {time.perf_counter() - started:.0f} s\n")
    for seed, reason in sorted(failed.items()):
        print(f"FAILED seed {seed}: {reason}")
    for seed, line in said:
        print(f"UNKNOWN seed {seed}: {line}")
    kinds = Counter(re.sub(r"[\d.]+", "#", line) for _, line in said)
    print(
        f"{len(seeds)} seeds, {len(failed)} failed, {len(said)} unknown lines of {len(kinds)} kinds, "
        f"{(time.perf_counter() - started) / len(seeds):.1f} s a head"
    )
    return 1 if failed or said else 0


if __name__ == "__main__":
    sys.exit(main())
