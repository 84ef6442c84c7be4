"""Loggers of a run's numbers: `metrics.csv` and TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

FOLDERS = {"fit": "logs", "validate": "validate", "test": "test"}  # below the root: one command leaves another's alone


class MetricsFile(CSVLogger):
    """`metrics.csv`; Lightning's own starts anew when a run is resumed.

    Args:
        root: folder of the run.
        name: folder in it.
        resumed: go on with the file that is there.
    """

    def __init__(self, root: str, name: str, resumed: bool = False) -> None:
        super().__init__(root, name, version="")
        self._resumed = resumed

    @property
    def experiment(self) -> Any:
        """The writer of this process."""
        path = Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE
        before = path.read_bytes() if self._resumed and path.is_file() else b""
        writer = super().experiment
        if before and isinstance(writer, ExperimentWriter):
            path.write_bytes(before)
            writer.metrics_keys = before.split(b"\n", 1)[0].decode().strip().split(",")
        self._resumed = False
        return writer


def loggers_of(command: str, root: str, resumed: bool) -> list[Logger]:
    """CSV and TensorBoard for the commands that have numbers."""
    if command not in FOLDERS:
        return []
    name = FOLDERS[command]
    return [MetricsFile(root, name, resumed), TensorBoardLogger(root, name, version="")]
