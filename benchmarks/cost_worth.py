"""What must not suffer when a head gets cheaper: labels, quality, packed samples, features, predictions, views."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import PixelClass

Pair = tuple[Path, Path]  # the same of the old and of the new build


@dataclass(frozen=True)
class Measures:
    """Numbers of a head in either build, None where it has none."""

    names: str
    old: list[float | None]
    new: list[float | None]


def labels(captures: Pair) -> str:
    """Columns of the labels and numbers of the quality that differ."""
    old, new = (dict(np.load(folder / "labels.npz")) for folder in captures)
    numbers = [_flat(json.loads((folder / "quality.json").read_text())) for folder in captures]
    differing = [name for name in old if name not in new or not np.array_equal(old[name], new[name], equal_nan=True)]
    differing += [name for name, value in numbers[0].items() if numbers[1].get(name) != value]
    return f"differ: {', '.join(differing)}" if differing else f"all {len(old)} columns and quality numbers equal"


def packs(folders: Pair) -> str:
    """Members of the shards that differ, but for the record of the capture, which names versions and times.

    PNG files are equal where their pixels are.
    """
    old, new = map(_members, folders)
    chosen = [name for name in old if not name.endswith("capture.json")]
    differing = [name for name in chosen if name not in new or not _equal(name, old[name], new[name])]
    return f"differ: {', '.join(differing)}" if differing else f"all {len(old)} files equal"


def _equal(name: str, one: bytes, other: bytes) -> bool:
    if not name.endswith(".png"):
        return one == other
    return np.array_equal(*(np.asarray(Image.open(io.BytesIO(data))) for data in (one, other)))


def features(files: Pair) -> str:
    """The largest difference of features, in units of half precision's rounding at 1."""
    old, new = (np.load(path) for path in files)
    if old.shape != new.shape:
        return f"another shape: {old.shape} and {new.shape}"
    scale = np.maximum(np.abs(old.astype(float)), 1)
    worst = float((np.abs(old.astype(float) - new.astype(float)) / scale).max())
    return f"largest difference {worst / np.finfo(np.float16).eps:.2f} roundings"


def predictions(captures: Pair) -> str:
    """The share of vertices with another label."""
    old, new = (np.load(folder / "prediction" / "prediction.npz")["skin"] for folder in captures)
    return f"{(old != new).mean():.4%} of the labels differ" if len(old) == len(new) else "another number of vertices"


def scans(captures: Pair) -> Measures:
    """Of each build's own scan: accuracy, completeness of clear skin and hair, agreement of labels and masks."""
    rows = []
    for folder in captures:
        quality = json.loads((folder / "quality.json").read_text())
        accuracy, complete = quality["accuracy"]["skin_pixels"], quality["completeness"]
        clear = complete["face_mask_clear"]["within_1_0_mm"]
        told = dict(np.load(folder / "labels.npz"))
        seen = told["seen_class"] != 255  # vertices that some view with a mask sees
        agreement = ((told["seen_class"] == PixelClass.SKIN) == told["skin"])[seen].mean()
        numbers = (accuracy["median_mm"], accuracy["p90_mm"], clear, complete["hair"], agreement)
        rows.append([None if number is None else float(number) for number in numbers])
    return Measures("median/p90 mm/clear/hair/agreement", *rows)


def views(captures: Pair, references: Pair) -> Measures:
    """RMSE and structural dissimilarity of each build's views against many samples of its own scene."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    rows = []
    for folder, reference in zip(captures, references, strict=True):
        root, structure = [], []
        for path in sorted((folder / "images").iterdir()):
            pair = [np.asarray(Image.open(each), np.float32) / 255 for each in (path, reference / "images" / path.name)]
            root.append(float(np.sqrt(np.mean((pair[0] - pair[1]) ** 2))))
            tensors = [torch.from_numpy(image).permute(2, 0, 1)[None] for image in pair]
            structure.append(1 - float(structural_similarity_index_measure(*tensors, data_range=1.0)))
        rows.append([float(np.mean(root)), float(np.mean(structure))])
    return Measures("RMSE/1-SSIM", *rows)


def together(values: Sequence[str | Measures]) -> str:
    """Of all heads: the means of measures; texts, one where they say the same."""
    texts = dict.fromkeys(value for value in values if isinstance(value, str))
    rows: dict[str, list[Measures]] = {}
    for value in values:
        if isinstance(value, Measures):
            rows.setdefault(value.names, []).append(value)
    for names, measures in rows.items():
        old, new = (_means([getattr(each, build) for each in measures]) for build in ("old", "new"))
        texts[f"{names} {old} → {new}"] = None
    return "; ".join(texts)


def _means(rows: Sequence[Sequence[float | None]]) -> str:
    """Means of the columns, over the heads that have a value there (hair is not on every head)."""
    columns = [[number for number in column if number is not None] for column in zip(*rows, strict=True)]
    return "/".join(f"{np.mean(column):.4f}" if column else "-" for column in columns)


def _flat(value: Any, name: str = "quality") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    return {key: leaf for part, inner in value.items() for key, leaf in _flat(inner, f"{name}.{part}").items()}


def _members(folder: Path) -> dict[str, bytes | list[NDArray]]:
    found: dict[str, bytes | list[NDArray]] = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                file = archive.extractfile(member)
                if file is not None and member.name != "__index__":
                    found[member.name] = file.read()
    return found
