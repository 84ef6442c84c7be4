"""All operators of one mesh, and their file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from capture import InputError, atomic_path, vertex_normals
from capture.arrays import read_npz
from training.operators.gradients import gradient_operators, tangent_frames
from training.operators.laplacian import robust_laplacian
from training.operators.spectrum import smallest_eigenpairs
from training.operators.weld import weld

VERSION = 2  # of the numbers: raise it when they change, and every cache is made anew
LENGTH_UNIT = 0.1  # metres: a head has about unit radius then, and learned times and gradients are of order one


@dataclass(frozen=True, eq=False)
class Operators:
    """Operators of a mesh of V vertices, in units of `LENGTH_UNIT`.

    Attributes:
        mass: (V,) float32 area of each vertex; 0 where no face uses it.
        eigenvalues: (K,) float32, ascending.
        eigenvectors: (V, K) float32, orthonormal under `mass`.
        gradient_x: sparse (V, V) float32, derivative along the first axis of each vertex's tangent frame.
        gradient_y: along the second.
    """

    mass: NDArray[np.float32]
    eigenvalues: NDArray[np.float32]
    eigenvectors: NDArray[np.float32]
    gradient_x: scipy.sparse.csr_matrix
    gradient_y: scipy.sparse.csr_matrix


def compute_operators(vertices: NDArray, faces: NDArray, eigenpairs: int = 128) -> Operators:
    """Operators of any triangle soup; duplicates, loose vertices, slivers, non-manifold edges, several pieces are fine.

    Mass and Laplacian are those of `robust_laplacian`.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3).
        eigenpairs: K; fewer come back where the mesh has fewer vertices.

    Raises:
        InputError: where no proper face is left, or a vertex is not finite.
    """
    if not np.isfinite(vertices).all():
        raise InputError("the mesh has vertices that are not finite numbers; clean it first")
    try:
        clean = weld(vertices, faces)
    except ValueError as error:
        raise InputError(f"{error}; clean it first") from None
    positions = (clean.vertices - clean.vertices.mean(axis=0)) / LENGTH_UNIT
    laplacian, mass = robust_laplacian(positions, clean.faces)
    mass = np.maximum(mass, 1e-4 * mass.mean())  # a vertex of slivers only would have an eigenvector of its own
    values, vectors = smallest_eigenpairs(laplacian, mass, min(eigenpairs, len(mass)))
    frames = tangent_frames(vertex_normals(positions, clean.faces))
    gradients = gradient_operators(positions, clean.faces, frames)
    return _spread(mass, values, vectors, gradients, clean.index)


def _spread(
    mass: NDArray, values: NDArray, vectors: NDArray, gradients: tuple[scipy.sparse.csr_matrix, ...], index: NDArray
) -> Operators:
    """The operators of the welded mesh on the vertices of the given one.

    Copies of a vertex share its value and its mass; each reads its neighbours' first copies.
    """
    if len(index) == len(mass) and (index == np.arange(len(mass))).all():  # the mesh had nothing to weld
        single = [gradient.astype(np.float32) for gradient in gradients]
        return Operators(mass.astype(np.float32), values.astype(np.float32), vectors, *single)
    used = index >= 0
    copies = np.bincount(index[used], minlength=len(mass))
    first = np.zeros(len(mass), np.int64)
    first[index[used][::-1]] = np.flatnonzero(used)[::-1]
    share = np.where(used, mass[index] / copies[index], 0)
    spread_vectors = vectors[index]
    spread_vectors[~used] = 0
    reads = _selection(np.maximum(index, 0), len(mass), used.astype(float))
    takes = _selection(first, len(index), np.ones(len(mass)))
    spread_gradients = [(reads @ gradient @ takes).tocsr().astype(np.float32) for gradient in gradients]
    for gradient in spread_gradients:
        gradient.eliminate_zeros()
        gradient.sort_indices()
    return Operators(share.astype(np.float32), values.astype(np.float32), spread_vectors, *spread_gradients)


def _selection(columns: NDArray, width: int, values: NDArray) -> scipy.sparse.csr_matrix:
    """A matrix with one entry a row."""
    return scipy.sparse.csr_matrix((values, (np.arange(len(columns)), columns)), shape=(len(columns), width))


def operators_key(vertices: NDArray, faces: NDArray, eigenpairs: int) -> str:
    """Name of the operators of this mesh: equal content gives an equal name."""
    digest = hashlib.blake2b(f"{VERSION} {LENGTH_UNIT} {eigenpairs} {len(vertices)}".encode(), digest_size=12)
    digest.update(np.ascontiguousarray(vertices, "<f4").tobytes())
    digest.update(np.ascontiguousarray(faces, "<i4").tobytes())
    return digest.hexdigest()


def save_operators(path: Path, operators: Operators) -> None:
    """Write as NPZ (arrays only), atomically."""
    arrays = {"mass": operators.mass, "eigenvalues": operators.eigenvalues, "eigenvectors": operators.eigenvectors}
    for name in ("gradient_x", "gradient_y"):
        matrix = getattr(operators, name)
        arrays |= {f"{name}_data": matrix.data, f"{name}_indices": matrix.indices.astype(np.int32)}
        arrays |= {f"{name}_indptr": matrix.indptr.astype(np.int32)}
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def load_operators(path: Path) -> Operators:
    """Read what `save_operators` wrote. Raises `InputError` where the file is missing or damaged."""
    try:
        file = read_npz(Path(path))
        mass, values, vectors = file["mass"], file["eigenvalues"], file["eigenvectors"]
        gradients = [
            scipy.sparse.csr_matrix(
                (file[f"{name}_data"], file[f"{name}_indices"], file[f"{name}_indptr"]), shape=(len(mass),) * 2
            )
            for name in ("gradient_x", "gradient_y")
        ]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"damaged operators: {path} ({error}); remove the file and run again") from None
    return Operators(mass, values, vectors, *gradients)


def compute_or_load(folder: Path | None, vertices: NDArray, faces: NDArray, eigenpairs: int) -> Operators:
    """The operators of a mesh from the cache `folder`, made and kept there where they are missing (None: no cache)."""
    if folder is None:
        return compute_operators(vertices, faces, eigenpairs)
    path = Path(folder) / f"operators-{operators_key(vertices, faces, eigenpairs)}.npz"
    if path.is_file():
        return load_operators(path)
    operators = compute_operators(vertices, faces, eigenpairs)
    save_operators(path, operators)
    return operators
