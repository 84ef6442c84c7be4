"""Small filters of images, by sums of shifted copies: the same bits whatever the number of threads."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def gaussian_blur(image: Floats, deviation: float) -> Floats:
    """The image (H, W, ...) blurred; the last row and column go on beyond the border."""
    reach = max(1, math.ceil(3 * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return _separable(image, weights / weights.sum())


def box_mean(image: Floats, radius: int) -> Floats:
    """Mean over squares of 2 `radius` + 1 pixels."""
    side = 2 * radius + 1
    return _separable(image, np.full(side, 1 / side))


def smooth_detail(image: Floats, radius: int, contrast: float) -> Floats:
    """The image without its fine detail of low contrast; edges stay.

    The guided filter with each channel as its own guide (He, Sun, Tang 2013, "Guided image filtering", equations 5, 6
    and 8, with epsilon the square of `contrast`): detail whose standard deviation within a square is `contrast` loses
    half of its height.
    """
    mean = box_mean(image, radius)
    spread = np.maximum(box_mean(image * image, radius) - mean * mean, 0)
    kept = spread / (spread + np.float32(contrast * contrast))
    return box_mean(kept, radius) * image + box_mean((1 - kept) * mean, radius)


def line_kernel(length: float, angle: float) -> NDArray[np.float64]:
    """(K, K) odd: weights of a path of `length` pixels at `angle` radians; their sum is 1, their centre the middle."""
    half = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    count = max(1, math.ceil(4 * length))
    for step in (np.arange(count) + 0.5) / count - 0.5:
        x, y = half + length * step * math.cos(angle), half + length * step * math.sin(angle)
        column, row = math.floor(x), math.floor(y)
        right, down = x - column, y - row
        kernel[row, column] += (1 - right) * (1 - down)
        kernel[row, column + 1] += right * (1 - down)
        kernel[row + 1, column] += (1 - right) * down
        kernel[row + 1, column + 1] += right * down
    return kernel / count


def convolve(image: Floats, kernel: NDArray[np.float64]) -> Floats:
    """The image (H, W, C) with a kernel that has an odd number of rows and columns."""
    height, width = image.shape[:2]
    down, right = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(image, ((down, down), (right, right), (0, 0)), mode="edge")
    summed = np.zeros_like(image)
    for row, column in np.argwhere(kernel > 0):
        summed += np.float32(kernel[row, column]) * padded[row : row + height, column : column + width]
    return summed


def _separable(image: Floats, weights: NDArray[np.float64]) -> Floats:
    reach = len(weights) // 2
    for axis in (0, 1):
        pad = [(reach, reach) if each == axis else (0, 0) for each in range(image.ndim)]
        padded, length = np.pad(image, pad, mode="edge"), image.shape[axis]
        summed = np.zeros_like(image)
        for index, weight in enumerate(weights):
            window = padded[index : index + length] if axis == 0 else padded[:, index : index + length]
            summed += np.float32(weight) * window
        image = summed
    return image
