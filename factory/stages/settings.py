"""What heads are made with: settings of rendering, of rebuilding and labelling, and how a stage's process is run."""

from __future__ import annotations

import math
import re
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assets.head_models.registry import DEFAULT
from capture import HeadSurface, InputError
from factory.console import Track
from factory.stages.watchdog import UNLIMITED, Limits
from generator.distributions import Distributions


@dataclass(frozen=True)
class RenderSettings:
    """How heads are rendered.

    Attributes:
        resolution: width and height of the images, pixels, of the cameras whose rig doesn't say it.
        samples: Cycles samples per pixel.
        blender: a Blender binary; None renders with the bpy wheel in this Python.
        distributions: what the user wants drawn otherwise.
        library: folders of asset libraries, later ones before earlier ones.
        passes: ground truth beside the masks, of `generator.jobs.ground_truth.PASSES`.
        head_model: name or path, as `assets.head_models.registry.load_head_model` takes it.
        device: what renders, of `generator.jobs.devices.DEVICES`.
    """

    resolution: int = 512
    samples: int = 16
    blender: Path | None = None
    distributions: Distributions = field(default_factory=Distributions)
    library: tuple[Path, ...] = ()
    passes: tuple[str, ...] = ()
    head_model: str = DEFAULT
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 16 <= self.resolution <= 8192:
            raise InputError(f"the resolution must lie between 16 and 8192 pixels, got {self.resolution}")
        if self.samples < 1:
            raise InputError(f"at least one sample per pixel is needed, got {self.samples}")
        if self.blender is not None and not self.blender.is_file():
            raise InputError(f"no such Blender binary: {self.blender}; give the path of the program itself")

    def blender_version(self) -> str:
        """Of the Blender that renders. Raises `InputError` where there is none."""
        if self.blender is None:
            try:
                return version("bpy")
            except PackageNotFoundError:
                cure = "pip install 'pixels2points[render]', or give --blender"
                raise InputError(f"no Blender: the bpy wheel is not installed; {cure}") from None
        said = subprocess.run([self.blender, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"Blender ([\d.]+)", said.strip())
        if match is None:
            raise InputError(f"{self.blender} is not Blender: it doesn't answer to --version")
        return match[1]


@dataclass(frozen=True)
class ScanSettings:
    """How scans are rebuilt and labelled.

    Attributes:
        backend: auto, cpu or cuda.
        vertices: of the scan at most; None for what the images support.
        threshold_mm: a vertex nearer than this to the true surface is skin.
        skin_parts: parts of the head, of `HeadSurface.PARTS`, that count as skin.
    """

    backend: str = "auto"
    vertices: int | None = None
    threshold_mm: float = 1.5
    skin_parts: tuple[str, ...] = ("skin",)

    def __post_init__(self) -> None:
        if self.vertices is not None and self.vertices < 100:
            raise InputError(f"vertices {self.vertices}: a scan needs at least 100")
        if not (math.isfinite(self.threshold_mm) and self.threshold_mm > 0):
            raise InputError(f"threshold {self.threshold_mm} mm: it must be positive")
        unknown = sorted(set(self.skin_parts) - set(HeadSurface.PARTS))
        if unknown or not self.skin_parts:
            known = ", ".join(HeadSurface.PARTS)
            raise InputError(f"skin parts {', '.join(unknown) or '(none)'}: name some of {known}")


@dataclass(frozen=True)
class Execution:
    """How a stage's process is run; nothing of it changes what the stage makes.

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


FREELY = Execution()
