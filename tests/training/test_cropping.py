"""Images cut to where the scan is: features are found at the same points, in a finer map."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import Scan
from scans.head_sample import HeadSample
from scans.visibility import Views
from tests.training.toy import toy_camera, toy_mesh, toy_sample
from training.features import FeatureConfig
from training.features.backbone import Backbone, cached_tokens, token_path
from training.features.backbone_config import BackboneConfig
from training.features.cropping import WHOLE, Crop, crops_around, in_crops
from training.features.lifting import lift
from training.preparation import cache_files
from training.preparation.prepare import prepare_head
from training.preparation.settings import Preparation


def _views(where: np.ndarray) -> Views:
    shape = where.shape[:2]
    return Views(where.astype(np.float32), np.ones(shape, bool), np.ones(shape))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(1, 6), st.integers(0, 999))
def test_points_are_found_in_a_crop_where_they_are_in_the_image(first: int, cells: int, seed: int) -> None:
    """A ramp sampled in the image and in a part of it has the same values."""
    rows, columns = np.mgrid[:120, :96].astype(np.float32)
    image = np.stack([rows, columns, rows - columns], axis=2)
    low, high = first / 12, min(first + cells, 12) / 12
    crop = Crop(low, low, high, high)
    rng = np.random.default_rng(seed)
    margin = 1 / 96  # the outermost half of a pixel repeats the border
    where = rng.uniform(low + margin, high - margin, (1, 30, 2))
    views = _views(where)
    whole = lift([image], views, "mean")
    part = lift([crop.pixels(image)], in_crops(views, [crop]), "mean")
    np.testing.assert_allclose(part, whole, atol=2e-3)


def test_crops_hold_the_scan_and_little_else() -> None:
    vertices, _, _ = toy_mesh(0)
    cameras = [toy_camera(i, 3, distance=0.8) for i in range(3)]
    for camera, crop in zip(cameras, crops_around(cameras, vertices), strict=True):
        pixels, _ = camera.project(vertices.astype(np.float64))
        shares = pixels / (camera.width, camera.height)
        assert (shares >= crop[:2]).all() and (shares <= crop[2:]).all()
        assert (shares.min(axis=0) - crop[:2] < 1 / 12).all() and (crop[2:] - shares.max(axis=0) < 1 / 12).all()
        assert crop != WHOLE
    behind = vertices - np.array([0, 50, 0])
    assert crops_around(cameras[1:2], behind) == [WHOLE]
    near = crops_around([toy_camera(1, 3, distance=0.12)], vertices)  # the scan fills the image
    assert near == [WHOLE]


def test_tokens_of_crops_are_cached_by_crop(tiny_dinov2: Path, tmp_path: Path) -> None:
    backbone = Backbone(BackboneConfig(str(tiny_dinov2), [2], 56, crop=True))
    image = toy_sample(0)["view_00.jpg"]
    half = Crop(0.0, 0.0, 0.5, 1.0)
    kept = [cached_tokens(backbone, [image], ["a"], tmp_path, [crop])[0] for crop in (WHOLE, half)]
    made = [cached_tokens(backbone, [image], ["a"], None, [crop])[0] for crop in (WHOLE, half)]
    for stored, computed in zip(kept, made, strict=True):
        np.testing.assert_array_equal(stored, computed)
    assert kept[0].shape == (4, 4, 24) and kept[1].shape == (4, 2, 24)
    assert token_path(backbone, image, tmp_path) != token_path(backbone, image, tmp_path, half)
    assert backbone.key != Backbone(BackboneConfig(str(tiny_dinov2), [2], 56)).key


@pytest.mark.parametrize("image_head", [False, True])
def test_a_head_is_prepared_by_crops(tiny_dinov2: Path, tmp_path: Path, image_head: bool) -> None:
    head = HeadSample.from_sample({"__key__": "toy", **toy_sample(0)}, "a shard")
    small = replace(head, scan=Scan(head.scan.vertices * np.float32(0.5), head.scan.faces))
    prepared = {}
    for crop in (False, True):
        features = FeatureConfig(
            ["image"], backbone=BackboneConfig(str(tiny_dinov2), [2], 56, crop), image_head=image_head
        )
        preparation = Preparation(features, 500, 8)
        prepared[crop] = prepare_head(small, preparation, tmp_path)
        again = prepare_head(small, preparation, None)
        np.testing.assert_array_equal(prepared[crop].features, again.features)
        assert all(path.is_file() for path in cache_files.token_files(small, preparation, tmp_path))
    if image_head:
        images = [prepared[crop].image for crop in (False, True)]
        assert images[0] is not None and images[1] is not None
        spans = [np.ptp(image.placement.where[:, :, 0][image.placement.weights > 0]) for image in images]
        assert spans[1] > 1.3 * spans[0]
    else:
        assert np.abs(prepared[False].features - prepared[True].features).mean() > 0.01
