"""Settings of rendering, of rebuilding and labelling, and of the process of a stage."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from capture import InputError
from factory.console import Track
from factory.stages.watchdog import UNLIMITED, Limits
from generator.distributions import Distributions
from generator.jobs.rendering import SIDE, Rendering
from labeling.settings import LabelSettings
from reconstruction.settings import ReconstructionSettings


@dataclass(frozen=True)
class RenderSetup(Rendering):
    """Options of rendering, and of the program that does it.

    Attributes:
        blender: path of a Blender program, 3.4 or later, that renders; by default the bpy package does.
    """

    blender: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.blender is not None and not self.blender.is_file():
            raise InputError(f"no such Blender binary: {self.blender}; give the path of the program itself")


@dataclass(frozen=True)
class RenderSettings(RenderSetup):
    """Options of rendering heads.

    Attributes:
        distributions: what the user wants drawn otherwise.
    """

    resolution: int = SIDE
    distributions: Distributions = field(default_factory=Distributions)

    def values(self) -> dict[str, Any]:
        """Field -> value, in the order of the stamps and plans that they stand in."""
        names = ("resolution", "samples", "blender", "distributions", "library", "passes", "head_model", "device")
        return {name: getattr(self, name) for name in names}

    def blender_version(self) -> str:
        """Of the Blender that renders. Raises `InputError` where there is none."""
        if self.blender is None:
            try:
                return version("bpy")
            except PackageNotFoundError:
                cure = "pip install 'pixels2points[render]', or give `blender`"
                raise InputError(f"no Blender: the bpy wheel is not installed; {cure}") from None
        said = subprocess.run([self.blender, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"Blender ([\d.]+)", said.strip())
        if match is None:
            raise InputError(f"{self.blender} is not Blender: it doesn't answer to --version")
        return match[1]


@dataclass(frozen=True)
class ScanSettings:
    """Options of rebuilding and labelling scans.

    Attributes:
        reconstruction: from the images to the scan.
        labels: which vertices of it are skin.
    """

    reconstruction: ReconstructionSettings = field(default_factory=ReconstructionSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)


@dataclass(frozen=True)
class Execution:
    """Options of running a stage's process; nothing of it changes what the stage makes.

    Attributes:
        threads: that it may use; None for all cores.
        limits: time and memory.
        bar: shown the progress.
        scratch: folder for its temporary files; None for the system's.
    """

    threads: int | None = None
    limits: Limits = UNLIMITED
    bar: Track | None = None
    scratch: Path | None = None

    def show(self, step: str, done: int, total: int) -> None:
        """Show how far a step of the stage is."""
        if self.bar is not None:
            self.bar(done, step, total)


UNRESTRICTED = Execution()
