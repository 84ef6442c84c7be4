"""The recipe of a head, and the registry of its components.

A new component is a file in `generator.components` (its record, and `sample_<component>`) and a row here: a field of
`HeadSpec`, annotated with its `Component`. Sampling, overrides, assets, outfits, statistics and tests read the rows.
"""

# No `from __future__ import annotations`: the annotations of `HeadSpec` are its rows, and not kept as text.

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, get_type_hints

from capture import InputError, PixelClass
from generator.cameras.rig import RigSpec, sample_rig
from generator.component import AssetSlot, Component, ProxyFit
from generator.components.beard import BeardSpec, sample_beard
from generator.components.brows import BrowSpec, sample_brows
from generator.components.environment import EnvironmentSpec, sample_environment
from generator.components.eyes import EyeSpec, sample_eyes
from generator.components.eyewear import EyewearSpec, sample_eyewear
from generator.components.garment import GarmentSpec, sample_garment
from generator.components.hair import HairSpec, sample_hair
from generator.components.headwear import HeadwearSpec, sample_headwear
from generator.components.jewellery import JewellerySpec, sample_jewellery
from generator.components.lashes import LashSpec, sample_lashes
from generator.components.limits import SEED, check_limits
from generator.components.photo import PhotoSpec, sample_photo
from generator.components.sensor import SensorSpec, sample_sensor
from generator.components.shape import SHAPE_STREAMS, ShapeSpec
from generator.components.skin import SkinSpec, sample_skin
from generator.records import from_json, to_json
from generator.wear.eyewear.frames import make_eyewear
from generator.wear.jewellery import make_jewellery


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """Everything that makes up one head, its surroundings and its cameras: a field for every component.

    Components are drawn in the order of the fields, each from its own random stream. `seed` alone gives the same head
    again only where `overrides`, the user's distributions, is empty.
    """

    seed: int
    shape: ShapeSpec
    skin: Annotated[
        SkinSpec,
        Component(
            sample_skin,
            person={"melanin": "melanin"},
            asset=AssetSlot("skin", "texture", 0.5, flag="textured", choice="texture"),
            attributes={"skin_melanin": "melanin"},
        ),
    ]
    eyes: Annotated[
        EyeSpec, Component(sample_eyes, asset=AssetSlot("eye", "texture", 0.3, flag="textured", choice="texture"))
    ]
    hair: Annotated[
        HairSpec,
        Component(
            sample_hair,
            kind_field="family",
            more_streams=("hair_colour",),
            person={"hair_colour": "colour"},
            asset=AssetSlot("hair", hidden_by="headwear", proxy=ProxyFit(PixelClass.SCALP_HAIR, 1.0, splits=1)),
            attributes={
                "hair_mm": "length_mm",
                "hair_melanin": "colour.melanin",
                "hair_grey": "colour.grey",
                "hair_dyed": "colour.dyed",
            },
        ),
    ]
    brows: Annotated[
        BrowSpec, Component(sample_brows, asset=AssetSlot("eyebrows", proxy=ProxyFit(PixelClass.BROWS, 0.4, splits=2)))
    ]
    lashes: Annotated[
        LashSpec, Component(sample_lashes, asset=AssetSlot("eyelashes", proxy=ProxyFit(PixelClass.LASHES, None)))
    ]
    beard: Annotated[BeardSpec, Component(sample_beard, kind_field="family", attributes={"beard_mm": "length_mm"})]
    garment: Annotated[
        GarmentSpec,
        Component(
            sample_garment,
            kind_field="kind",
            asset=AssetSlot("garment", proxy=ProxyFit(PixelClass.GARMENT, 2.6, splits=2)),
        ),
    ]
    headwear: Annotated[
        HeadwearSpec,
        Component(
            sample_headwear,
            kind_field="kind",
            asset=AssetSlot("headwear", proxy=ProxyFit(PixelClass.HEADWEAR, 2.6, splits=2)),
        ),
    ]
    eyewear: Annotated[EyewearSpec, Component(sample_eyewear, kind_field="kind", accessory=make_eyewear)]
    jewellery: Annotated[JewellerySpec, Component(sample_jewellery, kind_field="kind", accessory=make_jewellery)]
    environment: Annotated[
        EnvironmentSpec,
        Component(sample_environment, asset=AssetSlot("hdri", "hdri", 0.5), attributes={"lighting": "lighting"}),
    ]
    sensor: Annotated[SensorSpec, Component(sample_sensor)]
    photo: Annotated[PhotoSpec, Component(sample_photo, kind_field="kind")] = field(
        default=PhotoSpec(), metadata={"added": True}
    )
    rig: Annotated[RigSpec, Component(lambda sampler, person: sample_rig(sampler), kind_field="kind")]
    overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "wishes"})

    SCHEMA_VERSION: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_limits("head", self, {"seed": SEED})

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the version of its layout."""
        return {"schema_version": self.SCHEMA_VERSION, **to_json(self)}

    @classmethod
    def from_json(cls, value: Any, where: str = "head spec") -> "HeadSpec":
        """The spec in a parsed JSON object; raises `InputError` that names the place of what doesn't fit."""
        if not isinstance(value, dict):
            raise InputError(f"{where}: an object is needed, got {type(value).__name__}")
        version = value.get("schema_version")
        if version != cls.SCHEMA_VERSION:
            known = cls.SCHEMA_VERSION
            raise InputError(f"{where}: schema version {version}, this program reads {known}; make it again")
        return from_json(cls, {k: v for k, v in value.items() if k != "schema_version"}, where)


COMPONENTS: Mapping[str, Component] = {
    name: row
    for name, hint in get_type_hints(HeadSpec, include_extras=True).items()
    for row in getattr(hint, "__metadata__", ())
}
"""Name -> row, in the order in which they are drawn. The shape, which the head model draws, is none of them."""
STREAMS: tuple[str, ...] = (
    *SHAPE_STREAMS,
    *(stream for name, row in COMPONENTS.items() for stream in (*row.more_streams, name)),
)
"""Names of all random streams: what can be overridden."""
