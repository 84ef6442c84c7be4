"""Matching cost of a plane: bilaterally weighted NCC of a patch of the reference image and its place in a source.

A hypothesis of a pixel is a plane: its depth along the optical axis and its unit normal in the camera. The plane
takes pixel q of the reference image to M q + b / depth in a source image, where M = K_s R K_r^-1 and b = K_s t, and
the patch around q moves with the derivatives M[:, 0] + b m_0 and M[:, 1] + b m_1, where m = K_r^-T n / (n . X).

Pixel coordinates inside the kernels have whole numbers at pixel centres (principal points are shifted by half).
"""

from __future__ import annotations

import numpy as np

from reconstruction.patchmatch.jit import inlined

# 1 - NCC of a patch that can't be compared: outside of the image, behind the camera, or without texture.
WORST = np.float32(2.0)


# Widths of the colour weights per standard deviation of the pixels next to a patch's centre.
CONTRAST = np.float32(1.0)


@inlined
def contrast(image, x, y):  # type: ignore[no-untyped-def]
    """Standard deviation of the 3 x 3 pixels around (x, y)."""
    height, width = image.shape
    total, squares = np.float32(0), np.float32(0)
    for dy in range(-1, 2):
        row = min(max(y + dy, 0), height - 1)
        for dx in range(-1, 2):
            value = image[row, min(max(x + dx, 0), width - 1)]
            total += value
            squares += value * value
    mean = total / np.float32(9)
    return np.sqrt(max(squares / np.float32(9) - mean * mean, np.float32(0)))


@inlined
def prepare_patch(guide, image, x, y, radius, step, sigma_colour, weights, centred):  # type: ignore[no-untyped-def]
    """Fill the bilateral weights of a patch (sum 1) and its weighted, normalised values.

    Weights fall with distance in the image and with difference in `guide`, the plain intensities (Gaussians;
    Schönberger et al. 2016, sec. 4), so that a patch across a depth edge counts the side of its centre. The Gaussian
    of differences is `sigma_colour` wide on smooth skin and wider among strong texture, by the contrast of the
    pixels next to the centre: these differ without being another surface. Returns the patch's weighted standard
    deviation.
    """
    height, width = image.shape
    centre = guide[y, x]
    spatial = np.float32(-0.5) / np.float32(radius * radius)
    sigma = max(sigma_colour, CONTRAST * contrast(guide, x, y))
    colour = np.float32(-0.5) / (sigma * sigma)
    total = np.float32(0)
    mean = np.float32(0)
    k = 0
    for dy in range(-radius, radius + 1, step):
        row = min(max(y + dy, 0), height - 1)
        for dx in range(-radius, radius + 1, step):
            column = min(max(x + dx, 0), width - 1)
            value = image[row, column]
            difference = guide[row, column] - centre
            w = np.exp(spatial * np.float32(dx * dx + dy * dy) + colour * difference * difference)
            weights[k] = w
            centred[k] = value
            total += w
            mean += w * value
            k += 1
    mean /= total
    variance = np.float32(0)
    for i in range(k):
        weights[i] /= total
        centred[i] -= mean
        variance += weights[i] * centred[i] * centred[i]
    deviation = np.sqrt(variance)
    scale = np.float32(1) / max(deviation, np.float32(1e-6))
    for i in range(k):
        centred[i] *= weights[i] * scale
    return deviation


@inlined
def patch_cost(  # type: ignore[no-untyped-def]
    source, width, height, dxs, dys, weights, centred, h, gx, gy, min_deviation
):
    """1 - NCC in [0, 2] between a prepared patch and `source` under the homography around the patch's centre.

    h (3,) is the centre in homogeneous pixels of the source, gx and gy (3,) its derivatives.
    """
    if h[2] <= 0:
        return WORST
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    x = h[0] / h[2]
    y = h[1] / h[2]
    if not (x >= 0 and y >= 0 and x <= right and y <= bottom):
        return WORST
    right -= np.float32(0.001)
    bottom -= np.float32(0.001)
    h0, h1, h2 = h[0], h[1], h[2]
    a0, a1, a2 = gx[0], gx[1], gx[2]
    b0, b1, b2 = gy[0], gy[1], gy[2]
    one, zero = np.float32(1), np.float32(0)
    total, squares, product = zero, zero, zero
    for k in range(weights.shape[0]):
        dx, dy = dxs[k], dys[k]
        inverse = one / (h2 + a2 * dx + b2 * dy)
        sx = min(max((h0 + a0 * dx + b0 * dy) * inverse, zero), right)
        sy = min(max((h1 + a1 * dx + b1 * dy) * inverse, zero), bottom)
        ix = np.int32(sx)
        iy = np.int32(sy)
        fx = sx - np.float32(ix)
        fy = sy - np.float32(iy)
        top = source[iy, ix] + fx * (source[iy, ix + 1] - source[iy, ix])
        low = source[iy + 1, ix] + fx * (source[iy + 1, ix + 1] - source[iy + 1, ix])
        value = top + fy * (low - top)
        weighted = weights[k] * value
        total += weighted
        squares += weighted * value
        product += centred[k] * value
    variance = squares - total * total
    if variance < min_deviation * min_deviation:
        return WORST
    return min(max(one - product / np.sqrt(variance), zero), WORST)


@inlined
def plane_depth(depth, normal, from_x, from_y, to_x, to_y, camera):  # type: ignore[no-untyped-def]
    """Depth, at one pixel, of the plane that has `depth` and `normal` at another; 0 where it is behind or edge-on.

    camera (4,) is fx, fy, cx, cy.
    """
    here = normal[0] * (to_x - camera[2]) / camera[0] + normal[1] * (to_y - camera[3]) / camera[1] + normal[2]
    there = normal[0] * (from_x - camera[2]) / camera[0] + normal[1] * (from_y - camera[3]) / camera[1] + normal[2]
    if here > np.float32(-1e-3):
        return np.float32(0)
    return depth * there / here
