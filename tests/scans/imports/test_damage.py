"""Files with anything wrong in them: an `InputError` of one line or cameras, and never another error."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from capture import InputError
from scans.imports import import_cameras
from tests.scans.imports.native import Drawn, Native
from tests.scans.imports.test_conventions import FORMATS, fill

ROUNDS = 30
WORDS = ("null", "[]", "{}", '""', "-1", "0", "1e400", "nan", "true", "x", "99999999999999999999", "-0.5")


def damaged(text: str, rng: np.random.Generator) -> str:
    """The text with a value replaced, a piece missing or doubled, or its end cut off."""
    kind = rng.integers(5)
    numbers = [match.span() for match in re.finditer(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]
    if kind <= 1 and numbers:
        start, end = numbers[rng.integers(len(numbers))]
        return text[:start] + str(rng.choice(WORDS)) + text[end:]
    names = [match.span() for match in re.finditer(r"[A-Za-z_]\w+", text)]
    if kind == 2 and names:
        start, end = names[rng.integers(len(names))]
        return text[:start] + str(rng.choice(["", "other", "null"])) + text[end:]
    start = int(rng.integers(len(text)))
    end = start + int(rng.integers(1, 40))
    return text[:start] if kind == 3 else text[:start] + text[end:]


@pytest.mark.parametrize("name", FORMATS)
def test_damage_is_an_input_error_of_one_line(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(sorted(FORMATS).index(name))
    made = FORMATS[name](Drawn.of(1))
    fill(tmp_path / "in", made)
    for _ in range(ROUNDS):
        chosen = str(rng.choice(sorted(made.files)))
        files = dict(made.files) | {chosen: damaged(made.files[chosen], rng)}
        file = fill(tmp_path / "in", Native(files, made.file, made.pixels, made.points))
        try:
            import_cameras(file, tmp_path / "out", skip_missing=True)
        except InputError as error:
            assert "\n" not in str(error), files[chosen]
            assert not (tmp_path / "out").exists()
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
