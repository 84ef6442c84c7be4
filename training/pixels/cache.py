"""Images and class ids of a data set, decoded once at the resolution of training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import InputError, atomic_path, read_json, write_json
from scans.head_sample import HeadSample
from scans.images.decoding import resize_image
from training.data.prepared_index import Progress
from training.data.shards import Split, read_heads
from training.image_changes import IGNORED

_FORMAT = 1  # of the files; raise it when what is in them changes


@dataclass(frozen=True)
class DecodedImages:
    """The images of a split with their class ids, numbered from 0.

    Attributes:
        cache: folder that the files are relative to.
        files: (file, view) of each image.
    """

    cache: Path
    files: list[tuple[str, int]]

    def __len__(self) -> int:
        return len(self.files)

    def load(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """An image (R, R, 3) and its class ids (R, R). Raises `InputError` where the file is damaged."""
        name, view = self.files[number]
        path = self.cache / name
        try:
            both = np.load(path, mmap_mode="r", allow_pickle=False)[view]
            if both.dtype != np.uint8 or both.ndim != 3 or both.shape[2] != 4:
                raise ValueError("another array")
        except (OSError, ValueError, EOFError, IndexError) as error:
            raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None
        return np.array(both[..., :3]), np.array(both[..., 3])


def decode_images(split: Split, resolution: int, cache: Path, progress: Progress | None = None) -> DecodedImages:
    """Decode what is missing of a split; no shard is opened when all is there.

    Raises `InputError` where a shard is damaged or has no masks.
    """
    contents = [_FORMAT, resolution, [shard.sha256 for shard in split.shards]]
    digest = hashlib.blake2b(json.dumps(contents).encode(), digest_size=8).hexdigest()
    index = Path(cache) / f"pixels-{split.name}-{digest}.json"
    if index.is_file():
        known = _opened(cache, read_json(index, "index"))
        if all((Path(cache) / name).is_file() for name in {name for name, _ in known.files}):
            return known
    views: dict[str, int] = {}
    for shard in split.shards:
        for head in read_heads(shard):
            name = _decode_head(head, resolution, Path(cache))
            views[name] = len(head.images)
            if progress is not None:
                progress(head.id, len(views), len(split.ids))
    write_json(index, views)
    return _opened(cache, views)


def _opened(cache: Path, views: dict[str, int]) -> DecodedImages:
    return DecodedImages(Path(cache), [(name, view) for name, count in views.items() for view in range(count)])


def _decode_head(head: HeadSample, resolution: int, cache: Path) -> str:
    """Write the head's file, (N, R, R, 4) of colours and class id, unless it is there; its name below the cache."""
    if head.masks is None:
        cure = "pack it again with `p2p pack` from captures that have them"
        if head.info.get("painted", False):
            cure = "it is a person's painted scan; name a data set of generated heads alone"
        raise InputError(f"{head.id} in the data set has no class masks: {cure}")
    digest = hashlib.blake2b(digest_size=8)
    for data in (*head.images, *head.masks):
        digest.update(hashlib.blake2b(data, digest_size=16).digest())
    name = f"pixels/{head.id}-{digest.hexdigest()}-{_FORMAT}-{resolution}.npy"
    if (cache / name).is_file():
        return name
    ids = head.classes() or []
    images = head.pixels()
    squares = np.stack([_fit(image, mask, resolution) for image, mask in zip(images, ids, strict=True)])
    with atomic_path(cache / name) as temporary:
        np.save(temporary, squares, allow_pickle=False)
    return name


def _fit(image: NDArray[np.uint8], classes: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    """(R, R, 4): the longer side is R, the image in the middle, and beside it grey that nothing is known of."""
    height, width = image.shape[:2]
    factor = resolution / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    left, top = (resolution - size[0]) // 2, (resolution - size[1]) // 2
    result = np.empty((resolution, resolution, 4), np.uint8)
    result[..., :3], result[..., 3] = 127, IGNORED
    inside = result[top : top + size[1], left : left + size[0]]
    inside[..., :3] = resize_image(image, *size)
    inside[..., 3] = np.asarray(Image.fromarray(classes).resize(size, Image.Resampling.NEAREST))
    return result
