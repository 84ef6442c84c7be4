"""A training step through the image head at 13 x 1024 x 1024 pixels: ours beside whole maps, in the same run.

20,000 vertices of the default model's mean head, the default rig, tokens of two layers of a ViT-S at 1022 pixels
(random numbers: time and memory don't depend on them). The peer makes the whole fine map of a view with torch's
transposed convolutions and samples it with `grid_sample`; it does so for one view, and counts as often as there are
views, for autograd holds them all. Each runs in a process of its own: memory is its peak above its start.

    python -m benchmarks.image_head [--vertices 20000] [--width 512]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from torch.nn import functional

from benchmarks.lifting import head, ours
from factory.stages.usage import peak_bytes
from generator.cameras.rig import RigSpec, rig_cameras
from training.features.image_head import ImageHead, ImageSamples
from training.features.lifting import place

SIDE, CHANNELS = 73, 768
PROMISE_MB = 1000  # of a step, above its inputs
RATIO = 10.0  # less memory than whole maps, at least


def samples(vertices: int) -> ImageSamples:
    """A head of so many vertices in 13 views."""
    points, faces = head(vertices)
    centre, radius = (points.max(0) + points.min(0)) / 2, float(np.ptp(points, axis=0).max() / 2)
    cameras = rig_cameras(RigSpec(), centre, radius, 1024)
    placement = place(ours(cameras, points, faces), "weighted_mean_variance")
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(SIDE, SIDE, CHANNELS, generator=generator).half() for _ in cameras]
    return ImageSamples(maps, torch.from_numpy(placement.where), torch.from_numpy(placement.weights))


def dense(network: ImageHead, given: ImageSamples) -> torch.Tensor:
    """The mean over the views from whole maps."""
    total = torch.zeros(given.weights.shape[1], network.width)
    for tokens, where, weights in zip(given.maps, given.where, given.weights, strict=True):
        image = tokens.float().permute(2, 0, 1)[None]
        for i, layer in enumerate(network.layers):
            kernel = layer.weight.unflatten(0, (2, 2)).permute(2, 3, 0, 1)
            image = functional.conv_transpose2d(image, kernel, layer.bias, stride=2)
            if i < len(network.norms):
                image = functional.gelu(network.norms[i](image.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        grid = (2 * torch.nan_to_num(where) - 1)[None, None]
        values = functional.grid_sample(image, grid, padding_mode="border", align_corners=False)[0, :, 0].T
        total = total + weights[:, None] * values
    return total


def measure(method: str, vertices: int, width: int) -> None:
    """Print views, CPU-seconds and megabytes of a step, as JSON."""
    given, network = samples(vertices), ImageHead(CHANNELS, width)
    if method == "dense":
        given = ImageSamples(given.maps[:1], given.where[:1], given.weights[:1])
    before, start = peak_bytes(resource.getrusage(resource.RUSAGE_SELF)), time.process_time()
    result = dense(network, given) if method == "dense" else network(given)
    result.backward(torch.ones_like(result))
    seconds = time.process_time() - start
    peak = (peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) - before) / 2**20
    print(json.dumps([len(given.maps), seconds, peak]))


def main() -> None:
    """Print both and the ratios; fails where ours takes more than we say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--method", choices=("ours", "dense"), help="only this one, as JSON")
    options = parser.parse_args()
    if options.method:
        measure(options.method, options.vertices, options.width)
        return
    runs = []
    for method in ("ours", "dense"):
        command = [sys.executable, "-m", "benchmarks.image_head", "--method", method]
        command += ["--vertices", str(options.vertices), "--width", str(options.width)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    (views, seconds, peak), (some, dense_seconds, dense_peak) = runs
    dense_seconds, dense_peak = dense_seconds * views / some, dense_peak * views / some
    print(f"{options.vertices} vertices, {views} views, width {options.width}: one step, forward and backward")
    print(f"  ours        {seconds:7.1f} CPU-s {peak:8.0f} MB")
    print(f"  whole maps  {dense_seconds:7.1f} CPU-s {dense_peak:8.0f} MB (one view, times {views})")
    print(f"  ratio       {dense_seconds / seconds:7.1f}       {dense_peak / peak:8.1f}")
    assert peak < PROMISE_MB, f"more than {PROMISE_MB} MB"
    assert dense_peak / peak > RATIO, f"less than {RATIO} times less memory"


if __name__ == "__main__":
    main()
