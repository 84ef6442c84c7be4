"""Operators of a noisy head of 250K vertices: ours beside the method of DiffusionNet's authors, in the same run.

Their method, written here anew from its description (Sharp et al. 2022, Section 3, and what their release says it
calls): eigenpairs by ARPACK in shift-invert mode at 1e-8 on SciPy's SuperLU, and gradients by one small least-squares
problem a vertex in a Python loop. Both start from the same positions and faces and use the same Laplacian (Sharp and
Crane 2020; theirs computed by geometry-central, ours by our own code), so that eigenvalues can be compared. CPU time of
one thread; ours runs before and after, its kernels compiled.

    python -m benchmarks.operators [--vertices 250000] [--scan scan.ply]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import robust_laplacian
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from benchmarks.noisy_head import noisy_head
from capture import Scan, vertex_normals
from training.operators import compute_operators, weld
from training.operators.compute import LENGTH_UNIT
from training.operators.gradients import tangent_frames

RATIO = 5.0  # what we promise, at least
AGREE = 1e-5  # relative, eigenvalues
SHIFT = 1e-8  # theirs: added to the Laplacian's diagonal, and where they look for eigenvalues
EIGENPAIRS = 128
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The result and the CPU time in seconds."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def arpack_eigenpairs(laplacian: scipy.sparse.csc_matrix, mass: NDArray, count: int) -> tuple[NDArray, NDArray]:
    """Their eigenpairs (K,), (V, K)."""
    shifted = (laplacian + SHIFT * scipy.sparse.identity(len(mass))).tocsc()
    return scipy.sparse.linalg.eigsh(shifted, k=count, M=scipy.sparse.diags(mass), sigma=SHIFT)


def looped_gradients(vertices: NDArray, frames: NDArray, laplacian: scipy.sparse.csc_matrix) -> scipy.sparse.csr_matrix:
    """Their gradients: complex (V, V); one least-squares problem a vertex, filled in edge by edge."""
    edges = laplacian.tocoo()
    vectors = vertices[edges.col] - vertices[edges.row]
    tangents = np.einsum("eac,ec->ea", frames[edges.row, :2], vectors)
    around: list[list[int]] = [[] for _ in vertices]
    for edge, (tail, head) in enumerate(zip(edges.row, edges.col, strict=True)):
        if tail != head:
            around[tail].append(edge)
    rows, columns, weights = [], [], []
    for i, outgoing in enumerate(around):
        design, differences = np.zeros((len(outgoing), 2)), np.zeros((len(outgoing), len(outgoing) + 1))
        places = [i]
        for k, edge in enumerate(outgoing):
            places.append(edges.col[edge])
            design[k] = tangents[edge]
            differences[k, 0], differences[k, k + 1] = -1, 1
        solution = np.linalg.inv(design.T @ design + 1e-5 * np.identity(2)) @ design.T @ differences
        for place, x, y in zip(places, *solution, strict=True):
            rows.append(i)
            columns.append(place)
            weights.append(complex(x, y))
    return scipy.sparse.csr_matrix((weights, (rows, columns)), shape=(len(vertices),) * 2)


def residual(laplacian: scipy.sparse.csc_matrix, mass: NDArray, values: NDArray, vectors: NDArray) -> float:
    """Largest |M^-½ (L φ - λ M φ)| of vectors as single precision stores them."""
    stored = vectors.astype(np.float32).astype(np.float64)
    difference = laplacian @ stored - mass[:, None] * stored * values
    return float(np.linalg.norm(difference / np.sqrt(mass)[:, None], axis=0).max())


def rayleigh(laplacian: scipy.sparse.csc_matrix, mass: NDArray, vectors: NDArray) -> NDArray[np.float64]:
    """Eigenvalues (K,) that belong to vectors; right to the square of the vectors' error, and free of their shift."""
    vectors = vectors.astype(np.float64)
    energy = np.einsum("vk,vk->k", vectors, laplacian @ vectors)
    return np.asarray(energy / np.einsum("vk,vk,v->k", vectors, vectors, mass))


def main() -> None:
    """Print times, ratios and agreement; fails where we are not as fast or as right as we say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vertices", type=int, default=250_000)
    parser.add_argument("--scan", type=Path, help="a mesh to take in place of the made one")
    options = parser.parse_args()
    if options.scan:
        scan = Scan.read(options.scan)
        vertices, faces = scan.vertices, scan.faces
    else:
        vertices, faces = noisy_head(options.vertices)
    print(f"{len(vertices)} vertices, {len(faces)} faces, {EIGENPAIRS} eigenpairs; CPU seconds of one thread")
    compute_operators(*noisy_head(2000), 8)  # compiles
    ours, first = timed(lambda: compute_operators(vertices, faces, EIGENPAIRS))

    clean = weld(vertices, faces)
    positions = (clean.vertices - clean.vertices.mean(axis=0)) / LENGTH_UNIT
    (laplacian, mass_matrix), laplacian_time = timed(lambda: robust_laplacian.mesh_laplacian(positions, clean.faces))
    laplacian, mass = laplacian.tocsc(), mass_matrix.diagonal()
    (_, theirs), eigen_time = timed(lambda: arpack_eigenpairs(laplacian, mass, EIGENPAIRS))
    frames = tangent_frames(vertex_normals(positions, clean.faces))
    _, gradient_time = timed(lambda: looped_gradients(positions, frames, laplacian))
    peer = laplacian_time + eigen_time + gradient_time
    print(
        f"  authors' method {peer:8.1f}  (Laplacian {laplacian_time:.1f}, eigenpairs {eigen_time:.1f}, "
        f"gradients {gradient_time:.1f})"
    )

    _, second = timed(lambda: compute_operators(vertices, faces, EIGENPAIRS))
    mean = (first + second) / 2
    print(f"  ours            {mean:8.1f}  ({first:.1f} before, {second:.1f} after), ratio {peer / mean:.2f}")
    vectors = ours.eigenvectors[np.flatnonzero(clean.index >= 0)[np.unique(clean.index[clean.index >= 0], True)[1]]]
    values, expected = ours.eigenvalues.astype(float), rayleigh(laplacian, mass, theirs)
    pieces = int((values == 0).sum())
    error = np.abs(np.sort(expected)[pieces:] / values[pieces:] - 1).max()
    print(f"  {pieces} eigenvalues are 0, the others differ by {error:.1e} at most, relative")
    exact = rayleigh(laplacian, mass, vectors)
    left = residual(laplacian, mass, exact, vectors), residual(laplacian, mass, expected, theirs)
    print(f"  largest residual in single precision: ours {left[0]:.2e}, ARPACK's {left[1]:.2e}")
    assert error < AGREE, "eigenvalues disagree"
    assert left[0] < 1.1 * left[1], "residuals are larger than single precision makes them"
    assert peer / mean >= RATIO, f"less than {RATIO} times as fast as the authors' method"


if __name__ == "__main__":
    if not ONE_THREAD.items() <= os.environ.items():  # they are read when numpy is loaded: start again
        command = [sys.executable, "-m", "benchmarks.operators", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | ONE_THREAD)
    main()
