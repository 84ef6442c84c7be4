"""Devices that Cycles can render on."""

from typing import Literal, get_args

# cpu, and GPUs by the interface that Cycles reaches them through: NVIDIA (OptiX is the faster), AMD, Intel, Apple.
Device = Literal["cpu", "cuda", "optix", "hip", "oneapi", "metal"]
DEVICES: tuple[str, ...] = get_args(Device)
