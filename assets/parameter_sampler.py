"""Drawing the parameters of a component: by its own distribution, or by what the user asks for instead.

Every question takes exactly one number from the stream, whatever the answer and whoever gives the distribution: a
override of one parameter leaves the others of the same head as they were. Values are plain Python, rounded, so that
JSON holds them exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from capture.errors import InputError

DIGITS = 6
CUT = 2.5  # standard deviations at which normal draws end


@dataclass(frozen=True)
class Question:
    """A question of a component to its sampler, and what it draws where nobody says otherwise.

    Attributes:
        kind: "number", "choice", "flag" or "value".
        low, high: range of a number; mean and standard deviation of a normal one; of a flag, both its probability.
        normal: whether the number is normal.
        weights: option -> how often, of a choice.
        family: that it was asked for, "" for all.
        yes_for, no_for: other questions, of which an override makes this flag true, or false.
        shows: other question -> the options of this choice that it shows with.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    normal: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    family: str = ""
    yes_for: tuple[str, ...] = ()
    no_for: tuple[str, ...] = ()
    shows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class ParameterSampler:
    """A random stream, and overrides of what is drawn from it.

    An override is, for a number, a fixed number, a range `[low, high]` or `{"mean": m, "sd": s}` (normal, cut at 2.5
    sd); for a choice, a name, a list of names or `{name: weight}`; for yes or no, true, false or a probability. An
    override under the name of a family holds for that family alone: `{"length_mm": 50, "bob": {"length_mm": [300,
    400]}}`. An override of what is only looked at after a yes is a yes, unless it is said how often.

    Attributes:
        rng: the stream itself, for what nobody can override.
        asked: name -> what was asked; overrides of other names are mistakes.
        useless: overrides that change nothing whatever is drawn, with the reason.
        mistakes: where a list is put here, overrides that don't fit are told in it, and not raised.
        where: the place of the overrides, for errors.
    """

    def __init__(self, rng: np.random.Generator, overrides: Mapping[str, Any] | None = None, where: str = "") -> None:
        self.rng = rng
        self.asked: dict[str, Question] = {}
        self.useless: list[str] = []
        self.mistakes: list[str] | None = None
        self._in_family: set[str] = set()
        self._families: set[str] = set()
        self._family = ""
        self._overrides = dict(overrides or {})
        self.where = where

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """Choice -> the names that can be chosen."""
        return {name: tuple(each.weights) for name, each in self.asked.items() if each.kind == "choice"}

    @property
    def families(self) -> frozenset[str]:
        """The families that overrides may be for."""
        return frozenset(self._families)

    def within(self, family: str, families: Iterable[str]) -> ParameterSampler:
        """The same stream, with the overrides for one of the families before those for all."""
        known = set(families)
        allowed = next((self._allowed(name) for name, each in self.options.items() if set(each) == known), known)
        for name in sorted(known):
            self._families.add(name)
            given = self._overrides.get(name)
            if isinstance(given, Mapping) and given and name not in allowed:
                self.useless.append(f"{self._named(name)}: {name} is never drawn; leave one of them out")
        own = self._overrides.get(family, {})
        own = own if isinstance(own, Mapping) else {}  # a question of the family's name, or a mistake
        inner = ParameterSampler(self.rng, {**self._overrides, **own}, f"{self.where}.{family}" if own else self.where)
        inner.asked, inner._families, inner._in_family = self.asked, self._families, self._in_family
        inner.useless, inner.mistakes, inner._family = self.useless, self.mistakes, family
        return inner

    def number(self, name: str, low: float, high: float, *, power: float = 1.0) -> float:
        """A number in [low, high), even where `power` is 1, nearer to `low` where it is more."""
        unit = float(self.rng.random())
        override = self._ask(name, Question("number", low, high))
        drawn = round(low + (high - low) * unit**power, DIGITS)
        return drawn if override is None else self._overridden_number(name, override, unit, drawn)

    def normal(self, name: str, mean: float, deviation: float) -> float:
        """A normal number, cut at two and a half standard deviations."""
        unit = float(self.rng.random())
        override = self._ask(name, Question("number", mean, deviation, normal=True))
        drawn = self._bell(unit, mean, deviation)
        return drawn if override is None else self._overridden_number(name, override, unit, drawn)

    def flag(
        self, name: str, probability: float, *, yes_for: tuple[str, ...] = (), no_for: tuple[str, ...] = ()
    ) -> bool:
        """True with a probability; where nothing is said of it, always or never for overrides of other questions.

        Args:
            name: of the question.
            probability: of a yes.
            yes_for: questions that matter after a yes only: an override of one of them means yes.
            no_for: those that matter after a no only.
        """
        unit = float(self.rng.random())
        override = self._ask(name, Question("flag", probability, probability, yes_for=yes_for, no_for=no_for))
        for_yes, for_no = (tuple(filter(self.overridden, names)) for names in (yes_for, no_for))
        if override is None:
            return (unit < probability or bool(for_yes)) and not for_no
        if not isinstance(override, bool) and not (_is_number(override) and 0 <= override <= 1):
            self._refuse(name, override, "use true, false or a probability")
            return unit < probability
        useless = for_yes if not override else for_no if override in (True, 1) else ()
        self.useless += [f"{self._named(each)}: {name} is {override}; leave one of them out" for each in useless]
        return override if isinstance(override, bool) else unit < override

    def choice(
        self, name: str, weights: Mapping[str, float], *, shows: Mapping[str, tuple[str, ...]] | None = None
    ) -> str:
        """One of the keys, as often as its weight says; `shows` names the questions that matter with some of them."""
        unit = float(self.rng.random())
        override = self._ask(name, Question("choice", weights=dict(weights), shows=shows or {}))
        if override is not None:
            weights = self._chosen(name, override, weights)
        cure = "ask for one of them" if override is None else "leave one of them out"
        for each, options in (shows or {}).items():
            if self.overridden(each) and not set(options) & {key for key, weight in weights.items() if weight > 0}:
                self.useless.append(f"{self._named(each)}: it shows with {name} {' or '.join(options)} only; {cure}")
        names = list(weights)
        edges = np.cumsum([weights[key] for key in names])
        return names[min(int(np.searchsorted(edges, unit * edges[-1], side="right")), len(names) - 1)]

    def overridden(self, name: str) -> bool:
        """True where the user overrides it."""
        return self._overrides.get(name) is not None

    def never(self, name: str) -> bool:
        """True where the user says no."""
        return self._overrides.get(name) in (False, 0)

    def wanted(self, name: str) -> Any:
        """The override of what is drawn, as the user wrote it; None where there is none."""
        return self._overrides.get(name)

    def fixed(self, name: str) -> bool:
        """True where the user asks for a single value, not for a list or weights. Takes no number from the stream."""
        return isinstance(self._overrides.get(name), str | int | float)

    def seed(self) -> int:
        """A seed for the detail of a component, 0 to 2**31 - 1."""
        return int(self.rng.random() * 2**31)

    def given(self, name: str) -> Any:
        """The override under a name as it stands, for what no distribution draws; None where nothing."""
        return self._ask(name, Question("value"))

    def unknown(self) -> list[str]:
        """The overrides, sorted, that nobody asked for."""
        unknown = set(self._overrides) - set(self.asked) - self._families
        for family in self._families & set(self._overrides):
            given = self._overrides[family]
            if isinstance(given, Mapping) and not self._is_answer(family, given):
                unknown |= {f"{family}.{name}" for name in set(given) - self._in_family}
            elif family not in self.asked:
                self._refuse(family, given, "an object of overrides for this family is needed")
        return sorted(unknown)

    def _is_answer(self, name: str, override: Any) -> bool:
        """False for the overrides of a family that has the name of a choice."""
        return not isinstance(override, Mapping) or set(override) <= set(self.options.get(name, ()))

    def _ask(self, name: str, question: Question) -> Any:
        """Note a question; returns the override of it."""
        self.asked[name] = replace(question, family=self._family)
        if self._family:
            self._in_family.add(name)
        override = self._overrides.get(name)
        return None if name in self._families and not self._is_answer(name, override) else override

    def _overridden_number(self, name: str, override: Any, unit: float, drawn: float) -> float:
        if _is_number(override):
            return round(float(override), DIGITS)
        if isinstance(override, Sequence) and len(override) == 2 and all(map(_is_number, override)):
            low, high = override
            if low <= high:
                return round(low + (high - low) * unit, DIGITS)
        bell = isinstance(override, Mapping) and set(override) == {"mean", "sd"}
        if bell and all(map(_is_number, override.values())):
            return self._bell(unit, override["mean"], override["sd"])
        self._refuse(name, override, "use a number, [low, high] or {mean: m, sd: s}")
        return drawn

    def _allowed(self, name: str) -> set[str]:
        """The options of a choice that can be drawn."""
        known, override = self.asked[name].weights, self._overrides.get(name)
        if override is None:
            return set(known)
        return {key for key, weight in self._chosen(name, override, known, quietly=True).items() if weight > 0}

    def _chosen(
        self, name: str, override: Any, known: Mapping[str, float], *, quietly: bool = False
    ) -> Mapping[str, float]:
        cure, given = "", override
        if isinstance(override, str):
            override = {override: 1.0}
        elif isinstance(override, Sequence):
            override = dict.fromkeys(map(str, override), 1.0)
        if not isinstance(override, Mapping) or not override:
            cure = "use a name, a list of names or {name: weight}"
        elif strangers := set(override) - set(known):
            given, cure = ", ".join(sorted(map(str, strangers))), f"use {', '.join(known)}"
        elif not all(_is_number(w) and w >= 0 for w in override.values()) or sum(override.values()) <= 0:
            cure = "weights are numbers from 0 on, not all 0"
        if not cure:
            return {key: float(override[key]) for key in known if key in override}
        if not quietly:
            self._refuse(name, given, cure)
        return known

    def _bell(self, unit: float, mean: float, deviation: float) -> float:
        low, high = NormalDist().cdf(-CUT), NormalDist().cdf(CUT)
        return round(mean + deviation * NormalDist().inv_cdf(low + (high - low) * unit), DIGITS)

    def _named(self, name: str) -> str:
        return f"{self.where or 'distribution'}.{name}"

    def _refuse(self, name: str, override: Any, cure: str) -> None:
        message = f"{self._named(name)}: {override!r} does not fit; {cure}"
        if self.mistakes is None:
            raise InputError(message)
        self.mistakes.append(message)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
