"""A data set as batches of images with class ids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from capture import InputError
from training.data.base import BaseDataModule
from training.data.prepared_index import Progress
from training.data.samplers import SampleIndex
from training.image_changes import IGNORED, Augmentation, change
from training.pixels.cache import DecodedImages, decode_images

_AUGMENTATION = Augmentation()


class PixelBatch(NamedTuple):
    """B images.

    Attributes:
        image: (B, R, R, 3) uint8, sRGB.
        classes: (B, R, R) uint8, ids of `PixelClass`, `IGNORED` where nothing is known.
        epoch: (B,) of training; -1 in evaluation.
        step: (B,) of the epoch; -1 in evaluation.
    """

    image: torch.Tensor
    classes: torch.Tensor
    epoch: torch.Tensor
    step: torch.Tensor


class AugmentedImages(Dataset):
    """Images of a split; changed in training (samples with a position), else as they are.

    Args:
        images: of a split.
        augmentation: of images in training.
        seed: of the changes; they follow from it, the epoch and the number of the image.
    """

    def __init__(self, images: DecodedImages, augmentation: Augmentation, seed: int) -> None:
        self.images, self.augmentation, self.seed = images, augmentation, seed

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, sample: SampleIndex) -> PixelBatch:
        image, classes = self.images.load(sample.index)
        epoch, step = sample.position or (-1, -1)
        if sample.position is not None:
            rng = np.random.default_rng([self.seed, epoch, sample.index])
            image, classes = change(image, classes, self.augmentation.sample(rng))
        if not sample.counted:
            classes = np.full_like(classes, IGNORED)
        pixels, ids = torch.from_numpy(np.array(image)), torch.from_numpy(np.array(classes))
        return PixelBatch(pixels, ids, torch.tensor(epoch), torch.tensor(step))


class PixelData(BaseDataModule):
    """The images of a data set, and their augmentation in training.

    A data set without a `val` split is validated on `test`: a checkpoint that was chosen by such a validation flatters
    its test result.

    Args:
        dataset: folder with `dataset.json` and its shards, or the URL of one. The shards have to have masks.
        cache: folder for what is prepared once; by default `<dataset>/cache`. A URL needs one.
        resolution: longer side of the images, pixels.
        batch_size: images in a step.
        augmentation: changes of images in training.
        workers: number of processes that load data.
        seed: seed of the order in which images are trained on, and of their changes.
    """

    UNIT = "images"

    def __init__(
        self,
        dataset: str,
        cache: str | None = None,
        resolution: int = 256,
        batch_size: int = 4,
        augmentation: Augmentation = _AUGMENTATION,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(dataset, cache, workers, seed)
        if resolution < 16 or batch_size < 1:
            raise InputError("`resolution` must be at least 16 and `batch_size` at least 1")
        self.resolution, self.batch_size, self.augmentation = resolution, batch_size, augmentation
        self._decoded: dict[str, DecodedImages] = {}

    def prepare_split(self, name: str, command: str | None, progress: Progress | None) -> None:
        """Decode what the cache lacks of a split, and open it."""
        self._decoded[name] = decode_images(self.split(name), self.resolution, self.cache, progress)

    def count(self, name: str) -> int:
        """Images of a split."""
        return len(self._decoded[name])

    def train_dataloader(self) -> DataLoader:
        return self.training_loader(self._images("train"), self.batch_size)

    def val_dataloader(self) -> DataLoader:
        name = self.validation_split()
        return self.evaluation_loader(name, self._images(name), self.batch_size)

    def test_dataloader(self) -> DataLoader:
        return self.evaluation_loader("test", self._images("test"), self.batch_size)

    def _images(self, name: str) -> AugmentedImages:
        return AugmentedImages(self._decoded[name], self.augmentation, self.seed)
