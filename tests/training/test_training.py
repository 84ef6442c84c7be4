"""The command line on a toy data set: fit, test, checkpoints, segmenting, and what goes wrong."""

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from capture import InputError
from scans.head_sample import HeadSample
from tests.training.toy import toy_mesh, write_dataset
from training import cli
from training.checkpoints.labeller import load_labeller, read_checkpoint
from training.data.batch import to_batch
from training.data.module import HeadData
from training.data.prepared_index import prepare_split, read_statistics, read_traits
from training.data.shards import read_splits
from training.features import FeatureConfig
from training.loggers import MetricsFile
from training.model.module import SkinLabeller
from training.model.outputs import Outputs
from training.preparation.copies import Variety
from training.preparation.prepare import prepare_head
from training.preparation.prepared import PreparedHead
from training.preparation.settings import Preparation

REPO = Path(__file__).resolve().parents[2]
PREPARATION = Preparation(FeatureConfig(["colour", "visibility", "surface_variation"]), 500, 16)


def _run(*arguments: str, module: str = "training") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300, check=False)


def test_fit_learns_and_says_so(fitted) -> None:
    root, process = fitted
    assert process.returncode == 0, process.stderr
    assert "prepared 3 of 3: toy_2" in process.stderr
    assert "epoch 12 of 12" in process.stderr
    assert str(root / "checkpoints" / "best.ckpt") in process.stderr
    for word in ("Warning", "deprecat", "GPU", "TPU", "Tip"):
        assert word not in process.stderr + process.stdout
    assert {path.name for path in (root / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert {path.name for path in (root / "logs" / "pictures").iterdir()} == {
        "epoch_0000.png",
        "epoch_0004.png",
        "epoch_0009.png",
        "epoch_0011.png",
    }
    assert (root / "logs" / "metrics.csv").is_file()
    assert list((root / "logs").glob("events.*"))
    best = read_checkpoint(root / "checkpoints" / "best.ckpt")
    (state,) = [value for key, value in best["callbacks"].items() if key.startswith("ModelCheckpoint")]
    assert state["best_model_score"] > 0.85


def test_nothing_is_prepared_twice(fitted, dataset: Path) -> None:
    split, cache = read_splits(dataset)["train"], fitted[0] / "cache"
    made: list[str] = []
    index = prepare_split(split, PREPARATION, cache, lambda *line: made.append(str(line)), Variety(scans=None))
    assert made == [] and index.is_whole()
    path = cache / index.files["toy_1"][2]
    before = path.read_bytes()
    path.unlink()
    prepare_split(split, PREPARATION, cache, lambda *line: made.append(str(line)), Variety(scans=None))
    assert len(made) == 3 and path.read_bytes() == before


def test_a_split_that_was_prepared_without_traits_is_measured_again(dataset: Path, tmp_path: Path) -> None:
    split = read_splits(dataset)["train"]
    prepare_split(split, PREPARATION, tmp_path)
    traits = read_traits(split, PREPARATION, tmp_path)
    (path,) = tmp_path.glob("index-train-*.npz")
    with np.load(path) as arrays:
        former = {name: arrays[name] for name in ("mean", "deviation")}
    np.savez(path, **former)
    prepare_split(split, PREPARATION, tmp_path)
    assert read_traits(split, PREPARATION, tmp_path) == traits and traits.heads == 3
    np.testing.assert_array_equal(read_statistics(split, PREPARATION, tmp_path).mean, former["mean"])


def test_a_damaged_file_of_statistics_is_named(dataset: Path, tmp_path: Path) -> None:
    split = read_splits(dataset)["train"]
    prepare_split(split, PREPARATION, tmp_path)
    (path,) = tmp_path.glob("index-train-*.npz")
    whole = path.read_bytes()
    for damaged in (whole[:-100], whole[:100], b""):
        path.write_bytes(damaged)
        for read in (read_statistics, read_traits, prepare_split):
            with pytest.raises(InputError, match=rf"^damaged cache file: .*{path.name}.*; remove it and run again$"):
                read(split, PREPARATION, tmp_path)
    for broken in ({"traits": "{}"}, {"traits": "{"}, {}):
        np.savez(path, mean=np.zeros(6), deviation=np.ones(6), **broken)
        with pytest.raises(InputError, match="damaged cache file"):
            read_traits(split, PREPARATION, tmp_path)


def test_test_command_takes_the_best_checkpoint_and_its_configuration(
    fitted, dataset: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ["test", "--data.dataset", str(dataset), "--trainer.default_root_dir", str(fitted[0])]
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert (fitted[0] / "logs" / "metrics.csv").read_text().count("\n") > 12  # the curves are still there
    assert (fitted[0] / "test" / "metrics.csv").is_file()
    for name in ("test/miou", "test/band_accuracy", "test/distance_mae_mm", "test/part_iou_garment"):
        assert name in told


def test_curves_of_a_resumed_run_go_on(tmp_path: Path) -> None:
    cli.quiet_libraries()

    def written(resumed: bool, **numbers: float) -> list[str]:
        logger = MetricsFile(str(tmp_path), "logs", resumed)
        logger.log_metrics(numbers, 1)
        logger.save()
        return (tmp_path / "logs" / "metrics.csv").read_text().splitlines()

    assert written(False, x=1.0) == ["step,x", "1,1.0"]
    assert written(True, x=2.0) == ["step,x", "1,1.0", "1,2.0"]
    assert written(True, x=3.0, y=4.0) == ["step,x,y", "1,1.0,", "1,2.0,", "1,3.0,4.0"]
    assert written(False, y=5.0) == ["step,y", "1,5.0"]


def test_predict_writes_probabilities(fitted, dataset: Path) -> None:
    root = str(fitted[0])
    assert cli.main(["predict", "--data.dataset", str(dataset), "--trainer.default_root_dir", root]) == 0
    with np.load(fitted[0] / "predictions" / "toy_3.npz", allow_pickle=False) as file:
        assert file["probability"].min() >= 0 and file["probability"].max() <= 1
        assert len(file["probability"]) == len(file["distance_mm"]) == len(file["part"]) == len(toy_mesh(3)[0])


class _Poison:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("poisoned"),))


def test_poisoned_checkpoint_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"labeller": _Poison(), "state_dict": {}}, tmp_path / "a.ckpt")
    (tmp_path / "b.ckpt").write_bytes(pickle.dumps(_Poison()))
    for name in ("a.ckpt", "b.ckpt"):
        with pytest.raises(InputError, match="not loaded"):
            load_labeller(tmp_path / name)
    assert not (tmp_path / "poisoned").exists()


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    (tmp_path / "garbage.ckpt").write_bytes(b"\x00\x01garbage" * 50)
    (tmp_path / "empty.ckpt").touch()
    damaged = [(name, "damaged") for name in ("garbage", "empty")]
    for name, message in (("foreign", "no checkpoint of"), ("none", "missing"), *damaged):
        with pytest.raises(InputError, match=message):
            load_labeller(tmp_path / f"{name}.ckpt")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture, tmp_path: Path) -> Callable[..., str]:
    """Runs a command that has to fail, and gives its one line."""

    def run(*arguments: str) -> str:
        root = () if "--trainer.default_root_dir" in arguments else ("--trainer.default_root_dir", str(tmp_path))
        assert cli.main([*arguments, *root]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("error: ")
        return lines[-1]

    return run


def test_command_line_errors(refused, tmp_path: Path, dataset: Path) -> None:
    assert "no data set at" in refused("fit", "--data.dataset", str(tmp_path / "none"))
    assert "--data.foo" in refused("fit", "--data.dataset", str(dataset), "--data.foo", "1")
    assert "checkpoint is missing" in refused("test", "--data.dataset", str(dataset), "--ckpt_path", "none.ckpt")
    torch.save({"labeller": _Poison(), "state_dict": {}}, tmp_path / "poison.ckpt")
    for command in ("fit", "test"):
        poisoned = refused(command, "--data.dataset", str(dataset), "--ckpt_path", str(tmp_path / "poison.ckpt"))
        assert "was not loaded" in poisoned
    assert "no such file" in refused("fit", "--config", str(tmp_path / "none.yaml"))
    assert "nose" in refused("fit", "--data.dataset", str(dataset), "--data.features.names", "[nose]")


@pytest.mark.parametrize("module", ["training", "training.pixels"])
def test_errors_reach_the_shell(module: str, tmp_path: Path) -> None:
    process = _run("fit", "--data.dataset", str(tmp_path / "none"), module=module)
    assert process.returncode == 2
    assert process.stderr.startswith("error: no data set at") and process.stderr.count("\n") == 1


def test_resuming_with_other_features_is_refused(refused, fitted, dataset: Path) -> None:
    checkpoint = str(fitted[0] / "checkpoints" / "last.ckpt")
    line = refused(
        "fit",
        "--data.dataset",
        str(dataset),
        "--ckpt_path",
        checkpoint,
        "--trainer.default_root_dir",
        str(fitted[0]),
        "--config",
        str(fitted[0] / "toy.yaml"),
        "--data.eigenpairs",
        "8",
    )
    assert "data.eigenpairs = 16, this configuration has 8" in line


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), "the preparation has an option 'turn' that this version does not know"),
        (("features",), "features has an option 'turn'"),
        (("features", "backbone"), "features.backbone has an option 'turn'"),
    ],
)
def test_a_checkpoint_with_an_option_more_is_refused(
    refused, fitted, dataset: Path, tmp_path: Path, place: tuple[str, ...], line: str
) -> None:
    """As one of a later version has; to resume from, and to predict with."""
    value = torch.load(fitted[0] / "checkpoints" / "last.ckpt", weights_only=True)
    options = value["labeller"]["preparation"]
    for key in place:
        options = options[key]
    options["turn"] = True
    path = tmp_path / "later.ckpt"
    torch.save(value, path)
    config = ("--config", str(fitted[0] / "toy.yaml"), "--trainer.default_root_dir", str(tmp_path))
    assert line in refused("fit", "--data.dataset", str(dataset), "--ckpt_path", str(path), *config)
    with pytest.raises(InputError, match=f"later.ckpt can't be used: .*{line}.*; update the program"):
        load_labeller(path)


