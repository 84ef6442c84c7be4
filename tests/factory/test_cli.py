"""The command line as a user meets it: exit codes and one line for every mistake."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.cli.main import COMMANDS, build_parser
from tests.helpers import XHTML, make_capture, p2p_here

P2P = [sys.executable, "-m", "factory.cli"]


def p2p(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*P2P, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]


def p2p_once(*words: object) -> subprocess.CompletedProcess[str]:
    """The same in this process, whose libraries are loaded once for all tests."""
    code, said = p2p_here(*words)
    return subprocess.CompletedProcess(words, code, "", said)


def one_error(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The error line of a run that ended with this code and without a traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["label", "x", "--treshold-mm", "1"], "--treshold-mm"),
        (["register"], "required: SCAN (see `p2p register --help`)"),
        (["blend", "x"], "required: --out (see `p2p blend --help`)"),
        (["assets", "import-makehuman"], "required: FOLDER (see `p2p assets import-makehuman --help`)"),
        (["lable", "x"], "lable"),
        (["segment", "x"], "no such capture folder: x"),
        (["reconstruct", "x", "--backend", "gpu"], "gpu"),
        (["generate", "--seeds", "x"], "seeds 'x'"),
        (["generate", "--resolution", "tall"], "resolution"),
        (["produce", "--heads", "0"], "at least one head"),
        (["generate", "--rig", "/no/rig.yaml"], "/no/rig.yaml"),
        (["generate", "--passes", "depth,shape"], "--passes shape: use some of depth,normals,albedo,uv"),
        (["preview", "--views", "front"], "--views front"),
        (["generate", "--blender", "/no/blender"], "no such Blender binary: /no/blender"),
        (["pack", "/nowhere"], "no such folder of captures: /nowhere"),
        (["report", "/nowhere"], "no data set: /nowhere"),
        (["reconstruct", "/nowhere"], "/nowhere"),
        (["reconstruct", "/nowhere", "--max-gap", "many"], "--max-gap: needs a number, got many"),
        (["label", "/nowhere"], "/nowhere"),
        (["segment", "/nowhere", "--checkpoint", "/no.ckpt"], "/no"),
        (["blend", "/nowhere", "--out", "x"], "/nowhere"),
        (["blend", "/nowhere"], "--out"),
        (["blend", "/nowhere", "--out", "x", "--hair", "sohrt"], "--hair sohrt: use one of"),
        (["fit", "--config", "/no.yaml"], "/no.yaml"),
        (["--verbose", "fit", "--config", "/no.yaml"], "/no.yaml"),
        (["test", "--config", "nobodys"], "no configuration nobodys"),
        (["--verbose", "validate"], "required: --data.dataset"),
        (["predict", "--data.dataset", "x", "--ckpt_path", "no.ckpt"], "no.ckpt"),
        (["--verbose", "assets", "check", "/nowhere"], "/nowhere"),
        (["--verbose", "status", "/nowhere"], "/nowhere"),
        (["produce", "--max-gap", "-1"], "--max-gap -1.0: it must be 0 or more"),
        (["produce", "--gates.min_face", "2"], "--gates.min_face 2.0: a share between 0 and 1"),
        (["annotate"], "give either a scan to paint on or --import FILE.blend"),
        (["annotate", "--import", "x.blend", "--camera-unit", "mm"], "--camera-unit: for a scan to paint on; --import"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in one_error(p2p_once(*words))
    assert not list(tmp_path.iterdir())


def test_every_command_has_help() -> None:
    text = build_parser().format_help()
    for name, command in COMMANDS.items():
        assert name in text and command.help


@pytest.mark.parametrize(
    ("command", "foreign"),
    [
        (["generate", "--seeds", "0", "--blender", "/no/blender"], ["torch", "pycolmap", "webdataset", "numba", "vtk"]),
        (["reconstruct", "/nowhere"], ["torch", "bpy", "webdataset", "vtk"]),
        (["label", "/nowhere"], ["torch", "bpy", "pycolmap", "webdataset", "vtk"]),
        (["report", "/nowhere"], ["ray", "bpy", "pycolmap", "igl", "numba"]),
    ],
)
def test_a_stage_runs_without_the_libraries_of_others(command: list[str], foreign: list[str]) -> None:
    program = f"import sys\nfor name in {foreign!r}: sys.modules[name] = None\n"
    program += f"from factory.cli.main import main\nsys.exit(main({command!r}))"
    one_error(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True))


def test_pack_and_report(tmp_path: Path) -> None:
    for i in range(2):
        make_capture(tmp_path / "captures" / f"head_{i:08d}", seed=i)
    done = p2p_once("pack", tmp_path / "captures", "--out", tmp_path / "dataset", "--test-share", "0.5")
    assert done.returncode == 0, done.stderr
    done = p2p_once("report", tmp_path / "dataset")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "dataset" / "report.html").read_text()
    for head in ("head_00000000", "head_00000001"):
        assert head in page
    assert page.count("<img") == 2 * (3 + 5) + 4  # views, meshes, charts; no stamps, so no timings
    assert "http" not in page.replace(XHTML, "")  # opens without a network


def test_a_file_where_the_output_should_be(tmp_path: Path) -> None:
    make_capture(tmp_path / "captures" / "head_00000000")
    (tmp_path / "dataset").write_text("precious")
    line = one_error(p2p_once("pack", tmp_path / "captures", "--out", tmp_path / "dataset"))
    assert str(tmp_path / "dataset") in line
    assert (tmp_path / "dataset").read_text() == "precious"


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk."""
    make_capture(tmp_path / "captures" / "head_00000000")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    line = one_error(p2p("pack", tmp_path / "captures", "--out", tmp_path / "dataset", preexec_fn=limit))
    assert "dataset" in line
    assert not [path for path in (tmp_path / "dataset").rglob("*") if path.is_file()]


