"""Camera rigs: a studio's 13 views, the path of a camera that is carried, and rigs of the user's own.

The studio's is the default: a row of seven at the height of the head from profile to profile, three from above and
three from below. Along the row neighbours are 30 degrees apart, and every raised or lowered view has one within 29
degrees: narrow enough for stereo, wide enough to cover ear to ear, the chin from below and the crown from above.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assets.parameter_sampler import ParameterSampler
from capture import Camera, InputError
from generator.cameras.kinds import FORMATS, KINDS, STUDIO_DIRECTIONS, path_directions
from generator.cameras.views import ViewSpec, direction, place, read_views
from generator.settings_file import read_settings

APART_M = 0.005  # two cameras nearer than this stand in one place
_SHARED = ("look_at", "focal_px", "focal_mm", "sensor_mm", "resolution")


@dataclass(frozen=True)
class RigSpec:
    """A rig around a head.

    Attributes:
        views: the cameras.
        distance: from the centre of the head to the cameras that have none of their own, metres.
        jitter: per view (azimuth, elevation) in degrees added to its direction, (relative distance), and the shift
            (x, y) of the aim in fractions of the framed radius; empty for none.
        margin: framed radius / radius of the head, for the cameras that have no focal length of their own.
        kind: a key of `KINDS`.
        aspect: width of an image over its height, where a run gives one number of pixels for both.
    """

    views: tuple[ViewSpec, ...] = tuple(ViewSpec(*angles) for angles in STUDIO_DIRECTIONS)
    distance: float = 1.2
    jitter: tuple[tuple[float, float, float, float, float], ...] = ()
    margin: float = 1.06
    kind: str = field(default="studio", metadata={"added": True})
    aspect: float = field(default=1.0, metadata={"added": True})

    def __post_init__(self) -> None:
        if not self.views:
            raise InputError("rig: it has no views; give at least one")
        if self.jitter and len(self.jitter) != len(self.views):
            raise InputError(f"rig: jitter for {len(self.jitter)} views, but it has {len(self.views)}")
        if self.kind not in KINDS:
            raise InputError(f"rig: kind {self.kind!r}; use one of {', '.join(KINDS)}")
        if not 0.2 <= self.aspect <= 5:
            raise InputError(f"rig: aspect {self.aspect}; use 0.2 to 5")
        if not 0.5 <= self.margin <= 10:
            raise InputError(f"rig: margin {self.margin}; use one between 0.5 and 10")
        if not 0.3 <= self.distance <= 20:
            raise InputError(f"rig: distance {self.distance:g} m from the head's centre; use 0.3 to 20 m")
        if any(abs(row[2]) > 0.5 for row in self.jitter):
            raise InputError("rig: jitter moves a camera by more than half of its distance; use -0.5 to 0.5")
        places = np.stack([place(view, self.distance) for view in self.views])
        for index, (view, eye) in enumerate(zip(self.views, places, strict=True)):
            if np.linalg.norm(eye - view.look_at) < 0.1:
                raise InputError(f"rig: views[{index}] looks at a point less than 0.1 m away; aim it at the head")
            near = np.flatnonzero(np.linalg.norm(places[:index] - eye, axis=1) < APART_M)
            if len(near):
                raise InputError(f"rig: views[{near[0]}] and views[{index}] stand in one place; move or remove one")

    @classmethod
    def around(cls, directions: tuple[tuple[float, float], ...]) -> RigSpec:
        """Cameras in these directions, (azimuth, elevation) in degrees, without errors."""
        return cls(tuple(ViewSpec(*angles) for angles in directions))


def sample_rig(sampler: ParameterSampler) -> RigSpec:
    """A studio's directions, a path or the user's views, with the small errors of a real rig.

    Overrides are what a rig file holds (docs/generator.md, "The rig"): `views` and what they share, or `kind` and how
    its path runs, `distance`, `margin`, `format`, `jitter`. Raises `InputError` where they don't fit.
    """
    name = sampler.choice("kind", {name: weight for name, (weight, _) in KINDS.items()}, shows=_PATHS)
    kind, own = KINDS[name][1], sampler.within(name, KINDS)
    distance, margin = own.number("distance", *kind.distance), own.number("margin", *kind.margin)
    shaken = sampler.flag("jitter", 1.0)
    shared = {name: value for name in _SHARED if (value := sampler.given(name)) is not None}
    overridden = sampler.given("views")
    path = [own.number(each, *getattr(kind, each)) for each in ("count", "sweep", "elevation", "wave")]
    directions = overridden if overridden is not None else STUDIO_DIRECTIONS if name == "studio" else _path(*path)
    aspect = FORMATS[own.choice("format", dict(zip(FORMATS, kind.formats, strict=True)))]
    if overridden is not None and name != "studio":
        raise InputError(f"{sampler.where}: both kind {name} and views; give one of them")
    views = read_views(directions, shared, sampler.where)
    rng, count = sampler.rng, len(views)
    angles = rng.uniform(-1.5, 1.5, (count, 2))
    nearer = rng.uniform(-0.01, 0.01, (count, 1))
    aim = rng.uniform(-0.015, 0.015, (count, 2))
    rows = np.round(kind.unsteady * np.concatenate([angles, nearer, aim], axis=1), 6)
    jitter: Any = tuple((*map(float, row),) for row in rows) if shaken else ()
    try:
        return RigSpec(views, round(distance, 4), jitter, margin, name, round(aspect, 6))
    except InputError as error:
        raise InputError(f"{sampler.where}: {str(error).removeprefix('rig: ')}") from None


_PATHS = dict.fromkeys(("count", "sweep", "elevation", "wave"), ("orbit", "selfie"))
_COUNTS = (2, 500)  # views that a path may have


def _path(count: float, sweep: float, elevation: float, wave: float) -> tuple[tuple[float, float], ...]:
    if not (_COUNTS[0] <= round(count) <= _COUNTS[1] and 0 < sweep <= 360 and abs(elevation) <= 60 and abs(wave) <= 60):
        raise InputError(
            f"rig: a path of {count:g} views, sweep {sweep:g}, elevation {elevation:g}, wave {wave:g}; use 2 to 500 "
            "views, a sweep of up to 360 degrees, elevation and wave of up to 60"
        )
    return path_directions(round(count), sweep, elevation, wave)


def pixel_size_of(resolution: int, aspect: float) -> tuple[int, int]:
    """(width, height) of images with this aspect and as many pixels as a square of this side has."""
    return round(resolution * aspect**0.5), round(resolution / aspect**0.5)


def fixes_resolution(override: Any) -> bool:
    """True where the override for a rig sets the pixels of all its images."""
    if not isinstance(override, dict):
        return False
    views = override.get("views")
    own = [isinstance(view, dict) and "resolution" in view for view in views] if isinstance(views, list) else []
    return "resolution" in override or (bool(own) and all(own))


def read_rig(path: Path) -> dict[str, Any]:
    """The content of a rig file (JSON or YAML): overrides for the component `rig`.

    Raises `InputError` that names the file where it is no rig.
    """
    override = read_settings(path, "rig")
    if not isinstance(override, dict):
        raise InputError(f"{path}: an object is needed, such as `views: [{{azimuth: 0, elevation: 0}}]`")
    sampler = ParameterSampler(np.random.default_rng(0), override, str(path))
    sample_rig(sampler)
    if unknown := sampler.unknown():
        raise InputError(f"{path}: unknown {', '.join(unknown)}; a rig has {', '.join(sorted(sampler.asked))}")
    return override


def rig_cameras(spec: RigSpec, centre: ArrayLike, radius: float, resolution: int | tuple[int, int]) -> list[Camera]:
    """The cameras of a rig.

    Args:
        spec: the rig.
        centre: (3,) centre of the head, metres.
        radius: of the sphere to frame, metres.
        resolution: of the views that don't say it themselves: (width, height) in pixels, or the side of a square that
            has as many pixels as an image of the rig's aspect.

    Returns:
        N cameras named view_00.png, view_01.png, ...

    Raises:
        InputError: where a camera stands inside the head.
    """
    middle = np.asarray(centre, float)
    digits = max(2, len(str(len(spec.views) - 1)))
    cameras = []
    for index, view in enumerate(spec.views):
        size = view.size or (pixel_size_of(resolution, spec.aspect) if isinstance(resolution, int) else resolution)
        focal = _focal(spec, index, radius, size)
        d_azimuth, d_elevation, d_distance, *shift = spec.jitter[index] if spec.jitter else (0.0,) * 5
        outward = direction(view.azimuth + d_azimuth, view.elevation + d_elevation)
        eye = middle + outward * (view.distance or spec.distance) * (1 + d_distance)
        right, down, _ = look_at(eye, middle)
        target = middle + view.look_at + radius * (shift[0] * right - shift[1] * down)
        rotation = look_at(eye, target)
        principal = (size[0] / 2, size[1] / 2)
        name = f"view_{index:0{digits}d}.png"
        cameras.append(Camera.pinhole(name, size, (focal, focal), principal, rotation, -rotation @ eye))
    return cameras


def _focal(spec: RigSpec, index: int, radius: float, size: tuple[int, int]) -> float:
    """Focal length in pixels: the view's own, or that at which the sphere, times the margin, just fits."""
    view = spec.views[index]
    eye = place(view, spec.distance)
    distance, framed = float(np.linalg.norm(eye)), radius * spec.margin
    if distance <= (radius if view.focal else framed):
        raise InputError(
            f"rig: views[{index}], {distance:.3g} m from the centre, stands inside a head of radius "
            f"{radius:.3f} m; move it out"
        )
    if view.focal:
        return view.focal * size[0]
    away, aside = float(np.linalg.norm(eye - view.look_at)), float(np.linalg.norm(view.look_at))
    framed = min(framed + aside, 0.99 * away)
    return float(min(size) / 2 / (framed / np.sqrt(away**2 - framed**2)))


def look_at(eye: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """(3, 3) world-to-camera rotation (x right, y down, z forward) of an upright camera.

    A camera that looks straight down or up has the back of the head (+Y) at the top or at the bottom of its image.
    """
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-6:
        right = np.array([1.0, 0.0, 0.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
