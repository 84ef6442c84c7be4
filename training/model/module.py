"""The labeller in training: loss, optimiser, metrics around its network."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import nn

from capture import InputError
from scans.traits import TrainingTraits
from training.checkpoints.labeller import load_labeller
from training.checkpoints.start import NetworkShape, log_overridden, start_path
from training.data.batch import BatchTargets, HeadBatch
from training.model.base import BaseModule
from training.model.calibration import Calibration
from training.model.metrics import LabelMetrics
from training.model.network import SCHEMA_VERSION, LabellerNetwork, check_backbone
from training.model.outputs import Outputs, loss_terms, total_loss
from training.preparation.settings import Preparation, backbone_key

if TYPE_CHECKING:
    from training.data.module import HeadData

log = logging.getLogger(__name__)

_MOST_JITTER = 100.0


class SkinLabeller(LabellerNetwork, BaseModule):
    """The skin labeller: predicts at each vertex whether it is skin.

    The network is built when the data are known: its inputs follow from the features. A checkpoint holds the
    preparation of heads and the features' statistics, so that segmenting needs nothing else.

    Args:
        network: `diffusion_net`, or `mlp` for the ablation that sees each vertex alone.
        width: channels of the hidden layers.
        blocks: number of diffusion blocks, or of hidden layers of the MLP.
        dropout: probability of dropout inside the MLPs.
        image_width: channels of the image head's up-convolutions where `data.features.image_head` is on (512 in the
            paper). Else a learned linear map first reduces the lifted image features to so many channels; 0: none.
        feature_dropout: probability that an input channel is left out of a training step.
        variance_jitter: factor up to which the variance of image features over the views is scaled, all of it alike, in
            a training step, and down to one over it; 1: it is left as it is. Without effect on an image head.
        learning_rate: learning rate of AdamW.
        weight_decay: weight decay of AdamW.
        schedule: schedule of the learning rate: `constant`, or `cosine` to zero over the run.
        skin_weight: weight of skin in the cross-entropy; the rest takes 1 minus it.
        distance_weight: weight in the loss of an output for the distance to the skin surface; 0: no such output.
        part_weight: weight in the loss of an output for the parts that the generator renders; 0: no such output.
        distance_spread: whether the output for the distance comes with the scale of its error.
        label_noise: labels near their limit count as probabilities, a logistic function of log(1 + mm) of this scale;
            0: labels are what they are.
        start: checkpoint whose weights training starts from, or `pretrained`, which comes with the program. The
            network's size, its outputs and the preparation of heads are those of the checkpoint.
    """

    def __init__(
        self,
        network: Literal["diffusion_net", "mlp"] = "diffusion_net",
        width: int = 128,
        blocks: int = 4,
        dropout: float = 0.5,
        image_width: int = 0,
        feature_dropout: float = 0.0,
        variance_jitter: float = 1.0,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        schedule: Literal["constant", "cosine"] = "constant",
        skin_weight: float = 0.7,
        distance_weight: float = 0.0,
        part_weight: float = 0.0,
        distance_spread: bool = False,
        label_noise: float = 0.0,
        start: str | None = None,
    ) -> None:
        shape = NetworkShape(network, width, blocks, image_width, distance_weight, part_weight, distance_spread)
        former = None if start is None else load_labeller(start_path(start))
        if former is not None:
            shape = shape.of_start(former)
        super().__init__(
            shape.network,
            shape.width,
            shape.blocks,
            dropout,
            shape.image_width,
            feature_dropout,
            shape.distance_weight,
            shape.part_weight,
            shape.distance_spread,
        )
        if not 0 < skin_weight < 1:
            raise InputError(f"`skin_weight` must lie between 0 and 1, got {skin_weight}")
        if not (learning_rate > 0 and weight_decay >= 0):
            raise InputError("`learning_rate` must be positive, `weight_decay` not negative")
        if not 1 <= variance_jitter <= _MOST_JITTER:
            raise InputError(f"`variance_jitter` must lie in [1, {_MOST_JITTER:g}], got {variance_jitter}")
        if not label_noise >= 0:
            raise InputError(f"`label_noise` must not be negative, got {label_noise}")
        if former is None:
            self.save_hyperparameters(ignore=["start"])
        else:
            rates = {"learning_rate": learning_rate, "weight_decay": weight_decay, "schedule": schedule}
            drops = {"dropout": dropout, "feature_dropout": feature_dropout, "variance_jitter": variance_jitter}
            labels = {"skin_weight": skin_weight, "label_noise": label_noise}
            self.save_hyperparameters(asdict(shape) | rates | drops | labels)
        self.label_noise, self.variance_jitter = label_noise, variance_jitter
        self.learning_rate, self.weight_decay, self.schedule = learning_rate, weight_decay, schedule
        self.position: tuple[int, int] | None = None  # epoch, and step of it, of the last training batch
        self.register_buffer("class_weights", torch.tensor([1 - skin_weight, skin_weight]), persistent=False)
        self.metrics = nn.ModuleDict({stage: LabelMetrics(self.output_weights) for stage in ("val", "test")})

        self._former_ids: tuple[str, ...] = ()
        self._former_traits: TrainingTraits | None = None
        self.starts_anew = former is None
        if former is not None:
            self._start_from(former)

    class_weights: torch.Tensor

    def _start_from(self, former: LabellerNetwork) -> None:
        """Take over the weights of a labeller, and the statistics of the features that they expect."""
        assert former.preparation is not None
        tokens = 0 if former.image_head is None else len(former.image_head.token_mean)
        self.build(former.preparation, former.channels, tokens)
        self.load_state_dict(former.state_dict())
        self._former_ids, self._former_traits = former.training_ids, former.training_traits
        self.calibration = former.calibration

    def _traits(self, data: HeadData) -> TrainingTraits | None:
        """Of all heads that it has been trained on by the end; None where they aren't known of some."""
        traits = data.traits()
        if self.starts_anew:
            return traits
        return None if self._former_traits is None else traits.joined(self._former_traits)

    def setup(self, stage: str) -> None:
        """Build the network for the data module's features, and take over their statistics when training starts."""
        data: HeadData = self.trainer.datamodule  # type: ignore[attr-defined]
        if self.preparation is None:
            self.build(data.preparation, data.channels(), data.token_channels())
        elif stage == "fit" and self.preparation != data.preparation:
            raise InputError("`start`: the data are prepared in another way than for the labeller that it names")
        if stage == "fit":
            self.training_ids = tuple(dict.fromkeys([*self._former_ids, *data.training_ids()]))
            self.training_heads = len(self.training_ids)
            self.validation_ids = data.kept_aside()
            self.training_traits = self._traits(data)
        if stage == "fit" and self.starts_anew:
            statistics = data.statistics()
            self.feature_mean.copy_(torch.from_numpy(statistics.mean))
            self.feature_deviation.copy_(torch.from_numpy(statistics.deviation))
            if self.image_head is not None:
                tokens = data.token_statistics()
                self.image_head.token_mean.copy_(torch.from_numpy(tokens.mean))
                self.image_head.token_deviation.copy_(torch.from_numpy(tokens.deviation))

    def _losses(self, outputs: Outputs, targets: BatchTargets) -> dict[str, torch.Tensor]:
        """The outputs' losses and, as `loss`, their weighted sum."""
        terms = loss_terms(outputs, targets, self.class_weights, self.label_noise)
        losses = {f"loss_{name}": value for name, value in terms.items()} if len(terms) > 1 else {}
        return {"loss": total_loss(terms, self.output_weights)} | losses

    def training_step(self, batch: HeadBatch, index: int) -> torch.Tensor:
        assert batch.targets is not None
        self.position = batch.position
        jittered = replace(batch, features=self._jittered(batch.features))
        losses = self._losses(self(jittered), batch.targets)
        for name, value in losses.items():
            bar = name == "loss"
            self.log(f"train/{name}", value, batch_size=1, on_step=False, on_epoch=True, sync_dist=True, prog_bar=bar)
        return losses["loss"]

    def _jittered(self, features: torch.Tensor) -> torch.Tensor:
        """Features (W, C) with the variance over the views scaled by one random factor.

        How large it is goes by the rig, its number of views and their angles, as much as by what it should tell: that
        views see different things where the scan lies off the surface.
        """
        assert self.preparation is not None
        if self.variance_jitter == 1 or not self.preparation.features.fusion.endswith("variance"):
            return features
        before, image, _ = self.runs
        scaled = features.to(torch.float32, copy=True)  # the batch stays as it is
        factor = self.variance_jitter ** (2 * torch.rand((), device=features.device) - 1)
        scaled[:, before + image // 2 : before + image] *= factor  # the means come first
        return scaled

    def validation_step(self, batch: HeadBatch, index: int) -> dict[str, Any]:
        return {"outputs": self._evaluate(batch, "val")}

    def test_step(self, batch: HeadBatch, index: int) -> dict[str, Any]:
        return {"outputs": self._evaluate(batch, "test")}

    def predict_step(self, batch: HeadBatch, index: int) -> Outputs:
        """The outputs at all vertices of the scan, or of the simplified scan where the batch has no other."""
        outputs = self.calibration.apply(self(batch))
        return outputs if batch.scan is None else outputs.interpolate(batch.scan.corners, batch.scan.weights)

    def on_validation_epoch_end(self) -> None:
        """Calibrate by the heads that were validated on, where they end an epoch of training, and log."""
        metrics: Any = self.metrics["val"]
        if self.trainer.state.fn == TrainerFn.FITTING and not self.trainer.sanity_checking:
            self.calibration = metrics.calibrate(self.calibration)
        metrics.calibration = self.calibration
        super().on_validation_epoch_end()

    def on_test_epoch_end(self) -> None:
        metrics: Any = self.metrics["test"]
        metrics.calibration = Calibration(sure=self.calibration.sure)  # the outputs are calibrated
        super().on_test_epoch_end()

    def _evaluate(self, batch: HeadBatch, stage: str) -> Outputs:
        """Take a head into the metrics: at all vertices of its scan where they are given. Returns calibrated outputs.

        Tests measure calibrated outputs, as they are predicted; validation those from which it finds the calibration.
        """
        outputs, targets = self(batch), batch.targets
        calibrated = self.calibration.apply(outputs)
        measured = calibrated if stage == "test" else outputs
        if batch.scan is not None:
            measured, targets = measured.interpolate(batch.scan.corners, batch.scan.weights), batch.scan.targets
        assert targets is not None
        if batch.counted:
            self.metrics[stage].update(measured, targets, self._losses(measured, targets)["loss"])  # type: ignore[operator]
        return calibrated

    def configure_optimizers(self) -> Any:
        optimiser = self.adamw()
        if self.schedule == "constant":
            return {"optimizer": optimiser}
        return self.by_step(optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps()))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what segmenting needs, as plain types."""
        assert self.preparation is not None
        checkpoint["labeller"] = {
            "schema_version": SCHEMA_VERSION,
            "preparation": self.preparation.to_json(),
            "channels": self.channels,
            "token_channels": 0 if self.image_head is None else len(self.image_head.token_mean),
            "weights": backbone_key(self.preparation),
            "training_heads": self.training_heads,
            "training_ids": list(self.training_ids),
            "validation_ids": list(self.validation_ids),
            "training_traits": None if self.training_traits is None else self.training_traits.to_json(),
            "calibration": self.calibration.to_json(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint that was trained on other inputs."""
        description = checkpoint.get("labeller")
        if not isinstance(description, dict) or description.get("schema_version") != SCHEMA_VERSION:
            raise InputError("the checkpoint is none of this program's; train one with `p2p fit`")
        if self.preparation is not None:
            check_preparation(description, self.preparation)
            check_backbone(description, self.preparation)
        self.calibration = Calibration.from_json(description.get("calibration"))


