"""Segmenting captures with a trained labeller: formats, units, lenses, and what is refused."""

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from capture import Camera, Capture, CaptureInfo, InputError, Scan
from capture.frames import shifted_camera
from capture.ply.files import PlyMesh, write_ply
from factory.capture_scale import segmenting
from scans.predictions import PARTS, Prediction
from scans.scale import CaptureScale, Evidence
from tests.evaluation.comparison.made import write_checkpoint
from tests.helpers import p2p_here
from tests.scans.viewer.test_packing import read_page, read_steps
from tests.training.toy import toy_camera, toy_image, toy_mesh, write_capture
from training.checkpoints.labeller import load_labeller
from training.options import SegmentOptions
from training.preparation.settings import backbone_key
from training.segment import segment_capture


@pytest.fixture
def checkpoint(fitted) -> Path:
    return fitted[0] / "checkpoints" / "best.ckpt"


def _overlap(prediction: Prediction, seed: int) -> float:
    bump = toy_mesh(seed)[2]
    return float((prediction.skin & bump).sum() / (prediction.skin | bump).sum())


def test_checkpoint_alone_segments_a_capture(checkpoint: Path, tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    prediction = segment_capture(capture, checkpoint)
    vertices, _, bump = toy_mesh(7)
    assert prediction.skin.shape == (len(vertices),)
    assert _overlap(prediction, 7) > 0.7
    assert prediction.distance_mm is not None and prediction.part is not None
    assert np.median(prediction.distance_mm[bump]) < np.median(prediction.distance_mm[~bump])
    assert (prediction.part[bump] == PARTS.index("skin")).mean() > 0.7
    assert prediction.visible_skin is not None and prediction.visible_probability is not None
    assert prediction.visible_probability[bump].mean() > 1.5 * prediction.visible_probability[~bump].mean()
    np.testing.assert_array_equal(prediction.visible_skin, prediction.visible_probability > 0.5)
    folder = capture / "prediction"
    assert sorted(path.name for path in folder.iterdir()) == [
        "prediction.json",
        "prediction.npz",
        "segmented.ply",
        "segmented.png",
        "skin.ply",
        "view.html",
    ]
    scan = Scan.read(capture / "scan.ply")
    read = Prediction.read(folder / "prediction.npz", scan)
    np.testing.assert_array_equal(read.probability, prediction.probability)
    np.testing.assert_array_equal(read.part, prediction.part)
    np.testing.assert_array_equal(read.visible_skin, prediction.visible_skin)
    segmented = Scan.read(folder / "segmented.ply")
    assert segmented.colours is not None
    np.testing.assert_array_equal(segmented.vertices, scan.vertices)
    assert 0 < len(Scan.read(folder / "skin.ply").vertices) <= prediction.skin.sum()
    with Image.open(folder / "segmented.png") as picture:
        assert picture.width > picture.height > 100
    moved = Scan(scan.vertices + np.float32(1e-4), scan.faces)  # as many vertices, another scan
    with pytest.raises(InputError, match="of another scan"):
        Prediction.read(folder / "prediction.npz", moved)


def test_an_account_is_given_of_the_prediction(checkpoint: Path, tmp_path: Path, caplog) -> None:
    trained = load_labeller(checkpoint).training_traits
    assert trained is not None and trained.heads == load_labeller(checkpoint).training_heads
    capture = write_capture(tmp_path / "toy_7", 7)
    with caplog.at_level("INFO"):
        prediction = segment_capture(capture, checkpoint, view=False)
    assert f"toy_7: skin: {prediction.skin.mean():.0%} of the vertices" in caplog.text
    assert "as the labeller was trained on" in caplog.text and "unlike" not in caplog.text
    said = json.loads((capture / "prediction" / "prediction.json").read_text())
    assert said["unlike_training"] == [] and said["area_cm2"]["scan"] > said["area_cm2"]["skin"] > 0
    low, _, high = trained.ranges["edge_mm"]
    assert low / 1.5 < said["traits"]["edge_mm"] < high * 1.5
    caplog.clear()
    with caplog.at_level("INFO"):
        segment_capture(capture, checkpoint, options=SegmentOptions(unit="0.4", camera_unit="0.4"), view=False)
    assert "unlike what the labeller was trained on" in caplog.text and "mm long edges" in caplog.text


def _write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    lines = [f"v {x} {y} {z}" for x, y, z in vertices] + ["vt 0 0"] + [f"f {a}/1 {b}/1 {c}/1" for a, b, c in faces + 1]
    path.write_text("\n".join(["# a head", "mtllib none.mtl", "o head", *lines]))
    return path


def test_obj_in_millimetres_gives_the_same_labels(checkpoint: Path, tmp_path: Path, caplog) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    plain = segment_capture(capture, checkpoint)
    scan = Scan.read(capture / "scan.ply")
    path = _write_obj(tmp_path / "mm.obj", scan.vertices * 1000, scan.faces)
    with caplog.at_level("INFO"):
        other = segment_capture(capture, checkpoint, path)
    assert "millimetres (guessed" in caplog.text and "cameras: metres (guessed" in caplog.text
    assert (other.skin == plain.skin).mean() > 0.995
    segmented = Scan.read(capture / "prediction" / "segmented.ply")
    np.testing.assert_allclose(segmented.vertices, scan.vertices * 1000, atol=1e-3)  # as it was given
    said = json.loads((capture / "prediction" / "prediction.json").read_text())
    assert said["metres_per_unit"] == {"scan": 0.001, "cameras": 1.0}


def test_distorted_cameras_of_any_number(checkpoint: Path, tmp_path: Path) -> None:
    vertices, faces, bump = toy_mesh(8)
    for count in (1, 2, 17):
        folder = tmp_path / f"views_{count}"
        (folder / "images").mkdir(parents=True)
        cameras = []
        for i in range(count):
            plain = toy_camera(i, count)
            params = (*plain.focal, *plain.principal, -0.3, 0.1, 0.002, -0.001)
            pose = plain.rotation, plain.translation
            cameras.append(Camera(plain.name, plain.width, plain.height, "OPENCV", params, *pose))
            Image.fromarray(toy_image(cameras[-1], vertices, bump)).save(folder / "images" / plain.name, quality=95)
        Capture.create(folder, cameras, CaptureInfo("toy_8"))
        Scan(vertices, faces).write(folder / "scan.ply")
        prediction = segment_capture(folder, checkpoint)
        if count > 1:
            assert _overlap(prediction, 8) > 0.6, count


def test_what_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    scan = Scan.read(capture / "scan.ply")

    def refused(message: str, scan_path: Path | None = None, ckpt: Path = checkpoint, **options: str) -> None:
        with pytest.raises(InputError, match=message) as info:
            segment_capture(capture, ckpt, scan_path, SegmentOptions(**options))
        assert "\n" not in str(info.value)

    Scan(scan.vertices + np.float32(3), scan.faces).write(tmp_path / "far.ply")
    refused("0% of it lies in the images", tmp_path / "far.ply")
    refused("no head; state another", None, unit="mm")
    refused("lies in the images", None, camera_unit="mm")
    refused("scan is missing", tmp_path / "none.ply")
    (tmp_path / "scan.fbx").touch()
    refused(r"only .*\.stl, .*are read; convert it", tmp_path / "scan.fbx")
    empty = _write_obj(tmp_path / "nan.obj", np.full_like(scan.vertices, np.nan), scan.faces)
    refused("not finite", empty)
    (tmp_path / "pickled.ply").write_bytes(pickle.dumps({"vertices": 1}))
    refused("pickled.ply", tmp_path / "pickled.ply")
    changed = torch.load(checkpoint, weights_only=True)
    changed["hyper_parameters"]["width"] = 32
    torch.save(changed, tmp_path / "other.ckpt")
    refused("doesn't fit this program", None, tmp_path / "other.ckpt")
    changed["labeller"]["schema_version"] = 1
    torch.save(changed, tmp_path / "old.ckpt")
    refused("schema version 1", None, tmp_path / "old.ckpt")
    assert not (capture / "prediction").exists()
    for path in (capture / "images").iterdir():
        path.unlink()
    refused(r"image is missing: .*view_00\.jpg, as are all 3 of the model")


def test_scans_as_other_tools_write_them_get_the_same_labels(checkpoint: Path, tmp_path: Path, caplog) -> None:
    """Corners of their own for each face, all faces inward, far from the origin in millimetres, stray, not a number."""
    capture = write_capture(tmp_path / "toy_7", 7)
    plain = segment_capture(capture, checkpoint)
    scan = Scan.read(capture / "scan.ply")
    vertices, faces, count = scan.vertices.astype(float), scan.faces, len(scan.vertices)

    def agree(places: np.ndarray, own: np.ndarray, source: np.ndarray | slice = slice(None), folder=capture) -> None:
        columns = dict(zip("xyz", places.T, strict=True))
        write_ply(tmp_path / "other.ply", PlyMesh(columns, own.astype(np.int32)))
        other = segment_capture(folder, checkpoint, tmp_path / "other.ply")
        assert len(other.skin) == len(places)
        known, expected = other.skin[: len(plain.skin[source])], plain.skin[source]
        assert (known & expected).sum() / (known | expected).sum() >= 0.97
        assert not other.skin[len(expected) :].any()
        assert np.isnan(other.distance_mm[len(expected) :]).all()

    agree(vertices, faces[:, ::-1])
    agree(vertices[faces.ravel()], np.arange(faces.size).reshape(-1, 3), faces.ravel())
    stray = np.array([[30, 0, 0], [30, 9, 0], [30, 0, 9.0], [np.nan] * 3, [0, 0, 0]])
    agree(np.concatenate([vertices, stray]), np.concatenate([faces, count + np.array([[0, 1, 2]])]))
    holed = vertices.copy()
    holed[3] = np.nan
    agree(holed, faces)
    assert "1 vertices are not finite numbers; the 5 faces around them are left out" in caplog.text
    far, opened = np.array([5e5, 5e6, 100.0]), Capture.read(capture)
    cameras = [shifted_camera(camera, -far) for camera in opened.cameras]
    cameras = [replace(camera, translation=1000 * camera.translation) for camera in cameras]
    shutil.copytree(capture / "images", tmp_path / "far" / "images")
    Capture.create(tmp_path / "far", cameras, opened.info)
    agree(1000 * (vertices + far), faces, folder=tmp_path / "far")


def test_what_was_written_of_a_former_prediction_goes_with_it(checkpoint: Path, tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    segment_capture(capture, checkpoint)
    before = sorted((capture / "prediction").iterdir())
    code, said = p2p_here("segment", capture, "--reuse", "--masks", "--classes", "labels,hair", "--formats", "obj")
    assert code == 0, said
    masks = capture / "prediction" / "masks"
    assert len(list(masks.rglob("*.png"))) == 6
    with Image.open(masks / "labels" / "view_00.jpg.png") as mask:
        assert 0.02 < (np.asarray(mask) > 0).mean() < 0.9
    assert (capture / "prediction" / "segmented.mtl").is_file()
    segment_capture(capture, checkpoint)
    assert sorted((capture / "prediction").iterdir()) == before
    segment_capture(capture, checkpoint, view=False)
    assert {path.name for path in before} - {path.name for path in (capture / "prediction").iterdir()} == {"view.html"}


def test_a_prediction_is_written_elsewhere_where_that_is_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    capture, out = write_capture(tmp_path / "toy_7", 7), tmp_path / "labels" / "seven"
    words = ("segment", capture, "--out", out, "--formats", "obj")
    code, said = p2p_here(*words, "--checkpoint", checkpoint, "--unit", "m")
    assert code == 0 and str(out) in said, said
    assert not (capture / "prediction").exists()
    for place, message in ((capture, "is a capture"), (capture / "scan.ply", "is a file")):
        code, said = p2p_here("segment", capture, "--out", place, "--checkpoint", checkpoint)
        assert code == 2 and message in said and said.count("\n") == 1
    (tmp_path / "mine" / "masks").mkdir(parents=True)
    segment_capture(capture, checkpoint, out=tmp_path / "mine", view=False)
    assert (tmp_path / "mine" / "masks").is_dir()  # a folder of the user's own
    names = {"prediction.npz", "prediction.json", "segmented.ply", "segmented.obj", "view.html"}
    assert names <= {path.name for path in out.iterdir()}
    (out / "segmented.obj").unlink()
    assert p2p_here(*words, "--reuse")[0] == 0 and (out / "segmented.obj").is_file()
    scale = CaptureScale.read(capture)
    assert scale is not None and scale.metres == 1.0 and scale.stated  # that of the capture is kept with it


def test_all_is_written_where_the_scale_turns_out_wrong(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(scale: CaptureScale, *_: object) -> CaptureScale:
        return replace(scale, evidence=(Evidence("head", 2.0, 0.08),))

    monkeypatch.setattr(segmenting, "with_head", twice)
    capture = write_capture(tmp_path / "toy_7", 7)
    code, said = p2p_here("segment", capture, "--checkpoint", checkpoint, "--unit", "m", "--masks", "--formats", "obj")
    assert code == 3 and "metres (stated; head 2); state another --unit" in said, said
    assert (capture / "prediction" / "masks" / "skin" / "view_00.jpg.png").is_file()
    assert (capture / "prediction" / "segmented.obj").is_file()


def test_the_view_shows_the_prediction_and_is_written_again_without_predicting(
    checkpoint: Path, tmp_path: Path
) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    prediction = segment_capture(capture, checkpoint, options=SegmentOptions(unit="m"))
    page = capture / "prediction" / "view.html"
    scene, data = read_page(page.read_text(encoding="utf-8"))
    assert scene["title"] == Capture.read(capture).info.id
    assert len(scene["cameras"]) == len(Capture.read(capture).cameras)
    probability = read_steps(scene, data, "scan.probability", scene["scan"]["vertices"], 8)
    assert abs((probability > 127.5).mean() - prediction.skin.mean()) < 0.01
    assert scene["scan"]["distance"] and scene["scan"]["parts"]
    page.unlink()
    code, said = p2p_here("segment", capture, "--reuse")
    again, _ = read_page(page.read_text(encoding="utf-8"))
    assert code == 0 and again["scan"] == scene["scan"] and again["cameras"] == scene["cameras"], said
    assert (
        again["facts"] == scene["facts"] and f"skin: {prediction.skin.mean():.0%} of the vertices" in again["facts"][1]
    )


def test_a_prediction_that_fails_late_leaves_the_former_one_whole(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    segment_capture(capture, checkpoint)
    before = {path.name: path.read_bytes() for path in (capture / "prediction").iterdir()}

    def fail(*given: object) -> None:
        raise InputError("no account")

    monkeypatch.setattr("training.segment.summarise", fail)
    with pytest.raises(InputError, match="no account"):
        segment_capture(capture, checkpoint)
    assert {path.name: path.read_bytes() for path in (capture / "prediction").iterdir()} == before


def test_images_that_are_not_there_are_done_without(checkpoint: Path, tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    (capture / "images" / "view_01.jpg").unlink()
    segment_capture(capture, checkpoint)
    assert (capture / "prediction" / "prediction.npz").is_file()


def test_checkpoint_of_other_backbone_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    labeller = load_labeller(checkpoint)
    assert backbone_key(labeller.preparation) is None  # no image features: nothing to compare
    changed = torch.load(checkpoint, weights_only=True)
    assert changed["labeller"]["weights"] is None
    changed["labeller"]["weights"] = "0123-9_12-518"
    torch.save(changed, tmp_path / "other.ckpt")
    with pytest.raises(InputError, match="other backbone weights"):
        load_labeller(tmp_path / "other.ckpt")


def test_a_labeller_of_no_parts_is_refused_before_it_works(tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "toy_7", 7)
    checkpoint = write_checkpoint(tmp_path / "plain.ckpt", ["hks"])
    with pytest.raises(InputError, match=r"plain\.ckpt predicts no parts"):
        segment_capture(capture, checkpoint, need_parts=True)
    assert not (capture / "prediction").exists()
