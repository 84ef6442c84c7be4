"""Settings of a production run that travel with every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.dataset.store import Store
from factory.production.settings.plan import Plan
from factory.production.settings.resources import StageResources


@dataclass(frozen=True)
class RunContext:
    """Settings that every task of a run gets.

    Attributes:
        plan: of the data set.
        store: that the data set is written to.
        resources: task -> what it may take, estimates filled in; of all `HEAD_TASKS`.
        pixels: of all images of a head.
        keep_captures: whether captures stay in the store, and are used again.
        scratch: folder for working files; None for the system's.
    """

    plan: Plan
    store: Store
    resources: Mapping[str, StageResources]
    pixels: int
    keep_captures: bool = False
    scratch: Path | None = None
