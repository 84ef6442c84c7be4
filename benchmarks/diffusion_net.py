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
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch.nn import functional

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
PRECISIONS = {"plain": "single", "ours": "bf16"}


def main() -> None:
    """Print times, memory and ratios; fails where we are not as fast as we say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vertices", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=["plain", "ours"], help="run one of them in this process, print JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(_measure_here(options.only, options.vertices)))
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


@dataclass(frozen=True, eq=False)
class Inputs:
    """What both networks get for one head with V vertices, on the CPU; the same numbers in every process.

    Attributes:
        mass, values, vectors: (V,), (K,), (V, K) as of `Surface`.
        gradients: two sparse (V, V).
        features: (V, C).
        labels: (V,).
    """

    mass: torch.Tensor
    values: torch.Tensor
    vectors: torch.Tensor
    gradients: tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]
    features: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, positions: NDArray, faces: NDArray) -> Self:
        """Of a mesh, metres."""
        torch.manual_seed(0)
        frames = tangent_frames(vertex_normals(positions, faces))
        gradients = gradient_operators(positions / LENGTH_UNIT, faces, frames)
        count = len(positions)
        mass, values = torch.full((count,), 1 / count), torch.arange(float(EIGENPAIRS))
        vectors = torch.randn(count, EIGENPAIRS)
        features, labels = torch.randn(count, INPUTS), torch.randint(CLASSES, (count,))
        return cls(mass, values, vectors, gradients, features, labels)


@dataclass(frozen=True, eq=False)
class Case:
    """A network on a device, `forward` on its inputs, and the labels that it is trained towards."""

    network: torch.nn.Module
    forward: Callable[[], torch.Tensor]
    labels: torch.Tensor


def make_case(name: str, precision: str, inputs: Inputs, device: torch.device | str = "cpu") -> Case:
    """A network with the same random weights in every process.

    Args:
        name: plain or ours.
        precision: single; tf32, which is single with products on the tensor cores of an NVIDIA GPU; bf16, which
            is automatic mixed precision, as in training.
        inputs: of the head.
        device: where it runs.
    """
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.manual_seed(1)
    mass, values, vectors = (array.to(device) for array in (inputs.mass, inputs.values, inputs.vectors))
    features = inputs.features.to(device)
    if name == "plain":
        operators = (mass, values, vectors, *(_sparse(gradient).to(device) for gradient in inputs.gradients))
        network: torch.nn.Module = PublishedDiffusionNet(INPUTS, CLASSES, WIDTH, BLOCKS, DROPOUT).to(device)
        forward: Callable[[], torch.Tensor] = lambda: network(features, operators)  # noqa: E731
    else:
        basis = (gradient.astype(np.float32) @ inputs.vectors.numpy() for gradient in inputs.gradients)
        surface = Surface(mass, values, vectors, *(torch.from_numpy(part).to(device) for part in basis))
        network = DiffusionNet(INPUTS, CLASSES, WIDTH, BLOCKS, dropout=DROPOUT).to(device)
        forward = lambda: network(features, surface)  # noqa: E731
    if precision == "bf16":
        forward = torch.autocast(mass.device.type, torch.bfloat16)(forward)
    return Case(network, forward, inputs.labels.to(device))


def outputs(case: Case) -> torch.Tensor:
    """(V, CLASSES) of evaluation, on the CPU."""
    case.network.eval()
    with torch.inference_mode():
        return case.forward().float().cpu()


def measure(case: Case, steps: int = 3) -> dict[str, float]:
    """Seconds of a step and the peak memory in GB, evaluation first: of the process, or on the GPU that it runs on."""
    optimiser = torch.optim.AdamW(case.network.parameters(), lr=1e-3, weight_decay=1e-5)

    def train() -> None:
        functional.cross_entropy(case.forward(), case.labels).backward()
        optimiser.step()
        optimiser.zero_grad()

    device, result = case.labels.device, {}
    case.network.eval()
    with torch.inference_mode():
        result |= _timed("evaluation", case.forward, device, steps)
    case.network.train()
    return result | _timed("training", train, device, steps)


def _timed(stage: str, work: Callable[[], object], device: torch.device, steps: int) -> dict[str, float]:
    on_gpu = device.type == "cuda"
    wait: Callable[[], object] = torch.cuda.synchronize if on_gpu else lambda: None
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    work()
    wall, cpu = [], []
    for _ in range(steps):
        wait()
        start, busy = time.perf_counter(), time.process_time()
        work()
        wait()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - busy)
    held = torch.cuda.max_memory_allocated() if on_gpu else peak_bytes(resource.getrusage(resource.RUSAGE_SELF))
    return {stage: min(wall), f"{stage}_cpu": min(cpu), f"{stage}_gb": held / 1e9}


def _measure_here(name: str, vertices: int) -> dict[str, float]:
    """In a process of its own, so that its peak memory is that of one network."""
    from benchmarks.noisy_head import noisy_head

    torch.set_num_threads(CORES)
    if name == "ours":
        keep_freed_memory()
    return measure(make_case(name, PRECISIONS[name], Inputs.of(*noisy_head(vertices))))


def _sparse(matrix: scipy.sparse.csr_matrix) -> torch.Tensor:
    table = matrix.tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(table.data.astype(np.float32)), table.shape, check_invariants=False
    ).coalesce()


if __name__ == "__main__":
    main()
