"""The device that networks predict on: the GPU where there is one, else the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import torch
from torch import nn

log = logging.getLogger(__name__)

_T = TypeVar("_T")


def best_device() -> torch.device:
    """A CUDA GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class DeviceRunner:
    """Runs a network on the best device, and on the CPU from the moment that the GPU's memory does not suffice.

    Args:
        network: moved to the device when it runs.
        name: of the network, in the warning that it runs on the CPU.
    """

    def __init__(self, network: nn.Module, name: str) -> None:
        self._network, self._name = network, name
        self.device = best_device()

    def run(self, work: Callable[[torch.device], _T]) -> _T:
        """The result of `work(device)`, which moves its inputs to the device, and its results back.

        It is called a second time, for the CPU, where the GPU's memory did not suffice.
        """
        if self.device.type != "cpu":
            try:
                self._network.to(self.device)
                return work(self.device)
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
            # Here the error is gone, and with it the tensors of the frames that it came from.
            _warn(self._name)
            self.device = torch.device("cpu")
            self._network.to(self.device)
            torch.cuda.empty_cache()
        self._network.to(self.device)
        return work(self.device)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Libraries below PyTorch raise plain errors, with words of their own."""
    text = str(error)
    return isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in text or "ALLOC_FAILED" in text


@lru_cache
def _warn(name: str) -> None:
    """Once for each name."""
    log.warning("the GPU has too little memory for the %s: it runs on the CPU, which takes longer", name)
