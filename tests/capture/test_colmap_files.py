"""COLMAP models as COLMAP 4 and other tools leave them, against what pycolmap reads of the same files."""

from __future__ import annotations

import json
import logging
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from capture import Camera, InputError, SparseModel, SparsePoints, read_model, write_model
from capture.colmap import quaternion_from_rotation
from tests.helpers import camera, rotation

# Writes a model whose rigs have three cameras at different places, as COLMAP 4 does, and the same at twice the size.
WRITE = """
import sys
import numpy as np
import pycolmap
options = pycolmap.SyntheticDatasetOptions()
options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = 2, 3, 3, 25
options.sensor_from_rig_rotation_stddev = 10.0
options.sensor_from_rig_translation_stddev = 0.3
pycolmap.set_random_seed(0)
model = pycolmap.synthesize_dataset(options)
for size in (1, 2):
    model.write_text(sys.argv[size]); model.write_binary(sys.argv[size])
    model.transform(pycolmap.Sim3d(2, pycolmap.Rotation3d(), np.zeros(3)))
"""
READ = """
import json, sys
import pycolmap
answers = []
for folder in sys.argv[1:]:
    try:
        model = pycolmap.Reconstruction(folder)
    except Exception as error:
        answers.append(str(error))
        continue
    answers.append({image.name: image.cam_from_world().matrix().tolist() for image in model.images.values()})
print(json.dumps(answers))
"""

BASE, RIGS = ("cameras", "images", "points3D"), ("rigs", "frames")


def ask(program: str, *words: Path) -> str:
    """In a process of its own: loading pycolmap's native libraries here could disturb other tests."""
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model that COLMAP wrote, in text and binary, and the same at twice the size."""
    pytest.importorskip("pycolmap")
    folders = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    ask(WRITE, *folders)
    return folders


def pick(target: Path, *parts: tuple[Path, str, tuple[str, ...]]) -> Path:
    """A folder with files of other folders: from where, with which suffix, which tables."""
    target.mkdir()
    for source, suffix, tables in parts:
        for table in tables:
            shutil.copy(source / f"{table}{suffix}", target)
    return target


def poses(model: SparseModel) -> dict[str, np.ndarray]:
    return {view.name: np.column_stack([view.rotation, view.translation]) for view in model.cameras}


def assert_read_as_colmap_does(*folders: Path) -> None:
    for folder, found in zip(folders, json.loads(ask(READ, *folders)), strict=True):
        assert isinstance(found, dict), f"{folder.name}: {found}"
        ours = poses(read_model(folder))
        assert ours.keys() == found.keys()
        for name, pose in found.items():
            np.testing.assert_allclose(ours[name], pose, atol=1e-9, err_msg=f"{folder.name}: {name}")


def test_of_several_files_those_are_read_that_colmap_reads(
    theirs: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = theirs
    mixed = [
        pick(tmp_path / "text with rigs", (one, ".txt", (*BASE, *RIGS))),
        pick(tmp_path / "binary with rigs", (one, ".bin", (*BASE, *RIGS))),
        pick(tmp_path / "text without rigs", (one, ".txt", BASE)),
        pick(tmp_path / "binary wins", (one, ".txt", (*BASE, *RIGS)), (two, ".bin", BASE)),
        pick(tmp_path / "binary without points", (one, ".txt", BASE), (two, ".bin", ("cameras", "images", *RIGS))),
        pick(tmp_path / "one binary table", (one, ".txt", BASE), (two, ".bin", ("cameras",))),
        pick(tmp_path / "rigs of the other format", (one, ".txt", BASE), (two, ".bin", RIGS)),
        pick(tmp_path / "text rigs beside binary", (two, ".bin", BASE), (one, ".txt", RIGS)),
    ]
    assert_read_as_colmap_does(*mixed)
    assert not caplog.records
    stale = [
        pick(tmp_path / "stale text", (one, ".txt", BASE), (two, ".txt", RIGS)),
        pick(tmp_path / "stale binary", (one, ".bin", BASE), (two, ".bin", RIGS)),
    ]
    assert_read_as_colmap_does(*stale)
    assert [("frames are taken" in text, "18 of 18" in text) for text in caplog.messages] == [(True, True)] * 2


def test_rigs_without_frames_count_for_nothing(theirs: tuple[Path, Path], tmp_path: Path) -> None:
    """COLMAP can't read such a folder at all."""
    one, two = theirs
    whole = poses(read_model(pick(tmp_path / "whole", (one, ".txt", BASE))))
    for table in RIGS:
        found = poses(read_model(pick(tmp_path / table, (one, ".txt", BASE), (two, ".txt", (table,)))))
        assert all(np.array_equal(found[name], pose) for name, pose in whole.items())


