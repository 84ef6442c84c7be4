"""The stage before training: everything that does not change from epoch to epoch, made once and kept.

Each product of a head is a file of its own, named by what it was made from: changing one setting remakes what depends
on it and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from capture import InputError, atomic_path
from scans.head_sample import HeadSample
from scans.meshes import scan_key
from training.data.targets import Truth
from training.features import BackboneConfig, FeatureConfig, extract
from training.features.backbone import Backbone, Tokens, cached_tokens, read_array, token_path
from training.features.extract import Sources, feature_settings
from training.features.lifting import Placement, place
from training.operators import Operators
from training.operators.compute import compute_or_load
from training.preparation.simplify import Carrier, Simplified, simplify

log = logging.getLogger(__name__)

_T = TypeVar("_T")

VERSION = 1  # of simplification and features: raise it when their numbers change, and every cache is made anew
MESH_VERSION = 2  # of what is in the file of the simplified scan


@dataclass(frozen=True)
class Preparation:
    """How a head becomes the network's input.

    Attributes:
        features: at each vertex.
        vertices: scans are simplified to at most so many.
        eigenpairs: K of the operators.
    """

    features: FeatureConfig = field(default_factory=FeatureConfig)
    vertices: int = 20000
    eigenpairs: int = 128

    def __post_init__(self) -> None:
        if self.vertices < 16 or self.eigenpairs < 1:
            raise InputError("data.vertices must be at least 16, data.eigenpairs at least 1")

    def to_json(self) -> dict[str, Any]:
        """Plain types only: what a checkpoint carries."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`; raises `InputError` where it is not such a configuration."""
        try:
            return cls(FeatureConfig.from_json(value["features"]), value["vertices"], value["eigenpairs"])
        except (TypeError, KeyError) as error:
            raise InputError(f"not a preparation: {error}") from None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A head ready for the network, W vertices.

    Attributes:
        id: name of the capture.
        mesh: the simplified scan.
        operators: of the simplified scan.
        features: (W, C) float16, not normalised.
        truth: at the W vertices, None without labels.
        image: for the image head; None where features are lifted once.
    """

    id: str
    mesh: Simplified
    operators: Operators
    features: NDArray[np.float16]
    truth: Truth | None = None
    image: ImageInput | None = None


@dataclass(frozen=True, eq=False)
class ImageInput:
    """What the image head takes in.

    Attributes:
        tokens: N token maps (h, w, C), memory-mapped where they are cached.
        placement: of the W vertices in the N views.
    """

    tokens: list[Tokens]
    placement: Placement


@dataclass(frozen=True, eq=False)
class WholeScan:
    """How answers at the simplified scan become answers at the V vertices of the scan.

    Attributes:
        key: name of the scan's content.
        carrier: to the V vertices.
        truth: at the V vertices, None without labels.
    """

    key: str
    carrier: Carrier
    truth: Truth | None = None


@lru_cache(maxsize=1)
def shared_backbone(source: str, layers: tuple[int, ...], resolution: int) -> Backbone:
    """One network for all heads."""
    return Backbone(BackboneConfig(source, list(layers), resolution))


def backbone_key(preparation: Preparation) -> str | None:
    """Name of everything that the image features depend on, the backbone's weights above all; None without any."""
    return _backbone(preparation).key if "image" in preparation.features.names else None


def prepare_head(head: HeadSample, preparation: Preparation, cache: Path | None) -> Prepared:
    """Simplify, make operators and features; what `cache` already holds is read (None: nothing is kept).

    Raises:
        InputError: where an image or the scan is unusable, or there are no backbone weights.
    """
    return _Stage(head, preparation, None if cache is None else Path(cache)).run()


