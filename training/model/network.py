"""The labeller's network with all that predicting needs; training adds loss, optimiser and metrics in `module`.

Imports no Lightning: loading that takes longer than segmenting a small scan.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional

from capture import InputError
from scans.traits import TrainingTraits
from training.data.batch import HeadBatch
from training.diffusion_net import DiffusionNet, VertexMLP
from training.features.image_head import ImageHead
from training.model.calibration import Calibration
from training.model.outputs import Outputs, OutputWeights
from training.preparation.settings import Preparation, backbone_key

SCHEMA_VERSION = 2  # of what a checkpoint says of its labeller
PART = 2048  # vertices whose features are normalised at once when nothing is learned: they stay in the cache
LIMIT = 6.0  # standard deviations: heavy-tailed features are cut there


class LabellerNetwork(nn.Module):
    """Predicts at each vertex whether it is skin.

    It is built when the data are known: its inputs follow from the features.

    Args:
        network, width, blocks, dropout, image_width, feature_dropout, distance_weight, part_weight, distance_spread:
            as of `SkinLabeller`.

    Attributes:
        preparation: of the heads; None until it is built.
        channels: the feature that each channel made once belongs to.
        training_heads: that it was trained on, where that is known.
        training_ids: which.
        validation_ids: heads that its checkpoint was chosen and calibrated by, where they are no test heads.
        training_traits: of their scans and views, where they are known.
        calibration: of its outputs, which `forward` doesn't apply: training works on the scores themselves.
    """

    def __init__(
        self,
        network: Literal["diffusion_net", "mlp"] = "diffusion_net",
        width: int = 128,
        blocks: int = 4,
        dropout: float = 0.5,
        image_width: int = 0,
        feature_dropout: float = 0.0,
        distance_weight: float = 0.0,
        part_weight: float = 0.0,
        distance_spread: bool = False,
    ) -> None:
        super().__init__()
        if width < 1 or blocks < 1 or image_width < 0:
            raise InputError("`width` and `blocks` must be at least 1, `image_width` at least 0")
        if not (0 <= dropout < 1 and 0 <= feature_dropout < 1):
            raise InputError("`dropout` and `feature_dropout` must lie in [0, 1)")
        if distance_weight < 0 or part_weight < 0:
            raise InputError("`distance_weight` and `part_weight` must not be negative")
        if distance_spread and not distance_weight:
            raise InputError("`distance_spread` is of the predicted distance: give `distance_weight`, too")
        self.architecture: Literal["diffusion_net", "mlp"] = network
        self.width, self.blocks, self.dropout = width, blocks, dropout
        self.image_width, self.feature_dropout = image_width, feature_dropout
        self.preparation: Preparation | None = None
        self.channels: list[str] = []
        self.training_heads: int | None = None
        self.training_ids: tuple[str, ...] = ()
        self.validation_ids: tuple[str, ...] = ()
        self.training_traits: TrainingTraits | None = None
        self.calibration = Calibration()
        self.reduction: nn.Linear | None = None
        self.image_head: ImageHead | None = None
        self.output_weights = OutputWeights(distance_weight, part_weight, distance_spread)

    feature_mean: torch.Tensor
    feature_deviation: torch.Tensor

    def build(self, preparation: Preparation, channels: list[str], token_channels: int = 0) -> None:
        """Make the network.

        Args:
            preparation: of the heads.
            channels: the feature that each channel made once belongs to.
            token_channels: of the token maps that the image head takes in; 0: none does.
        """
        self.preparation, self.channels = preparation, list(channels)
        self.register_buffer("feature_mean", torch.zeros(len(channels)))
        self.register_buffer("feature_deviation", torch.ones(len(channels)))
        image = channels.count("image")
        before = channels.index("image") if image else 0
        self.runs = [before, image, len(channels) - before - image]  # the channels of a feature lie side by side
        inputs = len(channels)
        if token_channels:
            if not self.image_width:
                raise InputError("`image_head` needs `image_width`; the paper's is 512")
            variance = preparation.features.fusion.endswith("variance")
            self.image_head = ImageHead(token_channels, self.image_width, variance)
            inputs += self.image_head.channels
        elif self.image_width and image:
            self.reduction = nn.Linear(image, self.image_width)
            inputs = len(channels) - image + self.image_width
        outputs = sum(self.output_weights.channels)
        if self.architecture == "mlp":
            self.network: nn.Module = VertexMLP(inputs, outputs, self.width, self.blocks, self.dropout)
        else:
            self.network = DiffusionNet(inputs, outputs, self.width, self.blocks, dropout=self.dropout)

    def forward(self, batch: HeadBatch) -> Outputs:
        """The outputs at the W vertices."""
        if self.image_head is None and not torch.is_grad_enabled():  # the wide rows of a few vertices at a time
            parts = map(self._inputs, batch.features.split(PART))
            return self.output_weights.split(self.network(parts, batch.surface))
        features = self._inputs(batch.features)
        if self.image_head is not None and batch.image is not None:
            kept = functional.dropout(torch.ones_like(self.image_head.token_mean), self.feature_dropout, self.training)
            features = torch.cat([self.image_head(batch.image, kept), features], dim=1)
        return self.output_weights.split(self.network(features, batch.surface))

    def _inputs(self, features: torch.Tensor) -> torch.Tensor:
        """Channels of the network's first layer, of features (W, C)."""
        features = self._normalised(features)
        if self.reduction is None:
            return features
        before, image, after = features.split(self.runs, dim=1)
        return torch.cat([self.reduction(image), before, after], dim=1)

    def _normalised(self, features: torch.Tensor) -> torch.Tensor:
        """Features (W, C) in standard deviations, cut at `LIMIT`; left-out channels are 0, their mean."""
        kept = functional.dropout(torch.ones_like(self.feature_mean), self.feature_dropout, self.training)
        scale = kept / self.feature_deviation
        return torch.addcmul(-self.feature_mean * scale, features.float(), scale).clamp_(-LIMIT, LIMIT)


def check_backbone(description: dict[str, Any], preparation: Preparation) -> None:
    """Raise `InputError` unless the backbone's weights are those that the checkpoint was trained with."""
    theirs, ours = description.get("weights"), backbone_key(preparation)
    if theirs != ours:
        source = preparation.features.backbone.source
        raise InputError(
            f"the checkpoint was trained with other backbone weights ({theirs}) than {source} has here ({ours}): its "
            "features mean nothing to it; use the weights that it was trained with, or train it again"
        )
