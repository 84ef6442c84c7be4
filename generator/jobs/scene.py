"""The job of saving a head's scene for people to open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from generator.jobs.heads import HeadRequest
from generator.jobs.rendering import Rendering

BLEND, GLB = "scene.blend", "scene.glb"


@dataclass(frozen=True)
class SceneJob:
    """Files of the scene of a head, with a camera a view.

    Attributes:
        head: whose folder gets `BLEND`, all that it needs packed into it, and `GLB`.
        rendering: as its images were rendered.
    """

    KIND: ClassVar[str] = "scene"

    head: HeadRequest
    rendering: Rendering = field(default_factory=Rendering)
