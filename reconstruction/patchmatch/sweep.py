"""One checkerboard sweep of PatchMatch over a reference view.

All pixels of one colour look at pixels of the other colour only, so they can be done in any order and on any number of
threads with the same result (red-black propagation: Galliani et al. 2015, sec. 4.3; the best pixel of each direction:
Xu and Tao 2019, sec. 3.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from reconstruction.patchmatch.consistency import reprojection_error
from reconstruction.patchmatch.jit import inlined, kernel
from reconstruction.patchmatch.matching import patch_cost, plane_depth, prepare_patch
from reconstruction.patchmatch.randomness import stream, uniform
from reconstruction.patchmatch.selection import joint_cost, select_views

# Where to look for planes to try, per direction: odd steps, so that they end on the other colour.
_NEAR = ((0, -1), (-1, -2), (1, -2), (0, -3))
_FAR = ((0, -5), (0, -9), (-2, -7), (2, -7), (0, -15))


def _directions(steps: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(4, n, 2) the steps turned into the four directions."""
    up = np.array(steps, np.int64)
    turned = [up, -up, np.stack([up[:, 1], up[:, 0]], 1), np.stack([-up[:, 1], up[:, 0]], 1)]
    return np.stack(turned)


NEAR, FAR = _directions(_NEAR), _directions(_FAR)

# A trial is given up once the views not yet looked at would have to cost less than this share of what they cost now.
HOPE = np.float32(0.5)
HOPELESS = np.float32(1e9)  # cost of such a trial
TRIED = 2  # planes of neighbours that a sweep tries, where it isn't a wide one: the best of the four directions


class Scene(NamedTuple):
    """Everything about all N views at one level that a sweep reads. Views of other sizes are padded to the largest."""

    guides: np.ndarray  # (N, H, W) float32 intensities in [0, 1]
    images: np.ndarray  # (N, H, W) uint32 what is matched: the intensities' fine detail, packed corners
    sizes: np.ndarray  # (N, 2) int64 width, height
    cameras: np.ndarray  # (N, 4) float32 fx, fy, cx, cy with whole numbers at pixel centres
    depths: np.ndarray  # (N, H, W) float32 depth maps of the round before, for geometric consistency
    normals: np.ndarray  # (N, H, W, 3) float32


class Pairs(NamedTuple):
    """The reference view against its S sources."""

    sources: np.ndarray  # (S,) int64 index of the view
    forward: np.ndarray  # (S, 3, 3) float32 M, reference to source
    offset: np.ndarray  # (S, 3) float32 b
    back: np.ndarray  # (S, 3, 3) source to reference
    back_offset: np.ndarray  # (S, 3)
    priors: np.ndarray  # (S,) float32 suitability of the view in (0, 1]


class State(NamedTuple):
    """The reference view's hypotheses, changed in place."""

    depth: np.ndarray  # (H, W) float32 metres, 0 where a pixel is left out
    normal: np.ndarray  # (H, W, 3) float32
    cost: np.ndarray  # (H, W) float32 photometric cost over the selected views
    view_cost: np.ndarray  # (H, W, S) float32
    near: np.ndarray  # (H, W) float32 depth range
    far: np.ndarray  # (H, W) float32


class Matching(NamedTuple):
    """Numbers that hold for all sweeps."""

    radius: int
    step: int
    sigma_colour: float
    keep: int  # views per pixel
    min_deviation: float  # least standard deviation of a patch, levels
    geometric: float  # weight of a pixel of reprojection error; 0 switches it off


@inlined
def evaluate(x, y, depth, normal, scene, pairs, s, camera, warped, dxs, dys, weights, centred, geometric, floor):  # type: ignore[no-untyped-def]
    """Cost of one hypothesis in one source view: 1 - NCC, plus the geometric term where it is on."""
    view = pairs.sources[s]
    inverse = np.float32(1) / depth
    slope = inverse / (normal[0] * (x - camera[2]) / camera[0] + normal[1] * (y - camera[3]) / camera[1] + normal[2])
    m0, m1 = slope * normal[0] / camera[0], slope * normal[1] / camera[1]
    b = pairs.offset[s]
    m = pairs.forward[s]
    h = (warped[s, 0] + b[0] * inverse, warped[s, 1] + b[1] * inverse, warped[s, 2] + b[2] * inverse)
    gx = (m[0, 0] + b[0] * m0, m[1, 0] + b[1] * m0, m[2, 0] + b[2] * m0)
    gy = (m[0, 1] + b[0] * m1, m[1, 1] + b[1] * m1, m[2, 1] + b[2] * m1)
    cost = patch_cost(
        scene.images[view], scene.sizes[view, 0], scene.sizes[view, 1], dxs, dys, weights, centred, h, gx, gy, floor
    )
    if geometric > 0:
        cost += geometric * reprojection_error(x, y, depth, h, scene, pairs, s)
    return cost


