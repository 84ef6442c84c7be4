"""Steps of our DiffusionNet beside a plain implementation of the published formulation: seconds and memory.

Both get the same features, operators of the same noisy head, and dropout; each runs in processes of its own, in turns,
on the same cores: `benchmarks/published_diffusion_net.py` in single precision with sparse gradients, ours in bfloat16
as `--trainer.precision bf16-mixed` has it, with the gradients of the eigenbasis and `training.memory`. A training step
is forward, cross-entropy, backward and AdamW; evaluation is forward without gradients. Of each process the best of
three steps counts, after one to warm up. The eigenvectors are random: times do not depend on them.

    python -m benchmarks.diffusion_net [--vertices 250000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.sparse
import torch
from torch.nn import functional

from benchmarks.noisy_head import noisy_head
from benchmarks.published_diffusion_net import PublishedDiffusionNet
from capture import vertex_normals
from factory.stages.usage import peak_bytes
from training.diffusion_net import DiffusionNet, Surface
from training.memory import keep_freed_memory
from training.operators.compute import LENGTH_UNIT
from training.operators.gradients import gradient_operators, tangent_frames

TRAINING, EVALUATION = 5.0, 6.0  # ratios that we promise, at least
INPUTS, CLASSES, WIDTH, BLOCKS, EIGENPAIRS, DROPOUT = 256, 2, 128, 4, 128, 0.5
CORES = 2


def main() -> None:
    """Print times, memory and ratios; fails where we are not as fast as we say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vertices", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=["plain", "ours"], help="run one of them in this process, print JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.vertices)))
        return
    results: dict[str, list[dict[str, float]]] = {"plain": [], "ours": []}
    for _ in range(options.rounds):
        for name, runs in results.items():
            command = [sys.executable, "-m", "benchmarks.diffusion_net", "--only", name]
            output = subprocess.run([*command, "--vertices", str(options.vertices)], check=True, stdout=subprocess.PIPE)
            runs.append(json.loads(output.stdout.splitlines()[-1]))
            print(f"  {name}: " + ", ".join(f"{key} {value:.2f}" for key, value in runs[-1].items()), flush=True)
    best = {name: {key: min(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()}
    load = os.getloadavg()[0]
    print(f"about {options.vertices} vertices, {CORES} cores, {load:.1f} processes at work in the last minute")
    failed = []
    for stage, promised in (("training", TRAINING), ("evaluation", EVALUATION)):
        plain, ours = best["plain"], best["ours"]
        ratio = plain[stage] / ours[stage]
        failed += [stage] if ratio < promised else []
        print(
            f"  {stage:11s} plain {plain[stage]:6.2f} s, ours {ours[stage]:6.2f} s, ratio {ratio:5.2f}; CPU time "
            f"{plain[stage + '_cpu']:.2f} s, {ours[stage + '_cpu']:.2f} s; "
            f"peak memory {plain[stage + '_gb']:.1f} GB, {ours[stage + '_gb']:.1f} GB"
        )
    assert not failed, f"slower than promised: {failed}"


def measure(name: str, vertices: int) -> dict[str, float]:
    """Seconds of a step and the peak memory of the process in GB, evaluation first."""
    torch.set_num_threads(CORES)
    torch.manual_seed(0)
    if name == "ours":
        keep_freed_memory()
    positions, faces = noisy_head(vertices)
    frames = tangent_frames(vertex_normals(positions, faces))
    gradients = gradient_operators(positions / LENGTH_UNIT, faces, frames)
    count = len(positions)
    mass, values = torch.full((count,), 1 / count), torch.arange(float(EIGENPAIRS))
    vectors = torch.randn(count, EIGENPAIRS)
    features, labels = torch.randn(count, INPUTS), torch.randint(CLASSES, (count,))
    if name == "plain":
        operators = (mass, values, vectors, *(_sparse(gradient) for gradient in gradients))
        network: torch.nn.Module = PublishedDiffusionNet(INPUTS, CLASSES, WIDTH, BLOCKS, DROPOUT)
        forward: Callable[[], torch.Tensor] = lambda: network(features, operators)  # noqa: E731
    else:
        basis = (torch.from_numpy(gradient.astype(np.float32) @ vectors.numpy()) for gradient in gradients)
        surface = Surface(mass, values, vectors, *basis)
        network = DiffusionNet(INPUTS, CLASSES, WIDTH, BLOCKS, dropout=DROPOUT)
        forward = torch.autocast("cpu", torch.bfloat16)(lambda: network(features, surface))
    del gradients, positions, faces
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-5)

    def train() -> None:
        functional.cross_entropy(forward(), labels).backward()
        optimiser.step()
        optimiser.zero_grad()

    result = {}
    network.eval()
    with torch.inference_mode():
        result |= _timed("evaluation", forward)
    network.train()
    return result | _timed("training", train)


def _timed(stage: str, work: Callable[[], object]) -> dict[str, float]:
    work()
    wall, cpu = [], []
    for _ in range(3):
        start, busy = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - busy)
    peak = peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) / 1e9
    return {stage: min(wall), f"{stage}_cpu": min(cpu), f"{stage}_gb": peak}


def _sparse(matrix: scipy.sparse.csr_matrix) -> torch.Tensor:
    table = matrix.tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(table.data.astype(np.float32)), table.shape, check_invariants=False
    ).coalesce()


if __name__ == "__main__":
    main()
