"""Real renders, tiny: through the bpy wheel in fresh processes, and through the blender binary."""

from __future__ import annotations

import dataclasses
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import trimesh

from assets.makehuman.model import load_default_model
from capture import Capture, HeadSurface, Labels, PixelClass
from generator.head import build_head
from generator.image_files.exr import encode_exr
from generator.jobs.arguments import parse_job
from generator.jobs.files import write_job
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from tests.generator.blenders import (
    ANY_START,
    NO_BLENDER,
    SCRIPT,
    WHEELS,
    Outcome,
    Start,
    blender_run,
    bpy_run,
    needs_blender,
    needs_bpy,
    several,
)
from tests.generator.read_exr import read_exr
from tests.generator.toy_model import override

SETTINGS = ("--resolution", "80", "--samples", "1", "--passes", "depth,normals,albedo,uv")

pytestmark = pytest.mark.slow


def read_grey(path: Path) -> np.ndarray:
    """(H, W) uint8 of an 8-bit single-channel PNG, with an independent small reader."""
    data, position, chunks = path.read_bytes(), 8, []
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            chunks.append(body)
        assert kind in (b"IHDR", b"IDAT", b"IEND"), f"metadata {kind!r}"
        position += 12 + length
    assert (depth, colour) == (8, 0)
    rows = np.frombuffer(zlib.decompress(b"".join(chunks)), np.uint8).reshape(height, width + 1)
    image, above = np.zeros((height, width), np.uint8), np.zeros(width, np.int64)
    for y, (kind_, *raw) in enumerate(rows.tolist()):
        line = np.zeros(width, np.int64)
        for x, value in enumerate(raw):
            left, up = (line[x - 1] if x else 0), above[x]
            corner = above[x - 1] if x else 0
            guess = left + up - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[x] = (value + (0, left, up, (left + up) // 2, nearest)[kind_]) % 256
        image[y], above = line, line
    return image


@pytest.fixture(scope="module", params=WHEELS)
def start(request: pytest.FixtureRequest) -> Start:
    """What starts a Blender."""
    found: Start = request.param
    return found


@pytest.fixture(scope="module")
def folder(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One capture made with it."""
    target = tmp_path_factory.mktemp("bpy") / "head_00000003"
    done = start("--seed", "3", "--out", str(target), *SETTINGS, "--hair", "crop", "--beard", "short")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "p2p-progress head_00000003 view 13/13" in done.stdout
    return target


def test_capture_is_complete(folder: Path) -> None:
    capture = Capture.read(folder)
    assert len(capture.cameras) == 13
    assert capture.info.seed == 3 and capture.info.versions["blender"] >= "4.5"
    assert capture.info.versions["hair_nodes"] == "bundled"
    assert HeadSpec.from_json(dict(capture.info.spec or {})).seed == 3
    surface = HeadSurface.read(capture.head_path)
    assert surface.face_mask is not None and surface.face_mask.any()
    assert surface.part("eyes").any() and surface.part("teeth").any()


def test_masks_hold_class_ids_and_nothing_else(folder: Path) -> None:
    capture = Capture.read(folder)
    front = read_grey(capture.mask_paths[3])
    seen = {PixelClass(value) for path in capture.mask_paths for value in np.unique(read_grey(path))}
    assert {
        PixelClass.BACKGROUND,
        PixelClass.SKIN,
        PixelClass.EYES,
        PixelClass.BROWS,
        PixelClass.SCALP_HAIR,
        PixelClass.FACIAL_HAIR,
        PixelClass.GARMENT,
    } <= seen
    assert front[:4, :4].max() == PixelClass.BACKGROUND
    assert (front == PixelClass.SKIN).mean() > 0.1


def skin_hits(capture: Capture, view: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, HeadSurface]:
    """Skin pixels of a mask (H, W); the depth (N,) and face (N,) that rays through it hit in head.ply; head.ply."""
    rays = pytest.importorskip("trimesh.ray.ray_pyembree", reason="embreex is not installed")
    surface, camera = HeadSurface.read(capture.head_path), capture.cameras[view]
    mask = read_grey(capture.mask_paths[view]) == PixelClass.SKIN
    rows, columns = np.nonzero(mask)
    towards = camera.unproject(np.stack([columns, rows], axis=1) + 0.5, 1.0) - camera.centre
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    places, which, faces = rays.RayMeshIntersector(mesh).intersects_location(
        np.repeat(camera.centre[None], len(rows), axis=0), towards, multiple_hits=False
    )
    depth, face = np.full(len(rows), np.nan), np.zeros(len(rows), int)
    depth[which], face[which] = camera.project(places)[1], faces
    return mask, depth, face, surface


@pytest.mark.parametrize("view", [3, 5, 8])
def test_depth_and_normals_are_those_of_the_written_surface(folder: Path, view: int) -> None:
    """Rays cast at head.ply by another program hit at the depth and with the normal that the passes say."""
    capture = Capture.read(folder)
    mask, depth, face, surface = skin_hits(capture, view)
    name = capture.cameras[view].name.replace("png", "exr")
    layers = read_exr(folder / "passes" / "depth" / name)
    rendered = layers["Z"]
    np.testing.assert_array_equal(layers["Y"], rendered)
    assert np.isfinite(depth).mean() > 0.99
    error = np.abs(rendered[mask] - depth)[np.isfinite(depth)]
    assert np.median(error) < 1e-5 and np.quantile(error, 0.995) < 0.0005
    assert np.isinf(rendered[read_grey(capture.mask_paths[view]) == PixelClass.BACKGROUND]).all()
    channels = read_exr(folder / "passes" / "normals" / name)
    normals = np.stack([channels[axis] for axis in "RGB"], axis=-1)[mask]
    corners = surface.vertices[surface.faces[face]].astype(float)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    assert np.median((normals * flat).sum(axis=1)) > 0.999 and ((normals * flat).sum(axis=1) > 0.9).mean() > 0.97


def test_albedo_and_texture_coordinates(folder: Path) -> None:
    mask = read_grey(Capture.read(folder).mask_paths[3])
    uv, albedo = (read_exr(folder / "passes" / name / "view_03.exr") for name in ("uv", "albedo"))
    known = uv["B"] == 1
    assert set(np.unique(uv["B"])) == {0, 1} and known[np.isin(mask, [PixelClass.SKIN, PixelClass.EYES])].all()
    assert not known[np.isin(mask, [PixelClass.BACKGROUND, PixelClass.SCALP_HAIR, PixelClass.BROWS])].any()
    for axis in "RG":
        assert ((uv[axis] >= 0) & (uv[axis] <= 1))[known].all() and (uv[axis] == -1)[~known].all()
    red, blue = albedo["R"], albedo["B"]
    assert (red[mask == PixelClass.BACKGROUND] == 0).all() and red.max() <= 1
    skin = mask == PixelClass.SKIN
    assert 0.03 < np.median(red[skin]) < 0.9 and (red > blue)[skin].mean() > 0.99
    assert (red[mask == PixelClass.SCALP_HAIR] > 0).all()


def test_texture_coordinates_are_those_of_the_model(folder: Path) -> None:
    capture = Capture.read(folder)
    mask, depth, face, surface = skin_hits(capture, 3)
    spec = HeadSpec.from_json(dict(capture.info.spec or {}))
    skin = build_head(load_default_model(), spec.shape).skin
    chosen = np.isfinite(depth) & (face < len(skin.triangles))
    rows, columns = np.argwhere(mask)[chosen].T
    places = capture.cameras[3].unproject(np.stack([columns, rows], axis=1) + 0.5, depth[chosen])
    corners = surface.vertices[surface.faces[face[chosen]]].astype(float)
    weights = trimesh.triangles.points_to_barycentric(corners, places)
    expected = (skin.corner_uvs[face[chosen]] * weights[..., None]).sum(axis=1)
    uv = read_exr(folder / "passes" / "uv" / "view_03.exr")
    seen = np.stack([uv["R"], uv["G"]], axis=-1)[rows, columns]
    assert np.quantile(np.abs(seen - expected).max(axis=1), 0.98) < 1e-4


def test_the_head_fills_the_frames(folder: Path) -> None:
    for path in Capture.read(folder).mask_paths:
        mask = read_grey(path)
        head = ~np.isin(mask, [PixelClass.BACKGROUND, PixelClass.GARMENT])
        rows, columns = np.flatnonzero(head.any(axis=1)), np.flatnonzero(head.any(axis=0))
        assert np.ptp(rows) > 0.7 * len(mask), path.name
        assert columns[0] > 0 and columns[-1] < len(mask) - 1 and rows[0] > 0, f"{path.name}: cut off"


def test_projected_surface_lands_on_the_mask(folder: Path) -> None:
    """Our cameras, our surface, Blender's picture: nearly every skin vertex in front of the head hits the head."""
    capture = Capture.read(folder)
    surface = HeadSurface.read(capture.head_path)
    chosen = surface.vertices[surface.face_mask]
    for camera, path in zip(capture.cameras, capture.mask_paths, strict=True):
        pixels, _ = camera.project(chosen)
        inside = camera.inside(pixels)
        column, row = pixels[inside].astype(int).T
        assert inside.mean() > 0.99
        head = np.pad(read_grey(path) != PixelClass.BACKGROUND, 1)
        near = head[1:-1, 1:-1] | head[:-2, 1:-1] | head[2:, 1:-1] | head[1:-1, :-2] | head[1:-1, 2:]
        assert near[row, column].mean() > 0.999  # a pixel of play at the outline, where only centres count


@needs_bpy
def test_blenders_own_projection_agrees(tmp_path: Path) -> None:
    out = tmp_path / "errors.json"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("reproject.py")), str(out)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(out.read_text())["largest_error_px"] < 0.02


@needs_blender
def test_binary_gives_the_same_spec_and_a_whole_capture(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "head_00000003"
    done = blender_run(
        "--seed",
        "3",
        "--out",
        str(target),
        "--resolution",
        "64",
        "--samples",
        "1",
        "--hair",
        "crop",
        "--beard",
        "short",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs, ours = Capture.read(target), Capture.read(folder)
    assert theirs.info.spec == ours.info.spec
    a, b = HeadSurface.read(theirs.head_path), HeadSurface.read(ours.head_path)
    assert np.array_equal(a.faces, b.faces) and np.abs(a.vertices - b.vertices).max() < 1e-6
    seen = {int(value) for path in theirs.mask_paths for value in np.unique(read_grey(path))}
    assert {PixelClass.SKIN, PixelClass.SCALP_HAIR, PixelClass.BROWS, PixelClass.GARMENT} <= seen


@needs_blender
@needs_bpy
def test_both_draw_the_same_specs_byte_for_byte(tmp_path: Path) -> None:
    """Two Pythons, two numpys: 16 heads with and without a family chosen by hand."""
    for name, start in (("wheel", bpy_run), ("binary", blender_run)):
        for kind, options in (("drawn", ("--seeds", "0:12")), ("fixed", ("--seeds", "12:16", "--hair", "curly"))):
            done = start(*options, "--out-root", str(tmp_path / name / kind), "--spec-only")
            assert done.returncode == 0, done.stderr[-2000:]
    ours = sorted((tmp_path / "wheel").rglob("spec.json"))
    assert len(ours) == 16
    for path in ours:
        theirs = tmp_path / "binary" / path.relative_to(tmp_path / "wheel")
        assert theirs.read_bytes() == path.read_bytes(), path.parent.name


def test_a_record_renders_the_same_bytes_over_another_head(folder: Path, start: Start, tmp_path: Path) -> None:
    """`--spec capture.json`, in a job file, with one thread: nothing of what the folder held before stays."""
    again = tmp_path / folder.name
    for name in ("images/view_13.png", "passes/depth/view_13.exr", "scan.ply", "labels.npz", "stages/reconstruct.json"):
        (again / name).parent.mkdir(parents=True, exist_ok=True)
        (again / name).write_text("of another head")
    words = ["--spec", str(folder / "capture.json"), "--out", str(again), *SETTINGS, "--threads", "1"]
    write_job(tmp_path / "job.json", parse_job(words))
    done = start("--job", str(tmp_path / "job.json"))
    assert done.returncode == 0, done.stderr[-2000:]
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
    for name in names:
        assert (folder / name).read_bytes() == (again / name).read_bytes(), name


def test_a_python_without_blender_says_what_to_do() -> None:
    done = subprocess.run([sys.executable, "-S", str(SCRIPT), "--seed", "0"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "start", [pytest.param(bpy_run, marks=needs_bpy), pytest.param(blender_run, marks=needs_blender)]
)
class TestErrors:
    def test_unknown_option(self, start) -> None:  # type: ignore[no-untyped-def]
        done = start("--sead", "3")
        assert done.returncode == 2
        assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] != []
        assert "Traceback" not in done.stderr

    def test_a_crash_is_not_success(self, start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        spec = sample_spec(0, load_default_model(), override(hair={"family": "crop"}))
        huge = dataclasses.replace(spec.shape, expression=(1e300,) * len(spec.shape.expression))
        (tmp_path / "spec.json").write_text(json.dumps(dataclasses.replace(spec, shape=huge).to_json()))
        done = start("--spec", str(tmp_path / "spec.json"), "--out", str(tmp_path / "head"), "--resolution", "32")
        assert done.returncode == 1 and "Traceback" in done.stderr
        assert not (tmp_path / "head" / "capture.json").exists()

    def test_labels_that_a_person_painted_stay_and_damaged_panoramas_are_named(self, start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        path = tmp_path / "painted" / "head_00000001" / "labels.npz"
        Labels(np.full(2, np.nan, np.float32), np.array([True, False]), painted=True).write(path)
        before = path.read_bytes()
        tiny = ("--resolution", "32", "--samples", "1")
        runs = {"painted": ("--seeds", "0:2", "--out-root", str(tmp_path / "painted"), *tiny)}
        runs |= {f"{length} bytes": _damaged_panorama(tmp_path / str(length), length) for length in (100, 3000)}
        done = several(start, runs, tmp_path)
        assert done["painted"].returncode == 2
        assert f"error: {path} was painted by a person" in done["painted"].stderr
        assert path.read_bytes() == before and not (tmp_path / "painted" / "head_00000000").exists()
        for length in (100, 3000):
            outcome = done[f"{length} bytes"]
            assert outcome.returncode == 2 and "Traceback" not in outcome.stderr
            errors = [line for line in outcome.stderr.splitlines() if line.startswith("error: ")]
            assert len(errors) == 1 and f"{length}/library/broken/sky.exr" in errors[0]
            assert not (tmp_path / str(length) / "head" / "capture.json").exists()


def _damaged_panorama(folder: Path, length: int) -> tuple[str, ...]:
    """Words of a run with a library of one panorama, which is cut off and damaged."""
    asset = folder / "library" / "broken"
    asset.mkdir(parents=True)
    light = np.random.default_rng(0).random((32, 64)).astype(np.float32)
    whole = encode_exr(dict.fromkeys("RGB", light))
    (asset / "sky.exr").write_bytes((whole[:500] + b"\x55" * 9000)[:length])
    manifest = {"kind": "hdri", "id": "mine/broken", "files": {"image": "sky.exr"}, "licence": "CC0-1.0"}
    (asset / "asset.json").write_text(json.dumps(manifest))
    overrides = folder / "overrides.json"
    overrides.write_text(json.dumps({"environment": {"lighting": "panorama", "asset": "mine/broken"}}))
    where = ("--out", str(folder / "head"), "--library", str(folder / "library"))
    return ("--seed", "0", *where, "--distributions", str(overrides))


NO_JOBS = ("", "{}", '{"schema_version": 1, "kind": "capture", "settings": {}}')


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Outcome]]:
    """What comes of arguments that are refused; a folder with their files, and one that heads would be written to.

    What reads the arguments is the same in all Blenders.
    """
    folder = tmp_path_factory.mktemp("refused")
    spec = sample_spec(0, load_default_model()).to_json()
    files = {
        "file": "",
        "whole.json": json.dumps(spec),
        "none.json": json.dumps({"schema_version": HeadSpec.SCHEMA_VERSION}),
        "older.json": json.dumps(spec | {"schema_version": HeadSpec.SCHEMA_VERSION - 1}),
        "rig.json": json.dumps({"views": [[0, 0], [30, 0], [0, 0]]}),
    }
    files |= {f"job_{number}.json": content for number, content in enumerate(NO_JOBS)}
    for name, content in files.items():
        (folder / name).write_text(content)
    out = ("--out", str(folder / "out" / "head"))
    runs: dict[str, Sequence[str]] = {name: ("--job", str(folder / name)) for name in files if name.startswith("job")}
    runs |= {
        "no id": ("--seed", "0", "--out", str(folder / "out" / "my head")),
        "seed": ("--seed", "0", "--seed", "-1", "--out-root", str(folder / "out")),
        "below a file": ("--seed", "0", "--out", str(folder / "file" / "head"), "--resolution", "32", "--samples", "1"),
        "no say": ("--spec", str(folder / "whole.json"), *out, "--hair", "afro"),
        "no spec": ("--spec", str(folder / "none.json"), *out),
        "older": ("--spec", str(folder / "older.json"), *out),
        "rig": ("--seed", "0", *out, "--rig", str(folder / "rig.json")),
    }
    return folder, folder / "out", several(ANY_START, runs, folder)


@pytest.mark.skipif(NO_BLENDER, reason="no Blender")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((f"job_{number}.json", f"job_{number}.json") for number in range(len(NO_JOBS))),
        ("no id", "my head"),
        ("seed", "seed -1"),
        ("below a file", ""),
        ("no say", "--hair would change nothing"),
        ("no spec", "none.json"),
        ("older", "older.json: schema version"),
        ("rig", "rig.json: views[0] and views[2] stand in one place"),
    ],
)
def test_arguments_are_refused_in_one_line_before_anything_is_rendered(
    name: str, message: str, refused: tuple[Path, Path, dict[str, Outcome]]
) -> None:
    _, out, outcomes = refused
    done = outcomes[name]
    assert done.returncode == 2 and "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0]
    assert not out.exists()
    assert name != "below a file" or "p2p-progress" not in done.stdout  # told before a head is built


@needs_bpy
def test_the_face_is_exposed_whatever_the_panorama_and_its_turn(tmp_path: Path) -> None:
    """A grey card in front of the face comes out grey, nearly without a tint: the light is measured where it falls."""
    out = tmp_path / "cards.json"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("light_card.py")), str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name, colour in json.loads(out.read_text()).items():
        assert 0.4 < np.dot(colour, [0.2126, 0.7152, 0.0722]) < 0.62, (name, colour)
        assert max(colour) < 1.35 * min(colour), (name, colour)
