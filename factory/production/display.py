"""Display of a run's progress: live on a terminal, a log line now and then elsewhere, and its heartbeat."""

from __future__ import annotations

import logging
import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from factory.dataset.store import Store
from factory.production.state.heartbeat import Heartbeat
from factory.production.state.run_status import RunStatus, describe_run

log = logging.getLogger(__name__)

_LOG_S = 30.0


class RunDisplay:
    """Shows the progress of a run to its user, and with its heartbeat to others. Use it as a context."""

    def __init__(self, store: Store, heads: int = 0) -> None:
        self._heartbeat = Heartbeat(store, heads)
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=2, transient=False)
        self._logged = 0.0

    def __enter__(self) -> RunDisplay:
        self._heartbeat.__enter__()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()
        self._heartbeat.__exit__(kind, error, at)

    def show(self, status: RunStatus, final: bool = False) -> None:
        """Show a state, as often as it makes sense; the final one at once."""
        now = time.monotonic()
        if self._console.is_terminal:
            self._live.update(render(status))
        elif final or now - self._logged > _LOG_S:
            self._logged = now
            log.info("%s", status_line(status))
        self._heartbeat.update(status.to_json())


def status_line(status: RunStatus) -> str:
    """The state in one line."""
    return "; ".join(describe_run(status.to_json()))


def render(status: RunStatus) -> Group:
    """The state as a progress bar and a few lines, for a terminal."""
    bar = Table.grid()
    bar.add_row(ProgressBar(total=status.heads, completed=status.done, width=60))
    lines: list[RenderableType] = [
        Text(phrase, style="bold red" if phrase.startswith("PAUSED") else "")
        for phrase in describe_run(status.to_json())
    ]
    return Group(bar, *lines)
