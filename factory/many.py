"""Several captures in one command: one bar, on after a failure, a table at the end, several processes if wanted."""

from __future__ import annotations

import glob
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from capture import InputError
from capture.files import explain_os_error
from capture.runtime.lifetime import PARENT, end_with_parent
from factory.console import Track, format_duration, setup_logging, track
from factory.stages.failures import StageError

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
Work = Callable[[Path, Progress | None], str]
"""Does a capture; returns a few words on the result. Shows the step and the share that is done by the callback, where
there is one, else by bars of its own."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class ManyOptions:
    """Options of commands that take several captures.

    Attributes:
        jobs: captures that are worked on at once, in processes that share the cores.
    """

    jobs: int = 1

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise InputError(f"`jobs` {self.jobs}: use 1 or more")


@dataclass(frozen=True)
class Outcome:
    """Result of a capture: a few words on it, or the error; seconds that it took."""

    path: Path
    seconds: float
    text: str
    failed: bool = False


def expand(words: Sequence[Path]) -> list[Path]:
    """The paths, with those that patterns (`*`, `?`, `[...]`) stand for in their place; each once.

    A pattern that stands for a mesh file doesn't stand for the folders that commands have made of it, beside it.

    Raises `InputError` where a pattern stands for nothing.
    """
    paths: list[Path] = []
    for word in words:
        if word.exists() or not glob.has_magic(str(word)):
            paths.append(word)
            continue
        deep = word.name != "**"  # which alone would stand for every file below
        names = glob.glob(str(word), recursive=deep)  # noqa: PTH207 - Path.glob raises at `**x`
        found = sorted(map(Path, names))
        if not found:
            raise InputError(f"{word}: nothing is called so")
        made = {folder for path in found for folder in _made_of(path)}
        paths += [path for path in found if path not in made]
    return list(dict.fromkeys(paths))


def _made_of(path: Path) -> tuple[Path, ...]:
    """The folders that commands make beside a mesh file: of rendered views, and of its registration."""
    if path.is_dir():
        return ()
    from registration.options import RegisterOptions
    from scans.mesh_views.rendered_capture import capture_folder
    from scans.meshes.reading import is_mesh

    return (capture_folder(path), RegisterOptions().folder(path)) if is_mesh(path) else ()


def refuse(count: int, given: Mapping[str, object]) -> None:
    """Raise `InputError` where options that are for one capture only are given for several."""
    if count > 1 and (foreign := [f"`{name}`" for name, value in given.items() if value is not None]):
        raise InputError(
            f"{', '.join(foreign)}: for one capture, {count} were given; leave it out, or do it one by one"
        )


def run_each(
    paths: Sequence[Path],
    work: Work,
    verb: str,
    options: ManyOptions,
    output: Callable[[Path], Path] | None = None,
) -> None:
    """Do a capture; or several, with one bar for all and a table in the log of what came of them.

    Args:
        paths: of the captures.
        work: that is done to each; a function that can be sent to processes, where there are several jobs.
        verb: what is done, for the bar.
        options: number of jobs.
        output: the folder that each is written into; the capture's own by default.

    Raises:
        InputError: before any is done, where two are written into the same folder.
        StageError: at the end, where any of several failed.
    """
    if len(paths) == 1:
        work(paths[0], None)
        return
    _refuse_shared(paths, output or Path)
    started = time.monotonic()
    jobs = min(options.jobs, len(paths))
    with track(f"{verb} {len(paths)} captures", len(paths)) as bar:
        outcomes = _in_turn(paths, work, bar) if jobs == 1 else _side_by_side(paths, work, jobs, bar)
    order = {path: number for number, path in enumerate(paths)}
    outcomes.sort(key=lambda outcome: order[outcome.path])
    _log_table(outcomes, time.monotonic() - started)
    failed = [str(outcome.path) for outcome in outcomes if outcome.failed]
    if failed:
        raise StageError(f"{len(failed)} of {len(paths)} captures failed: {', '.join(failed)}; see the table above")


def _refuse_shared(paths: Sequence[Path], output: Callable[[Path], Path]) -> None:
    """Raise `InputError` where two are written into the same folder: the second would replace the first."""
    writers: dict[Path, Path] = {}
    for path in paths:
        folder = output(path).resolve()
        if folder in writers:
            raise InputError(
                f"{writers[folder]} and {path} are both written into {output(path)}; leave one of them out"
            )
        writers[folder] = path


def _in_turn(paths: Sequence[Path], work: Work, bar: Track) -> list[Outcome]:
    outcomes = []
    for path in paths:
        outcomes.append(_attempt(work, path, partial(_show, bar, path)))
        bar.advance(1, path.name)
    return outcomes


def _show(bar: Track, path: Path, step: str, share: float) -> None:
    bar(bar.done, f"{path.name}: {step}, {share:.0%}")


def _attempt(work: Work, path: Path, progress: Progress) -> Outcome:
    """Do a capture; whatever goes wrong costs this one and no more."""
    started = time.monotonic()
    try:
        text, failed = work(path, progress), False
    except (InputError, StageError) as error:
        text, failed = str(error), True
    except OSError as error:
        text, failed = str(explain_os_error(error, Path(error.filename or path))), True
    except Exception as error:
        log.exception("%s", path)
        text, failed = f"{type(error).__name__}: {error}", True
    return Outcome(path, time.monotonic() - started, " ".join(text.split()), failed)


def _side_by_side(paths: Sequence[Path], work: Work, jobs: int, bar: Track) -> list[Outcome]:
    """In processes that live for many captures, so that each loads its weights once.

    Where one is killed, all that ran beside it are lost with it, and done again one by one: that tells which it was.
    """
    left, outcomes = list(paths), list[Outcome]()

    def take(outcome: Outcome) -> None:
        outcomes.append(outcome)
        bar.advance(1, outcome.path.name)

    while left:
        for path in _until_broken(left, work, jobs, take):
            if _until_broken([path], work, 1, take):
                take(Outcome(path, 0.0, "its process ended: out of memory, or killed", failed=True))
    return outcomes


def _until_broken(left: list[Path], work: Work, jobs: int, take: Callable[[Outcome], None]) -> list[Path]:
    """Take paths off the list and do them, until none is left or a process is killed; those that were lost by that."""
    running: dict[Future[Outcome], Path] = {}
    lost: list[Path] = []
    with _shared_threads(jobs), _pool(jobs) as pool:
        while (left and not lost) or running:
            while left and not lost and len(running) < jobs:
                path = left.pop(0)
                try:
                    running[pool.submit(_attempt, work, path, _silent)] = path
                except BrokenProcessPool:
                    lost.append(path)
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                path = running.pop(future)
                try:
                    take(future.result())
                except BrokenProcessPool:
                    lost.append(path)
    return lost


def _silent(step: str, share: float) -> None:
    pass


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    verbose = logging.getLogger("factory").level == logging.DEBUG
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(verbose,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(verbose: bool) -> None:
    end_with_parent()
    setup_logging(verbose=verbose)


@contextmanager
def _shared_threads(jobs: int) -> Iterator[None]:
    """Environment of the processes: each gets its share of the cores, unless the user said how many."""
    before = {name: os.environ.get(name) for name in _THREADS}
    parent = os.environ.get(PARENT)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = {name: str(max(1, cores // jobs)) for name, value in before.items() if value is None}
    os.environ.update(shares | {PARENT: str(os.getpid())})
    try:
        yield
    finally:
        for name in shares:
            os.environ.pop(name, None)
        os.environ.pop(PARENT)
        if parent is not None:
            os.environ[PARENT] = parent


def _log_table(outcomes: Sequence[Outcome], seconds: float) -> None:
    width = max(len(str(outcome.path)) for outcome in outcomes)
    done = sum(not outcome.failed for outcome in outcomes)
    log.info("%d of %d captures done in %s", done, len(outcomes), format_duration(seconds))
    for outcome in outcomes:
        level, state = (logging.WARNING, "failed") if outcome.failed else (logging.INFO, "done")
        log.log(level, "%-*s  %-6s  %6.1f s  %s", width, outcome.path, state, outcome.seconds, outcome.text)


def output_capture(path: Path) -> Path:
    """The capture that what is made of a capture or of a mesh file is written into."""
    from scans.mesh_views.rendered_capture import capture_folder

    return capture_folder(path) if path.is_file() else path


def apart(paths: Sequence[Path], out: Path) -> dict[Path, Path]:
    """A folder in `out` for each path, called as it is. Raises `InputError` where two are called the same."""
    places: dict[Path, Path] = {}
    for path in paths:
        name = path.name if path.is_dir() else path.stem
        if out / name in places.values():
            raise InputError(f"`out` {out}: two are called {name}; do them one by one")
        places[path] = out / name
    return places
