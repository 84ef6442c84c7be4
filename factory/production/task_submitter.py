"""Submission of a run's work to Ray, which places tasks, moves their inputs and repeats them where a node dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ray

from factory.production.event_queue import EventSender
from factory.production.settings.resources import PACK, StageResources
from factory.production.tasks.context import RunContext
from factory.production.tasks.head_errors import AttemptError
from factory.production.tasks.head_tasks import run_pack_task, run_stage_task
from factory.production.tasks.shard_tasks import ShardJob, assemble_shard, check_shard
from factory.stages.registry import STAGES

RETRIES = 2  # of a task, by Ray: three attempts in all
_SHARD_RESOURCES = StageResources(cpus=1, gib=1.0)


class TaskSubmitter:
    """Submits tasks to Ray.

    Args:
        context: of the run.
        queue: from `start_event_queue`.
        functions: in the place of `run_stage_task` and `run_pack_task`, for tests and measurements.
    """

    def __init__(
        self,
        context: RunContext,
        queue: Any,
        functions: tuple[Callable[..., bytes], Callable[..., str]] = (run_stage_task, run_pack_task),
    ) -> None:
        self._context, self._sender = context, EventSender(queue)
        self._context_ref = ray.put(context)
        run_stage, run_pack = functions
        self._stages = {stage: _task(run_stage, context.resources[stage]) for stage in STAGES}
        self._pack = _task(run_pack, context.resources[PACK])
        self._assemble = _task(assemble_shard, _SHARD_RESOURCES)
        self._check = _task(check_shard, _SHARD_RESOURCES)

    def submit_head(self, slot: int, seed: int) -> ray.ObjectRef:
        """All stages of a head, then packing; results in the name of its head archive."""
        outputs: list[ray.ObjectRef] = []
        for stage, task in self._stages.items():
            outputs.append(task.remote(self._context_ref, stage, seed, self._sender, *outputs))
        return self._pack.remote(self._context_ref, slot, seed, self._sender, *outputs)

    def submit_assembly(self, shard: str, archives: Sequence[str]) -> ray.ObjectRef:
        """A shard of head archives; results in the names of those that are damaged, as `assemble_shard` says."""
        return self._assemble.remote(self._shard_job(shard), list(archives))

    def submit_check(self, shard: str) -> ray.ObjectRef:
        """A check of a shard; results in None where it is right, as `check_shard` says."""
        return self._check.remote(self._shard_job(shard))

    def _shard_job(self, name: str) -> ShardJob:
        context, plan = self._context, self._context.plan
        return ShardJob(context.store, plan.key, name, plan.shards[name], context.scratch, self._sender)


def _task(function: Callable[..., Any], resources: StageResources) -> Any:
    return ray.remote(function).options(
        **resources.ray_options, max_retries=RETRIES, retry_exceptions=[AttemptError], name=function.__name__
    )
