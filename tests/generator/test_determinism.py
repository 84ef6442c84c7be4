"""The same seed makes the same head anywhere, and every component keeps to its own stream."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assets.makehuman.model import load_default_model
from generator.sampling import sample_spec
from generator.spec import STREAMS
from tests.generator.fingerprint import SEED, Recorded

REPO = Path(__file__).resolve().parents[2]
GENERATORS = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator", "Philox"}
CLOCKS = {"time", "datetime", "uuid", "secrets"}
# Component -> fields of the spec that its stream may change besides its own.
FOLLOW = {
    "identity": {"shape"} | {"skin", "hair", "brows", "beard", "headwear", "jewellery"},  # age and gender
    "expression": {"shape"},
    "pose": {"shape"},
    "skin": {"eyes", "hair", "brows", "beard"},  # their pigments follow the skin's
    "hair_colour": {"hair", "brows", "beard"},
    "beard": {"skin"},  # a beard hides the shadow of shaving
}


def sources() -> list[Path]:
    packages = ("generator", "assets", "blender_scripts")
    return sorted(path for package in packages for path in (REPO / package).rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(REPO)))
def test_nothing_draws_from_global_randomness(path: Path) -> None:
    """No `random`, no legacy `np.random`, no generator without a seed, no clock, no hash() that changes by process."""
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{path.relative_to(REPO)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
            clocks = set() if "blender" in path.parts else CLOCKS  # there, times of stages are taken
            assert not names & ({"random"} | clocks), f"{where}: imports {names}"
        if isinstance(node, ast.ImportFrom):
            assert node.module != "random", f"{where}: draw from a numpy Generator that is passed in"
            if node.module == "numpy.random":
                assert {alias.name for alias in node.names} <= GENERATORS, f"{where}: global randomness"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            assert node.attr in GENERATORS, f"{where}: global randomness ({node.attr})"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in ("default_rng", "SeedSequence", "PCG64", "Philox"):
                assert node.args and ast.unparse(node.args[0]) != "None", f"{where}: {called} needs a seed"
            assert ast.unparse(node.func) != "hash", f"{where}: hash() of words differs between processes"


@pytest.fixture(scope="module")
def prints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Fingerprints of three processes: two of the same seed, and one where the hair has another stream."""
    folder, running = tmp_path_factory.mktemp("prints"), {}
    for name, words, seed in (("one", (), "1"), ("two", (), "2"), ("other hair", ("hair",), "1")):
        command = [sys.executable, "tests/generator/fingerprint.py", str(folder / f"{name}.json"), *words]
        environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": seed}
        running[name] = subprocess.Popen(command, cwd=REPO, env=environment, stderr=subprocess.PIPE, text=True)
    for name, process in running.items():
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, f"{name}: {errors[-2000:]}"
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in running}


def test_two_processes_make_the_same(prints: dict[str, Any]) -> None:
    """Specs, surfaces, clothes, strands and colours, bit for bit, whatever the hash seed and the number of threads."""
    one, two = prints["one"], prints["two"]
    assert one["specs"] == two["specs"]
    for index, (ours, theirs) in enumerate(zip(one["heads"], two["heads"], strict=True)):
        assert ours == theirs, f"head {index}: {[name for name in ours if ours[name] != theirs.get(name)]}"
    worn = {name for head in one["heads"] for name in head}
    assert {"parts", "albedo", "mesh garment", "strands scalp hair", "strands beard", "strands brows"} <= worn


def test_another_stream_for_the_hair_leaves_all_other_geometry(prints: dict[str, Any]) -> None:
    changed = set()
    for ours, theirs in zip(prints["one"]["heads"], prints["other hair"]["heads"], strict=False):
        changed |= {name for name in ours | theirs if ours.get(name) != theirs.get(name)}
    assert "strands scalp hair" in changed
    changed = {name for name in changed if not name.startswith("mesh headwear")}  # hats lie on hair
    assert changed <= {"strands scalp hair", "albedo"}, changed  # dense roots darken the skin


@pytest.mark.parametrize("component", STREAMS)
def test_another_stream_leaves_the_other_components(component: str) -> None:
    model = load_default_model()
    all_changed = set()
    for seed in range(SEED, SEED + 8):
        before, after = (sample_spec(seed, model, Recorded(other=other)).to_json() for other in ("", component))
        changed = {name for name in before if before[name] != after[name]}
        all_changed |= changed
        assert changed <= {component} | FOLLOW.get(component, set()), changed
    assert all_changed, component
    if component in ("expression", "pose"):
        field = {"expression": "expression", "pose": "pose"}[component]
        same = {name for name in before["shape"] if before["shape"][name] == after["shape"][name]}
        assert same == set(before["shape"]) - {field}
