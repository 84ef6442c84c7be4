"""What must not suffer when a head gets cheaper: labels, quality, packed samples, features, predictions, views."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import PixelClass

Pair = tuple[Path, Path]  # the same of the old and of the new build


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


def scans(captures: Pair) -> str:
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
        rows.append("/".join("-" if number is None else f"{number:.3f}" for number in numbers))
    return f"median/p90 mm/clear/hair/agreement {rows[0]} → {rows[1]}"


def views(captures: Pair, references: Pair) -> str:
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
        rows.append(f"{np.mean(root):.4f}/{np.mean(structure):.4f}")
    return f"RMSE/1-SSIM {rows[0]} → {rows[1]}"


def together(texts: Sequence[str]) -> str:
    """Texts of all heads; one where they say the same."""
    return "; ".join(dict.fromkeys(texts))


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
