"""Hair over photographs: cameras, compositing, what is chosen, what is refused, and a head from end to end."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import binary_dilation

from assets.head_models.registry import load_head_model
from assets.library import Library
from capture import Camera, Capture, HeadSurface, InputError, Labels, PixelClass, Scan, read_json
from capture.geometry import rotation_matrix
from factory.blend.composite import blend, blend_classes, cleaned
from factory.blend.light import SkinLight, estimate_light
from factory.blend.options import BlendOptions, HairOverrides
from factory.blend.pictures import Picture, write_picture
from factory.blend.recipe import overlay_spec
from factory.blend.run import blend_capture, rebuild
from factory.blend.views import moved_camera, pinhole, warp
from factory.cli.main import main
from factory.stages.generate import generate_head
from factory.stages.settings import RenderSettings, RenderSetup
from generator.cameras.photo import take_photo
from generator.cameras.sensor import linear_light, quantised
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec
from generator.components.skin import SkinSpec
from generator.distributions import Distributions
from generator.sampling import sample_spec
from generator.skin.colour import exposure_gain, tone
from registration.errors import face_error
from registration.files.inputs import SkinWeights
from registration.files.outputs import ScanRegistration
from registration.pipeline import Registration
from registration.template import Coefficients, Template
from tests.helpers import camera, make_capture

OPTIONS = BlendOptions(HairOverrides("crop"))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_a_camera_in_the_heads_frame_sees_the_same(seed: int, motion: list[float]) -> None:
    turn, shift = rotation_matrix(np.array(motion[:3])), np.array(motion[3:])
    view = camera(seed, "OPENCV")
    moved = moved_camera(view, turn, shift)
    seen = view.unproject(np.random.default_rng(seed).uniform(0, 400, (50, 2)), 1.3)  # points of the world
    np.testing.assert_allclose(moved.project((seen - shift) @ turn)[0], view.project(seen)[0], atol=1e-6)
    back = moved_camera(moved, turn.T, -turn.T @ shift)
    np.testing.assert_allclose(back.rotation, view.rotation, atol=1e-12)
    np.testing.assert_allclose(back.translation, view.translation, atol=1e-12)


def _rings(view: Camera) -> np.ndarray:
    """(H, W, 1) a smooth picture of the directions that a camera's pixels look in."""
    y, x = np.mgrid[0 : view.height, 0 : view.width] + 0.5
    away = view.unproject(np.stack([x, y], axis=-1), 1.0) - view.centre
    away = (away / np.linalg.norm(away, axis=-1, keepdims=True)) @ view.rotation.T
    return np.asarray(np.sin(25 * away[..., :1]) + np.cos(19 * away[..., 1:2]))


@pytest.mark.parametrize("model", ["PINHOLE", "SIMPLE_RADIAL", "OPENCV", "FULL_OPENCV"])
def test_a_pinhole_render_is_warped_to_what_the_lens_sees(model: str) -> None:
    view = camera(3, model)
    straight = pinhole(view)
    assert not straight.distorted and view.distorted == (model != "PINHOLE")
    seen = warp(_rings(straight), straight, view)
    np.testing.assert_allclose(seen, _rings(view), atol=0.003)
    numbers = np.arange(straight.width * straight.height).reshape(straight.height, straight.width)
    rows, columns = np.divmod(warp(numbers, straight, view, nearest=True), straight.width)
    y, x = np.mgrid[0 : view.height, 0 : view.width] + 0.5
    at = straight.project(view.unproject(np.stack([x, y], axis=-1), 1.0))[0]
    assert np.abs(np.stack([columns, rows], axis=-1) + 0.5 - at).max() <= 0.5 + 1e-6


def test_a_lens_that_folds_the_image_is_refused() -> None:
    bent = Camera("a.jpg", 640, 480, "SIMPLE_RADIAL", (300, 320, 240, -0.9), np.eye(3), np.zeros(3))
    with pytest.raises(InputError, match=r"camera of a\.jpg: .*undistort the images first"):
        pinhole(bent)


def test_a_lens_that_sees_more_than_a_pinhole_is_refused() -> None:
    for model, params in (("SIMPLE_FISHEYE", (200, 320, 240)), ("EQUIRECTANGULAR", (640, 480))):
        wide = Camera("a.jpg", 640, 480, model, params, np.eye(3), np.zeros(3))
        with pytest.raises(InputError, match=rf"camera of a\.jpg: its {model} .*undistort the images first"):
            pinhole(wide)


