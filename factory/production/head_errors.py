"""Errors of a head's tasks: those worth another attempt, and those that would only happen again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HeadError(Exception):
    """A task of a head failed.

    Attributes:
        details: plain values: id, stage, kind (of `Failure`), reason, node, time, log (the end of the stage's output).
    """

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__(details)
        self.details = dict(details)

    def __str__(self) -> str:
        return "{stage} {id}: {kind}: {reason}".format(**self.details)


class AttemptError(HeadError):
    """Another attempt may succeed: a crash, a time limit, a full disk, ..."""


class RejectedError(HeadError):
    """Another attempt would end the same: the stage refused its input, or a quality gate rejected the head."""
