from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import InputError
from factory.dataset.splits import split_by_count
from factory.dataset.store import Store
from factory.production.settings.plan import Plan, Size
from factory.production.settings.quality_gates import QualityGates
from factory.production.settings.resources import StageResources, check_nodes
from factory.production.state.existing import list_existing
from factory.production.state.lock import exclusive_lock
from factory.production.state.plan_file import (
    PLAN,
    claim_plan,
    count_test_heads,
    plan_to_follow,
    planned_heads,
    read_plan,
    shard_sizes,
)
from factory.production.tasks.disk_space import capture_bytes, check_free_space, sample_bytes, write_when_there_is_space
from factory.stages import render_values
from factory.stages.differences import differences
from factory.stages.seeds import head_name
from factory.stages.settings import RenderSettings, ScanSettings
from reconstruction.settings import ReconstructionSettings
from tests.assets.packs import write_asset, write_image

plans = st.integers(2, 60).flatmap(
    lambda heads: st.builds(Plan, st.just(heads), st.integers(0, heads - 1), st.integers(1, 9), st.integers(0, 1000))
)


def follow(store: Store, plan: Plan) -> Plan:
    """The plan that a run follows, which it claims."""
    followed = plan_to_follow(store, plan)
    claim_plan(store, followed)
    return followed


@given(plans)
def test_every_slot_is_in_one_shard_of_one_split(plan: Plan) -> None:
    slots = [slot for shard in plan.shards.values() for slot in shard]
    assert sorted(slots) == list(range(plan.heads))
    assert len(plan.splits["test"]) == plan.test_heads
    assert {name: len(shard) for name, shard in plan.shards.items()} == shard_sizes(plan.to_json())
    assert all(len(shard) <= plan.heads_per_shard for shard in plan.shards.values())
    packed = split_by_count([head_name(plan.seed(slot)) for slot in range(plan.heads)], plan.test_heads)
    assert packed == {name: [head_name(plan.seed(s)) for s in slots] for name, slots in plan.splits.items()}


@given(plans, st.integers(1, 40), st.integers(1, 40), st.data())
def test_growing_changes_no_earlier_head_split_or_shard(
    plan: Plan, more: int, still_more: int, data: st.DataObject
) -> None:
    before = plan
    for added in (more, still_more):
        test_heads = before.test_heads + data.draw(st.integers(0, added))
        sizes = (*before.grown_from, Size(before.heads, before.test_heads))
        after = replace(before, heads=before.heads + added, test_heads=test_heads, grown_from=sizes)
        assert after.key == plan.key and after.dataset_key != before.dataset_key
        assert before.shards.items() <= after.shards.items()
        assert all(after.splits[split][: len(slots)] == slots for split, slots in before.splits.items())
        assert {split: len(slots) for split, slots in after.splits.items()} == {
            "train": after.heads - test_heads,
            "test": test_heads,
        }
        assert sorted(slot for shard in after.shards.values() for slot in shard) == list(range(after.heads))
        assert {name: len(shard) for name, shard in after.shards.items()} == shard_sizes(after.to_json())
        before = after


@given(plans, st.integers(0, 9), st.data())
def test_no_two_slots_share_a_seed(plan: Plan, replacement: int, data: st.DataObject) -> None:
    slot = data.draw(st.integers(0, plan.heads - 1))
    assert plan.slot(plan.seed(slot, replacement)) == (slot, replacement)


def test_the_key_tells_plans_apart() -> None:
    plan = Plan(4, 1)
    others = [
        Plan(5, 1),
        Plan(4, 2),
        Plan(4, 1, 8),
        Plan(4, 1, first_seed=1),
        Plan(4, 1, render=RenderSettings(256)),
        Plan(4, 1, scan=ScanSettings(ReconstructionSettings("cpu"))),
        Plan(4, 1, gates=QualityGates(0.1)),
        Plan(4, 1, versions={"generator": "0"}),
    ]
    assert len({plan.key, *(other.key for other in others)}) == 1 + len(others)
    for other in others:
        assert list(differences(plan.to_json(), other.to_json()))
    assert plan.key == Plan(4, 1).key and json.loads(json.dumps(plan.to_json())) == plan.to_json()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 0, "test_heads": 0}, "at least one head"),
        ({"heads": 4, "test_heads": 4}, "`test_heads` 4 of 4"),
        ({"heads": 4, "test_heads": 1, "heads_per_shard": 0}, "`heads_per_shard` 0: a shard holds at least one head"),
        ({"heads": 4, "test_heads": 1, "first_seed": 9_999_997}, "seeds of a data set lie between 0 and 9999999"),
    ],
)
def test_plans_that_make_no_sense_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Plan(**options)