def test_a_model_without_points_is_read_where_there_is_no_other(theirs: tuple[Path, Path], tmp_path: Path) -> None:
    for suffix in (".bin", ".txt"):
        found = read_model(pick(tmp_path / suffix, (theirs[0], suffix, BASE[:2])))
        assert len(found.cameras) == 18 and len(found.points) == 0


def test_cameras_without_a_known_place_in_their_rig_are_left_out(
    theirs: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pick(tmp_path / "model", (theirs[0], ".txt", (*BASE, *RIGS)))
    path = folder / "rigs.txt"
    lines = path.read_text().splitlines()
    last = lines[-1].split()
    lines[-1] = " ".join([*last[:-8], "0"])  # HAS_POSE of the last camera, and none
    path.write_text("\n".join(lines) + "\n")
    assert len(read_model(folder).cameras) == 15
    assert sum("pose of its camera in the rig is not known" in text for text in caplog.messages) == 3


def image_lines(folder: Path) -> list[str]:
    return [line for line in (folder / "images.txt").read_text().split("\n") if not line.startswith("#")]


def test_empty_lines_and_comments_stand_where_colmap_takes_them(theirs: tuple[Path, Path], tmp_path: Path) -> None:
    first, *rest = image_lines(theirs[0])
    spread = []
    for i in range(0, len(rest) - 1, 2):
        spread += [rest[i], "", "  # of one image", rest[i + 1]]
    texts = {
        "before": ["", "# c", "   ", first, *rest],
        "between": [first, *spread, ""],
        "carriage": [f"{line}\r" for line in (first, *rest)],
        "tabs": ["\t".join(first.split(" ")), *rest],
        "spaces": ["  ".join(first.split(" ")), *(f"  {line} " for line in rest)],
        "behind": [first, *rest, "", "", "# end", ""],
    }
    folders = []
    for name, lines in texts.items():
        folder = pick(tmp_path / name, (theirs[0], ".txt", BASE))
        (folder / "images.txt").write_text("\n".join(lines))
        for table in ("cameras", "points3D"):
            path = folder / f"{table}.txt"
            path.write_text("\n\n  # c\n".join(path.read_text().split("\n")))
        folders.append(folder)
    assert_read_as_colmap_does(*folders)
    points = read_model(folders[0]).points
    assert len(points) == 25 and all(len(track) > 1 for track in points.tracks)


def test_the_last_image_may_lack_its_line_of_observations(tmp_path: Path) -> None:
    """COLMAP loses such an image without a word."""
    write_model(tmp_path, SparseModel(tuple(view(name) for name in ("a.png", "b.png"))))
    path = tmp_path / "images.txt"
    path.write_text(path.read_text().rstrip("\n"))
    assert [found.name for found in read_model(tmp_path).cameras] == ["a.png", "b.png"]


def view(name: str, seed: int = 0, model: str = "PINHOLE") -> Camera:
    like = camera(seed, model)
    return Camera(name, 640, 480, model, like.params, like.rotation, like.translation)


@pytest.mark.parametrize("name", ["my view (1).png", "Gesicht-ä.png", "a\u2028b.png", "cam\udce4.png", "a/b c.jpg"])
@pytest.mark.parametrize("binary", [False, True])
def test_names_are_those_of_files(tmp_path: Path, name: str, binary: bool) -> None:
    """With white space, and in whatever encoding: COLMAP's reader of text cuts a name at its first space."""
    write_model(tmp_path, SparseModel((view(name),)), binary=binary)
    assert read_model(tmp_path).cameras[0].name == name


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    write_model(tmp_path, SparseModel((view("a.png"),)))
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().split(b"\n", 1)[1])
    assert read_model(tmp_path).cameras[0].name == "a.png"


