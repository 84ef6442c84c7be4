"""The packages import in one direction, and what runs inside Blender needs numpy alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent

# Package -> the project's packages that it may import, at any level of a module; each only from above itself.
RECORDS = {"capture", "assets"}
STAGES = {"generator", "reconstruction", "labeling", "training", "registration"}
ALLOWED: dict[str, set[str]] = {
    "capture": set(),
    "assets": {"capture"},
    "generator": RECORDS,
    "blender_scripts": {*RECORDS, "generator"},
    "scans": RECORDS,
    "reconstruction": {*RECORDS, "scans"},
    "labeling": {*RECORDS, "scans"},
    "training": {*RECORDS, "scans"},
    "registration": {*RECORDS, "scans"},
    "evaluation": {*RECORDS, "scans", *STAGES},
    "factory": {*RECORDS, "scans", *STAGES, "evaluation"},
    "pixels2points": {*RECORDS, "scans", *STAGES, "evaluation", "factory"},
}
LIGHT = ("capture", "assets", "generator", "blender_scripts")
OPTIONAL = {"generator/settings_file.py": {"yaml"}}  # used where it is there, never needed
BLENDER = {"bpy", "bpy_extras", "mathutils", "bmesh", "gpu", "idprop", "_cycles"}


def modules(package: str) -> Iterator[Path]:
    yield from sorted((REPO / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of all that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by absolute names"
            names.add((node.module or "").split(".")[0])
    return names


def test_the_list_of_packages_is_whole_and_has_one_direction() -> None:
    folders = {path.parent.name for path in REPO.glob("*/*.py")}
    assert folders - {"tests", "benchmarks"} == set(ALLOWED)
    above: set[str] = set()
    for package, allowed in ALLOWED.items():
        assert allowed <= above, package
        above.add(package)


@pytest.mark.parametrize("package", ALLOWED)
def test_the_arrows_point_one_way(package: str) -> None:
    files = list(modules(package))
    assert files
    for path in files:
        foreign = imported(path) & set(ALLOWED) - ALLOWED[package] - {package}
        assert not foreign, f"{path.relative_to(REPO)} imports {foreign}"


def imports_of_modules() -> dict[str, set[str]]:
    """Module -> the project's modules that it imports, also inside functions.

    What only type checkers read (`if TYPE_CHECKING`) is not imported, and doesn't count.
    """
    files = {path: path.relative_to(REPO).with_suffix("").parts for package in ALLOWED for path in modules(package)}
    names = {".".join(parts).removesuffix(".__init__"): path for path, parts in files.items()}
    graph = {}
    for name, path in names.items():
        tree = ast.parse(path.read_text())
        unread = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                unread |= {inner for part in node.body for inner in ast.walk(part)}
        wanted = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and node not in unread:
                wanted |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node not in unread:
                each = {f"{node.module}.{alias.name}" for alias in node.names}
                wanted |= {full if full in names else str(node.module) for full in each}
        graph[name] = {each for each in wanted if each in names} - {name}
    return graph


def test_no_circle_among_modules() -> None:
    """Each module can be placed above all that it imports."""
    graph = imports_of_modules()
    while free := {name for name, wanted in graph.items() if not wanted & set(graph)}:
        graph = {name: wanted for name, wanted in graph.items() if name not in free}
    circle = {name: sorted(wanted & set(graph)) for name, wanted in graph.items()}
    assert not circle, f"these import one another, or what does: {circle}"


@pytest.mark.parametrize("package", LIGHT)
def test_light_packages_import_only_numpy(package: str) -> None:
    for path in modules(package):
        extra = imported(path) - set(sys.stdlib_module_names) - set(ALLOWED) - {"numpy", "__future__"}
        inside_blender = (REPO / "generator" / "blender") in path.parents
        extra -= BLENDER if inside_blender else set()
        extra -= OPTIONAL.get(path.relative_to(REPO).as_posix(), set())
        assert not extra, f"{path.relative_to(REPO)} imports {extra}"


def test_light_packages_run_without_other_libraries() -> None:
    """Import every module of them in a Python where anything else is refused."""
    names = []
    for package in LIGHT:
        for path in modules(package):
            parts = path.relative_to(REPO).with_suffix("").parts
            if parts[:2] != ("generator", "blender") and path.name != "generate.py":
                names.append(".".join(parts).removesuffix(".__init__"))
    program = f"""
import sys
allowed = set(sys.stdlib_module_names) | {{"numpy"}} | {set(ALLOWED)!r}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in allowed and not name.startswith("_"):
            raise ImportError(f"{{name}} is not allowed here")
sys.meta_path.insert(0, Refuse())
import importlib
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_command_line_starts_without_the_extras() -> None:
    """A render node has no torch; what a command lacks is one line."""
    heavy = {
        "torch", "lightning", "pycolmap", "numba", "scipy", "igl", "embreex", "pyvista",
        "jinja2", "webdataset", "bpy", "ray", "matplotlib", "transformers", "trimesh",
    }  # fmt: skip
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from factory.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

    def p2p(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", program, *words], cwd=REPO, capture_output=True, text=True)

    assert p2p("--help").returncode == 0
    assert "no such folder of captures" in p2p("pack", "/nowhere").stderr
    assert "no such capture folder" in p2p("segment", "x", "--checkpoint", "y").stderr
    export = ("export", "README.md", "--out", "x.ckpt")
    for words, extra in ((export, "train"), (("label", "x"), "label"), (("fit",), "train")):
        done = p2p(*words)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert f"pixels2points[{extra}]" in done.stderr


def test_no_global_randomness_and_no_pickles() -> None:
    allowed = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator"}
    for package in ALLOWED:
        for path in modules(package):
            assert "random" not in imported(path), f"{path}: draw from a numpy Generator that is passed in"
            assert not imported(path) & {"joblib", "dill", "cloudpickle"}, path
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module == "pickle":
                    assert [alias.name for alias in node.names] == ["UnpicklingError"], f"{path}: no pickles"
                assert not isinstance(node, ast.Import) or "pickle" not in {a.name for a in node.names}, path
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                    assert node.attr in allowed, f"{path}:{node.lineno}: global randomness ({node.attr})"


def test_files_stay_short() -> None:
    for package in ALLOWED:
        for path in modules(package):
            length = len(path.read_text().splitlines())
            assert length <= 450, f"{path}: {length} lines; cut it by subject"


def test_docstrings_begin_with_the_thing_or_the_verb() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for package in ALLOWED:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text())):
                first = (ast.get_docstring(node) or "").split(" ")[0] if isinstance(node, documented) else ""
                assert first not in ("What", "How", "Which", "Where", "Why"), f"{path}: {ast.get_docstring(node)}"  # type: ignore[arg-type]
