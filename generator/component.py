"""The row of a component in the registry, `generator.spec.HeadSpec`: all that the program knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assets.parameter_sampler import ParameterSampler
from capture import PixelClass
from generator.components.person import Person
from generator.geometry.distance import DistanceField
from generator.geometry.head_frame import HeadFrame
from generator.head import HeadGeometry
from generator.wear.worn_mesh import WornMesh

Sample = Callable[..., Any]
"""(sampler, person, a sampler for each of the component's `more_streams`) -> its record."""
MakeAccessory = Callable[[Any, HeadGeometry, HeadFrame | None, DistanceField], list[WornMesh]]
"""(record, head, frame of its skull, distances from its skin) -> meshes."""


@dataclass(frozen=True)
class ProxyFit:
    """The way in which proxies, meshes out of a library, are worn.

    Attributes:
        pixel_class: of their pixels in the masks.
        gap_mm: least distance from the skin; None to leave them where they were fitted.
        splits: times that triangles are cut in four, so that they can follow the skin.
    """

    pixel_class: PixelClass
    gap_mm: float | None
    splits: int = 0


@dataclass(frozen=True)
class AssetSlot:
    """The place in a component's record that an asset of a library can take.

    Attributes:
        kind: of assets, a key of `assets.library.KINDS`.
        field: of the record, which holds the asset's id, or "" for none.
        probability: of taking an asset, where there are some.
        flag: name of the override of that probability.
        choice: name of the override of the asset itself.
        hidden_by: component under which assets are not worn; "" for none. Its own asset is chosen first.
        proxy: the fit of assets that are meshes; None where they are images.
    """

    kind: str
    field: str = "asset"
    probability: float = 0.3
    flag: str = "library"
    choice: str = "asset"
    hidden_by: str = ""
    proxy: ProxyFit | None = None


@dataclass(frozen=True)
class Component:
    """A row of the registry, whose name is that of a field of `HeadSpec`, of a random stream and of overrides.

    Attributes:
        sample: draws its record.
        kind_field: field of the record that names its family or kind, "" where there is none. It is counted in
            statistics under the component's name.
        more_streams: further random streams, which `sample` takes after the person.
        person: field of `Person` -> field of the record: what later components are told of this one.
        asset: the place for an asset of a library.
        attributes: name -> place in the record, such as "colour.melanin": what statistics count beside its kind.
        accessory: makes the meshes of something that is worn whatever the rest is, such as spectacles. Hair, clothes
            and hats depend on each other: `generator.wear.assembly` makes them. Their materials, which need Blender,
            stand in `generator.blender.materials.registry`.
    """

    sample: Sample
    kind_field: str = ""
    more_streams: tuple[str, ...] = ()
    person: Mapping[str, str] = field(default_factory=dict)
    asset: AssetSlot | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    accessory: MakeAccessory | None = None

    def draw(self, samplers: Mapping[str, ParameterSampler], name: str, person: Person) -> Any:
        """The record of the component `name`; `samplers` has those of all its streams."""
        return self.sample(samplers[name], person, *(samplers[stream] for stream in self.more_streams))

    def told(self, record: Any) -> dict[str, Any]:
        """Field of `Person` -> value, of a record."""
        return {name: getattr(record, place) for name, place in self.person.items()}

    def kind_of(self, record: Any) -> str:
        """Family or kind of a record, "" where the component has none."""
        return str(getattr(record, self.kind_field)) if self.kind_field else ""