@inlined
def facing(normal, x, y, camera):  # type: ignore[no-untyped-def]
    """Normalise in place; returns whether the plane faces the camera at the pixel (closer than 85 degrees)."""
    length = np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
    if not length > np.float32(1e-6):
        return False
    normal[0] /= length
    normal[1] /= length
    normal[2] /= length
    rx, ry = (x - camera[2]) / camera[0], (y - camera[3]) / camera[1]
    towards = normal[0] * rx + normal[1] * ry + normal[2]
    return towards < np.float32(-0.087) * np.sqrt(rx * rx + ry * ry + np.float32(1))


@inlined
def random_plane(start, x, y, near, far, camera, normal):  # type: ignore[no-untyped-def]
    """A random hypothesis: depth uniform in inverse depth, normal uniform on the half sphere towards the camera."""
    mixed = uniform(start, 0)
    depth = np.float32(1) / (mixed / near + (np.float32(1) - mixed) / far)
    z = np.float32(0.15) + np.float32(0.85) * uniform(start, 1)
    angle = np.float32(2 * np.pi) * uniform(start, 2)
    flat = np.sqrt(np.float32(1) - z * z)
    normal[0] = flat * np.cos(angle) - (x - camera[2]) / camera[0]
    normal[1] = flat * np.sin(angle) - (y - camera[3]) / camera[1]
    normal[2] = -z
    if not facing(normal, x, y, camera):
        normal[0], normal[1], normal[2] = np.float32(0), np.float32(0), np.float32(-1)
    return depth


@inlined
def spread(start, index, low, high):  # type: ignore[no-untyped-def]
    """A number of either sign whose size is log-uniform between low and high: no schedule needs to be tuned."""
    size = low * (high / low) ** uniform(start, index)
    return size if uniform(start, index + 1) < np.float32(0.5) else -size


@inlined
def tilt(normal, start, index, low, high, result):  # type: ignore[no-untyped-def]
    """Turn a normal by a random angle, log-uniform between low and high (radians)."""
    size = low * (high / low) ** uniform(start, index)
    ux = np.float32(2) * uniform(start, index + 1) - np.float32(1)
    uy = np.float32(2) * uniform(start, index + 2) - np.float32(1)
    uz = np.float32(2) * uniform(start, index + 3) - np.float32(1)
    length = max(np.sqrt(ux * ux + uy * uy + uz * uz), np.float32(1e-3))
    result[0] = normal[0] + size * ux / length
    result[1] = normal[1] + size * uy / length
    result[2] = normal[2] + size * uz / length


@inlined
def gather(depth, normal, cost, x, y, offsets, camera, depths, normals, ranks, count):  # type: ignore[no-untyped-def]
    """Append the best hypothesis of each direction, as it is at (x, y); returns the new count."""
    height, width = depth.shape
    for direction in range(offsets.shape[0]):
        best, bx, by = np.float32(1e9), -1, -1
        for k in range(offsets.shape[1]):
            nx, ny = x + offsets[direction, k, 0], y + offsets[direction, k, 1]
            if 0 <= nx < width and 0 <= ny < height and depth[ny, nx] > 0 and cost[ny, nx] < best:
                best, bx, by = cost[ny, nx], nx, ny
        if bx < 0:
            continue
        depths[count] = plane_depth(
            depth[by, bx], normal[by, bx], np.float32(bx), np.float32(by), np.float32(x), np.float32(y), camera
        )
        for i in range(3):
            normals[count, i] = normal[by, bx, i]
        ranks[count] = best
        count += 1
    return count


@inlined
def best_first(depths, normals, ranks, count, wanted):  # type: ignore[no-untyped-def]
    """Bring the `wanted` best of `count` hypotheses to the front; returns how many there are."""
    wanted = min(wanted, count)
    for k in range(wanted):
        best = k
        for i in range(k + 1, count):
            if ranks[i] < ranks[best]:
                best = i
        if best != k:
            ranks[k], ranks[best] = ranks[best], ranks[k]
            depths[k], depths[best] = depths[best], depths[k]
            for i in range(3):
                normals[k, i], normals[best, i] = normals[best, i], normals[k, i]
    return wanted


