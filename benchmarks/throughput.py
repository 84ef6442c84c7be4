"""Heads per hour that this machine makes, and where the time goes.

Runs `p2p produce` with one core a stage, then adds up what stages told: rendering (Cycles: images and masks), stereo
(depth maps, fusion, meshing), what else the stages did, and what no stage had: starting, waiting, orchestration. Shares
are of all core seconds of the run, from the start of the command to its end.

    python -m benchmarks.throughput [--heads 24] [--resolution 256] [--samples 16] [--library FOLDER] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from factory.dataset.events import read_events
from factory.dataset.store import Store
from factory.report.usage import StageUsage, sum_usage
from factory.stages.commands import p2p

SHARE = 0.9  # promised: of the core seconds inside Cycles and stereo

# (stage, step) of what is neither; the other steps of these stages are building scenes, writing, and so on.
CYCLES = (("generate", "first view"), ("generate", "other views"), ("generate", "masks"))
STEREO = (("reconstruct", "stereo"), ("reconstruct", "fusion"), ("reconstruct", "meshing"))


def core_seconds(usage: StageUsage, wall: float, cores: int) -> Iterator[tuple[str, float]]:
    """Name and core seconds of each kind of work; together they are `wall * cores`."""
    named = {
        name: sum(usage.steps[stage].times.get(step, 0.0) for stage, step in steps)
        for name, steps in (("Cycles", CYCLES), ("stereo", STEREO))
    }
    yield from named.items()
    whole = {stage: sum(times.values()) for stage, times in usage.seconds.items()}
    yield "rest of generate", whole["generate"] - named["Cycles"]
    yield "rest of reconstruct", whole["reconstruct"] - named["stereo"]
    yield "label", whole["label"]
    yield "pack", whole["pack"]
    yield "no stage", wall * cores - sum(whole.values())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=24)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--library", type=Path, help="assets, as `p2p produce` takes them")
    parser.add_argument("--out", type=Path, help="where the data set goes; by default it is removed")
    options = parser.parse_args(arguments)
    cores = psutil.cpu_count(logical=True) or 1
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary) / "heads"
        if (out / "events.jsonl").exists():
            raise SystemExit(f"error: {out} holds a data set: a measurement starts with none")
        words = p2p(
            "produce",
            "--heads",
            options.heads,
            "--resolution",
            options.resolution,
            "--samples",
            options.samples,
            "--cpus",
            cores,
            "--out",
            out,
        )
        words += ["--library", str(options.library)] if options.library else []
        before = time.monotonic()
        subprocess.run(words, check=True)
        wall = time.monotonic() - before
        usage = sum_usage(read_events(Store(out)))
    print(
        f"{options.heads} heads at {options.resolution}², {options.samples} samples, {cores} cores: {wall:.0f} s, "
        f"{3600 * options.heads / wall:.1f} heads an hour"
    )
    rows = dict(core_seconds(usage, wall, cores))
    for name, seconds in rows.items():
        print(f"{name:20s} {seconds / options.heads:7.1f} core-s a head  {100 * seconds / (wall * cores):5.1f} %")
    for stage, peaks in usage.peak_gib.items():
        print(f"{stage:20s} {max(peaks.values()):7.2f} GiB at most")
    share = (rows["Cycles"] + rows["stereo"]) / (wall * cores)
    print(json.dumps({"heads_per_hour": round(3600 * options.heads / wall, 1), "share": round(share, 4)}))
    print(f"share inside Cycles and stereo: {100 * share:.1f} % (promised {100 * SHARE:g} %)")
    return int(share < SHARE)


if __name__ == "__main__":
    sys.exit(main())