def test_a_checkpoint_without_an_option_has_its_default(fitted, tmp_path: Path) -> None:
    value = torch.load(fitted[0] / "checkpoints" / "last.ckpt", weights_only=True)
    del value["labeller"]["preparation"]["features"]["image_head"]
    torch.save(value, tmp_path / "older.ckpt")
    assert (
        load_labeller(tmp_path / "older.ckpt").preparation
        == load_labeller(fitted[0] / "checkpoints" / "last.ckpt").preparation
    )


def test_damaged_shards_are_named(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "dataset", 2, 1)
    shard = folder / "train-000000.tar"
    whole = shard.read_bytes()
    split = read_splits(folder)["train"]
    shard.write_bytes(whole[:3000] + b"\x00" * 3000 + whole[6000:])
    with pytest.raises(InputError, match=r"damaged shard: .*train-000000\.tar"):
        prepare_split(split, PREPARATION, tmp_path / "cache")
    shard.unlink()
    with pytest.raises(InputError, match="shard is missing"):
        read_splits(folder)
    description = json.loads((folder / "dataset.json").read_text())
    for name in ("pipe:touch poisoned", "../train-000000.tar", "/etc/passwd"):
        description["splits"]["train"]["shards"][0]["name"] = name
        (folder / "dataset.json").write_text(json.dumps(description))
        with pytest.raises(InputError, match="no shard name"):
            read_splits(folder)