def test_whole_numbers_may_be_written_as_decimals(tmp_path: Path) -> None:
    write_model(tmp_path, SparseModel((view("a.png"),)))
    path = tmp_path / "cameras.txt"
    path.write_text(path.read_text().replace("640 480", "640.0 480.00"))
    assert (read_model(tmp_path).cameras[0].width, read_model(tmp_path).cameras[0].height) == (640, 480)
    path.write_text(path.read_text().replace("640.0", "640.5"))
    with pytest.raises(InputError, match=r"640\.5 is no whole number"):
        read_model(tmp_path)


def test_cameras_that_no_image_uses_are_passed_over(tmp_path: Path) -> None:
    for binary, more in ((False, b"9 PERISCOPE 0 -5 nan\n"), (True, struct.pack("<IiQQ8d", 9, 5, 0, 0, *[np.nan] * 8))):
        folder = tmp_path / str(binary)
        write_model(folder, SparseModel((view("a.png"),)), binary=binary)
        path = folder / ("cameras.bin" if binary else "cameras.txt")
        data = path.read_bytes()
        path.write_bytes(struct.pack("<Q", 2) + data[8:] + more if binary else data + more)
        assert [found.model for found in read_model(folder).cameras] == ["PINHOLE"]


def test_a_lens_model_that_is_not_known_is_named(tmp_path: Path) -> None:
    write_model(tmp_path / "t", SparseModel((view("a.png"),)))
    path = tmp_path / "t" / "cameras.txt"
    path.write_text(path.read_text().replace("PINHOLE", "PERISCOPE"))
    with pytest.raises(InputError, match=r"camera of a\.png: model PERISCOPE is not supported"):
        read_model(tmp_path / "t")
    write_model(tmp_path / "b", SparseModel((view("a.png"),)), binary=True)
    path = tmp_path / "b" / "cameras.bin"
    path.write_bytes(path.read_bytes()[:12] + struct.pack("<i", 99) + path.read_bytes()[16:])
    with pytest.raises(InputError, match=r"cameras\.bin: camera 1 has lens model number 99"):
        read_model(tmp_path / "b")


def set_quaternion(folder: Path, quaternion: list[float], binary: bool) -> None:
    path = folder / ("images.bin" if binary else "images.txt")
    if binary:
        data = path.read_bytes()
        path.write_bytes(data[:12] + struct.pack("<4d", *quaternion) + data[44:])
    else:
        comment, first, *rest = path.read_text().split("\n")
        fields = first.split(" ")
        path.write_text("\n".join([comment, " ".join([fields[0], *map(str, quaternion), *fields[5:]]), *rest]))


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("length", [1e-3, 0.97, 1.0001, 3.5])
def test_quaternions_are_normalised(tmp_path: Path, binary: bool, length: float) -> None:
    """COLMAP takes them as they are, and its rotations scale the world then."""
    r = rotation(5)
    write_model(tmp_path, SparseModel((view("a.png"), view("b.png"))), binary=binary)
    set_quaternion(tmp_path, (length * quaternion_from_rotation(r)).tolist(), binary)
    np.testing.assert_allclose(read_model(tmp_path).cameras[0].rotation, r, atol=1e-12)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_what_is_no_quaternion_is_named(tmp_path: Path, binary: bool, value: float) -> None:
    write_model(tmp_path, SparseModel((view("a.png"), view("b.png"))), binary=binary)
    set_quaternion(tmp_path, [value] * 4, binary)
    with pytest.raises(InputError, match=r"the pose of a\.png is zero or not finite") as error:
        read_model(tmp_path)
    assert "\n" not in str(error.value)


