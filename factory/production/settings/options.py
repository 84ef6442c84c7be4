"""Options of a production run about its machines and disks. Imports no Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factory.production.settings.resources import HEAD_TASKS, StageResources


@dataclass(frozen=True)
class ClusterOptions:
    """Machines and disks that a run uses; none of it changes the data set.

    Attributes:
        address: address of a Ray cluster, or auto for the one that this machine belongs to; by default this machine
            works alone.
        resources: resources of the stage.
        keep_captures: keep images, scans and labels in <out>/captures, and use those there.
        scratch: folder for working files on every node; by default the system's.
        cpus: cores of this machine to use, without an address; by default all.
    """

    address: str | None = None
    resources: Mapping[str, StageResources] = field(
        default_factory=lambda: dict.fromkeys(HEAD_TASKS, StageResources()), metadata={"keys": HEAD_TASKS}
    )
    keep_captures: bool = False
    scratch: Path | None = None
    cpus: int | None = None
