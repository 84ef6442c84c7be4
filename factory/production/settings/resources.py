"""CPUs, GPUs, memory and time that the stages of a head take of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capture import InputError
from factory.stages.registry import STAGES, ResourceEstimate
from factory.stages.watchdog import Limits

PACK = "pack"  # after the stages: the head becomes a sample
HEAD_TASKS = (*STAGES, PACK)
"""Names of all that is run for a head, in order: each has resources of its own."""

_ESTIMATES: Mapping[str, ResourceEstimate] = {
    **{name: stage.estimate for name, stage in STAGES.items()},
    PACK: ResourceEstimate(1.0, 0.05, 5.0, 1.0),
}


@dataclass(frozen=True)
class StageResources:
    """Resources that one stage reserves on a node, and its limits: a process that takes more memory or time is killed.

    Attributes:
        cpus: CPU cores that are reserved, and threads of the stage's process.
        gpus: GPUs that are reserved; a fraction shares one.
        gib: memory limit, GiB; by default an estimate from the resolution.
        minutes: time limit; by default an estimate from the resolution, several times what the stage usually takes.
    """

    cpus: int = 1
    gpus: float = 0
    gib: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise InputError(f"`gpus` {self.gpus:g}: above one, Ray gives whole GPUs only")
        if self.cpus < 1 or self.gpus < 0:
            raise InputError(f"`cpus` {self.cpus}, `gpus` {self.gpus:g}: a stage needs at least one CPU")
        _ = self.limits  # which refuses what is not positive

    def with_estimates(self, name: str, pixels: float, samples: int) -> StageResources:
        """The same with estimated limits where none are given.

        Args:
            name: of `HEAD_TASKS`.
            pixels: of all of a head's images.
            samples: Cycles samples per pixel.
        """
        estimate = _ESTIMATES[name]
        return StageResources(
            self.cpus,
            self.gpus,
            self.gib if self.gib is not None else estimate.memory_gib(pixels),
            self.minutes if self.minutes is not None else estimate.time_minutes(pixels, samples),
        )

    @property
    def limits(self) -> Limits:
        """Time and memory limits of the stage's process."""
        return Limits(None if self.minutes is None else 60 * self.minutes, self.gib)

    @property
    def ray_options(self) -> dict[str, Any]:
        """The options of a Ray task that reserve the resources."""
        memory = None if self.gib is None else int(self.gib * 2**30)
        return {"num_cpus": self.cpus, "num_gpus": self.gpus, "memory": memory}


def check_nodes(resources: Mapping[str, StageResources], nodes: Sequence[Mapping[str, float]]) -> None:
    """Refuse a stage that no node can ever run: Ray would wait for such a node for ever.

    Args:
        resources: stage -> what it takes.
        nodes: totals of each node, with Ray's names (CPU, GPU, memory in bytes).

    Raises:
        InputError: naming the stage and what the nodes have.
    """
    for stage, each in resources.items():
        needed = {"CPU": each.cpus, "GPU": each.gpus, "memory": (each.gib or 0) * 2**30}
        if any(all(node.get(name, 0) >= amount for name, amount in needed.items()) for node in nodes):
            continue
        available = "; ".join(_describe(node) for node in nodes) or "there is none"
        raise InputError(
            f"no node can run the stage {stage}, which needs {_describe(needed)} (nodes: {available}). "
            f"Give it less (`{stage}.cpus`, `{stage}.gpus`, `{stage}.gib`), or add nodes"
        )


def _describe(resources: Mapping[str, float]) -> str:
    text = f"{resources.get('CPU', 0):g} CPUs, {resources.get('memory', 0) / 2**30:.1f} GiB"
    return text + (f", {resources['GPU']:g} GPUs" if resources.get("GPU") else "")
