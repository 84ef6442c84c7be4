"""A data set as batches of one head each."""

from __future__ import annotations

from torch.utils.data import DataLoader, Dataset

from training.data.base import BaseDataModule
from training.data.batch import HeadBatch, to_batch
from training.data.prepared_index import Index, Progress, prepare_split, read_statistics
from training.data.samplers import SampleIndex
from training.data.shards import Split
from training.data.statistics import Statistics
from training.features import FeatureConfig
from training.features.backbone import Backbone
from training.features.registry import input_channels
from training.preparation.settings import Preparation
from training.preparation.simplify import Simplified

_FEATURES = FeatureConfig()


class PreparedHeads(Dataset):
    """The prepared heads of a split.

    Args:
        split: the heads.
        index: of their files.
        whole: add all vertices of the scans, for predictions and metrics there.
    """

    def __init__(self, split: Split, index: Index, whole: bool = False) -> None:
        self.split, self.index, self.whole = split, index, whole

    def __len__(self) -> int:
        return len(self.split.ids)

    def __getitem__(self, sample: SampleIndex) -> HeadBatch:
        name = self.split.ids[sample.index]
        batch = to_batch(self.index.load(name), self.index.load_whole(name) if self.whole else None)
        batch.position, batch.counted = sample.position, sample.counted
        return batch


class HeadData(BaseDataModule):
    """A data set of heads, and the options of their preparation.

    A data set without a `val` split is validated on `test`: a checkpoint that was chosen by such a validation flatters
    its test result.

    Args:
        dataset: folder with `dataset.json` and its shards, or the URL of one.
        cache: folder for what is prepared once; `<dataset>/cache` where None. A URL needs one.
        features: features at each vertex.
        vertices: most vertices that a scan is simplified to.
        test_vertices: the same for `test` and `predict`, which work on all vertices of most scans that way; as
            `vertices` where None. Predictions and metrics are at all vertices of the scans in any case.
        eigenpairs: number of eigenpairs of the Laplacian, K.
        workers: number of processes that load data.
        seed: seed of the order in which heads are trained on.
        heads: number of heads to train on, the first ones; all where None. For the curve over the size of the data set.
    """

    def __init__(
        self,
        dataset: str,
        cache: str | None = None,
        features: FeatureConfig = _FEATURES,
        vertices: int = 20000,
        test_vertices: int | None = 250_000,
        eigenpairs: int = 128,
        workers: int = 0,
        seed: int = 0,
        heads: int | None = None,
    ) -> None:
        super().__init__(dataset, cache, workers, seed)
        self.preparation = Preparation(features, vertices, eigenpairs)
        self.test_vertices = test_vertices
        self.heads = heads
        self._indices: dict[str, Index] = {}

    def prepare_split(self, name: str, command: str | None, progress: Progress | None) -> None:
        """Make what the cache lacks of a split for a command, and open it."""
        preparation = self.preparation_of(name, command)
        self._indices[name] = prepare_split(self.split(name), preparation, self.cache, progress)

    def count(self, name: str) -> int:
        """Heads of a split."""
        return len(self.split(name).ids)

    def preparation_of(self, name: str, command: str | None) -> Preparation:
        """The preparation of a split's heads for a command."""
        if command in ("test", "predict") and self.test_vertices is not None:
            return Preparation(self.preparation.features, self.test_vertices, self.preparation.eigenpairs)
        return self.preparation

    def mesh(self, name: str) -> Simplified:
        """The simplified scan of a validation head."""
        return self._indices[self.validation_split()].load_mesh(name)

    def channels(self) -> list[str]:
        """The feature that each input channel belongs to."""
        return input_channels(self.preparation.features)

    def token_channels(self) -> int:
        """Channels of the token maps that the image head takes in; 0 without it."""
        features = self.preparation.features
        return Backbone(features.backbone).channels if features.image_head else 0

    def token_statistics(self) -> Statistics:
        """Of the token maps of training heads."""
        return self._indices["train"].token_statistics()

    def statistics(self) -> Statistics:
        """Of the training heads."""
        return read_statistics(self.split("train"), self.preparation, self.cache)

    def train_dataloader(self) -> DataLoader:
        return self.training_loader(self._heads("train"))

    def val_dataloader(self) -> DataLoader:
        name = self.validation_split()
        return self.evaluation_loader(name, self._heads(name))

    def test_dataloader(self) -> DataLoader:
        return self.evaluation_loader("test", self._heads("test", whole=True))

    def predict_dataloader(self) -> DataLoader:
        return self.test_dataloader()

    def split(self, name: str) -> Split:
        """The training split is cut to `heads`. Raises `InputError` where it is missing, empty or smaller than that."""
        split = super().split(name)
        return split.first(self.heads) if name == "train" and self.heads is not None else split

    def training_ids(self) -> tuple[str, ...]:
        """The heads that are trained on."""
        return self.split("train").ids

    def training_heads(self) -> int:
        """The number of heads that are trained on."""
        return self.count("train")

    def _heads(self, name: str, whole: bool = False) -> PreparedHeads:
        return PreparedHeads(self.split(name), self._indices[name], whole)
