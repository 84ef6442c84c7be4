"""Masks of labelled scans: outlines through every lens against COLMAP's own, occlusion, names and sizes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import CAMERA_MODELS, Camera, InputError, Mesh, Scan, write_json
from scans.images.mask_files import find_masks
from scans.mask_options import MaskOptions, mask_paths
from scans.pictures.mask_renderer import MaskRenderer
from scans.prediction_masks import class_share, write_masks
from scans.predictions import PARTS, UNKNOWN, Prediction
from tests.helpers import camera, looking_at_origin, p2p_here
from tests.scans.labelled import labelled_capture

BALL = trimesh.creation.icosphere(6, radius=0.1)  # flat faces stay within 7 micrometres of the sphere


def colmap_rays(view: Camera) -> np.ndarray:
    """(H, W, 3) directions in the camera's frame of the centres of the pixels, by pycolmap; NaN where it has none."""
    import pycolmap

    lens = pycolmap.Camera(model=view.model, width=view.width, height=view.height, params=view.params)
    y, x = np.mgrid[: view.height, : view.width] + 0.5
    rays = np.asarray(lens.cam_ray_from_img(np.stack([x, y], axis=-1).reshape(-1, 2)))
    return rays.reshape(view.height, view.width, 3)


@pytest.mark.parametrize("model", CAMERA_MODELS)
def test_a_sphere_has_the_outline_and_the_border_that_colmaps_lens_gives_it(model: str) -> None:
    """Skin is what lies at x < 0 of the sphere; both are known in closed form for COLMAP's ray of each pixel."""
    view = replace(camera(3, model), rotation=np.eye(3), translation=np.array([0.02, -0.03, 0.3]))
    shares = np.stack([np.ones(len(BALL.vertices)), 0.5 - 4 * BALL.vertices[:, 0]]).astype(np.float32)
    whole, skin = MaskRenderer(Mesh(BALL.vertices, BALL.faces)).render(view, shares)
    rays, middle = colmap_rays(view), np.array(view.translation)
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    near = rays @ middle  # along the ray to the point next to the middle
    apart = np.sqrt(np.maximum(middle @ middle - near**2, 0))
    inside, sure = (apart < 0.1) & (near > 0), np.abs(apart - 0.1) > 2e-5
    assert 5000 < inside.sum() < 0.8 * inside.size
    assert (~sure).mean() < 0.001  # a thousandth of the pixels at most is too near the outline to tell
    np.testing.assert_array_equal(whole[sure], inside[sure])
    x = (rays * (near - np.sqrt(np.maximum(0.01 - apart**2, 0)))[..., None] - middle)[..., 0]
    sure &= np.abs(x) > 2e-5
    np.testing.assert_array_equal(skin[sure], (inside & (x < 0))[sure])
    assert 0.3 < skin.sum() / whole.sum() < 0.7


def test_what_stands_before_the_skin_hides_it() -> None:
    """A ball of hair before a plane of skin, seen through a distorted lens; trimesh casts the rays of some pixels."""
    plane = np.array([[-1, 0.3, -1], [1, 0.3, -1], [1, 0.3, 1], [-1, 0.3, 1]])
    vertices = np.concatenate([BALL.vertices, plane])
    faces = np.concatenate([BALL.faces, len(BALL.vertices) + np.array([[0, 1, 2], [0, 2, 3]])])
    skin = (np.arange(len(vertices)) >= len(BALL.vertices)).astype(np.float32)
    plain = looking_at_origin("a.png", 10.0, size=80)
    params = (100.0, 100.0, 42.0, 39.0, -0.2, 0.05, 0.002, -0.001)
    view = Camera("a.png", 80, 80, "OPENCV", params, plain.rotation, plain.translation)
    (mask,) = MaskRenderer(Mesh(vertices, faces)).render(view, skin[None])
    rows, columns = np.mgrid[1:80:5, 1:80:5].reshape(2, -1)
    rays = colmap_rays(view)[rows, columns] @ view.rotation
    caster = trimesh.ray.ray_triangle.RayMeshIntersector(trimesh.Trimesh(vertices, faces, process=False))
    hit = caster.intersects_first(np.broadcast_to(view.centre, rays.shape), rays)
    np.testing.assert_array_equal(mask[rows, columns], hit >= len(BALL.faces))
    assert 50 < (hit >= len(BALL.faces)).sum() < len(hit) - 10


