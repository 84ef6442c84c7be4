"""A data set as batches of one head each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from capture import InputError
from scans.traits import TrainingTraits
from training.data.base import BaseDataModule
from training.data.batch import HeadBatch, to_batch
from training.data.prepared_index import Index, Progress, prepare_split, read_statistics, read_traits
from training.data.remote import is_url
from training.data.samplers import MixedSampler, SampleIndex, TrainingSampler
from training.data.shards import Split
from training.data.statistics import Statistics
from training.features import FeatureConfig
from training.features.backbone import Backbone
from training.features.registry import input_channels
from training.preparation.copies import ONE, Variety
from training.preparation.settings import Preparation
from training.preparation.simplify import Simplified

_FEATURES = FeatureConfig()
_DRAWN = 7  # of the stream of draws of scans and copies, beside that of the order


class PreparedHeads(Dataset):
    """The prepared heads of a split.

    Args:
        split: the heads.
        index: of their files.
        whole: add all vertices of the scans, for predictions and metrics there.
        seed: of the scan or copy that is drawn of each head in an epoch of training.
        copies: of each head, which the index has behind its scans.
        style_distances: whether scans in further styles teach where the scan lies on the skin, too.
    """

    def __init__(
        self,
        split: Split,
        index: Index,
        whole: bool = False,
        seed: int = 0,
        copies: int = 0,
        style_distances: bool = True,
    ) -> None:
        self.split, self.index, self.whole, self.seed = split, index, whole, seed
        self.copies, self.style_distances = copies, style_distances
        self._counts = [index.count(name) for name in split.ids]

    def __len__(self) -> int:
        return len(self.split.ids)

    def __getitem__(self, sample: SampleIndex) -> HeadBatch:
        name = self.split.ids[sample.index]
        number = self._drawn(sample)
        head = self.index.load(name, number)
        if not self.style_distances and self._is_styled(sample.index, number) and head.targets is not None:
            head = replace(head, targets=head.targets.of_parts_alone())
        batch = to_batch(head, self.index.load_whole(name) if self.whole else None)
        batch.position, batch.counted = sample.position, sample.counted
        return batch

    def _drawn(self, sample: SampleIndex) -> int:
        """The number of the scan or copy that a head is trained on as in this epoch; 0 where there is no training."""
        count = self._counts[sample.index]
        if sample.position is None or count == 1:
            return 0
        return int(np.random.default_rng([self.seed, _DRAWN, sample.position[0], sample.index]).integers(count))

    def _is_styled(self, head: int, number: int) -> bool:
        """Whether a head's scan or copy of a number is not its first scan, or a copy of that."""
        scans = self._counts[head] - self.copies
        return (number if number < scans else (number - scans) % scans) > 0