def test_statistics_and_labels_of_prepared_heads(dataset: Path, tmp_path: Path) -> None:
    split = read_splits(dataset)["train"]
    index = prepare_split(split, PREPARATION, tmp_path)
    heads = [index.load(name) for name in split.ids]
    rows = np.concatenate([head.features for head in heads]).astype(float)
    statistics = read_statistics(split, PREPARATION, tmp_path)
    np.testing.assert_allclose(statistics.mean, rows.mean(0), rtol=1e-4, atol=1e-6)
    deviation = rows.std(0)
    np.testing.assert_allclose(statistics.deviation, np.where(deviation > 1e-6, deviation, 1), rtol=1e-3)
    for seed, head in enumerate(heads):
        np.testing.assert_array_equal(head.targets.skin, toy_mesh(seed)[2][head.mesh.source])
    no_cache = prepare_head(_head(dataset, 0), PREPARATION, None)
    np.testing.assert_array_equal(no_cache.features, heads[0].features)
    np.testing.assert_array_equal(no_cache.operators.eigenvectors, heads[0].operators.eigenvectors)


def _head(dataset: Path, seed: int) -> HeadSample:
    from tests.training.toy import toy_sample

    return HeadSample.from_sample({"__key__": f"toy_{seed}", **toy_sample(seed)}, "shard")


