"""Lines in which a process tells the one that started it how far it is and what time its steps took.

Standard output carries them beside anything else that is printed there. They are written and read here alone: by the
stages of `p2p`, and by what runs inside Blender's Python.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

ASKED = {"P2P_PROGRESS": "lines"}  # environment of a process that is to write lines; others may draw a bar

_PROGRESS = re.compile(r"p2p-progress (?P<name>\S*) (?P<step>\S*) (?P<done>\d+)/(?P<total>\d+)")
_TIMES = re.compile(r"p2p-times (?P<name>\S*) (?P<seconds>\{.*\})")
_PLAIN = "".join(chr(code) for code in range(33, 127) if chr(code) != "%")  # stands for itself in a line


@dataclass(frozen=True)
class StepProgress:
    """Progress of a step.

    Attributes:
        name: of the capture.
        step: what is being done.
        done: parts of it.
        total: of these.
    """

    name: str
    step: str
    done: int
    total: int

    @property
    def line(self) -> str:
        """`p2p-progress <name> <step> <done>/<total>`, with what is no printable ASCII in percents, as in URLs."""
        return f"p2p-progress {_word(self.name)} {_word(self.step)} {self.done}/{self.total}"


@dataclass(frozen=True)
class StepTimes:
    """Seconds that the steps of a capture took.

    Attributes:
        name: of the capture.
        seconds: step -> seconds.
    """

    name: str
    seconds: Mapping[str, float]

    @property
    def line(self) -> str:
        """`p2p-times <name> <JSON object>`."""
        return f"p2p-times {_word(self.name)} {json.dumps(dict(self.seconds))}"


def parse_line(line: str) -> StepProgress | StepTimes | None:
    """The message in a line; None for all that is printed beside these lines."""
    if match := _PROGRESS.match(line):
        name, step = unquote(match["name"]), unquote(match["step"])
        return StepProgress(name, step, int(match["done"]), int(match["total"]))
    if match := _TIMES.match(line):
        try:
            seconds = {str(step): float(value) for step, value in json.loads(match["seconds"]).items()}
        except (ValueError, TypeError):
            return None
        return StepTimes(unquote(match["name"]), seconds)
    return None


def progress_lines_requested() -> bool:
    """Whether who started this process reads its lines."""
    return all(os.environ.get(name) == value for name, value in ASKED.items())


def _word(text: str) -> str:
    return quote(text, safe=_PLAIN)
