"""Predictions of a trained per-image segmenter, in the form of `evaluation.baselines.PixelSegmenter`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from capture import InputError
from scans.images.decoding import resize_image
from training.device import DeviceRunner
from training.pixels.checkpoint import read_checkpoint
from training.pixels.metrics import skin_probability
from training.pixels.module import KEY, PixelLabeller

_CODE = 1  # raise it when predictions change


class UNetSegmenter:
    """Probability of skin by a checkpoint of `python -m training.pixels fit`. It runs on the GPU where there is one.

    Args:
        checkpoint: file.
        longest: images with a longer side are reduced to it; where None, to the side that it was trained with:
            heads are of the size then that it knows.

    Raises:
        InputError: where the file is no such checkpoint.
    """

    def __init__(self, checkpoint: Path, longest: int | None = None) -> None:
        if longest is not None and longest < 16:
            raise InputError(f"the longest side must be at least 16 pixels, got {longest}")
        self._model, resolution = _load(Path(checkpoint))
        self._longest = longest or resolution
        self._runner = DeviceRunner(self._model, "per-image segmenter")

    @property
    def key(self) -> str:
        """Hash of everything that a prediction depends on: the weights' content, the size, the version of the code."""
        digest = hashlib.blake2b(digest_size=8)
        for name, values in sorted(self._model.network.state_dict().items()):
            digest.update(name.encode() + values.cpu().numpy().tobytes())
        return f"unet-{_CODE}-{self._longest}-{digest.hexdigest()}"

    def skin(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w) probability of skin of an image (H, W, 3), sRGB; h and w are the image's unless that is longer."""
        height, width = image.shape[:2]
        factor = min(1.0, self._longest / max(height, width))
        if factor < 1:
            image = resize_image(image, max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = torch.from_numpy(np.array(image))[None]

        def forward(device: torch.device) -> NDArray[np.float32]:
            with torch.inference_mode():
                return skin_probability(self._model(pixels.to(device)))[0].cpu().numpy()

        return self._runner.run(forward)


def _load(path: Path) -> tuple[PixelLabeller, int]:
    """The model and the resolution that it was trained with."""
    value = read_checkpoint(path)
    options = value.get("hyper_parameters", {})
    try:
        model = PixelLabeller(**{key: item for key, item in options.items() if not key.startswith("_")})
        model.load_state_dict(value["state_dict"])
    except (TypeError, KeyError, AttributeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} doesn't fit this program ({str(error).splitlines()[0]}); train it again") from None
    return model.eval(), value[KEY]["resolution"]