@inlined
def neighbour_normal(depth, x, y, camera, result):  # type: ignore[no-untyped-def]
    """The normal of the plane through the four neighbours' points; returns whether they lie near each other."""
    height, width = depth.shape
    if x < 1 or y < 1 or x + 1 >= width or y + 1 >= height:
        return False
    left, right, up, down = depth[y, x - 1], depth[y, x + 1], depth[y - 1, x], depth[y + 1, x]
    if min(min(left, right), min(up, down)) <= 0:
        return False
    limit = np.float32(20) * depth[y, x] / camera[0]
    if abs(left - right) > limit or abs(up - down) > limit:
        return False
    rx, ry = (np.float32(x) - camera[2]) / camera[0], (np.float32(y) - camera[3]) / camera[1]
    px, py = np.float32(1) / camera[0], np.float32(1) / camera[1]
    hx, hy, hz = (rx + px) * right - (rx - px) * left, ry * (right - left), right - left
    vx, vy, vz = rx * (down - up), (ry + py) * down - (ry - py) * up, down - up
    result[0] = vy * hz - vz * hy
    result[1] = vz * hx - vx * hz
    result[2] = vx * hy - vy * hx
    return True


@kernel
def initialise(key, reference, scene, pairs, state, matching, known):  # type: ignore[no-untyped-def]
    """Random planes (or, where `known`, those in the state) and their costs."""
    for line in numba.prange(state.depth.shape[0]):
        initialise_row(np.int64(line), key, reference, scene, pairs, state, matching, known)


@inlined
def initialise_row(y, key, reference, scene, pairs, state, matching, known):  # type: ignore[no-untyped-def]
    """`initialise` for one row. Loops inside of a parallel loop are kept out of its sight: it mends too much."""
    width = state.depth.shape[1]
    count = pairs.sources.shape[0]
    columns, rows = scene.sizes[reference]
    guide, image = scene.guides[reference, :rows, :columns], scene.images[reference, :rows, :columns]
    camera = scene.cameras[reference]
    dxs, dys = window(matching.radius, matching.step)
    weights, centred = np.empty(dxs.shape[0], np.float32), np.empty(dxs.shape[0], np.float32)
    warped = np.empty((count, 3), np.float32)
    for x in range(width):
        if state.far[y, x] <= 0:
            state.depth[y, x] = 0
            continue
        fx, fy = np.float32(x), np.float32(y)
        normal = state.normal[y, x]
        if not known or state.depth[y, x] <= 0:
            start = stream(key, y * width + x)
            state.depth[y, x] = random_plane(start, fx, fy, state.near[y, x], state.far[y, x], camera, normal)
        colour = np.float32(matching.sigma_colour)
        deviation = prepare_patch(
            guide, image, x, y, dxs, dys, matching.radius, colour, weights, centred,
        )  # fmt: skip
        if deviation < matching.min_deviation:
            state.depth[y, x] = 0
            continue
        warp_centre(fx, fy, pairs, warped)
        for s in range(count):
            state.view_cost[y, x, s] = evaluate(
                fx, fy, state.depth[y, x], normal, scene, pairs, s, camera, warped, dxs, dys, weights, centred,
                np.float32(matching.geometric), np.float32(matching.min_deviation),
            )  # fmt: skip
        state.cost[y, x] = state.view_cost[y, x].min()


@kernel
def add_consistency(reference, scene, pairs, state, weight):  # type: ignore[no-untyped-def]
    """Add the geometric term, `weight` a pixel of reprojection error, to the costs of all planes as they are."""
    for line in numba.prange(state.depth.shape[0]):
        add_consistency_row(np.int64(line), reference, scene, pairs, state, np.float32(weight))


@inlined
def add_consistency_row(y, reference, scene, pairs, state, weight):  # type: ignore[no-untyped-def]
    """`add_consistency` for one row."""
    warped = np.empty((pairs.sources.shape[0], 3), np.float32)
    for x in range(state.depth.shape[1]):
        if state.depth[y, x] <= 0:
            continue
        fx, fy, inverse = np.float32(x), np.float32(y), np.float32(1) / state.depth[y, x]
        warp_centre(fx, fy, pairs, warped)
        for s in range(pairs.sources.shape[0]):
            b = pairs.offset[s]
            h = (warped[s, 0] + b[0] * inverse, warped[s, 1] + b[1] * inverse, warped[s, 2] + b[2] * inverse)
            state.view_cost[y, x, s] += weight * reprojection_error(fx, fy, state.depth[y, x], h, scene, pairs, s)
        state.cost[y, x] = state.view_cost[y, x].min()


@inlined
def window(radius, step):  # type: ignore[no-untyped-def]
    """Offsets of the samples of a patch, in the order of `prepare_patch`."""
    side = (2 * radius) // step + 1
    dxs, dys = np.empty(side * side, np.float32), np.empty(side * side, np.float32)
    for i in range(side):
        for j in range(side):
            dxs[i * side + j] = np.float32(j * step - radius)
            dys[i * side + j] = np.float32(i * step - radius)
    return dxs, dys


@inlined
def warp_centre(x, y, pairs, warped):  # type: ignore[no-untyped-def]
    """Fill `warped` (S, 3) with M q."""
    for s in range(pairs.sources.shape[0]):
        for i in range(3):
            warped[s, i] = pairs.forward[s, i, 0] * x + pairs.forward[s, i, 1] * y + pairs.forward[s, i, 2]