def test_light_and_bytes_are_inverse() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert (quantised(linear_light(every)) == every).all()


def test_hair_is_blended_in_linear_light() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255
    overlay = np.zeros((2, 2, 4), np.float32)
    overlay[:, 1] = (0.25, 0.25, 0.25, 0.5)  # a grey of 0.5 over half of the pixel
    made = blend(image, overlay)
    assert (made[:, 0] == image[:, 0]).all()
    assert (made[0, 1] == round(255 * (1.055 * 0.75 ** (1 / 2.4) - 0.055))).all()
    assert (made[1, 1] == round(255 * (1.055 * 0.25 ** (1 / 2.4) - 0.055))).all()
    assert blend(image, np.full((2, 2, 4), (0, 0, 0, 1), np.float32)).max() == 0


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.booleans())
def test_pixels_without_hair_keep_their_bytes(seed: int, noisy: bool) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    overlay = rng.random((16, 16, 4)).astype(np.float32)
    overlay[..., 3] *= rng.random((16, 16)) < 0.5  # light without alpha, as denoisers leave it
    made = blend(image, overlay, SensorSpec(seed=seed) if noisy else None, 3)
    bare = overlay[..., 3] == 0
    assert (made[bare] == image[bare]).all()
    assert (made == blend(image, overlay, SensorSpec(seed=seed) if noisy else None, 3)).all()


def test_hair_gets_the_noise_and_the_gains_of_its_sensor() -> None:
    sensor = SensorSpec(white_electrons=2000, read_electrons=10, red=1.2, blue=0.8, seed=1)
    image, overlay = np.zeros((200, 200, 3), np.uint8), np.full((200, 200, 4), 0.3, np.float32)
    overlay[..., 3] = 1
    light = linear_light(blend(image, overlay, sensor))
    np.testing.assert_allclose(light.mean(axis=(0, 1)), [0.36, 0.3, 0.24], rtol=0.01)
    wanted = np.sqrt(np.array([0.36, 0.3, 0.24]) / 2000 + (10 / 2000) ** 2)
    np.testing.assert_allclose(light.std(axis=(0, 1)), wanted, rtol=0.05)
    half = overlay * np.float32(0.5)
    below = quantised(
        np.full((200, 200, 3), 0.3, np.float32)
        + np.random.default_rng(0).normal(0, np.sqrt(0.3 / 2000 + 0.005**2), (200, 200, 3)).astype(np.float32)
    )
    both = linear_light(blend(below, half, replace(sensor, red=1.0, blue=1.0)))
    np.testing.assert_allclose(both.std(axis=(0, 1)), np.sqrt(0.3 / 2000 + 0.005**2), rtol=0.05)


def test_hair_is_seen_through_the_tone_curve_of_its_camera() -> None:
    """Hair and skin of the same light get the same values, be they photographed together or blended afterwards."""
    photo = PhotoSpec("phone", contrast=0.6, shadows=0.1)
    light = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    together = take_photo(light, None, photo, 0)
    hair = np.concatenate([light, np.ones((8, 8, 1), np.float32)], axis=-1)
    assert (blend(np.zeros((8, 8, 3), np.uint8), hair, photo=photo) == together).all()
    clear = np.concatenate([np.zeros_like(light), np.full((8, 8, 1), 1e-6, np.float32)], axis=-1)
    assert np.abs(blend(together, clear, photo=photo).astype(int) - together).max() <= 1


def test_what_no_image_shows_is_no_cover() -> None:
    overlay = np.full((1, 2, 4), 0.5, np.float32)
    overlay[0, 0, 3] = 0.002
    made = cleaned(overlay)
    assert not made[0, 0].any() and (made[0, 1] == overlay[0, 1]).all()


def test_covered_pixels_get_the_class_of_the_hair() -> None:
    mask = np.full((1, 6), PixelClass.SKIN, np.uint8)
    alpha = np.array([[0.0, 0.4, 0.6, 0.9, 1.0, 0.7]], np.float32)
    hair = np.array([[0, 5, 0, 5, 6, 0]], np.uint8)
    assert blend_classes(mask, alpha, hair).tolist() == [[1, 1, 5, 5, 6, 6]]
    assert (blend_classes(mask, 0 * alpha, hair) == mask).all()


