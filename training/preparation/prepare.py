"""Preparing one head: simplified scan, operators, features, targets."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError
from scans.head_sample import HeadSample
from scans.meshes.reading import scan_key
from scans.ray_casting import ray_caster
from training.features.backbone import Tokens, cached_tokens, read_array, shared_backbone
from training.features.cropping import Crop
from training.features.lifting import place
from training.features.registry import FEATURES, compute_feature, fill_feature, input_channels
from training.features.sources import Sources
from training.operators import Operators
from training.operators.compute import compute_or_load
from training.preparation import cache_files
from training.preparation.prepared import ImageInput, PreparedHead, WholeScan
from training.preparation.settings import Preparation
from training.preparation.simplify import Simplified, simplify
from training.preparation.targets import Targets


def prepare_head(head: HeadSample, preparation: Preparation, cache: Path | None) -> PreparedHead:
    """Simplify, make operators and features; what `cache` already holds is read (None: nothing is kept).

    Raises:
        InputError: where an image or the scan is unusable, or there are no backbone weights.
    """
    return _Products(head, preparation, None if cache is None else Path(cache)).prepared()


class _Products:
    """The products of one head; each is made, or read, when something asks for it."""

    def __init__(self, head: HeadSample, preparation: Preparation, cache: Path | None) -> None:
        self.head, self.preparation, self.cache = head, preparation, cache
        self.folder = None if cache is None else cache_files.head_folder(cache, head.id, head.key())

    def prepared(self) -> PreparedHead:
        """All of them."""
        mesh, operators = self.mesh, self.operators  # first: they take much memory while they are made
        config = self.preparation.features
        features = np.empty((len(mesh.vertices), len(input_channels(config))), np.float16)
        first = 0
        for name in config.lifted:
            last = first + FEATURES[name].channels(config)
            self._fill(name, features[:, first:last])
            first = last
        targets = None if self.targets is None else self.targets.at(mesh.source)
        return PreparedHead(self.head.id, mesh, operators, features, targets, self.image())

    @cached_property
    def mesh(self) -> Simplified:
        """The simplified scan."""
        path = self._path(cache_files.mesh_file(self.preparation))
        if path is not None and path.is_file():
            return cache_files.read_mesh(path)
        scan = self.head.scan
        try:
            mesh = simplify(scan.vertices, scan.faces, self.preparation.vertices)
        except ValueError as error:
            raise InputError(f"scan of {self.head.id}: {error}") from None
        if path is not None:
            cache_files.write_mesh(
                path, mesh, WholeScan(scan_key(scan), mesh.interpolation(scan.vertices), self.targets)
            )
        return mesh

    @cached_property
    def targets(self) -> Targets | None:
        """At the vertices of the whole scan."""
        scan, labels = self.head.scan, self.head.labels
        return None if labels is None else Targets.of_scan(scan.vertices, scan.faces, labels)

    @cached_property
    def operators(self) -> Operators:
        """Of the simplified scan."""
        return compute_or_load(self.folder, self.mesh.vertices, self.mesh.faces, self.preparation.eigenpairs)

    @cached_property
    def sources(self) -> Sources:
        """The sources of features, at the vertices of the simplified scan."""
        scan, cameras = self.head.scan, self.head.cameras
        at, operators, caster = self.mesh.source, lambda: self.operators, lambda: ray_caster(scan)
        pixels = self.head.pixels
        return Sources(scan.vertices, scan.faces, at, cameras, self.tokens, pixels, operators, caster, self.crops)

    @cached_property
    def crops(self) -> list[Crop] | None:
        """The parts of the images that the image network sees; None where it sees all of them."""
        return cache_files.crops_of(self.head, self.preparation)

    def _fill(self, name: str, out: NDArray[np.float16]) -> None:
        """Write a feature at the vertices of the simplified scan to (W, C)."""
        path = self._path(cache_files.feature_file(name, self.preparation))
        if path is None:
            fill_feature(name, self.preparation.features, self.sources, out)
            return
        if not path.is_file():
            cache_files.write_feature(path, compute_feature(name, self.preparation.features, self.sources))
        out[:] = read_array(path)

    def tokens(self) -> list[Tokens]:
        """Token maps of the images."""
        self.head.check_shapes()
        backbone = shared_backbone(self.preparation.features.backbone)
        return cached_tokens(backbone, self.head.images, self.head.image_names, self.cache, self.crops)

    def image(self) -> ImageInput | None:
        """Input of the image head, where there is one."""
        if not self.preparation.features.image_head:
            return None
        path = self._path(cache_files.placement_file(self.preparation))
        if path is not None and path.is_file():
            return ImageInput(self.tokens(), cache_files.read_placement(path))
        placement = place(self.sources.token_views, self.preparation.features.fusion)
        if path is not None:
            cache_files.write_placement(path, placement)
        return ImageInput(self.tokens(), placement)

    def _path(self, name: str) -> Path | None:
        """Of a file in the cache, None without one."""
        return None if self.folder is None else self.folder / name