@kernel
def sweep(key, colour, wide, reference, scene, pairs, state, matching):  # type: ignore[no-untyped-def]
    """Improve all pixels of one colour (0 or 1) once. `wide` also tries far neighbours and random planes."""
    for line in numba.prange(state.depth.shape[0]):
        sweep_row(np.int64(line), key, colour, wide, reference, scene, pairs, state, matching)


@inlined
def sweep_row(y, key, colour, wide, reference, scene, pairs, state, matching):  # type: ignore[no-untyped-def]
    """`sweep` for one row."""
    width = state.depth.shape[1]
    count = pairs.sources.shape[0]
    keep = min(matching.keep, count)
    columns, rows = scene.sizes[reference]
    guide, image = scene.guides[reference, :rows, :columns], scene.images[reference, :rows, :columns]
    camera = scene.cameras[reference]
    dxs, dys = window(matching.radius, matching.step)
    geometric, floor = np.float32(matching.geometric), np.float32(matching.min_deviation)
    one = np.float32(1)
    weights, centred = np.empty(dxs.shape[0], np.float32), np.empty(dxs.shape[0], np.float32)
    warped, costs = np.empty((count, 3), np.float32), np.empty(count, np.float32)
    order, trust = np.empty(keep, np.int64), np.empty(keep, np.float32)
    depths, normals, ranks = np.empty(16, np.float32), np.empty((16, 3), np.float32), np.empty(16, np.float32)
    normal = np.empty(3, np.float32)
    for x in range((y + colour) % 2, width, 2):
        if state.depth[y, x] <= 0:
            continue
        fx, fy = np.float32(x), np.float32(y)
        prepare_patch(
            guide, image, x, y, dxs, dys, matching.radius, np.float32(matching.sigma_colour), weights, centred,
        )  # fmt: skip
        warp_centre(fx, fy, pairs, warped)
        select_views(state.view_cost, x, y, pairs.priors, keep, order, trust)
        depth = state.depth[y, x]
        for i in range(3):
            normal[i] = state.normal[y, x, i]
        best = joint_cost(state.view_cost[y, x], order, trust)

        start = stream(key, y * width + x)
        proposals = gather(state.depth, state.normal, state.cost, x, y, NEAR, camera, depths, normals, ranks, 0)
        if wide:
            proposals = gather(
                state.depth, state.normal, state.cost, x, y, FAR, camera, depths, normals, ranks, proposals
            )
            depths[proposals] = random_plane(
                start, fx, fy, state.near[y, x], state.far[y, x], camera, normals[proposals]
            )
            proposals += 1
        else:
            proposals = best_first(depths, normals, ranks, proposals, TRIED)
        footprint = depth / camera[0]
        changed = False
        for trial in range(proposals + 3):
            if trial < proposals:
                d = depths[trial]
                n = normals[trial]
            else:
                n = normals[15]
                d = depth
                kind = trial - proposals
                if kind == 0:
                    if not neighbour_normal(state.depth, x, y, camera, n):
                        continue
                elif kind == 1:
                    d += footprint * spread(start, 16, np.float32(0.02), np.float32(1.0))
                    tilt(normal, start, 18, np.float32(0.01), np.float32(0.7), n)
                else:
                    d += footprint * spread(start, 24, np.float32(0.2), np.float32(8.0))
                    for i in range(3):
                        n[i] = normal[i]
            if not (d >= state.near[y, x] and d <= state.far[y, x]) or not facing(n, fx, fy, camera):
                continue
            total, rest = np.float32(0), best
            for k in range(keep):
                if trust[k] == 0:
                    break
                s = order[k]
                costs[s] = evaluate(
                    fx, fy, d, n, scene, pairs, s, camera, warped, dxs, dys, weights, centred, geometric, floor
                )
                total += trust[k] * costs[s]
                rest -= trust[k] * state.view_cost[y, x, s]
                if total + HOPE * rest >= best:
                    total = HOPELESS
                    break
            if total < best * (one - np.float32(1e-6)):
                best, depth, changed = total, d, True
                for i in range(3):
                    normal[i] = n[i]
                for k in range(keep):
                    if trust[k] > 0:
                        state.view_cost[y, x, order[k]] = costs[order[k]]
        state.cost[y, x] = best
        if not changed:
            continue
        state.depth[y, x] = depth
        for i in range(3):
            state.normal[y, x, i] = normal[i]
        for s in range(count):
            used = False
            for k in range(keep):
                used = used or (order[k] == s and trust[k] > 0)
            if not used:
                state.view_cost[y, x, s] = evaluate(
                    fx, fy, depth, normal, scene, pairs, s, camera, warped, dxs, dys, weights, centred,
                    geometric, floor,
                )  # fmt: skip
