"""The largest eigenpairs of a positive definite operator by a block Krylov method."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Apply = Callable[[Floats], Floats]

BLOCK = 8  # vectors at once: a basis of hundreds is read for all of them together, and they part equal eigenvalues
SEMI = 1e-8  # scalar products below it count as orthogonal: Ritz values are then right to its square (Simon 1984)
MAX_SKIPS = 3  # steps between two pairs that are made orthogonal to the whole basis
RELATIVE = 5e-6  # of an eigenvalue: its residual under the operator must be smaller, and so its error is
SMOOTHING = 4  # applications to the random start: rough parts would only take up room
THIN = 1e-6  # of the operator: blocks with a direction that short are nearly all rounding


def largest_eigenpairs(
    apply: Apply, inverse: Apply, limit: float, known: scipy.sparse.csr_matrix, count: int
) -> tuple[Floats, Floats]:
    """The `count` largest eigenvalues θ, descending, of a symmetric operator, and eigenvectors as rows (count, V).

    Block Lanczos (Golub and Underwood 1977): a basis grows by one application of the operator a block, without restart,
    until the residuals are small enough. The basis is kept orthogonal: each block loses its components along the last
    two blocks twice, and those along all others in two steps of five or more: each step magnifies what rounding left.

    Args:
        apply: the operator on the rows of (B, V).
        inverse: its inverse likewise.
        limit: the residual |A⁻¹ x - x / θ| that is good enough.
        known: (Z, V) orthonormal eigenvectors that are left out.
        count: fewer than V - Z by far.
    """
    basis = _Basis(apply, known, capacity=min(6 * count + 40 * BLOCK, known.shape[1] - known.shape[0]))
    near = False
    while True:
        basis.grow()
        if basis.size < 1.2 * count or not (near or basis.steps % 4 == 0 or basis.full):
            continue
        values, vectors = basis.ritz(count)
        tails = basis.coupling.T @ vectors[-BLOCK:]  # the residuals' coefficients in the next block
        small = np.linalg.norm(tails, axis=0) <= RELATIVE * values
        near = bool((np.linalg.norm(tails, axis=0) <= 1e4 * RELATIVE * values).all())
        if small.all():
            image = inverse(basis.following)
            error = np.sqrt(np.einsum("bk,bc,ck->k", tails, image @ image.T, tails)) / values
            if (error <= limit).all():
                break
        if basis.full:
            log.warning("%d of %d eigenpairs have not converged", count - small.sum(), count)
            break
    return values, basis.rotated(vectors)


def _parts(rows: Floats, width: int = 8192) -> Iterator[slice]:
    """Slices of the columns, so small that what is made for each stays in the processor's cache."""
    return (slice(start, start + width) for start in range(0, rows.shape[1], width))


def _subtract(block: Floats, products: Floats, rows: Floats) -> None:
    """Take productsᵀ rows from the block, in place: fresh memory would cost more than the sums."""
    coefficients = np.ascontiguousarray(products.T)
    for part in _parts(block):
        block[:, part] -= coefficients @ rows[:, part]


def _lengths(block: Floats) -> Floats:
    """(B,) lengths of the rows."""
    return np.sqrt(np.einsum("bv,bv->b", block, block))


