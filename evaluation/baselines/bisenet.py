"""BiSeNet (Yu et al. 2018) for the parts of faces: a per-image baseline with weights that others trained.

The form is the one whose weights are common for face parsing: the context path is a ResNet-18 (He et al. 2016), its
eighth-resolution features stand in for the spatial path, and the 19 classes are those of CelebAMask-HQ (Lee et al.
2020). Parameters are named as in those files.
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional

from capture import InputError
from training.device import DeviceRunner

CLASSES = (
    "background", "skin", "left_brow", "right_brow", "left_eye", "right_eye", "eyeglasses", "left_ear", "right_ear",
    "earring", "nose", "mouth", "upper_lip", "lower_lip", "neck", "necklace", "cloth", "hair", "hat",
)  # fmt: skip
# What our masks call skin, brows and lashes: lips are skin there, and so are eyes' lids, which are "skin" here. Eyes,
# glasses, the inside of the mouth and jewellery are not.
SKIN = (
    "skin", "left_brow", "right_brow", "left_ear", "right_ear", "nose", "upper_lip", "lower_lip", "neck",
)  # fmt: skip

SIDE = 512  # pixels; what the network was trained with
_MEAN = (0.485, 0.456, 0.406)  # of ImageNet
_DEVIATION = (0.229, 0.224, 0.225)
_CODE = 1  # raise it when predictions change


class BiSeNetSegmenter:
    """Probability of skin by BiSeNet. It runs on the GPU where there is one.

    Args:
        path: of the weights: a dictionary of tensors, as `torch.save` writes it. Nothing else in it is loaded.

    Raises:
        InputError: where the file is missing, damaged, holds more than tensors, or weights of another network.
    """

    def __init__(self, path: Path) -> None:
        self._network = load_network(Path(path))
        self._runner = DeviceRunner(self._network, "face parsing network")
        self._mean = torch.tensor(_MEAN)[:, None, None]
        self._deviation = torch.tensor(_DEVIATION)[:, None, None]
        self._skin = [CLASSES.index(name) for name in SKIN]

    @property
    def key(self) -> str:
        """Name of the weights' content and of the version of the code."""
        digest = hashlib.blake2b(digest_size=8)
        for name, values in sorted(self._network.state_dict().items()):
            digest.update(name.encode() + values.cpu().numpy().tobytes())
        return f"bisenet-{_CODE}-{digest.hexdigest()}"

    def classes(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(512, 512, 19) probabilities of `CLASSES`, whose sum is 1, of an image (H, W, 3), sRGB."""
        small = Image.fromarray(np.ascontiguousarray(image)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255
        normalised = ((pixels - self._mean) / self._deviation)[None]

        def forward(device: torch.device) -> NDArray[np.float32]:
            with torch.inference_mode():
                scores = self._network(normalised.to(device))
                return scores[0].softmax(0).permute(1, 2, 0).cpu().numpy()

        return self._runner.run(forward)

    def skin(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(512, 512) probability of skin of an image (H, W, 3), sRGB."""
        return np.clip(self.classes(image)[..., self._skin].sum(-1), 0, 1)


def load_network(path: Path) -> BiSeNet:
    """The network with the weights of a file; raises `InputError` where they are not its own."""
    if not path.is_file():
        raise InputError(f"BiSeNet's weights are missing: {path}; name the file with the 19 classes of face parsing")
    try:
        with warnings.catch_warnings():  # about odd pickles: they are refused all the same
            warnings.simplefilter("ignore", UserWarning)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InputError(
            f"{path} is damaged or holds more than tensors; it was not loaded, as that could run code"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise InputError(f"damaged weights: {path} ({(str(error) or repr(error)).splitlines()[0]})") from None
    network = BiSeNet(len(CLASSES))
    cure = "name the file with the 19 classes of face parsing"
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{path} holds no weights of BiSeNet; {cure}")
    wanted = {name: values.shape for name, values in network.state_dict().items()}
    differing = sorted(wanted.keys() ^ state.keys())
    differing += [name for name in wanted if name in state and state[name].shape != wanted[name]]
    if differing:
        raise InputError(f"{path} holds the weights of another network ({differing[0]} differs); {cure}")
    network.load_state_dict(state)
    return network.eval()


class BiSeNet(nn.Module):
    """Class scores (B, classes, H, W) of normalised images (B, 3, H, W), H and W multiples of 32.

    `conv_out16` and `conv_out32` are the outputs of coarser levels that the published weights were trained with; only
    `conv_out` is asked.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.cp = ContextPath()
        self.ffm = Fusion(256, 256)
        self.conv_out = Output(256, 256, classes)
        self.conv_out16 = Output(128, 64, classes)
        self.conv_out32 = Output(128, 64, classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        fine, context = self.cp(image)
        scores = self.conv_out(self.ffm(torch.cat([fine, context], dim=1)))
        return functional.interpolate(scores, image.shape[-2:], mode="bilinear", align_corners=True)


class ContextPath(nn.Module):
    """Features at an eighth of the resolution: the ResNet's own (128 channels), and what the coarser ones say (128)."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet18()
        self.arm16, self.arm32 = Refinement(256, 128), Refinement(512, 128)
        self.conv_head16, self.conv_head32 = Convolution(128, 128, 3), Convolution(128, 128, 3)
        self.conv_avg = Convolution(512, 128, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        eighth, sixteenth, last = self.resnet(image)
        whole = self.conv_avg(last.mean((2, 3), keepdim=True))
        context = self.conv_head32(_enlarge(self.arm32(last) + whole, sixteenth))
        return eighth, self.conv_head16(_enlarge(self.arm16(sixteenth) + context, eighth))


class ResNet18(nn.Module):
    """Features at an eighth (128 channels), a sixteenth (256) and a thirty-second (512) of the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Residual(64, 64, 1), Residual(64, 64, 1))
        self.layer2 = nn.Sequential(Residual(64, 128, 2), Residual(128, 128, 1))
        self.layer3 = nn.Sequential(Residual(128, 256, 2), Residual(256, 256, 1))
        self.layer4 = nn.Sequential(Residual(256, 512, 2), Residual(512, 512, 1))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        values = functional.max_pool2d(self.bn1(self.conv1(image)).relu(), 3, stride=2, padding=1)
        eighth = self.layer2(self.layer1(values))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class Residual(nn.Module):
    """Two convolutions beside a shortcut, which has one of its own where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        shortcut = values if self.downsample is None else self.downsample(values)
        return (shortcut + self.bn2(self.conv2(self.bn1(self.conv1(values)).relu()))).relu()


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU; the size stays."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(values)).relu()


class Refinement(nn.Module):
    """A convolution whose channels are weighted by what the whole image shows (attention refinement)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Convolution(inputs, outputs, 3)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        values = self.conv(values)
        return values * self.bn_atten(self.conv_atten(values.mean((2, 3), keepdim=True))).sigmoid()


class Fusion(nn.Module):
    """Joins both paths: channels that matter in this image are added a second time (feature fusion)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convblk = Convolution(inputs, outputs, 1)
        self.conv1 = nn.Conv2d(outputs, outputs // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs // 4, outputs, 1, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        values = self.convblk(values)
        return values * (1 + self.conv2(self.conv1(values.mean((2, 3), keepdim=True)).relu()).sigmoid())


class Output(nn.Module):
    """Class scores."""

    def __init__(self, inputs: int, width: int, classes: int) -> None:
        super().__init__()
        self.conv = Convolution(inputs, width, 3)
        self.conv_out = nn.Conv2d(width, classes, 1, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.conv_out(self.conv(values))


def _enlarge(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(values, like.shape[-2:], mode="nearest")
