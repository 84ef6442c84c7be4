"""Single formats: archives, folders, other lenses, and what is left out or doubted in them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image

from capture import Capture
from scans.imports import import_cameras
from tests.helpers import REPO, p2p_here
from tests.scans.imports import native
from tests.scans.imports.native import SIZES, Drawn, Native, assert_pixels
from tests.scans.imports.test_conventions import fill


def test_a_psz_archive_is_read_as_its_document(tmp_path: Path) -> None:
    made = native.metashape(Drawn.of(1), exact=True)
    fill(tmp_path / "in", made)
    text = made.files["cameras.xml"].replace("<chunk>", "<chunks><chunk>").replace("</chunk>", "</chunk></chunks>")
    (tmp_path / "in" / "cameras.xml").unlink()
    with zipfile.ZipFile(tmp_path / "in" / "project.psz", "w") as archive:
        archive.writestr("doc.xml", text)
    import_cameras(tmp_path / "in" / "project.psz", tmp_path / "out")
    assert_pixels(tmp_path / "out", made)


def test_an_r3d_archive_gives_its_images_too(tmp_path: Path) -> None:
    made = native.record3d(Drawn.of(1), each=True)
    image = Image.new("RGB", SIZES["wide.png"], (9, 80, 7))
    image.save(tmp_path / "0.jpg")
    with zipfile.ZipFile(tmp_path / "scan.r3d", "w") as archive:
        archive.writestr("metadata", made.files["metadata"])
        for number in range(2):
            archive.write(tmp_path / "0.jpg", f"rgbd/{number}.jpg")
    import_cameras(tmp_path / "scan.r3d", tmp_path / "out")
    pixels = {name.replace("png", "jpg"): each for name, each in made.pixels.items()}
    assert_pixels(tmp_path / "out", Native({}, "", pixels, made.points))
    assert (tmp_path / "out/images/1.jpg").read_bytes() == (tmp_path / "0.jpg").read_bytes()


def test_the_splits_of_a_synthetic_scene_are_taken_together_from_their_folder(tmp_path: Path) -> None:
    made = native.transforms(Drawn.of(1), nerfstudio=False)
    fill(tmp_path / "in", made)
    file = json.loads((tmp_path / "in" / "transforms.json").read_text())
    (tmp_path / "in" / "transforms.json").unlink()
    for split, frame in zip(("train", "test"), file["frames"], strict=True):
        frame["file_path"] = frame["file_path"].removesuffix(".png")
        (tmp_path / "in" / f"transforms_{split}.json").write_text(json.dumps(file | {"frames": [frame]}))
    import_cameras(tmp_path / "in", tmp_path / "all")
    assert_pixels(tmp_path / "all", made)
    report = import_cameras(tmp_path / "in" / "transforms_train.json", tmp_path / "train")
    assert report.taken == ["wide.png"] and "transforms_test.json beside it not read" in report.notes[0]


def test_angles_of_view_stand_for_focal_lengths(tmp_path: Path) -> None:
    frame = {"file_path": "images/wide", "transform_matrix": np.eye(4).tolist()}
    file = {"camera_angle_x": 2 * np.arctan(0.5), "frames": [frame]}
    fill(tmp_path, Native({"transforms.json": json.dumps(file)}, "", {}, np.zeros((0, 3))))
    import_cameras(tmp_path, tmp_path / "out")
    (camera,) = Capture.read(tmp_path / "out").cameras
    assert camera.focal == pytest.approx((64, 64)) and camera.principal == (32, 24)
    assert camera.model == "SIMPLE_PINHOLE" and np.allclose(camera.direction, (0, 0, -1))


def test_frames_name_their_masks(tmp_path: Path) -> None:
    made = native.transforms(Drawn.of(1), nerfstudio=False)
    fill(tmp_path / "in", made)
    file = json.loads(made.files["transforms.json"])
    for frame, (name, size) in zip(file["frames"], SIZES.items(), strict=True):
        frame["mask_path"] = f"cut/{name}"
        (tmp_path / "in" / "cut").mkdir(exist_ok=True)
        Image.new("L", size, 3).save(tmp_path / "in" / "cut" / name)
    (tmp_path / "in" / "transforms.json").write_text(json.dumps(file))
    assert import_cameras(tmp_path / "in", tmp_path / "out").masks == 2
    (tmp_path / "in" / "cut" / "tall.png").unlink()
    report = import_cameras(tmp_path / "in", tmp_path / "other")
    assert report.masks == 0 and "1 of 2 images alone" in report.notes[-1]


def fisheye(x: np.ndarray, y: np.ndarray, f: float, cx: float, cy: float, k: list[float]) -> np.ndarray:
    """OpenCV's documentation of `fisheye`: theta (1 + k1 theta^2 + ...) along the direction."""
    r = np.hypot(x, y)
    theta = np.arctan(r)
    bent = theta * (1 + sum(each * theta ** (2 * power + 2) for power, each in enumerate(k)))
    return np.stack([f * bent * x / r + cx, f * bent * y / r + cy], axis=1)