class MixedHeads(Dataset):
    """The prepared heads of one data set, and behind them those of another."""

    def __init__(self, own: PreparedHeads, others: PreparedHeads) -> None:
        self.own, self.others = own, others

    def __len__(self) -> int:
        return len(self.own) + len(self.others)

    def __getitem__(self, sample: SampleIndex) -> HeadBatch:
        behind = sample.index - len(self.own)
        return self.own[sample] if behind < 0 else self.others[replace(sample, index=behind)]


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
        scans: number of scans of each head to train on, the first ones; all where None. Each epoch draws one of them.
        style_distances: whether scans in further styles teach where the scan lies on the skin (`skin`, the distance) as
            the first ones do; else they teach what is seen there alone, the parts.
        copies: number of further copies of each head that are drawn among, as other cameras would have seen it: 5 views
            or more, another exposure, size, sharpness and file, half of them mirrored.
        validation: number of training heads that are kept aside and validated on, where the data set has no split
            `val`; a hash of their names chooses them. 0: the split `test` is validated on.
        mix: folder or URL of a data set whose training heads are mixed in, such as synthetic heads beside one's own,
            where training starts from a labeller.
        mix_share: share of these in each epoch, which has all heads of `dataset`.
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
        scans: int | None = None,
        copies: int = 0,
        style_distances: bool = True,
        validation: int = 0,
        mix: str | None = None,
        mix_share: float = 0.5,
    ) -> None:
        super().__init__(dataset, cache, workers, seed)
        if not 0 < mix_share < 1:
            raise InputError(f"`mix_share` {mix_share}: a share between 0 and 1 is needed")
        if validation < 0:
            raise InputError(f"`validation` {validation} must not be negative")
        self.validation = validation
        if mix is not None and _place(mix) == _place(dataset):
            raise InputError(f"`mix` {mix}: that is `dataset` itself; name another data set, or leave it out")
        self.mix, self.mix_share = mix, mix_share
        self._mixed: HeadData | None = None
        self.preparation = Preparation(features, vertices, eigenpairs)
        self.test_vertices = test_vertices
        self.heads, self.variety, self.style_distances = heads, Variety(scans, copies), style_distances
        self._indices: dict[str, Index] = {}

    def fetch(self, needed: Callable[[], list[str]]) -> None:
        """Copy what lacks, of the data set that is mixed in its training heads."""
        super().fetch(needed)
        if "train" in needed() and (others := self.others()) is not None:
            others.fetch(lambda: ["train"])

    def agree(self, stage: str, broadcast: Callable[[Any], Any]) -> None:
        """Take the splits of the first process, of the data set that is mixed in, too, where there is training."""
        super().agree(stage, broadcast)
        if "train" in self._needed(stage) and (others := self.others()) is not None:
            others.agree(stage, broadcast)

    def prepare_split(self, name: str, command: str | None, progress: Progress | None) -> None:
        """Make what the cache lacks of a split for a command, and open it."""
        if name == "train" and (others := self.others()) is not None:
            self._refuse_tested(others)
            others.prepare_split("train", command, progress)
        preparation = self.preparation_of(name, command)
        self._indices[name] = prepare_split(self.split(name), preparation, self.cache, progress, self._variety_of(name))

    def others(self) -> HeadData | None:
        """The data set that is mixed in, prepared as this one."""
        if self.mix is None:
            return None
        if self._mixed is None:
            cache = str(self.cache / "mix") if is_url(self.mix) else None
            options: dict[str, Any] = {"workers": self.workers, "seed": self.seed}
            options |= {"style_distances": self.style_distances, **asdict(self.variety)}
            self._mixed = HeadData(self.mix, cache, **options)
        self._mixed.preparation, self._mixed.test_vertices = self.preparation, self.test_vertices
        self._mixed.progress = self.progress
        return self._mixed

    def _refuse_tested(self, others: HeadData) -> None:
        """Raise `InputError` where a head to train on shares its name with one to validate or test on.

        Names are all that `dataset.json` tells of heads: the shards of other splits need not be there.
        """
        trained = set(others.split("train").ids)
        for name, split in self.splits().items():
            both = [] if name == "train" else [each for each in split.ids if each in trained]
            if both:
                raise InputError(
                    f"`mix` {self.mix}: {len(both)} of its training heads, such as {both[0]}, share names with {name} "
                    f"heads of {self.source}; name another data set, or join the two with `p2p join`, which tells "
                    "persons apart"
                )

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
        """Of the token maps of the training heads of `dataset`."""
        return self._indices["train"].token_statistics()

    def statistics(self) -> Statistics:
        """Of the training heads of `dataset`."""
        return read_statistics(self.split("train"), self.preparation, self.cache, self.variety)

    def traits(self) -> TrainingTraits:
        """Of all training heads."""
        own, others = read_traits(self.split("train"), self.preparation, self.cache, self.variety), self.others()
        return own if others is None else own.joined(others.traits())

    def train_dataloader(self) -> DataLoader:
        own, others = self._heads("train"), self.others()
        return self.training_loader(own if others is None else MixedHeads(own, others._heads("train")))

    def val_dataloader(self) -> DataLoader:
        name = self.validation_split()
        return self.evaluation_loader(name, self._heads(name))

    def test_dataloader(self) -> DataLoader:
        return self.evaluation_loader("test", self._heads("test", whole=True))

    def predict_dataloader(self) -> DataLoader:
        return self.test_dataloader()

    def read_splits(self) -> dict[str, Split]:
        """The splits, of the training heads those apart that are kept aside to validate on."""
        splits = super().read_splits()
        if not self.validation:
            return splits
        if "val" in splits and splits["val"].ids:
            raise InputError(f"`validation`: {self.source} has a split `val` to validate on; leave it out")
        if "train" not in splits:
            return splits  # what needs it says that it lacks
        left, aside = splits["train"].without(self.validation)
        return splits | {"train": left, "val": aside}

    def keep_aside(self, names: Sequence[str]) -> None:
        """Keep as many heads aside as a checkpoint was calibrated by, where this data set has them for training."""
        splits = super().read_splits()
        if not self.validation and names and "train" in splits and set(names) <= set(splits["train"].ids):
            self.validation = len(names)

    def kept_aside(self) -> tuple[str, ...]:
        """The heads that are validated on and are no test heads."""
        return self.split("val").ids if self.validation_split() == "val" else ()

    def split(self, name: str) -> Split:
        """The training split is cut to `heads`. Raises `InputError` where it is missing, empty or smaller than that."""
        split = super().split(name)
        return split.first(self.heads) if name == "train" and self.heads is not None else split

    def training_ids(self) -> tuple[str, ...]:
        """The heads that are trained on."""
        others = self.others()
        return (*self.split("train").ids, *(() if others is None else others.training_ids()))

    def training_heads(self) -> int:
        """The number of heads that are trained on."""
        return len(self.training_ids())

    def _training_sampler(self, rank: int, world: int) -> TrainingSampler:
        others = self.others()
        if others is None:
            return super()._training_sampler(rank, world)
        if self.trainer is not None and self.trainer.overfit_batches > 0:  # type: ignore[attr-defined]
            raise InputError("`mix` and `overfit_batches` don't go together: leave one out")
        count = self.count("train")
        return MixedSampler(count, others.count("train"), self.mix_share, self.seed, rank, world, self.UNIT)

    def _heads(self, name: str, whole: bool = False) -> PreparedHeads:
        copies = self._variety_of(name).copies
        return PreparedHeads(self.split(name), self._indices[name], whole, self.seed, copies, self.style_distances)

    def _variety_of(self, name: str) -> Variety:
        """Scans and copies that the heads of a split are prepared as: what varies is learned from alone."""
        return self.variety if name == "train" else ONE


def _place(dataset: str) -> str:
    """A data set's folder or URL, the same however it is written."""
    return dataset.rstrip("/") if is_url(dataset) else str(Path(dataset).resolve())
