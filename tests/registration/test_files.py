"""`p2p register`: what it reads, what it writes, what it refuses."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import InputError, Labels, Scan
from capture.arrays import read_npz
from capture.errors import RefusedError
from registration.files.inputs import read_weights
from registration.files.register import _check_found, _log_errors
from scans.meshes.reading import read_scan, scan_key
from scans.predictions import Prediction
from tests.evaluation.comparison.made import sample
from tests.helpers import coarse_template, p2p_here
from tests.scans.viewer.test_packing import read_page


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scan, np.ndarray]:
    """A folder with a scan in metres and in millimetres, its labels, and files that are none."""
    import io

    folder = tmp_path_factory.mktemp("scan")
    arrays = read_npz(io.BytesIO(sample(1)["scan.npz"]))
    mesh, skin = Scan(arrays["vertices"], arrays["faces"]), arrays["skin"]
    mesh.write(folder / "scan.ply")
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in (1000.0 * mesh.vertices).tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (mesh.faces + 1).tolist()]
    (folder / "scan_mm.obj").write_text("\n".join(lines))
    Labels(arrays["distance_mm"], skin).write(folder / "labels.npz")
    Labels(arrays["distance_mm"], np.zeros_like(skin)).write(folder / "empty.npz")
    Labels(arrays["distance_mm"][:50], skin[:50]).write(folder / "short.npz")
    np.save(folder / "array.npy", skin)
    np.savez(folder / "other.npz", skin=skin)
    (folder / "half.npz").write_bytes((folder / "labels.npz").read_bytes()[:2000])
    (folder / "landmarks.json").write_text(json.dumps({"nose_tip": [0, 0]}))
    (folder / "few.json").write_text(json.dumps({"nose_tip": [0, 0, 0], "wart": [0, 0, 1]}))
    (folder / "soup.ply").write_bytes(b"not a ply")
    return folder, mesh, skin


@pytest.mark.slow
def test_a_mesh_in_millimetres_comes_back_in_millimetres(
    scan: tuple[Path, Scan, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registration.files.register.load_template", coarse_template)
    folder, mesh, skin = scan
    for name in ("texture.png", "texture_mask.1002.png", "registered.mtl"):  # of a former registration
        (tmp_path / name).touch()
    words = ("--labels", folder / "labels.npz", "--unit", "mm", "--out", tmp_path)
    code, said = p2p_here("register", folder / "scan_mm.obj", *words)
    assert code == 0, said
    names = ["registered.json", "registered.obj", "registered.ply", "registered.png", "view.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    head = trimesh.load(tmp_path / "registered.ply", process=False)
    apart_mm = trimesh.proximity.ProximityQuery(head).on_surface(1000 * mesh.vertices[skin][::50])[1]
    assert np.median(apart_mm) < 0.5
    summary = json.loads((tmp_path / "registered.json").read_text())
    assert summary["metres_per_unit"] == 0.001 and "error" not in summary
    assert 0 < summary["fit"]["median"] < 0.5 and summary["fit"]["median"] <= summary["fit"]["p90"]
    assert set(summary["seconds"]) == {"reading", "rigid", "coefficients", "deformation"}
    lines = [line.split() for line in (tmp_path / "registered.obj").read_text().splitlines()]
    corners = [len(line) - 1 for line in lines if line[0] == "f"]
    assert max(corners) == 4 and sum(n - 2 for n in corners) == len(head.faces)
    assert sum(line[0] == "v" for line in lines) == len(head.vertices)
    with Image.open(tmp_path / "registered.png") as picture:
        assert picture.size[0] > 1000
    scene, _ = read_page((tmp_path / "view.html").read_text(encoding="utf-8"))
    assert scene["title"] == "scan_mm.obj" and scene["cameras"] == [] and scene["scan"]["labels"]["certain"]
    assert scene["template"]["surface"] == "skin of the scan" and scene["template"]["vertices"] == len(head.vertices)
    assert np.allclose(scene["pose"]["up"], [0, 0, 1], atol=0.3) and scene["pose"]["front"][1] < -0.9
    assert f"{summary['fit']['median']:.2f} mm in the median" in scene["facts"][1]


def test_labels_of_a_mesh_file_are_those_of_the_views_that_were_rendered_of_it(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(2)
    scan = Scan(ball.vertices, ball.faces)
    scan.write(tmp_path / "head.v2.ply")
    scan = read_scan(tmp_path / "head.v2.ply")
    with pytest.raises(InputError, match="nothing says what of the scan is skin"):
        read_weights(None, tmp_path / "head.v2.ply", scan)
    probability = np.linspace(0, 1, len(scan.vertices), dtype=np.float32)
    made = Prediction(probability, probability > 0.5, scan_key(scan))
    made.write(tmp_path / "head.v2.capture" / "prediction" / "prediction.npz")
    weights = read_weights(None, tmp_path / "head.v2.ply", scan).weights
    assert weights is not None and np.corrcoef(weights, probability)[0, 1] > 0.9
    assert read_weights("none", tmp_path / "head.v2.ply", scan).weights is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scan.ply",), "nothing says what of the scan is skin; give --labels"),
        (("nowhere.ply", "--labels", "none"), "scan is missing"),
        (("soup.ply", "--labels", "none"), "soup.ply"),
        (("scan.ply", "--labels", "nowhere.npz"), "no labels at"),
        (("scan.ply", "--labels", "scan.ply"), "is neither a labels.npz nor a prediction.npz"),
        (("scan.ply", "--labels", "array.npy"), "is neither a labels.npz nor a prediction.npz"),
        (("scan.ply", "--labels", "half.npz"), "is neither a labels.npz nor a prediction.npz"),
        (("scan.ply", "--labels", "short.npz"), "short.npz labels 50 vertices, the scan has"),
        (("scan.ply", "--labels", "other.npz"), "other.npz holds no labels (no 'distance_mm')"),
        (("scan.ply", "--labels", "none", "--out", "array.npy"), "--out array.npy is a file; name a folder"),
        (("scan.ply", "--labels", "empty.npz"), "0 of"),
        (("scan_mm.obj", "--labels", "labels.npz", "--unit", "m"), "m wide: no head; state another --unit"),
        (("scan.ply", "--labels", "labels.npz", "--unit", "furlong"), "furlong"),
        (("scan.ply", "--labels", "labels.npz", "--landmarks", "landmarks.json"), "a point is not three numbers"),
        (("scan.ply", "--labels", "labels.npz", "--landmarks", "few.json"), "1 of them are known; three are needed"),
        (("scan.ply", "--labels", "labels.npz", "--template", "nobody.npz"), "nobody.npz"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...],
    message: str,
    scan: tuple[Path, Scan, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(scan[0])
    unit = () if "--unit" in words else ("--unit", "m")
    out = () if "--out" in words else ("--out", tmp_path / "out")
    code, said = p2p_here("register", *words, *unit, *out)
    assert code == 2 and message in said.splitlines()[-1] and "Traceback" not in said, said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("median", "p90", "outcome"),
    [(0.3, 2.0, "fine"), (0.3, 12.0, "doubted"), (1.5, 4.0, "doubted"), (0.7, 37.0, "lost"), (20.0, 60.0, "lost")],
)
def test_a_head_that_was_not_found_is_an_error_and_one_in_doubt_a_warning(
    median: float, p90: float, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    summary = {"fit": {"median": median, "p90": p90}, "fit_regions": {}}
    with caplog.at_level(logging.WARNING):
        _log_errors("head", summary, Path("out"))
    assert ("that is far" in caplog.text) == (outcome == "doubted")
    if outcome == "lost":
        with pytest.raises(RefusedError, match=f"head was not found: its face lies {median:.1f} mm .* {p90:.1f} mm"):
            _check_found("head", summary, Path("out"))
    else:
        _check_found("head", summary, Path("out"))
