"""Samples between pixels, beside SciPy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from scans.images.sampling import sample_image

KINDS = (np.uint8, np.uint16, np.float32)


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.tuples(*[st.integers(1, 9)] * 3))
def test_samples_are_scipys(seed: int, kind: type, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    image = (rng.random(shape) * 200).astype(kind)
    pixels = rng.uniform(-4, 13, (5, 4, 2))
    places = np.moveaxis(pixels, -1, 0)[::-1] - 0.5
    channels = [map_coordinates(image[..., i].astype(float), places, order=1, mode="nearest") for i in range(shape[2])]
    found = sample_image(image, pixels)
    assert found.dtype == kind and found.shape == (5, 4, shape[2])
    half = 0.5 if np.issubdtype(kind, np.integer) else 0.0
    assert np.abs(found - np.stack(channels, axis=-1)).max() <= half + 1e-4
