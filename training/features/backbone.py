"""Token maps of images from a frozen vision transformer, and their cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from capture import InputError, atomic_path
from scans.images.decoding import decode_image, resize_image
from training.device import DeviceRunner
from training.features.backbone_config import BackboneConfig
from training.features.cropping import WHOLE, Crop
from training.features.encoders import Sizes, token_maps
from training.features.weights import encoder_config, load_encoder, weights_key

if TYPE_CHECKING:
    from training.features.weights import Encoder

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet: what the encoders were trained with
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_LARGEST = float(np.finfo(np.float16).max)

Tokens = NDArray[np.float16]


class Backbone:
    """A frozen encoder, loaded when it is first asked for tokens. It runs on the GPU where there is one."""

    def __init__(self, config: BackboneConfig) -> None:
        self.config = config

    @property
    def channels(self) -> int:
        """Channels of a token: all layers asked for, one behind the other."""
        return self.sizes.channels(self.config.layers)

    @cached_property
    def key(self) -> str:
        """Hash of everything that the tokens of an image depend on beside the image."""
        layers = "_".join(map(str, self.config.layers))
        crop = "-crop" if self.config.crop else ""
        return f"{weights_key(self.config.source)}-{layers}-{self.config.resolution}{crop}"

    @cached_property
    def sizes(self) -> Sizes:
        """Raises `InputError` where there is no encoder, it has fewer blocks, or the resolution doesn't suit it."""
        config, sizes = self.config, Sizes.of(encoder_config(self.config.source))
        if max(config.layers) > sizes.blocks:
            raise InputError(f"`layers` asks for block {max(config.layers)}; {config.source} has {sizes.blocks}")
        if config.resolution % sizes.patch:
            nearest = max(1, round(config.resolution / sizes.patch)) * sizes.patch
            raise InputError(f"`resolution` {config.resolution} is no multiple of {sizes.patch}; use {nearest}")
        return sizes

    @cached_property
    def model(self) -> Encoder:
        """The network. Raises `InputError` where there are no weights."""
        _ = self.sizes
        return load_encoder(self.config.source)

    @cached_property
    def _runner(self) -> DeviceRunner:
        return DeviceRunner(self.model, "image network")

    def grid(self, width: int, height: int) -> tuple[int, int]:
        """Rows and columns of tokens for an image of this size: the longer side takes the resolution."""
        scale = self.config.resolution / max(width, height) / self.sizes.patch
        return max(1, round(height * scale)), max(1, round(width * scale))

    def tokens(self, images: Sequence[NDArray[np.uint8]]) -> list[Tokens]:
        """Token maps (h, w, C) in half precision of images (H, W, 3)."""
        return list(self.stream(images))

    def stream(self, images: Sequence[NDArray[np.uint8]] | Iterator[NDArray[np.uint8]]) -> Iterator[Tokens]:
        """`tokens`, one by one: of the images only those of a batch are held."""
        for grid, group in groupby(images, key=lambda image: self.grid(image.shape[1], image.shape[0])):
            part: list[NDArray[np.uint8]] = []
            for image in group:
                part.append(image)
                if len(part) == self.sizes.batch:
                    yield from self._forward(part, grid)
                    part = []
            if part:
                yield from self._forward(part, grid)

    def _forward(self, images: Sequence[NDArray[np.uint8]], grid: tuple[int, int]) -> list[Tokens]:
        rows, columns = grid
        patch = self.sizes.patch
        resized = np.stack([resize_image(image, columns * patch, rows * patch) for image in images])
        pixels = torch.from_numpy((resized.astype(np.float32) / 255 - _MEAN) / _DEVIATION).permute(0, 3, 1, 2)

        def forward(device: torch.device) -> list[Tokens]:
            with torch.inference_mode():
                maps = token_maps(self.model, pixels.to(device), self.config.layers)
                return list(maps.clamp(-_LARGEST, _LARGEST).half().cpu().numpy())

        return self._runner.run(forward)


def shared_backbone(config: BackboneConfig) -> Backbone:
    """One network for all heads."""
    return _shared(config.source, tuple(config.layers), config.resolution, config.crop)


@lru_cache(maxsize=1)
def _shared(source: str, layers: tuple[int, ...], resolution: int, crop: bool) -> Backbone:
    return Backbone(BackboneConfig(source, list(layers), resolution, crop))


def cached_tokens(
    backbone: Backbone,
    images: Sequence[bytes],
    names: Sequence[str],
    folder: Path | None,
    crops: Sequence[Crop] | None = None,
) -> list[Tokens]:
    """Token maps of encoded images, from the cache where they are there.

    Several processes may share a cache: files appear whole, and two that make the same one write the same.

    Args:
        backbone: the network.
        images: N image files' bytes.
        names: of the images in errors.
        folder: the cache, a file an image, named by weights and image content; None computes all and keeps nothing.
        crops: N parts of the images to take; the images as they are where None.

    Returns:
        N arrays (h, w, C), memory-mapped where they are cached.
    """
    places = [WHOLE] * len(images) if crops is None else crops

    def decoded(chosen: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        return (places[i].pixels(decode_image(images[i], names[i])) for i in chosen)

    if folder is None:
        return list(backbone.stream(decoded(range(len(images)))))
    paths = [token_path(backbone, data, folder, crop) for data, crop in zip(images, places, strict=True)]
    missing = [i for i, path in enumerate(paths) if not path.is_file()]
    made = backbone.stream(decoded(missing))
    for i, tokens in zip(missing, made, strict=True):
        with atomic_path(paths[i]) as temporary:
            np.save(temporary, tokens, allow_pickle=False)
    return [read_array(path) for path in paths]


def token_path(backbone: Backbone, image: bytes, folder: Path, crop: Crop = WHOLE) -> Path:
    """Path of the tokens of an encoded image, or a part of it, in the cache."""
    digest = hashlib.blake2b(image, digest_size=12)
    if crop != WHOLE:
        digest.update(np.array(crop).tobytes())
    return Path(folder) / "tokens" / backbone.key / f"{digest.hexdigest()}.npy"


def read_array(path: Path) -> NDArray:
    """A cached array, memory-mapped. Raises `InputError` where it is damaged."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None
