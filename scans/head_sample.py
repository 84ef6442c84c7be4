"""One head of a data set or a capture: images, cameras, a scan, and labels where there are any."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Camera, Capture, InputError, Labels, Scan
from capture.arrays import read_npz
from scans.images.decoding import decode_classes, decode_file, image_size
from scans.meshes.reading import read_scan
from scans.scale import known_scale

_ID = re.compile(r"[A-Za-z0-9_\-]+")
_VARIANT = re.compile(r"scan_(\d\d)\.npz")
_LABELS = ("part", "side", "views", "seen_class", "known")  # beside distance and skin, where a shard has them


@dataclass(frozen=True, eq=False)
class StyledScan:
    """A further scan of a head, made of the same depth maps in another style.

    Attributes:
        scan: the mesh, metres.
        labels: of its vertices.
        style: the record of the style: its name, and what was drawn.
    """

    scan: Scan
    labels: Labels
    style: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class HeadSample:
    """A head to train on or to segment: one sample of a data set.

    Attributes:
        id: name of the capture.
        cameras: N views.
        images: N image files' bytes, in the order of the cameras.
        image_names: their names in errors.
        scan: the reconstructed mesh, V vertices, metres.
        labels: of the V vertices, None where there are none.
        info: content of the sample's `capture.json`; empty for a capture.
        masks: N mask files' bytes, in the order of the cameras; None where there are none, as in older data sets.
        metres_per_unit: of the cameras, where the capture tells it (`known_scale`).
        variants: further scans of the same images in other styles, where a shard has them.
    """

    id: str
    cameras: tuple[Camera, ...]
    images: tuple[bytes, ...]
    image_names: tuple[str, ...]
    scan: Scan
    labels: Labels | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    masks: tuple[bytes, ...] | None = None
    metres_per_unit: float | None = None
    variants: tuple[StyledScan, ...] = ()

    @classmethod
    def from_sample(cls, sample: Mapping[str, bytes], where: str) -> HeadSample:
        """The head in a shard's sample; raises `InputError` naming `where` if something is missing or damaged."""
        name = str(sample["__key__"])
        if not _ID.fullmatch(name):  # folders are named after it
            raise InputError(f"damaged shard: {where} (the sample {name!r} has no usable id); pack the data set again")
        place = f"sample {name} in {where}"
        try:
            info = json.loads(sample["capture.json"])
            cameras = tuple(Camera.from_json(value) for value in info["cameras"])
            keys = tuple(f"view_{i:02d}.jpg" for i in range(len(cameras)))
            images = tuple(sample[key] for key in keys)
            mask_keys = tuple(f"view_{i:02d}.mask.png" for i in range(len(cameras)))
            masks = tuple(sample[key] for key in mask_keys) if any(key in sample for key in mask_keys) else None
            painted = bool(info.get("painted", False))
            scan, labels = _labelled_scan(sample["scan.npz"], painted)
            numbers = [found[1] for key in sorted(sample) if (found := _VARIANT.fullmatch(key))]
            variants = tuple(_styled_scan(sample, number) for number in numbers)
        except InputError as error:
            raise InputError(f"damaged {place}: {error}; pack the data set again") from None
        except KeyError as error:
            raise InputError(f"damaged {place}: {error} is missing; pack the data set again") from None
        except (ValueError, TypeError) as error:
            raise InputError(f"damaged {place}: {error}; pack the data set again") from None
        for each, of in ((scan, labels), *((variant.scan, variant.labels) for variant in variants)):
            if len(of) != len(each.vertices):
                raise InputError(f"damaged {place}: {len(of)} labels, {len(each.vertices)} vertices; pack it again")
        names = tuple(f"{key} of {place}" for key in keys)
        return cls(name, cameras, images, names, scan, labels, info, masks, variants=variants)

    @classmethod
    def from_capture(cls, capture: Capture | Path, scan: Scan | Path | None = None) -> HeadSample:
        """The head in a capture or its folder, with the capture's own scan or another one. No labels are read."""
        if not isinstance(capture, Capture):
            capture = Capture.read(capture)
        if not isinstance(scan, Scan):
            scan = read_scan(scan or capture.scan_path)
        paths = capture.image_paths
        images = tuple(path.read_bytes() for path in paths)
        scale = known_scale(capture)
        metres = None if scale is None else scale.metres
        return cls(capture.info.id, capture.cameras, images, tuple(map(str, paths)), scan, metres_per_unit=metres)

    def with_variant(self, number: int) -> HeadSample:
        """The head with one of its scans alone: 0 is the first, others are the `variants` in order."""
        if number == 0:
            return replace(self, variants=())
        variant = self.variants[number - 1]
        return replace(self, scan=variant.scan, labels=variant.labels, variants=())

    def key(self) -> str:
        """Hash of everything that the labeller sees (not the masks)."""
        digest = hashlib.blake2b(digest_size=12)
        vertices = self.scan.vertices
        digest.update(np.ascontiguousarray(vertices, vertices.dtype.newbyteorder("<")).tobytes())
        digest.update(np.ascontiguousarray(self.scan.faces, "<i4").tobytes())
        for camera in self.cameras:
            digest.update(json.dumps(camera.to_json(), sort_keys=True).encode())
        for image in self.images:
            digest.update(hashlib.blake2b(image, digest_size=16).digest())
        if self.labels is not None:
            digest.update(self.labels.distance_mm.tobytes() + self.labels.skin.tobytes())
            if self.labels.seen_class is not None:
                digest.update(self.labels.seen_class.tobytes())
            if self.labels.known is not None:
                digest.update(self.labels.known.tobytes())
        return digest.hexdigest()

    def classes(self) -> list[NDArray[np.uint8]] | None:
        """N maps (H, W) of `PixelClass` ids, None without masks; raises `InputError` where one is damaged."""
        if self.masks is None:
            return None
        return [
            decode_classes(data, f"the mask of {name}") for data, name in zip(self.masks, self.image_names, strict=True)
        ]

    def pixels(self) -> list[NDArray[np.uint8]]:
        """N decoded images (H, W, 3); raises `InputError` where one is damaged or not its camera's picture."""
        return [self.view_pixels(i) for i in range(len(self.cameras))]

    def view_pixels(self, view: int) -> NDArray[np.uint8]:
        """The decoded image (H, W, 3) of a view; raises as `pixels` does."""
        image = decode_file(self.images[view], self.image_names[view])
        self._check_shape(view, image.width, image.height)
        return image.colours

    def check_shapes(self) -> None:
        """Raise `InputError` where an image is not its camera's picture, by the beginnings of the files alone."""
        for view, (data, name) in enumerate(zip(self.images, self.image_names, strict=True)):
            self._check_shape(view, *image_size(data, name))

    def _check_shape(self, view: int, width: int, height: int) -> None:
        camera = self.cameras[view]
        if abs(width * camera.height - height * camera.width) > max(width, height):
            raise InputError(
                f"{self.image_names[view]} is {width} x {height}, its camera {camera.width} x {camera.height}: another "
                "shape; give the image that was calibrated"
            )


def _labelled_scan(content: bytes, painted: bool) -> tuple[Scan, Labels]:
    """A scan and its labels from a sample's NPZ; raises `InputError`, KeyError or ValueError where it is damaged."""
    arrays = read_npz(io.BytesIO(content))
    scan = Scan(arrays["vertices"], arrays["faces"], arrays.get("colours"))
    optional: dict[str, Any] = {key: arrays.get(key) for key in _LABELS}
    return scan, Labels(arrays["distance_mm"], arrays["skin"], **optional, painted=painted)


def _styled_scan(sample: Mapping[str, bytes], number: str) -> StyledScan:
    """A sample's scan of a number; raises as `_labelled_scan` does."""
    style = json.loads(sample[f"style_{number}.json"])
    if not isinstance(style, Mapping) or not isinstance(style.get("name"), str):
        raise ValueError(f"style_{number}.json names no style")
    return StyledScan(*_labelled_scan(sample[f"scan_{number}.npz"], painted=False), style)
