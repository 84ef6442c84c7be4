"""Drawing the parameters of a component: by its own distribution, or by what the user asks for instead.

Every question takes exactly one number from the stream, whatever the answer and whoever gives the distribution: a
override of one parameter leaves the others of the same head as they were. Values are plain Python, rounded, so that
JSON holds them exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from capture.errors import InputError

DIGITS = 6
CUT = 2.5  # standard deviations at which normal draws end


class ParameterSampler:
    """A random stream, and overrides of what is drawn from it.

    An override is, for a number, a fixed number, a range `[low, high]` or `{"mean": m, "sd": s}` (normal, cut at 2.5
    sd); for a choice, a name, a list of names or `{name: weight}`; for yes or no, true, false or a probability. An
    override under the name of a family holds for that family alone: `{"length_mm": 50, "bob": {"length_mm": [300,
        400]}}`.

    Attributes:
        rng: the stream itself, for what nobody can override.
        asked: name that was asked for -> "number", "choice", "flag" or "value"; overrides of others are mistakes.
        options: choice -> the names that can be chosen.
        where: the place of the overrides, for errors.
    """

    def __init__(self, rng: np.random.Generator, overrides: Mapping[str, Any] | None = None, where: str = "") -> None:
        self.rng = rng
        self.asked: dict[str, str] = {}
        self.options: dict[str, tuple[str, ...]] = {}
        self._families: set[str] = set()
        self._overrides = dict(overrides or {})
        self.where = where

    def within(self, family: str, families: Iterable[str]) -> ParameterSampler:
        """The same stream, with the overrides for one of the families before those for all."""
        for name in families:
            self._families.add(name)
            if not isinstance(self._overrides.get(name, {}), Mapping):
                raise self._wrong(name, self._overrides[name], "an object of overrides for this family is needed")
        own = self._overrides.get(family, {})
        inner = ParameterSampler(self.rng, {**self._overrides, **own}, f"{self.where}.{family}" if own else self.where)
        inner.asked, inner._families, inner.options = self.asked, self._families, self.options
        return inner

    def number(self, name: str, low: float, high: float, *, power: float = 1.0) -> float:
        """A number in [low, high), even where `power` is 1, nearer to `low` where it is more."""
        unit = float(self.rng.random())
        override = self._override(name, "number")
        if override is None:
            return round(low + (high - low) * unit**power, DIGITS)
        if _is_number(override):
            return round(float(override), DIGITS)
        if (
            isinstance(override, Sequence)
            and len(override) == 2
            and all(map(_is_number, override))
            and override[0] <= override[1]
        ):
            return round(override[0] + (override[1] - override[0]) * unit, DIGITS)
        if (
            isinstance(override, Mapping)
            and set(override) == {"mean", "sd"}
            and all(map(_is_number, override.values()))
        ):
            return self._bell(unit, override["mean"], override["sd"])
        raise self._wrong(name, override, "use a number, [low, high] or {mean: m, sd: s}")

    def normal(self, name: str, mean: float, deviation: float) -> float:
        """A normal number, cut at two and a half standard deviations."""
        if self._overrides.get(name) is None:
            self.asked[name] = "number"
            return self._bell(float(self.rng.random()), mean, deviation)
        return self.number(name, mean, mean)

    def flag(self, name: str, probability: float) -> bool:
        """True with a probability."""
        unit = float(self.rng.random())
        override = self._override(name, "flag")
        if override is None:
            return unit < probability
        if isinstance(override, bool):
            return override
        if _is_number(override) and 0 <= override <= 1:
            return unit < override
        raise self._wrong(name, override, "use true, false or a probability")

    def choice(self, name: str, weights: Mapping[str, float]) -> str:
        """One of the keys, as often as its weight says."""
        unit = float(self.rng.random())
        override = self._override(name, "choice")
        self.options[name] = tuple(weights)
        if override is not None:
            weights = self._chosen(name, override, weights)
        names = list(weights)
        edges = np.cumsum([weights[key] for key in names])
        return names[min(int(np.searchsorted(edges, unit * edges[-1], side="right")), len(names) - 1)]

    def overridden(self, name: str) -> bool:
        """True where the user overrides it."""
        return self._overrides.get(name) is not None

    def fixed(self, name: str) -> bool:
        """True where the user asks for a single value, not for a list or weights. Takes no number from the stream."""
        return isinstance(self._overrides.get(name), str | int | float)

    def seed(self) -> int:
        """A seed for the detail of a component, 0 to 2**31 - 1."""
        return int(self.rng.random() * 2**31)

    def given(self, name: str) -> Any:
        """The override under a name as it stands, for what no distribution draws; None where nothing."""
        return self._override(name, "value")

    def unknown(self) -> list[str]:
        """The overrides, sorted, that nobody asked for."""
        unknown = set(self._overrides) - set(self.asked) - self._families
        for family in self._families & set(self._overrides):
            unknown |= {f"{family}.{name}" for name in set(self._overrides[family]) - set(self.asked)}
        return sorted(unknown)

    def _override(self, name: str, kind: str) -> Any:
        self.asked[name] = kind
        return self._overrides.get(name)

    def _chosen(self, name: str, override: Any, known: Mapping[str, float]) -> Mapping[str, float]:
        if isinstance(override, str):
            override = {override: 1.0}
        elif isinstance(override, Sequence):
            override = dict.fromkeys(map(str, override), 1.0)
        if not isinstance(override, Mapping) or not override:
            raise self._wrong(name, override, "use a name, a list of names or {name: weight}")
        if strangers := set(override) - set(known):
            raise self._wrong(name, ", ".join(sorted(map(str, strangers))), f"use {', '.join(known)}")
        if not all(_is_number(w) and w >= 0 for w in override.values()) or sum(override.values()) <= 0:
            raise self._wrong(name, override, "weights are numbers from 0 on, not all 0")
        return {key: float(override[key]) for key in known if key in override}

    def _bell(self, unit: float, mean: float, deviation: float) -> float:
        low, high = NormalDist().cdf(-CUT), NormalDist().cdf(CUT)
        return round(mean + deviation * NormalDist().inv_cdf(low + (high - low) * unit), DIGITS)

    def _wrong(self, name: str, override: Any, cure: str) -> InputError:
        return InputError(f"{self.where or 'distribution'}.{name}: {override!r} does not fit; {cure}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
