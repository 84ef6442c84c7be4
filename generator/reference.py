"""Tables for the documents, made from the registry: what can be overridden, and where assets of a library go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assets.head_models.head_model import HeadModel
from generator.asset_selection import asset_slots
from generator.distributions import RecordedDistributions
from generator.sampling import sample_spec
from generator.spec import STREAMS


def override_table(model: HeadModel) -> str:
    """Markdown: all names that components of a head of this model can be overridden by, and the options of choices."""
    recorded = RecordedDistributions()
    sample_spec(0, model, recorded)
    rows = []
    for stream in STREAMS:
        sampler = recorded.samplers[stream]
        asked = sampler.asked.items()
        names = (_quoted(name for name, own in asked if own == kind) for kind in ("number", "flag", "value"))
        rows.append((f"`{stream}`", "<br>".join(_choices(sampler.options)), *names))
    return _table(("component", "choices", "numbers", "yes or no", "other values"), rows)


def _choices(options: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A line for all choices that have the same options; without a library there are no assets to choose from."""
    lines = []
    for same in dict.fromkeys(options.values()):
        names = _quoted(name for name, own in options.items() if own == same)
        lines.append(f"{names}: {_quoted(same) if any(same) else 'id of an asset'}")
    return lines


def asset_table() -> str:
    """Markdown: the components that assets can stand for, and the overrides of whether and which."""
    rows = [
        (f"`{name}`", f"`{slot.kind}`", f"`{slot.flag}`", f"{slot.probability:g}", f"`{slot.choice}`")
        for name, slot in asset_slots()
    ]
    return _table(("component", "kind of asset", "override of whether", "by default", "override of which"), rows)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [tuple(head), *rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|{' --- |' * len(cells[0])}", *lines[1:]]) + "\n"
