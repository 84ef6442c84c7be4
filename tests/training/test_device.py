"""Networks run on the GPU where there is one, with all that goes into them, and on the CPU where its memory ends."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from scans.head_sample import HeadSample
from tests.training.toy import toy_sample
from training import device
from training.data.batch import to_batch
from training.device import DeviceRunner, best_device
from training.features import BackboneConfig, FeatureConfig, input_channels
from training.features.backbone import Backbone
from training.inference import segment_head
from training.model.module import SkinLabeller
from training.preparation.prepare import prepare_head
from training.preparation.settings import Preparation

GPU = torch.device("cuda")


def test_the_gpu_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert best_device().type == kind
        network = Recorder()
        assert DeviceRunner(network, "network").run(lambda where: where.type) == kind
        assert network.devices == [kind]


class Recorder(nn.Module):
    """Notes where it is moved to."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[str] = []

    def to(self, where: torch.device) -> Recorder:  # type: ignore[override]
        self.devices.append(where.type)
        return self


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_it_goes_to_the_cpu_and_stays_there_where_memory_ends(error: Exception, monkeypatch, caplog) -> None:
    monkeypatch.setattr(device, "best_device", lambda: GPU)
    device._warn.cache_clear()
    network, calls = Recorder(), []

    def work(where: torch.device) -> str:
        calls.append(where.type)
        if where.type == "cuda":
            raise error
        return "done"

    runner = DeviceRunner(network, "toy network")
    assert runner.run(work) == runner.run(work) == DeviceRunner(network, "toy network").run(work) == "done"
    assert calls == ["cuda", "cpu", "cpu", "cuda", "cpu"] and network.devices[:2] == ["cuda", "cpu"]
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["the GPU has too little memory for the toy network: it runs on the CPU, which takes longer"]


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "best_device", lambda: GPU)

    def broken(where: torch.device) -> None:
        raise RuntimeError("size mismatch")

    with pytest.raises(RuntimeError, match="size mismatch"):
        DeviceRunner(Recorder(), "network").run(broken)


def _head() -> HeadSample:
    return HeadSample.from_sample({"__key__": "toy_1", **toy_sample(1)}, "x.tar")


def _labeller(features: FeatureConfig) -> SkinLabeller:
    torch.manual_seed(0)
    labeller = SkinLabeller(width=8, blocks=1, distance_weight=0.1, part_weight=0.1)
    labeller.build(Preparation(features, 200, 8), input_channels(features))
    return labeller.eval()


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from _tensors(getattr(value, item.name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def test_everything_of_a_head_moves_together(tiny_dinov2, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device `meta` stands for the GPU: it refuses tensors of the CPU."""
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: False)  # it has none
    monkeypatch.setattr(torch, "autocast", lambda *options, **more: contextlib.nullcontext())
    lifted = FeatureConfig(["colour", "surface_variation"])
    head, labeller = _head(), _labeller(lifted)
    batch = to_batch(prepare_head(head, labeller.preparation, None))
    moved = batch.to("meta")
    tensors = list(_tensors(moved))
    assert len(tensors) == len(list(_tensors(batch))) > 8 and all(tensor.is_meta for tensor in tensors)
    with torch.inference_mode():
        outputs = labeller.to("meta")(moved)
        assert all(tensor.is_meta for tensor in _tensors(outputs)) and len(list(_tensors(outputs))) == 3
        with pytest.raises(RuntimeError, match="device"):
            labeller(batch)
    image = FeatureConfig(["image"], backbone=BackboneConfig(str(tiny_dinov2), [1], 56), image_head=True)
    moved = to_batch(prepare_head(head, Preparation(image, 200, 8), None)).to("meta")
    assert moved.image is not None and all(tensor.is_meta for tensor in _tensors(moved))


@pytest.fixture
def full_gpu(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A machine whose GPU has no memory left; the (network, device) that are asked for."""
    asked: list[tuple[str, str]] = []

    def limited(module: nn.Module, where: Any, *more: Any, to: Any = nn.Module.to) -> nn.Module:
        asked.append((type(module).__name__, torch.device(where).type))
        if asked[-1][1] == "cuda":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return to(module, where, *more)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(nn.Module, "to", limited)
    device._warn.cache_clear()
    return asked


def test_segmenting_goes_on_on_the_cpu(tiny_dinov2, full_gpu, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    """Token maps and network are tried on the GPU, each warns once, and the prediction is that of the CPU."""
    features = FeatureConfig(["image"], backbone=BackboneConfig(str(tiny_dinov2), [1], 56))
    labeller, head = _labeller(features), _head()
    with monkeypatch.context() as without:
        without.setattr(torch.cuda, "is_available", lambda: False)
        plain = segment_head(head, labeller)
    monkeypatch.setattr("training.preparation.prepare.shared_backbone", Backbone)  # not the one that has run
    full_gpu.clear()
    again = [segment_head(head, labeller) for _ in range(2)]
    assert full_gpu.count(("Dinov2Model", "cuda")) == full_gpu.count(("SkinLabeller", "cuda")) == 2
    for prediction in again:
        np.testing.assert_array_equal(prediction.probability, plain.probability)
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2 and "image network" in warnings[0] and "labeller" in warnings[1]
