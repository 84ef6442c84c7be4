"""Events of the tasks on all nodes, on their way to the driver: a Ray actor that queues them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

SendEvent = Callable[..., None]
"""Called with the name of an event and, by keywords, plain values about it."""


class EventQueue:
    """Events until the driver polls them. They are for people and statistics: losing them loses no data."""

    MAX_EVENTS = 100_000  # the oldest ones are dropped beyond

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=self.MAX_EVENTS)

    def put(self, event: str, values: Mapping[str, Any]) -> None:
        self._events.append({"event": event, **values})

    def drain(self) -> list[dict[str, Any]]:
        """All events since the last call, oldest first."""
        events = list(self._events)
        self._events.clear()
        return events


def start_event_queue() -> Any:
    """The actor, on the driver's node."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {"num_cpus": 0, "max_concurrency": 1, "max_restarts": -1, "scheduling_strategy": here}
    return ray.remote(EventQueue).options(**options).remote()


@dataclass(frozen=True)
class EventSender:
    """A `SendEvent` that puts events into a queue, from whichever process it was sent to."""

    queue: Any

    def __call__(self, event: str, **values: Any) -> None:
        self.queue.put.remote(event, values)


def poll_events(queue: Any) -> list[dict[str, Any]]:
    """All events since the last call, oldest first; each has its name as `event`."""
    events: list[dict[str, Any]] = ray.get(queue.drain.remote())
    return events
