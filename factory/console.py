"""What the user sees while it runs: progress, log lines, errors."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from capture import InputError, RefusedError
from capture.files import explain_os_error
from capture.import_path import safe_imports

log = logging.getLogger(__name__)

_PACKAGES = (
    "assets", "capture", "evaluation", "factory", "generator", "labeling", "reconstruction", "registration", "scans",
    "training",
)  # fmt: skip

# Off a terminal a bar becomes plain lines, at most one in this many seconds.
PLAIN_INTERVAL_S = 5.0


def setup_logging(*, verbose: bool = False) -> None:
    """Send the log to standard error: rich on a terminal, plain lines elsewhere."""
    level = logging.DEBUG if verbose else logging.INFO
    console = Console(stderr=True)
    handler: logging.Handler
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False, log_time_format="%H:%M:%S")
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for package in _PACKAGES:
        logging.getLogger(package).setLevel(level)


class Track:
    """One running task: call it with the steps done so far, what is being done, and a new total where it changes."""

    def __init__(self, total: int, show: Callable[[int, int, str], None]) -> None:
        self.done = 0
        self.total = total
        self._show = show

    def __call__(self, done: int, note: str = "", total: int | None = None) -> None:
        self.done = done
        self.total = self.total if total is None else total
        self._show(self.done, self.total, note)

    def advance(self, steps: int = 1, note: str = "") -> None:
        self(self.done + steps, note)


@contextmanager
def track(what: str, total: int) -> Iterator[Track]:
    """Show the progress of a task of `total` steps: a bar on a terminal, plain log lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Track(total, _plain(what))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total or None, note="")
        yield Track(total, lambda done, of, note: progress.update(task, completed=done, total=of, note=note))


@contextmanager
def track_share(what: str) -> Iterator[Callable[[str, float], None]]:
    """As `track`, for work that tells its step and the share of the whole that is done."""
    with track(what, 100) as bar:
        yield lambda step, share: bar(round(100 * share), step)


def _plain(what: str) -> Callable[[int, int, str], None]:
    started = last = time.monotonic()

    def show(done: int, total: int, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < PLAIN_INTERVAL_S:
            return
        last = now
        log.info("%s: %d of %d, %.0f s%s", what, done, total, now - started, f" ({note})" if note else "")

    return show


def exit_code_of(run: Callable[[], None]) -> int:
    """Run a command and turn what went wrong into one line on standard error and an exit code.

    0: done; 2: the user can mend it; 3: nothing can be made of this capture; 1: a stage failed; 130: interrupted.
    Anything else is a defect of ours and keeps its traceback. Processes that the command starts, by whichever library,
    import nothing from the folder that it is run in.
    """
    from factory.stages.failures import StageError

    try:
        with safe_imports():
            run()
    except InputError as error:
        return _fail(str(error), 3 if isinstance(error, RefusedError) else 2)
    except OSError as error:
        mendable = explain_os_error(error, Path(error.filename or "the output"))
        if not isinstance(mendable, InputError):
            raise
        return _fail(str(mendable), 2)
    except StageError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("interrupted; what is whole is kept, run again to go on", 130)
    return 0


def _fail(message: str, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
    return code
