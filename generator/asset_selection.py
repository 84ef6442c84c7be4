"""The choice of a library's assets: drawn for a head's spec, looked up again for its scene.

Every component that an asset can stand for asks, after all its own questions, whether one is taken and which: see
`generator.component.AssetSlot`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets.library import Asset, Library
from assets.parameter_sampler import ParameterSampler
from capture import InputError
from capture.files import sha256_of
from generator.component import AssetSlot
from generator.components.person import Person
from generator.spec import COMPONENTS, HeadSpec

MISFIT = 0.1
"""Factor of an asset's weight for each of its tags that speaks against a person."""
BARE = ("none", "balding")
"""Families and kinds that no asset stands for unless it is asked for by name: who wears nothing wears nothing."""


def asset_slots() -> Iterator[tuple[str, AssetSlot]]:
    """Components with their slots, in the order of the registry, but what hides a component before it."""
    slots = {name: row.asset for name, row in COMPONENTS.items() if row.asset is not None}
    order = [each for name, slot in slots.items() for each in (slot.hidden_by, name) if each in slots]
    return ((name, slots[name]) for name in dict.fromkeys(order))


def choose_assets(
    spec: HeadSpec, samplers: Mapping[str, ParameterSampler], library: Library, person: Person, base_mesh: str
) -> HeadSpec:
    """The spec with assets drawn for it.

    Args:
        spec: without assets.
        samplers: component -> its stream.
        library: may be empty.
        person: whom assets should suit.
        base_mesh: the head model's mesh; assets made for another don't fit.

    Raises `InputError` where an asset is asked for by name that no library has.
    """
    chosen: dict[str, Any] = {}
    for name, slot in asset_slots():
        record, sampler = getattr(spec, name), samplers[name]
        weights = {
            asset: weight * suits(library.assets[asset].tags, person)
            for asset, weight in library.weights(slot.kind, base_mesh).items()
        }
        asset = _draw(sampler, name, slot, weights)
        if _named(sampler, slot):
            if "/" in (own := getattr(record, slot.field)):
                library.find(own, slot.kind)
            continue
        bare = COMPONENTS[name].kind_of(record) in BARE
        hidden = bool(slot.hidden_by) and (slot.hidden_by in chosen or _is_worn(spec, slot.hidden_by))
        if asset and (sampler.overridden(slot.choice) or not (bare or hidden)):
            chosen[name] = replace(record, **{slot.field: asset})
    return replace(spec, **chosen)


def _named(sampler: ParameterSampler, slot: AssetSlot) -> bool:
    """Whether the user says what the component's own choice shall be, and nothing of the library."""
    own = slot.field != slot.choice and sampler.overridden(slot.field)
    return own and not (sampler.overridden(slot.choice) or sampler.overridden(slot.flag))


def _is_worn(spec: HeadSpec, component: str) -> bool:
    return COMPONENTS[component].kind_of(getattr(spec, component)) != "none"


def suits(tags: Sequence[str], person: Person) -> float:
    """Factor of an asset's weight: 1 where its tags don't speak against it, `MISFIT` for each that does."""
    speaks = {
        "male": person.masculine >= 0.5,
        "female": person.masculine < 0.5,
        "young": person.age < 45,
        "middleage": 30 <= person.age < 65,
        "old": person.age >= 55,
        "african": person.melanin > 0.5,
        "asian": 0.15 < person.melanin < 0.6,
        "caucasian": person.melanin < 0.45,
    }
    return math.prod(1.0 if speaks.get(tag, True) else MISFIT for tag in tags)


def _draw(sampler: ParameterSampler, name: str, slot: AssetSlot, weights: Mapping[str, float]) -> str:
    """Id of an asset, "" for none."""
    asked_for = sampler.overridden(slot.choice)
    if asked_for and not weights:
        cure = "give a folder that has some as `library`"
        raise InputError(f"{name}.{slot.choice}: no library has {slot.kind} assets for this head model; {cure}")
    if not weights and sampler.overridden(slot.flag) and not sampler.never(slot.flag):
        cure = "give a folder that has some as `library`"
        sampler.useless.append(f"{name}.{slot.flag}: no library has {slot.kind} assets for this head model; {cure}")
    taken = sampler.flag(slot.flag, 1.0 if asked_for else slot.probability, yes_for=(slot.choice,))
    asset = sampler.choice(slot.choice, weights if sum(weights.values()) > 0 else {**weights, "": 1.0})
    return asset if taken else ""


def assets_of(spec: HeadSpec, library: Library) -> dict[str, Asset]:
    """component -> the asset that it shows; raises `InputError` where no library has one that the spec names."""
    shown = {}
    for name, slot in asset_slots():
        asset = getattr(getattr(spec, name), slot.field)
        if asset and (slot.kind != "hdri" or "/" in asset) and _is_seen(spec, name):
            shown[name] = library.find(asset, slot.kind)
    return shown


def _is_seen(spec: HeadSpec, component: str) -> bool:
    """False for a panorama that neither lights the scene nor stands behind the head."""
    light = spec.environment
    return component != "environment" or light.lighting == "panorama" or light.backdrop is None


def credits_of(spec: HeadSpec, library: Library, panorama: Callable[[str], Path]) -> list[dict[str, str]]:
    """Credits of the assets that a capture shows; `panorama` gives the file of one of Blender's own."""
    credits = [asset.credit() for asset in assets_of(spec, library).values()]
    if "/" not in spec.environment.hdri and _is_seen(spec, "environment"):
        digest = sha256_of(panorama(spec.environment.hdri))
        credits.append(
            {
                "id": f"blender/{spec.environment.hdri}",
                "kind": "hdri",
                "licence": "CC0-1.0",
                "author": "Greg Zaal",
                "source": "https://polyhaven.com",
                "sha256": digest,
            }
        )
    return sorted(credits, key=lambda credit: (credit["kind"], credit["id"]))
