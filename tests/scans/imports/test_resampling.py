"""Images of lenses that no COLMAP model has: what the pinhole shows is what the lens saw there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from capture import Capture, InputError
from scans.imports import import_cameras
from scans.imports.flat_lenses import flat_lens, to_flat
from scans.imports.records import BrownLens
from tests.scans.imports import native
from tests.scans.imports.native import SIZES, Drawn
from tests.scans.imports.test_conventions import fill

LENS = BrownLens(640, 480, 620.0, 610.0, 322.0, 236.0, 3.0, -0.2, 0.05, -0.01, 0.03, 0.002, -0.001)


def ramp(width: int, height: int) -> np.ndarray:
    """An image whose red is the column and whose green the row, as far as bytes have them."""
    x, y = np.meshgrid((np.arange(width) + 0.5) * 255 / width, (np.arange(height) + 0.5) * 255 / height)
    return np.stack([x, y, 0 * x], axis=-1).round().astype(np.uint8)


def lens_of(seed: int) -> BrownLens:
    rng = np.random.default_rng(seed)
    k, p = rng.uniform(-0.1, 0.1, 4), rng.uniform(-0.005, 0.005, 2)
    w, h = [(64, 48), (48, 64)][seed % 2]
    f = rng.uniform(60, 90, 2)
    return BrownLens(
        w, h, f[0], f[1], w / 2 + rng.uniform(-3, 3), h / 2 + rng.uniform(-3, 3), rng.uniform(-2, 2), *k, *p
    )


@given(st.integers(0, 2**32 - 1))
def test_rays_of_a_brown_lens_are_the_inverse_of_its_pixels(seed: int) -> None:
    lens = lens_of(seed)
    pixels = np.random.default_rng(seed).uniform(0, 1, (20, 2)) * [lens.width, lens.height]
    assert np.abs(lens.to_pixels(lens.to_rays(pixels)) - pixels).max() < 1e-8


@given(st.integers(0, 2**32 - 1))
def test_every_pixel_of_the_flat_image_was_seen_and_few_are_lost(seed: int) -> None:
    lens = lens_of(seed)
    flat = flat_lens(lens)
    u, v = np.meshgrid(np.linspace(0, flat.width, 40), np.linspace(0, flat.height, 40))
    seen = lens.to_pixels(flat.to_rays(np.stack([u, v], axis=-1)))
    assert seen.min() > -1e-3 and (seen <= np.array((lens.width, lens.height)) + 1e-3).all()
    assert flat.colmap.model == "SIMPLE_PINHOLE"
    assert flat.width * flat.height > 0.8 * lens.width * lens.height


def test_a_point_is_at_one_ray_in_both_images() -> None:
    points = np.random.default_rng(0).uniform((-0.3, -0.3, 1.7), (0.3, 0.3, 2.3), (50, 3))
    pixels = to_flat(LENS, LENS.to_pixels(points))
    assert np.abs(flat_lens(LENS).to_pixels(points) - pixels).max() < 1e-9


def test_a_lens_that_folds_its_image_over_is_refused() -> None:
    with pytest.raises(InputError, match="folds the image over"):
        flat_lens(BrownLens(640, 480, 400, 400, 320, 240, k1=-0.5, k4=0.01))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_what_the_resampled_image_shows_is_where_the_lens_saw_it(suffix: str, tmp_path: Path) -> None:
    place = tmp_path / "in"
    fill(place, native.metashape(Drawn.of(4), exact=False))
    for name, size in SIZES.items():
        (place / "images" / name).unlink()
        picture = Image.fromarray(ramp(*size))
        picture.save(
            place / "images" / f"{name[:-3]}{suffix}", **({"quality": 100, "subsampling": 0} if suffix == "jpg" else {})
        )
    report = import_cameras(place / "cameras.xml", tmp_path / "out")
    kept = "tif.png" if suffix == "tif" else suffix
    assert report.taken == [f"tall.{kept}", f"wide.{kept}"] == sorted(report.resampled["k4 and skew"])
    from scans.imports.image_files import ImageFiles
    from scans.imports.table import recognise

    source, found = recognise(place / "cameras.xml")
    views = {view.name: view for view in found.read(source, ImageFiles(place / "images")).views}
    for camera in Capture.read(tmp_path / "out").cameras:
        lens = views[camera.name[:4]].lens
        assert isinstance(lens, BrownLens)
        with Image.open(tmp_path / "out" / "images" / camera.name) as opened:
            shown = np.asarray(opened)
        assert shown.shape == (camera.height, camera.width, 3)
        u, v = np.meshgrid(np.arange(2, camera.width - 2), np.arange(2, camera.height - 2))
        centres = np.stack([u, v], axis=-1) + 0.5
        rays = np.concatenate([(centres - camera.principal) / camera.focal, np.ones((*u.shape, 1))], axis=-1)
        wanted = lens.to_pixels(rays) * 255 / [lens.width, lens.height]
        assert np.abs(shown[v, u, :2] - wanted).max() < (6 if suffix == "jpg" else 1.1)


def test_exact_images_are_copied_byte_by_byte(tmp_path: Path) -> None:
    fill(tmp_path / "in", native.photoscan(Drawn.of(4)))
    report = import_cameras(tmp_path / "in" / "old.xml", tmp_path / "out")
    assert not report.resampled
    for name in SIZES:
        assert (tmp_path / "out/images" / name).read_bytes() == (tmp_path / "in/images" / name).read_bytes()


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1000))
def test_masks_go_where_their_images_go(tmp_path: Path, seed: int) -> None:
    place, out = tmp_path / f"in{seed}", tmp_path / f"out{seed}"
    if out.exists():
        return
    made = native.metashape(Drawn.of(seed), exact=False)
    fill(place, made)
    masks = place / "masks"
    masks.mkdir()
    for name, size in SIZES.items():
        red = ramp(*size)[..., 0]
        Image.fromarray(np.where(red > 127, 7, 0).astype(np.uint8)).save(masks / f"{name[:-4]}_mask.png")
        rgba = np.dstack([ramp(*size), np.where(red > 127, 255, 0).astype(np.uint8)])
        Image.fromarray(rgba).save(place / "images" / name)
    report = import_cameras(place / "cameras.xml", out, masks=masks)
    assert report.masks == 2
    for camera in Capture.read(out).cameras:
        with (
            Image.open(out / "masks" / f"{camera.name}.png") as mask,
            Image.open(out / "images" / camera.name) as image,
        ):
            inside, shown = np.asarray(mask), np.asarray(image)
        assert inside.shape == (camera.height, camera.width) and set(np.unique(inside)) == {0, 255}
        assert ((inside == 255) == (shown[..., 3] == 255)).all()
        edge = np.abs(shown[..., 0].astype(int) - 127) < 8
        assert ((inside == 255) == (shown[..., 0] > 127))[~edge].all()


def test_masks_of_exact_images_are_as_they_were(tmp_path: Path) -> None:
    fill(tmp_path / "in", native.photoscan(Drawn.of(4)))
    for name, size in SIZES.items():
        Image.fromarray(ramp(*size)[..., 0] // 128 * 9).save(tmp_path / f"{name}.png")
    import_cameras(tmp_path / "in" / "old.xml", tmp_path / "out", masks=tmp_path)
    for name, size in SIZES.items():
        with Image.open(tmp_path / "out" / "masks" / f"{name}.png") as mask:
            assert (np.asarray(mask) == 255 * (ramp(*size)[..., 0] // 128)).all()
