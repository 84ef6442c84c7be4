"""A small U-Net (Ronneberger et al. 2015) for class scores of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

CHANNELS = (24, 48, 96, 128, 160)
_GROUPS = 8


class UNet(nn.Module):
    """Encoder and decoder with skips, both at half the image's resolution and below.

    A pixel's 2 x 2 block becomes channels at the entry, and channels become its 2 x 2 scores at the exit (Shi et al.
    2016): nothing of the image is lost, and the layers of the finest level, which cost most, take a quarter. Groups
    are normalised (Wu and He 2018), so that a batch may be of any size.

    Args:
        classes: number of scores.
        channels: of each level, the finest first; multiples of 8.

    Raises:
        ValueError: where channels are none or no multiples of 8.
    """

    def __init__(self, classes: int, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        if not channels or any(count < 1 or count % _GROUPS for count in channels):
            raise ValueError(f"channels must be multiples of {_GROUPS}, got {list(channels)}")
        self.multiple = 2 ** len(channels)
        self.entry = nn.Conv2d(12, channels[0], 3, padding=1)
        before = [channels[0], *channels[:-1]]
        self.down = nn.ModuleList(_block(a, b) for a, b in zip(before, channels, strict=True))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairwise(channels))
        self.exit = nn.Conv2d(channels[0], 4 * classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Scores (B, classes, H, W) of images (B, 3, H, W), about 0 on average and 1 in spread; any H and W."""
        height, width = image.shape[-2:]
        # what lies outside repeats the border, so that the sizes of all levels divide
        image = functional.pad(image, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        values = self.entry(functional.pixel_unshuffle(image, 2))
        skips = []
        for level, block in enumerate(self.down):
            values = block(functional.max_pool2d(values, 2) if level else values)
            skips.append(values)
        skips.pop()
        for block in reversed(self.up):
            values = block(torch.cat([skips.pop(), functional.interpolate(values, scale_factor=2)], dim=1))
        return functional.pixel_shuffle(self.exit(values), 2)[..., :height, :width]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for count in (inputs, outputs):
        layers += [nn.Conv2d(count, outputs, 3, padding=1, bias=False), nn.GroupNorm(_GROUPS, outputs), nn.ReLU()]
    return nn.Sequential(*layers)
