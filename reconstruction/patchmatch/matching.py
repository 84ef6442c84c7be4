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
# Taken off the grey levels 0 to 255, so that squares stay small.
MIDDLE = np.float32(127.5)


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
def falling(x):  # type: ignore[no-untyped-def]
    """exp(-x) for x >= 0, to 0.012, without a call: loops with it run on several numbers at once."""
    value = max(np.float32(1) - x * np.float32(1 / 32), np.float32(0))
    value *= value
    value *= value
    value *= value
    value *= value
    return value * value


@inlined
def prepare_patch(guide, image, x, y, dxs, dys, radius, sigma_colour, weights, centred):  # type: ignore[no-untyped-def]
    """Fill the bilateral weights of a patch (sum 1) and its weighted, normalised values.

    Weights fall with distance in the image and with difference in `guide`, the plain intensities (Gaussians;
    Schönberger et al. 2016, sec. 4), so that a patch across a depth edge counts the side of its centre. The Gaussian
    of differences is `sigma_colour` wide on smooth skin and wider among strong texture, by the contrast of the
    pixels next to the centre: these differ without being another surface. `image` holds packed corners (see
    `detail`). Returns the patch's weighted standard deviation.
    """
    height, width = image.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    centre = guide[y, x]
    spatial = np.float32(0.5) / np.float32(radius * radius)
    sigma = max(sigma_colour, CONTRAST * contrast(guide, x, y))
    colour = np.float32(0.5) / (sigma * sigma)
    fx, fy = np.float32(x), np.float32(y)
    total, mean, squares = np.float32(0), np.float32(0), np.float32(0)
    for k in range(weights.shape[0]):
        dx, dy = dxs[k], dys[k]
        column = np.uint32(np.int32(min(max(fx + dx, np.float32(0)), right)))
        row = np.uint32(np.int32(min(max(fy + dy, np.float32(0)), bottom)))
        value = np.float32(np.int32(image[row, column] & np.uint32(255))) - MIDDLE
        difference = guide[row, column] - centre
        w = falling(spatial * (dx * dx + dy * dy) + colour * difference * difference)
        weights[k] = w
        centred[k] = value
        total += w
        mean += w * value
        squares += w * value * value
    inverse = np.float32(1) / total
    mean *= inverse
    deviation = np.sqrt(max(squares * inverse - mean * mean, np.float32(0)))
    scale = np.float32(1) / max(deviation, np.float32(1e-3))
    for k in range(weights.shape[0]):
        weights[k] *= inverse
        centred[k] = (centred[k] - mean) * weights[k] * scale
    return deviation


@inlined
def patch_cost(  # type: ignore[no-untyped-def]
    source, width, height, dxs, dys, weights, centred, h, gx, gy, min_deviation
):
    """1 - NCC in [0, 2] between a prepared patch and `source` under the plane's map around the patch's centre.

    source (H, W) holds packed corners (see `detail`). h (3,) is the centre in homogeneous pixels of the source, gx and
    gy (3,) its derivatives. The homography is linearised: over half a window of 4 pixels, a hundredth of a pixel.
    """
    if h[2] <= 0:
        return WORST
    zero = np.float32(0)
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    inverse = np.float32(1) / h[2]
    x, y = h[0] * inverse, h[1] * inverse
    if not (x >= 0 and y >= 0 and x <= right and y <= bottom):
        return WORST
    xx, xy = (gx[0] - x * gx[2]) * inverse, (gy[0] - x * gy[2]) * inverse
    yx, yy = (gx[1] - y * gx[2]) * inverse, (gy[1] - y * gy[2]) * inverse
    total, squares, product = zero, zero, zero
    for k in range(weights.shape[0]):
        dx, dy = dxs[k], dys[k]
        sx = min(max(x + xx * dx + xy * dy, zero), right)
        sy = min(max(y + yx * dx + yy * dy, zero), bottom)
        ix, iy = np.int32(sx), np.int32(sy)
        fx, fy = sx - np.float32(ix), sy - np.float32(iy)
        corners = source[np.uint32(iy), np.uint32(ix)]
        upper_left = np.float32(np.int32(corners & np.uint32(255)))
        upper_right = np.float32(np.int32((corners >> np.uint32(8)) & np.uint32(255)))
        lower_left = np.float32(np.int32((corners >> np.uint32(16)) & np.uint32(255)))
        lower_right = np.float32(np.int32(corners >> np.uint32(24)))
        upper = upper_left + fx * (upper_right - upper_left)
        lower = lower_left + fx * (lower_right - lower_left)
        value = upper + fy * (lower - upper) - MIDDLE
        weighted = weights[k] * value
        total += weighted
        squares += weighted * value
        product += centred[k] * value
    variance = squares - total * total
    if variance < min_deviation * min_deviation:
        return WORST
    return min(max(np.float32(1) - product / np.sqrt(variance), zero), WORST)


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
