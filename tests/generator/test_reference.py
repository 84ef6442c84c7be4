"""The names in the documents are those of the program: families, kinds, options and all that can be overridden."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields

import pytest

from assets.makehuman.model import load_default_model
from generator.cameras.views import ViewSpec
from generator.distributions import RecordedDistributions
from generator.sampling import sample_spec
from generator.spec import COMPONENTS, STREAMS
from tests.helpers import REPO

TABLE = re.compile(r"(?s)<!-- overrides: .*? -->.*?<!-- overrides: end -->")


@pytest.fixture(scope="module")
def names() -> dict[str, set[str]]:
    """Component -> names that it can be overridden by, and the options of its choices."""
    recorded = RecordedDistributions()
    sample_spec(0, load_default_model(), recorded)
    return {
        stream: set(sampler.asked) | {option for options in sampler.options.values() for option in options}
        for stream, sampler in recorded.samplers.items()
    }


def rows() -> Iterator[tuple[str, set[str]]]:
    """First cell, and all words between backquotes, of every row of a table in docs/generator.md written by hand."""
    text = TABLE.sub("", (REPO / "docs/generator.md").read_text())
    for line in re.findall(r"^\| .*\|$", text, re.M):
        yield line.split("|")[1], set(re.findall(r"`([A-Za-z_]+)`", line))


def test_tables_made_from_the_registry_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tests/update_tables.py", "--check"], cwd=REPO, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_name_in_the_documents_is_one_of_the_program(names: dict[str, set[str]]) -> None:
    """A row about components names nothing that they lack; other rows nothing that no component has."""
    every = {*STREAMS, *(field.name for field in fields(ViewSpec)), "sensor_mm"}.union(*names.values())
    seen = set()
    for first, words in rows():
        assert words <= every, words - every
        about = set(re.findall(r"`([a-z_]+)`", first)) & set(STREAMS)
        if about and about == set(re.findall(r"`([A-Za-z_]+)`", first)):
            seen |= about
            assert words <= about.union(*(names[name] for name in about)), first
    assert set(COMPONENTS) <= seen


@pytest.mark.parametrize("component", [name for name, row in COMPONENTS.items() if row.kind_field])
def test_every_family_and_kind_is_in_the_documents(component: str) -> None:
    recorded = RecordedDistributions()
    sample_spec(0, load_default_model(), recorded)
    options = recorded.samplers[component].options[COMPONENTS[component].kind_field]
    written = set().union(*(words for first, words in rows() if f"`{component}`" in first))
    assert set(options) - {"none"} <= written
