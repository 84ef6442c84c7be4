"""Ray tasks of one head: a stage, or packing, on whatever node; bytes in, bytes out, no file left behind."""

from __future__ import annotations

import io
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from capture import Capture, InputError, read_json
from factory.production.event_queue import SendEvent
from factory.production.settings.resources import PACK
from factory.production.state.head_archives import HEAD_ARCHIVES, head_archive_name
from factory.production.tasks.capture_files import fetch_outputs, pack_outputs, store_outputs, unpack_outputs
from factory.production.tasks.context import RunContext
from factory.production.tasks.disk_space import put_when_there_is_space, scratch_bytes, wait_for_space, working_folder
from factory.production.tasks.head_errors import AttemptError, HeadError, RejectedError
from factory.stages.commands import log_path, module_command
from factory.stages.failures import Failure, StageError, kind_of
from factory.stages.processes import run_stage
from factory.stages.registry import STAGES, StageInput
from factory.stages.seeds import head_name
from factory.stages.settings import Execution
from factory.stages.stamps import StageRecord, read_record

_RETRY_S = 20.0
_LOG_BYTES = 1 << 16  # of a failed stage's output, its end

_Result = TypeVar("_Result")


def run_stage_task(context: RunContext, stage: str, seed: int, send_event: SendEvent, *inputs: bytes) -> bytes:
    """Run one of `STAGES` for a head.

    Args:
        context: of the run.
        stage: name.
        seed: of the head.
        send_event: gets "started", "stage" (done), "paused" and "attempt failed".
        inputs: what the stages before it returned, in order.

    Returns:
        A tar of the files that the stage left, for the stages after it.

    Raises:
        AttemptError, RejectedError: the stage failed.
    """
    attempt = _Attempt(context, stage, seed, send_event)

    def run(root: Path) -> bytes:
        folder = root / head_name(seed)
        if context.keep_captures:
            fetch_outputs(context.store, folder, stage)
        before = read_record(folder, stage)
        _run_stage(context, stage, seed, root)
        if Capture.QUALITY in STAGES[stage].outputs:
            attempt.check_quality(folder)
        record = read_record(folder, stage)
        reused = before is not None and before == record
        if context.keep_captures and not reused:
            store_outputs(context.store, folder, stage, send_event)
        attempt.send_done(**_usage_of(record), reused=reused)
        return pack_outputs(root, folder, stage)

    return attempt.run(run, inputs)


def run_pack_task(context: RunContext, slot: int, seed: int, send_event: SendEvent, *inputs: bytes) -> str:
    """Write a labelled head into the store as a head archive; returns its name. Raises as `run_stage_task` does."""
    attempt, started = _Attempt(context, PACK, seed, send_event), time.monotonic()

    def run(root: Path) -> str:
        folder, path, name = root / head_name(seed), root / "head.tar", head_archive_name(slot, seed)
        resources = context.resources[PACK]
        command = module_command("factory.production.tasks.write_head_archive", folder, path, slot, context.plan.key)
        log = log_path(folder, PACK)
        used = run_stage(command, f"pack {folder.name}", log, None, resources.limits, resources.cpus, root)
        put_when_there_is_space(context.store, path, f"{HEAD_ARCHIVES}/{name}", send_event)
        attempt.send_done(seconds=round(time.monotonic() - started, 2), peak_gib=used.peak_gib)
        return name

    return attempt.run(run, inputs)


def _run_stage(context: RunContext, stage: str, seed: int, root: Path) -> None:
    resources = context.resources[stage]
    execution = Execution(resources.cpus, resources.limits, scratch=root)
    plan = context.plan
    STAGES[stage].load()(StageInput(seed, root, root / head_name(seed), plan.render, plan.scan, execution))


def _usage_of(record: StageRecord | None) -> dict[str, Any]:
    """Time and memory of a stage, for its event; those of the former run where its files were reused."""
    if record is None:
        return {"seconds": None, "peak_gib": None}
    return {"seconds": record.seconds, "peak_gib": record.peak_gib, "times": dict(record.times)}


@dataclass
class _Attempt:
    """An attempt at a task of a head: sends its events and turns what goes wrong into `HeadError`."""

    context: RunContext
    task: str
    seed: int
    send_event: SendEvent
    details: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.details = {"id": head_name(self.seed), "stage": self.task, "node": socket.gethostname()}

    def run(self, work: Callable[[Path], _Result], inputs: Sequence[bytes]) -> _Result:
        """Call `work` with a temporary folder that holds the files of `inputs`; while a disk is full, again."""
        self.send_event("started", **self.details)
        while True:
            with self._working_folder() as root:
                log = log_path(root / head_name(self.seed), self.task)
                try:
                    for archive in inputs:
                        unpack_outputs(archive, root)
                    return work(root)
                except HeadError:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, it costs this head's attempt and no more
                    failed = self._failed(error, log)
            self._send_paused(str(failed))
            time.sleep(_RETRY_S)  # the disk was full, perhaps of what other stages had there

    def check_quality(self, folder: Path) -> None:
        """Raise `RejectedError` where the head doesn't pass the plan's quality gates."""
        quality = read_json(folder / Capture.QUALITY, "the quality of a capture")
        reasons = self.context.plan.gates.reasons(quality)
        if reasons:
            raise self._error(Failure.QUALITY, "; ".join(reasons), log_path(folder, self.task))

    def send_done(self, **values: Any) -> None:
        """Send that the task is done, and what it took."""
        self.send_event("stage", **self.details, **values)

    def _failed(self, error: Exception, log: Path) -> HeadError:
        """Report a failure; returns it where a disk was full, which only takes waiting, and raises it otherwise."""
        kind = kind_of(error)
        explained = isinstance(error, StageError | InputError)
        failed = self._error(kind, str(error) if explained else f"{type(error).__name__}: {error}", log)
        if kind is not Failure.DISK:
            raise failed from None
        return failed

    def _error(self, kind: Failure, reason: str, log: Path) -> HeadError:
        """The error of a failed attempt, which is sent as an event."""
        # The log's folder is gone when the user reads this.
        reason = reason.replace(f"; its whole output is in {log}", "").replace(f"{log.parent.parent}/", "")
        output = _tail(log) if log.is_file() else ""
        details = {**self.details, "kind": str(kind), "reason": reason, "log": output, "time": round(time.time(), 3)}
        self.send_event("attempt failed", **details)
        return (RejectedError if kind in (Failure.DATA, Failure.QUALITY) else AttemptError)(details)

    def _send_paused(self, reason: str) -> None:
        self.send_event("paused", reason=reason, node=self.details["node"])

    @contextmanager
    def _working_folder(self) -> Iterator[Path]:
        """A folder on this node's disk with enough free space, removed afterwards."""
        scratch = Path(self.context.scratch or tempfile.gettempdir())
        scratch.mkdir(parents=True, exist_ok=True)
        wait_for_space(scratch, scratch_bytes(self.context.pixels), self._send_paused)
        with working_folder(scratch) as folder:
            yield Path(folder)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - _LOG_BYTES))
        return file.read().decode(errors="replace")
