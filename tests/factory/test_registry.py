"""The registry of stages: each row can be run, and everything that has a value for each stage reads it."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

from factory.production.settings.resources import HEAD_TASKS, StageResources
from factory.stages import generate, label, reconstruct
from factory.stages.registry import STAGES, Stage, StageInput
from factory.stages.settings import Execution, RenderSettings, ScanSettings


def test_work_begins_with_generating_and_ends_with_packing() -> None:
    assert next(iter(STAGES)) == "generate" and (*STAGES, "pack") == HEAD_TASKS


def test_no_two_stages_leave_the_same_files() -> None:
    patterns = [pattern for stage in STAGES.values() for pattern in stage.outputs]
    assert len(patterns) == len(set(patterns)) and all(stage.outputs for stage in STAGES.values())


@pytest.mark.parametrize("task", HEAD_TASKS)
def test_every_task_has_limits(task: str) -> None:
    filled = StageResources().with_estimates(task, 1e6, 16)
    assert filled.gib is not None and filled.minutes is not None


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_every_row_names_a_function_of_a_head(stage: Stage) -> None:
    assert (
        list(get_type_hints(stage.load())) == ["head", "return"] and get_type_hints(stage.load())["head"] is StageInput
    )


def test_functions_get_the_head_and_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for module, name in ((generate, "generate_head"), (reconstruct, "reconstruct_head"), (label, "label_head")):
        monkeypatch.setattr(module, name, lambda *arguments, name=name: calls.append((name, arguments)))
    head = StageInput(7, tmp_path, tmp_path / "head_00000007", RenderSettings(), ScanSettings(), Execution(threads=1))
    for name in ("generate", "reconstruct", "label"):
        STAGES[name].load()(head)
    assert calls == [
        ("generate_head", (7, tmp_path, head.render, head.execution)),
        ("reconstruct_head", (head.folder, head.scan, head.execution)),
        ("label_head", (head.folder, head.scan, head.execution)),
    ]
