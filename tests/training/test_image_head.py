"""The trainable image head against dense up-convolutions, its memory, and its way through training."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from capture import InputError
from scans.visibility import Views
from tests.training.toy import write_capture
from training import cli
from training.checkpoints.labeller import load_labeller, read_checkpoint
from training.data.prepared_index import prepare_split
from training.data.shards import read_splits
from training.diffusion_net import DiffusionNet
from training.features import FeatureConfig, image_head
from training.features.image_head import ImageHead, ImageSamples, bilinear_corners
from training.features.lifting import lift
from training.model.module import SkinLabeller
from training.preparation.copies import Variety
from training.preparation.settings import Preparation
from training.segment import segment_capture

REPO = Path(__file__).resolve().parents[2]


def _samples(seed: int, points: int = 60) -> ImageSamples:
    """Two maps of different shapes; some points are in one view only, some in none."""
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.randn(*shape, 6, generator=generator).half() for shape in ((3, 4), (5, 1))]
    where = torch.rand(2, points, 2, generator=generator) * 1.1 - 0.05
    weights = torch.rand(2, points, generator=generator)
    weights[:, :5] = weights[0, 5:9] = 0
    return ImageSamples(maps, where, weights / weights.sum(0).clamp(min=1e-9))


def _dense(head: ImageHead, samples: ImageSamples) -> torch.Tensor:
    """The same with whole maps, by torch's transposed convolution and its sampling, and both moments at once."""
    views = []
    for tokens, where in zip(samples.maps, samples.where, strict=True):
        image = ((tokens.float() - head.token_mean) / head.token_deviation).permute(2, 0, 1)[None]
        for i, layer in enumerate(head.layers):
            kernel = layer.weight.unflatten(0, (2, 2)).permute(2, 3, 0, 1)
            image = functional.conv_transpose2d(image, kernel, layer.bias, stride=2)
            if i < len(head.norms):
                image = functional.gelu(head.norms[i](image.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        grid = (2 * where - 1)[None, None]
        views.append(functional.grid_sample(image, grid, padding_mode="border", align_corners=False)[0, :, 0].T)
    values, weights = torch.stack(views), samples.weights[..., None]
    mean = (weights * values).sum(0)
    return torch.cat([mean, (weights * (values - mean) ** 2).sum(0)], 1) if head.variance else mean


@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("chunk", [7, 1000])
def test_head_and_its_gradients_equal_dense_maps(variance: bool, chunk: int, monkeypatch) -> None:
    monkeypatch.setattr(image_head, "CHUNK", chunk)
    torch.manual_seed(0)
    head, samples = ImageHead(6, 8, variance), _samples(0)
    head.token_mean.fill_(0.1)
    head.token_deviation.fill_(1.3)
    ours, theirs = head(samples), _dense(head, samples)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert (ours[:5] == 0).all() and ours.shape == (60, head.channels)
    slope = torch.randn_like(ours)
    gradients = torch.autograd.grad(ours, list(head.parameters()), slope)
    expected = torch.autograd.grad(theirs, list(head.parameters()), slope)
    for a, b in zip(gradients, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**31))
def test_corners_equal_those_of_lifting(height: int, width: int, seed: int) -> None:
    where = np.random.default_rng(seed).random((9, 2)) * 1.2 - 0.1
    pixels, shares = bilinear_corners(torch.from_numpy(where), height, width)
    dense = np.zeros((9, height * width))
    np.add.at(dense, (np.arange(9)[:, None], pixels.numpy()), shares.numpy())
    pixel = np.eye(height * width).reshape(height, width, -1)  # a channel for each
    everywhere = np.ones((1, 9))
    lifted = lift([pixel], Views(where[None], everywhere > 0, everywhere), "mean")
    np.testing.assert_allclose(dense, lifted, atol=1e-6)


def test_mixed_precision_reaches_the_backward_pass() -> None:
    torch.manual_seed(0)
    head, samples = ImageHead(6, 8), _samples(1)
    with torch.autocast("cpu", torch.bfloat16):
        rough = head(samples)
    exact = head(samples)
    assert 0 < (rough - exact).abs().max() < 0.1
    a, b = (torch.autograd.grad(item.square().sum(), head.layers[0].weight)[0] for item in (rough, exact))
    assert 0 < (a - b).norm() < 0.05 * b.norm()


def test_frozen_layers_and_dropped_channels() -> None:
    torch.manual_seed(0)
    head, samples = ImageHead(6, 8), _samples(2)
    kept = torch.tensor([2.0, 0, 0, 2, 2, 2])
    other = ImageSamples([item.clone() for item in samples.maps], samples.where, samples.weights)
    for item in other.maps:
        item[..., 1:3] = 9
    torch.testing.assert_close(head(samples, kept), head(other, kept))
    head.layers[0].weight.requires_grad_(False)
    head(samples).sum().backward()
    assert head.layers[0].weight.grad is None and head.layers[1].weight.grad is not None


def test_size_of_the_papers_head() -> None:
    """The paper counts 3.7 M parameters in all: of tokens with 512 channels, that is what these layers give."""
    parts = ImageHead(512, 512), DiffusionNet(2 * 512 + 1, 2)
    assert sum(item.numel() for part in parts for item in part.parameters()) == pytest.approx(3.7e6, rel=0.02)
    assert sum(item.numel() for item in ImageHead(768, 512).parameters()) == 3_673_600


PROGRAM = """
import resource, torch
from factory.stages.usage import peak_bytes
from training.features.image_head import ImageHead, ImageSamples
torch.set_num_threads(2)
generator = torch.Generator().manual_seed(0)
maps = [torch.randn(73, 73, 768, generator=generator).half() for _ in range(13)]
where = torch.rand(13, 20000, 2, generator=generator)
weights = torch.zeros(13, 20000)
weights[0, :4096] = 1  # a full piece of work; their number takes time, not memory
weights[1:, 8000:8100] = 1 / 12
head = ImageHead(768, 512)
head(ImageSamples(maps, where, torch.zeros(13, 20000)))
before = peak_bytes(resource.getrusage(resource.RUSAGE_SELF))
head(ImageSamples(maps, where, weights)).sum().backward()
print((peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) - before) / 2**20)
"""


def test_memory_of_a_step_with_13_images_of_1024_pixels() -> None:
    """DINOv2 ViT-S at 1022 pixels, two layers, 20,000 vertices: less than 1 GB, whole maps take 28."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=REPO, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1000


@pytest.fixture(scope="module")
def fitted(dataset: Path, tiny_dinov2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("image_head")
    backbone = {"source": str(tiny_dinov2), "layers": [1, 2], "resolution": 112}
    features = {"names": ["image", "surface_variation"], "image_head": True, "backbone": backbone}
    config = {
        "seed_everything": 0,
        "model": {"width": 16, "blocks": 1, "image_width": 16, "learning_rate": 0.01, "feature_dropout": 0.1},
        "data": {"features": features, "vertices": 500, "eigenpairs": 16, "dataset": str(dataset)},
        "trainer": {"max_epochs": 8, "accelerator": "cpu", "default_root_dir": str(root)},
    }
    (root / "toy.yaml").write_text(json.dumps(config))
    assert cli.main(["fit", "--config", str(root / "toy.yaml")]) == 0
    return root


def test_head_is_trained_and_segments(fitted: Path, dataset: Path, tmp_path: Path) -> None:
    checkpoint = fitted / "checkpoints" / "best.ckpt"
    best = read_checkpoint(checkpoint)
    (state,) = [value for key, value in best["callbacks"].items() if key.startswith("ModelCheckpoint")]
    assert state["best_model_score"] > 0.8
    labeller = load_labeller(checkpoint)
    assert labeller.image_head is not None and labeller.image_head.token_deviation.std() > 0
    assert labeller.channels == ["surface_variation"]
    capture = write_capture(tmp_path / "toy_7", 7)
    assert segment_capture(capture, checkpoint).skin.any()
    assert cli.main(["test", "--data.dataset", str(dataset), "--trainer.default_root_dir", str(fitted)]) == 0


def test_placement_and_tokens_are_found_again(fitted: Path, dataset: Path) -> None:
    preparation = load_labeller(fitted / "checkpoints" / "best.ckpt").preparation
    assert preparation is not None
    index = prepare_split(
        read_splits(dataset)["train"],
        preparation,
        dataset / "cache",
        lambda *_: pytest.fail("made"),
        Variety(scans=None),
    )
    prepared = index.load("toy_0")
    assert prepared.image is not None and prepared.features.shape[1] == 1
    assert [tokens.shape for tokens in prepared.image.tokens] == [(8, 8, 48)] * 3
    assert all(isinstance(tokens, np.memmap) and tokens.dtype == np.float16 for tokens in prepared.image.tokens)
    total = prepared.image.placement.weights.sum(0)
    assert (np.isclose(total, 1, atol=1e-5) | (total == 0)).all()


def test_head_needs_images_and_a_width(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`image_head` needs image"):
        FeatureConfig(["hks"], image_head=True)
    with pytest.raises(InputError, match=r"`image_width`; the paper's is 512"):
        SkinLabeller().build(Preparation(FeatureConfig(image_head=True)), ["surface_variation"], 48)
