"""Cost of a head: seconds per component, the share that is not Cycles, peak memory, what persistent data saves.

Renders heads one after the other, each in a process of its own as `p2p generate` does. "start" is all that no stage
counts: Python, numpy and bpy, the head model, the end of the process. "first view" holds the transfer of the scene
to Cycles and its BVH; the difference to the mean of the other views is what persistent data saves for each of them.
Both are counted as Cycles. Everything else is overhead: start, build, export, the 8-bit images, masks.

    python benchmarks/render_cost.py [--seeds 0,1,2] [--resolution 512] [--samples 16] [--threads N] [--passes uv,depth]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from capture.runtime.progress import StepTimes, parse_line
from factory.stages.usage import peak_bytes

SCRIPT = Path(__file__).resolve().parents[1] / "blender_scripts" / "generate.py"
CYCLES = ("first view", "other views")


def measure(seed: int, options: argparse.Namespace) -> dict[str, float]:
    """Seconds per stage of one head, with wall, processor seconds and peak memory."""
    command = [
        sys.executable,
        str(SCRIPT),
        "--seed",
        str(seed),
        "--resolution",
        str(options.resolution),
        "--samples",
        str(options.samples),
    ]
    for name in ("threads", "passes", "distributions", "rig"):
        if getattr(options, name) is not None:
            command += [f"--{name}", str(getattr(options, name))]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--out", f"{folder}/head"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        told = [parse_line(line) for line in process.stdout]
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    times = [line.seconds for line in told if isinstance(line, StepTimes)]
    if status or not times:
        raise SystemExit(f"seed {seed} failed; run {' '.join(command)} --out FOLDER to see why")
    start = wall - sum(times[0].values())
    return {
        "start": start,
        **times[0],
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": peak_bytes(usage) / 2**30,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--passes")
    parser.add_argument("--distributions", type=Path)
    parser.add_argument("--rig", type=Path, help="fewer views, where only memory counts")
    options = parser.parse_args()
    rows = {}
    for seed in map(int, options.seeds.split(",")):
        rows[f"seed {seed}"] = measure(seed, options)
    stages = [name for name in next(iter(rows.values())) if name not in ("wall", "cpu", "memory")]
    rows["mean"] = {key: sum(row[key] for row in rows.values()) / len(rows) for key in next(iter(rows.values()))}
    print(f"{options.resolution}², {options.samples} samples; seconds")
    print(" ".join([" " * 8, *(f"{name:>11}" for name in (*stages, "wall", "cpu")), "peak GiB", "not Cycles"]))
    for name, row in rows.items():
        cycles = sum(row.get(stage, 0.0) for stage in CYCLES)
        numbers = [f"{row[stage]:11.2f}" for stage in (*stages, "wall", "cpu")]
        print(" ".join([f"{name:8}", *numbers, f"{row['memory']:8.2f}", f"{1 - cycles / row['wall']:10.1%}"]))
    mean = rows["mean"]
    if options.rig is None:
        later = mean["other views"] / 12
        saved = mean["first view"] - later
        print(
            f"persistent data: a first view takes {mean['first view']:.2f} s, a later one {later:.2f} s; rebuilding "
            f"for each would add {12 * saved:.1f} s, {12 * saved / mean['wall']:.0%} of the wall time"
        )


if __name__ == "__main__":
    main()
