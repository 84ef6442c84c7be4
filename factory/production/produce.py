"""`p2p produce`: makes a data set, or what it lacks, on this machine or a cluster."""

from __future__ import annotations

from typing import Any

from factory.dataset.events import EventLog
from factory.dataset.store import Store
from factory.production.cluster import (
    check_shared_folder,
    connected,
    live_nodes,
    max_heads_in_work,
    wait_for_nodes,
)
from factory.production.display import RunDisplay
from factory.production.event_queue import poll_events, start_event_queue
from factory.production.run import ProductionRun
from factory.production.settings.options import ClusterOptions
from factory.production.settings.plan import Plan
from factory.production.settings.resources import HEAD_TASKS, StageResources
from factory.production.signals import stop_on_sigterm
from factory.production.state.existing import list_existing
from factory.production.state.lock import exclusive_lock
from factory.production.state.plan_file import claim_plan, plan_to_follow
from factory.production.task_submitter import TaskSubmitter
from factory.production.tasks.context import RunContext
from factory.production.tasks.disk_space import capture_bytes, check_free_space, sample_bytes, scratch_bytes
from factory.stages.seeds import head_name
from generator.cameras.rig import sample_rig


def produce(plan: Plan, store: Store, options: ClusterOptions) -> dict[str, Any]:
    """Make the data set of `plan` in `store`, or what it lacks; returns its `dataset.json`.

    Raises:
        InputError: options that contradict the data set there, too little disk, nodes that are too small, ...
        StageError: too many heads fail.
    """
    with exclusive_lock(store), RunDisplay(store, plan.heads) as display:
        followed = plan_to_follow(store, plan)
        context = _context_of(followed, store, options)
        _check_disks(context)
        claim_plan(store, followed)
        with connected(options), EventLog(store) as event_log, stop_on_sigterm():
            wait_for_nodes(options, context.resources)
            if options.address is not None:
                check_shared_folder(store)
            queue = start_event_queue()
            return ProductionRun(
                context,
                TaskSubmitter(context, queue),
                poll_events=lambda: poll_events(queue),
                max_in_work=lambda: max_heads_in_work(context.resources, live_nodes()),
                event_log=event_log,
                display=display,
            ).run()


def pixels_of(plan: Plan) -> int:
    """Pixels of all images of a head, of the one whose rig has most."""
    square = plan.render.resolution**2
    seeds = range(plan.first_seed, plan.first_seed + plan.heads)
    rigs = (sample_rig(plan.render.distributions.sampler(seed, "rig")) for seed in seeds)
    return max(sum(view.size[0] * view.size[1] if view.size else square for view in rig.views) for rig in rigs)


def _context_of(plan: Plan, store: Store, options: ClusterOptions) -> RunContext:
    pixels = pixels_of(plan)
    resources = {
        task: options.resources.get(task, StageResources()).with_estimates(task, pixels, plan.render.samples)
        for task in HEAD_TASKS
    }
    return RunContext(plan, store, resources, pixels, options.keep_captures, options.scratch)


def _check_disks(context: RunContext) -> None:
    """Raise `InputError` where a disk has too little space for what is still to be made."""
    plan, store = context.plan, context.store
    existing = list_existing(store, plan)
    missing = plan.heads - len(existing.head_archives) - sum(len(plan.shards[name]) for name in existing.shards)
    each = sample_bytes(context.pixels) + (capture_bytes(context.pixels) if context.keep_captures else 0)
    extra = plan.heads_per_shard * sample_bytes(context.pixels)  # a shard, while its head archives are still there
    if store.local is not None and missing:
        content = f"{missing} heads ({each / 1e6:.0f} MB each, {head_name(plan.first_seed)} first)"
        check_free_space(store.local, missing * each + extra, content)
    if context.scratch is not None:
        check_free_space(context.scratch, scratch_bytes(context.pixels), "a stage")
