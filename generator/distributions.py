"""What the user wants to be drawn otherwise: overrides per component, from a YAML or JSON file.

    hair: {family: {crop: 2, long_wavy: 1}, long_wavy: {length_mm: [300, 400]}}
    beard: {family: none}
    skin: {melanin: [0.6, 1.0]}

`ParameterSampler` says what an override may look like. Names that no component draws are errors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assets.parameter_sampler import ParameterSampler
from capture import InputError, read_json

COMPONENTS = ("identity", "expression", "pose", "skin", "eyes", "hair_colour", "hair", "brows", "lashes", "beard",
              "garment", "headwear", "eyewear", "jewellery", "environment", "sensor", "rig")  # fmt: skip


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
            if component not in COMPONENTS:
                raise InputError(f"{self.where}: unknown component {component!r}; use {', '.join(COMPONENTS)}")
            if not isinstance(overrides, Mapping):
                raise InputError(f"{self.where}: {component}: an object of overrides is needed, got {overrides!r}")
            _check_plain(overrides, f"{self.where}: {component}")

    def sampler(self, seed: int, component: str) -> ParameterSampler:
        """The random stream of one component of one head, with its overrides."""
        return ParameterSampler(stream(seed, component), self.overrides.get(component), f"{self.where}: {component}")

    def joined(self, more: Mapping[str, Mapping[str, Any]]) -> Distributions:
        """With further overrides, which go before these."""
        merged = {**self.overrides, **{key: {**self.overrides.get(key, {}), **value} for key, value in more.items()}}
        return Distributions(merged, self.where)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        copied: dict[str, Any] = json.loads(json.dumps({key: dict(value) for key, value in self.overrides.items()}))
        return copied


def _check_plain(value: Any, where: str) -> None:
    """Raise `InputError` for what JSON doesn't have, such as YAML's dates and keys that are no words."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"{where}: {key!r} is no name; write names as words, in quotes where YAML reads more")
            _check_plain(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_plain(item, where)
    elif not (value is None or isinstance(value, (str, int, float, bool))):
        raise InputError(f"{where}: {value!r} is no number, word, list or object")


def read_distributions(path: Path) -> Distributions:
    """From a .json file, or a .yaml file where this Python has PyYAML (`p2p` hands Blender JSON)."""
    value = read_settings(path, "distributions")
    if not isinstance(value, Mapping):
        raise InputError(f"{path}: an object of components is needed, such as `hair: {{family: bob}}`")
    return Distributions(value, str(path))


def read_settings(path: Path, what: str) -> Any:
    """The value in a JSON or YAML file; raises `InputError` that names the file and the cure."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return read_json(path, what)
    try:
        import yaml
    except ModuleNotFoundError:
        cure = "give the same as JSON, or install PyYAML for it"
        raise InputError(f"{path}: the Python that runs this reads no YAML; {cure}") from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"can't read the {what} {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path}: not valid YAML: {line}") from None


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one component of one head: the same for the same seed and name, whatever else is drawn."""
    if seed < 0:
        raise InputError(f"seed {seed}: use an integer from 0 on")
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))
