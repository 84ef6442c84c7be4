"""Output for the user of a command: log lines, progress, errors and exit codes."""

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
from capture.runtime.import_path import safe_imports

log = logging.getLogger(__name__)

PACKAGES = (
    "assets", "blender_scripts", "capture", "evaluation", "factory", "generator", "labeling", "pixels2points",
    "reconstruction", "registration", "scans", "training",
)  # fmt: skip
"""Our packages, whose loggers are shown from INFO on; those of libraries from WARNING on."""

LOG_INTERVAL_S = 5.0  # between two log lines of a task's progress
_SKIPPED_S = 1.0  # an item that took less was finished before


def _as_it_is(text: str) -> str:
    return text


def setup_logging(*, verbose: bool = False, rewrite: Callable[[str], str] = _as_it_is) -> None:
    """Send the log to standard error: rich on a terminal, plain lines elsewhere.

    Args:
        verbose: whether details are logged.
        rewrite: what messages pass through: a command line calls parameters as its options are called.
    """
    level = logging.DEBUG if verbose else logging.INFO
    console = Console(stderr=True)
    handler: logging.Handler
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False, log_time_format="%H:%M:%S")
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    handler.addFilter(lambda record: _rewritten(record, rewrite))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(level)


def _rewritten(record: logging.LogRecord, rewrite: Callable[[str], str]) -> bool:
    record.msg, record.args = rewrite(record.getMessage()), ()
    return True


class Track:
    """Progress of a running task: call it with the steps done so far, a note, and a new total where it changes."""

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
def track(title: str, total: int) -> Iterator[Track]:
    """Show the progress of a task of `total` steps, with the time left: a bar on a terminal, log lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Track(total, _LogLines(title))
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
        task = progress.add_task(title, total=total or None, note="")
        yield Track(total, lambda done, of, note: progress.update(task, completed=done, total=of, note=note))


@contextmanager
def track_share(title: str) -> Iterator[Callable[[str, float], None]]:
    """As `track`, for work that reports its step and the share, 0 to 1, that is done."""
    with track(title, 100) as bar:
        yield lambda step, share: bar(round(100 * share), step)


class Series:
    """Progress of several items, one after the other: which one is worked on, and the time left for all of them.

    Args:
        total: number of items.
        noun: what one of them is called.
    """

    def __init__(self, total: int, noun: str = "head") -> None:
        self._total, self._noun = total, noun
        self._begun = 0
        self._seconds: list[float] = []  # of each that had to be worked on

    @contextmanager
    def track(self, name: str) -> Iterator[Track]:
        """Show the progress of the next item."""
        left = self._total - self._begun
        self._begun += 1
        title = f"{self._noun} {self._begun} of {self._total} ({name})"
        if self._seconds:
            mean = sum(self._seconds) / len(self._seconds)
            title += f", about {format_duration(mean * left)} left for all"
        started = time.monotonic()
        with track(title, 0) as bar:
            yield bar
        seconds = time.monotonic() - started
        if seconds > _SKIPPED_S:
            self._seconds.append(seconds)


class _LogLines:
    """Progress as log lines, with the time left in the present kind of step."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = self._logged = self._seen = self._counted_from = time.monotonic()
        self._done = 0

    def __call__(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if done < self._done:  # another kind of step, counted anew since the last call
            self._counted_from = self._seen
        self._done, self._seen = done, now
        if done < total and now - self._logged < LOG_INTERVAL_S:
            return
        self._logged = now
        left = (now - self._counted_from) * (total - done) / max(done, 1)
        times = f"{now - self._started:.0f} s"
        times += f", about {format_duration(left)} left" if 0 < done < total else ""
        log.info("%s: %d of %d, %s%s", self._title, done, total, times, f" ({note})" if note else "")


def exit_code_of(run: Callable[[], None], rewrite: Callable[[str], str] = _as_it_is) -> int:
    """Run a command; an error becomes one line on standard error and the exit code that is returned.

    0: done; 1: a stage failed; 2: an error that the user can mend; 3: nothing can be made of this capture; 130:
    interrupted. Any other exception is a defect of ours and keeps its traceback. `rewrite` is what the line passes
    through. Processes that the command starts, by whichever library, import nothing from the folder that it is run in.
    """
    from factory.stages.failures import StageError

    try:
        with safe_imports():
            run()
    except InputError as error:
        return _fail(rewrite(str(error)), 3 if isinstance(error, RefusedError) else 2)
    except OSError as error:
        mendable = explain_os_error(error, Path(error.filename or "the output"))
        if not isinstance(mendable, InputError):
            raise
        return _fail(rewrite(str(mendable)), 2)
    except StageError as error:
        return _fail(rewrite(str(error)), 1)
    except KeyboardInterrupt:
        return _fail("interrupted; finished files are kept; run the same command to resume", 130)
    return 0


def format_duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def _fail(message: str, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
    return code
