"""The per-image segmenter: pictures of a data set, their changes, the network, its command, and the trained thing."""

import json
import pickle
import subprocess
import sys
from itertools import product
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.pytorch.callbacks import Callback

from capture import SKIN_CLASSES, InputError, PixelClass
from tests.training.toy import toy_camera, toy_image, toy_mask, toy_mesh, write_dataset
from training.callbacks.resume_point import ResumePoint, Stopped
from training.command import quiet_libraries
from training.data.samplers import SampleIndex
from training.data.shards import read_splits
from training.image_changes import IGNORED, Augmentation, Change, change
from training.pixels import cli
from training.pixels.cache import decode_images
from training.pixels.data import PixelData
from training.pixels.metrics import CLASSES, PixelMetrics, skin_probability
from training.pixels.module import PixelLabeller, dice_loss
from training.pixels.network import UNet
from training.pixels.segmenter import UNetSegmenter

REPO = Path(__file__).resolve().parents[2]
STILL = dict.fromkeys(("flip", "scale", "turn", "shift", "colour", "blur", "noise", "jpeg"), 0)
OPTIONS = {
    "seed_everything": 0,
    "model": {"channels": [8, 16, 24], "learning_rate": 0.02},
    "data": {"resolution": 56, "batch_size": 3, "augmentation": STILL},
    "trainer": {"max_epochs": 200, "check_val_every_n_epoch": 200, "accelerator": "cpu"},
}


