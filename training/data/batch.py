"""A prepared head as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self

import numpy as np
import torch

from scans.predictions import UNKNOWN
from training.data.targets import Truth
from training.diffusion_net import Surface
from training.features.image_head import ImageSamples
from training.operators import Operators
from training.preparation.prepare import Prepared, WholeScan


class _Movable:
    """A dataclass of tensors that moves as a tensor does."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same on another device."""
        assert is_dataclass(self)
        values = (getattr(self, item.name) for item in fields(self))
        return type(self)(*(value.to(*args, **kwargs) if hasattr(value, "to") else value for value in values))


@dataclass(eq=False)
class Targets(_Movable):
    """Labels at P vertices.

    Attributes:
        skin: (P,) int64, 1 where it is skin.
        distance_mm: (P,) float32, NaN where it is not known.
        part: (P,) int64, -1 where it is not known.
        boundary_mm: (P,) float32, to the boundary between skin and the rest.
    """

    skin: torch.Tensor
    distance_mm: torch.Tensor
    part: torch.Tensor
    boundary_mm: torch.Tensor


@dataclass(eq=False)
class ScanTargets(_Movable):
    """All V vertices of the scan that a batch was simplified from.

    Attributes:
        key: name of the scan's content.
        corners: (V, 3) int64, vertices of the batch that are nearest.
        weights: (V, 3) their shares.
        targets: labels at the V vertices, None without.
    """

    key: str
    corners: torch.Tensor
    weights: torch.Tensor
    targets: Targets | None = None


@dataclass(eq=False)
class HeadBatch(_Movable):
    """One head, W vertices, C channels.

    Attributes:
        id: name of the capture.
        features: (W, C) float32, not normalised.
        surface: operators.
        targets: labels at the W vertices, None without.
        scan: the whole scan; None where only the W vertices matter.
        position: (epoch, step of the epoch) in training.
        counted: False for a head that only keeps the processes in step, and was seen before.
        image: for the image head; None where features are lifted once.
    """

    id: str
    features: torch.Tensor
    surface: Surface
    targets: Targets | None = None
    scan: ScanTargets | None = None
    position: tuple[int, int] | None = None
    counted: bool = True
    image: ImageSamples | None = None


def to_batch(prepared: Prepared, whole: WholeScan | None = None) -> HeadBatch:
    """The tensors of a prepared head."""
    targets = None if prepared.truth is None else to_targets(prepared.truth)
    features = torch.from_numpy(np.asarray(prepared.features, np.float32))
    scan = None
    if whole is not None:
        corners, weights = torch.from_numpy(whole.carrier.corners).long(), torch.from_numpy(whole.carrier.weights)
        scan = ScanTargets(whole.key, corners, weights, None if whole.truth is None else to_targets(whole.truth))
    return HeadBatch(prepared.id, features, to_surface(prepared.operators), targets, scan, image=_image(prepared))


def to_targets(truth: Truth) -> Targets:
    """The tensors of labels."""
    part = np.where(truth.part == UNKNOWN, -1, truth.part.astype(np.int64))
    return Targets(
        torch.from_numpy(truth.skin.astype(np.int64)),
        torch.from_numpy(np.array(truth.distance_mm, np.float32)),
        torch.from_numpy(part),
        torch.from_numpy(np.array(truth.boundary_mm, np.float32)),
    )


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
