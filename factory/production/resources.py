"""What the stages of a head need of a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capture import InputError
from factory.stages.watchdog import Limits

STAGES = ("generate", "reconstruct", "label", "pack")


@dataclass(frozen=True)
class Need:
    """What one stage takes, and at most: Ray places stages by it, and a stage that goes beyond is ended.

    Attributes:
        cpus: cores, and threads of the stage's process.
        gpus: of a node; a fraction shares one.
        gib: of memory; by default an estimate from the resolution.
        minutes: by default an estimate from the resolution, several times what the stage usually takes.
    """

    cpus: int = 1
    gpus: float = 0
    gib: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise InputError(f"{self.gpus:g} GPUs: above one, Ray gives whole ones only")
        if self.cpus < 1 or self.gpus < 0:
            raise InputError(f"{self.cpus} CPUs and {self.gpus:g} GPUs: a stage needs one CPU at least")
        Limits(None if self.minutes is None else 60 * self.minutes, self.gib)  # says what is wrong with them

    def filled(self, stage: str, pixels: float, samples: int) -> Need:
        """With estimates where nothing is given; `pixels` are those of all of a head's images."""
        gib, minutes = _ESTIMATES[stage]
        megapixels = pixels / 1e6
        work = 1 + megapixels * (samples / 16 if stage == "generate" else 1)
        return Need(
            self.cpus,
            self.gpus,
            self.gib if self.gib is not None else round(gib[0] + gib[1] * megapixels, 1),
            self.minutes if self.minutes is not None else round(minutes[0] + minutes[1] * work, 1),
        )

    @property
    def limits(self) -> Limits:
        """Of the stage's process."""
        return Limits(None if self.minutes is None else 60 * self.minutes, self.gib)

    @property
    def resources(self) -> dict[str, Any]:
        """As Ray's tasks take them."""
        memory = None if self.gib is None else int(self.gib * 2**30)
        return {"num_cpus": self.cpus, "num_gpus": self.gpus, "memory": memory}


# Stage -> ((GiB, GiB per megapixel of a head's images), (minutes, minutes per megapixel and 16 samples)), on one slow
# core with room to spare. Measured: rendering 1.7 GiB at 256² and 13 views with an asset library, 2.6 at 1024²; stereo
# 0.9 at 512², 2.7 at 1024²; minutes of one core a megapixel: rendering 1.5 (library assets add 2), stereo 1.
_ESTIMATES: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "generate": ((3.0, 0.1), (20.0, 10.0)),
    "reconstruct": ((1.5, 0.25), (10.0, 6.0)),
    "label": ((1.5, 0.1), (5.0, 1.0)),
    "pack": ((1.0, 0.05), (5.0, 1.0)),
}


def check_nodes(needs: Mapping[str, Need], nodes: Sequence[Mapping[str, float]]) -> None:
    """Refuse a stage that no node can ever run: Ray would wait for one for ever.

    Args:
        needs: stage -> what it needs.
        nodes: what each node has in all, as Ray calls it (CPU, GPU, memory in bytes).

    Raises:
        InputError: naming the stage and what the best node lacks.
    """
    for stage, need in needs.items():
        wanted = {"CPU": need.cpus, "GPU": need.gpus, "memory": (need.gib or 0) * 2**30}
        if any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in nodes):
            continue
        has = "; ".join(_describe(node) for node in nodes) or "there is none"
        raise InputError(
            f"no node can run the stage {stage}, which needs {_describe(wanted)} (nodes: {has}). "
            f"Give it less (--{stage}.cpus, --{stage}.gpus, --{stage}.gib), or add nodes"
        )


def _describe(resources: Mapping[str, float]) -> str:
    text = f"{resources.get('CPU', 0):g} CPUs, {resources.get('memory', 0) / 2**30:.1f} GiB"
    return text + (f", {resources['GPU']:g} GPUs" if resources.get("GPU") else "")