@pytest.mark.parametrize("melanin", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("stops", [-0.3, 0.0, 0.3])
def test_the_light_is_found_from_the_skin(melanin: float, stops: float) -> None:
    skin = SkinSpec(melanin=melanin)
    level = exposure_gain(skin) * 2**stops
    seen = tone(skin) * level * np.exp(0.1 * np.random.default_rng(0).normal(size=(500, 3)))
    estimate = estimate_light(seen, "somebody")
    assert abs(estimate.melanin - melanin) < 0.2
    assert abs(np.log2(estimate.level / level)) < 0.5
    with pytest.raises(InputError, match="somebody: the face lies outside"):
        estimate_light(seen[:50], "somebody")


@pytest.fixture(scope="module")
def head() -> Coefficients:
    model, zero = load_head_model(), np.zeros(3)
    return Coefficients(np.asarray(model.mean_identity), np.zeros(len(model.expression_names)), zero, zero, zero, zero)


def test_a_synthetic_head_gets_hair_of_its_own_colour_in_its_own_light(head: Coefficients) -> None:
    model = load_head_model()
    clean = sample_spec(4, model)

    def ask() -> SkinLight:
        raise AssertionError("the spec tells the light")

    spec = overlay_spec(HairOverrides("bob", "full", 7), clean, head, model, Library(), ask)
    assert (spec.hair.family, spec.beard.family) == ("bob", "full") and spec.hair.strands and spec.beard.strands
    assert spec.hair.colour == clean.hair.colour
    assert (spec.environment, spec.skin, spec.sensor) == (clean.environment, clean.skin, clean.sensor)
    assert spec.brows.strands == spec.lashes.strands == 0
    assert spec.headwear.kind == spec.eyewear.kind == spec.jewellery.kind == "none"
    assert spec == overlay_spec(HairOverrides("bob", "full", 7), clean, head, model, Library(), ask)
    assert spec.hair != overlay_spec(HairOverrides("bob", "full", 8), clean, head, model, Library(), ask).hair


def test_a_photographed_head_gets_a_dome_as_bright_as_its_skin_says(head: Coefficients) -> None:
    model = load_head_model()
    levels = []
    for level in (0.5, 1.0):
        light = SkinLight(0.4, level)
        spec = overlay_spec(HairOverrides(), None, head, model, Library(), lambda light=light: light)
        assert spec.environment.lighting == "dome" and spec.skin.melanin == 0.4
        assert spec.hair.family != "none" and spec.beard.family == "none"
        levels.append(spec.environment.exposure * exposure_gain(spec.skin))
    np.testing.assert_allclose(levels, [0.5, 1.0], rtol=1e-4)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_pictures_are_written_as_they_came(suffix: str, tmp_path: Path) -> None:
    y, x = np.mgrid[0:480, 0:640]
    pixels = np.stack([60 + x // 5, 40 + y // 4, 160 - x // 8], axis=-1).astype(np.uint8)
    view = replace(camera(), name=f"view.{suffix}")
    Image.fromarray(pixels).save(tmp_path / view.name)
    like = Picture.read(view, tmp_path / view.name)
    for changed in (False, True):
        write_picture(like.pixels(), like, tmp_path / f"made.{suffix}", changed)
        made = Picture.read(view, tmp_path / f"made.{suffix}")
        assert made.format == like.format
        apart = np.abs(made.pixels().astype(int) - like.pixels())
        assert apart.mean() < 1 if suffix == "jpg" and changed else not apart.any()
    with pytest.raises(InputError, match=r"view.*is 640 x 480, its camera 320 x 240"):
        Picture.read(view.resized(320, 240), tmp_path / view.name)


def test_what_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for overrides, words in (
        ({"hair": "sohrt"}, "`hair` sohrt: use one of none, "),
        ({"beard": "long"}, "`beard` long"),
        ({"hair": "none"}, "nothing is left to blend"),
        ({"seed": -1}, "`seed` -1"),
    ):
        with pytest.raises(InputError, match=words):
            HairOverrides(**overrides)
    clean = tmp_path / "clean"
    make_capture(clean, labelled=False)
    with pytest.raises(InputError, match=r"scan is missing: .*p2p reconstruct"):
        blend_capture(clean, tmp_path / "made", OPTIONS)
    make_capture(tmp_path / "other")
    with pytest.raises(InputError, match="spec of other: schema version"):
        blend_capture(tmp_path / "other", tmp_path / "made", OPTIONS)
    (tmp_path / "other" / Capture.INFO).unlink()  # its toy spec
    with pytest.raises(InputError, match="the clean capture itself"):
        blend_capture(tmp_path / "other", tmp_path / "other", OPTIONS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="something else than a blended capture"):
        blend_capture(tmp_path / "other", tmp_path / "full", OPTIONS)
    with pytest.raises(InputError, match="capture id"):
        blend_capture(tmp_path / "other", tmp_path / "my head", OPTIONS)
    Image.new("RGB", (32, 48)).save(tmp_path / "other" / "images" / "view_01.png")
    with pytest.raises(InputError, match=r"view_01\.png is 32 x 48, its camera 48 x 48"):
        blend_capture(tmp_path / "other", tmp_path / "made", OPTIONS)
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_a_head_that_isnt_found_is_one_line(
    head: Coefficients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    template = Template(load_head_model())
    surface = template.surface(head)
    registration = Registration(surface - np.array([0, 0.01, 0]), surface, head, {})
    weights = SkinWeights(None, None, None, "all")
    done = ScanRegistration("clean", Scan(surface, template.faces), 1.0, weights, template, registration)
    monkeypatch.setattr("factory.blend.run.fit_template", lambda *_: done)
    make_capture(tmp_path / "clean")
    (tmp_path / "clean" / Capture.INFO).unlink()
    code = main(["blend", str(tmp_path / "clean"), "--out", str(tmp_path / "made"), "--hair", "crop"])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == 1 and "clean: the head wasn't found in the scan" in lines[0]
    assert not (tmp_path / "made" / Capture.INFO).exists()


@pytest.fixture(scope="module")
def bald(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bald head, rendered small, with its true skin as the scan; that and the cameras in millimetres."""
    named = {
        "hair": {"family": "none"},
        "beard": {"family": "none"},
        "headwear": {"kind": "none"},
        "eyewear": {"kind": "none"},
        "rig": {"views": [[-60, 0], [-30, 0], [0, 0], [30, 0], [60, 0], [0, 25], [0, -25]]},
    }
    settings = RenderSettings(128, 1, distributions=Distributions(named))
    folder = generate_head(900, tmp_path_factory.mktemp("bald"), settings)
    truth = HeadSurface.read(folder / Capture.HEAD)
    Scan(1000 * truth.vertices, truth.faces[truth.part("skin")]).write(folder / Capture.SCAN)
    made = Capture.read(folder)
    Capture.create(folder, [replace(view, translation=1000 * view.translation) for view in made.cameras], made.info)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_a_bald_head_gets_hair_on_its_scalp_and_nowhere_else(bald: Path, tmp_path: Path) -> None:
    made, options = tmp_path / "with_hair", replace(OPTIONS, rendering=RenderSetup(samples=1))
    blend_capture(bald, made, options)
    clean, blended = Capture.read(bald), Capture.read(made)
    truth, registered = HeadSurface.read(clean.head_path), HeadSurface.read(blended.head_path)
    assert registered.face_mask is not None and registered.part("eyes").any()
    assert face_error(registered, registered.face_mask, truth).mean < 0.3  # mm
    face = registered.vertices[registered.face_mask].mean(axis=0)
    for index, view in enumerate(blended.cameras):
        np.testing.assert_allclose(view.matrix, clean.cameras[index].matrix)
        np.testing.assert_allclose(1000 * view.translation, clean.cameras[index].translation)
        before, after = (np.asarray(Image.open(each.image_paths[index])) for each in (clean, blended))
        hair = np.asarray(Image.open(blended.mask_paths[index])) == PixelClass.SCALP_HAIR
        near = binary_dilation(hair, iterations=24)  # single strands cover less than half of a pixel
        assert (after[~near] == before[~near]).all()
        assert (after[hair] != before[hair]).any(axis=-1).mean() > 0.95
        assert hair.mean() > 0.02 and near.mean() < 0.8
        assert np.nonzero(hair)[0].mean() < view.project(face)[0][1] - 0.1 * view.height
    record = read_json(made / Capture.BLEND, "record")
    assert record["hair"] == "crop" and record["source"]["id"] == "head_00000900"
    assert blended.info.spec is None and blended.info.versions["blender"]

    image = blended.image_paths[0].stat().st_mtime_ns
    blend_capture(bald, made, options)  # it is whole
    assert blended.image_paths[0].stat().st_mtime_ns == image
    rebuild(made)
    labels = Labels.read(blended.labels_path, len(Scan.read(blended.scan_path).vertices))
    assert labels.seen_class is not None
    skin, hair = (labels.skin[labels.seen_class == shown] for shown in (PixelClass.SKIN, PixelClass.SCALP_HAIR))
    assert len(skin) > 200 and len(hair) > 50
    assert skin.mean() > hair.mean() + 0.2