def as_it_is(folder: Path) -> None:
    """Its pictures are noise."""


def corrupt_image(folder: Path) -> None:
    path = folder / "images" / "view_01.png"
    path.write_bytes(path.read_bytes()[:200])


def missing_image(folder: Path) -> None:
    (folder / "images" / "view_01.png").unlink()


def no_cameras(folder: Path) -> None:
    for path in (folder / "sparse").iterdir():
        path.unlink()


def empty_cameras(folder: Path) -> None:
    for name in ("cameras.txt", "images.txt"):
        (folder / "sparse" / name).write_text("# nothing\n")


def no_faces(folder: Path) -> None:
    columns = "".join(f"property float {axis}\n" for axis in "xyz")
    (folder / "scan.ply").write_text(f"ply\nformat ascii 1.0\nelement vertex 1\n{columns}end_header\n0 0 0\n")


def no_scan(folder: Path) -> None:
    (folder / "scan.ply").unlink()


def damaged_scan(folder: Path) -> None:
    path = folder / "scan.ply"
    path.write_bytes(path.read_bytes()[:-100])


def no_labels(folder: Path) -> None:
    (folder / "labels.npz").unlink()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "damage", "message"),
    [
        ("reconstruct", corrupt_image, "images/view_01.png"),
        ("reconstruct", missing_image, "images/view_01.png"),
        ("reconstruct", no_cameras, "no cameras"),
        ("reconstruct", empty_cameras, "no cameras"),
        ("reconstruct", as_it_is, "captures/head_00000000: stereo found only"),
        ("label", no_faces, "scan.ply: scan: has no faces"),
        ("label", no_scan, "scan is missing"),
        ("label", damaged_scan, "damaged PLY file"),
        ("pack", corrupt_image, "images/view_01.png"),
        ("pack", no_cameras, "no cameras"),
        ("pack", no_faces, "scan.ply: scan: has no faces"),
        ("pack", no_labels, "labels are missing"),
        ("segment", no_faces, "scan.ply: scan: has no faces"),
    ],
)
def test_bad_captures_are_one_line_and_stay_as_they_were(
    command: str, damage: Callable[[Path], None], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_capture(tmp_path / "captures" / "head_00000000").folder
    damage(folder)
    before = contents(tmp_path)
    words = {"pack": ["--out", tmp_path / "dataset"]}.get(command, [])
    refused = "stereo found only" in message  # by what the capture is, not by how the command was given
    monkeypatch.chdir(tmp_path)
    assert message in one_error(p2p_once(command, folder, *words), 3 if refused else 2)
    assert contents(tmp_path) == before


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    folder = make_capture(tmp_path / "head_00000000").folder
    path = folder / "images" / "view_00.png"
    line = one_error(p2p_once("segment", folder, "--checkpoint", path))
    assert "damaged" in line and str(path) in line
    assert not (folder / "prediction").exists()


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.fixture
def read_only(tmp_path: Path) -> Callable[[Path], list[str]]:
    """A prefix for commands that see a folder as read-only, root or not."""
    probe = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh"]
    try:
        works = subprocess.run([*probe, str(tmp_path), "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        pytest.skip("this machine lets nobody mount a folder read-only")
    return lambda folder: [*probe, str(folder)]


def test_a_full_disk_leaves_no_half_checkpoint(tmp_path: Path) -> None:
    for i in range(2):
        make_capture(tmp_path / "captures" / f"head_{i:08d}", seed=i)
    pack = ("pack", tmp_path / "captures", "--out", tmp_path / "dataset", "--test-share", "0.5")
    assert p2p_once(*pack).returncode == 0

    def limit() -> None:  # between the cache's files and a checkpoint of that width
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    options = ["--data.features.names", "[colour]", "--data.vertices", "100", "--data.eigenpairs", "8"]
    options += ["--trainer.max_epochs", "1", "--trainer.default_root_dir", "run", "--model.width", "200"]
    line = one_error(p2p("fit", "--data.dataset", "dataset", *options, cwd=tmp_path, preexec_fn=limit))
    assert "run/checkpoints/" in line and "free some space" in line
    assert not [path for path in (tmp_path / "run" / "checkpoints").iterdir() if path.is_file()]


@pytest.mark.parametrize("command", ["label", "pack", "report", "fit", "generate"])
def test_a_read_only_output_is_one_line(command: str, tmp_path: Path, read_only: Callable[[Path], list[str]]) -> None:
    folder = make_capture(tmp_path / "captures" / "head_00000000").folder
    out = tmp_path / "out"
    out.mkdir()
    if command in ("report", "fit"):
        other = make_capture(tmp_path / "captures" / "head_00000001", seed=1).folder
        pack = ("pack", other.parent, "--out", tmp_path / "dataset", "--test-share", "0.5")
        assert p2p_once(*pack).returncode == 0
    options = ["--data.features.names", "[colour]", "--data.vertices", "100", "--data.eigenpairs", "8"]
    words: dict[str, list[object]] = {
        "label": [folder],
        "pack": [folder, "--out", out / "dataset"],
        "report": [tmp_path / "dataset", "--out", out / "report.html"],
        "fit": ["--data.dataset", tmp_path / "dataset", "--trainer.default_root_dir", out / "run", *options],
        "generate": ["--out", out / "captures", "--resolution", "16", "--samples", "1"],
    }
    place = folder if command == "label" else out
    before = contents(place)
    line = one_error(
        subprocess.run(
            [*read_only(place), *P2P, command, *map(str, words[command])],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )
    )
    assert str(place) in line and "Read-only" in line
    assert contents(place) == before
