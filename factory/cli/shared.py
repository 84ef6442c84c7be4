"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from factory.stages.overrides import choose_resolution, read_overrides
from factory.stages.settings import RenderSettings, RenderSetup


@dataclass(frozen=True)
class RenderOptions(RenderSetup):
    """Options of rendering heads, with files in place of what they hold.

    Attributes:
        distributions: YAML or JSON file that overrides what is drawn at random, see docs/generator.md.
        rig: YAML or JSON file of cameras of your own, see docs/generator.md.
    """

    distributions: Path | None = None
    rig: Path | None = None

    def settings(self, more: Mapping[str, Mapping[str, Any]] | None = None) -> RenderSettings:
        """The settings, with further overrides. Raises `InputError` where a file is missing or says what can't be."""
        overrides = read_overrides(self.distributions, more, self.rig, self.library, self.head_model)
        given = {each.name: getattr(self, each.name) for each in fields(RenderSetup)}
        given["resolution"] = choose_resolution(self.resolution, overrides)
        return RenderSettings(**given, distributions=overrides)
