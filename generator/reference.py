"""Lists made from the components themselves: what can be overridden, and where assets of a library go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assets.head_models.head_model import HeadModel
from assets.library import Library
from assets.parameter_sampler import ParameterSampler, Question
from generator.asset_selection import asset_slots
from generator.distributions import RecordedDistributions
from generator.sampling import sample_spec
from generator.spec import STREAMS

HEADS = 24
"""Heads that are drawn to see what ranges depend on the person."""


@dataclass(frozen=True)
class Parameter:
    """A name that can be overridden, in words.

    Attributes:
        name: as in a file of distributions.
        kind: number, choice, yes or no, value.
        default: what is drawn where nobody says otherwise.
        note: when it matters.
    """

    name: str
    kind: str
    default: str
    note: str


def list_parameters(model: HeadModel, library: Library | None = None) -> dict[str, list[Parameter]]:
    """Component -> all that it draws, as the components themselves ask for it on heads of this model."""
    asked: dict[str, dict[str, list[Question]]] = {stream: {} for stream in STREAMS}

    def draw(seed: int, overrides: Mapping[str, Mapping[str, str]]) -> Mapping[str, ParameterSampler]:
        recorded = RecordedDistributions(overrides)
        sample_spec(seed, model, recorded, library)
        for stream, sampler in recorded.samplers.items():
            for name, question in sampler.asked.items():
                asked[stream].setdefault(name, []).append(question)
        return recorded.samplers

    for seed in range(HEADS):
        samplers = draw(seed, {})
    for stream, sampler in samplers.items():
        for name, options in sampler.options.items():
            for option in options if set(options) == sampler.families else ():
                draw(0, {stream: {name: option}})
    return {
        stream: [Parameter(name, *_in_words(name, questions, own)) for name, questions in own.items()]
        for stream, own in asked.items()
    }


def _in_words(
    name: str, questions: Sequence[Question], all_asked: Mapping[str, Sequence[Question]]
) -> tuple[str, str, str]:
    """Kind, default and note of a question, which was asked of several heads."""
    by_family: dict[str, list[Question]] = {}
    for question in questions:
        by_family.setdefault(question.family, []).append(question)
    nothing = by_family.pop("none", [])
    if not by_family or any(len({_amount(each) for each in own}) > 1 for own in by_family.values()):
        default = _default(questions)  # it is not the family that it depends on
    else:
        texts = {family: _default(own) for family, own in sorted(by_family.items())}
        groups = {text: [family for family in texts if texts[family] == text] for text in texts.values()}
        parts = [f"{text} ({', '.join(members)})" for text, members in groups.items()]
        default = "; ".join(parts) if len(groups) > 1 else next(iter(groups))
    kind = _KINDS[(questions or nothing)[0].kind]
    return kind, default, "; ".join(_notes(name, all_asked))


def _notes(name: str, all_asked: Mapping[str, Sequence[Question]]) -> Iterator[str]:
    """When an override of `name` matters, by the other questions of its component."""
    for other, asked in all_asked.items():
        last = asked[-1]
        if name in last.yes_for or name in last.no_for:
            yield f"an override means {other}: {'true' if name in last.yes_for else 'false'}"
        if shown := last.shows.get(name):
            rest = [option for option in last.weights if option not in shown]
            few = len(rest) == 1 and len(shown) > 1
            yield f"shows with {other} {f'other than {rest[0]}' if few else ' or '.join(shown)}"


def _amount(question: Question) -> tuple[float, ...]:
    return (question.low, question.high, *question.weights.values())


_KINDS = {"number": "number", "choice": "choice", "flag": "yes or no", "value": "value"}


def _default(questions: Sequence[Question]) -> str:
    """The words for a default, of one family or of all."""
    first, one = questions[0], len({(each.low, each.high) for each in questions}) == 1
    if first.kind == "value":
        return "none"
    if first.kind == "choice":
        if not any(first.weights):
            return "an asset's id"
        shares = {option: [_share(each.weights, option) for each in questions] for option in first.weights}
        if len({round(share, 3) for mean in shares.values() for share in mean}) == 1:
            return f"{', '.join(shares)}: evenly"
        return ", ".join(f"{option} {_percent(share)}" for option, share in shares.items())
    if first.kind == "flag":
        return _percent([each.low for each in questions])
    low, high = min(each.low for each in questions), max(each.high for each in questions)
    if first.normal:
        mean = f"{low + 0.0:g}" if one else f"{low:.3g} to {max(each.low for each in questions):.3g} (varies)"
        return f"normal, {mean} ± {first.high:g}"
    number = f"{low:g}" if low == high else f"{low:.3g} to {high:.3g}" if high < 1000 else f"{low:g} to {high:g}"
    return number if one else f"{number} (varies)"


def _share(weights: Mapping[str, float], option: str) -> float:
    return weights.get(option, 0.0) / (sum(weights.values()) or 1.0)


def _percent(shares: Sequence[float]) -> str:
    low, high = (f"{100 * share:.0f}" for share in (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def override_tables(model: HeadModel) -> str:
    """Markdown: a table for each component, of all that can be overridden on heads of this model."""
    parts = []
    for stream, parameters in list_parameters(model).items():
        rows = [(f"`{each.name}`", each.kind, each.default, each.note) for each in parameters]
        parts.append(f"### `{stream}`\n\n{_table(('name', 'type', 'default', ''), rows)}")
    return "\n".join(parts)


def override_lines(parameters: Mapping[str, Sequence[Parameter]]) -> Iterator[str]:
    """The same as lines of text."""
    for stream, own in parameters.items():
        yield stream
        width = max(len(each.name) for each in own)
        for each in own:
            note = f" [{each.note}]" if each.note else ""
            yield f"  {each.name:<{width}}  {each.kind:<9}  {each.default}{note}"


def asset_table() -> str:
    """Markdown: the components that assets can stand for, and the overrides of whether and which."""
    rows = [
        (f"`{name}`", f"`{slot.kind}`", f"`{slot.flag}`", f"{slot.probability:g}", f"`{slot.choice}`")
        for name, slot in asset_slots()
    ]
    return _table(("component", "kind of asset", "override of whether", "by default", "override of which"), rows)


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [tuple(head), *rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|{' --- |' * len(cells[0])}", *lines[1:]]) + "\n"
