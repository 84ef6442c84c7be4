"""Importing as a whole: what is taken, found and written, and the account that is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture import Capture, InputError
from scans.imports import import_cameras
from scans.imports.image_files import ImageFiles
from scans.imports.table import recognise
from scans.scale import CaptureScale
from tests.extras import p2p_with
from tests.helpers import p2p_here
from tests.scans.imports import native
from tests.scans.imports.native import SIZES, Drawn, assert_pixels
from tests.scans.imports.test_conventions import fill


def test_images_outside_the_folder_of_the_file_keep_their_folders(tmp_path: Path) -> None:
    made = native.transforms(Drawn.of(1), nerfstudio=False)
    fill(tmp_path / "shots", made)
    for name in SIZES:
        (tmp_path / "shots" / "images" / name).rename(tmp_path / "shots" / name)
    (tmp_path / "shots" / "a").mkdir()
    (tmp_path / "shots" / "tall.png").rename(tmp_path / "shots" / "a" / "tall.png")
    text = made.files["transforms.json"].replace("./images/wide", "../shots/wide").replace("./images/", "../shots/a/")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "transforms.json").write_text(text)
    assert import_cameras(tmp_path / "model", tmp_path / "out").taken == ["a/tall.png", "wide.png"]
    assert_pixels(tmp_path / "out", made)


def test_cameras_without_image_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    made = native.photoscan(Drawn.of(1))
    file = fill(tmp_path / "in", made)
    (tmp_path / "in" / "images" / "tall.png").unlink()
    with pytest.raises(InputError, match=r"image is missing: tall\.png, of 2 below"):
        import_cameras(file, tmp_path / "out")
    report = import_cameras(file, tmp_path / "out", skip_missing=True)
    assert report.missing == ["tall.png"] and report.taken == ["wide.png"]


def test_chosen_views_are_fewer_and_their_points_stay(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.bundler(Drawn.of(1)))
    code, told = p2p_here("import", file, "--views", 1, "--out", tmp_path / "out")
    capture = Capture.read(tmp_path / "out")
    assert code == 0 and "1 camera of 2, spread around" in told
    assert len(capture.cameras) == 1 and len(capture.model.points) == native.POINTS
    assert len(list((tmp_path / "out" / "images").iterdir())) == 1


def test_a_scale_comes_along_with_the_cameras_that_it_is_of(tmp_path: Path) -> None:
    """A capture's own: a file of another tool beside it may have any unit."""
    scale = CaptureScale(0.0217, 0.0, stated=True)
    file = fill(tmp_path / "in", native.bundler(Drawn.of(1)))
    scale.write(file.parent)
    assert p2p_here("import", file, "--out", tmp_path / "out")[0] == 0
    assert CaptureScale.read(tmp_path / "out") is None
    scale.write(tmp_path / "out")
    assert p2p_here("import", tmp_path / "out", "--views", 1, "--out", tmp_path / "again")[0] == 0
    assert CaptureScale.read(tmp_path / "again") == scale


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("8811", "8811.jpg"), ("8811.jpg", "8811.jpg"), ("8811.jpg", "8811.png"), ("b", None),
        ("101_0367.0001", "101_0367.0001.JPG"),
        (r"D:\shots\right\a.png", "right/a.png"), ("/x/RIGHT/A.png", "right/a.png"), ("left/a", "left/a.png"),
        ("../x/left/./a.png", "left/a.png"), ("", None), ("a.b", None), ("raw", "raw.jpg"),
    ],
)  # fmt: skip
def test_images_are_found_by_what_files_call_them(name: str, file: str | None, tmp_path: Path) -> None:
    there = [file] if file else ["right/a.png"]
    for path in (*there, "left/a.png", "right/a.png", "raw.dng", "raw.jpg", "b.txt", ".a.b.png"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    found = ImageFiles(tmp_path).find(name)
    assert found == (None if file is None else tmp_path / file)


def test_a_format_is_known_by_its_content(tmp_path: Path) -> None:
    makers = {"Meshroom": native.meshroom(Drawn.of(1), "1.2.12"), "openMVG": native.openmvg(Drawn.of(1))}
    makers |= {"Bundler": native.bundler(Drawn.of(1)), "OpenSfM": native.opensfm(Drawn.of(1))}
    makers |= {
        "Metashape or PhotoScan XML": native.photoscan(Drawn.of(1)),
        "Record3D": native.record3d(Drawn.of(1), each=False),
    }
    for name, made in makers.items():
        path = tmp_path / "any.dat"
        path.write_text(made.files[made.file])
        assert recognise(path)[1].name == name


def test_what_was_begun_is_removed_where_an_image_is_damaged(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.metashape(Drawn.of(1), exact=False))
    image = tmp_path / "in" / "images" / "wide.png"
    image.write_bytes(image.read_bytes()[:-40])
    code, told = p2p_here("import", file, "--out", tmp_path / "out")
    assert code == 2 and told.count("\n") == 1 and "damaged image" in told
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_images_of_an_earlier_import_are_no_images_of_the_file(tmp_path: Path) -> None:
    file = fill(tmp_path, native.photoscan(Drawn.of(1)))
    for name in SIZES:
        (tmp_path / "images" / name).rename(tmp_path / name)
    (tmp_path / "images" / "lost.png").unlink()
    (tmp_path / "images").rmdir()
    first = import_cameras(file, tmp_path / "first")
    second = import_cameras(file, tmp_path / "second")
    assert first.taken == second.taken and first.unaligned == second.unaligned == []


def test_importing_and_resampling_need_the_base_requirements_alone(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.metashape(Drawn.of(1), exact=False))
    done = p2p_with(None, {"import": ("import", file, "--out", tmp_path / "out")}, tmp_path)["import"]
    assert done.code == 0 and "2 images" in done.said, done.said


def test_progress_counts_the_images(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    file = fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    import_cameras(file, tmp_path / "out", progress=lambda *step: told.append(step))
    assert told == [("images", 1, 2), ("images", 2, 2)]