@pytest.mark.parametrize("name", ["nerfstudio", "instant-ngp", "openMVG", "OpenSfM"])
def test_fisheyes_are_opencvs(name: str, tmp_path: Path) -> None:
    drawn = Drawn.of(3)
    rotation, centre = drawn.pose()
    (w, h), f, cx, cy, k = SIZES["wide.png"], 40.0, 31.0, 25.0, [0.05, -0.02, 0.01, 0.003]
    named = dict(zip(("k1", "k2", "k3", "k4"), k, strict=True))
    if name in ("nerfstudio", "instant-ngp"):
        kind = {"camera_model": "OPENCV_FISHEYE"} if name == "nerfstudio" else {"is_fisheye": True}
        matrix = native.opengl_matrix(rotation, centre).tolist()
        frame = {"file_path": "images/wide.png", "transform_matrix": matrix}
        file = {"fl_x": f, "fl_y": f, "cx": cx, "cy": cy, "w": w, "h": h, **kind, **named, "frames": [frame]}
        files = {"transforms.json": json.dumps(file)}
    elif name == "openMVG":
        made = native.openmvg(drawn)
        file = json.loads(made.files["sfm_data.json"].replace("pinhole_brown_t2", "fisheye"))
        file["views"], file["intrinsics"] = file["views"][:1], file["intrinsics"][:1]
        data = file["intrinsics"][0]["value"]["ptr_wrapper"]["data"]
        data |= {"focal_length": f, "principal_point": [cx, cy], "fisheye": k}
        file["extrinsics"][0]["value"] = {"rotation": rotation.tolist(), "center": centre.tolist()}
        files = {"sfm_data.json": json.dumps(file)}
    else:
        camera = {"projection_type": "fisheye_opencv", "width": w, "height": h, "focal": f / w, **named}
        camera |= {"c_x": (cx - w / 2) / w, "c_y": (cy - h / 2) / w}
        vector = native.Rotation.from_matrix(rotation).as_rotvec().tolist()
        shot = {"rotation": vector, "translation": (-rotation @ centre).tolist(), "camera": "c"}
        files = {"reconstruction.json": json.dumps([{"cameras": {"c": camera}, "shots": {"wide.png": shot}}])}
    pixels = {"wide.png": fisheye(*native.down(drawn.points, rotation, centre), f, cx, cy, k)}
    made = Native(files, next(iter(files)), pixels, drawn.points)
    import_cameras(fill(tmp_path / "in", made), tmp_path / "out")
    assert_pixels(tmp_path / "out", made)


