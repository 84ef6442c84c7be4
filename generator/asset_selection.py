"""Which assets of a library a head shows: drawn for its spec, found again for its scene.

Every component that an asset can stand for asks, after all its own questions, whether one is taken (`textured` or
`library`, with a probability that holds where a library has assets of the kind) and which (`texture` or `asset`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.library import Asset, Library
from assets.parameter_sampler import ParameterSampler
from capture import InputError
from capture.files import sha256_of
from generator.components.person import Person

if TYPE_CHECKING:
    from generator.spec import HeadSpec


@dataclass(frozen=True)
class Slot:
    """Where an asset of a kind goes.

    Attributes:
        kind: of assets.
        field: of the component's record, which holds the id.
        share: how often an asset is taken where there are some.
        question: name of the override of that.
        answer: name of the override of the asset itself.
    """

    kind: str
    field: str = "asset"
    share: float = 0.3
    question: str = "library"
    answer: str = "asset"


SLOTS: dict[str, Slot] = {
    "skin": Slot("skin", "texture", 0.5, "textured", "texture"),
    "eyes": Slot("eye", "texture", 0.3, "textured", "texture"),
    "headwear": Slot("headwear"),
    "hair": Slot("hair"),
    "brows": Slot("eyebrows"),
    "lashes": Slot("eyelashes"),
    "garment": Slot("garment"),
    "environment": Slot("hdri", "hdri", 0.5),
}
"""Component -> its slot; hats before hair, which goes by them."""
MISFIT = 0.1
BARE = ("none", "balding")
"""Families and kinds that no asset stands for unless it is asked for by name: who wears nothing wears nothing."""


def choose_assets(
    spec: HeadSpec, draw: Callable[[str], ParameterSampler], library: Library, person: Person, base_mesh: str
) -> HeadSpec:
    """The spec with assets drawn for it.

    Args:
        draw: component -> its stream.
        person: whom assets should suit.
        base_mesh: the head model's mesh; assets made for another don't fit.

    Raises `InputError` where an asset is asked for by name that no library has.
    """
    changes: dict[str, Any] = {}
    for name, slot in SLOTS.items():
        stream, record = draw(name), getattr(spec, name)
        overridden = stream.overridden(slot.answer)
        weights = {
            asset: weight * suits(library.assets[asset].tags, person, spec.skin.melanin)
            for asset, weight in library.weights(slot.kind, base_mesh).items()
        }
        asset = _draw(stream, name, slot, weights)
        bare = getattr(record, "family", getattr(record, "kind", "")) in BARE
        covered = name == "hair" and (spec.headwear.kind != "none" or "headwear" in changes)
        if asset and (overridden or not (bare or covered)):
            changes[name] = replace(record, **{slot.field: asset})
    return replace(spec, **changes)


def suits(tags: Sequence[str], person: Person, melanin: float) -> float:
    """Factor of an asset's weight: 1 where its tags don't speak against it, `MISFIT` for each that does."""
    speaks = {
        "male": person.masculine >= 0.5,
        "female": person.masculine < 0.5,
        "young": person.age < 45,
        "middleage": 30 <= person.age < 65,
        "old": person.age >= 55,
        "african": melanin > 0.5,
        "asian": 0.15 < melanin < 0.6,
        "caucasian": melanin < 0.45,
    }
    return math.prod(1.0 if speaks.get(tag, True) else MISFIT for tag in tags)


def _draw(sampler: ParameterSampler, name: str, slot: Slot, weights: Mapping[str, float]) -> str:
    if sampler.overridden(slot.answer) and not weights:
        raise InputError(
            f"{name}.{slot.answer}: no library has {slot.kind} assets for this head model; give a folder with --library"
        )
    taken = sampler.flag(slot.question, 1.0 if sampler.overridden(slot.answer) else slot.share)
    asset = sampler.choice(slot.answer, weights if sum(weights.values()) > 0 else {**weights, "": 1.0})
    return asset if taken else ""


def assets_of(spec: HeadSpec, library: Library) -> dict[str, Asset]:
    """component -> the asset that it shows; raises `InputError` where no library has one that the spec names."""
    found = {}
    for name, slot in SLOTS.items():
        asset = getattr(getattr(spec, name), slot.field)
        if asset and (slot.kind != "hdri" or "/" in asset) and _seen(spec, name):
            found[name] = library.find(asset, slot.kind)
    return found


def _seen(spec: HeadSpec, component: str) -> bool:
    """Whether the scene shows the component: a panorama neither lights nor is seen in every one."""
    light = spec.environment
    return component != "environment" or light.lighting == "panorama" or light.backdrop is None


def credits_of(spec: HeadSpec, library: Library, panorama: Callable[[str], Path]) -> list[dict[str, str]]:
    """What the capture records of the assets it shows; `panorama` gives the file of one of Blender's own."""
    credits = [asset.credit() for asset in assets_of(spec, library).values()]
    if "/" not in spec.environment.hdri and _seen(spec, "environment"):
        digest = sha256_of(panorama(spec.environment.hdri))
        credits.append({"id": f"blender/{spec.environment.hdri}", "kind": "hdri", "licence": "CC0-1.0",
                        "author": "Greg Zaal", "source": "https://polyhaven.com", "sha256": digest})  # fmt: skip
    return sorted(credits, key=lambda credit: (credit["kind"], credit["id"]))