def _labeller(**options: object) -> SkinLabeller:
    labeller = SkinLabeller(width=8, blocks=1, **options)
    labeller.build(PREPARATION, ["colour"] * 3 + ["visibility"] * 2 + ["surface_variation"])
    return labeller


@pytest.fixture(scope="module")
def prepared(dataset: Path) -> PreparedHead:
    return prepare_head(_head(dataset, 0), PREPARATION, None)


def test_the_first_heads_alone(fitted, dataset: Path, tmp_path: Path) -> None:
    """Part of a data set: its heads, the shards that they need, and statistics of them alone."""
    features = FeatureConfig(["colour"])
    few = HeadData(str(dataset), str(tmp_path), features, vertices=300, eigenpairs=8, heads=2)
    few.prepare("fit")
    few.setup("fit")
    assert few.training_heads() == 2 and len(few.train_dataloader()) == 2
    assert len(few.val_dataloader()) == 1  # other splits are whole
    every = HeadData(str(dataset), str(tmp_path), features, vertices=300, eigenpairs=8)
    every.prepare("fit")
    every.setup("fit")
    assert every.training_heads() == 3 and len(every.train_dataloader()) == 3
    batches = list(few.train_dataloader())
    mean = torch.cat([batch.features for batch in batches]).float().mean(0)
    np.testing.assert_allclose(few.statistics().mean, mean, atol=2e-3)
    assert np.abs(few.statistics().mean - every.statistics().mean).max() > 1e-5
    for heads in (0, 4):
        with pytest.raises(InputError, match=f"`data.heads` is {heads}, the train split has 3 heads"):
            HeadData(str(dataset), str(tmp_path), heads=heads).training_heads()
    root, _ = fitted
    path = root / "checkpoints" / "last.ckpt"
    assert read_checkpoint(path)["labeller"]["training_heads"] == load_labeller(path).training_heads == 3


def test_a_run_goes_on_with_the_heads_that_it_prepared_where_the_data_set_grows(tmp_path: Path) -> None:
    folder, options = tmp_path / "dataset", {"features": FeatureConfig(["colour"]), "vertices": 300, "eigenpairs": 8}
    write_dataset(folder, 2)
    data = HeadData(str(folder), **options)
    data.prepare("fit")
    write_dataset(folder, 3)
    data.setup("fit")
    assert data.training_ids() == ("toy_0", "toy_1") and data.traits().heads == 2 and len(data.statistics().mean) == 3
    assert {batch.id for batch in data.train_dataloader()} == {"toy_0", "toy_1"}
    assert [batch.id for batch in data.val_dataloader()] == ["toy_2"]
    late = HeadData(str(folder), **options)  # of a process that was started last
    late.agree("fit", lambda _: data.splits())
    late.setup("fit")
    assert {batch.id for batch in late.train_dataloader()} == {"toy_0", "toy_1"}
    again = HeadData(str(folder), **options)
    again.prepare("fit")
    assert again.training_ids() == ("toy_0", "toy_1", "toy_2")


