"""Jobs that render heads: captures, and previews of many heads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from assets.head_models.head_model import HeadModel
from assets.library import Library
from capture import InputError
from generator.asset_selection import assets_of
from generator.cameras.rig import RigSpec, fixes_resolution
from generator.distributions import Distributions
from generator.jobs.rendering import Rendering
from generator.sampling import sample_spec
from generator.spec import HeadSpec


@dataclass(frozen=True)
class HeadRequest:
    """A head to render: drawn from a seed, or as a spec says.

    Attributes:
        folder: that it is rendered into.
        seed: 0 or more.
        distributions: overrides of what the seed draws.
        spec: the whole recipe, in the place of a seed.
        where: the file that the spec comes from, for errors.
    """

    folder: Path
    seed: int | None = None
    distributions: Distributions = field(default_factory=Distributions)
    spec: HeadSpec | None = None
    where: str = "head spec"

    def __post_init__(self) -> None:
        if (self.seed is None) == (self.spec is None):
            raise InputError("a head is drawn from a seed or rendered from a spec: give one of them")

    def recipe(self, model: HeadModel, library: Library) -> HeadSpec:
        """The spec: given, or drawn. Raises `InputError` where it, or an override, doesn't fit model and library."""
        if self.seed is not None:
            return sample_spec(self.seed, model, self.distributions, library)
        assert self.spec is not None
        shape = self.spec.shape
        if shape.model != model.name:
            raise InputError(f"{self.where}: made for the head model {shape.model!r}, this is {model.name!r}")
        for what in ("identity", "expression"):
            given, wanted = len(getattr(shape, what)), len(getattr(model, f"{what}_names"))
            if given != wanted:
                raise InputError(f"{self.where}: {given} numbers of {what}, the head model takes {wanted}")
        assets_of(self.spec, library)
        return self.spec


@dataclass(frozen=True)
class CaptureJob:
    """Captures of heads, each with images, masks, the passes that are asked for, cameras and the true surface.

    Attributes:
        heads: one capture each.
        rendering: how.
        threads: that Blender may use; None for all cores.
        spec_only: write `spec.json` into the folders and render nothing.
    """

    KIND: ClassVar[str] = "capture"

    heads: tuple[HeadRequest, ...]
    rendering: Rendering = field(default_factory=Rendering)
    threads: int | None = None
    spec_only: bool = False

    def __post_init__(self) -> None:
        check_threads(self.threads)
        rigs = (head.distributions.overrides.get("rig") for head in self.heads)
        if self.rendering.resolution is not None and any(map(fixes_resolution, rigs)):
            raise InputError("`resolution`: the rig says how many pixels its images have; leave one of them out")


@dataclass(frozen=True)
class PreviewJob:
    """Images alone of several heads, all seen from the same directions.

    Attributes:
        heads: each in a folder of its own, which gets `view_00.png` and so on; where one can't be made, as a file of
            its assets is damaged, `FAILED` with the reason.
        views: azimuth and elevation of the cameras, degrees.
        rendering: how.
        threads: that Blender may use; None for all cores.
    """

    KIND: ClassVar[str] = "preview"
    FAILED: ClassVar[str] = "failed.json"

    heads: tuple[HeadRequest, ...]
    views: tuple[tuple[float, float], ...]
    rendering: Rendering = field(default_factory=Rendering)
    threads: int | None = None

    def __post_init__(self) -> None:
        check_threads(self.threads)
        RigSpec.around(self.views)


def check_threads(threads: int | None) -> None:
    """Raise `InputError` where a number of threads is none."""
    if threads is not None and threads < 1:
        raise InputError(f"`threads` {threads}: at least one is needed")
