"""A prepared head as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from training.diffusion_net import Surface
from training.features.image_head import ImageSamples
from training.operators import Operators
from training.prepare import Prepared


@dataclass(eq=False)
class HeadBatch:
    """One head, W vertices, C channels.

    Attributes:
        id: name of the capture.
        features: (W, C) float32, not normalised.
        surface: operators.
        skin: (W,) int64, 1 where it is skin; None without labels.
        image: for the image head; None where features are lifted once.
    """

    id: str
    features: torch.Tensor
    surface: Surface
    skin: torch.Tensor | None = None
    image: ImageSamples | None = None

    def to(self, *args: object, **kwargs: object) -> Self:
        """The same head on another device."""
        skin = None if self.skin is None else self.skin.to(*args, **kwargs)  # type: ignore[call-overload]
        image = None if self.image is None else self.image.to(*args, **kwargs)
        features = self.features.to(*args, **kwargs)  # type: ignore[call-overload]
        return type(self)(self.id, features, self.surface.to(*args, **kwargs), skin, image)


def to_batch(prepared: Prepared) -> HeadBatch:
    """The tensors of a prepared head."""
    skin = None if prepared.skin is None else torch.from_numpy(prepared.skin.astype(np.int64))
    features = torch.from_numpy(np.asarray(prepared.features, np.float32))
    return HeadBatch(prepared.id, features, to_surface(prepared.operators), skin, _image(prepared))


def _image(prepared: Prepared) -> ImageSamples | None:
    if prepared.image is None:
        return None
    maps = [torch.from_numpy(np.array(tokens)) for tokens in prepared.image.tokens]  # read from the disk here
    placement = prepared.image.placement
    return ImageSamples(maps, torch.from_numpy(placement.where), torch.from_numpy(placement.weights))


def to_surface(operators: Operators) -> Surface:
    """The network's view of the operators: gradients of the eigenbasis in place of the sparse gradients."""
    basis = operators.eigenvectors
    gradients = (operators.gradient_x @ basis, operators.gradient_y @ basis)
    return Surface(*map(torch.from_numpy, (operators.mass, operators.eigenvalues, basis, *gradients)))
