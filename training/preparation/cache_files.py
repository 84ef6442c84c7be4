"""Files of prepared heads in the cache.

Each product of a head is a file of its own, named by what it was made from: changing one option remakes what depends on
it and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from capture import InputError, atomic_path
from scans.head_sample import HeadSample
from training.features.backbone import shared_backbone, token_path
from training.features.cropping import WHOLE, Crop, crops_around
from training.features.lifting import Placement
from training.features.registry import FEATURES
from training.preparation.prepared import WholeScan
from training.preparation.settings import Preparation, backbone_key
from training.preparation.simplify import Interpolation, Simplified
from training.preparation.targets import Targets

_T = TypeVar("_T")

VERSION = 1  # of simplification and features: raise it when their numbers change, and every cache is made anew
MESH_VERSION = 2  # of what is in the file of the simplified scan


def head_folder(cache: Path, name: str, key: str) -> Path:
    """The folder of a head's products."""
    return Path(cache) / "heads" / f"{name}-{key}"


def mesh_file(preparation: Preparation) -> str:
    """File name of the simplified scan."""
    return f"mesh-v{MESH_VERSION}-{preparation.vertices}.npz"


def feature_file(name: str, preparation: Preparation) -> str:
    """File name of a feature: hash of its options, of the weights where it needs any, of the number of vertices."""
    feature = FEATURES[name]
    settings = [VERSION, preparation.vertices, name, *feature.settings(preparation.features)]
    if feature.of_backbone:
        settings.append(backbone_key(preparation))
    if feature.of_operators:
        settings.append(preparation.eigenpairs)
    digest = hashlib.blake2b(json.dumps(settings).encode(), digest_size=8).hexdigest()
    return f"feature-{name}-{digest}.npy"


def placement_file(preparation: Preparation) -> str:
    """File name of the vertices' positions in the images."""
    kind = "weighted" if preparation.features.fusion.startswith("weighted") else "plain"
    crop = "-crop" if preparation.features.backbone.crop else ""
    return f"placement-v{VERSION}-{preparation.vertices}-{kind}{crop}.npz"


def crops_of(head: HeadSample, preparation: Preparation) -> list[Crop] | None:
    """The parts of a head's images that the image network sees; None where it sees all of them."""
    return crops_around(head.cameras, head.scan.vertices) if preparation.features.backbone.crop else None


def token_files(head: HeadSample, preparation: Preparation, cache: Path) -> list[Path]:
    """Files of the token maps of a head, in the order of its views."""
    backbone = shared_backbone(preparation.features.backbone)
    crops = crops_of(head, preparation) or [WHOLE] * len(head.images)
    return [token_path(backbone, data, cache, crop) for data, crop in zip(head.images, crops, strict=True)]


def write_mesh(path: Path, mesh: Simplified, whole: WholeScan) -> None:
    """Write a simplified scan, what leads back to the whole scan, and the targets of both, atomically."""
    arrays: dict[str, NDArray] = {"vertices": mesh.vertices, "faces": mesh.faces, "source": mesh.source}
    arrays |= {"corners": whole.interpolation.corners, "weights": whole.interpolation.weights}
    arrays["key"] = np.array(whole.key)
    if whole.targets is not None:
        arrays |= whole.targets.to_arrays("scan_") | whole.targets.at(mesh.source).to_arrays()
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def read_mesh(path: Path) -> Simplified:
    """A simplified scan. Raises `InputError` where the file is damaged."""
    return _read(path, lambda arrays: Simplified(arrays["vertices"], arrays["faces"], arrays["source"]))


def read_targets(path: Path) -> Targets | None:
    """Targets at the vertices of a simplified scan, where it has any, from the same file."""
    return _read(path, Targets.from_arrays)


def read_whole(path: Path) -> WholeScan:
    """The whole scan's interpolation and targets, from the same file."""

    def whole(arrays: Mapping[str, NDArray]) -> WholeScan:
        interpolation = Interpolation(arrays["corners"], arrays["weights"])
        return WholeScan(str(arrays["key"]), interpolation, Targets.from_arrays(arrays, "scan_"))

    return _read(path, whole)


def write_placement(path: Path, placement: Placement) -> None:
    """Write the vertices' positions in the images, atomically."""
    with atomic_path(path) as temporary:
        np.savez(temporary, where=placement.where, weights=placement.weights)


def read_placement(path: Path) -> Placement:
    """The vertices' positions in the images. Raises `InputError` where the file is damaged."""
    return _read(path, lambda arrays: Placement(arrays["where"], arrays["weights"]))


def write_feature(path: Path, values: NDArray[np.float16]) -> None:
    """Write a feature, atomically; `read_array` reads it."""
    with atomic_path(path) as temporary:
        np.save(temporary, values, allow_pickle=False)


def _read(path: Path, build: Callable[[Mapping[str, NDArray]], _T]) -> _T:
    """Read only those arrays that are asked for."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return build(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None
