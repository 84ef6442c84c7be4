"""Files that can't be taken exactly, or are damaged: one line that names the reason, and nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import p2p_here
from tests.scans.imports import native
from tests.scans.imports.native import Drawn, Native
from tests.scans.imports.test_conventions import fill

Change = Callable[[str], str]


def json_with(change: Callable[[dict], object]) -> Change:
    def made(text: str) -> str:
        found = json.loads(text)
        change(found)
        return json.dumps(found)

    return made


def replaced(old: str, new: str, count: int = -1) -> Change:
    def made(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return made


METASHAPE = "Metashape"
MAKERS: dict[str, Callable[[Drawn], Native]] = {
    METASHAPE: lambda drawn: native.metashape(drawn, exact=True),
    "CSV": lambda drawn: native.reality_capture_csv(drawn, native.RC_OLD),
    "XMP": native.reality_capture_xmp,
    "omega": native.reality_capture_omega,
    "transforms": lambda drawn: native.transforms(drawn, nerfstudio=True),
    "Meshroom": lambda drawn: native.meshroom(drawn, "1.2.12"),
    "openMVG": native.openmvg,
    "OpenSfM": native.opensfm,
    "Bundler": native.bundler,
    "Polycam": native.polycam,
    "Record3D": lambda drawn: native.record3d(drawn, each=True),
}
_SENSOR = '<sensor id="0" type="frame">'
# A name, the format, what happens to its file, and what the line says.
REFUSED: dict[str, tuple[str, Change, str]] = {
    "rolling shutter": (
        METASHAPE,
        replaced(_SENSOR, f"{_SENSOR}<rolling_shutter>full</rolling_shutter>"),
        "rolling shutter",
    ),
    "rolling property": (
        METASHAPE,
        replaced(_SENSOR, f'{_SENSOR}<property name="rolling_shutter" value="true"/>'),
        "rolling shutter",
    ),
    "second layer": (
        METASHAPE,
        replaced(_SENSOR, f'{_SENSOR}<property name="layer_index" value="1"/>'),
        "multi-camera rig",
    ),
    "rig": (METASHAPE, replaced(_SENSOR, '<sensor id="0" master_id="1" type="frame">'), "multi-camera rig"),
    "multispectral": (METASHAPE, replaced(_SENSOR, '<sensor id="0" layer_index="2" type="frame">'), "multi-camera rig"),
    "slave": (METASHAPE, replaced(_SENSOR, f"{_SENSOR}<location>0 0 0.1</location>"), "location in a multi-camera rig"),
    "fisheye": (METASHAPE, replaced(_SENSOR, '<sensor id="0" type="fisheye">'), "fisheye camera"),
    "spherical": (
        METASHAPE,
        replaced('type="frame" class="adjusted"', 'type="spherical" class="adjusted"'),
        "spherical camera",
    ),
    "p3": (METASHAPE, replaced("<p1>", "<p3>0.1</p3><p1>"), "p3 = 0.1"),
    "unknown parameter": (METASHAPE, replaced("<p1>", "<k9>0.1</k9><p1>"), "k9 = 0.1"),
    "no calibration": (METASHAPE, lambda text: re.sub("<calibration.*?</calibration>", "", text), "no calibration"),
    "no cameras": (METASHAPE, lambda text: re.sub("<camera .*</camera>", "", text), "has no cameras"),
    "not aligned": (
        METASHAPE,
        lambda text: re.sub("<transform>[^<]*</transform>", "", text),
        "none of its 2 images is aligned",
    ),
    "two chunks": (
        METASHAPE,
        lambda text: re.sub("(<chunk>.*</chunk>)", r"\1\1", text, flags=re.S),
        "2 chunks have cameras",
    ),
    "cut XML": (METASHAPE, lambda text: text[:-20], "not valid XML"),
    "pose of 15": (METASHAPE, lambda text: re.sub(r"(<camera .*?<transform>)\S+ ", r"\1", text, count=1), "damaged"),
    "no rotation": (
        METASHAPE,
        lambda text: re.sub(r"(<camera .*?<transform>)\S+ ", r"\g<1>3.0 ", text, count=1),
        "no rotation",
    ),
    "sensor gone": (METASHAPE, replaced('sensor_id="0"', 'sensor_id="7"'), "7 is missing"),
    "decimal commas": ("CSV", lambda text: re.sub(r"(\d)\.(\d)", r"\1,\2", text), "points as decimal separators"),
    "no column": ("CSV", replaced("heading", "course"), "no column heading"),
    "no rows": ("CSV", lambda text: text.splitlines()[0], "no cameras"),
    "a word": ("CSV", lambda text: re.sub("wide.png,[^,]*", "wide.png,abc", text), "damaged"),
    "poses alone": ("omega", lambda text: text, "no XMP sidecar has its lens"),
    "no focal length": ("transforms", json_with(lambda file: file["frames"][0].pop("fl_x")), "no focal length"),
    "k4": ("transforms", json_with(lambda file: file.update(k4=0.1)), "k4 means one thing"),
    "panorama": ("transforms", json_with(lambda file: file.update(camera_model="EQUIRECTANGULAR")), "EQUIRECTANGULAR"),
    "rolling frames": (
        "transforms",
        json_with(lambda file: file.update(rolling_shutter=[0, 0.1, 0])),
        "rolling shutter",
    ),
    "no frames": ("transforms", json_with(lambda file: file.update(frames=[])), "no cameras"),
    "frames are none": ("transforms", json_with(lambda file: file.update(frames=None)), "no cameras of a known kind"),
    "missing image": (
        "transforms",
        json_with(lambda file: file["frames"][1].update(file_path="gone.png")),
        "image is missing: gone.png",
    ),
    "all missing": (
        "transforms",
        json_with(lambda file: [frame.update(file_path="x") for frame in file["frames"]]),
        "no image of its 2 cameras",
    ),
    "cut JSON": ("transforms", lambda text: text[:-5], "not valid JSON"),
    "other size": (
        "transforms",
        json_with(lambda file: file["frames"][0].update(w=640)),
        "has 64 x 48 pixels, its camera 640 x 48",
    ),
    "same image": (
        "transforms",
        json_with(lambda file: file["frames"][1].update(file["frames"][0])),
        "two cameras of the file",
    ),
    "not a number": ("transforms", replaced('"fl_x": ', '"fl_x": NaN, "x": '), "no camera's"),
    "lens": ("Meshroom", replaced('"brown"', '"3deanamorphic4"'), "3deanamorphic4"),
    "fisheye type": ("Meshroom", replaced('"pinhole"', '"equidistant"'), "equidistant"),
    "newer version": ("Meshroom", replaced('"version": ["1", "2"', '"version": ["1", "3"'), "versions up to 1.2"),
    "no sensor": ("Meshroom", replaced('"sensorWidth": "8.0"', '"sensorWidth": "-1"'), "sensorWidth"),
    "Meshroom's rig": (
        "Meshroom",
        json_with(lambda file: file.update(rigs=[{"rigId": "3"}]) or file["views"][0].update(rigId="3")),
        "rig",
    ),
    "unknown type": ("openMVG", replaced("pinhole_brown_t2", "spherical"), "of the type spherical"),
    "no views": ("openMVG", json_with(lambda file: file.update(views=[])), "list of views is empty"),
    "fisheye62": ("OpenSfM", replaced('"brown"', '"fisheye62"'), "fisheye62"),
    "cut Bundler": ("Bundler", lambda text: "\n".join(text.splitlines()[:-1]), "points: damaged"),
    "Bundler 0.4": ("Bundler", replaced("v0.3", "v0.4"), "version 0.3 is read"),
    "lenses per frame": (
        "Record3D",
        json_with(lambda file: file["perFrameIntrinsicCoeffs"].pop()),
        "1 frames have coefficients",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cant_be_taken_exactly_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    maker, change, said = REFUSED[name]
    made = MAKERS[maker](Drawn.of(1))
    files = {file: change(text) if file == made.file else text for file, text in made.files.items()}
    if name == "poses alone":
        files = {made.file: files[made.file]}
    file = fill(tmp_path / "in", Native(files, made.file, made.pixels, made.points))
    refused(tmp_path, said, file)


def refused(folder: Path, said: str, *words: object) -> None:
    code, told = p2p_here("import", *words, "--out", folder / "out")
    assert code == 2 and told.count("\n") == 1 and said in told, told
    assert not [path for path in folder.iterdir() if "out" in path.name]


@pytest.mark.parametrize(
    ("model", "said"),
    [("division", "division model"), ("rationalP2D1", "rationalP2D1 model")],
)
def test_sidecars_of_other_models_are_refused_by_name(model: str, said: str, tmp_path: Path) -> None:
    made = native.reality_capture_xmp(Drawn.of(1))
    files = {name: text.replace("brown4t2", model) for name, text in made.files.items()}
    refused(tmp_path, said, fill(tmp_path / "in", Native(files, "", made.pixels, made.points)))


@pytest.mark.parametrize(("name", "value"), [("Skew", "0.5"), ("AspectRatio", "1.01")])
def test_sidecars_with_skew_or_aspect_are_refused(name: str, value: str, tmp_path: Path) -> None:
    made = native.reality_capture_xmp(Drawn.of(1))
    files = {file: text.replace('xcr:Skew="0"', f'xcr:{name}="{value}"') for file, text in made.files.items()}
    refused(tmp_path, name, fill(tmp_path / "in", Native(files, "", made.pixels, made.points)))


def test_bundler_without_names_of_its_images_is_refused(tmp_path: Path) -> None:
    made = native.bundler(Drawn.of(1))
    file = fill(tmp_path / "in", made)
    (tmp_path / "in" / "list.txt").write_text("wide.png\n")
    refused(tmp_path, "names 1 images, the file has 3 cameras", file)
    (tmp_path / "in" / "list.txt").unlink()
    refused(tmp_path, "put list.txt beside it", file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no cameras of a known kind"),
        ("hello", "known are Metashape"),
        ("NVM_V3\n", "VisualSFM"),
        ("{}", "known kind"),
        ("[1]", "known kind"),
    ],
)
def test_files_of_other_kinds_are_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(content)
    refused(tmp_path, said, tmp_path / "in.txt")


def test_a_folder_with_several_files_of_cameras_is_not_chosen_from(tmp_path: Path) -> None:
    fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    fill(tmp_path / "in", native.reality_capture_csv(Drawn.of(1), native.RC_NEW))
    refused(tmp_path, "cameras.csv, old.xml", tmp_path / "in")
    fill(tmp_path / "in", native.transforms(Drawn.of(1), nerfstudio=True))
    refused(tmp_path, "of several kinds (transforms.json", tmp_path / "in")


def test_images_and_masks_that_are_not_there_are_told(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    refused(tmp_path, "no such file", tmp_path / "nowhere.xml")
    refused(tmp_path, "no such folder of images", file, "--images", tmp_path / "nowhere")
    refused(tmp_path, "no such folder of masks", file, "--masks", tmp_path / "nowhere")
    refused(tmp_path, "no mask for", file, "--masks", tmp_path / "in")
    refused(tmp_path, "--views takes 1 to 2, got 3", file, "--views", 3)
    refused(tmp_path, "--views takes 1 to 2, got 0", file, "--views", 0)


def test_a_damaged_image_or_one_of_another_size_is_told(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    image = tmp_path / "in" / "images" / "wide.png"
    image.write_bytes(b"no image")
    refused(tmp_path, "damaged image", file)
    image.write_bytes((tmp_path / "in" / "images" / "tall.png").read_bytes())
    refused(tmp_path, "has 48 x 64 pixels, its camera 64 x 48", file)


def test_images_of_one_name_in_two_folders_are_not_guessed(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    other = tmp_path / "in" / "images" / "right" / "wide.png"
    other.parent.mkdir()
    other.write_bytes((tmp_path / "in" / "images" / "wide.png").read_bytes())
    refused(tmp_path, "wide.png may be any of 2 images", file)


def test_an_output_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    file = fill(tmp_path / "in", native.photoscan(Drawn.of(1)))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    code, told = p2p_here("import", file, "--out", tmp_path / "out")
    assert code == 2 and "is there already" in told and told.count("\n") == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
