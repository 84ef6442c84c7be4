"""Photographs: the processing of a camera, from the light on its sensor to the file."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.limits import SEED, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {"studio": 0.5, "camera": 0.2, "phone": 0.3}
UNCOMPRESSED = 100.0


@dataclass(frozen=True)
class PhotoSpec:
    """One kind of camera takes all images of a head; the default changes nothing.

    Attributes:
        kind: a key of `KINDS`: a capture studio's own files, a photographer's camera, or a phone.
        contrast: of the tone curve, 0 none to 1 the full S.
        shadows: most that dark tones are lifted by, as a share of white.
        denoising: contrast of detail, as a share of white, of which the denoiser leaves half; 0 for none.
        sharpening: share of the detail finer than `radius_px` that is added once more.
        radius_px: standard deviation of the blur that tells this detail.
        quality: of JPEG, 1 to below 100; 100 for images that are not compressed.
        subsampled: JPEG keeps colour at half of the resolution.
        motion_px: longest path of the image during an exposure, pixels; every view has a shorter one of its own.
        seed: of these paths.
    """

    kind: str = "studio"
    contrast: float = 0.0
    shadows: float = 0.0
    denoising: float = 0.0
    sharpening: float = 0.0
    radius_px: float = 1.0
    quality: float = UNCOMPRESSED
    subsampled: bool = False
    motion_px: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"photo kind {self.kind!r}: use one of {', '.join(KINDS)}")
        check_limits("photo", self, {"contrast": (0, 1), "shadows": (0, 0.3), "denoising": (0, 0.5),
                                     "sharpening": (0, 5), "radius_px": (0.3, 5), "quality": (1, 100),
                                     "motion_px": (0, 20), "seed": SEED})  # fmt: skip


def sample_photo(sampler: ParameterSampler, person: Person) -> PhotoSpec:
    """Studio files, which stay as they are, on half of the heads; a camera's or a phone's on the others."""
    kind = sampler.choice("kind", KINDS, shows=_SHOWS)
    own, ranges = sampler.within(kind, KINDS), RANGES[kind]
    drawn = {name: own.number(name, *ranges[name]) for name in ranges}
    subsampled = own.flag("subsampled", _SUBSAMPLED[kind])
    return PhotoSpec(kind, subsampled=subsampled, seed=sampler.seed(), **drawn)


Range = tuple[float, float]
RANGES: dict[str, dict[str, Range]] = {
    "studio": {"contrast": (0, 0), "shadows": (0, 0), "denoising": (0, 0), "sharpening": (0, 0), "radius_px": (1, 1),
               "quality": (UNCOMPRESSED, UNCOMPRESSED), "motion_px": (0, 0)},
    "camera": {"contrast": (0.1, 0.5), "shadows": (0, 0.04), "denoising": (0, 0.01), "sharpening": (0.1, 0.6),
               "radius_px": (0.6, 1.0), "quality": (82, 96), "motion_px": (0, 0.6)},
    "phone": {"contrast": (0.1, 0.6), "shadows": (0, 0.1), "denoising": (0, 0.02), "sharpening": (0.4, 1.5),
              "radius_px": (0.7, 1.5), "quality": (60, 95), "motion_px": (0, 1.2)},
}  # fmt: skip
_SUBSAMPLED = {"studio": 0.0, "camera": 0.4, "phone": 0.9}
_SHOWS = dict.fromkeys((*RANGES["studio"], "subsampled"), ("camera", "phone"))
"""Parameter -> kinds that it shows with."""
