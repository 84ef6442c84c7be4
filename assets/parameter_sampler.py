"""Drawing the parameters of a component: by its own distribution, or by what the user wishes instead.

Every question takes exactly one number from the stream, whatever the answer and whoever gives the distribution: a
wish about one parameter leaves the others of the same head as they were. Values are plain Python, rounded, so that JSON
holds them exactly.
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


class Draw:
    """A random stream, and wishes about what is drawn from it.

    A wish is, for a number, a fixed number, a range `[low, high]` or `{"mean": m, "sd": s}` (normal, cut at 2.5 sd);
    for a choice, a name, a list of names or `{name: weight}`; for yes or no, true, false or a probability. A wish under
    the name of a family holds for that family alone: `{"length_mm": 50, "bob": {"length_mm": [300, 400]}}`.

    Attributes:
        rng: the stream itself, for what nobody can wish for.
        asked: names that were asked for; wishes about others are mistakes.
        options: choice -> what can be chosen.
        where: the place of the wishes, for errors.
    """

    def __init__(self, rng: np.random.Generator, wishes: Mapping[str, Any] | None = None, where: str = "") -> None:
        self.rng = rng
        self.asked: set[str] = set()
        self.options: dict[str, tuple[str, ...]] = {}
        self._families: set[str] = set()
        self._wishes = dict(wishes or {})
        self.where = where

    def within(self, family: str, families: Iterable[str]) -> Draw:
        """The same stream, with the wishes for one of the families before those for all."""
        for name in families:
            self._families.add(name)
            if not isinstance(self._wishes.get(name, {}), Mapping):
                raise self._wrong(name, self._wishes[name], "an object of wishes for this family is needed")
        own = self._wishes.get(family, {})
        inner = Draw(self.rng, {**self._wishes, **own}, f"{self.where}.{family}" if own else self.where)
        inner.asked, inner._families, inner.options = self.asked, self._families, self.options
        return inner

    def number(self, name: str, low: float, high: float, *, power: float = 1.0) -> float:
        """A number in [low, high), even where `power` is 1, nearer to `low` where it is more."""
        unit = float(self.rng.random())
        wish = self._wish(name)
        if wish is None:
            return round(low + (high - low) * unit**power, DIGITS)
        if _is_number(wish):
            return round(float(wish), DIGITS)
        if isinstance(wish, Sequence) and len(wish) == 2 and all(map(_is_number, wish)) and wish[0] <= wish[1]:
            return round(wish[0] + (wish[1] - wish[0]) * unit, DIGITS)
        if isinstance(wish, Mapping) and set(wish) == {"mean", "sd"} and all(map(_is_number, wish.values())):
            return self._bell(unit, wish["mean"], wish["sd"])
        raise self._wrong(name, wish, "use a number, [low, high] or {mean: m, sd: s}")

    def normal(self, name: str, mean: float, deviation: float) -> float:
        """A normal number, cut at two and a half standard deviations."""
        if self._wishes.get(name) is None:
            self.asked.add(name)
            return self._bell(float(self.rng.random()), mean, deviation)
        return self.number(name, mean, mean)

    def flag(self, name: str, probability: float) -> bool:
        """True with a probability."""
        unit = float(self.rng.random())
        wish = self._wish(name)
        if wish is None:
            return unit < probability
        if isinstance(wish, bool):
            return wish
        if _is_number(wish) and 0 <= wish <= 1:
            return unit < wish
        raise self._wrong(name, wish, "use true, false or a probability")

    def choice(self, name: str, weights: Mapping[str, float]) -> str:
        """One of the keys, as often as its weight says."""
        unit = float(self.rng.random())
        wish = self._wish(name)
        self.options[name] = tuple(weights)
        if wish is not None:
            weights = self._chosen(name, wish, weights)
        names = list(weights)
        edges = np.cumsum([weights[key] for key in names])
        return names[min(int(np.searchsorted(edges, unit * edges[-1], side="right")), len(names) - 1)]

    def wished(self, name: str) -> bool:
        """Whether the user has a wish about it."""
        return self._wishes.get(name) is not None

    def fixed(self, name: str) -> bool:
        """Whether the user wishes for exactly this: a single value, not a list or weights. Takes no number."""
        return isinstance(self._wishes.get(name), str | int | float)

    def seed(self) -> int:
        """A seed for the detail of a component, 0 to 2**31 - 1."""
        return int(self.rng.random() * 2**31)

    def given(self, name: str) -> Any:
        """What the user wishes under a name, as it stands, for what no distribution draws; None where nothing."""
        return self._wish(name)

    def unknown(self) -> list[str]:
        """The wishes, sorted, that nobody asked for."""
        unknown = set(self._wishes) - self.asked - self._families
        for family in self._families & set(self._wishes):
            unknown |= {f"{family}.{name}" for name in set(self._wishes[family]) - self.asked}
        return sorted(unknown)

    def _wish(self, name: str) -> Any:
        self.asked.add(name)
        return self._wishes.get(name)

    def _chosen(self, name: str, wish: Any, known: Mapping[str, float]) -> Mapping[str, float]:
        if isinstance(wish, str):
            wish = {wish: 1.0}
        elif isinstance(wish, Sequence):
            wish = dict.fromkeys(map(str, wish), 1.0)
        if not isinstance(wish, Mapping) or not wish:
            raise self._wrong(name, wish, "use a name, a list of names or {name: weight}")
        if strangers := set(wish) - set(known):
            raise self._wrong(name, ", ".join(sorted(map(str, strangers))), f"use {', '.join(known)}")
        if not all(_is_number(w) and w >= 0 for w in wish.values()) or sum(wish.values()) <= 0:
            raise self._wrong(name, wish, "weights are numbers from 0 on, not all 0")
        return {key: float(wish[key]) for key in known if key in wish}

    def _bell(self, unit: float, mean: float, deviation: float) -> float:
        low, high = NormalDist().cdf(-CUT), NormalDist().cdf(CUT)
        return round(mean + deviation * NormalDist().inv_cdf(low + (high - low) * unit), DIGITS)

    def _wrong(self, name: str, wish: Any, cure: str) -> InputError:
        return InputError(f"{self.where or 'distribution'}.{name}: {wish!r} does not fit; {cure}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
