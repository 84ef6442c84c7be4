"""Errors of a head's tasks: those worth another attempt, and those that would only happen again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from factory.stages.failures import Failure

_DESCRIPTIONS = {Failure.QUALITY: "rejected by quality gates", Failure.DATA: "rejected by the stage"}


def describe_failure(kind: str) -> str:
    """A kind of failure, as events and quarantine have it, in words for users."""
    return _DESCRIPTIONS.get(Failure(kind), kind) if kind in set(Failure) else kind


class HeadError(Exception):
    """A task of a head failed.

    Attributes:
        details: plain values: id, stage, kind (of `Failure`), reason, node, time, log (the end of the stage's output).
    """

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__(details)
        self.details = dict(details)

    def __str__(self) -> str:
        kind = str(self.details["kind"])
        return "{stage} {id}: {words}: {reason}".format(words=describe_failure(kind), **self.details)


class AttemptError(HeadError):
    """Another attempt may succeed: a crash, a time limit, a full disk, ..."""


class RejectedError(HeadError):
    """Another attempt would end the same: the stage refused its input, or a quality gate rejected the head."""
