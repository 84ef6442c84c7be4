"""A prepared head as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self

import numpy as np
import torch

from scans.predictions import UNKNOWN
from training.diffusion_net import Surface
from training.features.image_head import ImageSamples
from training.operators import Operators
from training.preparation.prepared import PreparedHead, WholeScan
from training.preparation.simplify import Interpolation
from training.preparation.targets import Targets


class _Movable:
    """A dataclass of tensors that moves as a tensor does."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same on another device."""
        assert is_dataclass(self)
        values = (getattr(self, item.name) for item in fields(self))
        return type(self)(*(value.to(*args, **kwargs) if hasattr(value, "to") else value for value in values))


@dataclass(eq=False)
class BatchTargets(_Movable):
    """Targets at P vertices, as tensors.

    Attributes:
        skin: (P,) int64, 1 where it is skin, -1 where that is not known.
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
        key: hash of the scan's content.
        corners: (V, 3) int64, vertices of the batch, of the faces that are nearest.
        weights: (V, 3) float32, their barycentric coordinates.
        targets: at the V vertices, None without labels.
    """

    key: str
    corners: torch.Tensor
    weights: torch.Tensor
    targets: BatchTargets | None = None


@dataclass(eq=False)
class HeadBatch(_Movable):
    """One head, W vertices, C channels.

    Attributes:
        id: name of the capture.
        features: (W, C) float16, not normalised.
        surface: operators.
        targets: at the W vertices, None without labels.
        scan: the whole scan; None where only the W vertices matter.
        position: (epoch, step of the epoch) in training.
        counted: False for a head that only keeps the processes in step, and was seen before.
        image: for the image head; None where features are lifted once.
    """

    id: str
    features: torch.Tensor
    surface: Surface
    targets: BatchTargets | None = None
    scan: ScanTargets | None = None
    position: tuple[int, int] | None = None
    counted: bool = True
    image: ImageSamples | None = None


def to_batch(prepared: PreparedHead, whole: WholeScan | None = None) -> HeadBatch:
    """The tensors of a prepared head."""
    targets = None if prepared.targets is None else to_batch_targets(prepared.targets)
    features = torch.from_numpy(np.asarray(prepared.features))
    scan = None
    if whole is not None:
        corners, weights = to_corners(whole.interpolation)
        scan = ScanTargets(
            whole.key, corners, weights, None if whole.targets is None else to_batch_targets(whole.targets)
        )
    return HeadBatch(prepared.id, features, to_surface(prepared.operators), targets, scan, image=_image(prepared))


def to_corners(interpolation: Interpolation) -> tuple[torch.Tensor, torch.Tensor]:
    """Corners (P, 3) int64 and weights (P, 3) of an interpolation, as `Outputs.interpolate` takes them."""
    return torch.from_numpy(interpolation.corners).long(), torch.from_numpy(interpolation.weights)


def to_batch_targets(targets: Targets) -> BatchTargets:
    """The tensors of targets."""
    part = np.where(targets.part == UNKNOWN, -1, targets.part.astype(np.int64))
    return BatchTargets(
        torch.from_numpy(np.where(targets.known, targets.skin, -1).astype(np.int64)),
        torch.from_numpy(np.array(targets.distance_mm, np.float32)),
        torch.from_numpy(part),
        torch.from_numpy(np.array(targets.boundary_mm, np.float32)),
    )


def _image(prepared: PreparedHead) -> ImageSamples | None:
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