def test_a_foreign_data_set_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(InputError, match="a data set that this command didn't make"):
        follow(Store(tmp_path), Plan(4, 1))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema_version": 9}'])
def test_a_damaged_plan_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(InputError, match=PLAN):
        follow(Store(tmp_path), Plan(4, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"heads": 0},
        {"heads": float("inf")},
        {"test_heads": 9},
        {"grown_from": [{"heads": 9, "test_heads": 1}]},
        {"grown_from": [{"heads": 2}]},
        {"heads_per_shard": 0},
        {"heads_per_shard": None},
        {"first_seed": None},
        {"first_seed": -1},
    ],
)
def test_a_plan_that_contradicts_itself_or_lacks_something_is_damaged(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    """One line names the file: no option that was given is wrong."""
    store = Store(tmp_path)
    follow(store, Plan(4, 1))
    value = {key: value for key, value in {**read_plan(store), **changes}.items() if value is not None}
    (tmp_path / PLAN).write_text(json.dumps(value))
    calls: list[Callable[[], object]] = [
        lambda: read_plan(store),
        lambda: follow(store, Plan(4, 1)),
        lambda: planned_heads(store),
        lambda: count_test_heads(store, 8, 0.25),
    ]
    for call in calls:
        with pytest.raises(InputError) as error:
            call()
        line = str(error.value)
        assert line.startswith(f"{tmp_path / PLAN} is damaged (") and line.endswith("); put a copy of it back")
        assert "`" not in line and "\n" not in line


def make_archive(folder: Path, slot: int) -> None:
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / f"{slot:08d}-{slot:08d}.tar").touch()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(3, 1), "`heads` 3: the data set there has 4; it can grow, not shrink"),
        (Plan(4, 2), "`test_heads` 2: the data set there has 1, and heads stay in their split"),
        (Plan(6, 0), "`test_heads` 0: 1 of the 4 heads there are in the test split and stay in it"),
        (Plan(6, 4), "`test_heads` 4: 1 of the 4 heads there .*, and the others stay in train: 3 of 6 at most"),
        (Plan(6, 2, first_seed=1), "begun with other options: first_seed is 0 there, 1 here"),
        (Plan(6, 2, 3), "begun with other options: heads_per_shard is 16 there, 3 here"),
    ],
)
def test_growth_that_would_change_heads_is_refused(tmp_path: Path, plan: Plan, message: str) -> None:
    store = Store(tmp_path)
    follow(store, Plan(4, 1))
    make_archive(tmp_path, 2)
    written = (tmp_path / PLAN).read_bytes()
    with pytest.raises(InputError, match=message):
        follow(store, plan)
    assert (tmp_path / PLAN).read_bytes() == written


def test_sizes_count_once_a_head_of_theirs_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    follow(store, Plan(400, 100))
    assert follow(store, Plan(4, 1)) == Plan(4, 1)  # a slip of the finger
    make_archive(tmp_path, 2)
    assert follow(store, Plan(600, 100)).grown_from == (Size(4, 1),)
    assert follow(store, Plan(4, 1)) == Plan(4, 1)
    grown = follow(store, Plan(6, 2))
    make_archive(tmp_path, 4)
    assert follow(store, Plan(6, 2)) == grown and grown.grown_from == (Size(4, 1),)
    assert follow(store, Plan(9, 2)).grown_from == (Size(4, 1), Size(6, 2))
    with pytest.raises(InputError, match="the data set there has 6"):
        follow(store, Plan(5, 2))


def test_the_share_of_test_heads_respects_those_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert count_test_heads(store, 8, 0.25) == 2
    follow(store, Plan(4, 3))
    make_archive(tmp_path, 2)
    assert [count_test_heads(store, heads, 0.25) for heads in (4, 5, 16)] == [1, 3, 4]
    follow(store, Plan(5, 3))
    make_archive(tmp_path, 4)
    assert count_test_heads(store, 5, 0.25) == 3  # as before: the same command resumes
    assert count_test_heads(store, 6, 1.0) == 4


