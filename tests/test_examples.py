"""Every example in the docstrings of the public names and in the documents runs."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pixels2points
from capture.colmap.files import read_model, write_model
from factory.dataset.packing import PackSettings, pack
from labeling import label_capture
from tests.helpers import REPO, coarse_template

pytestmark = pytest.mark.slow

# As in the examples.
SMALL: dict[str, Any] = {"resolution": 128, "samples": 1, "hair": "none", "beard": "none", "neutral": True}
NAMES = ["", *pixels2points.__all__]  # the first is the package itself


def blocks() -> Iterator[Any]:
    """Python in the documents, but for what runs in Blender: tests of these files run it, in processes of its own."""
    for document in [*sorted(REPO.glob("*.md")), *sorted((REPO / "docs").glob("*.md"))]:
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S)):
            if code.startswith("import bpy\n"):
                continue
            yield pytest.param(code, id=f"{document.name}-{number}")


class Told:
    """Keeps what progress is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.shares: list[float] = []

    def __call__(self, step: str, share: float) -> None:
        assert 0 <= share <= 1
        self.steps.append(step)
        self.shares.append(share)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What examples find in the folder that they run in: a capture as people bring it, and a data set."""
    folder = tmp_path_factory.mktemp("examples")
    rendering, stereo = Told(), Told()
    head = pixels2points.make_head(4, folder / "captures", progress=rendering, **SMALL)
    pixels2points.reconstruct(head, progress=stereo).write(head.scan_path)
    assert {"view", "mask"} <= set(rendering.steps) and max(rendering.shares) == 1
    assert set(stereo.steps) == {"stereo", "fusion", "meshing"} and stereo.shares == sorted(stereo.shares)
    assert stereo.shares[-1] == 1
    shutil.copytree(head.folder / "images", folder / "my_capture" / "images")
    _leave_views(head.folder, folder / "my_capture", (2, 3, 4))  # from the front; a labeller's time goes by views
    shutil.copy(head.scan_path, folder / "my_capture")
    label_capture(head.folder)
    pack([head.folder], folder / "dataset", PackSettings(test_share=0))
    shutil.copytree(head.folder, folder / "captures" / "head_00000000")
    _leave_views(head.folder, folder / "captures" / "head_00000000", (2, 3, 4, 8, 11))
    return folder


def _leave_views(source: Path, target: Path, views: Sequence[int]) -> None:
    """Give a folder the model of a capture with some of its views alone."""
    model = read_model(source / "sparse")
    shutil.rmtree(target / "sparse", ignore_errors=True)
    write_model(target / "sparse", model.with_views([model.cameras[view] for view in views], views))


@pytest.mark.parametrize("name", NAMES)
def test_examples_of_docstrings(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    thing: Any = getattr(pixels2points, name) if name else pixels2points
    module = thing if isinstance(thing, ModuleType) else inspect.getmodule(thing)
    tests = doctest.DocTestFinder(recurse=bool(name)).find(thing, name or "pixels2points", module=module)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told: list[str] = []
    for test in tests:
        runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).attempted > 0, f"{name} has no example"
    assert not told, "".join(told)


# WebDataset leaves a tar for the garbage collector to close.
@pytest.mark.filterwarnings("ignore:.*dataset/train-000000.tar:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("code", list(blocks()))
def test_examples_of_documents(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("registration.template.load_template", coarse_template)  # the full one is in the docstrings
    exec(compile(code, "example", "exec"), {"__name__": "example"})