def test_tracks_of_images_that_were_taken_out_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As where someone deletes the lines of an image, or the observations: COLMAP reads such files no more."""
    views = tuple(view(f"{i}.png", i) for i in range(3))
    tracks = tuple(np.array(track) for track in ([0, 1], [1, 2], [0, 2], [0]))
    pixels = tuple(np.arange(2.0 * len(track)).reshape(-1, 2) + 10 * i for i, track in enumerate(tracks))
    positions = np.arange(12.0).reshape(4, 3)
    write_model(tmp_path, SparseModel(views, SparsePoints(positions, np.zeros((4, 3), np.uint8), tracks, pixels)))
    path = tmp_path / "images.txt"
    comment, *lines = path.read_text().split("\n")
    path.write_text("\n".join([comment, *lines[2:]]))
    found = read_model(tmp_path)
    assert [item.name for item in found.cameras] == ["1.png", "2.png"]
    np.testing.assert_array_equal(found.points.positions, positions[:3])
    assert [track.tolist() for track in found.points.tracks] == [[0], [0, 1], [1]]
    np.testing.assert_array_equal(found.points.pixels[1], pixels[1])
    assert "name 3 observations" in caplog.text and "1 points that nothing else sees" in caplog.text
    path.write_text("\n".join([comment, *(line if i % 2 == 0 else "" for i, line in enumerate(lines))]))
    assert len(read_model(tmp_path).points) == 0


def test_the_largest_of_several_models_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, count, binary in (("0", 2, True), ("1", 5, False), ("2", 5, True), ("10", 1, True), (".3", 9, True)):
        write_model(tmp_path / name, SparseModel(tuple(view(f"{i}.png") for i in range(count))), binary=binary)
    (tmp_path / "4").mkdir()
    (tmp_path / "5").touch()
    caplog.set_level(logging.INFO)
    for _ in range(2):
        assert len(read_model(tmp_path).cameras) == 5
    assert [text.partition(": ")[2] for text in caplog.messages] == [
        "4 models; 1 is taken, with 5 images (0 has 2, 2 has 5, 10 has 1)"
    ]


@pytest.mark.parametrize("name", ["aligned", "00", "geo-registered"])
def test_a_model_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    write_model(tmp_path / name, SparseModel((view("a.png"),)), binary=True)
    assert len(read_model(tmp_path).cameras) == 1 and not caplog.records


def test_a_damaged_model_is_no_reason_to_refuse_another(tmp_path: Path) -> None:
    for name in ("0", "1"):
        write_model(tmp_path / name, SparseModel((view("a.png"),)), binary=True)
    (tmp_path / "0" / "images.bin").write_bytes(b"")
    assert len(read_model(tmp_path).cameras) == 1


def test_the_model_in_the_folder_itself_comes_before_those_below(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path / "0", SparseModel(tuple(view(f"{i}.png") for i in range(3))))
    write_model(tmp_path, SparseModel((view("a.png"),)))
    assert [found.name for found in read_model(tmp_path).cameras] == ["a.png"]
    assert "with 1 images; of those below it 0 has 3" in caplog.text


@pytest.mark.parametrize("binary", [False, True])
def test_what_we_write_is_what_colmap_reads_there(
    theirs: tuple[Path, Path], tmp_path: Path, binary: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Over whatever model was there; its files are moved aside, not removed."""
    one, two = theirs
    model = read_model(one)
    folders = []
    for name, suffixes in (("text", [".txt"]), ("binary", [".bin"]), ("both", [".txt", ".bin"])):
        folder = pick(tmp_path / name, *((two, suffix, (*BASE, *RIGS)) for suffix in suffixes))
        write_model(folder, model, binary=binary)
        folders.append(folder)
        old = {path.name: path.read_bytes() for path in (folder / "replaced").iterdir()}
        assert {"rigs", "frames"} <= {Path(file).stem for file in old}
        assert all((two / file).read_bytes() == data for file, data in old.items())
        assert f"{folder}: " in caplog.text and "moved to replaced" in caplog.text
    assert_read_as_colmap_does(*folders)
    for folder in folders:
        ours, wanted = poses(read_model(folder)), poses(model)
        assert all(np.allclose(ours[name], pose, atol=1e-12) for name, pose in wanted.items())
    caplog.clear()
    write_model(folders[0], model, binary=binary)  # nothing of others is left
    assert not caplog.records
    write_model(folders[0], model, binary=not binary)
    assert len(list((folders[0] / "replaced_2").iterdir())) == 3
