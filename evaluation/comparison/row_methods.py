"""Methods for the rows of the tables: references, segmenters of images, and checkpoints by their kind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capture import InputError
from evaluation.baselines import PixelSegmenter
from evaluation.comparison.methods import (
    LabellingMethod,
    NoMask,
    ProjectedSegmenter,
    TrainedLabeller,
    TrueLabels,
    TrueMasks,
    describe_checkpoint,
)
from evaluation.comparison.rows import OTHERS, ROWS, CheckpointKind, TableRow
from evaluation.options import Baselines

log = logging.getLogger(__name__)


def fill_rows(checkpoints: Sequence[Path], baselines: Baselines, vertices: int, cache: Path) -> list[TableRow]:
    """The rows with their methods; checkpoints that fit no row get rows of their own behind them.

    Of several checkpoints of a kind the one with the most training heads fills the row, of those the one with the
    trainable image head; the others stand behind, for the curve over the size of the data set.

    Files that are no checkpoints of labellers are left out, and that is logged. Raises `InputError` where a file is no
    such segmenter.
    """
    fixed: dict[str, LabellingMethod] = {"none": NoMask(), "truth": TrueLabels(), "masks": TrueMasks()}
    projected = _segmenters(baselines)
    described = [(path, describe_checkpoint(path)) for path in checkpoints if _is_ours(path)]
    described.sort(key=lambda each: (-(each[1]["heads"] or 0), not each[1]["features"].get("image_head"), str(each[0])))
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
            path, description = next(
                ((path, value) for path, value in described if CheckpointKind.of(value) == row.kind), (None, {})
            )
            if path is None:
                rows.append(replace(row, note=lacking))
            else:
                used.add(path)
                rows.append(_labelled(row, path, description, vertices, cache))
    for path, description in described:
        if path not in used:
            name = _name_of(path, {row.name for row in rows})
            other = TableRow(name, name, OTHERS, (), CheckpointKind.of(description))
            rows.append(_labelled(other, path, description, vertices, cache))
    return rows


def find_checkpoints(folder: Path, which: str) -> list[Path]:
    """The checkpoint `which` (last, best) of every run below a folder. Raises `InputError` where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"no folder of checkpoints: {folder}; `checkpoints` is a folder with runs in it")
    paths = sorted(folder.rglob(f"{which}.ckpt"))
    if not paths:
        others = sorted({path.stem for path in folder.rglob("*.ckpt")} & {"last", "best"})
        cure = f"take `which` {others[0]}" if others else "train with `p2p fit`, or name another folder"
        raise InputError(f"no {which}.ckpt below {folder}; {cure}")
    return paths


def _is_ours(path: Path) -> bool:
    """Whether a file is a labeller's checkpoint: other programs' lie in the same folders, as the U-Net's do."""
    try:
        describe_checkpoint(path)
    except InputError as error:
        log.warning("left out: %s", error)
        return False
    return True


def _labelled(row: TableRow, path: Path, description: Mapping[str, Any], vertices: int, cache: Path) -> TableRow:
    words = [str(path)]
    features = description["features"]
    if "image" in features["names"]:
        words.append(features["backbone"]["source"])
        words.append("trainable image head" if features.get("image_head") else "tokens lifted once")
        words += ["images cut to the scan"] if features["backbone"].get("crop") else []
    if description["heads"] is not None:
        words.append(f"{description['heads']} training heads")
    method = TrainedLabeller(path, vertices, cache)
    ids = frozenset(description["ids"])
    return replace(row, method=method, note=", ".join(words), training_heads=description["heads"], training_ids=ids)


def _name_of(path: Path, taken: set[str]) -> str:
    """The folder of the run, which is above `checkpoints/`."""
    folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    name = folder.name.replace(",", "_") or path.stem
    names = (name, *(f"{name} ({number})" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _segmenters(files: Baselines) -> dict[str, tuple[LabellingMethod | None, str]]:
    """Name of a row -> method and note."""
    methods: dict[str, tuple[LabellingMethod | None, str]] = {}
    for name, load in _LOADERS.items():
        path = getattr(files, name)
        if path is None:
            methods[name] = None, f"no file given: --{name} FILE (docs/evaluation.md)"
        elif not Path(path).is_file():
            raise InputError(f"`{name}` {path}: no such file")
        else:
            methods[name] = ProjectedSegmenter(load(Path(path))), str(path)
    return methods


def _load_selfie(path: Path) -> PixelSegmenter:
    from evaluation.baselines.selfie import SelfieSegmenter

    return SelfieSegmenter(path)


def _load_bisenet(path: Path) -> PixelSegmenter:
    from evaluation.baselines.bisenet import BiSeNetSegmenter

    return BiSeNetSegmenter(path)


def _load_unet(path: Path) -> PixelSegmenter:
    from training.pixels.segmenter import UNetSegmenter

    return UNetSegmenter(path)


# Row and field of `Baselines` -> segmenter of its file; imported on use, as each needs a library of its own.
_LOADERS: dict[str, Callable[[Path], PixelSegmenter]] = {
    "selfie": _load_selfie,
    "bisenet": _load_bisenet,
    "unet": _load_unet,
}
