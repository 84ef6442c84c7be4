"""The user's distributions: overrides of what components draw, from a YAML or JSON file.

    hair: {family: {crop: 2, long_wavy: 1}, long_wavy: {length_mm: [300, 400]}}
    beard: {family: none}
    skin: {melanin: [0.6, 1.0]}

`ParameterSampler` says what an override may look like. Names that no component draws are errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.settings_file import read_settings
from generator.spec import STREAMS
from generator.streams import component_stream


@dataclass(frozen=True)
class Distributions:
    """Attributes:
    overrides: component -> parameter -> override.
    where: the file they come from, for errors.
    """

    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    where: str = "distributions"

    def __post_init__(self) -> None:
        for component, overrides in self.overrides.items():
            if mistake := misplaced(component, overrides):
                raise InputError(f"{self.where}: {mistake}")

    def sampler(self, seed: int, component: str) -> ParameterSampler:
        """The random stream of one component of one head, with its overrides."""
        return ParameterSampler(
            component_stream(seed, component), self.overrides.get(component), f"{self.where}: {component}"
        )

    def joined(self, more: Mapping[str, Mapping[str, Any]]) -> Distributions:
        """With further overrides, which go before these."""
        merged = {**self.overrides, **{key: {**self.overrides.get(key, {}), **value} for key, value in more.items()}}
        return Distributions(merged, self.where)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        copied: dict[str, Any] = json.loads(json.dumps({key: dict(value) for key, value in self.overrides.items()}))
        return copied


@dataclass(frozen=True)
class RecordedDistributions(Distributions):
    """Distributions that keep the samplers that they gave, and so all that was asked of them.

    Attributes:
        samplers: stream -> the sampler given last.
    """

    samplers: dict[str, ParameterSampler] = field(default_factory=dict)

    def sampler(self, seed: int, component: str) -> ParameterSampler:
        self.samplers[component] = super().sampler(seed, component)
        return self.samplers[component]


def misplaced(component: Any, overrides: Any) -> str:
    """The mistake in an entry of a file of distributions, before anything is drawn; "" for none."""
    if component not in STREAMS:
        return f"unknown component {component!r}; use {', '.join(STREAMS)}"
    if not isinstance(overrides, Mapping):
        return f"{component}: an object of overrides is needed, got {overrides!r}"
    return _not_plain(overrides, str(component))


def _not_plain(value: Any, where: str) -> str:
    """The mistake in a value that JSON doesn't have, such as YAML's dates and keys that are no words; "" for none."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"{where}: {key!r} is no name; write names as words, in quotes where YAML reads more"
            if found := _not_plain(item, f"{where}.{key}"):
                return found
    elif isinstance(value, (list, tuple)):
        return next(filter(None, (_not_plain(item, where) for item in value)), "")
    elif not (value is None or isinstance(value, (str, int, float, bool))):
        return f"{where}: {value!r} is no number, word, list or object"
    return ""


def read_distributions(path: Path) -> Distributions:
    """From a .json file, or a .yaml file where this Python has PyYAML (`p2p` hands Blender JSON)."""
    return Distributions(read_entries(path), str(path))


def read_entries(path: Path) -> Mapping[str, Any]:
    """The entries of such a file, not looked at. Those that are empty are left out."""
    value = read_settings(path, "distributions")
    if value is None:  # all of it is comments
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{path}: an object of components is needed, such as `hair: {{family: bob}}`")
    return {name: overrides for name, overrides in value.items() if overrides is not None}