def test_loss_weighs_skin_seven_to_three(prepared: PreparedHead) -> None:
    labeller, batch = _labeller(), to_batch(prepared)
    scores = torch.randn(len(batch.targets.skin), 2, generator=torch.Generator().manual_seed(0))
    surprise = -scores.log_softmax(1)[torch.arange(len(scores)), batch.targets.skin]
    weights = torch.where(batch.targets.skin == 1, 0.7, 0.3)
    loss = labeller._losses(Outputs(scores), batch.targets)["loss"]
    torch.testing.assert_close(loss, (weights * surprise).sum() / weights.sum())


@pytest.mark.parametrize("options", [{"network": "mlp"}, {"image_width": 4}, {"feature_dropout": 0.5}])
def test_variants_give_two_scores_a_vertex(prepared: PreparedHead, options: dict) -> None:
    labeller = SkinLabeller(width=8, blocks=1, **options)
    labeller.build(PREPARATION, ["image"] * 3 + ["visibility"] * 2 + ["surface_variation"])
    assert (labeller.reduction is not None) == ("image_width" in options)
    assert labeller(to_batch(prepared)).skin.shape == (len(prepared.mesh.vertices), 2)


def test_variance_over_the_views_is_scaled_as_one() -> None:
    names = ["surface_variation", *["image"] * 6, "hks"]
    features = torch.rand(40, len(names), generator=torch.Generator().manual_seed(1)).add(1).half()
    labeller = SkinLabeller(width=8, blocks=1, variance_jitter=6)
    labeller.build(Preparation(FeatureConfig(["surface_variation", "image", "hks"], hks_scales=1)), names)
    factors = []
    torch.manual_seed(0)
    for _ in range(200):
        ratio = labeller._jittered(features) / features
        assert (ratio[:, [0, 1, 2, 3, 7]] == 1).all()
        assert ratio[:, 4:7].std() < 1e-4
        factors.append(float(ratio[0, 4]))
    assert 1 / 6 <= min(factors) < 0.25 and 4 < max(factors) <= 6 and abs(np.mean(np.log(factors))) < 0.3
    single = features.float()
    before = single.clone()
    assert (labeller._jittered(single) != before).any() and (single == before).all(), "the batch was changed"
    labeller.variance_jitter = 1
    assert labeller._jittered(features) is features
    means = SkinLabeller(width=8, blocks=1, variance_jitter=6)
    means.build(Preparation(FeatureConfig(["image"], fusion="weighted_mean")), ["image"] * 6)
    assert means._jittered(features) is features


@pytest.mark.parametrize(
    "options",
    [
        {"variance_jitter": 0.5},
        {"variance_jitter": float("nan")},
        {"width": 0},
        {"blocks": 0},
        {"dropout": 1.0},
        {"learning_rate": 0.0},
        {"skin_weight": 1.0},
    ],
)
def test_options_out_of_range_are_named(options: dict) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(options))}`"):
        SkinLabeller(**options)


def test_unusable_images_are_refused(dataset: Path) -> None:
    head = _head(dataset, 0)
    wide = head.cameras[0].resized(head.cameras[0].width * 2, head.cameras[0].height)
    with pytest.raises(InputError, match="another shape"):
        prepare_head(replace(head, cameras=(wide, *head.cameras[1:])), PREPARATION, None)
    with pytest.raises(InputError, match=r"damaged image: view_00\.jpg of sample toy_0"):
        prepare_head(replace(head, images=(b"nothing", *head.images[1:])), PREPARATION, None)


def test_missing_splits_are_named(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "dataset", 1, 1)
    description = json.loads((folder / "dataset.json").read_text())
    description["splits"]["test"]["ids"] = []
    (folder / "dataset.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="no test heads"):
        HeadData(str(folder)).test_dataloader()
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="no data set at"):
        HeadData(str(folder)).prepare_data()


def test_main_returns_the_exit_code(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "run", lambda *given: (_ for _ in ()).throw(InputError("wrong")))
    assert cli.main([]) == 2
    assert capsys.readouterr().err == "error: wrong\n"
