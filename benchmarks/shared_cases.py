"""Run every case of the folder `cases` of the shared data as its `case.txt` says, and print what came of it as a table.

    python -m benchmarks.shared_cases [CASE ...]

Cases are copied to a temporary folder first. The exit code is 1 where a case is not as it should be.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from scans.meshes.reading import read_scan
from tests.helpers import SHARED

REPO = Path(__file__).resolve().parents[1]
CASES = SHARED / "cases"
LEAST_IOU = 0.97
Result = tuple[bool, str]


def p2p(*words: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    places = os.pathsep.join(filter(None, (str(REPO), os.environ.get("PYTHONPATH", ""))))
    variables = os.environ | environment | {"PYTHONPATH": places}
    command = [sys.executable, "-m", "factory.cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def last_line(run: subprocess.CompletedProcess[str]) -> str:
    """The line that the user is left with."""
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""


def one_line_error(run: subprocess.CompletedProcess[str], *words: str) -> Result:
    """Whether a run ended with exit code 2 and a line that holds the words, and no traceback."""
    text = run.stdout + run.stderr
    good = run.returncode == 2 and "Traceback" not in text and all(word in text for word in words)
    return good, f"exit code {run.returncode}: {last_line(run)}"


def agreement(case: Path, reference: Path, scan: str | None = None) -> Result:
    """The IoU of skin, by `p2p segment`, with that of a reference."""
    run = p2p("segment", ".", *(("--scan", scan) if scan else ()), folder=case)
    if run.returncode:
        return False, f"exit code {run.returncode}: {last_line(run)}"
    found = np.load(case / "prediction" / "prediction.npz")["skin"]
    expected = np.load(reference / "prediction" / "prediction.npz")["skin"]
    if (case / "src.npy").is_file():
        expected = expected[np.load(case / "src.npy")]
    elif case.name == "mesh_soup":  # every corner has its own vertex, at the place of the reference's
        corners = read_scan(case / "scan.ply").vertices
        expected = expected[cKDTree(read_scan(reference / "scan.ply").vertices).query(corners)[1]]
    count = min(len(found), len(expected))  # further vertices are those that the case adds
    a, b = expected[:count], found[:count]
    iou = (a & b).sum() / max((a | b).sum(), 1)
    warnings = [line for line in run.stderr.splitlines() if "warn" in line.lower()]
    return bool(iou >= LEAST_IOU), f"IoU {iou:.3f}" + (f"; {warnings[0].strip()[:110]}" if warnings else "")


def segment(case: Path) -> Result:
    """Labels as those of the reference."""
    return agreement(case, case.parent / "_reference" / "s")


def segment_obj(case: Path) -> Result:
    """The same, of an OBJ file."""
    return agreement(case, case.parent / "_reference" / "s", "scan.obj")


def segment_grey(case: Path) -> Result:
    """Labels as those of the same images as 8-bit grey."""
    reference = case.parent / "grey"
    if not reference.is_dir():
        shutil.copytree(case.parent / "_reference" / "s", reference)
        for path in (reference / "images").iterdir():
            Image.open(path).convert("L").save(path)
        shutil.rmtree(reference / "prediction", ignore_errors=True)
        p2p("segment", ".", folder=reference)
    return agreement(case, reference)


def reconstruct(case: Path) -> Result:
    """A scan as of the same images at 8 bits."""
    scans = []
    for depth in (16, 8):
        folder = case.parent / f"{case.name}_{depth}"
        shutil.copytree(case, folder)
        if depth == 8:
            for path in (folder / "images").iterdir():
                values = np.asarray(Image.open(path))
                Image.fromarray(np.round(values / 257).astype(np.uint8)).save(path)
        run = p2p("reconstruct", ".", folder=folder)
        if run.returncode:
            return False, f"exit code {run.returncode}: {last_line(run)}"
        scans.append(read_scan(folder / "scan.ply"))
    off = abs(len(scans[0].vertices) / len(scans[1].vertices) - 1)
    return off < 0.02, f"{len(scans[0].vertices):,} vertices; {len(scans[1].vertices):,} of 8 bits"


def _colours(path: Path) -> NDArray[np.uint8]:
    colours = read_scan(path).colours
    return np.zeros((1, 3), np.uint8) if colours is None else colours


def colours_of_floats(case: Path) -> Result:
    """Colours that are 255 times the file's."""
    brightest = int(_colours(case / "scan.ply").max())
    return 150 <= brightest <= 180, f"brightest colour {brightest}, wanted about 165"


def colours_above_one(case: Path) -> Result:
    """Bright colours clipped, none black."""
    colours = _colours(case / "scan.obj")
    return int(colours.max()) == 255 and colours.mean() > 40, f"mean {colours.mean():.0f}, brightest {colours.max()}"


def calibrate(case: Path) -> Result:
    """Cameras for the images that are photographs."""
    run = p2p("calibrate", ".", folder=case)
    if run.returncode == 0:
        import pycolmap

        model = pycolmap.Reconstruction(str(case / "sparse"))
        names = sorted(image.name for image in model.images.values())
        return all("._" not in name for name in names), f"{len(names)} images, as {names[0]}"
    text = run.stdout + run.stderr
    photographs = [path for path in (case / "images").rglob("*.png") if not path.name.startswith(".")]
    # Five views of 256 pixels are few: that they were all found and were not enough is right, too.
    found = f"{len(photographs)} of" in text or f"of {len(photographs)}" in text or "match" in text
    return "Traceback" not in text and run.returncode == 2 and found, f"exit code {run.returncode}: {last_line(run)}"


def heic(case: Path) -> Result:
    """A line that says that HEIC is not read."""
    return one_line_error(p2p("calibrate", ".", folder=case), "HEIC")