class _Basis:
    """A growing orthonormal basis of a Krylov space, and the operator in it.

    Attributes:
        size: vectors so far.
        following: (BLOCK, V) the next block, not yet one of them.
        coupling: (BLOCK, BLOCK) the operator between the last block (rows) and the next.
    """

    def __init__(self, apply: Apply, known: scipy.sparse.csr_matrix, capacity: int) -> None:
        self._apply, self._known = apply, known.shape[0]
        self._rng = np.random.default_rng(0)  # its own seed: the same mesh gives the same vectors
        self._memory = np.empty((self._known + capacity, known.shape[1]))  # taken from the system as it fills
        self._memory[: self._known] = known.toarray()
        self._matrix = np.zeros((capacity, capacity))
        self._turn, self._skips = 0, MAX_SKIPS
        self.size = self.steps = 0
        self._largest = 0.0
        self.following, self.coupling = self._orthonormal(self._random(BLOCK))
        for _ in range(SMOOTHING):
            self.following, self.coupling = self._orthonormal(self._apply(self.following))

    @property
    def _all(self) -> Floats:
        """The known eigenvectors and the basis."""
        return self._memory[: self._known + self.size]

    @property
    def rows(self) -> Floats:
        """(size, V)."""
        return self._all[self._known :]

    @property
    def full(self) -> bool:
        """There is no room for another block."""
        return self.size + BLOCK > len(self._matrix)

    def grow(self) -> None:
        """Take in the next block, and make the one after it."""
        first, last = self.size, self.size + BLOCK
        self.size = last
        newest = self.rows[first:]
        newest[:] = self.following
        image = self._apply(newest)
        self._largest = max(self._largest, float(_lengths(image).max()))
        if first:
            before = slice(first - BLOCK, first)
            self._matrix[before, first:last] = self.coupling
            _subtract(image, self.coupling, self.rows[before])
        inner = newest @ image.T
        _subtract(image, inner, newest)
        shortest = np.linalg.eigvalsh(image @ image.T)[0]
        if self._turn < 2 or shortest < (THIN * self._largest) ** 2:
            inner += self._reorthogonalise(image, self._all)
        else:
            if self._known:
                self._reorthogonalise(image, self._memory[: self._known])
            inner += self._reorthogonalise(image, self.rows[max(first - BLOCK, 0) :])
        self._matrix[first:last, first:last] = (inner + inner.T) / 2
        self.following, self.coupling = self._orthonormal(image)
        self.steps += 1
        self._turn = (self._turn + 1) % (2 + self._skips)

    def ritz(self, count: int) -> tuple[Floats, Floats]:
        """The largest eigenvalues (count,), descending, of the operator in the basis, and (size, count) vectors."""
        values, vectors = np.linalg.eigh(self._matrix[: self.size, : self.size], UPLO="U")
        return values[: -count - 1 : -1].copy(), np.ascontiguousarray(vectors[:, : -count - 1 : -1])

    def rotated(self, vectors: Floats) -> Floats:
        """The combinations (K, V) of the basis with the coefficients (size, K); they take the basis' place."""
        coefficients = np.ascontiguousarray(vectors.T)
        rows = self.rows
        for part in _parts(rows):
            rows[: len(coefficients), part] = coefficients @ rows[:, part]
        return rows[: len(coefficients)]

    def _reorthogonalise(self, image: Floats, rows: Floats) -> Floats:
        """Take from the image (BLOCK, V) what rounding brought in of these rows of the basis.

        When that was much, it is done twice, and henceforth more often. Returns what was taken of the newest block.
        """
        products = rows @ image.T
        _subtract(image, products, rows)
        if (np.abs(products).max(axis=0) > SEMI * _lengths(image)).any():
            self._skips = max(self._skips - 1, 0)
            again = rows @ image.T
            _subtract(image, again, rows)
            products += again
        return products[-BLOCK:]

    def _random(self, count: int) -> Floats:
        """(count, V) directions outside everything known."""
        block = self._rng.standard_normal((count, self._memory.shape[1]))
        for _ in range(2):
            _subtract(block, self._all @ block.T, self._all)
        return block

    def _orthonormal(self, block: Floats) -> tuple[Floats, Floats]:
        """Orthonormal rows Q (BLOCK, V), and R with block = R Q.

        By eigenvectors of the Gram matrix, repeated until the rows are orthonormal to rounding (Stathopoulos and Wu
        2002). Directions that have vanished, since the space is exhausted in them, are replaced by random ones.
        """
        factor, thin = np.eye(BLOCK), THIN * self._largest
        for _ in range(8):
            gram = block @ block.T
            if np.abs(gram - np.eye(len(gram))).max() < 1e-13:
                break
            values, vectors = np.linalg.eigh(gram)
            kept = values > max(1e-15 * values[-1], (1e-13 * self._largest) ** 2)
            roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
            block = (vectors / roots).T @ block
            factor = factor @ (vectors * roots)
            if len(roots) and roots[0] < thin:  # made longer, it is mostly rounding, and that may lie in the basis
                _subtract(block, self._all @ block.T, self._all)
            thin = 0.5
            if not kept.all():
                fresh = self._random(BLOCK - len(block))
                fresh -= (fresh @ block.T) @ block
                block = np.concatenate([block, fresh / np.linalg.norm(fresh, axis=1, keepdims=True)])
                factor = np.pad(factor, ((0, 0), (0, BLOCK - factor.shape[1])))
        return block, factor