@pytest.mark.parametrize("binary", [False, True])
def test_a_model_that_colmap_wrote_comes_with_its_points(binary: bool, tmp_path: Path) -> None:
    drawn, model = Drawn.of(5), pycolmap.Reconstruction()
    pixels = {}
    for number, (image, (w, h)) in enumerate(SIZES.items(), 1):
        rotation, centre = drawn.pose()
        params = [80, 82, w / 2, h / 2, 0.05, -0.02, 0.001, 0.002, 0.01, 0.02, -0.01, 0.003]
        camera = pycolmap.Camera(camera_id=number, model="FULL_OPENCV", width=w, height=h, params=params)
        model.add_camera_with_trivial_rig(camera)
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(rotation), -rotation @ centre)
        pixels[image] = np.array(camera.img_from_cam(pose * drawn.points))
        made = pycolmap.Image(name=image, keypoints=pixels[image], camera_id=number, image_id=number)
        model.add_image_with_trivial_frame(made, pose)
    for number, point in enumerate(drawn.points):
        track = pycolmap.Track([pycolmap.TrackElement(image, number) for image in (1, 2)])
        model.add_point3D(point, track, np.array([1, 2, 3], np.uint8))
    place = tmp_path / "in" / "sparse" / "0"
    place.mkdir(parents=True)
    (model.write_binary if binary else model.write_text)(place)
    made = Native({}, "", pixels, drawn.points)
    fill(tmp_path / "in", made)
    for number, file in enumerate((tmp_path / "in", place, place / f"cameras.{'bin' if binary else 'txt'}")):
        out = tmp_path / f"out{number}"
        report = import_cameras(file, out, images=tmp_path / "in" / "images")
        assert_pixels(out, made)
        assert report.tie_points is not None and report.tie_points.most < 1e-6
        assert report.tie_points.pixels == 2 * native.POINTS == 2 * len(Capture.read(out).model.points)
        assert len(pycolmap.Reconstruction(out / "sparse").points3D) == native.POINTS


def test_k4_of_a_model_that_may_be_realityscans_is_doubted(tmp_path: Path) -> None:
    cameras = "1 FULL_OPENCV 64 48 80 80 32 24 0.1 0 0 0 0 0.05 0 0\n"
    images = "1 1 0 0 0 0 0 0 1 wide.png\n\n"
    files = {"cameras.txt": cameras, "images.txt": images, "points3D.txt": ""}
    fill(tmp_path / "in", Native(files, "", {}, np.zeros((0, 3))))
    assert "it may mean r^8" in import_cameras(tmp_path / "in", tmp_path / "out").warnings[0]


def test_raw_cameras_of_polycam_are_taken_where_there_are_no_corrected_ones(tmp_path: Path) -> None:
    made = native.polycam(Drawn.of(1))
    for folder in ("cameras", "corrected_cameras"):
        files = {name.replace("corrected_cameras", folder): text for name, text in made.files.items()}
        fill(tmp_path / folder, Native(files, "", made.pixels, made.points))
        place = tmp_path / folder / "keyframes" / folder.replace("cameras", "images")
        (tmp_path / folder / "images").rename(place)
        report = import_cameras(tmp_path / folder, tmp_path / f"out_{folder}")
        assert_pixels(tmp_path / f"out_{folder}", made)
        assert report.generation == ("raw cameras" if folder == "cameras" else "corrected cameras")
        one = next((tmp_path / folder / "keyframes" / folder).iterdir())
        assert import_cameras(one, tmp_path / f"one_{folder}").taken == report.taken


BLENDER = """
import json, math, sys
import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler, Vector
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 200, 120, 50
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[2] + "/scene.blend")
cases, points = [], [(0.1, 0.05, -0.1), (-0.1, 0.1, 0.1), (0.0, -0.1, 0.05)]
for fit in ("AUTO", "HORIZONTAL", "VERTICAL"):
    for size in ((200, 120), (120, 200)):
        for aspect in ((1.0, 1.0), (2.0, 1.0), (1.0, 1.5)):
            scene.render.resolution_x, scene.render.resolution_y = size
            scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = aspect
            data = bpy.data.cameras.new("c")
            data.lens, data.sensor_fit, data.sensor_width, data.sensor_height = 41.0, fit, 30.0, 20.0
            data.shift_x, data.shift_y = 0.07, -0.04
            camera = bpy.data.objects.new("shot", data)
            scene.collection.objects.link(camera)
            camera.location, camera.rotation_euler, camera.scale = (0.5, -1.2, 0.3), Euler((1.3, 0.1, 0.4)), (2, 2, 2)
            bpy.context.view_layer.update()
            seen = [world_to_camera_view(scene, camera, Vector(point)) for point in points]
            exec(sys.argv[1])
            with open(bpy.path.abspath("//cameras.json")) as read:
                whole = json.load(read)
            bpy.data.objects.remove(camera)
            pixels = [[x * size[0] / 2, (1 - y) * size[1] / 2] for x, y, _ in seen]
            cases.append({"file": whole, "points": [list(Vector(point)) for point in points], "pixels": pixels})
with open(sys.argv[2] + "/cases.json", "w") as written:
    json.dump(cases, written)
"""


