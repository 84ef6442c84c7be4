"""`production.json`: the plan that a data set follows, and its growth to more heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from capture import InputError
from factory.dataset.description import DATASET, SHARD_NAME
from factory.dataset.splits import count_for_test
from factory.dataset.store import Store
from factory.production.settings.plan import SCHEMA_VERSION, Plan, Size
from factory.production.state.head_archives import HEAD_ARCHIVE_NAME, HEAD_ARCHIVES, slot_of
from factory.stages.differences import differences
from factory.stages.render_values import library_files

PLAN = "production.json"
_FILES, _NAMED = "library_files", 3  # key beside the plan, which is no part of it; files that an error lists
_SIZES = ("heads", "test_heads", "grown_from")  # keys that may differ from one run to the next


def plan_to_follow(store: Store, plan: Plan) -> Plan:
    """`plan` with the sizes that the data set in `store` grew from. Writes nothing.

    Raises:
        InputError: there is a data set of other options, and the message shows what differs; one that has more heads;
            or one without a plan.
    """
    if store.exists(PLAN):
        there = read_plan(store)
        sizes = _begun_sizes(store, there)
        lines = _differences(there, plan)
        if lines:
            raise InputError(
                f"{store}: the data set there was begun with other options: {'; '.join(lines)}. "
                "Give the same options to resume it or let it grow, or another `out`; `p2p join` makes one of two"
            )
        return _grown(plan, sizes)
    if store.exists(DATASET):
        raise InputError(f"{store}: a data set that this command didn't make is there; choose another `out`")
    return plan


def claim_plan(store: Store, followed: Plan) -> None:
    """Write a plan that `plan_to_follow` gave for `store`, where it is not there yet."""
    if not store.exists(PLAN) or _sizes_of(read_plan(store)) != _sizes_of(followed.to_json()):
        written = {**followed.to_json(), _FILES: library_files(followed.render.library)}
        store.write(PLAN, (json.dumps(written, indent=2) + "\n").encode())


def count_test_heads(store: Store, heads: int, test_share: float) -> int:
    """The number of test heads that a share of `heads` makes, of a data set that grows with those that it has."""
    count = count_for_test(heads, test_share)
    if not store.exists(PLAN):
        return count
    before = [size for size in _begun_sizes(store, read_plan(store)) if size.heads < heads]
    if not before:
        return count
    had = before[-1]
    return min(max(count, had.test_heads), had.test_heads + heads - had.heads)


def read_plan(store: Store) -> dict[str, Any]:
    """The `production.json` of the data set in `store`. Raises `InputError` where it is missing or damaged."""
    try:
        value = json.loads(store.read(PLAN))
        version = value["schema_version"]
        if version == SCHEMA_VERSION:
            _slots_of(value)
    except FileNotFoundError:
        raise InputError(f"{store} holds no data set of `p2p produce` (no {PLAN})") from None
    except KeyError as error:
        raise _damaged(store, f"{error.args[0]} is missing") from None
    except InputError as error:  # of options that nobody gave
        raise _damaged(store, str(error).replace("`", "")) from None
    except (ValueError, TypeError, OverflowError) as error:
        raise _damaged(store, str(error)) from None
    if version != SCHEMA_VERSION:
        raise InputError(f"{store.url_of(PLAN)}: schema version {version}, this program reads {SCHEMA_VERSION}")
    return dict(value)


def _damaged(store: Store, reason: str) -> InputError:
    return InputError(f"{store.url_of(PLAN)} is damaged ({reason}); put a copy of it back")


def shard_sizes(plan: Mapping[str, Any]) -> dict[str, int]:
    """File name -> heads, of all shards of a `production.json`."""
    return {name: len(slots) for name, slots in _slots_of(plan).shards.items()}


def planned_heads(store: Store) -> int | None:
    """Heads that the data set in `store` will have; None where it is not of `p2p produce`."""
    return int(read_plan(store)["heads"]) if store.exists(PLAN) else None


def _sizes_of(plan: Mapping[str, Any]) -> list[Size]:
    """The sizes of a `production.json`: those that the data set grew from, and its own."""
    every = [*plan.get("grown_from", []), plan]
    return [Size(int(size["heads"]), int(size["test_heads"])) for size in every]


def _slots_of(plan: Mapping[str, Any]) -> Plan:
    """A plan with the sizes, seeds and shards of a `production.json`; its other options are the defaults."""
    *before, last = _sizes_of(plan)
    each, first_seed = int(plan["heads_per_shard"]), int(plan["first_seed"])
    return Plan(last.heads, last.test_heads, each, first_seed, grown_from=tuple(before))


def _begun_sizes(store: Store, there: Mapping[str, Any]) -> list[Size]:
    """The sizes of a data set, without those at its end of which no head is there: these may still be changed."""
    planned = _slots_of(there).shards
    shards = (planned.get(name, ()) for name in store.sizes() if SHARD_NAME.fullmatch(name))
    archives = (name for name in store.sizes(HEAD_ARCHIVES) if HEAD_ARCHIVE_NAME.fullmatch(name))
    made = max(chain(chain.from_iterable(shards), map(slot_of, archives)), default=-1)
    sizes = _sizes_of(there)
    return [size for size, former in zip(sizes, [Size(0, 0), *sizes], strict=False) if former.heads <= made]


def _grown(plan: Plan, sizes: list[Size]) -> Plan:
    """`plan` for a data set that has had these sizes."""
    if not sizes:
        return plan
    *before, last = sizes
    if plan.heads == last.heads:
        if plan.test_heads != last.test_heads:
            raise InputError(
                f"`test_heads` {plan.test_heads}: the data set there has {last.test_heads}, and heads stay in their "
                "split. Give the same number to resume it, or another `out`"
            )
        return replace(plan, grown_from=tuple(before))
    return replace(plan, grown_from=tuple(sizes))


def _differences(there: dict[str, Any], plan: Plan) -> list[str]:
    """One line for each option that differs, but for sizes; of asset libraries the files that do."""
    files = there.pop(_FILES, None)
    old, new = ({k: v for k, v in each.items() if k not in _SIZES} for each in (there, plan.to_json()))
    lines = list(differences(old, json.loads(json.dumps(new))))
    libraries = [line for line in lines if line.startswith("render.library is ")]
    if libraries and isinstance(files, dict):
        now = library_files(plan.render.library)
        changed = [name for name in dict.fromkeys([*files, *now]) if files.get(name) != now.get(name)]
        how = {(True, True): "changed", (False, True): "new", (True, False): "gone"}
        most = [f"{name} is {how[name in files, name in now]}" for name in changed[:_NAMED]]
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        lines[lines.index(libraries[0])] = f"render.library is another: {', '.join(most)}{more}"
    return lines