def check_preparation(description: dict[str, Any], preparation: Preparation) -> None:
    """Raise `InputError` unless a checkpoint was trained on heads that were prepared like this."""
    try:
        trained = Preparation.from_json(description.get("preparation"))
    except InputError as error:
        raise InputError(f"the checkpoint can't be used: {error}") from None
    theirs, ours = _flat(trained.to_json()), _flat(preparation.to_json())
    for key, value in ours.items():
        if theirs[key] != value:
            raise InputError(
                f"the checkpoint was trained with data.{key} = {theirs[key]}, this configuration has {value}; "
                "use the one that it was trained with"
            )


def preparation_of_start(chosen: Preparation, needed: Preparation) -> Preparation:
    """The preparation of heads that a labeller to start from needs; logs what it overrides.

    Raises `InputError` where another was chosen.
    """
    default, theirs, ours = (_flat(each.to_json()) for each in (Preparation(), needed, chosen))
    for key, value in ours.items():
        if value not in (theirs[key], default[key]):
            raise InputError(
                f"`data.{key}` {value}: the labeller that `model.start` names takes {theirs[key]}, and training goes "
                "on with that; leave it out"
            )
    log_overridden("data", ours, theirs)
    return needed


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested options as dotted ones."""
    result: dict[str, Any] = {}
    for key, item in value.items():
        result |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return result