@pytest.mark.slow
def test_cameras_of_blender_see_what_blender_says(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    (script,) = re.findall(
        r"^```\n(import json\n\nimport bpy\n.*?)^```", (REPO / "docs/pipelines.md").read_text(), re.M | re.S
    )
    done = subprocess.run([sys.executable, "-c", BLENDER, script, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cases = json.loads((tmp_path / "cases.json").read_text())
    assert len(cases) == 18
    for number, case in enumerate(cases):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "cameras.json").write_text(json.dumps(case["file"]))
        size = (case["file"]["resolution_x"] // 2, case["file"]["resolution_y"] // 2)
        Image.new("RGB", size).save(place / "shot.png")
        import_cameras(place, place / "out")
        (camera,) = Capture.read(place / "out").cameras
        pixels, _ = camera.project(case["points"])
        assert np.abs(pixels - case["pixels"]).max() < 2e-4, case["file"]  # Blender computes in single precision


def test_disabled_cameras_and_other_components_are_left_out_and_told(tmp_path: Path) -> None:
    made = native.metashape(Drawn.of(1), exact=True)
    for change, told in (
        (('label="tall"', 'label="tall" enabled="0"'), "1 disabled"),
        (('component_id="0" label="tall"', 'component_id="4" label="tall"'), "1 aligned in other components"),
    ):
        text = made.files["cameras.xml"].replace(*change)
        place = tmp_path / told.split()[1]
        report = import_cameras(fill(place, Native({"c.xml": text}, "c.xml", made.pixels, made.points)), place / "out")
        assert report.taken == ["wide.png"] and told in report.notes[0] and "tall.png" in report.unaligned


def test_sidecars_of_a_folder_without_a_pose_are_not_aligned(tmp_path: Path) -> None:
    made = native.reality_capture_xmp(Drawn.of(1))
    text = re.sub(r'xcr:(Rotation|Position)="[^"]*"', "", made.files["images/tall.xmp"])
    fill(tmp_path / "in", Native(dict(made.files) | {"images/tall.xmp": text}, "", made.pixels, made.points))
    (tmp_path / "in" / "images" / "lost.xmp").write_text(
        '<x xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"/>'
    )
    report = import_cameras(tmp_path / "in", tmp_path / "out")
    assert report.taken == ["wide.png"] and report.unaligned == ["tall.png", "lost.png"]


@pytest.mark.parametrize(("columns", "warned"), [("k1", True), ("k1 k2", False), ("", False)])
def test_a_csv_that_may_be_of_the_division_model_is_doubted(columns: str, warned: bool, tmp_path: Path) -> None:
    values = ",".join("0.1" if name in columns.split() else "0" for name in ("k1", "k2", "k3", "k4", "t1", "t2"))
    text = f"#{native.RC_OLD}\nwide.png,0,0,1,0,0,0,36,0,0,{values}\n"
    fill(tmp_path / "in", Native({"cameras.csv": text}, "", {}, np.zeros((0, 3))))
    code, told = p2p_here("import", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 0 and ("where that is division, it is wrong" in told) == warned


def test_columns_of_distortion_may_be_absent_and_that_is_told(tmp_path: Path) -> None:
    text = "#name,x,y,alt,heading,pitch,roll,f,px,py\nwide.png,0,0,1,0,0,0,36,0,0\n"
    fill(tmp_path / "in", Native({"cameras.csv": text}, "", {}, np.zeros((0, 3))))
    report = import_cameras(tmp_path / "in", tmp_path / "out")
    assert report.lenses == {"SIMPLE_PINHOLE": 1} and "k1, k2, k3, k4, t1, t2: taken as 0" in report.notes[0]