def scalars(case: Path) -> Result:
    """Numbers in a configuration file, as on the command line."""
    run = p2p("generate", "--config", "a.yaml", "--out", "X", "--resolution", 32, "--samples", 1, folder=case)
    heads = sorted(path.name for path in (case / "X").glob("head_*"))
    shutil.copytree(case.parent / "_reference" / "s", case / "capture")
    unit = p2p("segment", "capture", "--config", "unit.yaml", folder=case)
    told = "mm" in unit.stdout + unit.stderr or "unit" in unit.stdout + unit.stderr
    good = run.returncode == 0 and heads == ["head_00000005"] and "Traceback" not in unit.stderr and told
    return good, f"{heads or last_line(run)}; unit 0.001: {last_line(unit)}"


def sexagesimal(case: Path) -> Result:
    """Seeds `1:2`, which YAML 1.1 reads as 62."""
    run = p2p("generate", "--config", "options.yaml", folder=case)
    heads = sorted(path.name for path in (case / "OUT").glob("head_*"))
    return heads == ["head_00000001"], f"{heads or last_line(run)}"


def trainer_options(case: Path) -> Result:
    """Options of the Trainer: they work, or end in one line."""
    options = "--trainer.max_epochs 1 --data.vertices 1500 --data.test_vertices 1500 --data.eigenpairs 16"
    options += " --data.features.backbone.resolution 154 --model.width 16 --model.blocks 1 --data.dataset dataset"
    config = REPO / "training" / "configs" / "demo.yaml"
    results = []
    for flag, works in (
        ("overfit_batches 1", True),
        ("enable_checkpointing false", True),
        ("limit_train_batches 0.1", False),
        ("accelerator gpu", False),
        ("strategy ddq", False),
    ):
        run = p2p("fit", "--config", config, *options.split(), *f"--trainer.{flag}".split(), folder=case)
        good = run.returncode == 0 if works else one_line_error(run)[0]
        results.append((good, f"{flag}: {run.returncode}" + ("" if good else f" {last_line(run)}")))
    return all(good for good, _ in results), "; ".join(text for _, text in results)


def long_tmpdir(case: Path) -> Result:
    """A head on Ray where the folder for temporary files has a long path."""
    folder = case / ("x" * 90)
    folder.mkdir()
    options = ["--heads", "1", "--resolution", "64", "--samples", "1", "--out", "OUT"]
    run = p2p("produce", *options, folder=case, TMPDIR=str(folder))
    good = "Traceback" not in run.stdout + run.stderr and run.returncode in (0, 1, 2)
    if run.returncode == 2:
        good = good and "TMPDIR" in run.stdout + run.stderr
    return good, f"exit code {run.returncode}: {last_line(run)}"


def foreign_masks(case: Path) -> Result:
    """Masks that are no class masks: passed over and said, or refused at once."""
    run = p2p("blend", ".", "--out", "../bl", "--hair", "bob", "--samples", 1, folder=case)
    text = run.stdout + run.stderr
    good = run.returncode in (0, 2) and "Traceback" not in text and "masks" in text
    return good, f"exit code {run.returncode}: {last_line(run)}"


def panoramas(case: Path) -> Result:
    """Every panorama of a pack read."""
    run = p2p("assets", "import-hdri", "pack", "--out", "lib", "--licence", "CC0-1.0", folder=case)
    check = p2p("assets", "check", "lib", folder=case)
    count = sum(1 for path in (case / "lib").rglob("*") if path.suffix.lower() in (".hdr", ".exr"))
    wanted = sum(1 for p in (case / "pack").rglob("*") if p.suffix.lower() in (".hdr", ".exr") and p.name[0] != ".")
    good = run.returncode == check.returncode == 0 and count > 0
    return good, f"{count} kept of {wanted} files: {last_line(run)}; {last_line(check)}"


CHECKS: dict[str, Callable[[Path], Result]] = {
    "blend_user_masks": foreign_masks,
    "cal_appledouble": calibrate,
    "cal_heic": heic,
    "cal_subfolders": calibrate,
    "cfg_scalar": scalars,
    "cfg_sexagesimal": sexagesimal,
    "hdri_pack": panoramas,
    "img_float_tiff": segment_grey,
    "img_gray16_png": segment_grey,
    "mesh_float_colours": colours_of_floats,
    "obj_colour_above_one": colours_above_one,
    "obj_mixed_colours": segment_obj,
    "obj_trailing_comment": segment_obj,
    "ray_long_tmpdir": long_tmpdir,
    "rec_gray16": reconstruct,
    "train_trainer_flags": trainer_options,
}
"""Case -> what checks it; the others are segmented and compared with the reference."""


def main(names: list[str]) -> int:
    """Print the table; returns the exit code."""
    every = sorted(path.parent.name for path in CASES.glob("*/case.txt"))
    unknown = sorted(set(names) - set(every))
    if unknown or not every:
        sys.exit(f"no such cases in {CASES}: {', '.join(unknown) or 'none at all'}")
    wrong = 0
    print("| case | right | what happened | CPU s |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        shutil.copytree(CASES / "_reference", root / "_reference")
        p2p("segment", ".", folder=root / "_reference" / "s")
        for name in names or every:
            shutil.copytree(CASES / name, root / name)
            before = _cpu_seconds()
            good, text = CHECKS.get(name, segment)(root / name)
            wrong += not good
            text = re.sub(re.escape(str(root)) + r"/?", "", text).replace("|", "/")
            print(f"| {name} | {'yes' if good else '**no**'} | {text} | {_cpu_seconds() - before:.0f} |", flush=True)
    return int(wrong > 0)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
