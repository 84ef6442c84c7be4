"""What the cost of a head was, kept in files: a run of hours may stop and go on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.builds import Run
from benchmarks.cost_worth import Measures
from capture.files import write_json


@dataclass
class HeadRecord:
    """Measurements of a head.

    Attributes:
    runs: stage -> build -> CPU time and memory.
    kept: stage -> what must not suffer, as a text or as numbers of both builds.
    """

    runs: dict[str, dict[str, Run]] = field(default_factory=dict)
    kept: dict[str, str | Measures] = field(default_factory=dict)

    def write(self, file: Path) -> None:
        """Write the record as JSON."""
        write_json(file, asdict(self))

    @classmethod
    def read(cls, file: Path) -> HeadRecord:
        """Read what `write` wrote."""
        stored = json.loads(file.read_text())
        runs = {stage: {build: Run(**run) for build, run in both.items()} for stage, both in stored["runs"].items()}
        kept = {
            stage: value if isinstance(value, str) else Measures(**value) for stage, value in stored["kept"].items()
        }
        return cls(runs, kept)