def test_the_back_of_a_face_is_no_skin_and_hides_what_is_behind() -> None:
    view = looking_at_origin("a.png", 0.0)
    corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1.0], [-1, 0, 1]])
    front = np.array([[0, 1, 2], [0, 2, 3]])
    both = np.concatenate([corners, corners + np.array([0, 0.5, 0])])
    assert MaskRenderer(Mesh(corners, front)).render(view, np.ones((1, 4), np.float32)).all()
    turned = np.concatenate([front[:, ::-1], front + 4])
    assert not MaskRenderer(Mesh(both, turned)).render(view, np.ones((1, 8), np.float32)).any()


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


def test_masks_have_the_paths_and_sizes_of_their_images_and_divide_the_scan(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    Image.new("RGB", (128, 128)).save(tmp_path / "images" / "left" / "b.png")  # the photograph is twice as large
    code, said = p2p_here("segment", tmp_path, "--reuse", "--masks", "--classes", "skin,hair,clothes,scan,hair+clothes")
    assert code == 0, said
    folder = tmp_path / "prediction" / "masks"
    names = [view.name for view in labelled.capture.cameras]
    for name in ("skin", "hair", "clothes", "scan", "hair+clothes"):
        found = sorted(path.relative_to(folder / name).as_posix() for path in (folder / name).rglob("*.png"))
        assert found == sorted(f"{image}.png" for image in names)
        assert find_masks(names, folder / name) == tuple(folder / name / f"{image}.png" for image in names)
    masks = {name: read(folder / name / "left" / "b.png.png") for name in ("skin", "hair", "clothes", "scan")}
    assert masks["skin"].shape == (128, 128)
    assert set(np.unique(masks["skin"])) == {0, 255}
    covered = sum((mask > 0).astype(int) for name, mask in masks.items() if name != "scan")
    assert covered.max() == 1  # no pixel is in two
    assert (covered > 0).sum() > 0.95 * (masks["scan"] > 0).sum() and not covered[masks["scan"] == 0].any()
    rows = [np.nonzero(masks[name])[0].mean() for name in ("hair", "clothes")]
    assert rows[0] < 64 < rows[1]  # hair is above, upright in the image
    union = read(folder / "hair+clothes" / "left" / "b.png.png") > 0
    assert not (((masks["hair"] > 0) | (masks["clothes"] > 0)) & ~union).any()
    radius = np.sqrt((masks["scan"] > 0).sum() / np.pi)
    assert radius == pytest.approx(2 * 3.5 * 64 * np.tan(np.arcsin(0.1)), rel=0.01)


def test_metashapes_names_are_kept_in_their_folders(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    write_masks(labelled, MaskOptions(masks=True))
    folder = write_masks(labelled, MaskOptions(masks=True, mask_names="metashape"))
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert found == ["skin/c_mask.png", "skin/left/a_mask.png", "skin/left/b_mask.png"]  # COLMAP's are gone
    names = [view.name for view in labelled.capture.cameras]
    assert [path.name for path in find_masks(names, folder / "skin")] == ["c_mask.png", "a_mask.png", "b_mask.png"]
    assert [str(path) for path in mask_paths(["a.jpg", "a.png"], "colmap")] == ["a.jpg.png", "a.png.png"]
    with pytest.raises(InputError, match=r"2 images would have the mask a_mask\.png"):
        mask_paths(["a.jpg", "a.png"], "metashape")


def test_colmap_takes_features_from_the_skin_alone(tmp_path: Path) -> None:
    """COLMAP finds each image's mask by its name, in its sub-folder, and what is white in it counts."""
    import pycolmap

    labelled = labelled_capture(tmp_path)
    rng = np.random.default_rng(0)
    for path in labelled.capture.image_paths:  # noise has features everywhere
        with Image.open(path) as image:
            size = image.size
        noise = Image.fromarray(rng.integers(0, 256, (*size, 3)).astype(np.uint8))
        noise.resize((4 * size[0], 4 * size[1]), Image.Resampling.BICUBIC).save(path)
    folder = write_masks(labelled, MaskOptions(masks=True)) / "skin"
    reader, extraction = pycolmap.ImageReaderOptions(), pycolmap.FeatureExtractionOptions()
    reader.mask_path, extraction.use_gpu, extraction.num_threads = str(folder), False, 1
    words = {"reader_options": reader, "extraction_options": extraction}
    pycolmap.extract_features(tmp_path / "features.db", tmp_path / "images", **words)
    database = pycolmap.Database.open(tmp_path / "features.db")
    images = database.read_all_images()
    assert sorted(image.name for image in images) == ["c.jpg", "left/a.jpg", "left/b.png"]
    for image in images:
        places = np.floor(np.asarray(database.read_keypoints(image.image_id))[:, :2]).astype(int)
        mask = read(folder / f"{image.name}.png") > 0
        assert len(places) > 10 and mask[places[:, 1], places[:, 0]].all() and mask.mean() < 0.25
    database.close()


def test_stereo_reads_what_is_written(tmp_path: Path) -> None:
    from scans.images.decoding import read_foreground

    labelled = labelled_capture(tmp_path)
    path = write_masks(labelled, MaskOptions(masks=True)) / "skin" / "c.jpg.png"
    np.testing.assert_array_equal(read_foreground(path), read(path) > 0)


def test_shares_of_classes() -> None:
    part = [PARTS.index("skin"), PARTS.index("headwear"), PARTS.index("facial_hair"), PARTS.index("eyes"), UNKNOWN]
    prediction = Prediction([0.9, 0.2, 0.6, 0.1, 0.0], [1, 0, 1, 0, 0], part=part)  # type: ignore[arg-type]
    np.testing.assert_allclose(class_share(prediction, "skin"), [0.9, 0.2, 0.6, 0.1, 0.0])
    assert class_share(prediction, "hair").tolist() == [0, 0, 1, 0, 0]
    assert class_share(prediction, "clothes").tolist() == [0, 1, 0, 0, 0]
    np.testing.assert_allclose(class_share(prediction, "skin+eyes"), [0.9, 0.2, 0.6, 1.0, 0.0])
    assert class_share(prediction, "scan").tolist() == [1] * 5
    visible = np.array([1, 0, 0, 0, 1], np.float32) * np.float32(0.75)  # the scan is off where the last one is
    both = replace(prediction, visible_skin=visible > 0.5, visible_probability=visible)
    np.testing.assert_array_equal(class_share(both, "skin"), visible)
    np.testing.assert_array_equal(class_share(both, "labels"), prediction.probability)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reuse", "--no-view"), "--reuse computes no labels: say with --masks or --formats"),
        (("--classes", "hair"), "--classes and --mask-names are of masks; give --masks, too"),
        (("--masks", "--classes", "skin,scarf"), "scarf is no class; known are skin, labels, scan, hair, clothes"),
        (("--masks", "--classes", "skin+"), "nothing is no class"),
        (("--masks", "--classes", ","), "--classes names none"),
        (("--masks", "--reuse", "--unit", "mm"), "--unit: the prediction that --reuse takes has its own"),
        (("--masks", "--reuse", "--checkpoint", "x"), "--checkpoint: the prediction that --reuse takes has its own"),
    ],
)
def test_wrong_options_are_one_line(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    labelled_capture(tmp_path)
    code, said = p2p_here("segment", tmp_path, *words)
    assert code == 2 and message in said and len(said.strip().splitlines()) == 1, said
    assert not (tmp_path / "prediction" / "masks").exists()


def test_predictions_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    labelled = labelled_capture(tmp_path)
    words = ("segment", tmp_path, "--reuse", "--masks")
    plain = replace(labelled.prediction, part=None, part_probability=None)
    plain.write(tmp_path / "prediction" / "prediction.npz")
    assert p2p_here(*words)[0] == 0
    code, said = p2p_here(*words, "--classes", "skin,hair")
    assert code == 2 and "--classes skin,hair: this labeller predicts no parts" in said
    assert (tmp_path / "prediction" / "masks" / "skin" / "c.jpg.png").is_file()  # those that are there stay
    account = tmp_path / "prediction" / "prediction.json"
    write_json(account, {"scan": "other", "metres_per_unit": {"scan": 1, "cameras": 1}})
    assert "of another prediction" in p2p_here(*words)[1]
    account.unlink()
    assert "account of the prediction is missing" in p2p_here(*words)[1]
    Scan(labelled.scan.vertices * 2, labelled.scan.faces).write(tmp_path / "scan.ply")
    assert "is of another scan than this" in p2p_here(*words)[1]
    shutil.rmtree(tmp_path / "prediction")
    assert "no prediction at" in p2p_here(*words)[1]