class _Stage:
    """One head on its way; each product is made when something asks for it."""

    def __init__(self, head: HeadSample, preparation: Preparation, cache: Path | None) -> None:
        self.head, self.preparation, self.cache = head, preparation, cache
        self.folder = None if cache is None else head_folder(cache, head.id, head.key())

    def run(self) -> Prepared:
        mesh = self.mesh
        columns = [self._feature(name) for name in self.preparation.features.lifted]
        features = np.concatenate([np.zeros((len(mesh.vertices), 0), np.float16), *columns], axis=1)
        truth = None if self.truth is None else self.truth.at(mesh.source)
        return Prepared(self.head.id, mesh, self.operators, features, truth, self._image())

    @cached_property
    def mesh(self) -> Simplified:
        path = None if self.folder is None else self.folder / mesh_file(self.preparation)
        if path is not None and path.is_file():
            return read_mesh(path)
        try:
            mesh = simplify(self.head.scan.vertices, self.head.scan.faces, self.preparation.vertices)
        except ValueError as error:
            raise InputError(f"scan of {self.head.id}: {error}") from None
        if path is not None:
            carrier, key = mesh.nearest(self.head.scan.vertices), scan_key(self.head.scan)
            arrays: dict[str, NDArray] = {"vertices": mesh.vertices, "faces": mesh.faces, "source": mesh.source}
            arrays |= {"corners": carrier.corners, "weights": carrier.weights, "key": np.array(key)}
            if self.truth is not None:
                arrays |= self.truth.to_arrays("scan_") | self.truth.at(mesh.source).to_arrays()
            with atomic_path(path) as temporary:
                np.savez(temporary, **arrays)
        return mesh

    @cached_property
    def truth(self) -> Truth | None:
        """Of the whole scan."""
        scan, labels = self.head.scan, self.head.labels
        return None if labels is None else Truth.of_scan(scan.vertices, scan.faces, labels)

    @cached_property
    def operators(self) -> Operators:
        return compute_or_load(self.folder, self.mesh.vertices, self.mesh.faces, self.preparation.eigenpairs)

    @cached_property
    def sources(self) -> Sources:
        scan = self.head.scan
        return Sources(
            scan.vertices,
            scan.faces,
            self.mesh.source,
            self.head.cameras,
            self._tokens,
            self.head.pixels,
            lambda: self.operators,
        )

    def _tokens(self) -> list[NDArray[np.float16]]:
        self.head.pixels()  # refuses images of another shape than their cameras'
        return cached_tokens(_backbone(self.preparation), self.head.images, self.head.image_names, self.cache)

    def _image(self) -> ImageInput | None:
        if not self.preparation.features.image_head:
            return None
        path = None if self.folder is None else self.folder / placement_file(self.preparation)
        if path is not None and path.is_file():
            return ImageInput(self._tokens(), read_placement(path))
        placement = place(self.sources.views, self.preparation.features.fusion)
        if path is not None:
            with atomic_path(path) as temporary:
                np.savez(temporary, where=placement.where, weights=placement.weights)
        return ImageInput(self._tokens(), placement)

    def _feature(self, name: str) -> NDArray[np.float16]:
        path = None if self.folder is None else self.folder / feature_file(name, self.preparation)
        if path is not None and path.is_file():
            return read_array(path)
        values = extract(name, self.preparation.features, self.sources).astype(np.float16)
        if path is not None:
            with atomic_path(path) as temporary:
                np.save(temporary, values, allow_pickle=False)
        return values


def head_folder(cache: Path, name: str, key: str) -> Path:
    """Where the products of a head are kept."""
    return Path(cache) / "heads" / f"{name}-{key}"


def mesh_file(preparation: Preparation) -> str:
    """File name of the simplified scan."""
    return f"mesh-v{MESH_VERSION}-{preparation.vertices}.npz"


def feature_file(name: str, preparation: Preparation) -> str:
    """File name of a feature: of its settings, of the weights where it needs any, and of what it is sampled at."""
    settings = [VERSION, preparation.vertices, *feature_settings(name, preparation.features)]
    if name == "image":
        settings.append(backbone_key(preparation))
    if name == "hks":
        settings.append(preparation.eigenpairs)
    digest = hashlib.blake2b(json.dumps(settings).encode(), digest_size=8).hexdigest()
    return f"feature-{name}-{digest}.npy"


def placement_file(preparation: Preparation) -> str:
    """File name of where the vertices fall on the images."""
    kind = "weighted" if preparation.features.fusion.startswith("weighted") else "plain"
    return f"placement-v{VERSION}-{preparation.vertices}-{kind}.npz"


def read_placement(path: Path) -> Placement:
    """What `placement_file` names. Raises `InputError` where it is damaged."""
    return _read(path, lambda arrays: Placement(arrays["where"], arrays["weights"]))


def token_files(head: HeadSample, preparation: Preparation, cache: Path) -> list[Path]:
    """Where the token maps of a head are kept, in the order of its views."""
    return [token_path(_backbone(preparation), data, cache) for data in head.images]


def _backbone(preparation: Preparation) -> Backbone:
    config = preparation.features.backbone
    return shared_backbone(config.source, tuple(config.layers), config.resolution)


def read_mesh(path: Path) -> Simplified:
    """A simplified scan. Raises `InputError` where the file is damaged."""
    return _read(path, lambda arrays: Simplified(arrays["vertices"], arrays["faces"], arrays["source"]))


def read_truth(path: Path) -> Truth | None:
    """Labels at the vertices of a simplified scan, where it has any, from the same file."""
    return _read(path, Truth.from_arrays)


def read_whole(path: Path) -> WholeScan:
    """What belongs to all vertices of the scan, from the same file."""

    def whole(arrays: Mapping[str, NDArray]) -> WholeScan:
        carrier = Carrier(arrays["corners"], arrays["weights"])
        return WholeScan(str(arrays["key"]), carrier, Truth.from_arrays(arrays, "scan_"))

    return _read(path, whole)


def _read(path: Path, build: Callable[[Mapping[str, NDArray]], _T]) -> _T:
    """Read only those arrays that are asked for."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return build(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None