@pytest.fixture(scope="session")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One toy head of three views to train on, one to test with, both with masks."""
    return write_dataset(tmp_path_factory.mktemp("pixels") / "dataset", 1, 1, masks=True)


@pytest.fixture(scope="session")
def trained(masked: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run that learns three pictures by heart, and what it said."""
    root = tmp_path_factory.mktemp("run")
    (root / "toy.yaml").write_text(json.dumps(OPTIONS))
    words = ("fit", "--config", str(root / "toy.yaml"), "--data.dataset", str(masked))
    command = [sys.executable, "-m", "training.pixels", *words, "--trainer.default_root_dir", str(root)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return root, done.stderr + done.stdout


def test_fit_learns_pictures_by_heart(trained: tuple[Path, str]) -> None:
    root, said = trained
    assert "prepared 1 of 1: toy_0" in said and "epoch 200 of 200" in said and "val mIoU of skin" in said
    for word in ("Warning", "deprecat", "GPU", "Tip"):
        assert word not in said
    assert {path.name for path in (root / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    vertices, _, bump = toy_mesh(0)
    for step, least in ((2, 0.85), (1, 0.7)):  # the resolution of training, and twice that
        segmenter = UNetSegmenter(root / "checkpoints" / "last.ckpt", longest=112 // step)
        for camera in (toy_camera(view, 3) for view in range(3)):
            skin = segmenter.skin(toy_image(camera, vertices, bump))
            target = np.isin(toy_mask(camera, vertices, bump), SKIN_CLASSES)[step - 1 :: step, step - 1 :: step]
            assert skin.shape == target.shape and skin.dtype == np.float32
            predicted = skin > 0.5
            assert (predicted & target).sum() / (predicted | target).sum() > least


def test_answers_are_at_the_images_resolution_up_to_a_side(trained: tuple[Path, str]) -> None:
    path = trained[0] / "checkpoints" / "last.ckpt"
    segmenter = UNetSegmenter(path, longest=112)
    rng = np.random.default_rng(0)
    for shape, wanted in (((40, 31), (40, 31)), ((112, 50), (112, 50)), ((224, 101), (112, 50)), ((3, 300), (1, 112))):
        skin = segmenter.skin(rng.integers(0, 256, (*shape, 3)).astype(np.uint8))
        assert skin.shape == wanted and skin.min() >= 0 and skin.max() <= 1
    camera, (vertices, _, bump) = toy_camera(1, 3), toy_mesh(0)
    image = toy_image(camera, vertices, bump)
    large = np.repeat(np.repeat(image, 3, 0), 3, 1)
    few, many = segmenter.skin(image), segmenter.skin(large)
    assert few.shape == many.shape and ((few > 0.5) == (many > 0.5)).mean() > 0.98
    assert UNetSegmenter(path).skin(image).shape == (56, 56)  # as in training


def test_keys_tell_answers_apart(trained: tuple[Path, str], tmp_path: Path) -> None:
    path = trained[0] / "checkpoints" / "last.ckpt"
    key = UNetSegmenter(path).key
    value = torch.load(path, weights_only=True)
    value["callbacks"] = {}
    torch.save(value, tmp_path / "same.ckpt")
    assert UNetSegmenter(tmp_path / "same.ckpt").key == key
    assert UNetSegmenter(path, longest=56).key == key != UNetSegmenter(path, longest=112).key
    value["state_dict"]["network.entry.bias"][0] += 1e-3
    torch.save(value, tmp_path / "other.ckpt")
    assert UNetSegmenter(tmp_path / "other.ckpt").key != key


def test_test_command_takes_resolution_and_network_from_the_checkpoint(
    trained: tuple[Path, str], masked: Path, capsys: pytest.CaptureFixture
) -> None:
    root = str(trained[0])
    assert cli.main(["test", "--data.dataset", str(masked), "--trainer.default_root_dir", root]) == 0
    said = capsys.readouterr().out
    for name in ("test/miou", "test/iou_skin", "test/class_miou", "test/class_iou_garment"):
        assert name in said
    assert "test/class_iou_mouth" not in said  # nobody has it
    assert {int(path.stem.rsplit("-", 1)[1]) for path in (masked / "cache" / "pixels").iterdir()} == {56}


class _Poison:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("poisoned"),))


def test_other_files_are_refused_in_one_line(
    trained: tuple[Path, str],
    masked: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"pixels": _Poison(), "state_dict": {}}, "poison.ckpt")
    Path("pickle.ckpt").write_bytes(pickle.dumps(_Poison()))
    Path("garbage.ckpt").write_bytes(b"\x00\x01garbage" * 50)
    torch.save({"labeller": {}, "state_dict": {}}, "labeller.ckpt")
    value = torch.load(trained[0] / "checkpoints" / "last.ckpt", weights_only=True)
    torch.save({**value, "pixels": {**value["pixels"], "classes": ["skin"]}}, "classes.ckpt")
    torch.save({**value, "hyper_parameters": {"channels": [8, 16]}}, "network.ckpt")
    cases = {
        "none": "is missing",
        "poison": "not loaded",
        "pickle": "not loaded",
        "garbage": "damaged",
        "labeller": "no checkpoint of a per-image segmenter",
        "classes": "other classes",
        "network": "doesn't fit",
    }
    for name, message in cases.items():
        with pytest.raises(InputError, match=message) as error:
            UNetSegmenter(Path(f"{name}.ckpt"))
        assert f"{name}.ckpt" in str(error.value) and "\n" not in str(error.value)
    assert cli.main(["test", "--data.dataset", str(masked), "--ckpt_path", "poison.ckpt"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: poison.ckpt")
    assert not Path("poisoned").exists()
    with pytest.raises(InputError, match="at least 16"):
        UNetSegmenter(trained[0] / "checkpoints" / "last.ckpt", longest=3)


def test_a_data_set_without_masks_is_refused(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    words = ["fit", "--data.dataset", str(dataset), "--data.cache", str(tmp_path)]
    assert cli.main([*words, "--trainer.default_root_dir", str(tmp_path)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and "no class masks" in line and "p2p pack" in line


def test_pictures_are_decoded_once_and_fit_the_square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_dataset(tmp_path / "dataset", 2, 1, masks=True)
    split = read_splits(folder)["train"]
    made: list[str] = []
    pictures = decode_images(split, 56, tmp_path, lambda name, *_: made.append(name))
    assert made == ["toy_0", "toy_1"] and len(pictures) == 6
    again = decode_images(split, 56, tmp_path, lambda *_: pytest.fail("decoded again"))
    assert again.files == pictures.files
    for number, (seed, view) in enumerate(product((0, 1), range(3))):
        image, classes = pictures.load(number)
        camera, (vertices, _, bump) = toy_camera(view, 3), toy_mesh(seed)
        np.testing.assert_array_equal(classes, toy_mask(camera, vertices, bump)[1::2, 1::2])
        blocks = toy_image(camera, vertices, bump).reshape(56, 2, 56, 2, 3).mean((1, 3))
        assert np.abs(image - blocks).mean() < 4
    (tmp_path / pictures.files[0][0]).write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged cache file"):
        pictures.load(0)


def _coloured(seed: int, height: int = 48, width: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Blobs of classes, and an image whose red tells the class."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, len(PixelClass), (4, 4)).astype(np.uint8)
    classes = np.kron(coarse, np.ones((height // 4, width // 4), np.uint8))
    return np.stack([classes * 20, classes * 10, 255 - classes], axis=-1), classes


def test_a_mirrored_image_has_mirrored_classes() -> None:
    image, classes = _coloured(0)
    flipped, ids = change(image, classes, Change(flip=True))
    np.testing.assert_array_equal(flipped, image[:, ::-1])
    np.testing.assert_array_equal(ids, classes[:, ::-1])
    same, known = change(image, classes, Change())
    np.testing.assert_array_equal(same, image)
    np.testing.assert_array_equal(known, classes)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_image_and_classes_move_together(seed: int) -> None:
    image, classes = _coloured(seed)
    what = Augmentation(colour=0, blur=0, noise=0, jpeg=0).sample(np.random.default_rng(seed))
    moved, ids = change(image, classes, what)
    assert moved.shape == image.shape and ids.shape == classes.shape
    padded = np.pad(ids, 1, constant_values=IGNORED)
    around = np.stack([padded[r : r + 48, c : c + 40] for r, c in product(range(3), range(3))])
    inside = (around == ids).all(0) & (ids != IGNORED)
    assert inside.sum() > 50
    np.testing.assert_array_equal(np.rint(moved[..., 0][inside] / 20), ids[inside])
    assert what.scale < 1 or (ids != IGNORED).mean() > 0.4


def test_a_change_goes_the_way_that_it_says() -> None:
    image = np.zeros((41, 41, 3), np.uint8)
    classes = np.zeros((41, 41), np.uint8)
    classes[18:23, 28:33] = 1
    rows, columns = np.nonzero(change(image, classes, Change(shift=(0.1, -0.2)))[1] == 1)
    assert (rows.mean(), columns.mean()) == pytest.approx((20 - 8.2, 30 + 4.1), abs=0.6)
    rows, columns = np.nonzero(change(image, classes, Change(scale=1.5))[1] == 1)
    assert (rows.mean(), columns.mean()) == pytest.approx((20, 20 + 15), abs=0.6)
    rows, columns = np.nonzero(change(image, classes, Change(turn=np.pi / 2))[1] == 1)
    assert abs(rows.mean() - 20) == pytest.approx(10, abs=0.6) and columns.mean() == pytest.approx(20, abs=0.6)


def test_colours_change_and_classes_stay() -> None:
    image, classes = _coloured(3)
    grey = np.full_like(image, 100)
    brighter, ids = change(grey, classes, Change(gain=(1.5, 1.0, 0.5)))
    np.testing.assert_array_equal(brighter[0, 0], [150, 100, 50])
    np.testing.assert_array_equal(ids, classes)
    pale, _ = change(image, classes, Change(saturation=0.0))
    assert np.ptp(pale.astype(int), axis=-1).max() <= 1
    for what in (Change(contrast=0.5), Change(gamma=2.0), Change(blur=2.0), Change(noise=0.1), Change(jpeg=20)):
        assert np.abs(change(image, classes, what)[0].astype(int) - image).mean() > 0.5
    noisy = Change(noise=0.1, noise_seed=7)
    np.testing.assert_array_equal(change(image, classes, noisy)[0], change(image, classes, noisy)[0])


def test_changes_follow_from_seed_epoch_and_image(masked: Path) -> None:
    def augmented(seed: int, epoch: int, index: int) -> np.ndarray:
        data = PixelData(str(masked), resolution=56, seed=seed)
        data.prepare("fit")
        return data.train_dataloader().dataset[SampleIndex(index, (epoch, 0))].image.numpy()

    np.testing.assert_array_equal(augmented(0, 2, 1), augmented(0, 2, 1))
    assert len({augmented(*numbers).tobytes() for numbers in ((0, 2, 1), (1, 2, 1), (0, 3, 1), (0, 2, 0))}) == 4
    data = PixelData(str(masked), resolution=56)
    data.prepare("validate")
    batch = next(iter(data.val_dataloader()))
    assert batch.image.shape == (3, 56, 56, 3) and batch.epoch.tolist() == [-1, -1, -1]
    assert (data.val_dataloader().dataset[SampleIndex(0, counted=False)].classes == IGNORED).all()


@pytest.mark.parametrize("options", [{"flip": 2}, {"scale": -1}, {"noise": -1}])
def test_augmentations_that_make_no_sense(options: dict) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(options))}`"):
        Augmentation(**options)


@pytest.mark.parametrize("size", [(64, 64), (33, 17), (1, 5)])
def test_scores_have_the_images_size(size: tuple[int, int]) -> None:
    network = UNet(5, (8, 16, 24))
    assert network(torch.rand(2, 3, *size)).shape == (2, 5, *size)
    with pytest.raises(ValueError, match="multiples of 8"):
        UNet(5, (8, 12))
    with pytest.raises(InputError, match=r"model\.channels"):
        PixelLabeller(channels=(3,))


def test_the_network_is_small() -> None:
    assert sum(values.numel() for values in PixelLabeller().parameters()) < 2e6


def test_dice_loss_is_zero_for_the_truth_and_one_for_its_opposite() -> None:
    classes = torch.tensor([[[0, 0, 1, 2], [1, 1, 2, IGNORED]]])
    right = torch.full((1, 12, 2, 4), -50.0)
    right.scatter_(1, classes.masked_fill(classes == IGNORED, 5)[:, None], 50.0)
    assert float(dice_loss(right, classes)) == pytest.approx(0, abs=1e-6)
    assert float(dice_loss(right.roll(6, dims=1), classes)) == pytest.approx(1, abs=1e-6)
    assert float(dice_loss(right, torch.full_like(classes, IGNORED))) == 0
    half = torch.zeros(1, 12, 2, 4)
    half[:, 2:] = -50.0  # one half each for classes 0 and 1
    zeros = torch.zeros_like(classes)
    assert float(dice_loss(half, zeros)) == pytest.approx(1 - 2 * 4 / (4 + 8), abs=1e-6)


def test_metrics_are_counts_of_pixels() -> None:
    rng = np.random.default_rng(0)
    metrics = PixelMetrics()
    scores = torch.from_numpy(rng.normal(0, 2, (4, 12, 9, 7)).astype(np.float32))
    classes = rng.integers(0, 11, (4, 9, 7))
    classes[rng.random(classes.shape) < 0.2] = IGNORED
    for part in (slice(0, 3), slice(3, 4)):
        metrics.update(scores[part], torch.from_numpy(classes[part]), torch.tensor(1.0))
    known = classes != IGNORED
    target = np.isin(classes, [PixelClass.SKIN, PixelClass.BROWS, PixelClass.LASHES])[known]
    predicted = (skin_probability(scores).numpy() > 0.5)[known]
    values = metrics.compute()
    skin, other = (
        (target & predicted).sum() / (target | predicted).sum(),
        (~target & ~predicted).sum() / (~target | ~predicted).sum(),
    )
    assert float(values["iou_skin"]) == pytest.approx(skin)
    assert float(values["miou"]) == pytest.approx((skin + other) / 2)
    guess, garment = scores.argmax(1).numpy(), PixelClass.GARMENT
    both = (guess[known] == garment) & (classes[known] == garment)
    either = (guess[known] == garment) | (classes[known] == garment)
    assert float(values["class_iou_garment"]) == pytest.approx(both.sum() / either.sum())
    assert CLASSES[garment] == "garment"
    metrics.reset()
    metrics.update(scores, torch.full((4, 9, 7), IGNORED), torch.tensor(1.0))
    assert metrics.compute()["miou"].isnan()


class _Witness(Callback):
    """Writes down the places of the images that are trained on, and asks to stop before one step."""

    def __init__(self, stop: ResumePoint | None = None, at: int = 0) -> None:
        self.seen: list[tuple[int, int]] = []
        self._stop, self._at, self._steps = stop, at, 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.seen += zip(batch.epoch.tolist(), batch.step.tolist(), strict=True)
        self._steps += 1
        if self._stop is not None and self._steps == self._at:
            self._stop._ask(0, None)


def test_a_stopped_run_goes_on_behind_its_last_batch(tmp_path: Path) -> None:
    quiet_libraries()
    folder = write_dataset(tmp_path / "dataset", 2, 1, masks=True)

    def train(witness: _Witness, point: ResumePoint, resume: Path | None = None) -> None:
        data = PixelData(str(folder), resolution=16, batch_size=4)
        data.prepare("fit")
        trainer = lightning.Trainer(
            max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
            default_root_dir=tmp_path, num_sanity_val_steps=0, use_distributed_sampler=False,
            enable_checkpointing=False, limit_val_batches=0, callbacks=[witness, point],
        )  # fmt: skip
        trainer.fit(PixelLabeller(channels=(8,)), data, ckpt_path=resume, weights_only=True)

    path = tmp_path / "resume.ckpt"
    point = ResumePoint(path)
    first, second = _Witness(point, 3), _Witness()  # two steps an epoch, four images and two
    with pytest.raises(Stopped):
        train(first, point)
    train(second, ResumePoint(path), path)
    assert first.seen + second.seen == [(epoch, step) for epoch in range(3) for step in range(6)]
    assert len(first.seen) == 10


def test_the_configuration_file_is_whole(capsys: pytest.CaptureFixture) -> None:
    path = Path(cli.__file__).parents[1] / "configs" / "pixels.yaml"
    with pytest.raises(SystemExit) as done:
        cli.run(["fit", "--config", str(path), "--data.dataset", "none", "--print_config"])
    assert done.value.code == 0
    options = yaml.safe_load(capsys.readouterr().out)
    assert (options["data"]["resolution"], options["data"]["augmentation"]["flip"]) == (256, 0.5)
    assert options["checkpoint"]["monitor"] == "val/miou"
    assert sum(values.numel() for values in PixelLabeller(**options["model"]).parameters()) < 2e6


def test_the_last_checkpoint_is_of_the_last_epoch(masked: Path, tmp_path: Path) -> None:
    """Also where no epoch is better than the first; and a run goes on from it."""
    words = ["fit", "--data.dataset", str(masked), "--data.cache", str(tmp_path), "--data.resolution", "16"]
    words += ["--model.channels", "[8]", "--trainer.default_root_dir", str(tmp_path), "--trainer.accelerator", "cpu"]
    still = ["--model.learning_rate", "1e-12", "--model.weight_decay", "0"]
    assert cli.main([*words, *still, "--trainer.max_epochs", "3"]) == 0
    folder = tmp_path / "checkpoints"
    epochs = {name: torch.load(folder / f"{name}.ckpt", weights_only=True)["epoch"] for name in ("best", "last")}
    assert epochs == {"best": 0, "last": 2}
    resumed = ["--trainer.max_epochs", "4", "--ckpt_path", str(folder / "last.ckpt")]
    assert cli.main([*words, *still, *resumed]) == 0
    value = torch.load(folder / "last.ckpt", weights_only=True)
    assert (value["epoch"], value["global_step"]) == (3, 4)  # three images, one batch an epoch
    curves = (tmp_path / "logs" / "metrics.csv").read_text().splitlines()
    column = curves[0].split(",").index("train/loss")
    assert sum(bool(line.split(",")[column]) for line in curves[1:]) == 4
