"""Per-image baselines: what they take for skin, and which files they refuse."""

import hashlib
import inspect
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from capture import InputError, PixelClass
from evaluation.baselines import SKIN_CLASSES, PixelSegmenter, bisenet, selfie
from evaluation.baselines.bisenet import BiSeNet, BiSeNetSegmenter
from evaluation.baselines.selfie import SelfieSegmenter, probabilities
from training.pixels.segmenter import UNetSegmenter

# Of the file that is passed round for face parsing (191 tensors of 13,313,119 numbers): its lines "name shape", sorted.
PUBLISHED = "3fbee299cf8e9aea"


def test_what_counts_as_skin_in_our_masks() -> None:
    assert {item.name for item in PixelClass if item in SKIN_CLASSES} == {"SKIN", "BROWS", "LASHES"}


@pytest.mark.parametrize("kind", [BiSeNetSegmenter, SelfieSegmenter, UNetSegmenter])
def test_segmenters_have_one_form(kind: type) -> None:
    assert isinstance(inspect.getattr_static(kind, "key"), property)
    names = [list(inspect.signature(thing.skin).parameters) for thing in (kind, PixelSegmenter)]
    assert names[0] == names[1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights: a fixture, as nothing in the program makes such weights."""
    path = tmp_path_factory.mktemp("bisenet") / "weights.pth"
    torch.manual_seed(0)
    torch.save(BiSeNet(19).state_dict(), path)
    return path


def test_bisenet_has_the_tensors_of_the_published_file() -> None:
    state = BiSeNet(19).state_dict()
    lines = sorted(f"{name} {tuple(values.shape)}" for name, values in state.items())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == PUBLISHED


def test_bisenet_sees_the_whole_image(weights: Path) -> None:
    segmenter = BiSeNetSegmenter(weights)
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    classes = segmenter.classes(image)
    assert classes.shape == (512, 512, 19) and classes.dtype == np.float32
    np.testing.assert_allclose(classes.sum(-1), 1, atol=1e-5)
    skin = segmenter.skin(image)
    assert skin.shape == (512, 512) and skin.dtype == np.float32 and skin.min() >= 0 and skin.max() <= 1


class _Stripes(torch.nn.Module):
    """Says class k in the k-th of 19 stripes from the left, and keeps what it was shown."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown = image
        stripe = torch.arange(image.shape[3]) * 19 // image.shape[3]
        scores = 60.0 * torch.nn.functional.one_hot(stripe, 19).float()
        return scores.T[None, :, None].expand(1, 19, *image.shape[2:])


def test_bisenet_takes_these_classes_for_skin(weights: Path) -> None:
    segmenter = BiSeNetSegmenter(weights)
    segmenter._network = stripes = _Stripes()
    image = np.zeros((40, 64, 3), np.uint8)
    image[..., 0], image[:20, :, 1] = 255, 255
    skin = segmenter.skin(image)
    skin_classes = [bisenet.CLASSES[i] for i in range(19) if skin[:, int((i + 0.5) * 512 / 19)].min() > 0.99]
    both = [f"{side}_{part}" for part in ("brow", "ear") for side in ("left", "right")]
    assert skin_classes == ["skin", *both, "nose", "upper_lip", "lower_lip", "neck"]
    assert ((skin < 0.01) | (skin > 0.99)).all()
    assert stripes.shown.shape == (1, 3, 512, 512)
    top, bottom = stripes.shown[0, :, 5, 5], stripes.shown[0, :, -5, 5]
    np.testing.assert_allclose(top, [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, -0.406 / 0.225], rtol=1e-5)
    np.testing.assert_allclose(bottom[1], -0.456 / 0.224, rtol=1e-5)


def test_bisenets_key_is_its_weights(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save(dict(reversed(state.items())), tmp_path / "same.pth")
    state["ffm.conv1.weight"][0, 0] += 1e-3
    torch.save(state, tmp_path / "other.pth")
    key = BiSeNetSegmenter(weights).key
    assert BiSeNetSegmenter(tmp_path / "same.pth").key == key != BiSeNetSegmenter(tmp_path / "other.pth").key


class _Poison:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("poisoned"),))


