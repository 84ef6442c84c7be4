"""The public API: quick to import, typed, with the settings of the command line, and errors that name parameters."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixels2points
from capture import Capture, InputError, Labels, Scan
from factory.cli.main import COMMANDS
from scans.meshes.reading import scan_key
from scans.predictions import Prediction
from tests.helpers import REPO, make_capture

HEAVY = ("numpy", "torch", "scipy", "pycolmap", "bpy", "rich", "jsonargparse")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return make_capture(tmp_path_factory.mktemp("api") / "toy")


def test_importing_is_quick_and_imports_no_library() -> None:
    program = f"""
import sys, time
start = time.perf_counter()
import pixels2points
took = time.perf_counter() - start
assert not set({HEAVY!r}) & set(sys.modules), "heavy"
print(took)
"""
    took = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True)
        took.append(float(done.stdout))
    assert min(took) < 0.1, took


def test_names_are_there_without_the_libraries_that_they_use() -> None:
    program = """
import sys
import pixels2points
for name in pixels2points.__all__:
    getattr(pixels2points, name)
print(*{"torch", "pycolmap", "bpy", "igl", "numba", "scipy", "ray"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_names() -> None:
    assert pixels2points.__all__ == sorted(pixels2points.__all__)
    assert set(pixels2points.__all__) == set(pixels2points._MODULES) <= set(dir(pixels2points))
    assert 8 <= len(pixels2points.__all__) <= 14
    for name in pixels2points.__all__:
        assert getattr(pixels2points, name).__name__ == name
    assert pixels2points.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pixels2points.nothing  # noqa: B018


def test_the_page_of_the_api_names_all_of_it_and_nothing_else() -> None:
    page = (REPO / "docs" / "api.md").read_text()
    titles = [line.removeprefix("### ").strip("`") for line in page.splitlines() if line.startswith("### ")]
    assert sorted(titles) == pixels2points.__all__
    for name in _functions():
        section = page.split(f"### `{name}`")[1].split("\n### ")[0]
        for parameter in inspect.signature(getattr(pixels2points, name)).parameters:
            assert f"`{parameter}`" in section, f"docs/api.md: {name} lacks {parameter}"


# Of a command's options, those that are no keyword: they name the files that a command reads or writes.
WRITTEN = dict.fromkeys(
    ("reuse", "no_view", "out", "formats", "masks", "classes", "mask_names")
)  # `segment` writes nothing
REGISTERED = ("out", "no_view", "jobs", "texture", "images", "camera_unit")  # nor does `register`
FILES = {
    "make_head": ("generate", {"seeds": "seed", "out": "out", "save_scene": None}),
    "reconstruct": ("reconstruct", {"capture": "capture", "styles": None, "jobs": None}),
    "label": ("label", {"capture": "capture"}),
    "segment": ("segment", {"capture": "capture", "checkpoint": "labeller", "scan": "scan", "jobs": None, **WRITTEN}),
    "find_landmarks": ("landmarks", {"capture": "capture", "jobs": None}),
    "register": ("register", {"scan": "scan", "labels": "labels", **dict.fromkeys(REGISTERED)}),
}


@pytest.mark.parametrize("name", FILES)
def test_settings_are_the_options_of_the_command(name: str) -> None:
    command, renamed = FILES[name]
    parameters = inspect.signature(getattr(pixels2points, name)).parameters
    options = dict(_options(COMMANDS[command].settings))
    expected = {renamed.get(option, option) for option in options} - {None}
    assert set(parameters) - {"progress", "scan"} == expected - {"scan"}
    for option, default in options.items():
        if option not in renamed:
            assert parameters[option].default == default, option
            assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY


def _functions() -> list[str]:
    return [name for name in pixels2points.__all__ if inspect.isfunction(getattr(pixels2points, name))]


def _options(settings: Any) -> Iterator[tuple[str, Any]]:
    """Names and defaults of the options of a command, whose settings class this is, or of a group of options."""
    for each in fields(settings):
        default = getattr(settings, each.name, None) if isinstance(settings, type) else getattr(settings, each.name)
        if each.metadata.get("group"):
            group = each.default
            yield from ((name, value) for name, value in _options(group) if name not in each.metadata["without"])
        else:
            yield each.name, default


@pytest.mark.parametrize("name", _functions())
def test_docstrings_tell_arguments_results_and_errors(name: str) -> None:
    function = getattr(pixels2points, name)
    text = inspect.getdoc(function) or ""
    for title in ("Args:", "Returns:", "Raises:", "Example:"):
        assert f"\n{title}\n" in text, title
    for parameter in inspect.signature(function).parameters:
        assert f"\n    {parameter}: " in text, parameter


def test_errors_name_parameters(capture: Capture, tmp_path: Path) -> None:
    api = pixels2points
    for call, said in (
        (lambda: api.make_head(0, tmp_path, resolution=3), "`resolution` 3"),
        (lambda: api.make_head(0, tmp_path, passes=["smell"]), "`passes` smell"),
        (lambda: api.make_head(-1, tmp_path), "`seed` -1"),
        (lambda: api.make_head(0, tmp_path, device="abacus"), "`device` abacus"),
        (lambda: api.reconstruct(capture, vertices=3), "`vertices` 3"),
        (lambda: api.reconstruct(tmp_path / "nowhere"), "no such capture folder"),
        (lambda: api.label(capture, threshold_mm=0), "`threshold_mm` 0"),
        (lambda: api.load_labeller(tmp_path / "no.ckpt"), "checkpoint is missing"),
        (lambda: api.segment(capture, tmp_path / "no.ckpt"), "checkpoint is missing"),
        (lambda: api.register(capture, Labels([0.1], [True])), "`labels` are of 1 vertices, the scan has 642"),
        (lambda: api.register(Scan.read(capture.scan_path)), "nothing says what of the scan is skin"),
        (lambda: api.register(capture, "none", landmarks={"chin": [1, 2]}), "`landmarks` are an object"),
        (lambda: api.register(capture, "none", unit="furlong"), "unit 'furlong'"),
    ):
        with pytest.raises(InputError, match=said):
            call()
    assert not list(tmp_path.iterdir())


def test_labels_of_another_scan_are_refused(capture: Capture) -> None:
    scan = Scan.read(capture.scan_path)
    probability = np.ones(len(scan.vertices))
    moved = Scan(scan.vertices + 1, scan.faces)
    with pytest.raises(InputError, match="`labels` are of another scan"):
        pixels2points.register(scan, Prediction(probability, probability > 0, scan_key(moved)))


def test_labels_of_paths_and_of_records_are_the_same(capture: Capture) -> None:
    by_path = pixels2points.label(str(capture.folder))
    by_record = pixels2points.label(capture, Scan.read(capture.scan_path))
    assert np.array_equal(by_path.distance_mm, by_record.distance_mm)
    assert np.array_equal(by_path.skin, by_record.skin)


def test_types_are_seen_where_the_package_is_installed(tmp_path: Path) -> None:
    """By a type checker of somebody who has installed it, whose own files know nothing of this repository."""
    from mypy.api import run

    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "installed.pth").write_text(f"{REPO}\n")
    (tmp_path / "mine.py").write_text(
        "import pixels2points as p2p\n"
        "reveal_type(p2p.make_head)\n"
        "reveal_type(p2p.reconstruct('x'))\n"
        "reveal_type(p2p.label('x'))\n"
        "reveal_type(p2p.segment('x'))\n"
        "reveal_type(p2p.register('x'))\n"
        "reveal_type(p2p.Camera.pinhole)\n"
        "p2p.reconstruct('x', vertices='many')\n"
    )
    options = ["--python-executable", str(environment / "bin" / "python"), "--cache-dir", str(tmp_path / "cache")]
    told, _, code = run([*options, "--ignore-missing-imports", str(tmp_path / "mine.py")])
    assert code == 1, told
    for words in (
        "capture.capture.Capture", "-> capture.camera.Camera",
        'Revealed type is "capture.scan.Scan"', 'Revealed type is "capture.labels.Labels"',
        'Revealed type is "scans.predictions.Prediction"',
        'Revealed type is "registration.files.outputs.ScanRegistration"',
        'Argument "vertices" to "reconstruct" has incompatible type "str"',
    ):  # fmt: skip
        assert words in told, told
    assert told.count(" error: ") == 1, told