def test_other_files_are_no_head_archives(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name in (".00000001-00000001.8a7b.tar", "notes.txt", "00000099-00000099.tar", "00000001-00000002.tar"):
        (tmp_path / "parts" / name).touch()
    existing = list_existing(Store(tmp_path), Plan(4, 1))
    assert not existing.head_archives and existing.obsolete == ["00000001-00000002.tar", "00000099-00000099.tar"]


def test_quality_below_a_gate_is_told_with_numbers() -> None:
    quality = {
        "skin_share": 0.01,
        "accuracy": {"skin_pixels": {"median_mm": 3.0}},
        "completeness": {"face_mask_clear": {"within_1_5_mm": 0.2}},
    }
    assert [reason.split()[0] for reason in QualityGates().reasons(quality)] == ["20.0", "1.0", "skin"]
    assert not QualityGates(0, 0, 0).reasons(quality) and not QualityGates(0, 0, 0).reasons({})
    assert len(QualityGates().reasons({})) == 2  # nothing measured is not good enough
    with pytest.raises(InputError, match="min_face"):
        QualityGates(min_face=1.5)


def test_estimates_grow_with_the_images() -> None:
    small, large = (StageResources().with_estimates("reconstruct", 13 * side**2, 16) for side in (256, 1024))
    assert small.gib is not None and large.gib is not None and 1 < small.gib < large.gib < 16
    assert StageResources(2, gib=3.5).with_estimates("generate", 1e6, 16).gib == 3.5
    few, many = (StageResources().with_estimates("generate", 1e7, samples).minutes for samples in (16, 64))
    assert few is not None and many is not None and few < many
    assert StageResources(2, 0.5, 4).ray_options == {"num_cpus": 2, "num_gpus": 0.5, "memory": 4 * 2**30}


def test_resources_that_no_node_has_are_refused() -> None:
    nodes = [{"CPU": 4.0, "memory": 8.0 * 2**30}, {"CPU": 64.0, "memory": 2.0 * 2**30}]
    check_nodes({"label": StageResources(4, gib=8)}, nodes)
    with pytest.raises(InputError, match=r"stage label, which needs 64 CPUs, 8\.0 GiB \(nodes: 4 CPUs, 8\.0 GiB; 64"):
        check_nodes({"label": StageResources(64, gib=8)}, nodes)
    with pytest.raises(InputError, match="1 GPUs"):
        check_nodes({"generate": StageResources(1, 1)}, nodes)


def test_two_runs_don_t_share_a_folder(tmp_path: Path) -> None:
    with (
        exclusive_lock(Store(tmp_path)),
        pytest.raises(InputError, match="another run works on"),
        exclusive_lock(Store(tmp_path)),
    ):
        pass
    with exclusive_lock(Store(tmp_path)):
        pass


def test_too_small_a_disk_is_told_before(tmp_path: Path) -> None:
    assert 2e6 < sample_bytes(13 * 256**2) < capture_bytes(13 * 256**2) < 3e7
    check_free_space(tmp_path / "not" / "there", 1, "one head")
    with pytest.raises(InputError, match=r"9 heads needs about 1000000\.0 GB and .* free; free some"):
        check_free_space(tmp_path, 10**15, "9 heads")


def test_only_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    tries, reported = [], []

    def write() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise InputError("can't write x: No space left on device; free some space and run again")

    write_when_there_is_space(write, tmp_path, 1, reported.append)
    assert len(tries) == 2 and "paused" in reported[0]

    def refuse() -> None:
        raise InputError("can't write x: permission denied")

    with pytest.raises(InputError, match="permission"):
        write_when_there_is_space(refuse, tmp_path, 1, reported.append)


def test_a_library_that_changed_is_told_by_its_files(tmp_path: Path) -> None:
    for name in ("mine/a", "mine/b"):
        write_asset(tmp_path / "library", name)
    store = Store(str(tmp_path / "dataset"))

    def plan() -> Plan:
        render_values._library_content.cache_clear()
        return Plan(2, 1, render=RenderSettings(library=(tmp_path / "library",)))

    before = plan().key
    written = [follow(store, plan()) and (tmp_path / "dataset" / PLAN).read_bytes() for _ in range(2)]
    assert written[0] == written[1]
    assert plan().key == before  # what the error needs is no part of the plan
    write_image(tmp_path / "library/skin/mine-a/map.png", np.full((4, 4, 3), 7, np.uint8))
    write_asset(tmp_path / "library", "mine/c")
    with pytest.raises(
        InputError, match=r"render.library is another: mine/a: map.png is changed, weight of mine/c is new"
    ):
        follow(store, plan())
