"""Settings of a reconstruction and of a calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from capture import InputError
from reconstruction.styles import MOST_STYLES, style_named

Backend = Literal["auto", "cpu", "cuda"]
BACKENDS: tuple[str, ...] = get_args(Backend)
CameraPer = Literal["kind", "folder", "image"]
CAMERA_PER: tuple[str, ...] = get_args(CameraPer)
CALIBRATION_MODELS = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")


@dataclass(frozen=True)
class ReconstructionSettings:
    """Settings of `reconstruct`; the defaults suit a dozen images of a head.

    Attributes:
        backend: what makes the depth maps: our own program (cpu), COLMAP's on an NVIDIA GPU (cuda), or cuda where it is
            there (auto).
        vertices: most vertices of the scan; by default what the images support, 0.25 per pixel of one image.
        depth_min: nearest depth, metres; by default found from the sparse points or the cameras.
        depth_max: farthest depth, metres.
        max_image_size: images with a longer side, pixels, are shrunk to it; 0 takes them as they are.
        max_gap: how far, in pixels of the images, the mesh may span from what the images support. Here and in
            `max_hole`, pixels finer than a 600th of the object count as that.
        max_hole: holes up to this many pixels wide are closed, and up to three times as wide where the surface goes on.
        max_lift: how far, as a share of the object's size, the mesh may leave the tangent planes of the points around
            it; farther where these scatter, and 0.7 pixels at least. More keeps more hair, and more webs between hair
            and skin.
        min_component: pieces with less than this share of the largest piece's area are dropped.
        threads: threads to use; by default all cores. The scan doesn't depend on it.
        seed: seed of the random search of the cpu backend.
        sources: number of other views that a view is matched with, at most.
        window_radius: half side of the matching window, pixels.
        window_step: distance of the samples in the window, pixels.
        min_consistent: other views whose depth must agree with that of a pixel; one less where it matches well.
        max_reprojection_error: pixels by which a depth that agrees may lie off, seen from the other view.
        max_cost: 1 - NCC above which a pixel is dropped. Hair never matches well: its highlights move.
        poisson_depth: depth of the octree that the surface is made in; by default it follows from the image size.
        style: in which the scan is made: trimmed, which lies nearest to the surface, or as other scanners would: hair,
            closed, shell, fringed, smooth, coarse, noisy, wall or cut.
        styles: number of scans: that of `style`, and others of styles that are drawn from the capture's seed.
    """

    backend: Backend = "auto"
    vertices: int | None = None
    depth_min: float | None = None
    depth_max: float | None = None
    max_image_size: int | None = 2048
    max_gap: float = 3.0
    max_hole: float = 32.0
    max_lift: float = 0.0016
    min_component: float = 0.02
    threads: int | None = None
    seed: int = 0
    sources: int = 6
    window_radius: int = 4
    window_step: int = 2
    min_consistent: int = 2
    max_reprojection_error: float = 1.55
    max_cost: float = 0.83
    poisson_depth: int | None = None
    style: str = "trimmed"
    styles: int = 1

    def __post_init__(self) -> None:
        if self.max_image_size == 0:
            object.__setattr__(self, "max_image_size", None)  # one word for it
        if self.backend not in BACKENDS:
            raise InputError(f"`backend` {self.backend!r}: use one of {', '.join(BACKENDS)}")
        if self.vertices is not None and self.vertices < 100:
            raise InputError(f"`vertices` {self.vertices}: a scan needs at least 100")
        if self.max_image_size is not None and self.max_image_size < 32:
            raise InputError(f"`max_image_size` {self.max_image_size}: it must be 32 or more")
        if (self.depth_min is None) != (self.depth_max is None):
            raise InputError("`depth_min` and `depth_max`: give both or none")
        if self.depth_min is not None and self.depth_max is not None and not 0 < self.depth_min < self.depth_max:
            raise InputError(f"depth range {self.depth_min} .. {self.depth_max}: needs 0 < `depth_min` < `depth_max`")
        for name in ("max_gap", "max_lift", "max_hole", "min_component"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"`{name}` {getattr(self, name)}: it must be 0 or more")
        if self.seed < 0:
            raise InputError(f"`seed` {self.seed}: use 0 or more")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"`threads` {self.threads}: use 1 or more")
        style_named(self.style)  # says what is wrong with it
        if not 1 <= self.styles <= MOST_STYLES:
            raise InputError(f"`styles` {self.styles}: use 1 to {MOST_STYLES}")
        if self.sources < 2 or self.min_consistent < 1:
            raise InputError("`sources` must be 2 or more and `min_consistent` 1 or more")
        if self.window_radius < 1 or not 1 <= self.window_step <= 2 * self.window_radius:
            raise InputError("`window_radius` must be 1 or more, `window_step` between 1 and the window's side")


@dataclass(frozen=True)
class KnownDistance:
    """Two cameras and how far apart their centres are.

    Attributes:
        first, second: names of their images.
        metres: between their centres.
    """

    first: str
    second: str
    metres: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.metres) and self.metres > 0):
            raise InputError(f"distance {self.metres} m between {self.first} and {self.second}: it must be positive")
        if self.first == self.second:
            raise InputError(f"known distance: {self.first} is named twice; give two different images")

    @classmethod
    def parse(cls, text: str) -> KnownDistance:
        """From "IMAGE,IMAGE,METRES". Raises `InputError`."""
        words = text.split(",")
        try:
            first, second, metres = words[0].strip(), words[1].strip(), float(words[2])
            if len(words) != 3:
                raise ValueError
        except (ValueError, IndexError):
            example = "a.jpg,b.jpg,0.25 for two images whose cameras stood 25 cm apart"
            raise InputError(f"`known_distance` {text}: use {example}") from None
        return cls(first, second, metres)


@dataclass(frozen=True)
class CalibrationSettings:
    """Settings of a calibration.

    Attributes:
        camera_model: COLMAP's name of the lens model: SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV or
            FULL_OPENCV. Those with more parameters need dozens of images per camera.
        shared_camera: one camera took all images at one zoom, whatever their EXIF says.
        camera_per: which images share a camera: those of one kind (equal sizes, and in EXIF equal camera, lens and
            zoom), those of a folder, or none (image).
        scale: metres per unit of the solution, where that is known from an earlier run.
        known_distance: IMAGE,IMAGE,METRES: the names of two images and how far apart their cameras stood; the better
            way to a scale.
        seed: seed of the random choices of structure from motion.
    """

    camera_model: str = "SIMPLE_RADIAL"
    shared_camera: bool = False
    camera_per: CameraPer = "kind"
    scale: float | None = None
    known_distance: KnownDistance | None = field(default=None, metadata={"parse": KnownDistance.parse})
    seed: int = 0

    def __post_init__(self) -> None:
        if self.camera_model not in CALIBRATION_MODELS:
            raise InputError(f"`camera_model` {self.camera_model!r}: use one of {', '.join(CALIBRATION_MODELS)}")
        if self.camera_per not in CAMERA_PER:
            raise InputError(f"`camera_per` {self.camera_per!r}: use one of {', '.join(CAMERA_PER)}")
        if self.shared_camera and self.camera_per != "kind":
            raise InputError("give either `shared_camera` or `camera_per`, not both")
        if self.scale is not None and not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"`scale` {self.scale}: it must be positive")
        if self.scale is not None and self.known_distance is not None:
            raise InputError("give either a `scale` or a `known_distance`, not both")
