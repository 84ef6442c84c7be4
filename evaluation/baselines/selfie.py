"""MediaPipe's multiclass selfie segmenter, a per-image baseline, from the `.tflite` file that its makers give away.

Facts of the file `selfie_multiclass_256x256.tflite` (MediaPipe's guide to image segmenters, and the card of its
conversion to ONNX by senty-au): the whole image is stretched to 256 x 256, sRGB in 0..1; out come scores of six
classes, to which MediaPipe applies a softmax outside of the model.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import InputError
from scans.litert import load_tflite

CLASSES = ("background", "hair", "body_skin", "face_skin", "clothes", "others")
SKIN = ("body_skin", "face_skin")  # the neck and the ears are on either side

_SUM = 1e-3  # by which sums of probabilities may miss 1
_CODE = 1  # raise it when predictions change
_CURE = "name MediaPipe's selfie_multiclass_256x256.tflite"


class SelfieSegmenter:
    """Probability of skin by MediaPipe's multiclass selfie segmenter, run by LiteRT on the CPU.

    Args:
        path: of the `.tflite` file.

    Raises:
        InputError: where the file is missing, damaged, another model, or LiteRT is not installed.
    """

    def __init__(self, path: Path) -> None:
        path = Path(path)
        if not path.is_file():
            raise InputError(f"the selfie segmenter's model is missing: {path}; {_CURE}")
        content = path.read_bytes()
        self._key = f"selfie-{_CODE}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"
        self._model = load_tflite(content, str(path), "the selfie segmenter", "selfie", _CURE)
        self._input, self._output = _ends(self._model, path)

    @property
    def key(self) -> str:
        """Name of the file's content and of the version of the code."""
        return self._key

    def classes(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w, 6) probabilities of `CLASSES`, whose sum is 1, of an image (H, W, 3), sRGB."""
        _, height, width, _ = self._input["shape"]
        size = (int(width), int(height))
        small = Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BILINEAR)
        self._model.set_tensor(self._input["index"], np.asarray(small, np.float32)[None] / 255)
        self._model.invoke()
        return probabilities(self._model.get_tensor(self._output["index"])[0])

    def skin(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w) probability of skin of an image (H, W, 3), sRGB; 256 x 256 by MediaPipe's file."""
        return np.clip(self.classes(image)[..., [CLASSES.index(name) for name in SKIN]].sum(-1), 0, 1)


def probabilities(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """The model's output (h, w, C) as it is where it adds up to 1 at each pixel, else its softmax."""
    if output.min() >= 0 and np.abs(output.sum(-1) - 1).max() < _SUM:
        return output
    powers = np.exp(output - output.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def _ends(model: Any, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The input and the output of the model; raises `InputError` where they are not an image's and six classes'."""
    inputs, outputs = model.get_input_details(), model.get_output_details()
    shapes = [tuple(map(int, end["shape"])) for end in (*inputs, *outputs)]
    floats = all(end["dtype"] is np.float32 for end in (*inputs, *outputs))
    if len(shapes) == 2 and floats and len(shapes[0]) == len(shapes[1]) == 4:
        channels = shapes[0][0], shapes[0][3], shapes[1][0], shapes[1][3]
        if channels == (1, 3, 1, len(CLASSES)):
            return inputs[0], outputs[0]
    raise InputError(f"{path} is another model (its inputs and outputs: {', '.join(map(str, shapes))}); {_CURE}")