def test_other_files_are_not_bisenets(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = torch.load(weights, weights_only=True)
    Path("pickle.pth").write_bytes(pickle.dumps(_Poison()))
    torch.save({**state, "ffm.conv1.weight": _Poison()}, "poison.pth")
    Path("garbage.pth").write_bytes(b"\x00\x01garbage" * 50)
    Path("half.pth").write_bytes(weights.read_bytes()[:100_000])
    torch.save([1, 2], "list.pth")
    torch.save({"state_dict": state}, "nested.pth")
    torch.save({name: state[name] for name in list(state)[1:]}, "missing.pth")
    torch.save({**state, "conv_out.conv_out.weight": torch.zeros(11, 256, 1, 1)}, "classes.pth")
    cases = {
        "none": "missing",
        "pickle": "not loaded",
        "poison": "not loaded",
        "garbage": "damaged",
        "half": "damaged",
        "list": "no weights of BiSeNet",
        "nested": "no weights of BiSeNet",
        "missing": "cp.resnet.conv1.weight differs",
        "classes": "conv_out.conv_out.weight differs",
    }
    for name, message in cases.items():
        with pytest.raises(InputError, match=message) as error:
            BiSeNetSegmenter(Path(f"{name}.pth"))
        assert f"{name}.pth" in str(error.value) and "\n" not in str(error.value)
    assert not Path("poisoned").exists()


def _model(weights: np.ndarray, softmax: bool = False, size: tuple[int, int] = (256, 256)) -> bytes:
    """A TFLite model of one 1 x 1 convolution with weights (classes, 3), and a softmax behind it where wanted."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    classes, channels = weights.shape

    def tensor(name: str, shape: list[int], buffer: int) -> object:
        result = schema.TensorT()
        result.name, result.shape, result.buffer, result.type = name, shape, buffer, schema.TensorType.FLOAT32
        return result

    def buffer(values: np.ndarray | None = None) -> object:
        result = schema.BufferT()
        result.data = None if values is None else np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
        return result

    def code(number: int) -> object:
        result = schema.OperatorCodeT()
        result.builtinCode = result.deprecatedBuiltinCode = number
        result.version = 1
        return result

    def operator(number: int, inputs: list[int], output: int, kind: int, options: object) -> object:
        result = schema.OperatorT()
        result.opcodeIndex, result.inputs, result.outputs = number, inputs, [output]
        result.builtinOptionsType, result.builtinOptions = kind, options
        return result

    convolution, soft = schema.Conv2DOptionsT(), schema.SoftmaxOptionsT()
    convolution.strideW = convolution.strideH = convolution.dilationWFactor = convolution.dilationHFactor = 1
    soft.beta = 1.0
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("image", [1, *size, channels], 0),
        tensor("weights", [classes, 1, 1, channels], 1),
        tensor("bias", [classes], 2),
        tensor("scores", [1, *size, classes], 0),
        tensor("shares", [1, *size, classes], 0),
    ]
    graph.inputs, graph.outputs = [0], [4 if softmax else 3]
    graph.operators = [operator(0, [0, 1, 2], 3, schema.BuiltinOptions.Conv2DOptions, convolution)]
    if softmax:
        graph.operators.append(operator(1, [3], 4, schema.BuiltinOptions.SoftmaxOptions, soft))
    model = schema.ModelT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes = [code(schema.BuiltinOperator.CONV_2D), code(schema.BuiltinOperator.SOFTMAX)]
    model.buffers = [buffer(), buffer(weights), buffer(np.zeros(classes))]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


LITERT = "LiteRT is not installed (pip install ai-edge-litert)"
# scores of background, hair, body skin, face skin, clothes, others for red, green and blue
WEIGHTS = np.array([[0, 0, 0], [-30, 30, -30], [-30, -30, 30], [30, -30, -30], [-30, 20, 20], [20, 20, -30]], float)


@pytest.mark.parametrize("softmax", [False, True])
def test_selfie_takes_face_and_body_for_skin(softmax: bool, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason=LITERT)
    path = tmp_path / "toy.tflite"
    path.write_bytes(_model(WEIGHTS, softmax))
    segmenter = SelfieSegmenter(path)
    image = np.zeros((300, 600, 3), np.uint8)
    image[:, :150, 0] = 255  # face skin
    image[:150, 150:300, 2] = 255  # body skin
    image[:150, 300:450, 1] = 255  # hair
    image[:150, 450:, 1:] = 255  # clothes
    image[150:, 450:, :2] = 255  # others
    classes, skin = segmenter.classes(image), segmenter.skin(image)
    assert classes.shape == (256, 256, 6) and skin.shape == (256, 256) and skin.dtype == np.float32
    np.testing.assert_allclose(classes.sum(-1), 1, atol=1e-5)
    seen = [int(classes[row, column].argmax()) for row, column in ((9, 9), (9, 96), (9, 160), (9, 224), (240, 224))]
    assert [selfie.CLASSES[index] for index in seen] == ["face_skin", "body_skin", "hair", "clothes", "others"]
    assert skin[:, :60].min() > 0.99 and skin[:120, 70:120].min() > 0.99
    assert skin[:, 200:].max() < 0.01 and skin[:120, 135:185].max() < 0.01
    np.testing.assert_allclose(skin[200, 120], 1 / 3, atol=1e-4)  # black: all six alike


def test_scores_become_probabilities_only_once() -> None:
    scores = np.random.default_rng(0).normal(0, 3, (4, 5, 6)).astype(np.float32)
    once = probabilities(scores)
    wanted = torch.from_numpy(scores).softmax(-1).numpy()
    np.testing.assert_allclose(once, wanted, rtol=1e-5)
    np.testing.assert_array_equal(probabilities(once), once)


def test_selfies_key_is_its_file(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason=LITERT)
    keys = []
    for weights in (WEIGHTS, WEIGHTS, 2 * WEIGHTS):
        (tmp_path / "toy.tflite").write_bytes(_model(weights))
        keys.append(SelfieSegmenter(tmp_path / "toy.tflite").key)
    assert keys[0] == keys[1] != keys[2]


def test_other_files_are_not_selfies(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason=LITERT)
    whole = _model(WEIGHTS)
    cases = {
        "none": (None, "is missing"),
        "garbage": (b"garbage" * 50, "no TFLite model"),
        "empty": (b"", "no TFLite model"),
        "half": (whole[: len(whole) // 2], "no TFLite model"),
        "binary": (_model(WEIGHTS[:1]), r"another model .*\(1, 256, 256, 3\), \(1, 256, 256, 1\)"),
        "grey": (_model(WEIGHTS[:, :1]), "another model"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / f"{name}.tflite"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=message) as error:
            SelfieSegmenter(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_without_litert_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy.tflite").write_bytes(b"x")
    for name in [name for name in sys.modules if name.split(".")[0] == "ai_edge_litert"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(InputError, match=r"LiteRT, which is not installed; pip install 'pixels2points\[selfie\]'"):
        SelfieSegmenter(tmp_path / "toy.tflite")
    assert selfie.SKIN == ("body_skin", "face_skin")
